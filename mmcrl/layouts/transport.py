"""Transport files: the SAS files (XPT) in which the CDC publishes the components of a survey.

Such a file is written in records of 80 bytes: headers, then the rows one after the other, the last record filled up
with blanks.  How many rows there are it does not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mmcrl.errors import InputError
from mmcrl.tables import nearest, zeroed

__all__ = ["is_transport", "merged_components"]

_ID, _TINY = "SEQN", 1e-70  # such files store 0 as 5.4e-79
_RECORD, _BEGIN = 80, b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"


def is_transport(path: Path) -> bool:
    """Whether a file begins as a transport file does, and ends with a whole record."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGIN)) == _BEGIN and path.stat().st_size % _RECORD == 0
    except OSError:  # a folder, or what may not be read
        return False


def merged_components(paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    """``SEQN`` and these columns of the components, joined; everyone of the component named DEMO, or of all.

    A file that was cut where both a row and a record end looks like a whole one, and is read as such.

    Raises
    ------
    InputError : for a damaged file, one cut anywhere else, a person with several rows, and a column that no component
        has.
    """
    components = {path: _component(path) for path in paths}
    people = next((t for path, t in components.items() if path.name.startswith("DEMO")), None)
    ids = sorted({i for table in components.values() for i in table.index}) if people is None else people.index
    merged = {}
    for column in columns:
        table = next((table for table in components.values() if column in table), None)
        if table is None:
            names = [str(name) for table in components.values() for name in table]
            told = f"one of {len(paths)} components with a column {column!r}"
            raise InputError("folder xpt", told, f"none{nearest(column, names)}")
        merged[column] = table[column].reindex(ids)
    return pd.DataFrame(merged, index=pd.Index(ids, name=_ID)).reset_index()


def _component(path: Path) -> pd.DataFrame:
    told = f"file {path.name}", "a complete SAS transport file"
    if not is_transport(path):
        raise InputError(*told, "another file, or half a record at its end")
    try:
        opened: Any = pd.read_sas(path, format="xport", encoding="iso-8859-1", iterator=True)
        with opened as reader:
            rows, length = path.read_bytes()[reader.record_start :], reader.record_length
            reader.nobs = -(-len(rows.rstrip(b" ")) // length)  # pandas takes blank texts of the last row for filling
            whole = 0 <= len(rows) - reader.nobs * length < _RECORD
            table = reader.read() if whole else pd.DataFrame()
    except Exception as error:  # the reader raises whatever a damaged file makes it raise
        raise InputError(*told, type(error).__name__) from None
    if not whole:
        raise InputError(*told, "a row that is cut, or more blanks at the end than fill a record")
    if _ID not in table or table[_ID].isna().any() or table[_ID].duplicated().any():
        raise InputError(f"file {path.name} column {_ID}", "an id for everyone, each once", "others")
    numbers = table.select_dtypes("number")
    table[numbers.columns] = numbers.apply(zeroed, zero_below=_TINY)
    return table.set_index(table.pop(_ID).astype("int64"))
