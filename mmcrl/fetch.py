"""Fetch: public files that the project reads and does not hold, downloaded on request and never otherwise.

A file is taken over only if its sha256 is the one written here.  The CDC's files have none, see `mmcrl.surveys`; they
have to begin as their format does.  All lie in the folder that the environment variable ``MMCRL_DATA`` names, or in
the user's cache.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_dir

from mmcrl.errors import InputError
from mmcrl.layouts.transport import is_transport
from mmcrl.surveys import SURVEYS, components

__all__ = ["CATALOGUE", "FOLDER", "Remote", "data_folder", "fetch"]

FOLDER = "MMCRL_DATA"


class Remote(NamedTuple):
    """A file of the folder of data, where it is published, and its checksum, None where none was ever verified."""

    path: str
    url: str
    sha256: str | None


CATALOGUE: Mapping[str, tuple[Remote, ...]] = {
    "mnist": (
        Remote(  # LeCun, Cortes and Burges; the address at which the original files are mirrored
            "mnist/train-images-idx3-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        Remote(  # Zalando Research, MIT licence
            "fashion_mnist/train-images-idx3-ubyte.gz",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
            "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
    ),
    **{cycle: tuple(Remote(c.path, c.url, None) for c in components(cycle)) for cycle in SURVEYS},
}


def data_folder() -> Path:
    """The folder of ``MMCRL_DATA``, or the user's cache where that is not set.

    Raises
    ------
    InputError : when ``MMCRL_DATA`` names no folder.
    """
    named = os.environ.get(FOLDER)
    if named is None:
        return Path(user_cache_dir("mmcrl"))
    if not Path(named).is_dir():
        raise InputError(FOLDER, "the path of a folder", repr(named))
    return Path(named)


def fetch(name: str, files: Mapping[str, tuple[Remote, ...]] = CATALOGUE) -> list[Path]:
    """Download what this name stands for into `data_folder`; files that are there already stay as they are.

    Raises
    ------
    InputError : for an unknown name, an address that does not answer, a file with another checksum or, without one,
        of another format: one that came is not kept, one that was there is left alone.
    """
    if name not in files:
        raise InputError("name", f"one of {', '.join(files)}", repr(name))
    folder = data_folder()
    for remote in files[name]:
        if not (folder / remote.path).exists():
            _download(remote, folder)
        elif not _is_it(remote, folder / remote.path):
            raise InputError(remote.path, _told(remote), "another one: move it away")
    return [folder / remote.path for remote in files[name]]


def _is_it(remote: Remote, path: Path) -> bool:
    """Whether a file has the checksum; where there is none, whether it is of the format that its name says."""
    import pooch

    if remote.sha256:
        return bool(pooch.file_hash(path) == remote.sha256)
    return not remote.path.lower().endswith(".xpt") or is_transport(path)


def _told(remote: Remote) -> str:
    return f"the file of {remote.url}, {'by its sha256' if remote.sha256 else 'by its format'}"


def _download(remote: Remote, folder: Path) -> None:
    import pooch

    def of_its_format(url: str, path: str, caller: object) -> None:
        pooch.HTTPDownloader()(url, path, caller)
        if not _is_it(remote, Path(path)):
            raise ValueError("what came is of another format")

    target = folder / remote.path
    known, downloader = (f"sha256:{remote.sha256}", None) if remote.sha256 else (None, of_its_format)
    try:
        pooch.retrieve(remote.url, known, target.name, target.parent, downloader=downloader)
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; pooch's of checksums are ValueErrors
        raise InputError(remote.path, _told(remote), f"{type(error).__name__}: {error}") from error
