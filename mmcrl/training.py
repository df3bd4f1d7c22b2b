"""Training: several starts of the contrast on the same people, reproducible bit for bit.

All weights are drawn, one start after the other, before any is trained, and each start draws its batches from a
generator of its own, so that the number of starts that run at once changes no bit of any of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from mmcrl.checkpoint import Checkpoint, checkpoints, fingerprint
from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast
from mmcrl.descent import Run, train_contrast
from mmcrl.kinds import codec_for
from mmcrl.parallel import cores, run_all
from mmcrl.plan import Block
from mmcrl.settings import Settings
from mmcrl.tensors import People, learn_scale, people_of, take_scale

__all__ = [
    "agree",
    "codes_of",
    "deterministic",
    "history_of",
    "network_of",
    "parallel_jobs",
    "run_shown",
    "stages",
    "tensors_of",
    "train_starts",
]

T = TypeVar("T")
_WORTH_A_PROCESS = 300  # steps
_SAME = 0.1  # nats


def network_of(
    blocks: Sequence[Block], width: int, device: torch.device, tied: Sequence[Sequence[int]] = ()
) -> Contrast:
    """An untrained network with one codec per block; the codes of each list in ``tied`` are copies of one latent."""
    codecs = [codec_for(b.kind)(b.shape, b.n_latents, width) for b in blocks]
    for codec, block in zip(codecs, blocks, strict=True):
        codec.know(block.column_kinds, block.levels)
    return Contrast(codecs, tied=tied).to(device)


def tensors_of(network: Contrast, cohort: Cohort) -> People:
    """The cohort's features and who was measured, on the network's device."""
    return people_of(network.codecs, cohort, network.mean.device)


@torch.no_grad()
def codes_of(network: Contrast, people: People) -> np.ndarray:
    """Standardised codes (n, d) as float64, NaN where a person was not measured."""
    codes = torch.cat([network.latents(p.features, p.seen) for p in people.batches(50_000)])
    seen = network.per_latent(people.seen) > 0
    return torch.where(seen, codes, torch.nan).double().cpu().numpy()


def train_starts(
    blocks: Sequence[Block],
    train: Cohort,
    held_out: Cohort,
    settings: Settings,
    seed: int,
    device: torch.device,
    progress: bool,
    checkpoint: str | os.PathLike[str] | None = None,
    tied: Sequence[Sequence[int]] = (),
    taught: np.ndarray | None = None,
) -> list[Run]:
    """One run per start, each from weights and batches of its own; the bar shows every start's held-out loss.

    Where there are several, as many starts again follow, up to ``most_starts`` in all, until two `agree`.  Codes that
    are ``tied`` are held to the values ``taught`` (n, s) of the people to train on.

    Raises
    ------
    InputError : for a checkpoint folder of another fit or with a damaged file.
    """
    knows = network_of(blocks, settings.width, device, tied)  # what all starts know of the data
    for codec, block in zip(knows.codecs, blocks, strict=True):
        learn_scale(codec, train[block.name])
    groups = tensors_of(knows, train), tensors_of(knows, held_out)
    if taught is not None:
        groups = replace(groups[0], labels=torch.from_numpy(taught).to(knows.mean)), groups[1]
    most = 1 if settings.starts == 1 else max(settings.starts, settings.most_starts or 0)
    kept: Sequence[Checkpoint | None] = [None] * most
    if checkpoint is not None:
        kept = checkpoints(checkpoint, most, fingerprint(blocks, groups, settings, seed, str(device)))
    runs: list[Run] = []
    while len(runs) < most and not agree(runs):
        starts = range(len(runs), min(len(runs) + settings.starts, most))
        networks = [_network(blocks, settings, seed * 1_000 + start, device, tied, knows) for start in starts]
        tasks = [
            partial(_start, network, *groups, settings, seed * 1_000 + start, kept[start])
            for start, network in zip(starts, networks, strict=True)
        ]
        runs += run_shown(tasks, settings, device, "contrast", "held_out", progress, threads=_large(knows))
    return runs


def agree(runs: Sequence[Run]) -> bool:
    """Whether the two lowest held-out losses differ by less than 0.1 nats.

    Of six starts on each of 27 worlds, one in twelve was caught in a blend of two siblings, .07 to .96 nats above the
    best start of its world (most of the others lay within .06).  The better of two starts was a blend in 2 % of the
    draws; where as many again follow until two agree, in 1 %, at 2.6 starts on the average.

    >>> agree([Run(None, loss) for loss in (3.02, 4.0, 3.0)]), agree([Run(None, 3.0)])
    (True, False)
    """
    losses = sorted(run.held_out_loss for run in runs)
    return len(losses) > 1 and losses[1] - losses[0] < _SAME


def run_shown(
    tasks: Sequence[Callable[[Callable[[int, float], None]], T]],
    settings: Settings,
    device: torch.device,
    title: str,
    loss: str,
    progress: bool,
    threads: bool = False,
) -> list[T]:
    """What trainings of ``settings.steps`` steps return; the bar shows the last ``loss`` that each of them told.

    Trainings run in processes of their own, or in threads, which hold large features together.
    """
    steps, losses = [0] * len(tasks), ["-"] * len(tasks)
    with tqdm(total=len(tasks) * settings.steps, disable=not progress, desc=title) as bar:

        def report(task: int, step: int, value: float) -> None:
            bar.update(step - steps[task])
            steps[task], losses[task] = step, f"{value:.3f}"
            bar.set_postfix({loss: " ".join(losses)})

        found = run_all(tasks, parallel_jobs(len(tasks), settings, device), report, threads)
        bar.update(len(tasks) * settings.steps - sum(steps))  # steps that a training had no need of
    return found


@contextmanager
def stages(names: Sequence[str], progress: bool) -> Iterator[Callable[[], None]]:
    """A bar over what follows the contrast: each call begins the next of these."""
    with tqdm(total=len(names), disable=not progress) as bar:
        left = enumerate(names)

        def begin() -> None:
            ended, name = next(left)
            bar.update(min(ended, 1))
            bar.set_description(name)

        yield begin
        bar.update()


def history_of(runs: Sequence[Run]) -> pd.DataFrame:
    """Start, step, train_loss and held_out_loss of every evaluation."""
    rows = [(start, *row) for start, run in enumerate(runs) for row in run.history]
    return pd.DataFrame(rows, columns=["start", "step", "train_loss", "held_out_loss"])


def parallel_jobs(tasks: int, settings: Settings, device: torch.device) -> int:
    """How many trainings run at once: ``jobs``, else as many as there are cores; 1 on any device but the processor.

    Without ``jobs``, trainings of fewer than 300 steps run one after the other: a process takes as long to begin.

    >>> parallel_jobs(3, Settings(jobs=8), torch.device("cpu"))
    3
    """
    if device.type != "cpu":
        return 1
    return min(tasks, settings.jobs or (cores() if settings.steps >= _WORTH_A_PROCESS else 1))


@contextmanager
def deterministic(dtype: str | None = None) -> Iterator[None]:
    """One thread, new tensors of this type (None: as they are), and a random state; all is given back.

    One thread, because small matrices gain nothing from more.
    """
    threads, usual = torch.get_num_threads(), torch.get_default_dtype()
    with torch.random.fork_rng():
        torch.set_num_threads(1)
        torch.set_default_dtype(usual if dtype is None else getattr(torch, dtype))
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_default_dtype(usual)


def _network(
    blocks: Sequence[Block],
    settings: Settings,
    seed: int,
    device: torch.device,
    tied: Sequence[Sequence[int]],
    knows: Contrast,
) -> Contrast:
    """An untrained network; what its codecs know of the data, which lies in buffers, is another one's."""
    torch.manual_seed(seed)
    network = network_of(blocks, settings.width, device, tied)
    for codec, source in zip(network.codecs, knows.codecs, strict=True):
        take_scale(codec, source)
    return network


def _large(network: Contrast) -> bool:
    return any(codec.large for codec in network.codecs)


def _start(
    network: Contrast,
    train: People,
    held_out: People,
    settings: Settings,
    seed: int,
    checkpoint: Checkpoint | None,
    report: Callable[[int, float], None],
) -> Run:
    with deterministic(settings.dtype):
        return train_contrast(network, train, held_out, settings, seed, report, checkpoint)
