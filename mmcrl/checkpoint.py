"""Checkpoint: what an unfinished fit has done, one file each, so that an interrupted fit goes on where it was.

A start of the contrast is kept at every evaluation: its network, its best state, the optimiser and the random
generator.  What follows the contrast is kept stage by stage, once a stage is finished (`Kept`): weights, and means
over people.  A file is a safetensors file (no pickle) whose header carries, as JSON, the history, the fingerprint of
the fit and a SHA-256 over everything.  It holds no row of a person: people enter the fingerprint through a SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from mmcrl.errors import InputError, path_of
from mmcrl.plan import Block
from mmcrl.settings import Settings
from mmcrl.storage import digest
from mmcrl.tensors import People, pieces_of

__all__ = ["NOWHERE", "Checkpoint", "Kept", "checkpoints", "fingerprint", "optimiser_state", "optimiser_tensors"]

_FORMAT = 1
_HASHED_AT_ONCE = 4096  # people


@dataclass(frozen=True)
class Checkpoint:
    """Where one start is kept, and the fingerprint of the fit that it belongs to."""

    path: Path
    fingerprint: str

    def write(self, history: Sequence[tuple[int, float, float]], tensors: dict[str, Tensor]) -> None:
        """Write aside and move into place, so that an interruption leaves the former or the new file, whole."""
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        record = {"format": _FORMAT, "fit": self.fingerprint, "history": [list(row) for row in history]}
        header = {"record": json.dumps(record), "sha256": _sealed(record, kept)}
        handle, aside = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(save_tensors(kept, metadata=header))
            os.replace(aside, self.path)
        finally:
            Path(aside).unlink(missing_ok=True)

    def read(self) -> tuple[list[tuple[int, float, float]], dict[str, Tensor]] | None:
        """History and tensors that `write` was given; None where nothing was written yet.

        Raises
        ------
        InputError : for a file that is truncated or was changed, and for one of another fit.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            record = json.loads(header["record"])
            whole = header["sha256"] == _sealed(record, tensors)
        except (OSError, SafetensorError, KeyError, ValueError):
            whole = False
        if not whole:
            raise InputError("checkpoint", f"{self.path.name} as it was written", "a truncated or changed file")
        if record["format"] != _FORMAT or record["fit"] != self.fingerprint:
            expected = "a folder of the same fit: settings, seed, latents and people"
            raise InputError("checkpoint", expected, f"{self.path.name} of another one; give a new folder")
        return [(int(step), seen, held) for step, seen, held in record["history"]], tensors


@dataclass(frozen=True)
class Kept:
    """Where the finished stages of one fit are kept: nowhere, when there is no folder.

    >>> int(Kept().result("sum", lambda: {"total": torch.tensor(3)})["total"])
    3
    """

    folder: Path | None = None
    fingerprint: str = ""

    @classmethod
    def after(cls, folder: str | os.PathLike[str] | None, fit: str, network: nn.Module) -> Kept:
        """For what follows the training of this network, whose fit has this fingerprint, in the fit's own folder."""
        if folder is None:
            return cls()
        weights = {name: weight.detach().cpu().contiguous() for name, weight in network.named_parameters()}
        return cls(Path(folder), _sealed({"fit": fit}, weights))

    def result(self, stage: str, work: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """What this stage came to when it was finished here, else what the work gives, which is then kept.

        Raises
        ------
        InputError : as `Checkpoint.read`.
        """
        if self.folder is None:
            return work()
        checkpoint = Checkpoint(self.folder / f"{stage}.safetensors", self.fingerprint)
        if saved := checkpoint.read():
            return saved[1]
        tensors = work()
        checkpoint.write([], tensors)
        return tensors


NOWHERE = Kept()


def checkpoints(folder: str | os.PathLike[str], starts: int, fit: str) -> list[Checkpoint]:
    """One checkpoint per start in this folder, which is made where it is missing.

    Raises
    ------
    InputError : when it is no path, or that of a file.
    """
    home = path_of("checkpoint", folder)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError("checkpoint", "a folder, new or of an earlier fit", "a path through a file") from None
    return [Checkpoint(home / f"start-{start}.safetensors", fit) for start in range(starts)]


def fingerprint(blocks: Sequence[Block], people: Sequence[People], settings: Settings, seed: int, device: str) -> str:
    """SHA-256 of all that decides a fit's bits: settings (not how many run at once), latents, seed and people."""
    hashes = []
    for group in people:
        for part in (*group.features, group.seen, *([] if group.labels is None else [group.labels])):
            seal, pieces = hashlib.sha256(), pieces_of(part, _HASHED_AT_ONCE)
            for tensor in pieces:
                seal.update(tensor.detach().cpu().contiguous().numpy())  # type: ignore[arg-type]
            hashes.append([str(tensor.dtype), len(part), list(tensor.shape[1:]), seal.hexdigest()])
    chosen = {name: value for name, value in settings.to_dict().items() if name != "jobs"}
    what = {"settings": chosen, "blocks": [asdict(block) for block in blocks], "seed": seed, "device": device}
    return digest({**what, "people": hashes})


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimiser whose state is all tensors: ``parameter.name`` to tensor."""
    state = optimiser.state_dict()["state"]
    return {f"{number}.{name}": tensor for number, entry in state.items() for name, tensor in entry.items()}


def optimiser_state(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """What ``optimiser.load_state_dict`` takes, from `optimiser_tensors` and the optimiser's own options."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".")
        state.setdefault(int(number), {})[name] = tensor
    return {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}


def _sealed(record: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    return digest({"record": record, "tensors": hashlib.sha256(save_tensors(tensors)).hexdigest()})
