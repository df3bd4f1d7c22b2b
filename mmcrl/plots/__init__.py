"""Plots: pictures of cohorts, links and scores.

Every function returns the matplotlib Axes or Figure that it drew.  Counts under 10 people are never shown, and no
picture has a mark for a single person.
"""

from mmcrl.plots.evidence import evidence_plot
from mmcrl.plots.fits import recovery_density, score_intervals, training_curve
from mmcrl.plots.graph import link_graph
from mmcrl.plots.matrices import adjacency_heatmap, loadings_heatmap
from mmcrl.plots.people import cohort_overview

__all__ = [
    "adjacency_heatmap",
    "cohort_overview",
    "evidence_plot",
    "link_graph",
    "loadings_heatmap",
    "recovery_density",
    "score_intervals",
    "training_curve",
]
