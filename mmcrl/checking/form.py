"""Form: what is wrong in the writing of a manifest, mended by the nearest name, a list for a value, or left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mmcrl.checking.draft import Draft, Place
from mmcrl.naming import COLUMN, MODALITY, Placed
from mmcrl.schema import parse_placed
from mmcrl.tables import near_name

__all__ = ["mend_form"]

_SIZES = {"height", "width", "step", "length", "starts"}
_PAIR = r"([-+]?\d+(?:\.\d+)?)\s*(?:-|\u2013|,|;|:|\.\.|to)\s*([-+]?\d+(?:\.\d+)?)"
_LISTS_OF_TABLES = (("include",), ("known",))
_OTHER_NAMES = {"ln": "log", "log10": "log", "logarithm": "log", "loge": "log", "root": "sqrt"}
_SCALES = {"log": "log1p"}  # what is defined at 0 in place of what is not


def mend_form(draft: Draft, faults: Sequence[Placed], stem: str) -> bool:
    """Mend what can be in a draft, and set the rest aside; False where the manifest cannot be read without it.

    ``stem`` : the manifest's file name, which names a cohort without a name.
    """
    one_each = {each.place: each for each in reversed(faults)}  # of several at one place, the first: the rest follows
    keys_first = sorted(one_each.values(), key=lambda each: each.sort != "extra_forbidden")  # one may be what lacks
    going_on = [_mend(draft, each, stem) for each in keys_first if draft.get(each.place[:-1]) is not None]
    return all(going_on)


def _mend(draft: Draft, each: Placed, stem: str) -> bool:
    place, given = each.place, draft.get(each.place)
    if each.sort == "extra_forbidden":
        _known_key(draft, each)
    elif each.sort == "dangling":
        _known_name(draft, each)
    elif each.sort == "unsafe":
        _safe_name(draft, place)
    elif each.sort == "twice":
        draft.remove(place, f"{given!r} stands here twice: in the first of its tiers alone")
    elif place[0] == "modality" and place[4:5] == ("range",):
        _ends(draft, place[:5])
    elif each.sort == "missing":
        return given is not None or _given(draft, place, stem)
    elif each.sort == "value_error":
        _consistent(draft, each, given)
    elif "valid list" in each.fault.expected and not isinstance(given, dict) and place not in _LISTS_OF_TABLES:
        draft.set(place, [given], "a list")
    elif "valid string" in each.fault.expected and isinstance(given, int | float):
        draft.set(place, str(given), "a text")
    elif place[-1] == "transform" and (other := _OTHER_NAMES.get(str(given))):
        draft.set(place, other, f"what {given!r} is called here")
    elif near := near_name(str(given), re.findall(r"'([^']+)'", each.fault.expected)):
        draft.set(place, near, f"the nearest to {given!r}")
    elif place in (("name",), ("source",), ("source", "id"), ("source", "path"), ("modality",)):
        return False
    else:
        _leave_out(draft, place, f"not {each.fault.expected}")
    return True


def _known_key(draft: Draft, each: Placed) -> None:
    *parents, key = each.place
    near = near_name(str(key), [str(each.nearest)])
    if near and draft.get((*parents, near)) is None and _could_be(draft, each, (*parents, near)):
        draft.rename(each.place, str(each.nearest), f"{key!r} is no key, {each.nearest!r} is")
    else:
        draft.remove(each.place, f"{key!r} is no key: delete it")


def _could_be(draft: Draft, each: Placed, place: Place) -> bool:
    """Whether what stands under an unknown key is a table, or a list of tables, just as the known one's value is."""
    tried = Draft(draft.raw)
    tried.rename(each.place, str(place[-1]), "")
    sort = {fault.place: fault.sort for fault in parse_placed(tried.raw)[1]}.get(place)
    is_table, needs_table = isinstance(draft.get(each.place), dict), sort in ("model_type", "dict_type")
    return sort is None or not (is_table or needs_table or place in _LISTS_OF_TABLES)


