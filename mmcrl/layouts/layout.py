"""Layout: what every layout of a cohort's files answers.

A variable is named in a manifest as its layout says; a layout reads only the variables that are named.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NoReturn

import numpy as np
import pandas as pd

from mmcrl.errors import InputError
from mmcrl.source import Source
from mmcrl.tables import inside, locate, nearest, read_table

__all__ = ["BulkFile", "Layout", "Picture", "Reader", "Recording", "Words", "id_texts", "path_texts", "person_values"]


@dataclass(frozen=True)
class Words:
    """What a variable is: its question or description, its code in the source, its unit."""

    question: str = ""
    code: str = ""
    unit: str = ""


@dataclass(frozen=True)
class BulkFile:
    """A file of one person, and how a message tells of it without telling of the person."""

    place: Path
    told: str
    fault: InputError | None = None  # why it cannot be opened

    @property
    def path(self) -> Path:
        """Where it lies.

        Raises
        ------
        InputError : for one that leaves the root, or is not there.
        """
        if self.fault is not None:
            raise self.fault
        return self.place


Picture = BulkFile | Callable[[int, int], np.ndarray]  # a file, or what draws it in a height and width (NaN: a gap)


@dataclass(frozen=True)
class Recording:
    """Samples of one channel: time in seconds (n,), value (n,); with ``until`` (n,) a value holds until then."""

    times: np.ndarray
    values: pd.Series
    until: np.ndarray | None = field(default=None)


Reader = Callable[[], dict[str, Recording]]  # what reads the recordings of one person, by variable


class Layout(ABC):
    """The files of a cohort, opened from ``folder`` (the manifest's) and the manifest's source.

    ``missing`` says of a variable what stands for a missing value: it does not enter where values are averaged.
    A message names only values that ``minimum`` rows or more share: one of fewer may point at a person.

    Raises
    ------
    InputError : for a root that is not there, and for keys or an id that the layout does not know.
    """

    ids: ClassVar[tuple[str, ...]] = ()  # the names of the id that a manifest may use; empty: any
    keys: ClassVar[frozenset[str]] = frozenset()  # what else the source may say
    hint: ClassVar[str] = ""  # how one gets a root that is not there

    def __init__(
        self, folder: Path, source: Source, minimum: int, missing: Mapping[str, Sequence[str | float]] | None = None
    ) -> None:
        self.folder, self.source, self.minimum, self.missing = folder, source, minimum, missing or {}
        stray = sorted(source.model_fields_set - self.keys - {"layout", "path", "id", "questions"})
        if stray:
            known = ", ".join(sorted({"path", "id", "questions"} | self.keys))
            raise InputError(f"manifest source.{stray[0]}", f"keys of layout {source.layout}: {known}", stray[0])
        if self.ids and source.id not in self.ids:
            expected = f"the id of layout {source.layout}: {' or '.join(self.ids)}"
            raise InputError("manifest source.id", expected, repr(source.id))
        self.root = self._root()

    @abstractmethod
    def people(self, variables: Sequence[str]) -> pd.DataFrame:
        """One row a person: the id in a column named ``source.id``, and these variables."""

    @abstractmethod
    def tables(self, variables: Sequence[str]) -> list[Path]:
        """The files that these variables come from; those of single persons are not listed."""

    def absent(self, variables: Sequence[str]) -> dict[str, InputError]:
        """Which of the id and these variables are not there, where a layout can tell before it reads."""
        return {}

    def names(self) -> list[str]:
        """All variables of the source, where a layout can tell; what a misspelt one is held against."""
        return []

    def files(self, variables: Sequence[str]) -> list[Path]:
        """`tables`, and the manifest's table of questions."""
        asked = self._questions()
        return list(dict.fromkeys([*self.tables(variables), *([asked] if asked else [])]))

    def words(self, variables: Sequence[str]) -> dict[str, Words]:
        """What the variables are, as far as the source tells: the manifest's table of questions."""
        asked, path = self.source.questions, self._questions()
        if asked is None or path is None:
            return {}
        wanted = [asked.variable, asked.question, *([asked.code] if asked.code else [])]
        table = read_table(path, wanted).fillna("").astype(str)
        codes = table[asked.code or asked.variable]
        rows = zip(table[asked.variable], table[asked.question], codes, strict=True)
        return {variable: Words(question, code) for variable, question, code in rows}

    def images(self, variable: str, where: Mapping[str, str]) -> Mapping[str, Picture]:
        """The image of each person, by id as text."""
        self._no_kind("image")

    def recordings(self, variables: Sequence[str], ids: Sequence[str]) -> dict[str, Reader]:
        """What reads the recordings of each of these people that has some; it can be sent to another process."""
        self._no_kind("series")

    @property
    def bulk_root(self) -> Path:
        """The folder below which the files of single people lie."""
        return self.root

    def bulk_file(self, path: str, told: str) -> BulkFile:
        """A file that a table names; whoever opens it hears of a path that leaves the root, or leads to no file."""
        target = inside(self.bulk_root, path)
        if target is None:
            leaves = InputError(told, "paths that stay inside the root folder", "one that leaves it")
            return BulkFile(self.bulk_root, told, leaves)
        there = _is_file(target)
        fault = None if there else InputError(told, "paths of files inside the root folder", "no file there")
        return BulkFile(target, told, fault)

    def table_file(self, path: str) -> Path:
        """A table below the root.

        Raises
        ------
        InputError : for no such file, with the nearest name in its folder.
        """
        target = inside(self.root, path)
        if target is None:
            raise InputError(f"file {path}", "a path that stays inside the root folder", "one that leaves it")
        if not target.is_file():
            near = nearest(target.name, [p.name for p in target.parent.glob("*")] if target.parent.is_dir() else [])
            raise InputError(
                f"file {path}", f"a file inside the root folder of layout {self.source.layout}", f"none{near}"
            )
        return target

    def chosen(self, table: pd.DataFrame, told: str, column: str, value: str | int) -> pd.DataFrame:
        """The rows that say this in a column; 1.0 is 1.

        Raises
        ------
        InputError : for none; ``told`` is how a message names the file.
        """
        rows = table[id_texts(table[column]) == str(value).removesuffix(".0")]
        if rows.empty:
            said = table[column].dropna().astype("str").value_counts()
            there = ", ".join(sorted(said.index[said >= self.minimum])[:10])
            raise InputError(
                f"file {told} column {column}",
                f"rows with {value!r}",
                f"none; {self.minimum} or more say {there or 'nothing in common'}",
            )
        return rows

    def _questions(self) -> Path | None:
        asked, key = self.source.questions, "source.questions.path"
        return locate(self.folder, asked.path, self.source.package, key) if asked else None

    def _root(self) -> Path:
        path = re.sub(r"\$\{(\w+)\}", lambda named: self._named(named[1]), self.source.path)
        root = (self.folder / path).resolve()
        if not root.is_dir():
            expected = f"the root folder of layout {self.source.layout}{self.hint}"
            raise InputError("manifest source.path", expected, f"no folder {self.source.path!r}")
        return root

    def _named(self, name: str) -> str:
        """What an environment variable in the path stands for."""
        if name not in os.environ:
            raise InputError("manifest source.path", f"the environment variable {name} to be set", "nothing")
        return os.environ[name]

    def _no_kind(self, kind: str) -> NoReturn:
        raise InputError("manifest modality kind", f"a kind that layout {self.source.layout} holds", repr(kind))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long
        return False


def id_texts(ids: pd.Series) -> pd.Series:
    """Ids as text without space around them, whole numbers alike however a file stores them; a blank one is missing.

    >>> id_texts(pd.Series([7.0, 8.0])).tolist(), id_texts(pd.Series(["7 ", "8.00", "A.0", "007"])).tolist()
    (['7', '8'], ['7', '8', 'A.0', '007'])
    """
    texts = ids.astype("str").str.strip().str.replace(r"^(-?\d+)\.0*$", r"\1", regex=True)
    return texts.where(ids.notna() & (texts != ""))


def path_texts(cells: pd.Series) -> pd.Series:
    """Paths as text without space around them; a blank one is missing.

    >>> path_texts(pd.Series([" a.png", "", None])).tolist()
    ['a.png', nan, nan]
    """
    texts = cells.astype("str").str.strip()
    return texts.where(cells.notna() & (texts != ""))


def person_values(values: pd.Series, ids: pd.Series, codes: Sequence[str | float]) -> pd.Series:
    """One value a person, indexed by id: the mean of numbers, of everything else the first.

    What a manifest calls missing does not enter, and is kept only of a person who has nothing else.

    >>> person_values(pd.Series([-1.0, 30.0, -1.0]), pd.Series(["a", "a", "b"]), [-1]).tolist()
    [30.0, -1.0]
    """
    is_number, grouped = pd.api.types.is_numeric_dtype(values), values.groupby(ids, sort=False)
    if not codes:
        return grouped.mean() if is_number else grouped.first()
    numbers = pd.to_numeric(pd.Series(list(codes), dtype=object), errors="coerce").dropna().astype(float)
    blank = pd.to_numeric(values, errors="coerce").astype(float).isin(numbers)
    if not is_number:
        blank |= values.astype("str").str.strip().isin([str(code) for code in codes])
    told = values.mask(blank).groupby(ids, sort=False)
    found = told.mean() if is_number else told.first()
    return found.where(found.notna(), grouped.first())
