"""Ranges: which values a manifest lets in, as a pandera schema made of it."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

from mmcrl.errors import InputError
from mmcrl.schema import ColumnSpec, Manifest

__all__ = ["few", "range_faults"]


def range_faults(manifest: Manifest, values: pd.DataFrame) -> list[InputError]:
    """Columns with values outside their range or levels, and how many; never a person."""
    specs = manifest.table_columns()
    schema = pa.DataFrameSchema(
        {name: pa.Column(float, _checks(spec), nullable=True) for name, spec in specs.items()}
    )
    try:
        schema.validate(values, lazy=True)
    except pa.errors.SchemaErrors as error:
        return [
            InputError(name, _allowed(specs[name]), f"{few(len(cases), manifest.disclosure.minimum)} values outside")
            for name, cases in error.failure_cases.groupby("column", sort=False)
        ]
    return []


def _checks(spec: ColumnSpec) -> list[pa.Check]:
    checks = []
    if spec.kind == "binary":
        checks.append(pa.Check.isin([0, 1]))
    elif spec.levels and not spec.range:
        checks.append(pa.Check.isin(list(spec.levels.values())))
    if spec.range:
        checks.append(pa.Check.in_range(*spec.range))
    return checks


def _allowed(spec: ColumnSpec) -> str:
    if spec.kind == "binary":
        return "0 or 1"
    return f"values in {spec.range}" + (f" {spec.unit}" if spec.unit else "") if spec.range else "a level"


def few(count: int, minimum: int = 10) -> str:
    """A count of people's values as text; under the minimum it is not told.

    >>> few(9), few(1000), few(15, minimum=20)
    ('<10', '1,000', '<20')
    """
    return f"<{minimum}" if count < minimum else f"{count:,}"
