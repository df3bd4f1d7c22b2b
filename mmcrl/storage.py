"""Storage: a fitted model as a folder of one JSON and one safetensors file, checked by SHA-256, without pickle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from mmcrl.errors import InputError, path_of

__all__ = ["digest", "read_folder", "under", "write_folder"]

_FORMAT = 2  # 1: a column with levels was read by their values, not by their numbers
_DESCRIPTION, _WEIGHTS = "model.json", "weights.safetensors"


def write_folder(folder: str | os.PathLike[str], description: dict[str, Any], weights: dict[str, Tensor]) -> None:
    """Write both files aside and move them into place, so that an interruption leaves the earlier model or this one.

    Raises
    ------
    InputError : when the folder exists and holds something else than a model, cannot be made, or is the one that is
        worked in, which would be moved from under the program.
    """
    target = path_of("folder", folder).resolve()  # behind a link, which stays
    if target == Path.cwd():
        raise InputError("folder", "another folder than the current one", repr(os.fspath(folder)))
    if target.exists() and not (target.is_dir() and {p.name for p in target.iterdir()} <= {_DESCRIPTION, _WEIGHTS}):
        raise InputError("folder", "a new or empty folder, or one of an earlier model", "a path with other content")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    except OSError as error:
        raise InputError("folder", "a path at which a folder can be made", type(error).__name__) from None
    blob = save_tensors({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()})
    record = {"format": _FORMAT, "weights_sha256": hashlib.sha256(blob).hexdigest(), "model": description}
    made, earlier = aside / "made", aside / "earlier"
    try:
        made.mkdir()
        (made / _WEIGHTS).write_bytes(blob)
        (made / _DESCRIPTION).write_text(_text(record))
        if target.exists():
            os.replace(target, earlier)
        os.replace(made, target)
    finally:
        if earlier.exists() and not target.exists():  # interrupted between the two
            os.replace(earlier, target)
        shutil.rmtree(aside, ignore_errors=True)


def read_folder(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Description and weights of a folder that `write_folder` wrote.

    Raises
    ------
    InputError : for a missing, truncated or changed file, and for a newer format.
    """
    source = path_of("folder", folder)
    try:
        text = (source / _DESCRIPTION).read_text()
        record = json.loads(text)
        blob = (source / _WEIGHTS).read_bytes()
    except OSError as error:
        raise InputError("folder", f"{_DESCRIPTION} and {_WEIGHTS}", f"{type(error).__name__}") from None
    except (ValueError, RecursionError):
        raise InputError("folder", f"a whole {_DESCRIPTION}", "one that is truncated or no JSON") from None
    if not isinstance(record, dict) or record.pop("sha256", None) is None or text != _text(record):
        raise InputError("folder", f"a {_DESCRIPTION} as it was saved", "one that was changed")
    if record.get("format") != _FORMAT:
        raise InputError("folder", f"format {_FORMAT}", f"format {record.get('format')}")
    if hashlib.sha256(blob).hexdigest() != record.get("weights_sha256"):
        raise InputError("folder", f"{_WEIGHTS} as it was saved", "a file that was changed or truncated")
    try:
        return record.get("model", {}), load_tensors(blob)
    except SafetensorError as error:
        raise InputError("folder", f"a readable {_WEIGHTS}", str(error)) from None


def _text(record: dict[str, Any]) -> str:
    """The description as it is written, to the last byte."""
    return json.dumps({**record, "sha256": digest(record)}, indent=1) + "\n"


def under(prefix: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights whose names start with ``prefix.``, without it.

    >>> list(under("a", {"a.x": Tensor(), "b.x": Tensor()}))
    ['x']
    """
    return {name.removeprefix(f"{prefix}."): w for name, w in weights.items() if name.startswith(f"{prefix}.")}


def digest(record: dict[str, Any]) -> str:
    """SHA-256 of a record's JSON, its names sorted."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
