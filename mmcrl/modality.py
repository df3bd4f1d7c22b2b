"""Modality: what one kind of measurement says about the people of a cohort.

Whatever its kind, its values are numbers with people on the first axis; a missing value is NaN, and a person
whose values are all NaN was not measured.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mmcrl.errors import InputError

__all__ = ["ColumnKind", "Kind", "Modality"]

Kind = Literal["table", "observed", "series", "image"]
ColumnKind = Literal["numeric", "binary", "ordinal", "categorical"]

_SHAPES: dict[str, str] = {
    "table": "(n, columns)",
    "observed": "(n, columns)",
    "series": "(n, channels, time)",
    "image": "(n, channels, height, width)",
}
_KIND_OF_NDIM: dict[int, Kind] = {2: "table", 3: "series", 4: "image"}


class Modality:
    """Values of one modality, their kind, and what its columns (or channels) are.

    Parameters
    ----------
    values : numbers of shape (n, columns), (n, channels, time) or (n, channels, height, width); an array or a
        DataFrame, whose columns become ``names`` and whose index becomes ``index``. Copied; float32 stays
        float32, everything else becomes float64.
    kind : ``table``, ``series`` or ``image`` (from the number of axes when left out), or ``observed``: a
        table each of whose columns is a latent of its own, such as age.
    names, units, descriptions : one text per column or channel.
    column_kinds : numeric, binary, ordinal or categorical, one per column; left out, 0/1 columns are binary.

    Raises
    ------
    InputError : for text, a wrong number of axes, an unknown kind, unsafe or repeated names, other lengths.

    >>> import numpy as np
    >>> Modality(np.eye(3), names=["a", "b", "c"])
    Modality(kind='table', shape=(3, 3))
    """

    def __init__(
        self,
        values: ArrayLike | pd.DataFrame,
        kind: Kind | None = None,
        names: Sequence[str] | None = None,
        units: Sequence[str] | None = None,
        descriptions: Sequence[str] | None = None,
        column_kinds: Sequence[ColumnKind] | None = None,
    ) -> None:
        self.index: pd.Index | None = None
        if isinstance(values, pd.DataFrame):
            self.index = values.index
            names = [str(column) for column in values.columns] if names is None else names
        self.values = _numbers(values, names)
        self.kind = _kind(self.values, kind)
        if 0 in self.values.shape[1:]:
            expected = f"shape {_SHAPES[self.kind]} without an empty axis"
            raise InputError("values", expected, str(self.values.shape))
        width = self.values.shape[1]
        self.names = _names(names, width)
        self.units = _texts("units", units, width)
        self.descriptions = _texts("descriptions", descriptions, width)
        self.column_kinds = _column_kinds(column_kinds, self.values)

    @property
    def measured(self) -> np.ndarray:
        """Bool (n,): people with at least one value."""
        return ~np.isnan(self.values).all(axis=tuple(range(1, self.values.ndim)))

    def take(self, index: ArrayLike) -> Modality:
        """The people at these positions, or those of a bool mask, in that order."""
        rows = np.asarray(index)
        taken = copy.copy(self)
        taken.values = _frozen(self.values[rows])
        taken.index = None if self.index is None else self.index[rows]
        return taken

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"Modality(kind={self.kind!r}, shape={self.values.shape})"


def _frozen(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values


def _numbers(values: ArrayLike | pd.DataFrame, names: Sequence[str] | None = None) -> np.ndarray:
    """A read-only float copy; text, dates and complex numbers are refused."""
    if isinstance(values, pd.DataFrame):
        columns = [_column(values.iloc[:, j], str(values.columns[j])) for j in range(values.shape[1])]
        stacked = np.column_stack(columns) if columns else np.empty((len(values), 0))
        return _frozen(stacked)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError("values", "rows of equal length", "rows of different lengths") from error
    if array.dtype == object and array.ndim == 2:
        frame = pd.DataFrame(array)
        if names is not None and len(names) == array.shape[1]:
            frame.columns = pd.Index(names)
        return _numbers(frame)
    if array.dtype.kind not in "fiub":
        raise InputError("values", "numbers", f"values of type {array.dtype}")
    return _frozen(array.astype(array.dtype if array.dtype == np.float32 else np.float64, copy=True))


def _column(column: pd.Series, name: str) -> np.ndarray:
    if column.dtype == object:
        column = column.infer_objects()
    if column.isna().all():
        return np.full(len(column), np.nan)
    if not (pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)):
        texts = sum(isinstance(value, str) for value in column)
        got = f"text in {texts} rows" if texts else f"values of type {column.dtype}"
        raise InputError(name, "numbers", got)
    dtype = np.float32 if column.dtype == np.float32 else np.float64
    return column.to_numpy(dtype=dtype, na_value=np.nan)


def _kind(values: np.ndarray, kind: Kind | None) -> Kind:
    if kind is None:
        if values.ndim not in _KIND_OF_NDIM:
            raise InputError("values", "2, 3 or 4 axes, people first", f"shape {values.shape}")
        return _KIND_OF_NDIM[values.ndim]
    if kind not in _SHAPES:
        raise InputError("kind", f"one of {', '.join(_SHAPES)}", repr(kind))
    if values.ndim != _SHAPES[kind].count(",") + 1:
        raise InputError("values", f"shape {_SHAPES[kind]} for kind {kind!r}", f"shape {values.shape}")
    return kind


def _names(names: Sequence[str] | None, width: int) -> list[str]:
    texts = [f"c{j}" for j in range(width)] if names is None else _texts("names", names, width)
    for name in texts:
        plain = name == name.strip() and name.isprintable() and not set("<>`") & set(name)
        if not (plain and 0 < len(name) <= 80):
            raise InputError("names", "1 to 80 printable characters, none of < > `", repr(name))
        if texts.count(name) > 1:
            raise InputError("names", "no name twice", f"{name!r} {texts.count(name)} times")
    return texts


def _texts(argument: str, texts: Sequence[str] | None, width: int) -> list[str]:
    if texts is None:
        return [""] * width
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise InputError(argument, f"a list of {width} texts", repr(texts))
    if len(texts) != width:
        raise InputError(argument, f"{width} texts, one per column or channel", str(len(texts)))
    return list(texts)


def _column_kinds(kinds: Sequence[ColumnKind] | None, values: np.ndarray) -> list[ColumnKind]:
    width = values.shape[1]
    if kinds is None:
        flat = np.moveaxis(values, 1, 0).reshape(width, -1)
        return ["binary" if np.isin(row[~np.isnan(row)], (0, 1)).all() else "numeric" for row in flat]
    for kind in _texts("column_kinds", kinds, width):
        if kind not in get_args(ColumnKind):
            raise InputError("column_kinds", f"each one of {', '.join(get_args(ColumnKind))}", repr(kind))
    return list(kinds)
