"""Baselines: what other methods recover of the same cohort, and what a method that sees the truth would.

Each has the estimator's protocol: ``fit(cohort)``, then ``transform(cohort)`` to a table of latents, with its
``hyper_parameters`` at hand.  As in `MultimodalCRL`, each column of an ``observed`` modality is a latent of its own.
"""

from mmcrl.baselines.base import Baseline
from mmcrl.baselines.beta_vae import BetaVAE
from mmcrl.baselines.causal_vae import CausalVAE
from mmcrl.baselines.edges import edge_table, standing_columns
from mmcrl.baselines.grouped import GroupedContrast
from mmcrl.baselines.linear import FastICABaseline, PCABaseline
from mmcrl.baselines.multimodal import MCL
from mmcrl.baselines.pc import fci_graph, pc_graph
from mmcrl.baselines.published import PublishedLoss
from mmcrl.baselines.registry import METHODS, named
from mmcrl.baselines.supervised import SupervisedCeiling

__all__ = [
    "MCL",
    "METHODS",
    "Baseline",
    "BetaVAE",
    "CausalVAE",
    "FastICABaseline",
    "GroupedContrast",
    "PCABaseline",
    "PublishedLoss",
    "SupervisedCeiling",
    "edge_table",
    "fci_graph",
    "named",
    "pc_graph",
    "standing_columns",
]
