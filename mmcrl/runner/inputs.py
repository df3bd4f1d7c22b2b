"""Inputs: a fingerprint of all that an executed notebook depends on, told apart so that a change has a name."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from mmcrl.errors import InputError
from mmcrl.runner.files import code_digest, digest, digest_of
from mmcrl.runner.project import Project

__all__ = ["Inputs", "Surroundings", "has_files"]

# Below the package: no number of a sweep comes from there, and of one that names no cohort none from its adapters
_OF_PAGES = (
    *("runner", "disclosure", "checking", "plots", "sensitivity", "cli.py", "__main__.py"),
    *("absence.py", "cards.py", "check.py", "doubts.py", "stability.py"),
    *("proof/looks.py", "proof/published.py", "proof/tables.py"),
)
_OF_COHORTS = ("layouts", "surveys.py")
_VARYING = {"papermill", "execution", "ExecuteTime", "collapsed", "scrolled"}


@dataclass(frozen=True)
class Inputs:
    """SHA-256 of the notebook's cells, its parameters, the package, the data and the pins.

    Of a sweep, whose numbers only fits and their scores make, what runs, guards, checks, lays out and draws pages is
    no part of the package, nor are the adapters of cohorts where it names none; the data are those that its
    parameters name.
    """

    cells: str
    parameters: str
    package: str
    data: str
    pins: str

    @classmethod
    def from_record(cls, record: object) -> Inputs:
        """Read back what `asdict` gave; whatever is missing or no text counts as changed."""
        found = record if isinstance(record, dict) else {}
        return cls(**{field.name: str(found.get(field.name)) for field in fields(cls)})

    def changes(self, earlier: Inputs) -> list[str]:
        """Names of what is not as it was."""
        return [name for name, value in asdict(self).items() if value != getattr(earlier, name)]

    @classmethod
    def combined(cls, parts: list[Inputs]) -> Inputs:
        """The inputs of several executions as one."""
        columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(cls)}
        return cls(**{name: _json_digest(values) for name, values in columns.items()})

    @property
    def digest(self) -> str:
        """One number for all."""
        return _json_digest(asdict(self))


class Surroundings:
    """What the notebooks of a project share: package, data, pins. Each file is read once."""

    def __init__(self, project: Project) -> None:
        self._files: dict[Path, str] = {}
        self._tables: dict[Path, list[Path]] = {}
        self._project = project
        self._environment = Path(sys.prefix).resolve()  # wherever it lies, its data are the same
        self._seals = _seals(project.package)
        self._pins = digest_of(project.pins) if project.pins.is_file() else ""

    def inputs(
        self,
        notebook: NotebookNode,
        parameters: dict[str, Any],
        threads: int,
        results: dict[str, str] | None = None,
    ) -> Inputs:
        """The inputs of one execution.

        Parameters
        ----------
        notebook : the source
        parameters : every parameter's value
        threads : of the kernel
        results : of a run, the state of every sweep whose table it may read. A sweep has none: it reads no
            tables, or writing one would make another one out of date
        """
        cells = [[cell.cell_type, cell.source, _lasting(cell.metadata)] for cell in notebook.cells]
        data = {"results": results, "files": self._data(parameters, tables=results is not None)}
        left_out: tuple[str, ...] = ()
        if results is None:
            left_out = _OF_PAGES if self._names_cohort(parameters) else _OF_PAGES + _OF_COHORTS
        return Inputs(
            cells=_json_digest(cells),
            parameters=_json_digest([parameters, threads]),
            package=self._package(left_out),
            data=_json_digest(data),
            pins=self._pins,
        )

    def _data(self, parameters: dict[str, Any], tables: bool) -> list[str]:
        """All below `data` and what manifests name; without ``tables``, no results, and of manifests those named."""
        project = self._project
        texts = {value for value in parameters.values() if isinstance(value, str)}
        below = [path for path in sorted(project.data.rglob("*")) if path.is_file() and path.name[0] != "."]
        files = [path for path in below if tables or self._fits_from(path, texts)]
        named = [project.root / text for text in texts if text.endswith(".toml")]
        manifests = [*(path for path in files if path.suffix == ".toml"), *named]
        outside = {source for manifest in manifests for source in self._sources(manifest)} - set(files)
        return [self._file(path) for path in files] + sorted(self._file(path) for path in outside)

    def _fits_from(self, path: Path, texts: set[str]) -> bool:
        """Whether a sweep whose parameters hold these texts may read this file below `data`."""
        return self._project.results not in path.parents and (path.suffix != ".toml" or path.stem in texts)

    def _names_cohort(self, parameters: dict[str, Any]) -> bool:
        """Whether a parameter is a manifest's name or its path."""
        texts = [value for value in parameters.values() if isinstance(value, str)]
        return any(text.endswith(".toml") or (self._project.data / f"{text}.toml").is_file() for text in texts)

    def _package(self, left_out: tuple[str, ...]) -> str:
        """The package without these of its modules and folders."""
        folders = tuple(f"{name}/" for name in left_out)
        return _json_digest(
            [item for item in self._seals if item[0] not in left_out and not item[0].startswith(folders)]
        )

    def _sources(self, manifest: Path) -> list[Path]:
        if manifest not in self._tables:
            self._tables[manifest] = _sources(manifest)
        return self._tables[manifest]

    def _file(self, path: Path) -> str:
        if path not in self._files:
            inside = path.is_relative_to(self._project.root) and not path.is_relative_to(self._environment)
            name = path.relative_to(self._project.root).as_posix() if inside else path.name
            self._files[path] = f"{name} {digest_of(path)}"
        return self._files[path]


def _seals(folder: Path) -> list[tuple[str, str]]:
    """Of all modules below this folder, whose explanations may change (see `code_digest`), and their tables."""
    found = {path: code_digest(path) for path in folder.rglob("*.py")}
    beside = folder.parent  # wherever that is: the same package has the same seals
    found |= {path: f"{path.relative_to(beside).as_posix()} {digest_of(path)}" for path in folder.rglob("*.csv")}
    return sorted((path.relative_to(folder).as_posix(), seal) for path, seal in found.items())


def _sources(manifest: Path) -> list[Path]:
    """The files of a cohort; of a manifest that cannot be read, what there is of it."""
    from mmcrl.manifest import source_files

    try:
        return [path.resolve() for path in source_files(manifest)]
    except InputError:
        return [manifest] if manifest.is_file() else []


def has_files(cohort: str, root: Path) -> bool:
    """Whether every file of this cohort, a manifest's name or its path from ``root``, is on this machine."""
    from mmcrl.manifest import source_files

    try:
        files = source_files(root / cohort if cohort.endswith(".toml") else cohort)
        return all(path.is_file() for path in files)
    except InputError:
        return False


def _lasting(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in _VARYING and value != []}


def _json_digest(value: object) -> str:
    return digest(json.dumps(value, sort_keys=True, default=str))
