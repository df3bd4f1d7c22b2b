"""People: who of a source's table is in the cohort."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mmcrl.errors import InputError
from mmcrl.layouts.layout import Layout, id_texts
from mmcrl.ranges import few
from mmcrl.schema import Inclusion, Manifest
from mmcrl.transforms import numbers

__all__ = ["included_people", "included_rows", "sufficiently_measured", "table_variables"]


def table_variables(manifest: Manifest) -> list[str]:
    """The variables that are needed of everyone."""
    specs = manifest.table_columns().values()
    variables = [v for spec in specs for v in spec.variables]
    variables += [skip.variable for spec in specs for skip in spec.skipped]
    weights = [manifest.people.weights] if manifest.people.weights else []
    return list(dict.fromkeys([*variables, *(rule.variable for rule in manifest.include), *weights]))


def included_people(layout: Layout, manifest: Manifest) -> tuple[pd.DataFrame, list[InputError]]:
    """The source's table of everyone who is included, indexed by id, and whether ids are missing or repeated.

    Rows without an id are left out, and of several with one id all but the first.
    """
    source = manifest.source
    table = layout.people(table_variables(manifest))
    table = table[included_rows(manifest, table)]
    if table.empty:
        raise InputError("manifest include", "someone who is included", "nobody")
    ids = id_texts(table[source.id])
    missing, repeated = ids.isna(), ids.notna() & ids.duplicated()
    files = ", ".join(path.name for path in layout.tables([])) or source.path
    faults = [
        InputError(
            f"file {files} column {source.id}",
            "an id for everyone, each once",
            f"{few(int(rows.sum()), manifest.disclosure.minimum)} {fault}",
        )
        for fault, rows in (("missing", missing), ("repeated", repeated))
        if rows.any()
    ]
    if missing.all():
        raise faults[0]
    kept = (~missing & ~repeated).to_numpy()
    return table[kept].set_axis(pd.Index(_whole_numbers(ids[kept]), name=source.id)), faults


def included_rows(manifest: Manifest, table: pd.DataFrame) -> np.ndarray:
    """Bool (n,): rows that every rule of ``[[include]]`` keeps."""
    keep = np.ones(len(table), dtype=bool)
    for rule in manifest.include:
        keep &= _included(rule, table[rule.variable])
    return keep


def sufficiently_measured(manifest: Manifest, values: pd.DataFrame, bulk: Mapping[str, np.ndarray]) -> pd.Series:
    """Bool (n,): people with the required modalities, and with enough of them; ``bulk`` says who has an image."""
    modality = values.columns.str.split(".", n=1).str[0]
    measured = pd.DataFrame({name: values.loc[:, modality == name].notna().any(axis=1) for name in manifest.modality})
    for name, seen in bulk.items():
        measured[name] = seen
    enough = measured.sum(axis=1) >= manifest.people.min_modalities
    return enough & measured[manifest.people.require].all(axis=1)


def _whole_numbers(ids: pd.Series) -> pd.Series:
    """Ids as whole numbers where that loses nothing (007 stays text, 70123.0 is 70123)."""
    return ids.astype("int64") if ids.str.fullmatch(r"0|[1-9]\d{0,17}").all() else ids


def _included(rule: Inclusion, column: pd.Series) -> np.ndarray:
    values = numbers(column)
    keep = column.notna()
    if rule.min is not None:
        keep &= values >= rule.min
    if rule.max is not None:
        keep &= values <= rule.max
    if rule.among is not None:
        keep &= column.isin(rule.among) | values.isin([v for v in rule.among if not isinstance(v, str)])
    return keep.to_numpy()
