"""Numbers: whether printed numbers are some person's values, and how likely that is chance.

A cell matches everyone whose value lies within half a unit of its last digit.  With ``p_k`` the share of people who
match cell k, summed over the columns that it may stand for, a row of ``K`` cells of which ``k`` match one person has
the chance

    E = n * binom(K, k) * prod_k p_k

of doing so for anybody among n people if columns were independent. As they are not, those who nearly match are
counted too, and shrunk by how much rarer each exact match is. A row whose two chances are low discloses.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from mmcrl.disclosure.persons import Persons

__all__ = [
    "CHANCE", "Number", "are_values", "in_rows", "is_even", "is_outermost", "is_part", "is_run", "is_subset",
    "numbers",
]  # fmt: skip

_FORM = re.compile(r"[-+]?(?=\.?\d)(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d*))?(?:[eE]([-+]?\d{1,4}))?")
_DECIMAL_COMMA = re.compile(r"^([-+]?\d+),(\d{1,2}|\d{4,})(?![\d,.])")  # three digits behind it are thousands
_UNIT = re.compile(
    r"(?<=[\d.])\s?(?:%|[°µμ]?[^\W\d_][^\s\d,;:]*\d?)(?: [^\W\d_][^\s\d,;:]*)?$"
)  # mmol/l, kg/m2, mm Hg
_MOST_DIGITS = 300
_WIDTHS = (5, 15, 45, 135, 405, 1215)  # how far somebody is who nearly matches, in half units of the last digit
Number = tuple[float, float]  # value, half a unit of its last digit
CHANCE = 5e-2  # below it a row is somebody's; runs of one column are judged a thousand times more strictly


def numbers(cells: Sequence[str], units: bool = True) -> list[Number | None]:
    """Each cell as a number with half a unit of its last digit; None for what is none.

    Without ``units`` a number before a unit is none either.

    >>> numbers(["1.50", "-3", "a", "2e-3", "64.5 kg", "1,204", "158,5"])
    [(1.5, 0.005), (-3.0, 0.5), None, (0.002, 0.0005), (64.5, 0.05), (1204.0, 0.5), (158.5, 0.05)]
    """
    return [_number(cell.strip().replace("−", "-"), units) for cell in cells]


def _number(text: str, units: bool) -> Number | None:
    text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    match = _FORM.fullmatch(text)
    if match is None and units and len(text) < 40:
        text = _UNIT.sub("", text)
        match = _FORM.fullmatch(text)
    if match is None or not any(map(str.isdigit, text)):
        return None
    digits = len(match[1] or "") - int(match[2] or 0)
    if abs(digits) > _MOST_DIGITS:  # a code, and no number that a double holds
        return None
    return float(text.replace(",", "")), 0.5 * 10.0**-digits


def in_rows(rows: Sequence[Sequence[Number | None]], labels: Sequence[str], persons: Persons) -> int:
    """In how many rows of a table at least three cells are the values of one person; 0 where it may be chance.

    One row is enough where its chance is low for the whole table; else half of the rows must be people's.
    """
    told = [row for row in rows if len(persons) and sum(cell is not None for cell in row) >= 3]
    chances = [row_chance(row, labels, persons) for row in told]
    hits = [chance for chance in chances if chance < math.log(CHANCE)]
    alone = any(chance < math.log(CHANCE / 10 / len(chances)) for chance in hits)
    return len(hits) if alone or 2 * len(hits) >= len(chances) else 0


def row_chance(cells: Sequence[Number | None], labels: Sequence[str], persons: Persons) -> float:
    """Logarithm of the chance that three or more cells fit one person as well as they do; 0 where fewer fit.

    Parameters
    ----------
    cells : the numbers of one row
    labels : what each stands under; a name of a column restricts the search to it
    """
    values, people, columns = persons.lookup
    score, hits = np.zeros(len(persons)), np.zeros(len(persons), dtype=int)
    labelled = {
        (cell, labels[position] if position < len(labels) else "") for position, cell in enumerate(cells) if cell
    }
    times = Counter((cell, tuple(_named(label, persons))) for cell, label in labelled)
    matched = []
    for (cell, named), most in sorted(times.items()):
        low, high = _span(values, cell)
        owners, where = people[low:high], columns[low:high]
        if named:
            inside = np.isin(where, named)
            owners, where = owners[inside], where[inside]
        share = len(owners) / len(persons)
        if 0 < share < 1:
            matched.append((cell, most, owners, where))
            owners, fitting = np.unique(owners, return_counts=True)
            fitting = np.minimum(fitting, most)  # a number that stands there twice takes two columns to be a person's
            score[owners] -= fitting * math.log(share)
            hits[owners] += fitting
    if not (hits >= 3).any():
        return 0.0
    ways = np.array([math.log(math.comb(len(labelled), k)) for k in range(hits.max() + 1)])
    chance = np.where(hits >= 3, math.log(len(persons)) + ways[hits] - score, np.inf)
    best = int(chance.argmin())
    if chance[best] >= math.log(CHANCE):
        return 0.0
    pairs = [(cell, int(c)) for cell, most, owners, where in matched for c in where[owners == best][:most]]
    return max(float(chance[best]), float(_crowd(pairs, persons) + ways[hits[best]]))


def _crowd(pairs: Sequence[tuple[Number, int]], persons: Persons) -> float:
    """Logarithm of how many others would match by chance, from those who nearly do: columns that go together."""
    table, chance = list(persons.columns.values()), 0.0
    for width in _WIDTHS:
        near, chance = np.ones(len(persons), dtype=bool), 0.0
        for (value, half), column in pairs:
            distance = np.abs(table[column] - value)
            wide = distance <= width * max(half, persons.steps[column] / 2) + 1e-12 * abs(value)
            chance += math.log(max((distance <= half + 1e-12 * abs(value)).sum(), 1) / wide.sum())
            near &= wide
        chance += math.log(near.sum() - 0.5)
        if near.sum() >= 10:
            break
    return chance


def is_even(values: Sequence[float] | np.ndarray, within: float) -> bool:
    """Whether values are as far apart as places on an axis are, but for a share of a step.

    >>> is_even([0.0, 0.33, 0.67, 1.0], 0.05), is_even([0.0, 0.33, 0.67, 1.0], 0.01)
    (True, False)
    """
    steps = np.diff(values)
    return len(steps) < 2 or bool(np.ptp(steps) <= within * np.abs(steps).max())


def is_run(cells: Sequence[Number | None], persons: Persons) -> bool:
    """Whether four or more successive different numbers stand in this order in a column of the cohort."""
    found = [cell for cell in cells if cell is not None]
    values, people, columns = persons.lookup
    n = len(persons)
    for start in range(0, len(found) - 3, max(1, len(found) // 50)):  # of a long list, 50 places
        low, high = _span(values, found[start])
        at = columns[low:high].astype(np.int64) * (n + 1) + people[low:high]
        chance, seen = math.log(max(len(at), 1)), {found[start][0]}
        for k, (value, half) in enumerate(found[start + 1 : start + 40], 1):
            at = at[at + k < len(persons.flat)]
            at = at[np.abs(persons.flat[at + k] - value) <= half * (1 + 1e-9) + 1e-12 * abs(value)]
            if not len(at):
                break
            if value not in seen:
                low, high = _span(values, (value, half))
                counts = np.bincount(columns[low:high], minlength=len(persons.columns))
                chance += math.log(min(1.0, max(1, counts[np.unique(at // (n + 1))].max()) / n))
                seen.add(value)
            if len(seen) > 3 and chance < math.log(CHANCE / 1000):
                return True
    return False


def is_part(cells: Sequence[Number | None], persons: Persons) -> bool:
    """Whether sixteen successive numbers, of a row with many different ones, stand in this order in images or series.

    Sixteen of which fewer than four differ are nobody's: the empty margin of a picture is everybody's.
    """
    found = [cell for cell in cells if cell is not None]
    if len(found) < 16 or len(set(found)) < 8:
        return False
    parts = [found[start : start + 16] for start in range(len(found) - 15)]
    varied = max(parts, key=lambda part: len(set(part)))
    telling = [part for part in [varied, *parts[:: max(1, len(found) // 4)]] if len(set(part)) >= 4]
    for sequence in persons.sequences:
        for part in telling:
            value, half = np.array(part).T
            if sequence.holds(value, half * (1 + 1e-6) + 1e-6 * np.abs(value)):
                return True
    return False


def is_subset(cells: Sequence[Number | None], persons: Persons, counted: bool = False) -> bool:
    """Whether twelve or more different numbers are all values of one column, where others are rarely.

    If many come again, as quantiles do too, none may do so more often than people have it, and they must be as many
    as half of the people, unless these are known to be ``counted`` one by one.
    """
    times = Counter(cell for cell in cells if cell is not None)
    found, total = sorted(times), times.total()
    if len(found) < 12 or total < 0.9 * len(cells):
        return False
    often, tied = np.array([times[cell] for cell in found]), len(found) < 0.9 * total
    for column, chance in _within(found, persons):
        if chance < math.log(CHANCE / 1000):
            ranked = persons.ranked[column]
            low, high = np.array([_span(ranked, cell) for cell in found]).T
            if not tied or ((often <= high - low).all() and (counted or 2 * total >= len(ranked))):
                return True
    return False


def is_outermost(cells: Sequence[Number | None], persons: Persons) -> bool:
    """Whether two or more different numbers are all values of one column, and half of them its outliers.

    These lie further from its quartiles than 1.5 times these are apart; a group has quartiles of its own. Whole
    numbers alone are places on an axis: 2, 4, 8 and 16 are values of many columns.
    """
    found = sorted({cell for cell in cells if cell is not None})
    value = np.array(found)[:, 0] if found else np.empty(0)
    if len(value) < 2 or np.array_equal(value, np.round(value)):
        return False
    for column, chance in _within(found, persons, around=2):
        low, high = np.quantile(persons.ranked[column], (0.25, 0.75))
        if low == high:  # a column of which most people share a value
            continue
        far = (value < low - 1.5 * (high - low)) | (value > high + 1.5 * (high - low))
        if 2 * far.sum() >= len(far) and chance + math.log(len(persons.columns)) < math.log(CHANCE / 10):
            return True
    return False


def are_values(cells: Sequence[Number | None], persons: Persons) -> bool:
    """Whether numbers that are not all whole are values of one column, where few numbers near them are."""
    found = sorted({cell for cell in cells if cell is not None})
    limit = math.log(CHANCE / 10) - math.log(max(len(persons.columns), 1))
    whole = all(value.is_integer() for value, _ in found)
    return not whole and any(chance < limit for _, chance in _within(found, persons, around=2))


def _within(found: Sequence[Number], persons: Persons, around: int = 10) -> Iterator[tuple[int, float]]:
    """The columns of which all these numbers are values, and how likely that is by chance, as a logarithm.

    The share of numbers that are values is that ``around`` each, where few are: further in there are more.
    """
    value, half = np.array(found).T
    for column, known in enumerate(persons.known):
        if len(known) < 12:
            continue
        at = np.clip(np.searchsorted(known, value), 1, len(known) - 1)
        gap = np.minimum(np.abs(known[at] - value), np.abs(known[at - 1] - value))
        low, high = np.clip(at - around, 0, None), np.clip(at + around, None, len(known) - 1)
        share = np.minimum(1.0, (high - low) * (2 * half + 1e-12) / (known[high] - known[low]))
        if (gap <= half + 1e-12 * np.abs(value)).all():
            yield column, float(np.log(share).sum())


def _span(values: np.ndarray, cell: Number) -> tuple[int, int]:
    value, half = cell
    slack = half * (1 + 1e-9) + 1e-12 * abs(value)
    low, high = np.searchsorted(values, [value - slack, value + slack])
    return int(low), int(high)


def _named(label: str, persons: Persons) -> list[int]:
    """The columns that a label names; all, as an empty list, when it names none."""
    words = set(re.split(r"[^\w.]+", label.lower())) | {label.lower()}
    return [j for j, name in enumerate(persons.names) if {name.lower(), name.split(".", 1)[1].lower()} & words]
