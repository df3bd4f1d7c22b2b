"""Data: what is wrong between a manifest and its files, mended in a draft or set aside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mmcrl.checking.draft import Draft, Place, column_place
from mmcrl.checking.outside import mend_codes, mend_outside
from mmcrl.checking.words import mend_words
from mmcrl.checking.writing import mend_encoding, mend_separator
from mmcrl.errors import InputError
from mmcrl.layouts.layout import Layout, id_texts
from mmcrl.manifest import Assembled
from mmcrl.people import included_rows
from mmcrl.schema import ColumnSpec, Manifest
from mmcrl.tables import DELIMITERS, locate, near_name

__all__ = ["mend_data", "mend_ids"]

_VISITS = ("visit", "wave", "stage", "time", "session", "instance", "cycle", "baseline", "phase", "round")
_MOST_VISITS = 20
_NEARLY_ALL = 0.9  # of the people; a column that is not called a visit has to keep them


def mend_data(draft: Draft, made: Assembled, manifest: Manifest, folder: Path) -> bool:
    """Mend or set aside what keeps the data from becoming a cohort; False where nothing can go on, or is wrong."""
    if made.absent and made.layout is not None:
        absent, names = list(made.absent), made.layout.names()
        if mend_separator(draft, Path(manifest.source.path).suffix, names, absent):
            return False
        return _other_names(draft, absent, manifest, names)
    faults: dict[str, list[InputError]] = {}
    for name, fault in made.faults:
        faults.setdefault(name, []).append(fault)
    going_on = [_mend(draft, name, of, made, manifest, folder) for name, of in faults.items()]
    return bool(going_on) and all(going_on)


def mend_ids(draft: Draft, made: Assembled, manifest: Manifest) -> bool:
    """Propose what to do about missing and repeated ids; whether that mends them, without which first rows count."""
    lacking, again = (any(fault.got.endswith(word) for fault in made.ids) for word in ("missing", "repeated"))
    if lacking:
        draft.note(("source", "id"), "rows without one: give them theirs, or leave them out of the table")
    return again and made.layout is not None and _one_visit(draft, made.layout, manifest)


def _mend(
    draft: Draft, name: str, faults: list[InputError], made: Assembled, manifest: Manifest, folder: Path
) -> bool:
    place, fault = column_place(name), faults[0]
    if fault.argument == "manifest source.path":
        return _other_file(draft, manifest, folder)
    if name == "" and manifest.source.layout == "table" and fault.argument.startswith("file "):
        mend_encoding(draft, locate(folder, manifest.source.path, manifest.source.package))
    if draft.get(place) is None or name == "":
        return False
    spec = manifest.columns().get(name)
    if spec is None:
        draft.set_aside(name)
        return True
    if fault.expected in ("values that vary", "at least one value"):
        draft.remove(
            place, "never varies: leave it out" if "vary" in fault.expected else "nobody has a value: leave it out"
        )
    elif made.values is None or made.table is None or not _lets_in(draft, name, spec, faults, made, manifest):
        draft.set_aside(name)
    return True


def _lets_in(
    draft: Draft, name: str, spec: ColumnSpec, faults: list[InputError], made: Assembled, manifest: Manifest
) -> bool:
    """Whether something was found that lets a column's values in."""
    assert made.values is not None and made.table is not None
    place, minimum = column_place(name), manifest.disclosure.minimum
    if name not in made.values:
        return False
    read = made.values[name].to_numpy(dtype=float)
    unread = faults[0].got.startswith("something else")
    if unread and mend_words(draft, place, spec, made.table, minimum):
        return True
    inside = all(mend_outside(draft, place, spec, read, minimum) for _ in faults[unread:])
    if unread:  # what can be read is looked at all the same
        mend_codes(draft, place, spec, read, minimum)
    return inside and not unread


