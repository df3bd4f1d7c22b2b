"""Plots: pictures of cohorts, links and scores, and cards of links.

Every function returns the matplotlib Axes or Figure that it drew, `card_view` what a page shows as HTML.  Counts
under 10 people are never shown, no picture has a mark for a single person, and images and series are averages over
people; `gallery`, `traversal`, `recordings` and `traces` are for simulated ones.
"""

from mmcrl.plots.averages import average_images, average_series
from mmcrl.plots.cards import card_view
from mmcrl.plots.cohorts import returning_links
from mmcrl.plots.columns import column_histograms, missing_columns
from mmcrl.plots.costs import graph_distances, growth
from mmcrl.plots.ends import averages_told, latent_averages
from mmcrl.plots.evidence import evidence_plot
from mmcrl.plots.fits import dimension_losses, recovery_density, score_intervals, training_curve
from mmcrl.plots.graph import link_graph, true_graph
from mmcrl.plots.guard import guard_report
from mmcrl.plots.matrices import adjacency_heatmap, loadings_heatmap
from mmcrl.plots.movers import moving_columns
from mmcrl.plots.people import cohort_overview
from mmcrl.plots.pictures import gallery, traversal
from mmcrl.plots.recordings import recordings, traces
from mmcrl.plots.studies import choice_matrix, method_panels, missing_table, verdict_bars, world_scores
from mmcrl.plots.together import modalities_together
from mmcrl.plots.trust import calibration_curve, error_rates

__all__ = [
    "adjacency_heatmap",
    "average_images",
    "average_series",
    "averages_told",
    "calibration_curve",
    "card_view",
    "choice_matrix",
    "cohort_overview",
    "column_histograms",
    "dimension_losses",
    "error_rates",
    "evidence_plot",
    "gallery",
    "graph_distances",
    "growth",
    "guard_report",
    "latent_averages",
    "link_graph",
    "loadings_heatmap",
    "method_panels",
    "missing_columns",
    "missing_table",
    "modalities_together",
    "moving_columns",
    "recordings",
    "recovery_density",
    "returning_links",
    "score_intervals",
    "traces",
    "training_curve",
    "traversal",
    "true_graph",
    "verdict_bars",
    "world_scores",
]
