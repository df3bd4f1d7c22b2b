"""Transport files: the SAS files (XPT) in which the CDC publishes the components of a survey."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mmcrl.errors import InputError
from mmcrl.tables import nearest, zeroed

__all__ = ["merged_components"]

_ID, _TINY = "SEQN", 1e-70  # such files store 0 as 5.4e-79


def merged_components(paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    """``SEQN`` and these columns of the components, joined; everyone of the component named DEMO, or of all.

    Raises
    ------
    InputError : for a damaged file, a person with several rows, and a column that no component has.
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
    try:
        table = pd.read_sas(path, format="xport")
    except Exception as error:  # the reader raises whatever a damaged file makes it raise
        raise InputError(f"file {path.name}", "a complete SAS transport file", type(error).__name__) from None
    if _ID not in table or table[_ID].isna().any() or table[_ID].duplicated().any():
        raise InputError(f"file {path.name} column {_ID}", "an id for everyone, each once", "others")
    numbers = table.select_dtypes("number")
    table[numbers.columns] = numbers.apply(zeroed, zero_below=_TINY)
    return table.set_index(table.pop(_ID).astype("int64"))
