"""Modality: what one kind of measurement says about the people of a cohort.

Whatever its kind, its values are numbers with people on the first axis; a missing value is NaN, and a person
whose values are all NaN was not measured.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mmcrl.errors import InputError
from mmcrl.kinds import KINDS
from mmcrl.naming import PLAIN, plain_name
from mmcrl.ondisk import lies_on_disk, rows_of, unpacked

__all__ = ["ColumnKind", "Modality"]

ColumnKind = Literal["numeric", "binary", "ordinal", "categorical"]

_KIND_OF_NDIM = {2: "table", 3: "series", 4: "image"}
_PIXELS = 16  # channels that nobody has in a picture of so few pixels across, or in a recording of so few samples
_EVEN = "rows of equal length, filled up with NaN where one is shorter"
_PIECE = 32 * 2**20  # bytes of large values that are looked at together


class Modality:
    """Values of one modality, their kind, and what its columns (or channels) are.

    Parameters
    ----------
    values : numbers of shape (n, columns), (n, channels, time) or (n, channels, height, width); an array or a
        DataFrame, whose columns become ``names`` and whose index becomes ``index``.  A table is copied; float32
        stays float32, everything else becomes float64.  Series and images are neither copied nor converted: whole
        numbers have no missing values, and what lies on disk stays there and is read a batch at a time: what
        ``numpy.load(path, mmap_mode="r")`` or `mmcrl.ondisk.member` gives, and arrays in chunks, as zarr and h5py
        have them, if no two people share a chunk; others are unpacked once (`mmcrl.ondisk`).  Recordings of
        different length are filled up with NaN at their end.
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
        kind: str | None = None,
        names: Sequence[str] | None = None,
        units: Sequence[str] | None = None,
        descriptions: Sequence[str] | None = None,
        column_kinds: Sequence[ColumnKind] | None = None,
    ) -> None:
        self.index: pd.Index | None = None
        if isinstance(values, pd.DataFrame):
            self.index = values.index
            names = [str(column) for column in values.columns] if names is None else names
        self._stored = _numbers(values, names)
        self._rows: np.ndarray | None = None  # of what is stored: large values are not copied when people are taken
        self._measured: np.ndarray | None = None
        self.kind = _kind(self._stored, kind)
        _check_axes(self.shape, kind)
        if 0 in self.shape[1:]:
            expected = f"shape {KINDS[self.kind].axes} without an empty axis"
            raise InputError("values", expected, str(self.shape))
        width = self.shape[1]
        self.names = _names(names, width)
        self.units = _texts("units", units, width)
        self.descriptions = _texts("descriptions", descriptions, width)
        self.column_kinds = _column_kinds(column_kinds, self._stored)

    @property
    def values(self) -> np.ndarray:
        """All values (n, ...), read-only; those of large modalities are copied or read at every call, see `read`."""
        if self._rows is None and isinstance(self._stored, np.ndarray):
            return self._stored
        return _frozen(self.read(slice(None)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values."""
        n = self._stored.shape[0] if self._rows is None else len(self._rows)
        return (n, *self._stored.shape[1:])

    @property
    def large(self) -> bool:
        """Whether the values have more axes than a table, so that they are not copied, and worked on in pieces."""
        return self._stored.ndim > 2

    @property
    def on_disk(self) -> bool:
        """Whether the values lie in a file that is read a piece at a time."""
        return lies_on_disk(self._stored)

    @property
    def measured(self) -> np.ndarray:
        """Bool (n,): people with at least one value."""
        if self._measured is None:
            seen = [~np.isnan(piece).all(axis=tuple(range(1, piece.ndim))) for piece in self.pieces()]
            self._measured = np.concatenate(seen) if seen else np.zeros(0, dtype=bool)
        return self._measured.copy()

    def read(self, rows: np.ndarray | slice) -> np.ndarray:
        """The values (m, ...) of the people at these positions."""
        return rows_of(self._stored, rows if self._rows is None else self._rows[rows])

    def pieces(self) -> Iterator[np.ndarray]:
        """The values of all people in order, as many at a time as fit a few megabytes; a table in one piece."""
        each = max(1, len(self))
        if self.large:
            each = max(1, _PIECE // (self._stored.dtype.itemsize * math.prod(self.shape[1:])))
        return (self.read(slice(start, start + each)) for start in range(0, len(self), each))

    def take(self, index: ArrayLike) -> Modality:
        """The people at these positions, or those of a bool mask, in that order."""
        rows = np.asarray(index)
        taken = copy.copy(self)
        taken.index = None if self.index is None else self.index[rows]
        taken._measured = None if self._measured is None else self._measured[rows]
        if self.large:
            positions = np.arange(len(self)) if self._rows is None else self._rows
            taken._rows = positions[rows]
        else:
            taken._stored = _frozen(self._stored[rows])
        return taken

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Modality(kind={self.kind!r}, shape={self.shape})"


def _frozen(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values


def _numbers(values: ArrayLike | pd.DataFrame, names: Sequence[str] | None = None) -> Any:
    """A read-only float copy of a table, a read-only view of more axes; text, dates and complex are refused."""
    if isinstance(values, pd.DataFrame):
        columns = [_column(values.iloc[:, j], str(values.columns[j])) for j in range(values.shape[1])]
        stacked = np.column_stack(columns) if columns else np.empty((len(values), 0))
        return _frozen(stacked)
    if isinstance(values, np.ma.MaskedArray):  # what is masked was not measured
        values = np.ma.filled(values.astype(float), np.nan)
    try:
        array: Any = values if lies_on_disk(values) else np.asarray(values)
    except ValueError as error:
        raise InputError("values", _EVEN, "rows of different lengths") from error
    except RuntimeError as error:  # of torch
        raise InputError("values", "a tensor without gradient, values.detach()", str(error)) from None
    if array.dtype == object and array.ndim == 2:
        frame = pd.DataFrame(array)
        if names is not None and len(names) == array.shape[1]:
            frame.columns = pd.Index(names)
        return _numbers(frame)
    if array.dtype == object and array.ndim == 1 and any(np.ndim(row) for row in array):
        raise InputError("values", _EVEN, "rows of different lengths")
    if array.dtype.kind not in "fiub":
        raise InputError("values", "numbers", f"values of type {array.dtype}")
    if isinstance(array, np.ndarray) and array.dtype == np.longdouble:  # of which torch knows none
        array = array.astype(np.float64)
    if array.ndim > 2:
        array = unpacked(array)
        return _frozen(array.view()) if isinstance(array, np.ndarray) else array
    return _frozen(np.array(array, dtype=array.dtype if array.dtype == np.float32 else np.float64))


def _column(column: pd.Series, name: str) -> np.ndarray:
    if column.dtype == object:
        column = column.convert_dtypes()  # what is missing beside True and False as well
    if column.isna().all():
        return np.full(len(column), np.nan)
    held = column.cat.categories.dtype if isinstance(column.dtype, pd.CategoricalDtype) else column.dtype
    if not (pd.api.types.is_numeric_dtype(held) and not pd.api.types.is_complex_dtype(held)):
        texts = sum(isinstance(value, str) for value in column)
        got = f"text in {texts} rows" if texts else f"values of type {held}"
        raise InputError(name, "numbers", got)
    dtype = np.float32 if held == np.float32 else np.float64
    return column.to_numpy(dtype=dtype, na_value=np.nan)


def _kind(values: np.ndarray, kind: str | None) -> str:
    if kind is None:
        if values.ndim not in _KIND_OF_NDIM:
            raise InputError("values", "2, 3 or 4 axes, people first", f"shape {values.shape}")
        return _KIND_OF_NDIM[values.ndim]
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError("kind", f"one of {', '.join(KINDS)}", repr(kind))
    if values.ndim != KINDS[kind].n_axes:
        lacks = 2 < KINDS[kind].n_axes == values.ndim + 1
        way_out = "; an axis for its one channel is added by values[:, None]" if lacks else ""
        raise InputError("values", f"shape {KINDS[kind].axes} for kind {kind!r}", f"shape {values.shape}{way_out}")
    if (sides := KINDS[kind].sides) > 1 and values.shape[1] % sides:
        expected = f"as many channels of each of {sides} sides for kind {kind!r}"
        raise InputError("values", expected, f"shape {values.shape}")
    return kind


def _check_axes(shape: tuple[int, ...], kind: str | None) -> None:
    """Channels come first: what looks as if they came last, or as if there were none, is refused with the way out."""
    if len(shape) == 4 and shape[3] in (1, 2, 3, 4, 6) and min(shape[1:3]) >= _PIXELS:
        expected = "pictures with their channels first, (n, channels, height, width)"
        raise InputError("values", expected, f"shape {shape}, as if they came last: numpy.moveaxis(x, 3, 1)")
    if len(shape) == 3 and 0 < shape[2] < _PIXELS and shape[1] >= _PIXELS * shape[2]:
        expected = "recordings with their channels first, (n, channels, time)"
        raise InputError("values", expected, f"shape {shape}, as if they came last: numpy.moveaxis(x, 2, 1)")
    if kind is None and len(shape) == 3 and shape[1] == shape[2] >= _PIXELS:
        expected = (
            "recordings (n, channels, time), which kind='series' says they are, or pictures with an axis of channels"
        )
        raise InputError("values", expected, f"shape {shape}, as of pictures in grey: values[:, None]")


def _names(names: Sequence[str] | None, width: int) -> list[str]:
    texts = [f"c{j}" for j in range(width)] if names is None else _texts("names", names, width)
    for name in texts:
        if not plain_name(name):
            raise InputError("names", PLAIN, repr(name))
        if texts.count(name) > 1:
            raise InputError("names", "no name twice", f"{name!r} {texts.count(name)} times")
    return texts


def _texts(argument: str, texts: Sequence[str] | None, width: int) -> list[str]:
    if texts is None:
        return [""] * width
    listed = isinstance(texts, Sequence | np.ndarray | pd.Index) and not isinstance(texts, str)
    if not listed or not all(isinstance(text, str) for text in texts):
        raise InputError(argument, f"a list of {width} texts", repr(texts))
    if len(texts) != width:
        raise InputError(argument, f"{width} texts, one per column or channel", str(len(texts)))
    return list(texts)


def _column_kinds(kinds: Sequence[ColumnKind] | None, values: np.ndarray) -> list[ColumnKind]:
    width = values.shape[1]
    if kinds is None:
        if values.ndim > 2:
            return ["numeric"] * width
        return ["binary" if np.isin(row[~np.isnan(row)], (0, 1)).all() else "numeric" for row in values.T]
    for kind in _texts("column_kinds", kinds, width):
        if kind not in get_args(ColumnKind):
            raise InputError("column_kinds", f"each one of {', '.join(get_args(ColumnKind))}", repr(kind))
    return list(kinds)
