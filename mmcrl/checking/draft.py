"""Draft: a manifest as it is proposed, and the lines of it that differ, ready to be pasted.

What is wrong is mended in the draft, or set aside so that the rest can be looked at.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Draft", "Place", "column_place", "toml"]

Place = tuple[str | int, ...]
_ENDS = ("source", "target")  # of a known link


@dataclass
class _Entry:
    """One thing of the manifest that is to be pasted or deleted, and why."""

    reasons: list[str] = field(default_factory=list)
    changed: bool = False


class Draft:
    """A manifest (``raw``, as TOML gives it) and what is proposed of it; what was given is left as it is."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = copy.deepcopy(raw)
        self.aside: dict[Place, Any] = {}  # columns and modalities that are looked at no further
        self.wished: dict[Place, str] = {}  # transforms of columns that lack the range that these need
        self._entries: dict[Place, _Entry] = {}

    def get(self, place: Place) -> Any:
        """What stands at a place; None where nothing does."""
        here: Any = self.raw
        for key in place:
            try:
                here = here[key]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def set(self, place: Place, value: Any, why: str) -> None:
        """Propose a value."""
        *parents, last = place
        here: Any = self.raw
        for key, following in zip(parents, place[1:], strict=True):
            here = here[int(key)] if isinstance(here, list) else here.setdefault(key, [] if following == 0 else {})
        if isinstance(here, list) and last == len(here):
            here.append(value)
        else:
            here[last] = value
        self._note(place, why, changed=True)

    def rename(self, place: Place, name: str, why: str) -> None:
        """Propose another key for what stands at a place; what points to a modality or column follows it.

        Of what holds columns only the name is proposed, not all of them.
        """
        *parents, last = place
        owner = self.get(tuple(parents))
        renamed = {name if key == last else key: value for key, value in owner.items()}
        owner.clear()
        owner.update(renamed)
        self._follow(place, name, why)
        new = (*parents, name)
        holds_columns = new[0] == "modality" and new[2:] in ((), ("columns",))
        self._note(new, why, changed=not holds_columns)

    def remove(self, place: Place, why: str) -> None:
        """Propose to leave a key, a column, a modality, or an entry of a list out, if it is still there."""
        self.drop(place)
        self._note(place, why, changed=_entry_of(place) != place)

    def drop(self, place: Place) -> None:
        """Leave a key of a column out that what is proposed makes pointless."""
        if self.get(place) is not None:
            self._take(place)

    def note(self, place: Place, why: str) -> None:
        """Say something of a place without proposing a change."""
        self._note(place, why, changed=False)

    def set_aside(self, name: str) -> None:
        """Look no further at a column (``modality.column``) or a modality, without proposing anything of it."""
        place = column_place(name)
        if self.get(place) is not None:
            self.aside[place] = copy.deepcopy(self.get(place))
            self._take(place)

    def keep_wishes(self) -> None:
        """Let transforms stand whose range could not be looked for."""
        for place, scale in self.wished.items():
            if self.get(place) is not None and self.get((*place, "transform")) is None:
                self.set((*place, "transform"), scale, f"{scale} needs a range on which it is defined: give it one")

    def text(self) -> str:
        """All that is proposed, as TOML: lines to paste, reasons as comments; what is to go is a comment too."""
        headers: dict[str, list[str]] = {}
        for place, entry in self._entries.items():
            header, line = self._line(place)
            name = f"# {place[-1]}: " if isinstance(place[-1], str) else "# "
            lines = [f"{name}{reason}" for reason in dict.fromkeys(entry.reasons)]
            if entry.changed and line is not None:
                lines.append(line)
            headers.setdefault(header, []).extend(lines)
        ordered = sorted(headers.items(), key=lambda item: item[0] != "")  # keys of the top stand before the tables
        return "\n\n".join("\n".join([*([header] if header else []), *lines]) for header, lines in ordered)

    def _note(self, place: Place, why: str, changed: bool) -> None:
        place, whole = _entry_of(place), place[:1]
        if place != whole and whole in self._entries and self._entries[whole].changed:  # it is pasted as one
            place, why = whole, f"{place[1]}: {why}"
        entry = self._entries.setdefault(place, _Entry())
        entry.reasons.append(why)
        entry.changed |= changed

    def _take(self, place: Place) -> None:
        owner = self.get(place[:-1])
        del owner[place[-1]]
        if len(place) == 2 and place[0] == "modality":
            self._forget(str(place[1]))
        elif len(place) == 4 and place[0] == "modality":
            self._forget(f"{place[1]}.{place[3]}")
            if not owner:
                self._take(place[:2])

    def _forget(self, name: str) -> None:
        """Take out what points to a column or modality that is no more."""
        gone = re.compile(rf"{re.escape(name)}(\..*)?")
        left = [link for link in self._links().values() if any(gone.fullmatch(str(link.get(end))) for end in _ENDS)]
        if left:
            self.raw["known"] = [link for link in self.raw["known"] if link not in left]
        for names in self._pointers().values():
            if name in names:
                names.remove(name)

    def _follow(self, place: Place, name: str, why: str) -> None:
        """Let what points to a modality or column, or was proposed of it, follow its new name."""
        if place[0] != "modality" or len(place) not in (2, 4):
            return
        old = ".".join(str(place[i]) for i in (1, 3) if i < len(place))
        new, n = f"{place[1]}.{name}" if len(place) == 4 else name, len(place)
        ends = re.compile(rf"{re.escape(old)}(?=\.|$)")
        for i, link in self._links().items():
            for end in _ENDS:
                if ends.match(str(link.get(end))):
                    link[end] = new + str(link[end]).removeprefix(old)
                    self._note(("known", i), why, changed=True)
        for of, names in self._pointers().items():
            if old in names:
                names[:] = [new if pointer == old else pointer for pointer in names]
                self._note(of, why, changed=True)
        moved = {p: (*place[:-1], name, *p[n:]) for p in [*self._entries, *self.aside] if p[:n] == place}
        self._entries = {moved.get(p, p): entry for p, entry in self._entries.items()}
        self.aside = {moved.get(p, p): held for p, held in self.aside.items()}

    def _links(self) -> dict[int, dict[str, Any]]:
        """The known links that are written as such, by their position."""
        return {i: link for i, link in enumerate(self._list(("known",))) if isinstance(link, dict)}

    def _pointers(self) -> dict[Place, list[Any]]:
        """The lists in which names of modalities stand."""
        places: list[Place] = [("tiers", i) for i in range(len(self._list(("tiers",))))]
        return {place: self._list(place) for place in [("people", "require"), *places]}

    def _list(self, place: Place) -> list[Any]:
        """What stands at a place, if it is a list."""
        found = self.get(place)
        return found if isinstance(found, list) else []

    def _line(self, place: Place) -> tuple[str, str | None]:
        """The header under which an entry stands, and its line; no line where it has gone."""
        value = self.aside.get(place, self.get(place))
        if place[0] in ("known", "include") and len(place) == 2:
            lines = [f"{_key(key)} = {toml(part)}" for key, part in (value or {}).items()]
            return f"[[{place[0]}]]", "\n".join(lines) if value else None
        header = "".join(["[", ".".join(_key(key) for key in place[:-1]), "]"]) if len(place) > 1 else ""
        return header, None if value is None else f"{_key(place[-1])} = {toml(value)}"


