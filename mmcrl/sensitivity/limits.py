"""Limits: how much a link may be asked to be worth before it is no longer claimed."""

from __future__ import annotations

import math
from numbers import Real

from scipy.optimize import brentq

from mmcrl.errors import InputError
from mmcrl.links import confidence_of

__all__ = ["claim_limit"]

_RANGES = {"evidence": (-math.inf, math.inf), "error": (0, math.inf), "confidence": (0, 1)}


def claim_limit(evidence: float, error: float, confidence: float = 0.5) -> float:
    """What may at most be asked of a link (nats per person): at it this evidence has just this confidence.

    With `mmcrl.links.confidence_of`, ``P(Delta > s | evidence, error) = confidence`` is solved for s, with which it
    falls.  Where more is asked of the link (its ``least``) it is not claimed; 0 where it is not claimed whatever is
    asked, infinite where a confidence of 0 is enough.

    Raises
    ------
    InputError : for evidence or an error that is no finite number, an error below 0, a confidence outside [0, 1].

    >>> limit = claim_limit(0.05, 0.01)
    >>> 0.03 < limit < 0.05, round(confidence_of(0.05, 0.01, limit), 6), claim_limit(0.001, 0.01)
    (True, 0.5, 0.0)
    """
    for name, value in (("evidence", evidence), ("error", error), ("confidence", confidence)):
        least, most = _RANGES[name]
        if (
            not isinstance(value, Real)
            or isinstance(value, bool)
            or not math.isfinite(value)
            or not least <= value <= most
        ):
            ends = [f" {word} {end}" for word, end in (("from", least), ("to", most)) if math.isfinite(end)]
            raise InputError(name, f"a finite number{''.join(ends)}", repr(value))

    def beyond(smallest: float) -> float:
        return confidence_of(evidence, error, smallest) - confidence

    if beyond(0.0) <= 0:
        return 0.0
    most = evidence + 10 * error + 1e-6
    return float(brentq(beyond, 0.0, most, xtol=1e-9)) if beyond(most) < 0 else math.inf
