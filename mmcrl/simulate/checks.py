"""Checks: settings of a world that are refused, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, get_args

from mmcrl.errors import InputError, check_whole
from mmcrl.simulate.graphs import Cycles, GraphFamily
from mmcrl.simulate.mixing import Mixing
from mmcrl.simulate.noise import Noise

__all__ = ["check_settings"]


def check_settings(n: int, settings: Mapping[str, Any]) -> None:
    """Refuse settings of `mmcrl.simulate.numeric` that make no world."""
    counts = {name: settings[name] for name in ("n_modalities", "n_latents", "n_columns", "shared_by")}
    for name, value in {"n": n, **counts}.items():
        check_whole(name, value, 1)
    for name in ("seed", "n_private", "shared"):
        check_whole(name, settings[name], 0)
    _numbers(settings)
    for name, allowed in (("graph", GraphFamily), ("noise", Noise), ("cycles", Cycles), ("mixing", Mixing)):
        if settings[name] not in get_args(allowed) and not (name == "cycles" and settings[name] is None):
            raise InputError(name, f"one of {get_args(allowed)}", repr(settings[name]))
    _ranges(settings)
    _shared(settings)


def _numbers(settings: Mapping[str, Any]) -> None:
    """Numbers of their range: a location of curvature up to 1 is monotone, see `mmcrl.simulate.mechanisms.curve`."""
    finite = ["curvature", "heteroscedasticity", "strength", "within", "feedback", "missing"]
    for name in [*finite, *(["density"] if settings["density"] is not None else [])]:
        value = settings[name]
        if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
            raise InputError(name, "a finite number", repr(value))
    for name in ("strength", "within"):
        if not 0 <= settings[name] < 1:
            raise InputError(name, "a number in [0, 1)", repr(settings[name]))
    if not 0 <= settings["curvature"] <= 1:
        raise InputError("curvature", "a number in [0, 1]: locations are monotone", repr(settings["curvature"]))
    if settings["heteroscedasticity"] < 0:
        expected = "a number of at least 0"
        raise InputError("heteroscedasticity", expected, repr(settings["heteroscedasticity"]))


def _ranges(settings: Mapping[str, Any]) -> None:
    n_modalities = settings["n_modalities"]
    density, random = settings["density"], settings["graph"] == "random"
    if density is not None and not (random and 0 <= density <= 1):
        raise InputError("density", "a share in [0, 1], of a random graph", f"{density} of a {settings['graph']} one")
    if settings["cycles"] is not None and not 0 < settings["feedback"] <= 1:
        raise InputError("feedback", "a number in (0, 1]", repr(settings["feedback"]))
    needed = {"within": "n_latents", "across": "n_modalities"}.get(settings["cycles"])
    if needed and settings[needed] < 2:
        raise InputError(needed, f"at least 2 for cycles {settings['cycles']!r}", repr(settings[needed]))
    if not isinstance(settings["steps"], bool):
        raise InputError("steps", "True or False", repr(settings["steps"]))
    if settings["steps"] and settings["cycles"] is not None:
        raise InputError("steps", "no cycles: loops of steps need not dampen", repr(settings["cycles"]))
    if not 0 <= settings["missing"] <= 1 - 1 / n_modalities:
        expected = f"a share in [0, {1 - 1 / n_modalities:.3g}], which leaves everybody one of {n_modalities}"
        raise InputError("missing", expected, repr(settings["missing"]))


def _shared(settings: Mapping[str, Any]) -> None:
    shared, shared_by, n_modalities = settings["shared"], settings["shared_by"], settings["n_modalities"]
    n_latents = settings["n_latents"]
    if shared and not 2 <= shared_by <= n_modalities:
        raise InputError("shared_by", f"2 to {n_modalities} modalities", repr(shared_by))
    needed = n_latents + settings["n_private"] + shared
    if settings["n_columns"] < needed:
        raise InputError("n_columns", f"at least {needed} columns", repr(settings["n_columns"]))
