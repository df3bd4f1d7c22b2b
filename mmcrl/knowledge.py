"""Knowledge: what is known of the links before anything is measured, and what that leaves to be found.

Three kinds, about modalities or single latents (a modality's name stands for all its latents):

- *tiers*: no latent of a later tier causes one of an earlier tier;
- *forbidden* (s, t): no latent of s causes one of t;
- *required* (s, t): some latent of s causes one of t, and none of t causes one of s unless (t, s) is required too.

Where one way between two latents is barred, a link between them runs the other way; where both are, there is none.
What is known goes over what is found.  Source of the use of such knowledge in a search: Meek, Causal inference and
causal explanation with background knowledge (1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from mmcrl.errors import InputError, check_instance

__all__ = ["SHARED", "Arrow", "Knowledge", "Limits", "labels_of", "modality_of", "numbers_of"]

SHARED = "shared"  # the modality of latents that several modalities show

Arrow = tuple[int, int]  # cause, effect
Ends = tuple[str, str]  # source, target


def modality_of(latent: str) -> str:
    """The modality of a latent.

    >>> modality_of("blood.0")
    'blood'
    """
    return latent.rsplit(".", 1)[0]


def labels_of(latents: pd.DataFrame) -> list[str]:
    """``modality.number`` of every column of a table of latents, whose labels are pairs, or such texts.

    Raises
    ------
    InputError : for what is no table.

    >>> labels_of(pd.DataFrame([[0.0]], columns=pd.MultiIndex.from_tuples([("blood", 0)])))
    ['blood.0']
    """
    check_instance("latents", latents, pd.DataFrame)
    return [".".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in latents.columns]


def numbers_of(latents: pd.DataFrame) -> np.ndarray:
    """The values (n, d) of a table of latents.

    Raises
    ------
    InputError : for values that are no numbers; none of them is told.
    """
    try:
        return latents.to_numpy(float)
    except (TypeError, ValueError):
        raise InputError("latents", "columns of numbers", "something else") from None


@dataclass(frozen=True)
class Limits:
    """Knowledge about the latents 0 to d - 1.

    Parameters
    ----------
    why : (d, d) of words, ``why[i, j]`` says what bars j from causing i: tier, forbidden, required, or nothing ("").
    carriers : for every requirement the arrows (cause, effect) that can fulfil it.
    acyclic : whether links are known to form no cycle.
    """

    why: np.ndarray
    carriers: list[list[Arrow]]
    acyclic: bool

    @property
    def barred(self) -> np.ndarray:
        """Bool (d, d), ``barred[i, j]`` iff j is known not to cause i."""
        return np.asarray(self.why != "")

    def arrow(self, i: int, j: int) -> Arrow | None:
        """The only way that is left to a link of i and j; None where both are, or neither is."""
        if self.barred[i, j] == self.barred[j, i]:
            return None
        return (j, i) if self.barred[j, i] else (i, j)

    def unlinked(self, i: int, j: int) -> bool:
        """Whether both ways are barred."""
        return bool(self.barred[i, j] and self.barred[j, i])

    def certain(self, evidence: Mapping[Arrow, float]) -> set[frozenset[int]]:
        """The pair that fulfils each requirement: of those that can, the one of most ``evidence[i, j]``, i < j."""
        best = [max(arrows, key=lambda arrow: evidence[min(arrow), max(arrow)]) for arrows in self.carriers]
        return {frozenset(arrow) for arrow in best}


@dataclass(frozen=True)
class Knowledge:
    """What is known of the links between modalities or latents.

    Parameters
    ----------
    tiers : names of modalities in causal order; one in no tier is not bound.
    forbidden, required : pairs (source, target) of names of modalities or latents.
    acyclic : False gives up that links form no cycle.  Colliders and Meek's rules, which rest on it, then say
        nothing: knowledge alone directs, and an undirected link may run one way, the other, or both.  The structural
        model still samples along one acyclic choice, and refuses what depends on an undirected link.

    Raises
    ------
    InputError : for something else than pairs of names.

    >>> known = Knowledge(forbidden=[("blood", "age")])
    >>> known.limits(["age.0", "blood.0"]).arrow(0, 1)
    (0, 1)
    """

    tiers: Sequence[Sequence[str]] = ()
    forbidden: Sequence[Ends] = ()
    required: Sequence[Ends] = ()
    acyclic: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.acyclic, bool):
            raise InputError("acyclic", "True or False", repr(self.acyclic))
        object.__setattr__(self, "tiers", tuple(tuple(tier) for tier in self.tiers or ()))
        for name in ("forbidden", "required"):
            object.__setattr__(self, name, _pairs(name, getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, from which ``Knowledge(**...)`` makes the record again."""
        lists = {name: [list(part) for part in getattr(self, name)] for name in ("tiers", "forbidden", "required")}
        return {**lists, "acyclic": self.acyclic}

    def limits(self, names: Sequence[str]) -> Limits:
        """What this says about latents of these names (``modality.index``).

        Raises
        ------
        InputError : for unknown names, and for a requirement that tiers, a forbidden link, another requirement or
            (when acyclic) the cycle it would close contradict.
        """
        forbidden = [_found("forbidden", ends, names) for ends in self.forbidden]
        required = [_found("required", ends, names) for ends in self.required]
        why = np.full((len(names), len(names)), "", dtype="<U9")
        for sources, targets in required:
            why[np.ix_(sources, targets)] = "required"
        if not self.acyclic:
            for sources, targets in required:
                why[np.ix_(targets, sources)] = ""
        for sources, targets in forbidden:
            why[np.ix_(targets, sources)] = "forbidden"
        tier_of = {name: t for t, tier in enumerate(self.tiers) for name in tier}
        tier = np.array([tier_of.get(modality_of(name), np.nan) for name in names], dtype=float)
        why[tier[:, None] < tier[None]] = "tier"
        carriers = [[(s, t) for s in sources for t in targets if why[t, s] == ""] for sources, targets in required]
        for ends, arrows in zip(self.required, carriers, strict=True):
            if not arrows:
                expected = "links that tiers, forbidden links and the other required ones allow"
                raise InputError("required", expected, f"{ends}")
        if self.acyclic and not nx.is_directed_acyclic_graph(self._required_graph(tier_of)):
            raise InputError("required", "links that form no cycle, or acyclic=False", f"{list(self.required)}")
        return Limits(why, carriers, self.acyclic)

    def _required_graph(self, tier_of: Mapping[str, int]) -> nx.DiGraph:
        """What is required and the tiers: a modality, once named as a whole, stands for its latents."""
        ends = {name for pair in self.required for name in pair}
        node = {name: modality_of(name) if modality_of(name) in ends else name for name in ends}
        graph = nx.DiGraph([(node[source], node[target]) for source, target in self.required])
        placed = [(tier_of.get(name, tier_of.get(modality_of(name))), name) for name in graph.nodes]
        for first, cause in placed:
            graph.add_edges_from((cause, e) for t, e in placed if first is not None and t is not None and first < t)
        return graph


def _pairs(argument: str, given: Any) -> tuple[Ends, ...]:
    pairs = [given] if isinstance(given, str) or not isinstance(given, Sequence) else list(given)
    for pair in pairs:
        whole = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
        if not whole or not all(isinstance(end, str) for end in pair):
            raise InputError(argument, "pairs of names (source, target)", repr(pair))
    return tuple((pair[0], pair[1]) for pair in pairs)


def _found(argument: str, ends: Ends, names: Sequence[str]) -> tuple[list[int], list[int]]:
    """The latents that the two names stand for."""
    stand = {end: [i for i, name in enumerate(names) if end in (name, modality_of(name))] for end in ends}
    for end, latents in stand.items():
        if not latents:
            known = ", ".join(dict.fromkeys([*map(modality_of, names), *names]))
            raise InputError(argument, f"names among {known}", repr(end))
    return stand[ends[0]], stand[ends[1]]
