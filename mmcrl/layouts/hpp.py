"""Human Phenotype Project: one folder a data set, with tables in Parquet and a dictionary in CSV.

``{dataset}[/{cohort}]/{table}.parquet`` beside ``metadata/*_data_dictionary.csv``; a row is one measurement, told
apart by participant_id, cohort, research_stage and array_index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mmcrl.errors import InputError
from mmcrl.layouts.layout import BulkFile, Layout, Reader, Words, id_texts, path_texts, person_values
from mmcrl.layouts.recordings import readers
from mmcrl.tables import column_names, nearest, read_table

__all__ = ["HumanPhenotypeProject"]

_ID, _ROW = "participant_id", "row of the file"


class Place(NamedTuple):
    """Where a variable lies: data set, table, field, and the channel of a field that names files of channels."""

    dataset: str
    table: str
    field: str
    channel: str = ""


class HumanPhenotypeProject(Layout):
    """A variable is ``dataset.field`` or, of a table with another name than its data set's, ``dataset/table.field``;
    a channel of a recording is ``dataset.field.channel``.

    ``stage`` is the research stage that is read, ``cohort`` the part of the study, where there are several.
    Where a person has several rows at that stage, ``pick = { sleep = 1 }`` says which is read: the number in the
    table's field ``night``, in a table without one its ``array_index``.  Without a pick numbers are averaged over
    the rows, but for those that the manifest calls missing, and of everything else the first is taken.
    ``bulk_prefix = { "/from" = "sub/folder" }`` rewrites how the paths in bulk cells begin.
    """

    ids = (_ID,)
    keys = frozenset({"cohort", "stage", "pick", "bulk_prefix"})

    def _root(self) -> Path:
        root = super()._root()
        datasets = sorted(path.name for path in root.iterdir() if path.is_dir())
        for key in self.source.pick:
            if key not in datasets:
                expected = f"a data set inside the root folder: {', '.join(datasets)}"
                raise InputError("manifest source.pick", expected, f"{key!r}{nearest(key, datasets)}")
        return root

    def people(self, variables: Sequence[str]) -> pd.DataFrame:
        fields: dict[Place, dict[str, str]] = {}
        for variable in dict.fromkeys(variables):
            place = self._place(variable)
            fields.setdefault(place._replace(field=""), {})[place.field] = variable
        if not fields:
            raise InputError("manifest modality", "a variable of a table", "none")
        tables = [self._table(place, named) for place, named in fields.items()]
        return pd.concat(tables, axis=1).rename_axis(_ID).reset_index()

    def tables(self, variables: Sequence[str]) -> list[Path]:
        places = list(dict.fromkeys(self._place(variable) for variable in variables))
        tables = [self._path(place) for place in places]
        dictionaries = [path for place in places if (path := self._dictionary(place)) is not None]
        return [*tables, *dictionaries]

    def words(self, variables: Sequence[str]) -> dict[str, Words]:
        fields: dict[Path, dict[str, str]] = {}
        for variable in variables:
            place = self._place(variable)
            path = self._dictionary(place)
            if path is not None:
                fields.setdefault(path, {})[variable] = place.channel or place.field
        told: dict[str, Words] = {}
        for path, named in fields.items():
            words = _dictionary(path)
            told |= {variable: words[field] for variable, field in named.items() if field in words}
        return {**told, **super().words(variables)}

    def images(self, variable: str, where: Mapping[str, str]) -> dict[str, BulkFile]:
        if where:
            raise InputError(f"manifest variable {variable}", "no `where`: the field names the image", "one")
        return dict(self._bulk(self._place(variable)))

    def recordings(self, variables: Sequence[str], ids: Sequence[str]) -> dict[str, Reader]:
        places = {variable: self._place(variable) for variable in variables}
        for variable, place in places.items():
            if not place.channel:
                raise InputError(
                    f"manifest variable {variable}", "dataset.field.channel of a recording", "no channel"
                )
        channels: dict[Place, dict[str, str]] = {}
        for variable, place in places.items():
            channels.setdefault(place._replace(channel=""), {})[variable] = place.channel
        return readers({key: dict(self._bulk(key)) for key in channels}, channels, ids)

    def _place(self, variable: str) -> Place:
        head, _, rest = variable.partition(".")
        dataset, _, table = head.partition("/")
        field, _, channel = rest.partition(".")
        if not (dataset and field):
            raise InputError(f"manifest variable {variable}", "dataset.field or dataset/table.field", repr(variable))
        return Place(dataset, table or dataset, field, channel)

    def _folder(self, place: Place) -> Path:
        """The table's folder: that of the cohort, or of the only one that has the table; else the data set's."""
        whole, part, table = self.root / place.dataset, self.source.cohort, f"{place.table}.parquet"
        if part is None and whole.is_dir() and not (whole / table).is_file():
            parts = sorted(path.name for path in whole.iterdir() if (path / table).is_file())
            if len(parts) > 1:
                raise InputError("manifest source.cohort", f"one of {', '.join(parts)}", "nothing")
            part = next(iter(parts), None)
        return whole / part if part and (whole / part).is_dir() else whole

    def _path(self, place: Place) -> Path:
        folder = self._folder(place)
        if not folder.is_dir():
            near = nearest(place.dataset, [path.name for path in self.root.iterdir()])
            raise InputError(f"folder {place.dataset}", "a data set inside the root folder", f"none{near}")
        return self.table_file(str((folder / f"{place.table}.parquet").relative_to(self.root)))

    def _dictionary(self, place: Place) -> Path | None:
        for folder in (self._folder(place), self.root / place.dataset):
            found = sorted((folder / "metadata").glob("*_data_dictionary.csv"))
            if found:
                return self.table_file(str(found[0].relative_to(self.root)))
        return None

    def _rows(self, place: Place, fields: list[str]) -> pd.DataFrame:
        """The rows of the chosen cohort, stage and measurement, in order; `_ROW` counts those of the file from 1."""
        path = self._path(place)
        names = column_names(path)
        order = next((name for name in ("night", "array_index") if name in names), None)
        kept = [name for name in ("cohort", "research_stage", order) if name and name in names]
        table = read_table(path, [_ID, *kept, *fields])
        table[_ROW], table[_ID] = range(1, len(table) + 1), id_texts(table[_ID])
        if self.source.cohort and "cohort" in kept:
            table = self.chosen(table, path.name, "cohort", self.source.cohort)
        if "research_stage" in kept:
            stages = table["research_stage"].dropna().astype("str").unique()
            if self.source.stage is None and len(stages) > 1:
                raise InputError("manifest source.stage", f"one of {', '.join(sorted(stages))}", "nothing")
            if self.source.stage is not None:
                table = self.chosen(table, path.name, "research_stage", self.source.stage)
        pick = self.source.pick.get(place.dataset)
        if pick is not None:
            if order is None:
                raise InputError(f"file {path.name}", "a column night or array_index to pick from", "none")
            table = self.chosen(table, path.name, order, pick)
        return table.sort_values(order, kind="stable") if order else table

    def _table(self, place: Place, named: Mapping[str, str]) -> pd.DataFrame:
        """One row a person, indexed by id; ``named``: the variable of each field."""
        rows = self._rows(place, list(named))
        if rows[_ID].isna().any():
            raise InputError(f"file {place.table}.parquet column {_ID}", "an id for everyone", "rows without")
        columns = {
            variable: person_values(_plain(rows[field]), rows[_ID], self.missing.get(variable, []))
            for field, variable in named.items()
        }
        return pd.DataFrame(columns, index=pd.Index(rows[_ID].unique(), name=_ID))

    def _bulk(self, place: Place) -> Iterator[tuple[str, BulkFile]]:
        """The first file of each person in a bulk field."""
        path = self._path(place)
        rows = self._rows(place, [place.field]).dropna(subset=[_ID, place.field])
        if pd.api.types.is_numeric_dtype(_plain(rows[place.field])):
            raise InputError(f"file {path.name} column {place.field}", "paths of files", "numbers")
        paths = path_texts(rows[place.field]).dropna()
        first = rows.loc[paths.index].drop_duplicates(_ID)
        for person, cell, row in zip(first[_ID], paths[first.index], first[_ROW], strict=True):
            told = f"file {path.name} column {place.field}, row {row}"
            yield person, self.bulk_file(self._rewritten(cell), told)

    def _rewritten(self, path: str) -> str:
        for begin in sorted(self.source.bulk_prefix, key=len, reverse=True):
            rest = path.removeprefix(begin)
            if rest != path and (rest.startswith("/") or begin.endswith("/")):
                return str(Path(self.source.bulk_prefix[begin]) / rest.lstrip("/"))
        return path


def _dictionary(path: Path) -> dict[str, Words]:
    """What a dictionary tells of its fields; descriptions that were cut are left for the field's name."""
    told = [name for name in ("field_string", "description_string", "units") if name in column_names(path)]
    table = read_table(path, ["tabular_field_name", *told]).fillna("").astype(str)
    words = {}
    for row in table.to_dict("records"):
        long, short = row.get("description_string", ""), row.get("field_string", "")
        field = row["tabular_field_name"]
        words[field] = Words(long if long and not long.endswith("...") else short, field, row.get("units", ""))
    return words


def _plain(column: pd.Series) -> pd.Series:
    """Categories as what they stand for, and yes or no as 1 or 0."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    return column.astype(float) if pd.api.types.is_bool_dtype(column) else column
