"""Plan: which latents every modality gets, checked before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from mmcrl.boundary import refuse_unknown
from mmcrl.cohort import Cohort
from mmcrl.errors import InputError, check_instance, check_whole
from mmcrl.kinds import codec_for
from mmcrl.knowledge import SHARED
from mmcrl.modality import Modality

__all__ = [
    "LATENTS",
    "PEOPLE_PER_LATENT",
    "Block",
    "as_fitted",
    "check_latents",
    "check_one_view",
    "check_split",
    "latent_limits",
    "modality_numbers",
    "names_of",
    "plan_blocks",
    "with_shared",
]

LATENTS = 2  # of a modality of which nothing else is said
PEOPLE_PER_LATENT = 20
_FEWEST = 5  # people on either side of a split: of fewer, a loss among people is chance
_MOST_LEVELS = 20  # a column with more is treated as numeric


@dataclass(frozen=True)
class Block:
    """The latents of one modality, and what its values must look like."""

    name: str
    kind: str
    columns: list[str]
    n_latents: int
    shape: list[int] = field(default_factory=list)  # of a person's values; that of a table follows from its columns
    column_kinds: list[str] = field(default_factory=list)
    levels: list[list[float]] = field(default_factory=list)  # per column, smallest first; none: any number

    def __post_init__(self) -> None:
        if not self.shape:
            object.__setattr__(self, "shape", [len(self.columns)])

    def modality_of(self, cohort: Cohort) -> Modality:
        """The cohort's modality of this name, nobody measured where it has none; another kind or shape is refused."""
        if self.name not in cohort.modalities:
            unmeasured = np.broadcast_to(np.float32(np.nan), (len(cohort), *self.shape))
            return Modality(unmeasured, self.kind, self.columns)
        modality = cohort[self.name]
        if modality.kind != self.kind or modality.names != self.columns:
            expected = f"kind {self.kind} and the {len(self.columns)} columns that were fitted"
            pairs = enumerate(zip_longest(self.columns, modality.names, fillvalue="none"), 1)
            other = next((f"; column {c} is {there}, not {here}" for c, (here, there) in pairs if here != there), "")
            got = f"kind {modality.kind} and {len(modality.names)} columns{other}"
            raise InputError(f'cohort["{self.name}"]', expected, got)
        if list(modality.shape[1:]) != self.shape:
            expected = f"the shape that was fitted, {tuple(self.shape)} a person"
            raise InputError(f'cohort["{self.name}"]', expected, str(modality.shape[1:]))
        return modality

    def wider(self, more: int) -> Block:
        """With so many latents more, at most one a column; columns that are latents themselves stay as they are."""
        if self.kind == "observed":
            return self
        most = max(len(self.columns), self.n_latents) if self.kind == "table" else self.n_latents + more
        return replace(self, n_latents=min(self.n_latents + more, most))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def plan_blocks(cohort: Cohort, n_latents: int | Mapping[str, int] | None) -> list[Block]:
    """One block per modality.

    Raises
    ------
    InputError : for a single modality, a kind without a codec, unknown names, latents that are no positive whole
        number or more than columns, and fewer than 20 people per latent: of a modality those count who have another
        too, for it is by what modalities have in common that latents are found.
    """
    check_instance("cohort", cohort, Cohort)
    cohort.check()
    if len(cohort.names) < 2:
        raise InputError("cohort", "at least 2 modalities: links between them identify the latents", "1")
    asked = _asked(cohort, n_latents)
    blocks = [_block(name, modality, asked[name]) for name, modality in cohort.modalities.items()]
    needed = PEOPLE_PER_LATENT * sum(block.n_latents for block in blocks)
    if len(cohort) < needed:
        expected = f"at least {needed} people, {PEOPLE_PER_LATENT} per latent"
        raise InputError("cohort", expected, f"{len(cohort)} people")
    each = [PEOPLE_PER_LATENT * (1 if block.kind == "observed" else block.n_latents) for block in blocks]
    _check_together(blocks, cohort, each, f", {PEOPLE_PER_LATENT} per latent, with it and another modality")
    return blocks


def latent_limits(kind: str, n_columns: int) -> tuple[int, float]:
    """The fewest and the most latents of a modality: one a view that its kind takes, and one a column of a table."""
    return codec_for(kind).n_views, n_columns if kind == "table" else math.inf


def check_latents(name: str, kind: str, n_columns: int, n_latents: int) -> None:
    """Refuse more or fewer latents of a modality than `latent_limits` tells.

    Raises
    ------
    InputError : naming the modality and the limit.
    """
    least, most = latent_limits(kind, n_columns)
    if n_latents > most:
        raise InputError("n_latents", f"at most {most} for {name}, its number of columns", str(n_latents))
    if n_latents < least:
        expected = f"at least {least} for {name}: kind {kind} takes so many views"
        raise InputError("n_latents", expected, str(n_latents))


