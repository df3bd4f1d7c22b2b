"""Transforms: from a variable as stored to numbers in a stated unit, and on to the modelled scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from mmcrl.errors import InputError
from mmcrl.ranges import few
from mmcrl.schema import ColumnSpec

__all__ = ["decode", "numbers", "readable", "scaled_unit", "transform", "unread_texts"]

_SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"log": np.log, "log1p": np.log1p, "sqrt": np.sqrt}


def decode(name: str, spec: ColumnSpec, table: pd.DataFrame, minimum: int) -> pd.Series:
    """One column in its unit: missing codes blanked, levels and clock times read, skipped questions filled.

    Raises
    ------
    InputError : for text that is neither a number nor a declared level or missing code, with a count of rows that
        reaches ``minimum``, or none.
    """
    values, unread = readable(spec, table)
    for variable, (count, expected) in unread.items():
        raise InputError(name, expected, f"something else in {few(count, minimum)} rows of {variable}")
    return values.rename(name)


def readable(spec: ColumnSpec, table: pd.DataFrame) -> tuple[pd.Series, dict[str, tuple[int, str]]]:
    """As `decode`, NaN for text that cannot be read; by variable in how many rows it is, and what was expected."""
    read = {variable: _read(spec, table[variable]) for variable in spec.variables}
    values = pd.concat([each for each, _, _ in read.values()], axis=1).mean(axis=1)
    for skip in spec.skipped:
        reached = _texts(table[skip.variable]) == _text(skip.equals)
        values = values.mask(reached & values.isna(), float(skip.value))
    return values, {variable: (count, expected) for variable, (_, count, expected) in read.items() if count}


def transform(spec: ColumnSpec, values: pd.Series) -> pd.Series:
    """Values on the modelled scale, monotone in the unit's.

    >>> import pandas as pd
    >>> transform(ColumnSpec(variable="lead", range=[0.1, 100], transform="log"), pd.Series([1.0])).item()
    0.0
    """
    if spec.transform is None:
        return values
    return pd.Series(_SCALES[spec.transform](values.to_numpy()), index=values.index)


def scaled_unit(spec: ColumnSpec) -> str:
    """The unit of the transformed values, such as ``log ug/L``."""
    return " ".join(part for part in (spec.transform or "", spec.unit) if part)


def numbers(column: pd.Series) -> pd.Series:
    """Text that is a number as a number, other text as NaN."""
    return pd.to_numeric(column, errors="coerce").astype(float)


def _read(spec: ColumnSpec, column: pd.Series) -> tuple[pd.Series, int, str]:
    if spec.levels is None and spec.kind != "time" and pd.api.types.is_numeric_dtype(column):
        values = column.astype(float)
        return values.mask(values.isin(numbers(pd.Series(spec.missing, dtype=object)).dropna())), 0, "numbers"
    _, values, blank, expected = _parsed(spec, column)
    return values.mask(blank), int((values.isna() & ~blank).sum()), expected


def unread_texts(spec: ColumnSpec, column: pd.Series) -> tuple[pd.Series, int]:
    """The texts of a variable that `decode` cannot read though they stand for nothing missing; rows that have any."""
    words, values, blank, _ = _parsed(spec, column)
    return words[values.isna() & ~blank], int((~blank).sum())


def _parsed(spec: ColumnSpec, column: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series, str]:
    """A variable as texts, what can be read (NaN elsewhere), where it is blank or missing, what was expected."""
    words = _texts(column)
    blank = words.isna() | (words == "") | words.isin([_text(code) for code in spec.missing])
    if spec.levels is not None:
        return words, words.map(spec.levels).astype(float), blank, f"one of the levels {', '.join(spec.levels)}"
    if spec.kind == "time":
        return words, _hours(words, spec.day_starts), blank, "clock times HH:MM"
    values = numbers(column)
    codes = [float(code) for code in spec.missing if not isinstance(code, str)]
    return words, values, blank | values.isin(codes), "numbers"


def _hours(written: pd.Series, day_starts: str) -> pd.Series:
    """Hours after ``day_starts``, in [0, 24)."""
    start = int(day_starts[:2]) + int(day_starts[3:]) / 60
    clock = written.str.extract(r"^([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d(?:\.\d+)?)?$").astype(float)
    return (clock[0] + clock[1] / 60 - start) % 24


def _texts(column: pd.Series) -> pd.Series:
    """Values as trimmed text: 1.0 as 1, and bytes that were written as text (``b'..'``) unwrapped."""
    read = numbers(column)
    written = column.astype("str").str.strip().str.replace(r"^b'(.*)'$", r"\1", regex=True)
    return written.mask(read.notna(), read.map(_text)).mask(column.isna())


def _text(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)
