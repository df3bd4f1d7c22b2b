"""Limits: how much a link may be asked to be worth before it is no longer claimed."""

from __future__ import annotations

import math

from scipy.optimize import brentq

from mmcrl.links import confidence_of

__all__ = ["claim_limit"]


def claim_limit(evidence: float, error: float, confidence: float = 0.5) -> float:
    """What may at most be asked of a link (nats per person): at it this evidence has just this confidence.

    With `mmcrl.links.confidence_of`, ``P(Delta > s | evidence, error) = confidence`` is solved for s, with which it
    falls.  Where more is asked of the link (its ``least``) it is not claimed; 0 where it is not claimed whatever is
    asked, infinite where a confidence of 0 is enough.

    >>> limit = claim_limit(0.05, 0.01)
    >>> 0.03 < limit < 0.05, round(confidence_of(0.05, 0.01, limit), 6), claim_limit(0.001, 0.01)
    (True, 0.5, 0.0)
    """

    def beyond(smallest: float) -> float:
        return confidence_of(evidence, error, smallest) - confidence

    if beyond(0.0) <= 0:
        return 0.0
    most = evidence + 10 * error + 1e-6
    return float(brentq(beyond, 0.0, most, xtol=1e-9)) if beyond(most) < 0 else math.inf
