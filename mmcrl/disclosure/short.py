"""Short ids: numbers of three or four digits by which a cohort calls people, as AI-READI does (1000, 1001, ...).

Such a number is mostly a year, a count or a mark of an axis.  It is somebody where something says so: several stand
together that chance would hardly put there, in a line, a column, an index; it is a part of a file's path; a word such
as "outlier" stands before it.  What this does not find: one that stands alone, two among other numbers, one behind a
word that is not listed here, equal steps such as an axis has, round numbers, powers of two, and ids that only count
people from 0 or 1, which every table's index holds.  Ids of one or two digits are known only by a name of theirs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise, zip_longest

from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.persons import Persons, whole

__all__ = ["BESIDE", "beside_a_word", "in_lines", "in_paths", "in_table", "together"]

_CHANCE = 0.02  # below it labels that are all ids are no coincidence
_AMONG = 0.001  # below it a row or column of a table is none, of which there are many
_KINDS = {3: 900, 4: 9000}  # how many numbers there are of so many digits
_NUMBER = r"(?<![\w.,/-])\d{3,4}(?:\.0+)?(?![\w%/-]|[.,]\d)"
_WORDS = r"ids?|outliers?|extremes?|person|participant|patient|subject|respondent|individual|KeyError"
BESIDE = rf"(?:^|[^A-Za-z])(?<!n_)(?:{_WORDS})(?:\s+(?:is|was|are|were|no|number))?[\s:=#\"'.(\[]{{1,4}}"  # a person
_BESIDE = re.compile(
    rf"{BESIDE}({_NUMBER})"
    r"(?!\s*(?:people|persons?|participants?|patients?|rows|values|steps|columns|points|of)\b)",
    re.I,
)
_PATH = re.compile(r"[\w.~\\/-]*[\\/][\w.\\/-]*|[\w-]+\.[A-Za-z]\w{1,5}\b")
_COUNT = re.compile(r"^n(?:$|_|\b)|people|persons|count|size|rows|steps|seed|year", re.I)
_FIRST = r"^[ \t\"']*\d{3,4}(?!\d|[.,]\d{3}\b)"
_LINES = re.compile(rf"(?:{_FIRST}(?:[ \t\"']*|[\"']?[,;:|\t].*)(?:\n|\Z)){{3,}}", re.M)
_KEYS = re.compile(r"[{,]\s*[\"']?(\d{3,4})[\"']?\s*:")


def beside_a_word(text: str, persons: Persons) -> set[str]:
    """Short ids behind a word that says that a person follows."""
    return {whole(number) for number in _BESIDE.findall(text)} & persons.short


def in_paths(text: str, persons: Persons) -> set[str]:
    """Short ids that are a folder, or stand between two separators of a file's name; years and addresses aside.

    >>> in_paths("reading 1005/1005_rest.json", Persons("clinic", range(1005, 1040), {}))
    {'1005'}
    """
    found: set[str] = set()
    for path in _PATH.finditer(text) if persons.short else ():
        before = text[max(0, path.start() - 6) : path.start()]
        if re.search(r"https?:$", before) or not re.search("[A-Za-z]", path[0]):  # an address, a date
            continue
        found |= {part for part in re.split(r"[\\/_.-]", path[0]) if not _is_year(part)} & persons.short
    return found


def in_lines(text: str, persons: Persons) -> set[str]:
    """Short ids with which successive lines begin, as those of a picture or file do, or that are keys in one line.

    >>> sorted(in_lines("1006,2.5\\n1009,1.5\\n1017,2.0\\n", Persons("clinic", range(1005, 1040), {})))
    ['1006', '1009', '1017']
    """
    if not persons.short:
        return set()
    lists = [re.findall(r"\d+", " ".join(re.findall(_FIRST, block, re.M))) for block in _LINES.findall(text)]
    lists += [_KEYS.findall(line) for line in text.splitlines()]
    return {number for numbers in lists for number in together(numbers, persons, 3)}


def in_table(grid: Grid, persons: Persons) -> set[str]:
    """Short ids that are the index of a table, or its header, a list, or a row or column of it."""
    found: set[str] = set()
    if not persons.short:
        return found
    for labels in (grid.index, grid.header):
        for part in zip_longest(*(label.split() for label in labels), fillvalue=""):  # of an index of several levels
            found |= together([word for word in part if word], persons)
    for label, cells in (*grid.columns(), *(("", row) for row in grid.rows)):
        if not _COUNT.search(label):
            found |= together(cells, persons, 3, _CHANCE if len(grid.rows) == 1 else _AMONG)
    return found


def together(cells: Sequence[str], persons: Persons, least: int = 2, chance: float = _CHANCE) -> set[str]:
    """The short ids among cells that are nearly all short ids, and too many for chance; none where they are marks.

    >>> persons = Persons("clinic", range(1005, 1040), {})
    >>> sorted(together(["1006", "1009", "1017"], persons)), together(["1010", "1015", "1020"], persons)
    (['1006', '1009', '1017'], set())
    """
    words = {whole(cell.strip().strip("'\"()[],")) for cell in cells} - {"", "..."}
    found = words & persons.short
    if len(found) < max(least, 0.7 * len(words)) or _are_marks(sorted(map(int, found))):
        return set()
    telling = [number for number in found if not _is_round(number) and not _is_year(number)]
    by_chance = sum(math.log(_share(len(number), persons)) for number in telling)
    return found if len(telling) >= least and by_chance < math.log(chance) else set()


def _share(digits: int, persons: Persons) -> float:
    """How many of the numbers of so many digits are somebody's."""
    return min(1.0, sum(len(number) == digits for number in persons.short) / _KINDS[digits])


def _are_marks(numbers: Sequence[int]) -> bool:
    """Whether numbers are years, or as far apart as marks of an axis are; neighbours are not."""
    steps = {b - a for a, b in pairwise(numbers)}
    return len(numbers) > 2 and len(steps) == 1 and steps != {1}


def _is_year(number: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d", number) is not None


def _is_round(number: str) -> bool:
    value = int(number)
    return value % 100 == 0 or value & (value - 1) == 0
