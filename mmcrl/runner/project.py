"""Project: the folder that `params.yml` lies in, and where things lie below it."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path

from mmcrl.errors import InputError

__all__ = ["Project"]

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Project:
    """Paths of a project: sources, executed notebooks, failed ones, points of sweeps, tables of results."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The nearest folder with a `params.yml`: here or above, else where this package was checked out.

        Raises
        ------
        InputError : when there is none.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents, _PACKAGE.parent):
            if (folder / "params.yml").is_file():
                return cls(folder)
        raise InputError("params.yml", "a file of this name in the current folder or one above", "none")

    @property
    def params(self) -> Path:
        return self.root / "params.yml"

    @property
    def pins(self) -> Path:
        return self.root / "requirements.txt"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def results(self) -> Path:
        return self.data / "results"

    @property
    def package(self) -> Path:
        """The package that kernels import: the project's own, else the one that is running."""
        own = self.root / "mmcrl"
        return own if own.is_dir() else _PACKAGE

    @property
    def import_path(self) -> list[Path]:
        """Where kernels look for packages before the installed ones."""
        installed = self.package.parent == Path(sysconfig.get_path("purelib"))
        return list(dict.fromkeys([self.root, *([] if installed else [self.package.parent])]))

    def page(self, run: str) -> Path:
        """The executed notebook of a run."""
        return self.root / "book" / "notebooks" / f"{run}.ipynb"

    def failed(self, name: str) -> Path:
        """Where the notebook of a run, or of a point of a sweep, is kept when it fails."""
        return self.root / "build" / "failed" / f"{name}.ipynb"

    def points(self, sweep: str) -> Path:
        """The folder of a sweep's finished notebooks."""
        return self.root / "build" / "sweeps" / sweep
