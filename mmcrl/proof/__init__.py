"""Proof: what one point of a sweep measures, and what the pages make of the tables.

The notebooks below ``notebooks/workers`` call `points`, `pcs`, `trust` and `bench`; the pages call `study` and
`published`.
"""

from mmcrl.proof.published import published_numbers
from mmcrl.proof.study import Study, study
from mmcrl.proof.tables import by_world, shown

__all__ = ["Study", "by_world", "published_numbers", "shown", "study"]
