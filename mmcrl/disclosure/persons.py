"""Persons: what is known of the people of one real cohort, so that it can be recognised in an output.

Values are looked up as they are in the cohort and, where a column was transformed, also as they were measured: the
inverse of a logarithm or a root is taken wherever it gives rounder numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mmcrl.cohort import Cohort
from mmcrl.disclosure.sequences import Sequenced, compared
from mmcrl.modality import Modality

__all__ = ["Persons", "survey_of", "whole"]

_INVERSES = (np.exp, np.expm1, np.square)
_HELD_OUT = (0.2, 0.25)  # shares of people whom `Cohort.split` and a fit hold out


class Persons:
    """One cohort of real people.

    Parameters
    ----------
    name : of the cohort, for reports
    ids : one per person, as the cohort has them
    modalities : name to `Modality`
    id_name : of the ids' column
    images : whether the manifest permits images and series
    minimum : what the manifest says a count must reach, if it does
    """

    def __init__(
        self,
        name: str,
        ids: Sequence[Any],
        modalities: dict[str, Modality],
        id_name: str | None = None,
        images: bool = False,
        minimum: int | None = None,
    ) -> None:
        self.name, self.id_name, self.images, self.minimum = name, id_name, images, minimum
        self.modalities = modalities
        self.order = [whole(str(person)) for person in ids]
        self.ids = {*self.order, *_respelt(self.order)}

    @classmethod
    def of(cls, cohort: Cohort, images: bool = False, minimum: int | None = None) -> Persons:
        """The people of a cohort."""
        name = None if cohort.ids.name is None else str(cohort.ids.name)
        modalities = dict(cohort.modalities)
        if cohort.weights is not None:
            modalities["survey"] = survey_of(cohort.weights)
        return cls(cohort.name, list(cohort.ids), modalities, name, images, minimum)

    def __len__(self) -> int:
        return len(self.order)

    @cached_property
    def telling(self) -> set[str]:
        """Ids that are recognised wherever they stand: 5 digits or more, or a text of 4 and more with a digit.

        Of those of letters the ones that are no ordinary words, as `mmcrl.disclosure.words` says.
        """
        alike = len({len(i) for i in self.worded}) == 1 and len(self.worded) > 2
        coined = {i for i in self.worded if len(i) > 5 and (alike or sum(map(str.isupper, i)) > 1)}
        return coined | {
            i
            for i in self.ids
            if re.fullmatch(r"\d{5,}", i) or (len(i) > 3 and re.search(r"\d", i) and not _short(i))
        }

    @cached_property
    def worded(self) -> set[str]:
        """Ids of four characters or more that hold no digit, or signs at which a number's word would end."""
        return {i for i in self.ids if len(i) > 3 and (not re.search(r"\d", i) or re.search(r"[A-Za-z].*[^\w.-]", i))}

    @cached_property
    def lengths(self) -> set[int]:
        """Of how many parts, of letters and digits, the telling ids are made that are no numbers."""
        return {len(re.findall(r"[^\W_]+", i)) for i in self.telling if not i.isdigit()} - {0}

    @cached_property
    def short(self) -> set[str]:
        """Ids of three or four digits, which `mmcrl.disclosure.short` recognises; none where they number the people.

        Numbers from 0 or 1 to as many as there are people are in every index, and tell nobody.
        """
        if _numbers_people(self.order):
            return set()
        return {i for i in self.ids if re.fullmatch(r"\d{3,4}", i)} - self.telling

    @cached_property
    def sizes(self) -> set[int]:
        """Numbers of people that a table of one row a person would have."""
        n = len(self)
        parts = {round(share * n) for share in _HELD_OUT}
        measured = {int(modality.measured.sum()) for modality in self.modalities.values()}
        return {n, *measured, *parts, *(n - part for part in parts)} - {0}

    @cached_property
    def columns(self) -> dict[str, np.ndarray]:
        """``modality.column`` to values (n,), as they are; ``modality.column measured`` as they were measured."""
        found: dict[str, np.ndarray] = {}
        for name, modality in self.modalities.items():
            if modality.large:
                continue
            for j, column in enumerate(modality.names):
                values = modality.values[:, j].astype(float)
                found[f"{name}.{column}"] = values
                raw = _measured(values)
                if raw is not None:
                    found[f"{name}.{column} measured"] = raw
        return found

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns without "measured", in the order of `columns`."""
        return [name.removesuffix(" measured") for name in self.columns]

    @cached_property
    def ranked(self) -> list[np.ndarray]:
        """Of each column everybody's values, in ascending order."""
        return [np.sort(values[~np.isnan(values)]) for values in self.columns.values()]

    @cached_property
    def known(self) -> list[np.ndarray]:
        """Of each column its different values, in ascending order."""
        return [np.unique(values) for values in self.ranked]

    @cached_property
    def steps(self) -> list[float]:
        """Of each column, how far apart neighbouring values are."""
        gaps = [np.diff(values) for values in self.known]
        return [float(np.median(gap)) if len(gap) else 0.0 for gap in gaps]

    @cached_property
    def resolutions(self) -> list[float]:
        """Of each column, how finely it was measured: the smallest gap between values, but for rounding."""
        gaps = [np.diff(values) for values in self.known]
        told = [gap[gap > 1e-9 * gap.sum()] for gap in gaps]
        return [float(np.quantile(gap, 0.01)) if len(gap) else 0.0 for gap in told]

    @cached_property
    def flat(self) -> np.ndarray:
        """All columns one after the other (c (n + 1),), NaN between them."""
        parts = [np.append(values, np.nan) for values in self.columns.values()]
        return np.concatenate(parts) if parts else np.empty(0)

    @cached_property
    def differences(self) -> Sequenced:
        """How the differences between successive people compare in each column, whatever its unit."""
        return Sequenced(compared(self.flat))

    @cached_property
    def lookup(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every value in ascending order, the person and the column that it belongs to."""
        stacked = np.array(list(self.columns.values())).reshape(len(self.columns), len(self))
        columns, people = np.nonzero(~np.isnan(stacked))
        order = np.argsort(stacked[columns, people], kind="stable")
        return stacked[columns, people][order], people[order].astype(np.int64), columns[order].astype(np.int32)

    @cached_property
    def pictures(self) -> list[np.ndarray]:
        """Images, one array (n, channels, height, width) a modality."""
        return [m.values for m in self.modalities.values() if len(m.shape) == 4]

    @cached_property
    def sequences(self) -> list[Sequenced]:
        """All numbers of images and series, one sequence a modality."""
        return [Sequenced(values) for values in (*self.pictures, *self.series)]

    @cached_property
    def series(self) -> list[np.ndarray]:
        """Series, one array (n, channels, time) a modality."""
        return [m.values for m in self.modalities.values() if len(m.shape) == 3]


def survey_of(weights: np.ndarray) -> Modality:
    """A survey's weights (n,), which tell one person from another, as values of people."""
    return Modality(weights[:, None], kind="observed", names=["weight"])


def whole(text: str) -> str:
    """An id as it is compared: a whole number without its decimals.

    >>> whole("70123.0"), whole("70123"), whole("0093")
    ('70123', '70123', '0093')
    """
    return re.sub(r"^(0|[1-9]\d*)\.0+$", r"\1", text.strip())


def _respelt(ids: Sequence[str]) -> set[str]:
    """Ids as programs rewrite them: in small letters; and as numbers, without the zeros or letters before them.

    >>> sorted(_respelt(["MR0100021", "MR0100022"]))
    ['0100021', '0100022', '100021', '100022', 'mr0100021', 'mr0100022']
    """
    small = {i.lower() for i in ids if re.search(r"\d", i)}
    parts = [re.fullmatch(r"(\D*)(\d{3,})", i) for i in ids]
    numbers = [part[2] for part in parts if part is not None]
    if len(numbers) < len(ids) or len({part[1] for part in parts if part}) > 1 or _numbers_people(numbers):
        return small
    return small | set(numbers) | {number.lstrip("0") for number in numbers if number.strip("0")}


def _numbers_people(ids: Sequence[str]) -> bool:
    """Whether ids only count people, from 0 or 1 on."""
    numbers = {int(i) for i in ids if re.fullmatch(r"\d{1,18}", i)}
    return len(numbers) == len(set(ids)) and max(numbers, default=0) <= len(numbers)


def _short(text: str) -> bool:
    """A number of fewer than five digits: also a year, an amount, a count."""
    return re.fullmatch(r"[1-9]\d{0,3}|-?\d*\.\d+", text) is not None


def _measured(values: np.ndarray) -> np.ndarray | None:
    """The values before a logarithm or root, where the inverse of one gives numbers of at most three decimals."""
    seen = values[~np.isnan(values)][:500]
    if len(seen) < 3 or _round(seen):
        return None
    for inverse in _INVERSES:
        with np.errstate(over="ignore"):
            if _round(inverse(seen)):
                return np.asarray(inverse(values), dtype=float)
    return None


def _round(values: np.ndarray) -> bool:
    if not np.isfinite(values).all():
        return False
    return bool((np.abs(values - np.round(values, 3)) <= 1e-9 * np.maximum(np.abs(values), 1)).mean() > 0.95)
