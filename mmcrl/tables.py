"""Tables: reading a CSV, TSV (also called .tab) or Parquet file that a manifest names, whole or not at all."""

from __future__ import annotations

import csv
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import pandas as pd
import pyarrow as arrow
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet

from mmcrl.errors import InputError

__all__ = ["DELIMITERS", "absent", "column_names", "inside", "locate", "near_name", "nearest", "read_table", "zeroed"]

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_NULLS = ["", "NA", "NaN", "nan", "N/A", "null", "NULL", "None"]
_LARGEST_BLOCK = 2**31 - 1


def locate(folder: Path, path: str, package: str | None = None, key: str = "source.path") -> Path:
    """The file ``path`` below ``folder``, or below an installed package's folder.

    Raises
    ------
    InputError : for a path that leaves the folder (absolute, ``..``, a symbolic link), no such file, no such
        package.
    """
    base = folder if package is None else _package_folder(package)
    place = "the manifest's folder" if package is None else f"the package {package}"
    target = inside(base, path)
    if target is None:
        raise InputError(f"manifest {key}", f"a path that stays inside {place}", repr(path))
    if not target.is_file():
        raise InputError(f"manifest {key}", f"a file inside {place}", f"no file {path!r}")
    if target.suffix not in {*DELIMITERS, ".parquet"}:
        raise InputError(f"manifest {key}", "a .tab, .csv, .tsv or .parquet file", repr(path))
    return target


def inside(base: Path, path: str) -> Path | None:
    """``path`` below ``base``; None where it leaves it (absolute, ``..``, a symbolic link)."""
    if "\0" in path:
        return None
    target = (base / path).resolve()
    left = Path(path).is_absolute() or ".." in Path(path).parts or not target.is_relative_to(base.resolve())
    return None if left else target


def column_names(path: Path) -> list[str]:
    """The names of a table's columns.

    Raises
    ------
    InputError : for a file that is unreadable, or empty.
    """
    with _whole(path):
        return parquet.read_schema(path).names if path.suffix == ".parquet" else _header(path)


def absent(path: Path, columns: Sequence[str], present: Sequence[str]) -> dict[str, InputError]:
    """Which of these columns a table does not have exactly once, and what is to be said of each."""
    counts, faults = Counter(present), {}
    for column in columns:
        if counts[column] != 1:
            got = f"{counts[column]} of that name{nearest(column, present) if counts[column] == 0 else ''}"
            faults[column] = InputError(f"file {path.name}", f"one column {column!r}", got)
    return faults


def read_table(path: Path, columns: Sequence[str], zero_below: float | None = None) -> pd.DataFrame:
    """These columns of the table; every value of a CSV or TSV is text, and an empty one missing.

    Numbers of a magnitude below ``zero_below`` (SAS transport files store 0 as 5.4e-79) become 0.

    Raises
    ------
    InputError : for a file that is unreadable, half-written or ragged, or lacks a column or has it twice.
    """
    reader = _read_parquet if path.suffix == ".parquet" else _read_text
    with _whole(path):
        table = reader(path, list(dict.fromkeys(columns)))
    return table if zero_below is None else table.apply(zeroed, zero_below=zero_below)


def nearest(name: str, names: Sequence[str]) -> str:
    """What a message adds about the nearest of these names.

    >>> nearest("hieght", ["height", "weight"])
    "; the nearest is 'height'"
    """
    near = near_name(name, names)
    return "" if near is None else f"; the nearest is {near!r}"


def near_name(name: str, names: Sequence[str]) -> str | None:
    """The name that is most like this one, capitals or not; None where none is like it.

    >>> near_name("BMXWT", ["bmxht", "bmxwt"]), near_name("age", ["lead"])
    ('bmxwt', None)
    """
    plain = {other.casefold(): other for other in reversed(names)}
    near = get_close_matches(name.casefold(), list(plain), 1)
    return plain[near[0]] if near else None


def zeroed(column: pd.Series, zero_below: float) -> pd.Series:
    """Magnitudes below ``zero_below`` as 0."""
    tiny = pd.to_numeric(column, errors="coerce").abs() < zero_below
    return column.mask(tiny, 0 if pd.api.types.is_numeric_dtype(column) else "0")


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say which file it is that cannot be read."""
    try:
        yield
    except (arrow.ArrowException, OSError, UnicodeDecodeError, csv.Error) as error:
        reason = _without_values(str(error))
        raise InputError(f"file {path.name}", "a complete table, read to its end", reason) from None


def _read_parquet(path: Path, columns: list[str]) -> pd.DataFrame:
    with parquet.ParquetFile(path) as file:
        _refuse_absent(path, columns, file.schema_arrow.names)
        table = file.read(columns=columns)
    for i, field in enumerate(table.schema):
        if arrow.types.is_temporal(field.type):  # a date is no number; a clock time is read as text
            table = table.set_column(i, field.name, table.column(i).cast(arrow.string()))
    return table.to_pandas(ignore_metadata=True)[columns]


def _read_text(path: Path, columns: list[str]) -> pd.DataFrame:
    delimiter = DELIMITERS[path.suffix]
    _refuse_absent(path, columns, _header(path))
    table = arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=min(max(path.stat().st_size, 1024), _LARGEST_BLOCK)),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, arrow.string()),
            strings_can_be_null=True,
            null_values=_NULLS,
        ),
    )
    return table.to_pandas()


def _header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        names = next(csv.reader(file, delimiter=DELIMITERS[path.suffix]), None)
    if not names:
        got = "an empty file" if names is None else "an empty first line"
        raise InputError(f"file {path.name}", "a first line with the names of its columns", got)
    return names


def _refuse_absent(path: Path, columns: list[str], present: Sequence[str]) -> None:
    for fault in absent(path, columns, present).values():
        raise fault


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        got = f"{package!r}, which is not installed"
        raise InputError("manifest source.package", "an installed package", got)
    return Path(spec.submodule_search_locations[0])


def _without_values(message: str) -> str:
    """The reader's reason up to where it quotes the offending row."""
    ragged = re.search(r"(Row #\d+: )?Expected \d+ columns, got \d+", message)
    return ragged.group() if ragged else re.split(r"[:.]\s", message)[0][:120]
