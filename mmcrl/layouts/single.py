"""Single table: everything of a cohort in one file beside the manifest, or inside an installed package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mmcrl.errors import InputError
from mmcrl.layouts.layout import Layout
from mmcrl.tables import absent, column_names, locate, read_table

__all__ = ["SingleTable"]


class SingleTable(Layout):
    """A variable is a column of the file."""

    keys = frozenset({"package", "zero_below"})

    def people(self, variables: Sequence[str]) -> pd.DataFrame:
        return read_table(self.root, [self.source.id, *variables], self.source.zero_below)

    def absent(self, variables: Sequence[str]) -> dict[str, InputError]:
        return absent(self.root, [self.source.id, *variables], self.names())

    def names(self) -> list[str]:
        return column_names(self.root)

    def tables(self, variables: Sequence[str]) -> list[Path]:
        return [self.root]

    def _root(self) -> Path:
        return locate(self.folder, self.source.path, self.source.package)
