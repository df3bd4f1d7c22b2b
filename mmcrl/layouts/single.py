"""Single table: everything of a cohort in one file beside the manifest, or inside an installed package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mmcrl.errors import InputError
from mmcrl.layouts.layout import BulkFile, Layout, Reader, id_texts, path_texts
from mmcrl.layouts.recordings import readers
from mmcrl.tables import absent, column_names, locate, read_table

__all__ = ["SingleTable"]


class SingleTable(Layout):
    """A variable is a column of the file; that of an image or a recording holds the paths of files beside the table.

    The channel of a recording is ``column.channel``.
    """

    keys = frozenset({"package", "zero_below"})

    def people(self, variables: Sequence[str]) -> pd.DataFrame:
        return read_table(self.root, [self.source.id, *variables], self.source.zero_below)

    def absent(self, variables: Sequence[str]) -> dict[str, InputError]:
        return absent(self.root, [self.source.id, *variables], self.names())

    def names(self) -> list[str]:
        return column_names(self.root)

    def tables(self, variables: Sequence[str]) -> list[Path]:
        return [self.root]

    def images(self, variable: str, where: Mapping[str, str]) -> dict[str, BulkFile]:
        if where:
            raise InputError(f"manifest variable {variable}", "no `where`: the column names the image", "one")
        return self._files(variable)

    def recordings(self, variables: Sequence[str], ids: Sequence[str]) -> dict[str, Reader]:
        channels: dict[str, dict[str, str]] = {}
        for variable in variables:
            column, _, channel = variable.rpartition(".")
            if not (column and channel):
                raise InputError(f"manifest variable {variable}", "column.channel of a recording", repr(variable))
            channels.setdefault(column, {})[variable] = channel
        return readers({column: self._files(column) for column in channels}, channels, ids)

    def _files(self, column: str) -> dict[str, BulkFile]:
        """The file of each person, by id as text; who has an empty cell has none."""
        table = read_table(self.root, [self.source.id, column])
        people, paths = id_texts(table[self.source.id]), path_texts(table[column])
        kept = people.notna() & paths.notna()
        told = [f"file {self.root.name} column {column}, row {row + 1}" for row in table.index[kept]]
        return {person: self.bulk_file(*cell) for person, *cell in zip(people[kept], paths[kept], told, strict=True)}

    @property
    def bulk_root(self) -> Path:
        return self.root.parent

    def _root(self) -> Path:
        return locate(self.folder, self.source.path, self.source.package)
