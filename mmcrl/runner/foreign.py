"""Foreign: files that may hold people, since they are not known as the project's, a library's or the system's."""

from __future__ import annotations

import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path

from mmcrl.errors import InputError
from mmcrl.fetch import CATALOGUE, data_folder
from mmcrl.runner.project import Project

__all__ = ["is_foreign"]

_ENVIRONMENT = ("bin", "etc", "include", "lib", "lib64", "share", "ssl", "fonts", "pyvenv.cfg", "conda-meta")
_SYSTEM = (
    "/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sys", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/libexec",
    "/usr/share", "/usr/local/etc", "/usr/local/lib", "/usr/local/share", "/var/cache/fontconfig", "/run/systemd",
    "/System", "/Library/Fonts",
)  # fmt: skip
_LIBRARIES = ("matplotlib", "fontconfig", "fonts", "ipython", "jupyter", "torch", "triton", "numba", "joblib")
_AT_HOME = (".matplotlib", ".ipython", ".jupyter", ".fonts", ".triton", ".nv", ".joblib")


def is_foreign(path: Path, project: Project) -> bool:
    """Whether a file is none of those which are known to hold no people, whatever its name ends in.

    Known are the project's sources, results and pages, its manifests, Python with what is installed, the system's
    files, what libraries keep at a user's home, what was fetched of no people, and what is kept for a moment: all in
    the folder for temporary files.  Data in the project that nobody has declared are foreign, even where the project
    lies in that folder.
    """
    path, root, data = path.resolve(), project.root.resolve(), project.data.resolve()
    if any(path.is_relative_to(folder.resolve()) for folder in _own(project)):
        return False
    if path.parent == data and path.suffix == ".toml":
        return False
    if path.is_relative_to(root) or path.is_relative_to(data):
        return True
    passing = (Path(tempfile.gettempdir()), Path("/dev/shm"))
    known = (*map(Path, _SYSTEM), *_kept(), *_fetched(), *passing)
    return not any(path.is_relative_to(folder.resolve()) for folder in known)


def _own(project: Project) -> Iterator[Path]:
    """Of the project and of Python, which may lie within it."""
    yield from (project.results, project.package, project.params, project.pins, project.root / "pyproject.toml")
    yield from (project.root / name for name in ("notebooks", "book", "build"))
    yield from (Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib"))
    yield Path(site.getusersitepackages())
    for prefix in {sys.prefix, sys.base_prefix}:
        yield from (Path(prefix) / name for name in _ENVIRONMENT)


def _kept() -> Iterator[Path]:
    """What libraries keep for a user: settings, caches, fonts."""
    for place in (user_cache_path, user_config_path, user_data_path):
        yield from (place(name) for name in _LIBRARIES)
    yield from (Path.home() / name for name in _AT_HOME)


def _fetched() -> Iterator[Path]:
    """Images of digits and clothes, from which people are simulated."""
    try:
        yield from (data_folder() / remote.path for remote in CATALOGUE["mnist"])
    except InputError:
        return
