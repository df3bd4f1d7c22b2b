"""Checking: what is proposed for a manifest and its data, and pictures of the cohort, without a person in sight."""

from mmcrl.checking.advice import advise
from mmcrl.checking.data import mend_data, mend_ids
from mmcrl.checking.draft import Draft, column_place
from mmcrl.checking.form import mend_form
from mmcrl.checking.latents import latent_faults

__all__ = ["Draft", "advise", "column_place", "latent_faults", "mend_data", "mend_form", "mend_ids"]
