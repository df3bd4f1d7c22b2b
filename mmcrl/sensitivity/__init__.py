"""Sensitivity: what a link of a fitted model would have to survive, most of it without fitting anything again.

Four questions are asked of the same latents and the same sets of other latents that the link rests on: how strong a
hidden cause of both ends would have to be (`hidden`), whether the link is there in parts of the people (`strata`),
whether it hangs on the covariates (`covariates`), and how much a link may be asked to be worth (`limits`).  A fifth
asks whether the other random starts of the same fit show it (`starts`), a sixth what becomes of it in the population
that a survey's people stand for (`weights`).

What needs refits: with other numbers of latents, penalties and seeds (`variations`), on halves of the people
(`mmcrl.stability.link_stability`), and sweeps over the settings.
"""

from mmcrl.sensitivity.covariates import COVARIATE_COLUMNS, covariate_table
from mmcrl.sensitivity.hidden import HIDDEN_COLUMNS, adjusted_correlation, hidden_table, needed_cause
from mmcrl.sensitivity.limits import claim_limit
from mmcrl.sensitivity.measured import Measured
from mmcrl.sensitivity.starts import START_COLUMNS, start_table
from mmcrl.sensitivity.strata import STRATUM_COLUMNS, observed_strata, stratum_table
from mmcrl.sensitivity.variations import VARIATION_COLUMNS, variation_table, varied
from mmcrl.sensitivity.weights import WEIGHT_COLUMNS, weight_table

__all__ = [
    "COVARIATE_COLUMNS",
    "HIDDEN_COLUMNS",
    "START_COLUMNS",
    "STRATUM_COLUMNS",
    "VARIATION_COLUMNS",
    "WEIGHT_COLUMNS",
    "Measured",
    "adjusted_correlation",
    "claim_limit",
    "covariate_table",
    "hidden_table",
    "needed_cause",
    "observed_strata",
    "start_table",
    "stratum_table",
    "variation_table",
    "varied",
    "weight_table",
]