def _known_name(draft: Draft, each: Placed) -> None:
    given = draft.get(each.place)
    if near := near_name(str(given), [str(each.nearest)]):
        draft.set(each.place, near, f"{given!r} is nowhere declared, {near!r} is")
    else:
        place = each.place[:2] if each.place[0] == "known" else each.place
        draft.remove(place, f"{given!r} is nowhere declared: delete it")


def _safe_name(draft: Draft, place: Place) -> None:
    """Another name for a modality or column, which no other has."""
    given = str(place[-1])
    if len(place) == 2:
        kept = re.sub(r"[^A-Za-z0-9_-]+", "_", given).strip("_-")
        name = (kept if kept[:1].isalpha() else f"m_{kept}".rstrip("_"))[:MODALITY]
    else:
        kept = "".join(letter for letter in given if letter.isprintable() and letter not in "<>`")
        name = kept.strip()[:COLUMN].strip() or "column"
    others, number = draft.get(place[:-1]), 1
    free = name
    while free in others:
        number += 1
        free = f"{name[: (MODALITY if len(place) == 2 else COLUMN) - 4]}_{number}"
    draft.rename(place, free, f"{given!r} is no name that it can have: call it {free!r}, wherever it stands")


def _ends(draft: Draft, place: Place) -> None:
    """A range as two numbers, where it is written as text."""
    given = draft.get(place)
    written = ",".join(map(str, given)) if isinstance(given, list) else str(given)
    if pair := re.fullmatch(_PAIR, written.strip(" []")):
        draft.set(
            place, [float(end) if "." in end else int(end) for end in pair.groups()], "numbers [least, greatest]"
        )
    else:
        draft.remove(place, "not [least, greatest] in numbers: delete it, or mend it")


def _given(draft: Draft, place: Place, stem: str) -> bool:
    if place == ("name",):
        draft.set(place, stem, "a name, here the file's")
    elif place[0] == "modality" and place[-1] == "variable" and len(place) == 5:
        draft.set(place, str(place[3]), "the variable that is named like the column")
    elif place[0] == "modality" and len(place) > 1:
        draft.set_aside(".".join(str(place[i]) for i in (1, 3) if i < len(place)))
    elif place[0] in ("known", "include"):
        draft.remove(place[:2], f"without {place[-1]!r}: delete it, or add that")
    else:
        return False
    return True


def _consistent(draft: Draft, each: Placed, given: Any) -> None:
    place, expected = each.place, each.fault.expected
    if "min < max" in expected and given["range"][0] > given["range"][1]:
        draft.set((*place, "range"), given["range"][::-1], "the least first")
    elif "min < max" in expected:
        draft.remove((*place, "range"), "no range from a lesser number to a greater: delete it")
    elif "is defined" in expected and (given.get("range") or [1])[0] == 0 and given["transform"] in _SCALES:
        draft.set((*place, "transform"), _SCALES[given["transform"]], "defined at 0")
    elif "is defined" in expected and given.get("range") is None:
        draft.wished[place] = given["transform"]
        draft.drop((*place, "transform"))
    elif "is defined" in expected:
        needed = f"{given['transform']} needs a range on which it is defined"
        draft.remove((*place, "transform"), needed)
    elif stray := re.fullmatch(r"no (\w+) in column (.+) of kind \w+", expected):
        draft.remove((*place, "columns", stray[2], stray[1]), f"{stray[1]!r} is no key of this kind: delete it")
    elif "no size" in expected:
        for key in _SIZES & set(given):
            draft.remove((*place, key), f"{key!r} is no key of this kind: delete it")
    else:
        _leave_out(draft, place, f"not {expected}")


def _leave_out(draft: Draft, place: Place, why: str) -> None:
    """Go on without a key; without the column or modality where it has to have it."""
    if place[0] == "modality" and (len(place) in (2, 4) or place[-1] in ("variable", "columns")):
        draft.note(place, why)
        draft.set_aside(".".join(str(place[i]) for i in (1, 3) if i < len(place)))
    else:
        whole = place[:2] if place[0] in ("known", "include") else place[:5] if place[0] == "modality" else place
        draft.remove(whole, f"{why}: delete it, or mend it")
