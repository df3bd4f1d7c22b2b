"""Training: several starts of the contrast on the same people, reproducible bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast, Run, train_contrast
from mmcrl.kinds import codec_for
from mmcrl.plan import Block
from mmcrl.settings import Settings

__all__ = ["deterministic", "network_of", "tensors_of", "train_starts"]


def network_of(blocks: Sequence[Block], width: int, device: torch.device) -> Contrast:
    """An untrained network with one codec per block."""
    return Contrast([codec_for(b.kind)(len(b.columns), b.n_latents, width) for b in blocks]).to(device)


def tensors_of(network: Contrast, cohort: Cohort) -> tuple[list[Tensor], Tensor]:
    """Features per modality and measured (n, M), on the network's device."""
    device = network.mean.device
    modalities = list(cohort.modalities.values())
    features = [c.prepare(m.values).to(device) for c, m in zip(network.codecs, modalities, strict=True)]  # type: ignore[operator]
    measured = torch.from_numpy(np.column_stack([m.measured for m in modalities])).to(device)
    return features, measured


def train_starts(
    blocks: Sequence[Block],
    train: Cohort,
    held_out: Cohort,
    settings: Settings,
    seed: int,
    device: torch.device,
    progress: bool,
) -> list[Run]:
    """One run per start, each from weights and batches of its own; the bar shows the held-out loss."""
    runs = []
    with tqdm(total=settings.starts * settings.steps, disable=not progress, desc="contrast") as bar:
        for start in range(settings.starts):
            torch.manual_seed(seed * 1_000 + start)
            network = network_of(blocks, settings.width, device)
            for block, codec in zip(blocks, network.codecs, strict=True):
                modality = train[block.name]
                codec.fit_scale(modality.values[modality.measured])  # type: ignore[operator]

            def report(step: int, value: float, start: int = start) -> None:
                bar.update(start * settings.steps + step - bar.n)
                bar.set_postfix(start=f"{start + 1}/{settings.starts}", held_out=f"{value:.3f}")

            runs.append(
                train_contrast(
                    network,
                    tensors_of(network, train),
                    tensors_of(network, held_out),
                    steps=settings.steps,
                    batch=settings.batch_for(len(train)),
                    learning_rate=settings.learning_rate,
                    penalty=settings.penalty,
                    weight_decay=settings.weight_decay,
                    generator=torch.Generator().manual_seed(seed * 1_000 + start),
                    report=report,
                )
            )
    return runs


@contextmanager
def deterministic() -> Iterator[None]:
    """One thread (small matrices gain nothing from more) and a random state that is given back."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