def check_split(blocks: Sequence[Block], train: Cohort, held_out: Cohort) -> None:
    """Refuse people split so that one side can say nothing of a modality, or the first has no value of a column.

    Raises
    ------
    InputError : naming the modality that fewer than 5 on a side have together with another, or the column.
    """
    for part, who in ((train, "to train on"), (held_out, "held out")):
        _check_together(blocks, part, [_FEWEST] * len(blocks), f" {who}, with it and another modality")
    for name, modality in train.modalities.items():
        for column, there in zip(modality.names, _known_columns(modality), strict=True):
            if not there:
                expected = f"at least one value among the {len(train)} people to train on"
                raise InputError(f'cohort["{name}"].{column}', expected, "values of people held out alone")


def check_one_view(cohort: Cohort, option: str, why: str) -> None:
    """Refuse an option that knows nothing of kinds with several views, where a modality is of one."""
    check_instance("cohort", cohort, Cohort)
    several = [name for name, modality in cohort.modalities.items() if codec_for(modality.kind).n_views > 1]
    if several:
        raise InputError(option, f"not with kind {cohort[several[0]].kind}: {why}", f"modality {several[0]}")


def with_shared(blocks: Sequence[Block], n_shared: int) -> list[Block]:
    """The blocks after that of the latents that several modalities show, if there are any.

    Raises
    ------
    InputError : for a modality that has the shared latents' name.
    """
    if n_shared and SHARED in [block.name for block in blocks]:
        raise InputError("cohort", f"no modality named {SHARED}, the name of the shared latents", repr(SHARED))
    return [Block(SHARED, SHARED, [], n_shared), *blocks] if n_shared else list(blocks)


def names_of(blocks: Sequence[Block]) -> list[str]:
    """``modality.number`` of every latent, in order."""
    return [f"{block.name}.{i}" for block in blocks for i in range(block.n_latents)]


def modality_numbers(blocks: Sequence[Block]) -> np.ndarray:
    """The number of each latent's block (d,)."""
    return np.repeat(np.arange(len(blocks)), [block.n_latents for block in blocks])


def _asked(cohort: Cohort, n_latents: int | Mapping[str, int] | None) -> dict[str, Any]:
    """The number asked for each modality, `LATENTS` where nothing says otherwise."""
    if isinstance(n_latents, Mapping):
        unknown = [name for name in n_latents if name not in cohort.names]
        if unknown:
            raise InputError("n_latents", f"modalities among {', '.join(cohort.names)}", repr(unknown[0]))
        return {name: n_latents.get(name, cohort.n_latents.get(name, LATENTS)) for name in cohort.names}
    if n_latents is None:
        return {name: cohort.n_latents.get(name, LATENTS) for name in cohort.names}
    return dict.fromkeys(cohort.names, n_latents)


def _check_together(blocks: Sequence[Block], cohort: Cohort, needed: Sequence[int], who: str) -> None:
    """Refuse a modality, or a column that is a latent itself, that too few people have together with another."""
    parts = [codec_for(block.kind).seen_parts(cohort[block.name]) for block in blocks]
    several = np.sum([part.any(1) for part in parts], axis=0) > 1
    for block, part, enough in zip(blocks, parts, needed, strict=True):
        counts = part[several].sum(0)
        least = int(counts.argmin())
        if counts[least] < enough:
            column = f".{block.columns[least]}" if len(counts) > 1 else ""
            expected = f"at least {enough} people{who}"
            raise InputError(f'cohort["{block.name}"]{column}', expected, f"{counts[least]} people")


def _known_columns(modality: Modality) -> np.ndarray:
    """Bool (columns,): which columns, or channels, somebody has a value of."""
    known = np.zeros(len(modality.names), dtype=bool)
    for piece in modality.pieces():
        known |= (~np.isnan(piece)).any(axis=tuple(axis for axis in range(piece.ndim) if axis != 1))
        if known.all():
            break
    return known


def _block(name: str, modality: Modality, asked: object) -> Block:
    check_whole("n_latents", asked, 1, whose=f" for {name}")
    size = codec_for(modality.kind).size(modality, int(asked))  # type: ignore[call-overload]
    check_latents(name, modality.kind, len(modality.names), size)
    names, shape, kinds = list(modality.names), list(modality.shape[1:]), list(map(str, modality.column_kinds))
    return Block(name, modality.kind, names, size, shape, kinds, _levels(modality))


def _levels(modality: Modality) -> list[list[float]]:
    """The values of every column that is not numeric, smallest first; none where there are more than 20."""
    if modality.large:
        return []
    columns = zip(modality.values.T, modality.column_kinds, strict=True)
    found = [[] if kind == "numeric" else np.unique(x[~np.isnan(x)]).tolist() for x, kind in columns]
    return [known if len(known) <= _MOST_LEVELS else [] for known in found]


def as_fitted(blocks: Sequence[Block], cohort: Cohort) -> Cohort:
    """The cohort with its modalities in the order of the blocks; one that it lacks was measured in nobody.

    Raises
    ------
    InputError : for what is no cohort, a modality that no block has, and other kinds, columns or shapes.
    """
    check_instance("cohort", cohort, Cohort)
    refuse_unknown("cohort", cohort.names, [block.name for block in blocks])
    return cohort._with({block.name: block.modality_of(cohort) for block in blocks}, cohort.ids)
