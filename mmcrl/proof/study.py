"""Study: the table of a sweep for a page, or the fact that it has not been computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mmcrl.errors import InputError
from mmcrl.runner import results
from mmcrl.runner.project import Project

__all__ = ["NONE", "Study", "study"]

NONE = "–"  # stands where a number has not been computed


@dataclass(frozen=True)
class Study:
    """A sweep's table (None where there is none yet) and a sentence about where it comes from."""

    name: str
    table: pd.DataFrame | None
    origin: str

    def __bool__(self) -> bool:
        return self.table is not None

    def where(self, **values: Any) -> Study:
        """The rows in which these columns have these values, or one of a list of them."""
        if self.table is None:
            return self
        rows = self.table
        lists = {column: wanted if isinstance(wanted, list) else [wanted] for column, wanted in values.items()}
        for column, wanted in lists.items():
            rows = rows[rows[column].isin(wanted)]
        if rows.empty:
            told = ", ".join(f"{column} {' or '.join(map(str, wanted))}" for column, wanted in lists.items())
            return Study(self.name, None, f"The table {self.name} has no row of {told}.")
        return Study(self.name, rows.reset_index(drop=True), self.origin)

    def beside(self, other: Study) -> Study:
        """The rows of this table and then of the other, as far as they have been computed."""
        if self.table is None or other.table is None:
            return self if other.table is None else other
        origins = dict.fromkeys([self.origin, other.origin])
        rows = pd.concat([self.table, other.table], ignore_index=True)
        return Study(f"{self.name}, {other.name}", rows, " ".join(origins))

    def say(self, number: Callable[[pd.DataFrame], Any], form: str = ".3f") -> str:
        """A number of the table as a text, a dash where there is none."""
        if self.table is None:
            return NONE
        value = number(self.table)
        return NONE if pd.isna(value) else format(value, form)

    def draw(self, picture: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """The picture of the table, or one that says how to compute it."""
        from mmcrl.plots import missing_table

        return missing_table(self.name) if self.table is None else picture(self.table, *arguments, **options)

    def tell(self, make: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
        """A table made of the table, or one line that says how to compute it."""
        if self.table is None:
            return pd.DataFrame({"not computed yet": [f"python -m mmcrl run {self.name}"]}, index=[self.name])
        return make(self.table)


def study(name: str, project: Project | None = None) -> Study:
    """The table of this sweep, if it has been computed."""
    try:
        table, provenance = results.read(name, project)
    except InputError:
        return Study(name, None, f"Not computed yet: python -m mmcrl run {name} makes the table.")
    return Study(name, table, provenance.changed_since(project))
