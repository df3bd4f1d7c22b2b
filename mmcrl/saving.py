"""Saving: a fitted model as a description (JSON) and tensors, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor

from mmcrl.directions import Arrow
from mmcrl.factors import Factors
from mmcrl.imputation import Imputation
from mmcrl.knowledge import Knowledge
from mmcrl.plan import Block
from mmcrl.representation import Representation
from mmcrl.scm import StructuralModel
from mmcrl.sharing import Copies
from mmcrl.storage import under
from mmcrl.training import deterministic, network_of

if TYPE_CHECKING:
    from mmcrl.model import MultimodalCRL

__all__ = ["described", "restored"]


def described(model: MultimodalCRL) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What `mmcrl.storage.write_folder` keeps of a fitted model: no row of a person."""
    shows = model._fitted
    description = {
        "n_latents": shows.n_own,
        "n_shared": model.n_shared,
        "seed": model.seed,
        "settings": model.settings.to_dict(),
        "knowledge": model.knowledge.to_dict(),
        "representation": shows.to_dict(),
        "links": model._links.to_dict("records"),
        "identified": model._identified.to_dict("records"),
        "history": model.history.to_dict("records"),
        "report": model.report,
        "arrows": model.structure.arrows,
    }
    weights = {f"network.{k}": v for k, v in shows.network.state_dict().items()}
    weights |= _private_tensors(shows)
    weights |= {f"mechanisms.{k}": v for k, v in model.structure.mechanisms.state_dict().items()}
    if model._imputation is not None:
        weights |= {f"imputation.{k}": v for k, v in model._imputation.tensors().items()}
    return description, {**weights, "orientation": torch.from_numpy(shows.orientation)}


def restored(model: MultimodalCRL, description: dict[str, Any], weights: dict[str, Tensor]) -> MultimodalCRL:
    """An unfitted model of these settings, given what was learned."""
    model.knowledge = Knowledge(**description["knowledge"])
    known = description["representation"]
    views, copies = [Block(**block) for block in known["blocks"]], [Copies(**latent) for latent in known["copies"]]
    with deterministic(model.settings.dtype):
        network = network_of(views, model.settings.width, model.device, [latent.codes for latent in copies])
    network.load_state_dict(under("network", weights))
    model._representation = Representation(views, network.eval(), copies)
    model._representation.orientation = weights["orientation"].numpy()
    model._representation.private = [_private(m, weights) for m in range(len(views))]
    regression = under("imputation", weights)
    model._imputation = Imputation.restored(regression) if regression else None
    arrows = [Arrow(*arrow) for arrow in description["arrows"]]
    model.structure = StructuralModel.restored(model.latent_names, arrows, under("mechanisms", weights))
    links = pd.DataFrame(description["links"])
    earlier = {"least": model.settings.smallest_effect}  # what versions asked of every link that did not save it
    model._links = links.assign(**{name: asked for name, asked in earlier.items() if name not in links})
    model._identified = pd.DataFrame(description["identified"])
    model.history = pd.DataFrame(description["history"])
    model.report = description["report"]
    return model


def _private_tensors(shows: Representation) -> dict[str, Tensor]:
    return {f"private.{m}.{k}": v for m, factors in enumerate(shows.private) for k, v in factors.tensors().items()}


def _private(m: int, weights: dict[str, Tensor]) -> Factors:
    """Private variation of modality m; models saved before its dimensions were chosen have one tensor of it."""
    known = under(f"private.{m}", weights)
    return Factors.restored(known or {"root": weights[f"private.{m}"]})
