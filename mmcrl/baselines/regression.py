"""Regression: the encoder of a kind's codec, trained by least squares to tell latents."""

from __future__ import annotations

import copy
import math
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.kinds import Codec, codec_for
from mmcrl.plan import Block
from mmcrl.training import deterministic

__all__ = ["CodecRegressor"]

_SCALED_ON = 2_000  # people from whom the scale is learned
_EPOCHS, _FEWEST, _MOST = 25, 200, 2_000  # times that each person is seen, within these numbers of steps
_ASIDE = 0.1  # share of the people by whom the best state is chosen


class CodecRegressor:
    """``z_hat = mean + deviation * encoder(x)``, fitted to known latents of images or series.

    Minimises the squared error with Adam and a cosine schedule, once of features changed as in the estimator's
    training (`mmcrl.kinds.Codec.augment`) and once of features as they are: with known latents, what is left out of a
    recording can cost more than it gains.  Keeps the state of either that is best on a tenth of the people.

    Parameters
    ----------
    block : the modality's kind, the shape of its values and the number of its latents.
    seed : of the weights, the batches and who is kept aside.
    batch, learning_rate, width : of the optimiser and the network.
    """

    def __init__(
        self,
        block: Block,
        seed: int = 0,
        *,
        batch: int = 128,
        learning_rate: float = 3e-3,
        width: int = 96,
    ) -> None:
        self.block, self.seed = block, seed
        self.batch, self.learning_rate, self.width = batch, learning_rate, width

    def fit(self, values: np.ndarray, target: np.ndarray) -> Self:
        """Learn from values (n, ...) of people whose latents (n, k) are known."""
        with deterministic():
            torch.manual_seed(self.seed)
            self.codec = codec_for(self.block.kind)(self.block.shape, self.block.n_latents, self.width)
            shaped = self._shaped(values)
            self.codec.fit_scale(shaped[:: -(-len(shaped) // _SCALED_ON)])
            self.mean, self.deviation = target.mean(0), target.std(0)
            wanted = torch.from_numpy((target - self.mean) / self.deviation).to(torch.get_default_dtype())
            order = torch.randperm(len(shaped))
            aside = max(1, round(_ASIDE * len(shaped)))
            x, first = self.codec.prepare(shaped), copy.deepcopy(self.codec.state_dict())
            found = []
            for changed in (True, False):
                self.codec.load_state_dict(first)
                found.append(_descend(self.codec, x, wanted, order[aside:], order[:aside], self, changed))
            _, state = min(found, key=lambda pair: pair[0])
            self.codec.load_state_dict(state)
            self.codec.eval()
        return self

    @torch.no_grad()
    def predict(self, values: np.ndarray) -> np.ndarray:
        """Latents (n, k) of these people."""
        shaped, each = self._shaped(values), self.codec.at_once or len(values)
        with deterministic():
            pieces = [shaped[start : start + each] for start in range(0, len(shaped), each)]
            told = [self.codec.encode(self.codec.prepare(piece)).double().numpy() for piece in pieces]
        return self.mean + self.deviation * np.concatenate(told)

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(len(values), *self.block.shape)


def _descend(
    codec: Codec, x: Tensor, z: Tensor, kept: Tensor, aside: Tensor, how: CodecRegressor, changed: bool
) -> tuple[float, dict[str, Any]]:
    """Train the encoder on the people ``kept``; the state that is best for those ``aside``, and its error there."""
    codec.train()
    parameters = list(codec.parameters())
    optimiser = torch.optim.Adam(parameters, lr=how.learning_rate)
    steps = min(max(_FEWEST, _EPOCHS * len(kept) // how.batch), _MOST)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=0.02 * how.learning_rate)
    generator = torch.Generator().manual_seed(how.seed)
    every, best, state = max(1, steps // 20), math.inf, copy.deepcopy(codec.state_dict())
    for step in range(1, steps + 1):
        rows = kept[torch.randint(0, len(kept), (how.batch,))]
        optimiser.zero_grad()
        features = codec.augment(x[rows], generator) if changed else x[rows]
        ((codec.encode(features) - z[rows]) ** 2).mean().backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        schedule.step()
        if step % every == 0 or step == steps:
            with torch.no_grad():
                told = torch.cat([codec.encode(x[rows]) for rows in aside.split(how.batch)])
            if (error := float(((told - z[aside]) ** 2).mean())) < best:
                best, state = error, copy.deepcopy(codec.state_dict())
    return best, state
