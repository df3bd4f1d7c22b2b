"""Naming: names in a manifest that nothing can have, that stand in two tiers, or that point to nothing."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from mmcrl.errors import InputError

if TYPE_CHECKING:
    from mmcrl.schema import Manifest

__all__ = ["COLUMN", "MODALITY", "PLAIN", "SAFE", "Placed", "name_faults", "plain_name", "safe_name"]

MODALITY, COLUMN = 40, 80  # characters at most
SAFE = f"names of up to {MODALITY} letters, digits, _ and -, a letter first"  # of modalities
PLAIN = f"1 to {COLUMN} printable characters, none of < > `"  # of columns

Place = tuple[str | int, ...]


class Placed(NamedTuple):
    """A fault and its place in the manifest: keys and positions; which sort it is, and the nearest valid name."""

    place: Place
    sort: str  # of pydantic's, or "unsafe", "twice", "dangling"
    fault: InputError
    nearest: str | None = None


def safe_name(name: str) -> bool:
    """Whether a modality can be called so.

    >>> safe_name("lab"), safe_name("la b")
    (True, False)
    """
    return re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", name) is not None and len(name) <= MODALITY


def plain_name(name: str) -> bool:
    """Whether a column can be called so.

    >>> plain_name("hair, in cm"), plain_name("a<b"), plain_name(" a")
    (True, False, False)
    """
    printable = name == name.strip() and name.isprintable() and not set("<>`") & set(name)
    return printable and 0 < len(name) <= COLUMN


def name_faults(manifest: Manifest) -> list[Placed]:
    """What is wrong with the names of a manifest, names of modalities first."""
    faults = [
        Placed(("modality", name), "unsafe", InputError(f"manifest modality.{name}", SAFE, repr(name)))
        for name in manifest.modality
        if not safe_name(name)
    ]
    for name, spec in manifest.modality.items():
        for column in spec.columns:
            if not plain_name(column):
                place = ("modality", name, "columns", column)
                told = InputError(f"manifest modality.{name}.columns", PLAIN, repr(column))
                faults.append(Placed(place, "unsafe", told))
    return faults + _pointer_faults(manifest)


def _pointer_faults(manifest: Manifest) -> list[Placed]:
    """Names that point to nothing, and modalities that stand in the tiers a second time."""
    names, columns = list(manifest.modality), list(manifest.columns())
    pointers: list[tuple[str, Place, str, list[str]]] = [
        ("people.require", ("people", "require", i), name, names) for i, name in enumerate(manifest.people.require)
    ]
    for t, tier in enumerate(manifest.tiers or []):
        pointers += [("tiers", ("tiers", t, i), name, names) for i, name in enumerate(tier)]
    for i, link in enumerate(manifest.known):
        for end in ("source", "target"):
            pointers.append((f"known.{i}.{end}", ("known", i, end), getattr(link, end), columns))
    faults, in_tiers = [], set[str]()
    for where, place, name, valid in pointers:
        if name not in valid:
            nearest = get_close_matches(name, valid, 1, 0)[0]
            expected = f"a name declared under modality, the nearest being {nearest!r}"
            fault = InputError(f"manifest {where}", expected, repr(name))
            faults.append(Placed(place, "dangling", fault, nearest))
        elif where == "tiers" and name in in_tiers:
            told = InputError("manifest tiers", "each modality at most once", f"{name!r} more than once")
            faults.append(Placed(place, "twice", told))
        elif where == "tiers":
            in_tiers.add(name)
    return faults
