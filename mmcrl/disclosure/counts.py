"""Counts: groups of people so small that their members can be found out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mmcrl.disclosure.finding import Rules
from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.numbers import numbers
from mmcrl.disclosure.persons import Persons
from mmcrl.disclosure.pieces import Piece

__all__ = ["WORDS", "find_counts"]

WORDS = r"people|persons?|participants?|adults|patients|subjects|respondents|children|individuals"
_SMALL = (  # without "one", which is an article too
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_SPELT = {word: count for count, word in enumerate(_SMALL.split(), 2)}
_THINGS = (
    r"columns?|latents?|links?|pairs?|seeds?|starts?|modalit|worlds?|runs?|steps?|points?|rows?|times?|studies|refits"
)
_LABEL = re.compile(rf"(?:^|[^a-z])(?:n|count|counts|size|freq|frequency|n_obs|nobs|cases|{WORDS})(?:[^a-z]|$)", re.I)
_NO_LABEL = re.compile(rf"per |share|%|mean|age|\d\s+(?:{WORDS})", re.I)  # such as "2,000 people", a row of scores
_LIMIT = r"(?<!than )(?<!under )(?<!least )(?<!below )"  # "fewer than ten people" are nobody in particular
_BEFORE = "".join(f"(?<!{word} )" for word in ("step", "epoch", "start", "seed", "fit", "run", "page"))
_NUMBER = rf"(?<![\d.,<−/-]){_LIMIT}\b(\d+|{'|'.join(_SPELT)})"
_WHOLE = rf"(\d+)\b(?![.,]\d|\s*%| ?(?:{_THINGS}))"
_PEOPLE = rf"(?:{WORDS}|men|women)"
_SENTENCE = re.compile(rf"{_NUMBER} (?:{_PEOPLE}\b|cases? of (?!the\b|a\b)[a-z])", re.I)
_WITH_SHARE = re.compile(rf"{_BEFORE}{_NUMBER} ?\(\d+(?:\.\d+)? ?%\)", re.I)
_STATED = re.compile(
    rf"(?:(?<![\w.-])(?<!\w\()n ?= ?|\b{_PEOPLE}[\"']?(?:: ?| ?= ?)){_WHOLE}",  # f(n=3) is a call
    re.I,
)
_SHARE = re.compile(
    rf"{_BEFORE}{_NUMBER}(?: of | of the | out of | ?/ ?)(\d[\d,]*)\b(?!\.\d|\s*%| ?(?:{_THINGS}))", re.I
)
_PLAIN = re.compile(r"\d{1,3}(,\d{3})+|\d+")
_SENTENCES = {"on", "in", "to", "from", "after", "within", "took"}
_KEY = re.compile(rf"^n_.*(?:{WORDS}|held_out|train)|(?:{WORDS})_n$", re.I)


def find_counts(piece: Piece, persons: Persons | None, rules: Rules) -> Iterator[str]:
    """What of this piece counts fewer people than the minimum. Groups of nobody are not people."""
    if not piece.output or piece.hidden:
        return
    texts = [piece.text, *(cell for grid in piece.grids for row in grid.rows for cell in row)]
    if any(_small(_counted(count), rules) for text in texts for count in _SENTENCE.findall(text)):
        yield "a number of people in a sentence"
    if any(_small(_counted(count), rules) for text in texts for count in _WITH_SHARE.findall(text)):
        yield "a number beside its share"
    if any(_small(int(count), rules) for count in _STATED.findall(piece.text)):
        yield "a number of people behind their name"
    sizes = {size for size in persons.sizes if size >= 30} if persons is not None else set()
    for count, total in _SHARE.findall(piece.text):
        if int(total.replace(",", "")) in sizes and _small(_counted(count), rules):
            yield "a number of people out of all"
    if _KEY.search(piece.key) and re.fullmatch(r"\d+", piece.text.strip()) and _small(int(piece.text), rules):
        yield "a glued number of people"
    for grid in piece.grids:
        for table in (grid, grid.turned()):
            for label, cells in table.columns():
                small = sum(_small(count, rules) for count in _whole(cells) if count is not None)
                if small and _LABEL.search(label) and not _NO_LABEL.search(label):
                    yield f"{small} in a column of counts"
        if persons is not None and (small := _in_crossing(grid, persons, rules)):
            yield f"{small} of the cells into which all people are sorted"
        elif persons is not None and (small := _in_cross_table(grid, persons, rules)):
            yield f"{small} of the cells of a cross table"


def _in_crossing(grid: Grid, persons: Persons, rules: Rules) -> int:
    """Small cells of a contingency table: whole numbers that add up to a number of the cohort's people.

    Numbers of a sentence that stand behind "in", "to" and the like are none: "on 2 cores in 44 min".
    """
    if len(grid.rows) == 1 and _SENTENCES & {label.lower() for label in grid.header}:
        return 0
    cells = [[int(cell.replace(",", "")) if _PLAIN.fullmatch(cell) else None for cell in row] for row in grid.rows]
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
    """Small cells of whole numbers, some of them no small ones, whose rows and columns are values of the cohort's.

    One column without a name, as the sizes of groups have none, is such a table too.
    """
    known = {name.split(".", 1)[1].lower() for name in persons.names}
    cells = [cell for row in grid.rows for cell in row]
    counts = [int(cell.replace(",", "")) for cell in cells if _PLAIN.fullmatch(cell)]
    alone = max(map(len, grid.rows), default=0) < 2
    if len(counts) < max(len(cells), 2 if alone else 4) or max(counts) < rules.minimum:
        return 0
    name, labels = grid.index_name.lower(), {label.lower() for label in grid.header}
    grouped = name in known or sum(map(_is_band, grid.index)) > 1
    if alone:
        sorted_by = grouped or bool(known & set(re.findall(r"\w+", name)))
        return sum(_small(count, rules) for count in counts) if sorted_by and labels <= {"", "0"} else 0
    named = bool(known & labels)  # other columns, not values of one
    return sum(_small(count, rules) for count in counts) if grouped and not named else 0


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
