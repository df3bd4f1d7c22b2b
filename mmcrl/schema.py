"""Schema: the format of a manifest, the one file that declares a cohort.

A manifest says where the table lies, who is kept, and which columns make up each modality. An unknown key is
refused together with the nearest valid one.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from mmcrl.errors import InputError
from mmcrl.kinds import KINDS
from mmcrl.naming import Placed, name_faults
from mmcrl.source import STRICT, Source, Text

__all__ = ["ColumnSpec", "Inclusion", "Manifest", "ModalitySpec", "Placed", "parse", "parse_placed"]

_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_SERIES = {"variable", "unit", "kind", "question", "range", "missing", "levels", "transform"}
_TABLE = _SERIES | {"day_starts", "skipped"}
_KEYS_OF_A_COLUMN = {2: _TABLE, 3: _SERIES, 4: {"variable", "unit", "question", "where", "colour"}}  # by axes
_SIZE: dict[int, set[str]] = {2: set(), 3: {"step", "length"}, 4: {"height", "width"}}

Number = int | float


class _Part(BaseModel):
    """A part of a manifest."""

    model_config = STRICT


class Inclusion(_Part):
    """Who is kept: people whose variable lies in [min, max], or is among the listed values."""

    variable: Text
    min: Number | None = None
    max: Number | None = None
    among: list[str | Number] | None = None


class People(_Part):
    """Who is kept, by what was measured of them, and how many people of the population each stands for."""

    require: list[str] = []
    min_modalities: Annotated[int, Field(ge=1)] = 1
    weights: Text | None = None  # variable of a survey: how many people each stands for


class Skip(_Part):
    """A value for those who were not asked because another answer made the question pointless."""

    variable: Text
    equals: str | Number
    value: Number


class ColumnSpec(_Part):
    """One column: where it comes from, what it means, which values it may take, how it is transformed."""

    variable: Text | Annotated[list[Text], Field(min_length=1)]  # several: their mean over those present
    unit: str = ""
    kind: Literal["numeric", "binary", "ordinal", "categorical", "time"] = "numeric"
    question: str | None = None
    range: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None  # before the transform
    missing: list[str | Number] = []
    levels: dict[str, Number] | None = None
    transform: Literal["log", "log1p", "sqrt"] | None = None
    day_starts: Annotated[str, Field(pattern=_CLOCK)] = "00:00"  # of a time: hour 0
    skipped: list[Skip] = []
    where: dict[str, str] = {}  # of an image: what the row that names its file says in other columns
    colour: Literal["grey", "red", "green", "blue"] = "grey"  # of an image

    @property
    def variables(self) -> list[str]:
        """Its variables in the source."""
        return [self.variable] if isinstance(self.variable, str) else self.variable

    @model_validator(mode="after")
    def _consistent(self) -> ColumnSpec:
        if self.range and not self.range[0] < self.range[1]:  # nor is NaN an end
            raise ValueError("a range [min, max] with min < max")
        low = self.range[0] if self.range else float("-inf")
        if self.transform and not {"log": low > 0, "log1p": low > -1, "sqrt": low >= 0}[self.transform]:
            raise ValueError(f"a range on which {self.transform} is defined")
        return self


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"one of {', '.join(KINDS)}")
    return kind


class ModalitySpec(_Part):
    """One modality: its kind, how many latents are suggested, its columns (or channels) in order."""

    kind: Annotated[str, AfterValidator(_known)] = "table"
    n_latents: Annotated[int, Field(ge=1)] | None = None
    height: Annotated[int, Field(ge=1)] | None = None  # pixels of an image
    width: Annotated[int, Field(ge=1)] | None = None
    step: Annotated[Number, Field(gt=0)] | None = None  # seconds between two values of a series
    length: Annotated[int, Field(ge=2)] | None = None  # values of a series
    starts: Annotated[str, Field(pattern=_CLOCK)] | None = None  # clock time of the first; none: the first sample
    columns: Annotated[dict[str, ColumnSpec], Field(min_length=1)]

    @property
    def n_axes(self) -> int:
        """2 for tables, 3 for series, 4 for images."""
        return KINDS[self.kind].n_axes

    @property
    def bulk(self) -> bool:
        """Whether each person's values lie in files of their own."""
        return self.n_axes > 2

    @model_validator(mode="after")
    def _of_its_kind(self) -> ModalitySpec:
        needed = _SIZE[self.n_axes]
        given = self.model_fields_set & {"height", "width", "step", "length", "starts"}
        if given - {"starts"} != needed or ("starts" in given and self.n_axes != 3):
            raise ValueError(f"kind {self.kind} with {' and '.join(sorted(needed)) or 'no size'}")
        if len(self.columns) % KINDS[self.kind].sides:
            raise ValueError(f"as many columns for each of {KINDS[self.kind].sides} sides of kind {self.kind}")
        for name, column in self.columns.items():
            stray = sorted(column.model_fields_set - _KEYS_OF_A_COLUMN[self.n_axes])
            if stray:
                raise ValueError(f"no {stray[0]} in column {name} of kind {self.kind}")
            if self.bulk and not isinstance(column.variable, str):
                raise ValueError(f"one variable in column {name} of kind {self.kind}")
        return self


