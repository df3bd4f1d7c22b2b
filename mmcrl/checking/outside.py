"""Outside: values beyond what a manifest lets in, and what it can say of them: missing codes, levels, a range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmcrl.checking.draft import Draft, Place
from mmcrl.checking.spread import MOST_CODES, codes, fits, is_code, is_defined, present, shared, span
from mmcrl.schema import ColumnSpec

__all__ = ["mend_codes", "mend_outside", "two_levels"]

_MOST_LEVELS = 10
_MANY = 0.05  # share of values outside a range from which on its unit is asked for


def mend_outside(draft: Draft, place: Place, spec: ColumnSpec, values: np.ndarray, minimum: int) -> bool:
    """Propose what lets the values (n,) of a column in; False where nothing that many people share does."""
    if spec.kind == "binary":
        return _mend_binary(draft, place, spec, values, minimum)
    if spec.range is None:
        return False
    if np.isinf(values).any():
        draft.note(place, "infinite values: mend them in the table")
        return False
    low, high = spec.range
    seen = present(values)
    outside = seen[(seen < low) | (seen > high)]
    apart = codes(values, minimum)
    odd = [value for value in shared(outside, minimum) if value in apart or is_code(value)]
    if odd and len(odd) <= MOST_CODES and np.isin(outside, odd).mean() > 0.5:
        _add_codes(draft, place, odd, f"at least {minimum} people each have {_listed(odd)}, outside the range")
        return True
    ends = span(values, minimum)
    if ends is None or not fits(values, wider := [min(ends[0], low), max(ends[1], high)]):
        draft.note(
            place, f"fewer than {minimum} people have any one of the values outside: look at them at their source"
        )
        return False
    draft.set((*place, "range"), wider, "a range around nearly all people, with room on both sides")
    if len(outside) > _MANY * len(seen):
        draft.note(place, f"{100 * len(outside) / len(seen):.0f} % lie outside the stated one: in another unit?")
    if spec.transform and not is_defined(spec.transform, wider[0]):
        draft.remove((*place, "transform"), f"{spec.transform} is not defined on this range")
    return True


def mend_codes(draft: Draft, place: Place, spec: ColumnSpec, values: np.ndarray, minimum: int) -> list[float]:
    """Propose as missing what many of the people have each and lies far from all other values (n,); what that is."""
    if spec.levels is not None or spec.kind == "time":
        return []
    odd = [value for value in codes(values, minimum) if value not in (draft.get((*place, "missing")) or [])]
    if odd:
        _add_codes(draft, place, odd, f"at least {minimum} people each have {_listed(odd)}, far from all others")
    return odd


def _mend_binary(draft: Draft, place: Place, spec: ColumnSpec, values: np.ndarray, minimum: int) -> bool:
    found = shared(values, minimum)
    odd = [value for value in found if is_code(value)]
    plain = [value for value in found if value not in odd]
    if odd and len(plain) in (1, 2):
        _add_codes(draft, place, odd, f"at least {minimum} people each have {_listed(odd)}")
    if set(plain) <= {0.0, 1.0}:
        return bool(odd)
    if len(plain) == 2:
        two_levels(draft, place, spec, plain)
        return True
    if 2 < len(found) <= _MOST_LEVELS:
        draft.set((*place, "kind"), "ordinal", f"{len(found)} different values")
        return True
    draft.note(place, f"not two values that at least {minimum} people have each: another kind, or look at the values")
    return False


def two_levels(draft: Draft, place: Place, spec: ColumnSpec, pair: Sequence[float]) -> None:
    """Make 0 and 1 of two values."""
    if spec.levels:
        levels = {word: pair.index(float(number)) for word, number in spec.levels.items() if float(number) in pair}
    else:
        levels = {f"{value:.15g}": i for i, value in enumerate(pair)}
    draft.set((*place, "levels"), levels, f"two values, {_listed(pair)}: 0 and 1")


def _add_codes(draft: Draft, place: Place, odd: Sequence[float], why: str) -> None:
    """Propose missing codes beside those that are stated."""
    stated = draft.get((*place, "missing")) or []
    draft.set((*place, "missing"), [*stated, *(code for code in odd if code not in stated)], why)


def _listed(values: Sequence[float]) -> str:
    return " and ".join(f"{value:g}" for value in values)
