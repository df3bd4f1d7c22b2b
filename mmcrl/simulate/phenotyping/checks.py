"""Checks: requests for a phenotype cohort that are refused, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

from mmcrl.errors import InputError, check_whole

__all__ = ["check_request"]

_WHOLE = {"n": (100, 10_000_000), "seed": (0, 2**63), "size": (32, 512)}
_REAL = {"hours": (0.5, 12.0), "rate": (1 / 300, 1.0), "missing": (0.0, 0.9), "gaps": (0.0, 0.2)}


def check_request(n: int, settings: Mapping[str, object]) -> None:
    """Refuse arguments of `mmcrl.simulate.phenotype` that make no cohort."""
    given = {"n": n, **settings}
    for name, (least, most) in _WHOLE.items():
        check_whole(name, given[name], least, most)
    for name, (low, high) in _REAL.items():
        value = given[name]
        if not (isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) <= high):
            raise InputError(name, f"a number from {low:.3g} to {high:.3g}", repr(value))
    rate = float(given["rate"])  # type: ignore[arg-type]
    if not math.isclose(1 / rate, round(1 / rate), rel_tol=1e-6):
        raise InputError("rate", "1 / a whole number of seconds", repr(rate))
