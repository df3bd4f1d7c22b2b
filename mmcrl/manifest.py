"""Manifest: from one readable file (data/NAME.toml) and the table it names to a `Cohort`.

Values are decoded, people chosen, ranges checked in the column's own unit by a pandera schema, and only then
transformed. Nothing is written, and nothing is kept of a manifest that is refused.
"""

from __future__ import annotations

import re
import tomllib
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmcrl.boundary import KNOWN_COLUMNS, checked_weights, column_faults
from mmcrl.codebook import read_codebook
from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError
from mmcrl.layouts import open_layout
from mmcrl.layouts.bulk import bulk_values
from mmcrl.layouts.layout import Layout
from mmcrl.people import included_people, sufficiently_measured, table_variables
from mmcrl.ranges import range_faults
from mmcrl.schema import Manifest, ModalitySpec, parse
from mmcrl.transforms import decode, numbers, readable, transform

__all__ = [
    "Assembled",
    "assemble",
    "declared",
    "find_manifest",
    "load_cohort",
    "put_together",
    "read_manifest",
    "read_toml",
    "source_files",
]


def load_cohort(name_or_path: str | Path) -> Cohort:
    """The cohort that a manifest declares.

    Parameters
    ----------
    name_or_path : path of a manifest, or the name of one: ``NAME.toml`` in the ``data`` folder of the
        current directory or of one above it, else of the project this package was checked out in, else of the
        installed package.

    Raises
    ------
    InputError : for everything that is wrong with the manifest, its file or its values; the first is named,
        and ``python -m mmcrl check`` lists them all.

    Warns
    -----
    UserWarning : for recordings with times far from all their others.

    >>> cohort = load_cohort("nhanes-2017")  # doctest: +SKIP
    >>> cohort.summary(), cohort.known, cohort.codebook  # doctest: +SKIP
    """
    cohort, faults = assemble(find_manifest(name_or_path))
    if cohort is None:
        raise faults[0]
    return cohort


def find_manifest(name_or_path: str | Path) -> Path:
    """Path of the manifest with this name or path."""
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        path = Path(name_or_path)
        if path.suffix == ".toml" and path.is_file():
            return path
        raise InputError("name_or_path", "a name, or the path of a .toml file", repr(text))
    here, package = Path.cwd(), Path(__file__).resolve().parent
    folders = [folder / "data" for folder in (here, *here.parents, package.parent, package)]
    for folder in folders:
        if (folder / f"{text}.toml").is_file():
            return folder / f"{text}.toml"
    known = sorted({path.stem for folder in folders if folder.is_dir() for path in folder.glob("*.toml")})
    expected = f"a manifest, such as {', '.join(known) or 'data/NAME.toml'}"
    raise InputError("name_or_path", expected, repr(text))


def declared(name_or_path: str | Path) -> Manifest:
    """What a manifest declares; the data are not looked at.

    Raises
    ------
    InputError : for the first of whatever is wrong with the manifest.
    """
    manifest, faults = read_manifest(find_manifest(name_or_path))
    if manifest is None:
        raise faults[0]
    return manifest


def source_files(name_or_path: str | Path) -> list[Path]:
    """The files a cohort is made of: manifest, tables, dictionaries; not the images and series of single people."""
    path, manifest = find_manifest(name_or_path), declared(name_or_path)
    variables = [v for spec in manifest.columns().values() for v in spec.variables]
    return [path, *open_layout(path.parent, manifest).files([*variables, *table_variables(manifest)])]


@dataclass(frozen=True)
class Assembled:
    """What came of a manifest: its cohort, or all that is wrong, and what had been read by then."""

    cohort: Cohort | None = None
    faults: list[tuple[str, InputError]] = field(default_factory=list)  # with the column or modality; "": neither
    absent: dict[str, InputError] = field(default_factory=dict)  # variables that the source lacks
    table: pd.DataFrame | None = None  # of the included people, as the source has it
    values: pd.DataFrame | None = None  # decoded, in the columns' own units
    layout: Layout | None = None
    ids: list[InputError] = field(default_factory=list)  # missing or repeated: the rest is of first rows
    warned: list[tuple[str, str]] = field(default_factory=list)  # of which modality, and what is to be known of it


def assemble(path: Path) -> tuple[Cohort | None, list[InputError]]:
    """The cohort, or everything that is wrong: as many faults at once as can be told apart."""
    manifest, faults = read_manifest(path)
    if manifest is None or faults:
        return None, faults
    made = put_together(path.parent, manifest)
    faults = [*made.absent.values(), *made.ids, *(fault for _, fault in made.faults)]
    for name, words in made.warned:
        warnings.warn(f"{name}: {words}", UserWarning, stacklevel=3)
    return (None if faults else made.cohort), faults


