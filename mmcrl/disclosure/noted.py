"""Noted: the people and drawings of one execution, as `mmcrl.runner.watch` left them in a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mmcrl.disclosure.drawings import Drawing
from mmcrl.disclosure.persons import Persons, survey_of
from mmcrl.errors import InputError
from mmcrl.manifest import load_cohort, read_manifest, source_files
from mmcrl.modality import Modality

__all__ = ["Noted", "read_notes", "stated"]


@dataclass
class Noted:
    """Cohorts of real people, the number of simulated ones, drawings, and the files that were opened."""

    people: list[Persons] = field(default_factory=list)
    simulated: int = 0
    drawings: list[Drawing] = field(default_factory=list)
    opened: set[Path] = field(default_factory=set)


def read_notes(folder: Path, manifests: Sequence[Path] = ()) -> Noted:
    """What a notebook has seen.

    One that saw no cohort at all is taken to know the cohorts of these manifests, any other one those whose files it
    opened.

    Parameters
    ----------
    folder : of the notes
    manifests : of the project; one whose data are not on this machine is left out
    """
    noted, seen, loaded = Noted(opened=_opened(folder)), set(), set[Path]()
    for path in sorted(folder.glob("cohort-*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["simulated"]:
            noted.simulated += 1
        elif (key := json.dumps([record["manifest"], record["name"], record["ids"]])) not in seen or not record[
            "manifest"
        ]:
            seen.add(key)
            loaded |= {Path(record["manifest"]).resolve()} if record["manifest"] else set()
            noted.people.append(_persons(record, folder))
    for path in sorted(folder.glob("figure-*.json")):
        noted.drawings.append(Drawing.read(json.loads(path.read_text(encoding="utf-8")), folder))
    nothing = not noted.people and not noted.simulated
    for manifest in manifests:
        if manifest.resolve() in loaded:
            continue
        try:
            sources = source_files(manifest)
            if nothing or noted.opened & {path.resolve() for path in sources[1:]}:
                noted.people.append(_loaded(manifest, tuple(path.stat().st_mtime_ns for path in sources)))
        except InputError:
            continue
    return noted


def _opened(folder: Path) -> set[Path]:
    """The files that were opened."""
    list_ = folder / "opened.txt"
    return {Path(line).resolve() for line in list_.read_text("utf-8").splitlines()} if list_.exists() else set()


@lru_cache(maxsize=4)
def _loaded(manifest: Path, times: tuple[int, ...]) -> Persons:
    """The people of a manifest, kept for the next page as long as its files are the same."""
    return Persons.of(load_cohort(manifest), **stated(manifest))


def stated(manifest: Path) -> dict[str, Any]:
    """What a manifest says about disclosure: ``images`` and ``minimum``."""
    parsed, faults = read_manifest(manifest)
    if parsed is None:
        raise faults[0]
    return {"images": parsed.disclosure.images, "minimum": parsed.disclosure.minimum}


def _persons(record: dict[str, Any], folder: Path) -> Persons:
    modalities = {
        name: Modality(np.load(folder / file, mmap_mode="r"), kind=kind, names=names)  # a table is copied
        for name, kind, names, file in record["modalities"]
    }
    if record["weights"] is not None:
        modalities["survey"] = survey_of(np.load(folder / record["weights"]))
    rules = stated(Path(record["manifest"])) if record["manifest"] else {}
    return Persons(record["name"], record["ids"], modalities, record["id_name"], **rules)
