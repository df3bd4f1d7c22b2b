"""Structural causal model: what latents would be, had some of them been set.

    z_i = flow_i^-1(eps_i | parents),        eps_i standard logistic and independent.

*Sampling* draws eps and goes through the latents causes first.  *Intervening*, do(z_i = v), replaces the equation of
z_i by the value and leaves all others as they are.  A *counterfactual* keeps each person's own eps.
Source: Pearl, Causality (2009), chapter 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mmcrl.checkpoint import NOWHERE, Kept
from mmcrl.directions import Arrow, allowed_parents, doubtful_links, working_directions
from mmcrl.errors import InputError
from mmcrl.likelihood import fit_mechanisms, log_likelihood
from mmcrl.mechanisms import Mechanisms
from mmcrl.storage import digest

__all__ = ["StructuralModel"]


class StructuralModel:
    """Mechanisms of named latents along an acyclic graph.

    Parameters
    ----------
    names : of the latents, in the order of their columns.
    arrows : the links that were allowed, each with its working direction.
    mechanisms : in float64 and ``eval()`` mode.
    """

    def __init__(self, names: Sequence[str], arrows: Sequence[Arrow], mechanisms: Mechanisms) -> None:
        self.names, self.arrows, self.mechanisms = list(names), list(arrows), mechanisms

    @classmethod
    def fit(
        cls,
        train: np.ndarray,
        held_out: np.ndarray,
        names: Sequence[str],
        links: pd.DataFrame,
        *,
        barred: np.ndarray | None = None,
        steps: int = 1000,
        penalty: float = 0.005,
        seed: int = 0,
        kept: Kept = NOWHERE,
    ) -> StructuralModel:
        """Learn mechanisms on latents (n, d), NaN where not measured, within the confident links of a table.

        ``penalty`` is what a link has to be worth, in nats per person; ``barred[i, j]`` says that j is known not to
        cause i.  A link that no acyclic graph can have the way that is known is left out, and remains doubtful.
        Mechanisms are kept once they are fitted, under a name that tells which parents they were allowed.
        """
        arrows = working_directions(links, names, barred=barred)
        allowed = allowed_parents(arrows, names, ~np.isnan(train), barred)
        fitted = partial(fit_mechanisms, train, held_out, allowed, steps=steps, penalty=penalty, seed=seed)
        stage = f"mechanisms-{digest({'allowed': allowed.tolist()})[:16]}"
        weights = kept.result(stage, lambda: fitted().state_dict())
        possible = allowed if barred is None else allowed | barred
        used = [a for a in arrows if possible[names.index(a.target), names.index(a.source)]]
        return cls.restored(names, used, weights)

    @classmethod
    def restored(
        cls, names: Sequence[str], arrows: Sequence[Arrow], weights: Mapping[str, Tensor]
    ) -> StructuralModel:
        """The model whose mechanisms had these weights."""
        parents, real = weights["parents"].numpy(), weights["real"].numpy()
        allowed = np.zeros((len(names), len(names)), dtype=bool)
        rows, places = np.nonzero(real)
        allowed[rows, parents[rows, places]] = True
        mechanisms = Mechanisms(allowed).double()
        mechanisms.load_state_dict(dict(weights))
        return cls(names, arrows, mechanisms.eval().requires_grad_(False))

    @property
    def adjacency(self) -> pd.DataFrame:
        """The learned adjacency, rows targets and columns sources; acyclic, with working directions."""
        return pd.DataFrame(self.mechanisms.adjacency(), index=self.names, columns=self.names)

    @property
    def in_use(self) -> list[Arrow]:
        """The arrows whose gate is open."""
        adjacency = self.adjacency
        return [a for a in self.arrows if adjacency.loc[a.target, a.source]]

    def doubtful(self, action: Mapping[str, float]) -> list[Arrow]:
        """Links without a decided direction on which the effect of this action depends, their gates shut or not."""
        return doubtful_links(self.arrows, list(self._checked(action)))

    def log_likelihood(self, z: np.ndarray) -> float:
        """Mean ``log p(z)`` per person, nats."""
        return log_likelihood(self.mechanisms, z)

    @torch.no_grad()
    def abduct(self, z: np.ndarray) -> np.ndarray:
        """Exogenous noise (n, d) of latents (n, d); NaN where a latent or a parent of it was not measured."""
        return self.mechanisms(torch.tensor(z))[0].numpy()

    def sample(self, n: int, seed: int = 0, action: Mapping[str, float] | None = None) -> np.ndarray:
        """Latents (n, d) of people who never lived, under do(action); the same seed draws the same eps."""
        fixed = self._checked(action or {})
        u = np.random.default_rng(seed).uniform(1e-15, 1 - 1e-15, size=(n, len(self.names)))
        z = torch.full(u.shape, torch.nan, dtype=torch.float64)
        return self._predict(z, torch.logit(torch.from_numpy(u)), fixed, set(self.names))

    def counterfactual(self, z: np.ndarray, action: Mapping[str, float]) -> np.ndarray:
        """Latents (n, d) that these people would have had under do(action).

        Only what descends from the action changes; NaN where the factual latent or a parent of it is missing.
        """
        fixed = self._checked(action)
        eps = torch.from_numpy(self.abduct(z))
        return self._predict(torch.tensor(z), eps, fixed, self.descendants(fixed))

    def descendants(self, of: Mapping[str, Any]) -> set[str]:
        """The latents that respond to these, themselves not among them."""
        found: set[str] = set()
        for i in self.mechanisms.order:
            name = self.names[i]
            causes = {a.source for a in self.in_use if a.target == name}
            if name not in of and causes & (found | set(of)):
                found.add(name)
        return found

    @torch.no_grad()
    def _predict(self, z: Tensor, eps: Tensor, fixed: Mapping[str, float], recomputed: set[str]) -> np.ndarray:
        for i in self.mechanisms.order:
            name = self.names[i]
            if name in fixed:
                z[:, i] = fixed[name]
            elif name in recomputed:
                z[:, i] = self.mechanisms.inverse(eps[:, i], z, i)
        return z.numpy()

    def _checked(self, action: Mapping[str, float]) -> dict[str, float]:
        if not isinstance(action, Mapping):
            raise InputError("action", "a dict of latent and value", type(action).__name__)
        for name, value in action.items():
            if name not in self.names:
                raise InputError("action", f"latents among {', '.join(self.names)}", repr(name))
            number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
            if not number or not np.isfinite(value):
                raise InputError(f'action["{name}"]', "a finite number of standard deviations", repr(value))
        return {name: float(value) for name, value in action.items()}
