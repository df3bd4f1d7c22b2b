"""NHANES: a cycle of the survey as one table in Parquet or as the CDC's own transport files, and arrays of everyone.

.. code-block:: text

    cohort_E.parquet            everyone, by SEQN; where it is not there:
    xpt/DEMO_E.XPT, ...         the components as the CDC publishes them, merged by SEQN
    wear_flags_D.npz            accelerometer worn: SEQN, WEEKDAY (days,), bits (days, 180) of 1,440 minutes
    spine_outlines_H.npz        lateral spine: SEQN, points_x10 (n, 12 vertebrae, 95, 2), -32768 where there is none
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from mmcrl.errors import InputError
from mmcrl.fetch import FOLDER, data_folder
from mmcrl.layouts.layout import Layout, Picture, Reader, Recording, id_texts
from mmcrl.layouts.nhanes_arrays import CELLS, cells_missed, drawn_outline, field_grid, field_levels, kyphosis
from mmcrl.layouts.transport import merged_components
from mmcrl.tables import read_table

__all__ = ["Nhanes", "array_files"]

_ARRAYS = {"spine": "spine_outlines", "wear": "wear_flags"}
_EYES = {"fields.right": 0, "fields.left": 1}
_DAY, _MINUTES = 1_440, 7 * 1_440


def array_files(variables: Iterable[str], cycle: str) -> list[str]:
    """Names of the files that these variables need beside the columns of the cycle's survey.

    >>> array_files(["RIDAGEYR", "spine.outline"], "H")
    ['spine_outlines_H.npz']
    """
    kinds = {variable.partition(".")[0] for variable in variables}
    return [f"{stem}_{cycle}.npz" for kind, stem in _ARRAYS.items() if kind in kinds]


class Nhanes(Layout):
    """A variable is a column of the survey, such as ``RIDAGEYR``, or

    - ``fields.missed``: cells of the visual field seen worse than 95 % of healthy people do (codes from 8 on), over
      both eyes, averaged over the two tests; ``lungs.ratio``: SPXNFEV1 / SPXNFVC; ``spine.kyphosis``, in degrees,
      see `mmcrl.layouts.nhanes_arrays.kyphosis`;
    - ``fields.right``, ``fields.left``, of an image, 4 x 5, from the same cells: 0 normal, 1 to 3 seen worse than by
      95, 98 and 99 % of healthy people, mean of the two tests; see `mmcrl.layouts.nhanes_arrays.field_grid`;
      ``spine.outline``, see `mmcrl.layouts.nhanes_arrays.drawn_outline`;
    - ``wear.worn``, of a series: 1 in minutes in which the accelerometer was worn, 0 in others, from Sunday 0:00 on.

    ``cohort`` is the survey's letter of the cycle: D 2005-06, E 2007-08, H 2013-14.  Where the environment variable
    ``MMCRL_DATA`` is not set, it stands for the user's cache, where ``python -m mmcrl fetch`` puts the files.
    """

    ids = ("SEQN",)
    keys = frozenset({"cohort"})
    hint = "; python -m mmcrl fetch nhanes-2007 makes one"

    def people(self, variables: Sequence[str]) -> pd.DataFrame:
        named = list(dict.fromkeys(variables))
        needed = [column for v in named for column in _DERIVED.get(v, (v,))]
        held = self._columns(list(dict.fromkeys(c for c in needed if c != "spine.kyphosis")))
        table = {"SEQN": held["SEQN"]}
        for variable in named:
            if variable == "spine.kyphosis":
                angles = pd.Series(kyphosis(self._arrays("spine")["points_x10"]), index=self._arrays("spine")["SEQN"])
                table[variable] = held["SEQN"].map(angles)
            elif variable == "fields.missed":
                table[variable] = cells_missed(held[CELLS])
            elif variable == "lungs.ratio":
                table[variable] = held["SPXNFEV1"] / held["SPXNFVC"]
            else:
                table[variable] = held[variable]
        return pd.DataFrame(table)

    def tables(self, variables: Sequence[str]) -> list[Path]:
        return [*self._survey, *map(self.table_file, array_files(variables, self._cycle))]

    def images(self, variable: str, where: Mapping[str, str]) -> Mapping[str, Picture]:
        if where or variable not in (*_EYES, "spine.outline"):
            known = ", ".join((*_EYES, "spine.outline"))
            raise InputError(f"manifest variable {variable}", f"one of {known}, without `where`", repr(variable))
        if variable in _EYES:
            cells = self._columns(CELLS).dropna(how="all", subset=CELLS)  # of those who were examined
            fields = field_levels(field_grid(cells[CELLS])[:, _EYES[variable]])
            return {i: _shown(field) for i, field in zip(id_texts(cells["SEQN"]), fields, strict=True)}
        arrays = self._arrays("spine")
        ids = id_texts(pd.Series(arrays["SEQN"]))
        return {i: _outlined(points) for i, points in zip(ids, arrays["points_x10"], strict=True)}

    def recordings(self, variables: Sequence[str], ids: Sequence[str]) -> dict[str, Reader]:
        for variable in variables:
            if variable != "wear.worn":
                raise InputError(f"manifest variable {variable}", "wear.worn", repr(variable))
        arrays = self._arrays("wear")
        days: dict[str, list[int]] = {}
        for row, person in enumerate(id_texts(pd.Series(arrays["SEQN"]))):
            days.setdefault(person, []).append(row)
        rows = {person: days[person] for person in ids if person in days}
        return {person: partial(_week, arrays["WEEKDAY"][of], arrays["bits"][of]) for person, of in rows.items()}

    def _named(self, name: str) -> str:
        return str(data_folder()) if name == FOLDER else super()._named(name)

    @property
    def _cycle(self) -> str:
        if self.source.cohort is None:
            raise InputError("manifest source.cohort", "the letter of a cycle: D, E or H", "nothing")
        return self.source.cohort

    @cached_property
    def _survey(self) -> list[Path]:
        whole = self.root / f"cohort_{self._cycle}.parquet"
        if whole.is_file():
            return [whole]
        ending = f"_{self._cycle}.xpt".lower()
        parts = sorted(path for path in (self.root / "xpt").glob("*") if path.name.lower().endswith(ending))
        if not parts:
            expected = f"{whole.name}, or xpt/*_{self._cycle}.XPT (python -m mmcrl fetch)"
            raise InputError("manifest source.path", expected, "neither")
        return parts

    def _columns(self, columns: list[str]) -> pd.DataFrame:
        if self._survey[0].suffix.lower() == ".xpt":
            return merged_components(self._survey, columns)
        return read_table(self._survey[0], ["SEQN", *columns])

    def _arrays(self, kind: str) -> dict[str, np.ndarray]:
        if kind not in self._read:
            (name,) = array_files([kind], self._cycle)
            path = self.table_file(name)
            try:
                with np.load(path, allow_pickle=False) as opened:
                    self._read[kind] = {name: opened[name] for name in _NEEDED[kind]}
            except (OSError, ValueError, KeyError, BadZipFile) as error:
                needed = f"a complete file of arrays {', '.join(_NEEDED[kind])}"
                raise InputError(f"file {path.name}", needed, type(error).__name__) from None
        return self._read[kind]

    @cached_property
    def _read(self) -> dict[str, dict[str, Any]]:
        return {}


_NEEDED = {"spine": ("SEQN", "points_x10"), "wear": ("SEQN", "WEEKDAY", "bits")}
_DERIVED = {"fields.missed": CELLS, "lungs.ratio": ["SPXNFEV1", "SPXNFVC"]}


def _shown(field: np.ndarray) -> Callable[[int, int], np.ndarray]:
    def draw(height: int, width: int) -> np.ndarray:
        if field.shape != (height, width):
            raise InputError(
                "manifest modality", f"height {field.shape[0]} and width {field.shape[1]}", "another size"
            )
        return field

    return draw


def _outlined(points: np.ndarray) -> Callable[[int, int], np.ndarray]:
    return lambda height, width: drawn_outline(points, height, width)


def _week(weekdays: np.ndarray, bits: np.ndarray) -> dict[str, Recording]:
    """Minutes of a week from Sunday on, 1 where the monitor was worn; days that nobody recorded are NaN."""
    week = np.full((7, _DAY), np.nan)
    for day, packed in zip(weekdays, bits, strict=True):
        week[day - 1] = np.unpackbits(packed)[:_DAY]
    return {"wear.worn": Recording(60.0 * np.arange(_MINUTES), pd.Series(week.ravel(), name="wear.worn"))}
