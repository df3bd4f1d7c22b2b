"""Views: codes that come from one view of a modality, such as the tone of a picture rather than its layout.

What one code tells of other modalities is a reason for its siblings to tell nothing: a transparency that follows from
a place tells nothing that the place does not tell better.  So the codes of every view but a modality's first are also
contrasted alone, with the codes of the other modalities held fixed,

    score_v(z) = <f_v(z^(v)), g_v(z^(others))>,

whose gradient reaches the codes of that view alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcrl.kinds import Codec
from mmcrl.networks import mlp

__all__ = ["Views"]

_N_FEATURES = 16  # of a view, and of what the others show


class Views(nn.Module):
    """All views of all modalities, each with the codes that come from it, and a critic for every further view."""

    def __init__(self, codecs: Sequence[Codec], width: int) -> None:
        super().__init__()
        owners = [m for m, codec in enumerate(codecs) for _ in codec.views]
        sizes = [k for codec in codecs for k in codec.views]
        d = sum(sizes)
        self.codes = list(zip(owners, torch.arange(d).split(sizes), strict=True))
        self.further = [v for v in range(1, len(owners)) if owners[v] == owners[v - 1]]
        self.alike = [torch.cat([index for m, index in self.codes if m == owners[v]]) for v in self.further]
        self.own = nn.ModuleList([mlp(sizes[v], width, _N_FEATURES) for v in self.further])
        self.others = nn.ModuleList([mlp(d, width, _N_FEATURES) for _ in self.further])

    @torch.no_grad()
    def begin_as(self, whole: Views, modalities: Sequence[int], index: Tensor) -> None:
        """Take the critics of these modalities' views, whose codes are number ``index`` of all."""
        kept = [k for m in modalities for k, v in enumerate(whole.further) if whole.codes[v][0] == m]
        for own, others, k in zip(self.own, self.others, kept, strict=True):
            own.load_state_dict(whole.own[k].state_dict())
            state = whole.others[k].state_dict()
            others.load_state_dict(state | {"0.weight": state["0.weight"][:, index]})

    def loss(self, latents: Tensor, seen: Tensor) -> Tensor:
        """InfoNCE (nats) summed over the further views, for latents (n, d), 0 where ``seen`` (n, d) is."""
        total = latents.new_zeros(())
        for v, alike, own, others in zip(self.further, self.alike, self.own, self.others, strict=True):
            _, index = self.codes[v]
            rows = torch.nonzero(seen[:, index].any(1))[:, 0]
            if len(rows) < 2:
                continue
            context = latents[rows].detach()
            context[:, alike] = 0.0
            scores = others(context) @ own(latents[rows][:, index]).T
            total = total + F.cross_entropy(scores, torch.arange(len(rows), device=scores.device))
        return total
