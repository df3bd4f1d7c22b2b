"""Neural baselines: one training loop and one budget for all of them, the estimator's own."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from mmcrl.baselines.base import Baseline, Sizes
from mmcrl.cohort import Cohort
from mmcrl.kinds import Codec, codec_for
from mmcrl.plan import Block
from mmcrl.settings import Settings
from mmcrl.tensors import People, augmented, learn_scale, people_of
from mmcrl.training import deterministic

__all__ = ["Network", "NeuralBaseline", "mean_over", "train"]

_BUDGET = Settings.starts * Settings.steps  # steps of a baseline: what the estimator spends over all its starts
_RATES = (1e-3, 3e-3, 1e-2)  # learning rates that ``tune`` compares


class Network(nn.Module, ABC):
    """Codecs of all modalities, a loss, and latents."""

    def __init__(self, codecs: Sequence[Codec]) -> None:
        super().__init__()
        self.codecs = nn.ModuleList(codecs)
        self.sizes = [codec.n_latents for codec in codecs]

    def people(self, cohort: Cohort, labels: Tensor | None = None) -> People:
        """The cohort as tensors."""
        return people_of(self.codecs, cohort, labels=labels)

    def per_latent(self, measured: Tensor) -> Tensor:
        """Measured modalities (n, M) as weights (n, d) of their latents."""
        weights = torch.repeat_interleave(measured, torch.tensor(self.sizes), dim=1)
        return weights.to(torch.get_default_dtype())

    @abstractmethod
    def loss(self, people: People) -> Tensor:
        """What is minimised, per person."""

    @abstractmethod
    def latents(self, people: People) -> list[Tensor]:
        """Latents (n, k) of every modality."""

    def augmented(self, people: People) -> list[Tensor]:
        """Features, in training changed where a kind knows changes that keep the latents, as the estimator's are."""
        if not self.training:
            return people.features
        return augmented(self.codecs, people.features, torch.default_generator)

    def finish(self, pieces: Sequence[People]) -> None:
        """What is settled on the training people once the weights are."""


class NeuralBaseline(Baseline):
    """A torch network trained with Adam, a cosine schedule, and the estimator's budget of steps.

    Images and series go through the estimator's encoders and decoders (`mmcrl.baselines.gaussian`).

    Parameters
    ----------
    n_latents, seed : as in `Baseline`.
    steps, batch, learning_rate, width : as in `mmcrl.settings.Settings`; the state with the lowest held-out loss
        of its own is kept.
    tune : choose among three learning rates by the held-out loss; one fit each.

    After `fit`, ``held_out_loss`` is the method's own loss on the people kept aside, and ``hyper_parameters`` names
    the learning rate that was chosen; before, those to choose from.
    """

    def __init__(
        self,
        n_latents: Sizes = None,
        seed: int = 0,
        *,
        steps: int = _BUDGET,
        batch: int | None = None,
        learning_rate: float = Settings.learning_rate,
        width: int = Settings.width,
        tune: bool = False,
    ) -> None:
        super().__init__(n_latents, seed)
        self.settings = Settings(steps=steps, batch=batch, learning_rate=learning_rate, width=width)
        self.tune = tune
        self._rate: float | tuple[float, ...] = _RATES if tune else learning_rate

    @property
    def hyper_parameters(self) -> dict[str, Any]:
        rate = {"learning_rate": self._rate, "tune": self.tune}
        return {**rate, "steps": self.settings.steps, "batch": self.settings.batch, "width": self.settings.width}

    @abstractmethod
    def _network(self, codecs: list[Codec], widths: list[int]) -> Network:
        """An untrained network for modalities with this many features."""

    def _labels(self, cohort: Cohort) -> Tensor | None:
        return None

    def _learn(self, cohort: Cohort, blocks: Sequence[Block], progress: bool) -> None:
        kept, held = cohort.split(self.settings.held_out, self.seed)
        rates = _RATES if self.tune else (self.settings.learning_rate,)
        best = math.inf
        with deterministic(), tqdm(total=len(rates) * self.settings.steps, disable=not progress) as bar:
            for rate in rates:
                torch.manual_seed(self.seed)
                network = self._start(kept, blocks)
                groups = network.people(kept, self._labels(kept)), network.people(held, self._labels(held))
                batch = self.settings.batch_for(len(kept))
                loss = train(network, *groups, self.settings.steps, batch, rate, bar.update)
                if loss < best or not math.isfinite(best):
                    best, self._rate, self._fitted = loss, rate, network
        self.held_out_loss = best

    def _start(self, cohort: Cohort, blocks: Sequence[Block]) -> Network:
        codecs, widths = [], []
        for block in blocks:
            modality = cohort[block.name]
            codec = codec_for(block.kind)(block.shape, block.n_latents, self.settings.width)
            learn_scale(codec, modality)
            codecs.append(codec)
            widths.append(codec.prepare(modality.read(slice(1)))[0].numel())
        return self._network(codecs, widths)

    @torch.no_grad()
    def _latents(self, cohort: Cohort, blocks: Sequence[Block]) -> list[np.ndarray]:
        with deterministic():
            people = self._fitted.people(cohort)
            pieces = [self._fitted.latents(piece.read()) for piece in people.batches(_at_once(self._fitted, people))]
        pairs = zip(blocks, map(torch.cat, zip(*pieces, strict=True)), people.features, strict=True)
        return [(x if block.kind == "observed" else z).double().numpy() for block, z, x in pairs]


def train(
    network: Network,
    kept: People,
    held: People,
    steps: int,
    batch: int,
    learning_rate: float,
    report: Callable[[int], object],
) -> float:
    """Minimise the network's loss, keep the state with the lowest held-out one, and return that."""
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=0.02 * learning_rate)
    every, best, state = max(1, steps // 20), math.inf, copy.deepcopy(network.state_dict())
    for step in range(1, steps + 1):
        rows = torch.randint(0, len(kept.measured), (batch,))
        optimiser.zero_grad()
        network.loss(kept.take(rows).read()).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        if step % every == 0 or step == steps:
            report(min(every, step % every or every))
            value = held_out_loss(network, held, batch)
            if value < best:
                best, state = value, copy.deepcopy(network.state_dict())
    network.load_state_dict(state)
    network.eval()
    network.finish(kept.batches(_at_once(network, kept)))
    return best


def _at_once(network: Network, people: People) -> int:
    """How many people are coded at a time: all, but for images and series."""
    return min([codec.at_once for codec in network.codecs if codec.large], default=len(people))  # type: ignore


@torch.no_grad()
def held_out_loss(network: Network, held: People, batch: int) -> float:
    """Mean loss over batches of the training's size, with the same noise at every call."""
    network.eval()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        rows = torch.arange(len(held.measured)).split(batch)
        losses = [network.loss(held.take(r).read()) for r in rows if len(r) == batch or len(rows) == 1]
    network.train()
    return float(torch.stack(losses).mean())


def mean_over(values: Tensor, measured: Tensor) -> Tensor:
    """Mean of values (n,) over the people who were measured."""
    return (values * measured).sum() / measured.sum().clamp_min(1)
