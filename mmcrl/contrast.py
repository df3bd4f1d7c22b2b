"""Structured contrast: encoders that tell a person's row from others by the person's other modalities.

For every modality m a critic scores whether its code z^(m) belongs to the codes of the other modalities,

    score_m(z) = sum over i in m, j not in m of <phi_i(z_i), W_ij phi_j(z_j)> + psi_m(z^(m)),

and is trained against the other people of the batch (InfoNCE).  Because the critic is a sum over *pairs of
components*, encoders are drawn to the components; private variation does not help and is dropped.  The size of each
pair's term under independence, ``E_ij = sqrt(tr(W_ij C_j W_ij^T C_i))`` with C the covariance of the features, is
penalised, which makes the cross-modal links sparse.  Codes of a modality's further views have a critic of their own
beside it (see `mmcrl.views`).

Codes that are copies of one latent (see `mmcrl.sharing`) agree too well for such features.  They are *tied*: instead
of ``<phi_i, W_ij phi_j>`` a pair of copies i, j has the term ``-tau (z_i - z_j)^2``, which is not penalised.
Sources: Sun et al. (2025), arXiv:2411.06518 (sparsity across modalities); Morioka and Hyvarinen, Causal
Representation Learning Made Identifiable by Grouping of Observational Variables (2024), arXiv:2310.15709.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcrl.kinds import Codec
from mmcrl.networks import ScalarFeatures, mlp
from mmcrl.tensors import Features, as_tensor, pieces_of, some_of
from mmcrl.views import Views

__all__ = ["Contrast", "moments"]

_N_FEATURES = 8  # of each scalar; 4 underfit curved links, 16 gained nothing in trials
_LOG_TAU = 3.0  # at first: copies that correlate by .99 have 1 / (2 Var(z_i - z_j)) = 25


class Contrast(nn.Module):
    """Codecs of all modalities with the pairwise critic on their codes."""

    mean: Tensor
    scale: Tensor
    cross: Tensor

    def __init__(self, codecs: Sequence[Codec], feature_width: int = 32, tied: Sequence[Sequence[int]] = ()) -> None:
        super().__init__()
        self.codecs = nn.ModuleList(codecs)
        sizes = [codec.n_latents for codec in codecs]
        block = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        self.members = [torch.nonzero(block == m)[:, 0] for m in range(len(sizes))]
        self.parts = [codec.parts for codec in codecs]
        d = len(block)
        self.phi = ScalarFeatures(d, _N_FEATURES, feature_width)
        self.pair = nn.Parameter(0.1 / _N_FEATURES * torch.randn(d, d, _N_FEATURES, _N_FEATURES))
        self.psi = nn.ModuleList([mlp(k, feature_width, 1) for k in sizes])
        self.views = Views(codecs, feature_width)
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("scale", torch.ones(d))
        cross = (block[:, None] != block[None]).to(torch.get_default_dtype())
        self.tied = [list(copies) for copies in tied]
        self.tied_in: list[list[tuple[int, int, list[int]]]] = [[] for _ in sizes]  # group, code, its other copies
        for s, copies in enumerate(self.tied):
            cross[torch.tensor(copies)[:, None], torch.tensor(copies)] = 0.0
            for i in copies:
                self.tied_in[int(block[i])].append((s, i, [j for j in copies if j != i]))
        if tied:
            self.log_tau = nn.Parameter(torch.full((len(tied),), _LOG_TAU))
        self.register_buffer("cross", cross)

    def codes(self, features: Sequence[Features]) -> Tensor:
        """Raw codes (n, d) of all modalities side by side; of large ones in pieces, where no gradient is wanted."""
        return torch.cat([_encoded(c, x) for c, x in zip(self.codecs, features, strict=True)], 1)  # type: ignore[arg-type]

    def latents(self, features: Sequence[Features], seen: Tensor) -> Tensor:
        """Latents (n, d): codes standardised, 0 where their part is not ``seen`` (n, P)."""
        known = self.per_latent(seen)
        if self.training:
            codes = self.codes(features)
            mean, scale = moments(codes, known)
            return (codes - mean) / scale * known
        return (self.codes(features) - self.mean) / self.scale * known

    @torch.no_grad()
    def calibrate(self, features: Sequence[Features], seen: Tensor, most: int | None = None) -> None:
        """Fix the standardisation on these (training) people, of every modality on those who have it, or ``most``."""
        known = self.per_latent(seen)
        for m, (codec, index) in enumerate(zip(self.codecs, self.members, strict=True)):
            rows = some_of(torch.nonzero(known[:, index].any(1))[:, 0], most)
            codes = _encoded(codec, features[m], rows)  # type: ignore[arg-type]
            self.mean[index], self.scale[index] = moments(codes, known[rows][:, index])

    @torch.no_grad()
    def among(self, modalities: Sequence[int]) -> Contrast:
        """These modalities alone, with a critic of their own that begins as this one; no code of theirs is tied."""
        index = torch.cat([self.members[m] for m in modalities])
        with torch.random.fork_rng(devices=[]):
            codecs: list[Codec] = [self.codecs[m] for m in modalities]  # type: ignore[misc]
            part = Contrast(codecs, self.phi.w1.shape[-1]).to(self.mean)
        for own, weights in zip(part.phi.parameters(), self.phi.parameters(), strict=True):
            own.copy_(weights[index])
        part.pair.copy_(self.pair[index][:, index])
        part.psi.load_state_dict(nn.ModuleList([self.psi[m] for m in modalities]).state_dict())
        part.views.begin_as(self.views, modalities, index)
        part.mean.copy_(self.mean[index])
        part.scale.copy_(self.scale[index])
        return part

    def pair_weights(self) -> Tensor:
        """W (d, d, r, r): symmetric in swapping the pair, zero within a modality."""
        return 0.5 * (self.pair + self.pair.permute(1, 0, 3, 2)) * self.cross[:, :, None, None]

    def loss(self, latents: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """InfoNCE summed over modalities and further views (nats), and the size E (d, d) of every pair's term.

        A modality is contrasted among those of whom any part of it is ``seen`` (n, P).
        """
        n, d = latents.shape
        known = self.per_latent(seen)
        phi = self.phi(latents) * known.unsqueeze(-1)
        weights = self.pair_weights()
        flat = weights.permute(1, 3, 0, 2).reshape(d * _N_FEATURES, d * _N_FEATURES)
        context = (phi.reshape(n, -1) @ flat).reshape(n, d, _N_FEATURES)
        total, everyone = latents.new_zeros(()), bool(seen.all())
        for m, index in enumerate(self.members):
            rows = slice(None) if everyone else torch.nonzero(known[:, index].any(1))[:, 0]
            mine, others = phi[rows][:, index].flatten(1), context[rows][:, index].flatten(1)
            if len(mine) < 2:
                continue
            mine = [mine, self.psi[m](latents[rows][:, index])]
            others = [others, others.new_ones(len(others), 1)]
            for s, i, copies in self.tied_in[m]:
                candidate, told = self._agreement(
                    s, latents[rows, i], latents[rows][:, copies], known[rows][:, copies]
                )
                mine, others = [*mine, candidate], [*others, told]
            scores = torch.cat(others, 1) @ torch.cat(mine, 1).T
            total = total + F.cross_entropy(scores, torch.arange(len(scores), device=scores.device))
        return total + self.views.loss(latents, known), self._sizes(phi, weights)

    def _agreement(self, s: int, mine: Tensor, copies: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, 2) of candidates and of people whose product is the term of a copy,

            -tau_s sum_j (z_i' - z_j)^2  =  <(z_i', z_i'^2), tau_s (2 sum_j z_j, -|J|)>  +  what no candidate changes.

        ``mine`` (n,) are the candidates' z_i', ``copies`` (n, c) the people's z_j where they are ``seen`` (n, c).
        """
        known = torch.stack([2 * copies.sum(1), -seen.sum(1)], 1)
        return torch.stack([mine, mine**2], 1), self.log_tau[s].exp() * known

    def distance_from(self, taught: Tensor, latents: Tensor, seen: Tensor) -> Tensor:
        """Mean squared distance of tied codes from what was ``taught`` (n, s), NaN where nothing, up to its sign."""
        seen, total = self.per_latent(seen) > 0, latents.new_zeros(())
        for value, copies in zip(taught.T, self.tied, strict=True):
            known = (seen[:, copies] & ~value.isnan()[:, None]).to(latents.dtype)
            codes, value = latents[:, copies] * known, value.nan_to_num()[:, None] * known
            sign = torch.where((codes * value).sum() < 0, -1.0, 1.0)
            total = total + ((codes - sign * value) ** 2).sum() / known.sum().clamp_min(1)
        return total

    def blurred(self, latents: Tensor, seen: Tensor, weight: float, generator: torch.Generator) -> Tensor:
        """Latents (n, d) with noise of ``weight`` times each kind's ``blur`` where they are ``seen`` (n, P).

        Where codes lie in clusters, by some private trait, noise leaves the critic the clusters alone; the codes do
        better to come together, and to tell the others what they share with them.
        """
        blur = torch.tensor([codec.blur for codec in self.codecs for _ in range(codec.n_latents)])  # type: ignore
        noise = torch.randn(latents.shape, generator=generator, dtype=latents.dtype)
        return latents + (weight * blur * noise).to(latents) * self.per_latent(seen)

    def redundancy(self, latents: Tensor) -> Tensor:
        """Sum over pairs of siblings of their squared correlation in this batch, each kind's times its ``apart``."""
        total = latents.new_zeros(())
        for codec, index in zip(self.codecs, self.members, strict=True):
            if codec.apart and len(index) > 1:
                codes = latents[:, index]
                correlation = codes.T @ codes / codes.pow(2).sum(0).mean().clamp_min(1e-6)
                total = total + codec.apart * correlation.triu(1).pow(2).sum()  # type: ignore[operator]
        return total

    def _sizes(self, phi: Tensor, weights: Tensor) -> Tensor:
        centred = (phi - phi.mean(0)).transpose(0, 1)
        covariance = centred.transpose(1, 2) @ centred / phi.shape[0]
        spread = torch.einsum("ijst,jtu->ijsu", weights, covariance)
        variance = torch.einsum("ijsu,ijvu,ivs->ij", spread, weights, covariance)
        return (variance.clamp_min(0) + 1e-6).sqrt() * self.cross

    def per_latent(self, seen: Tensor) -> Tensor:
        """Parts of modalities that are seen (n, P) as weights (n, d) of their latents."""
        sizes = torch.tensor([size for parts in self.parts for size in parts], device=seen.device)
        return torch.repeat_interleave(seen, sizes, dim=1).to(self.mean.dtype)


def _encoded(codec: Codec, features: Features, rows: Tensor | None = None) -> Tensor:
    if torch.is_grad_enabled():
        return codec.encode(as_tensor(features if rows is None else features[rows]))
    n, done = len(features) if rows is None else len(rows), 0
    codes: Tensor | None = None
    for piece in pieces_of(features, codec.at_once, rows):
        own = codec.encode(piece)
        if len(own) == n:
            return own
        if codes is None:  # in one place: kept one by one, between what pieces need, they would tear the memory apart
            codes = own.new_empty(n, own.shape[1])
        codes[done : done + len(own)] = own
        done += len(own)
    assert codes is not None
    return codes


def moments(codes: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (d,) of codes (n, d) over the people who were measured, ``seen`` (n, d)."""
    count = seen.sum(0).clamp_min(1)
    mean = (codes * seen).sum(0) / count
    variance = ((codes - mean) ** 2 * seen).sum(0) / count
    return mean, (variance + 1e-5).sqrt()
