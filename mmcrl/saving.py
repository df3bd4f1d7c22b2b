"""Saving: a fitted model as a description (JSON) and tensors, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from torch import Tensor

from mmcrl.directions import Arrow
from mmcrl.knowledge import Knowledge
from mmcrl.plan import Block
from mmcrl.scm import StructuralModel
from mmcrl.storage import under
from mmcrl.training import deterministic, network_of

if TYPE_CHECKING:
    from mmcrl.model import MultimodalCRL

__all__ = ["described", "restored"]


def described(model: MultimodalCRL) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What `mmcrl.storage.write_folder` keeps of a fitted model: no row of a person."""
    description = {
        "n_latents": {block.name: block.n_latents for block in model._blocks},
        "seed": model.seed,
        "settings": model.settings.to_dict(),
        "knowledge": model.knowledge.to_dict(),
        "blocks": [block.to_dict() for block in model._blocks],
        "links": model._links.to_dict("records"),
        "identified": model._identified.to_dict("records"),
        "history": model.history.to_dict("records"),
        "report": model.report,
        "arrows": model.structure.arrows,
    }
    weights = {f"network.{k}": v for k, v in model._network.state_dict().items()}
    weights |= {f"private.{m}": root for m, root in enumerate(model._private)}
    weights |= {f"mechanisms.{k}": v for k, v in model.structure.mechanisms.state_dict().items()}
    return description, {**weights, "orientation": model._orientation}


def restored(model: MultimodalCRL, description: dict[str, Any], weights: dict[str, Tensor]) -> MultimodalCRL:
    """An unfitted model of these settings, given what was learned."""
    model.knowledge = Knowledge(**description["knowledge"])
    blocks = [Block(**block) for block in description["blocks"]]
    with deterministic(model.settings.dtype):
        network = network_of(blocks, model.settings.width, model.device)
    network.load_state_dict(under("network", weights))
    model._adopt(blocks, network.eval())
    model._orientation = weights["orientation"]
    model._private = [weights[f"private.{m}"] for m in range(len(blocks))]
    arrows = [Arrow(*arrow) for arrow in description["arrows"]]
    model.structure = StructuralModel.restored(model.latent_names, arrows, under("mechanisms", weights))
    model._links = pd.DataFrame(description["links"])
    model._identified = pd.DataFrame(description["identified"])
    model.history = pd.DataFrame(description["history"])
    model.report = description["report"]
    return model