def _other_names(draft: Draft, absent: Sequence[str], manifest: Manifest, names: Sequence[str]) -> bool:
    """Take the nearest name of the source for each variable that it lacks; one that it has twice has none."""
    near = {variable: None if variable in names else near_name(variable, names) for variable in absent}
    why = {variable: f"the table has no {variable!r}, but {name!r}" for variable, name in near.items()}
    twice = {v: f"the table has {n} columns {v!r}: give each its name" for v in absent if (n := names.count(v)) > 1}
    pointing: list[tuple[Place, str]] = [(("source", "id"), manifest.source.id)]
    pointing += [(("include", i, "variable"), rule.variable) for i, rule in enumerate(manifest.include)]
    pointing.append((("people", "weights"), manifest.people.weights or ""))
    for place, variable in pointing:
        if variable in twice:
            draft.note(place, twice[variable])
        if variable in absent:
            if (other := near[variable]) is None:
                return False
            draft.set(place, other, why[variable])
    for name, spec in manifest.columns().items():
        place, used = column_place(name), [*spec.variables, *(skip.variable for skip in spec.skipped)]
        lost = [variable for variable in used if variable in absent]
        if any(near[variable] is None for variable in lost):
            for variable in twice.keys() & set(lost):
                draft.note(place, twice[variable])
            draft.set_aside(name)
            continue
        for variable in lost:
            if isinstance(spec.variable, str) and variable == spec.variable:
                draft.set((*place, "variable"), near[variable], why[variable])
            elif variable in spec.variables:
                draft.set((*place, "variable", spec.variables.index(variable)), near[variable], why[variable])
            for i, skip in enumerate(spec.skipped):
                if skip.variable == variable:
                    draft.set((*place, "skipped", i, "variable"), near[variable], why[variable])
    return bool(draft.raw.get("modality"))


def _other_file(draft: Draft, manifest: Manifest, folder: Path) -> bool:
    """Take the nearest name of a table below the manifest's folder."""
    source = manifest.source
    if source.layout != "table" or source.package is not None:
        return False
    tables = [path for path in (*folder.glob("*"), *folder.glob("*/*")) if path.suffix in (*DELIMITERS, ".parquet")]
    names = sorted(str(path.relative_to(folder)) for path in tables)
    near = near_name(source.path, names) or (names[0] if len(names) == 1 else None)
    if near is None:
        return False
    draft.set(("source", "path"), near, f"no file {source.path!r}, but {near!r}")
    return True


def _one_visit(draft: Draft, layout: Layout, manifest: Manifest) -> bool:
    """Keep one visit of each person, where a column of the table tells visits apart."""
    identity, minimum = manifest.source.id, manifest.disclosure.minimum
    table = layout.people(layout.names()) if layout.names() else pd.DataFrame()
    if table.empty:
        return False
    table = table.assign(**{identity: id_texts(table[identity])})
    table = table[included_rows(manifest, table) & table[identity].notna()]
    if table.duplicated().any() and not table.drop_duplicates()[identity].duplicated().any():
        draft.note(("source", "id"), "some rows stand in the table twice, word for word: keep one of each")
        return False
    found: list[tuple[bool, int, str, str]] = []
    for column in table.columns.drop(identity):
        if table[column].nunique() > _MOST_VISITS:
            continue
        called = any(word in str(column).casefold() for word in _VISITS)
        least = max(minimum, 0 if called else _NEARLY_ALL * table[identity].nunique())
        for value, rows in table.groupby(column):
            if len(rows) >= least and not rows[identity].duplicated().any():
                found.append((called, len(rows), str(column), str(value)))
    spread = {column: table.groupby(identity)[column].nunique().max() for _, _, column, _ in found}
    apart = [each for each in found if spread[each[2]] > 1]
    if not apart:
        told = "no column tells the rows of one person apart: keep one row of each; here it is the first"
        draft.note(("source", "id"), told)
        return False
    *_, column, value = max(apart, key=lambda each: each[:2])
    number = float(value) if value.replace(".", "", 1).isdigit() else None
    among = [value if number is None else int(number) if number.is_integer() else number]
    rule = {"variable": column, "among": among}
    draft.set(("include", len(manifest.include)), rule, f"one row a person: those with this {column}")
    return True
