"""Proof: what one point of a sweep measures, and what the pages make of the tables.

The notebooks below ``notebooks/workers`` call what measures a world, a cohort or a fit; the pages call `study`,
`published` and what makes tables and pictures of the results.
"""

from mmcrl.proof.published import published_numbers
from mmcrl.proof.study import Study, study
from mmcrl.proof.tables import by_world, shown

__all__ = ["Study", "by_world", "published_numbers", "shown", "study"]
