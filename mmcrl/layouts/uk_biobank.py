"""UK Biobank: tables with a person a row, whose columns are fields, in one of three spellings.

A manifest says ``46-0.0`` for field 46, instance 0, array 0; a table may say that, ``f.46.0.0``, or ``p46_i0`` (where
there are no instances ``p31``, where there are arrays ``p46_i0_a0``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mmcrl.errors import InputError
from mmcrl.layouts.layout import Layout, id_texts
from mmcrl.tables import DELIMITERS, column_names, inside, nearest, read_table

__all__ = ["UKBiobank", "field_name"]

_SPELLINGS = (r"(\d+)-(\d+)\.(\d+)", r"f\.(\d+)\.(\d+)\.(\d+)", r"p(\d+)(?:_i(\d+))?(?:_a(\d+))?")
_IDS = ("eid", "f.eid")


class UKBiobank(Layout):
    """A variable is ``field-instance.array``; the root folder holds the tables, joined by ``eid``.

    The people are those of all tables that a variable comes from.  A file without an id, one that cannot be read, and
    a link out of the root are left aside.  Codes such as -1, -3, -7 are missing where the manifest says so.
    """

    ids = ("eid",)

    def people(self, variables: Sequence[str]) -> pd.DataFrame:
        joined: pd.DataFrame | None = None
        for path, columns in self._places(variables).items():
            key = next(name for name in _IDS if name in column_names(path))
            table = read_table(path, [key, *columns.values()]).set_axis(["eid", *columns], axis=1)
            table["eid"] = id_texts(table["eid"])
            if joined is None:
                joined = table
                continue
            for frame in (joined, table):
                if frame["eid"].duplicated().any() or frame["eid"].isna().any():
                    raise InputError(f"file {path.name} column {key}", "an id for everyone, each once", "others")
            joined = joined.merge(table, on="eid", how="outer", sort=False)
        if joined is None:
            raise InputError("manifest modality", "a variable", "none")
        return joined

    def tables(self, variables: Sequence[str]) -> list[Path]:
        return list(self._places(variables))

    def _held(self) -> tuple[dict[Path, list[str]], str]:
        """The tables of people and the names of their columns; what a message adds of files that are left aside."""
        held, aside = dict[Path, list[str]](), []
        for path in sorted(self.root.iterdir()):
            if path.suffix not in (*DELIMITERS, ".parquet") or not path.is_file():
                continue
            if inside(self.root, path.name) is None:
                aside.append(f"{path.name} leads out of the root folder")
                continue
            try:
                names = column_names(path)
            except InputError as error:
                aside.append(f"{path.name} cannot be read, {error.got}")
                continue
            if set(_IDS) & set(names):
                held[path] = names
        return held, "".join(f"; {told}" for told in aside)

    def _places(self, variables: Sequence[str]) -> dict[Path, dict[str, str]]:
        """The tables that hold the variables; of each, the column of every variable."""
        held, aside = self._held()
        if not held:
            raise InputError(
                "manifest source.path", "a folder with a table that has a column eid or f.eid", f"none{aside}"
            )
        places: dict[Path, dict[str, list[str]]] = {path: {} for path in held}
        for path, names in held.items():
            for name in names:
                if name not in _IDS:
                    places[path].setdefault(field_name(name), []).append(name)
        found: dict[Path, dict[str, str]] = {}
        for variable in dict.fromkeys(variables):
            if not re.fullmatch(_SPELLINGS[0], variable):
                near = f", such as {field_name(variable)!r}" if field_name(variable) != variable else ""
                raise InputError(f"manifest variable {variable}", f"field-instance.array{near}", repr(variable))
            having = [path for path, fields in places.items() if variable in fields]
            if len(having) != 1:
                names = [name for fields in places.values() for name in fields]
                told = ", ".join(path.name for path in having or places)
                got = f"{len(having)} of that name{'' if having else nearest(variable, names) + aside}"
                raise InputError(f"file {told}", f"one column for field {variable!r}", got)
            columns = places[having[0]][variable]
            if len(columns) > 1:
                got = " and ".join(map(repr, columns))
                raise InputError(f"file {having[0].name}", f"one column for field {variable!r}", got)
            found.setdefault(having[0], {})[variable] = columns[0]
        return found


def field_name(column: str) -> str:
    """The one spelling of a column's name; a name that is no field's stays as it is.

    >>> [field_name(name) for name in ("46-0.0", "f.46.0.0", "p46_i0", "p31", "p4080_i0_a1")]
    ['46-0.0', '46-0.0', '46-0.0', '31-0.0', '4080-0.1']
    """
    for spelling in _SPELLINGS:
        match = re.fullmatch(spelling, column)
        if match:
            field, instance, array = match.groups(default="0")
            return f"{field}-{instance}.{array}"
    return column
