"""Graph: the latents of the simulated phenotype cohort, what causes what, and why one may think so.

Every link has a name in the literature, which gives its direction and sign; how strong it is, is a choice of ours.
Siblings never share a neighbour in another modality, so none is nested in the other and cross-modal sparsity frees
them all; but the latents of the eye share age, and have one neighbour each of their own.
Sources: Kahn et al. (2006), 10.1038/nature05482; Beutler and Waalen (2006), 10.1182/blood-2005-07-3046; Wong et al.,
Retinal vessel diameters and age (2003); Klein et al., Age-related lens opacities (1992); Pollreisz et al. (2010),
10.1155/2010/608751; Peppard et al. (2000), 10.1001/jama.284.23.3015; Heinzer et al. (2015),
10.1016/S2213-2600(15)00043-0; Metivier et al., Pathophysiology of anaemia (2000); Dodds et al. (2014),
10.1371/journal.pone.0113637; Barnett et al. (2012), 10.1016/S0140-6736(12)60240-2; Sun et al. (2025),
arXiv:2411.06518.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmcrl.simulate.mechanisms import PILOT, Mechanisms

__all__ = ["LATENTS", "LINKS", "Link", "adjacency", "draw_eps", "physiology"]

LATENTS: dict[str, tuple[str, float]] = {  # name: what it is, share of its deviation that its causes carry
    "demographics.0": ("age", 0.0),
    "demographics.1": ("sex, a woman's the larger", 0.0),
    "body.0": ("adiposity", 0.0),
    "body.1": ("frame: length of the bones", 0.70),
    "blood.0": ("dysglycaemia with its lipids", 0.75),
    "blood.1": ("oxygen-carrying red cells", 0.70),
    "eye.0": ("vascular ageing: narrow, winding, rarefied vessels", 0.75),
    "eye.1": ("clouding and yellowing of the lens", 0.80),
    "night.0": ("sleep-disordered breathing", 0.80),
    "night.1": ("sympathetic tone: fast heart, restless sleep", 0.75),
    "oximetry.0": ("oxygen desaturation", 0.85),
    "grip.0": ("muscle strength", 0.92),
    "conditions.0": ("burden of disease", 0.85),
}


class Link(NamedTuple):
    """A cause, its effect, weight in the location, curvature, weight in the log scale, and what it rests on."""

    source: str
    target: str
    weight: float
    bend: float
    spread: float
    rests_on: str


LINKS = (
    Link("demographics.1", "body.1", -1.0, 0.0, -0.2, "women are shorter: NHANES"),
    Link("body.0", "blood.0", 1.0, 0.5, 0.4, "obesity brings insulin resistance: Kahn et al. (2006)"),
    Link("demographics.1", "blood.1", -1.0, 0.0, 0.2, "women have less haemoglobin: Beutler and Waalen (2006)"),
    Link("demographics.0", "eye.0", 1.0, 0.4, 0.4, "arterioles narrow with age: Wong et al. (2003)"),
    Link("demographics.0", "eye.1", 1.0, 0.5, 0.2, "the lens clouds with age: Klein et al. (1992)"),
    Link("blood.0", "eye.1", 0.8, 0.4, -0.4, "diabetes clouds the lens: Pollreisz et al. (2010)"),
    Link("body.0", "night.0", 1.0, 0.5, 0.4, "weight brings apnoea: Peppard et al. (2000)"),
    Link("demographics.1", "night.0", -0.7, 0.0, 0.1, "men stop breathing more often: Heinzer et al. (2015)"),
    Link("blood.1", "night.1", -1.0, -0.4, -0.4, "fewer red cells, faster heart: Metivier et al. (2000)"),
    Link("night.0", "oximetry.0", 1.0, 0.5, 0.4, "apnoeas desaturate: Sun et al. (2025)"),
    Link("demographics.0", "grip.0", -0.7, 0.4, 0.1, "strength falls with age: Dodds et al. (2014)"),
    Link("demographics.1", "grip.0", -1.2, 0.0, -0.2, "women grip less: Dodds et al. (2014)"),
    Link("eye.0", "grip.0", -0.9, 0.4, 0.3, "a fundus latent goes with grip: Sun et al. (2025)"),
    Link("body.1", "grip.0", 0.8, 0.4, 0.2, "the tall grip more: NHANES"),
    Link("blood.0", "conditions.0", 1.0, 0.4, 0.3, "what follows from diabetes: Kahn et al. (2006)"),
    Link("demographics.0", "conditions.0", 0.8, 0.4, 0.2, "disease adds up: Barnett et al. (2012)"),
)


def adjacency() -> np.ndarray:
    """``A[i, j] = 1`` iff latent j causes latent i, in the order of `LATENTS`, which is causal."""
    return (_weights("weight") != 0).astype(int)


def physiology() -> Mechanisms:
    """The structural equations of `LINKS`: the same in every world, whoever is drawn from it."""
    links = adjacency()
    strength = np.array([share for _, share in LATENTS.values()])
    moments = np.tile([0.0, 1.0, 1.0], (len(LATENTS), 1))
    mechanisms = Mechanisms(links, strength, _weights("weight"), _weights("bend"), _weights("spread"), moments)
    mechanisms.standardise(draw_eps(np.random.default_rng(12345), PILOT))
    return mechanisms


def draw_eps(rng: np.random.Generator, n: int) -> np.ndarray:
    """Independent noise (n, d) of unit variance, one person after the other, so that nobody depends on n.

    Age is uniform, sex is -1 or 1 evenly, all else is Laplace.
    """
    u = rng.random((n, len(LATENTS)))
    eps = -np.sign(u - 0.5) * np.log1p(-np.abs(2 * u - 1)) / np.sqrt(2)
    eps[:, 0] = np.sqrt(12) * (u[:, 0] - 0.5)
    eps[:, 1] = np.where(u[:, 1] < 0.5, -1.0, 1.0)
    return eps


def _weights(field: str) -> np.ndarray:
    at = {name: i for i, name in enumerate(LATENTS)}
    matrix = np.zeros((len(at), len(at)))
    for link in LINKS:
        matrix[at[link.target], at[link.source]] = getattr(link, field)
    return matrix
