"""Schema: the format of a manifest, the one file that declares a cohort.

A manifest says where the table lies, who is kept, and which columns make up each modality. An unknown key is
refused together with the nearest valid one.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mmcrl.errors import InputError

__all__ = ["ColumnSpec", "Manifest", "ModalitySpec", "Source", "parse"]

Text = Annotated[str, Field(min_length=1)]
Number = int | float


class _Part(BaseModel):
    """A part of a manifest: no key but the declared ones, no value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Questions(_Part):
    """A table of what each variable means, beside the data."""

    path: Text
    variable: Text  # its column that holds the names used in the data
    question: Text  # its column that holds the question or description
    code: Text | None = None  # its column that holds the survey's own code


class Source(_Part):
    """Where the people's table lies: a file in the manifest's folder, or one inside an installed package."""

    path: Text
    id: Text
    package: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    zero_below: Annotated[float, Field(gt=0)] | None = None  # magnitudes below this are zeros
    questions: Questions | None = None


class Inclusion(_Part):
    """Who is kept: people whose variable lies in [min, max], or is among the listed values."""

    variable: Text
    min: Number | None = None
    max: Number | None = None
    among: list[str | Number] | None = None


class People(_Part):
    """Who is kept, by what was measured of them."""

    require: list[str] = []
    min_modalities: Annotated[int, Field(ge=1)] = 1


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
    day_starts: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"  # of a time: hour 0
    skipped: list[Skip] = []

    @property
    def variables(self) -> list[str]:
        """Its variables in the source."""
        return [self.variable] if isinstance(self.variable, str) else self.variable

    @model_validator(mode="after")
    def _consistent(self) -> ColumnSpec:
        if self.range and self.range[0] >= self.range[1]:
            raise ValueError("a range [min, max] with min < max")
        low = self.range[0] if self.range else float("-inf")
        if self.transform and not {"log": low > 0, "log1p": low > -1, "sqrt": low >= 0}[self.transform]:
            raise ValueError(f"a range on which {self.transform} is defined")
        return self


class ModalitySpec(_Part):
    """One modality: its kind, how many latents are suggested, its columns in order."""

    kind: Literal["table", "observed"] = "table"
    n_latents: Annotated[int, Field(ge=1)] | None = None
    columns: Annotated[dict[str, ColumnSpec], Field(min_length=1)]


class Link(_Part):
    """A link known beforehand, between ``modality.column`` and ``modality.column``."""

    source: Text
    target: Text
    sign: Literal[-1, 1]
    rests_on: Text


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
        return {
            f"{name}.{column}": spec
            for name, modality in self.modality.items()
            for column, spec in modality.columns.items()
        }


def parse(raw: dict[str, Any]) -> tuple[Manifest | None, list[InputError]]:
    """The manifest that ``raw`` declares, or everything that is wrong with it."""
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        faults = [_fault(fault["loc"], fault["type"], fault["msg"], fault["input"]) for fault in error.errors()]
        return None, list({fault.argument: fault for fault in reversed(faults)}.values())[::-1]
    return manifest, _dangling(manifest)


def _fault(loc: tuple[int | str, ...], kind: str, message: str, given: object) -> InputError:
    keys, part = _place(loc)
    path = "manifest " + ".".join(keys)
    if kind == "extra_forbidden":
        nearest = get_close_matches(keys[-1], list(part.model_fields), 1, 0)[0]
        return InputError(path, f"a known key, the nearest being {nearest!r}", repr(keys[-1]))
    if kind == "missing":
        return InputError(path, "a value", "nothing")
    expected = message.removeprefix("Value error, ").removeprefix("Input should be ")
    return InputError(path, expected, "these values" if isinstance(given, dict) else repr(given)[:60])


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


def _dangling(manifest: Manifest) -> list[InputError]:
    """Names that point to nothing."""
    names, columns = list(manifest.modality), list(manifest.columns())
    pointers = [("people.require", name, names) for name in manifest.people.require]
    pointers += [("tiers", name, names) for tier in manifest.tiers or [] for name in tier]
    for i, link in enumerate(manifest.known):
        pointers += [(f"known.{i}.source", link.source, columns), (f"known.{i}.target", link.target, columns)]
    faults = []
    for where, name, valid in pointers:
        if name not in valid:
            nearest = get_close_matches(name, valid, 1, 0)[0]
            expected = f"a name declared under modality, the nearest being {nearest!r}"
            faults.append(InputError(f"manifest {where}", expected, repr(name)))
    return faults
