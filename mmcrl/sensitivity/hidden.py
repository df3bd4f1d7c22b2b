"""Hidden: how strong a cause of both ends, that nobody measured, would have to be to account for a link.

Let rho be the partial correlation of the ends i and j given S, and U something that was not measured, whose partial
correlations with them given S are a and b.  Were U measured and held fixed too, there would be left

    rho_U = (rho - a b) / sqrt((1 - a^2) (1 - b^2)).

With ``a = b = r`` (or ``a = -b`` for a negative rho, whose size counts), the link is down to a correlation t when

    r^2 = (abs(rho) - t) / (1 - t),

for t = 0 at ``r = sqrt(abs(rho))``.  A hidden cause with unequal ends does it when ``a b`` is as large, or nearly so.
Here abs(rho) is the correlation of the link's evidence, ``sqrt(1 - exp(-2 Delta))``, and t that of the least
evidence which counts as a link of this pair.

This is the bias formula of omitted variables in the symmetric form that suits a link without a direction.  In the
terms of Cinelli and Hazlett (Making sense of sensitivity: extending omitted variable bias, Journal of the Royal
Statistical Society B 82:39, 2020) such a U (t = 0) explains a share rho of the source that S leaves, and a share
``rho / (1 + rho)`` of the target that S and the source leave; their robustness value, which takes both shares as
equal, ``RV = (sqrt(f^4 + 4 f^2) - f^2) / 2`` with ``f^2 = rho^2 / (1 - rho^2)``, lies between the two.

Limits: the formula is that of linear-Gaussian latents and of one U.  Where dependence is curved a hidden cause may do
with less correlation, and so it may where S or the ends are known with errors; what people were selected for is not
covered.  It says what would be needed, not whether there is such a cause.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmcrl.errors import InputError, check_table
from mmcrl.evidence import WIDTH, correlation_of, partial_correlation
from mmcrl.knowledge import modality_of
from mmcrl.sensitivity.measured import Measured, Pair

__all__ = ["HIDDEN_COLUMNS", "adjusted_correlation", "hidden_table", "needed_cause"]

HIDDEN_COLUMNS = ["source", "target", "cause", "cause_low", "strongest", "strongest_cause"]


def adjusted_correlation(rho: float, a: float, b: float) -> float:
    """rho_U: the partial correlation that is left when U, of partial correlations a and b with the ends, is fixed.

    Raises
    ------
    InputError : for correlations that no three variables can have.

    >>> round(adjusted_correlation(0.25, 0.5, 0.5), 6)
    0.0
    """
    rest = (1 - a**2) * (1 - b**2)
    if not all(-1 < value < 1 for value in (rho, a, b)) or (rho - a * b) ** 2 > rest:
        raise InputError("rho, a, b", "correlations that three variables can have", f"{rho}, {a}, {b}")
    return float((rho - a * b) / np.sqrt(rest))


def needed_cause(rho: float, least: float = 0.0) -> float:
    """r: the partial correlation with both ends at which a hidden cause leaves abs(rho) at ``least``; 0 if below.

    Raises
    ------
    InputError : for what is no correlation.

    >>> needed_cause(-0.25), needed_cause(0.05, 0.1), round(needed_cause(0.28, 0.1), 2)
    (0.5, 0.0, 0.45)
    """
    for name, value in (("rho", rho), ("least", least)):
        if not -1 < value < 1 or (name == "least" and value < 0):
            raise InputError(name, "a correlation", repr(value))
    return float(np.sqrt(max(abs(rho) - least, 0.0) / (1 - least)))


def hidden_table(links: pd.DataFrame, measured: Measured) -> pd.DataFrame:
    """Columns `HIDDEN_COLUMNS`: one row per link.

    cause : r that brings the evidence down to ``least``, the nats that are asked of the link; cause_low: r that does
    so for the lower end of evidence's 95 % interval.  strongest : of the latents of other modalities than the two
    ends, the one that comes closest to being such a cause, and strongest_cause : the smaller of its partial
    correlations with both ends, given the others of the separating set.  It is a yardstick only: what was measured
    needs not be a cause, and what was not can be stronger.  None and NaN where there is no other modality.

    Raises
    ------
    InputError : for a table without these columns, or a link of unknown latents.
    """
    measures, rows = ["evidence", "evidence_se", "least"], []
    check_table("links", links, ["source", "target", *measures])
    asked = (links[column] for column in measures)
    for (source, target, pair), delta, error, nats in zip(measured.pairs(links), *asked, strict=True):
        point, low, least = map(correlation_of, (delta, delta - WIDTH * error, nats))
        rows.append(
            (source, target, needed_cause(point, least), needed_cause(low, least), *_strongest(measured, pair))
        )
    return pd.DataFrame(rows, columns=HIDDEN_COLUMNS)


def _strongest(measured: Measured, pair: Pair) -> tuple[str | None, float]:
    i, j, given = pair
    own = {modality_of(measured.names[end]) for end in (i, j)}
    found: dict[str, float] = {}
    for k, name in enumerate(measured.names):
        if modality_of(name) not in own:
            rest = [other for other in given if other != k]
            both = np.abs([partial_correlation(measured.z, end, k, rest) for end in (i, j)])
            if not np.isnan(both).any():
                found[name] = float(both.min())
    if not found:
        return None, np.nan
    name = max(found, key=lambda name: found[name])
    return name, found[name]