def column_place(name: str) -> Place:
    """Where a modality, or a column ``modality.column``, stands.

    >>> column_place("lab.lead"), column_place("lab")
    (('modality', 'lab', 'columns', 'lead'), ('modality', 'lab'))
    """
    modality, _, column = name.partition(".")
    return ("modality", modality, "columns", column) if column else ("modality", modality)


def toml(value: Any) -> str:
    """A value of a manifest on one line of TOML.

    >>> toml({"variable": "pb", "range": [0, 100.0], "missing": [777], "levels": {"Not at all": 0}})
    '{ variable = "pb", range = [0, 100], missing = [777], levels = { "Not at all" = 0 } }'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{_key(key)} = {toml(part)}" for key, part in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value) if isinstance(value, int) else json.dumps(str(value), ensure_ascii=False)


def _key(key: str | int) -> str:
    return (
        str(key) if re.fullmatch(r"[A-Za-z_-][A-Za-z0-9_-]*", str(key)) else json.dumps(str(key), ensure_ascii=False)
    )


def _entry_of(place: Sequence[str | int]) -> Place:
    """What is pasted as one: a column, an entry of a list of tables, else a key of a table."""
    if place[0] == "modality":
        return tuple(place[: 4 if len(place) > 3 and place[2] == "columns" else 3])
    return tuple(place[: 2 if place[0] in ("known", "include", "people", "source", "disclosure") else 1])