def put_together(folder: Path, manifest: Manifest) -> Assembled:
    """The cohort of a manifest that lies in ``folder``, or what is wrong, stage by stage, and where."""
    try:
        layout = open_layout(folder, manifest)
        absent = layout.absent(table_variables(manifest))
        if absent:
            return Assembled(absent=absent, layout=layout)
        table, ids = included_people(layout, manifest)
        codebook = read_codebook(layout, manifest)
    except InputError as error:
        return Assembled(faults=[("", error)])
    values, faults = _decoded(manifest, table)

    def stopped(*faults: tuple[str, InputError]) -> Assembled:
        return Assembled(None, list(faults), {}, table, values, layout, ids)

    faults += [(fault.argument, fault) for fault in range_faults(manifest, values)]
    bulk: dict[str, Modality] = {}
    warned: list[tuple[str, str]] = []
    for name, spec in manifest.modality.items():
        if spec.bulk:
            try:
                read, heard, wrong = bulk_values(layout, name, spec, table.index, manifest.disclosure.minimum)
                warned += [(name, words) for words in heard]
                faults += [(name, error) for error in wrong]
                bulk[name] = _modality(name, spec, codebook, read)
                if not (wrong or bulk[name].measured.any()):
                    raise InputError(f'cohort["{name}"]', "files of at least one of the people", "none")
            except InputError as error:
                faults.append((name, error))
    if faults:
        return stopped(*faults)
    kept = sufficiently_measured(manifest, values, {name: read.measured for name, read in bulk.items()})
    values, bulk = values[kept], {name: read.take(kept.to_numpy()) for name, read in bulk.items()}
    if len(values) < 2:
        return stopped(("", InputError("manifest people", "at least 2 people", "fewer")))
    try:
        weights = _weights(manifest, table.loc[values.index])
    except InputError as error:
        weights, faults = None, [("", error)]
    modalities = dict[str, Modality]()
    for name, spec in manifest.modality.items():
        try:
            modalities[name] = bulk[name] if spec.bulk else _table(name, spec, codebook, values)
        except InputError as error:
            faults.append((name, error))
    if faults := [*faults, *column_faults(modalities)]:
        return stopped(*faults)
    known = pd.DataFrame([link.model_dump() for link in manifest.known], columns=KNOWN_COLUMNS)
    suggested = {k: m.n_latents for k, m in manifest.modality.items() if m.n_latents is not None}
    try:
        cohort = Cohort(
            modalities,
            ids=values.index,
            tiers=manifest.tiers,
            name=manifest.name,
            known=known,
            n_latents=suggested,
            codebook=codebook,
            weights=weights,
            minimum=manifest.disclosure.minimum,
        )
    except InputError as error:
        return stopped(("", error))
    return Assembled(cohort, [], {}, table, values, layout, ids, warned)


def _weights(manifest: Manifest, table: pd.DataFrame) -> np.ndarray | None:
    name = manifest.people.weights
    try:
        return checked_weights(None if name is None else numbers(table[name]), len(table))
    except InputError as error:
        raise InputError("manifest people.weights", error.expected, error.got) from None


def read_manifest(path: Path) -> tuple[Manifest | None, list[InputError]]:
    """The manifest in this file, or everything that is wrong with it; the data are not looked at."""
    try:
        raw = read_toml(path)
    except InputError as error:
        return None, [error]
    return parse(raw)


def read_toml(path: Path) -> dict[str, Any]:
    """What a manifest says, not yet held against the format.

    Raises
    ------
    InputError : for a file that cannot be read, or is no TOML; the line is told.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"manifest {path.name}", "a complete TOML file", str(error)) from None


def _decoded(manifest: Manifest, table: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, InputError]]]:
    columns, faults = {}, []
    for name, spec in manifest.table_columns().items():
        try:
            columns[name] = decode(name, spec, table, manifest.disclosure.minimum)
        except InputError as error:
            faults.append((name, error))
            columns[name] = readable(spec, table)[0]
    return pd.DataFrame(columns, index=table.index, columns=list(columns)), faults


def _modality(name: str, spec: ModalitySpec, codebook: pd.DataFrame, values: np.ndarray) -> Modality:
    rows = codebook[codebook["modality"] == name]
    return Modality(
        values,
        kind=spec.kind,
        names=list(spec.columns),
        units=list(rows["unit"]),
        descriptions=list(rows["question"]),
        column_kinds=["numeric" if c.kind == "time" else c.kind for c in spec.columns.values()],
    )


def _table(name: str, spec: ModalitySpec, codebook: pd.DataFrame, values: pd.DataFrame) -> Modality:
    return _modality(name, spec, codebook, np.column_stack(_columns(name, spec, values)))


def _columns(name: str, spec: ModalitySpec, values: pd.DataFrame) -> list[pd.Series]:
    return [transform(column, values[f"{name}.{key}"]) for key, column in spec.columns.items()]
