"""Counts: groups of people so small that their members can be found out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from mmcrl.disclosure.finding import Rules
from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.numbers import numbers
from mmcrl.disclosure.persons import Persons
from mmcrl.disclosure.pieces import Piece

__all__ = ["OF_THINGS", "PEOPLE", "WORDS", "find_counts"]

WORDS = (
    "people|persons?|participants?|adults|patients|subjects|respondents|children|individuals|volunteers|donors|"
    "survivors|carriers|smokers|drinkers|diabetics"
)
_SMALL = (  # without "one", which is an article too
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_SPELT = {word: count for count, word in enumerate(_SMALL.split(), 2)}
_THINGS = (
    r"columns?|latents?|links?|pairs?|seeds?|starts?|modalit(?:y|ies)|worlds?|runs?|steps?|points?|rows?|times?|studies|refits|"
    r"folds?|layers?|epochs?|batch|heads?|units?|dims?|features?|variables?|datasets?|cycles?|images?|pictures?|files?|"
    r"models?|methods?|levels?|class(?:es)?|clusters?|bins?|edges?|nodes?|parents?|iterations?|repeats?|tests?"
)
_WHOM = rf"{WORDS}|number of (?:men|women|boys|girls)"
_LABEL, _N_LABEL, _SIZE_LABEL = (
    re.compile(rf"(?:^|[^a-z])(?:{names})(?:[^a-z]|$)", re.I)
    for names in (_WHOM, "n|n_obs|nobs|cases", "count|counts|size|freq|frequency")
)
_NO_LABEL = re.compile(  # such as "2,000 people", a row of scores, or "MB a person"
    rf"per |share|%|mean|age|\bhz\b|(?:\d|\b(?:a|each|every))\s+(?:{WORDS})", re.I
)
OF_THINGS = re.compile(rf"(?:^|[\W_])(?:{_THINGS})(?:[\W_]|$)", re.I)  # such as n_latents
_LIMIT = (
    r"(?<!than )(?<!under )(?<!least )(?<!below )(?<!one in )"  # "fewer than ten people" are nobody in particular
)
_RATE = r"(?! (?:per|in (?:every |each |a )?(?:\d[\d,]{2,}|hundred|thousand|million))\b)"
_NUMBERED = (
    r"step|epoch|start|seed|fit|run|page|figure|fig\.|table|tab\.|level|chapter|section|latent|"
    r"column|row|cycle|visit|wave|version|type|stage|grade|equation|tier"
)
_BEFORE = "".join(f"(?<!{word} )" for word in _NUMBERED.split("|"))
_NUMBER = rf"(?<![\d.,<−/-]){_LIMIT}\b(\d+|{'|'.join(_SPELT)})"
_WHOLE = rf"(\d+)\b(?![.,]\d|\s*%| ?(?:{_THINGS}))"
PEOPLE = rf"(?:{WORDS}|men|women)"
_LIKE = r"(?:(?!are |and |per |or |[a-z-]*s )[a-z-]+ )?"  # an adjective
_SENTENCE = re.compile(
    rf"{_BEFORE}{_NUMBER} (?:(?:of (?:the|our|these|those) )?{_LIKE}{PEOPLE}\b{_RATE}|cases? of (?!the\b|a\b)[a-z])",
    re.I,
)
_ONE = re.compile(
    rf"\b(?:only|just|exactly) (?:one|a single) {PEOPLE}\b|"
    rf"(?:^|[.;:]\s+)(?:one|a single) {PEOPLE} (?:has|had|is|was|did)\b",
    re.I | re.M,
)
_MARKED = re.compile(
    rf"(?<!\w)(?:\*{{1,3}}|_{{1,3}}|\$)(\d[\d,.]*|one|{'|'.join(_SPELT)})(?:\*{{1,3}}|_{{1,3}}|\$)(?!\w)", re.I
)  # 3 as **3**
_WITH_SHARE = re.compile(rf"{_BEFORE}{_NUMBER} ?\(\d+(?:\.\d+)? ?%\)", re.I)
_STATED = re.compile(
    rf"(?:(?<![\w.-])(?<!\w\()n ?[=:] ?|\b{PEOPLE}[\"']?(?:: ?| ?= ?)){_WHOLE}",  # f(n=3) is a call
    re.I,
)
_SHARE = re.compile(
    rf"{_BEFORE}{_NUMBER}(?: of | of the | out of | ?/ ?)(\d[\d,]*)\b(?!\.\d|\s*%| ?(?:{_THINGS}))", re.I
)
_OF_ALL = re.compile(
    rf"\bof (?:the |our |these |all )?(\d[\d,]*) {PEOPLE},? (\d+|{'|'.join(_SPELT)})\b(?![.,]\d|\s*%)", re.I
)
_OF_THEM = re.compile(rf"\b{PEOPLE}\b[^.;\n]*?{_NUMBER} of (?:them|whom)\b", re.I)
_PLAIN = re.compile(r"\d{1,3}(,\d{3})+|\d+")
_DESCRIBED = {"std", "min", "max", "25%", "50%", "75%"}
_EMPTY = {"NaN", "nan", "<NA>"}
_SENTENCES = {"on", "in", "to", "from", "after", "within", "took"}
_KEY = re.compile(rf"^n_.*(?:{WORDS}|held_out|train)|(?:{WORDS})_n$", re.I)


def find_counts(piece: Piece, persons: Persons | None, rules: Rules) -> Iterator[str]:
    """What of this piece counts fewer people than the minimum. Groups of nobody are not people."""
    if not piece.output or piece.hidden:
        return
    text = _MARKED.sub(r"\1", piece.text)
    texts = [text, *(cell for grid in piece.grids for row in grid.rows for cell in row)]
    if rules.minimum > 1 and any(map(_ONE.search, texts)):
        yield "one person in a sentence"
    if any(_small(_counted(count), rules) for text in texts for count in _SENTENCE.findall(text)):
        yield "a number of people in a sentence"
    if any(_small(_counted(count), rules) for text in texts for count in _WITH_SHARE.findall(text)):
        yield "a number beside its share"
    if any(_small(int(count), rules) for count in _STATED.findall(text)):
        yield "a number of people behind their name"
    sizes = {size for size in persons.sizes if size >= 30} if persons is not None else set()
    if persons is not None and any(_small(_counted(count), rules) for count in _OF_THEM.findall(text)):
        yield "a number of them"
    for count, total in (*_SHARE.findall(text), *((count, total) for total, count in _OF_ALL.findall(text))):
        if int(total.replace(",", "")) in sizes and _small(_counted(count), rules):
            yield "a number of people out of all"
    if _KEY.search(piece.key) and re.fullmatch(r"\d+", piece.text.strip()) and _small(int(piece.text), rules):
        yield "a glued number of people"
    for grid in piece.grids:
        for table in (grid, grid.turned()):
            for label, cells in table.columns():
                counts = [count for count in _whole(cells) if count is not None]
                small = sum(_small(count, rules) for count in counts)
                if small and (
                    _counts_people(label, table.index_name, max(counts) >= rules.minimum)
                    or (_describes(label, table) and _between_people(table, persons))
                ):
                    yield f"{small} in a column of counts"
        if persons is not None and (small := _in_crossing(grid, persons, rules)):
            yield f"{small} of the cells into which all people are sorted"
        elif persons is not None and (small := _in_cross_table(grid, persons, rules)):
            yield f"{small} of the cells of a cross table"


def _counts_people(label: str, index: str, large: bool) -> bool:
    """Whether a column of this name counts people.

    One of sizes or frequencies does if some are as large as groups are, or if they stand beside the values of a
    named column, as pandas counts these.

    >>> [_counts_people(label, "", False) for label in ("n", "number of women", "n_latents", "size")]
    [True, True, False, False]
    >>> _counts_people("count", "age", False), _counts_people("count", "link", False)
    (True, False)
    """
    if _NO_LABEL.search(label):
        return False
    sized = _N_LABEL.search(label) or ((large or index) and _SIZE_LABEL.search(label))
    return bool(_LABEL.search(label) or (sized and not OF_THINGS.search(f"{label} {index}")))


def _describes(label: str, table: Grid) -> bool:
    """Whether a column is the ``count`` of a description, as pandas makes it of each column that it lists.

    >>> [_describes("count", Grid(header, ["hba1c"])) for header in (["count", "mean", "std"], ["count", "mean"])]
    [True, False]
    """
    *_, kind = label.lower().split() or [""]
    beside = {word for other in table.header for word in other.lower().split()[-1:]}
    described = beside & _DESCRIBED if "mean" in beside else beside >= {"unique", "top"}
    return kind == "count" and bool(described) and not any(map(OF_THINGS.search, table.index))


def _between_people(table: Grid, persons: Persons | None) -> bool:
    """Whether what is described may be people's: the least and the greatest of it are values of one column.

    A description without these, or of a cohort that is not known, may be.
    """
    ends = {label.lower(): numbers(cells) for label, cells in table.columns() if label.lower() in ("min", "max")}
    if persons is None or len(ends) < 2:
        return True
    told = [pair for pair in zip(ends["min"], ends["max"], strict=False) if None not in pair]
    return not told or any(
        all(
            np.diff(np.searchsorted(ranked, [end[0] - end[1] - 1e-9, end[0] + end[1] + 1e-9]))[0]
            for end in pair
            if end
        )
        for pair in told
        for ranked in persons.ranked
    )


def _in_crossing(grid: Grid, persons: Persons, rules: Rules) -> int:
    """Small cells of a contingency table: whole numbers that add up to a number of the cohort's people.

    Numbers of a sentence that stand behind "in", "to" and the like are none: "on 2 cores in 44 min".
    """
    if len(grid.rows) == 1 and _SENTENCES & {label.lower() for label in grid.header}:
        return 0
    cells = [[_plain(cell) for cell in row] for row in _filled(grid.rows)]
    columns = [list(column) for column in zip(*cells, strict=False)]
    groups = [[cell for row in cells for cell in row], *columns, *cells]
    small = 0
    for group in groups:
        counts = [count for count in group if count is not None]
        total = sum(counts)
        margin = total // 2 if total // 2 in counts else total
        if len(counts) > 1 and len(counts) == len(group) and total and {total, margin} & persons.sizes:
            small = max(small, sum(_small(count, rules) for count in counts))
    return small


def _in_cross_table(grid: Grid, persons: Persons, rules: Rules) -> int:
    """Small cells of whole numbers whose rows or columns are values of a column of the cohort's, by its name.

    One column without a name, as the sizes of groups have none, is such a table too.  So are rows that are intervals,
    where some numbers are no small ones.
    """
    known = {name.split(".", 1)[1].lower() for name in persons.names}
    cells = [cell for row in _filled(grid.rows) for cell in row]
    counts = [count for count in map(_plain, cells) if count is not None]
    alone = max(map(len, grid.rows), default=0) < 2
    things = bool(grid.header) and all(map(OF_THINGS.search, grid.header))
    if things or len(counts) < max(len(cells), 2 if alone else 4):
        return 0
    names, labels = f"{grid.index_name} {grid.header_name}".lower(), {label.lower() for label in grid.header}
    bands = max(counts) >= rules.minimum and sum(map(_is_band, grid.index)) > 1
    grouped = bands or bool(known & {names.split(" ")[0], *re.findall(r"\w+", names)})
    if labels - {"", "0"} if alone else known & labels:  # of something else, or other columns, not values of one
        return 0
    return sum(_small(count, rules) for count in counts) if grouped else 0


def _filled(rows: list[list[str]]) -> list[list[str]]:
    """Cells with 0 for empty ones, because of which pandas writes counts as 3.0 instead of 3."""
    if not any(cell in _EMPTY for row in rows for cell in row):
        return rows
    return [["0" if cell in _EMPTY else re.sub(r"\.0+$", "", cell) for cell in row] for row in rows]


def _plain(cell: str) -> int | None:
    return int(cell.replace(",", "")) if _PLAIN.fullmatch(cell) else None


def _is_band(label: str) -> bool:
    """Whether a label is an interval of whole numbers, as ages are sorted into.

    >>> [_is_band(label) for label in ("(19, 40]", "[65.0, inf)", "(0.2, 0.4]", "(0, 1]", "old")]
    [True, True, False, False, False]
    """
    ends = re.fullmatch(r"[(\[](-?\d+)(?:\.0+)?, (?:(-?\d+)(?:\.0+)?|inf)[)\]]", label)
    return ends is not None and max(int(end) for end in ends.groups() if end is not None) > 1


def _whole(cells: list[str]) -> list[int | None]:
    return [
        int(cell[0]) if cell is not None and cell[0].is_integer() and cell[0] >= 0 else None
        for cell in numbers(cells, units=False)
    ]


def _counted(word: str) -> int:
    return _SPELT.get(word.lower()) or int(word)


def _small(count: int, rules: Rules) -> bool:
    return 0 < count < rules.minimum