class Link(_Part):
    """A link known beforehand, between ``modality.column`` and ``modality.column``; sign 0: next to none is known."""

    source: Text
    target: Text
    sign: Literal[-1, 0, 1]
    rests_on: Text

    @model_validator(mode="after")
    def _of_two(self) -> Link:
        if self.source == self.target:
            raise ValueError("two different columns")
        return self


class Disclosure(_Part):
    """What pages may show of these people; what is not permitted here, the disclosure guard refuses."""

    minimum: Annotated[int, Field(ge=1)] = 10  # of people in a group that is counted
    images: bool = False  # whether an image or a series of one person may be shown


class Manifest(_Part):
    """A whole manifest."""

    name: Text
    about: str = ""
    source: Source
    include: list[Inclusion] = []
    people: People = People()
    disclosure: Disclosure = Disclosure()
    tiers: list[list[str]] | None = None
    modality: Annotated[dict[str, ModalitySpec], Field(min_length=1)]
    known: list[Link] = []

    def columns(self) -> dict[str, ColumnSpec]:
        """Every column under its full name, ``modality.column``."""
        return self._columns(self.modality)

    def table_columns(self) -> dict[str, ColumnSpec]:
        """Those that are columns of a table, not channels of images or series."""
        return self._columns({name: spec for name, spec in self.modality.items() if not spec.bulk})

    @staticmethod
    def _columns(modalities: dict[str, ModalitySpec]) -> dict[str, ColumnSpec]:
        return {f"{name}.{column}": spec for name, m in modalities.items() for column, spec in m.columns.items()}


def parse(raw: dict[str, Any]) -> tuple[Manifest | None, list[InputError]]:
    """The manifest that ``raw`` declares, or everything that is wrong with it."""
    manifest, placed = parse_placed(raw)
    return manifest, list({each.fault.argument: each.fault for each in reversed(placed)}.values())[::-1]


def parse_placed(raw: dict[str, Any]) -> tuple[Manifest | None, list[Placed]]:
    """As `parse`, each fault with its place."""
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        return None, [_fault(fault["loc"], fault["type"], fault["msg"], fault["input"]) for fault in error.errors()]
    return manifest, name_faults(manifest)


def _fault(loc: tuple[int | str, ...], kind: str, message: str, given: object) -> Placed:
    keys, part = _place(loc)
    path = "manifest " + ".".join(keys)
    place = tuple(loc[: len(keys)])
    if kind == "extra_forbidden":
        nearest = get_close_matches(keys[-1], list(part.model_fields), 1, 0)[0]
        fault = InputError(path, f"a known key, the nearest being {nearest!r}", repr(keys[-1]))
        return Placed(place, kind, fault, nearest)
    if kind == "missing":
        return Placed(place, kind, InputError(path, "a value", "nothing"))
    expected = message.removeprefix("Value error, ").removeprefix("Input should be ")
    got = "these values" if isinstance(given, dict) else repr(given)[:60]
    return Placed(place, kind, InputError(path, expected, got))


def _place(loc: tuple[int | str, ...]) -> tuple[list[str], type[BaseModel]]:
    """The keys that lead to a place in a manifest, and the part of the format that it belongs to."""
    here: Any = Manifest
    part: type[BaseModel] = Manifest
    keys: list[str] = []
    for key in map(str, loc):
        if isinstance(here, type) and issubclass(here, BaseModel):
            part = here
            field = part.model_fields.get(key)
            here = field.annotation if field else None
        elif get_origin(here) in (dict, list):
            here = get_args(here)[-1]
        else:
            break  # pydantic goes on with the names of a union's branches
        keys.append(key)
        parts = [branch for branch in get_args(here) if isinstance(branch, type) and issubclass(branch, BaseModel)]
        here = parts[0] if parts and get_origin(here) not in (dict, list) else here
    return keys, part
