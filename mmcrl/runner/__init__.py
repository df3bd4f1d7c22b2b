"""Runner: executes the notebooks of a project with checked parameters, and only those that are not fresh.

`run` brings pages and sweeps up to date, `glued` reads what a notebook gives to pages, `results.read` a table that
took long to compute. Needs the extra ``book``.
"""

from mmcrl.runner import results
from mmcrl.runner.glue import glued
from mmcrl.runner.project import Project
from mmcrl.runner.runs import Options, run

__all__ = ["Options", "Project", "glued", "results", "run"]
