"""Plots: pictures of cohorts, links and scores.

Every function returns the matplotlib Axes or Figure that it drew.  Counts under 10 people are never shown, and no
picture has a mark for a single person.
"""

from mmcrl.plots.graph import link_graph

__all__ = ["link_graph"]
