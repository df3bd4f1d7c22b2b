"""Source: the part of a manifest that says where the people's values lie."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mmcrl.layouts import LAYOUTS

__all__ = ["STRICT", "Questions", "Source", "Text"]

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)  # no key but the declared ones, no other type
Text = Annotated[str, Field(min_length=1)]


class Questions(BaseModel):
    """A table of what each variable means, beside the data."""

    model_config = STRICT

    path: Text
    variable: Text  # its column that holds the names used in the data
    question: Text  # its column that holds the question or description
    code: Text | None = None  # its column that holds the survey's own code


class Source(BaseModel):
    """Where the people's values lie, and in which layout; what else it may say, the layout decides."""

    model_config = STRICT

    path: Text
    id: Text
    layout: Text = "table"
    package: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    zero_below: Annotated[float, Field(gt=0)] | None = None  # magnitudes below this are zeros
    questions: Questions | None = None
    cohort: Text | None = None  # the part of a study that is read
    stage: Text | None = None  # the visit that is read
    pick: dict[str, int] = {}  # the one of several measurements (nights) that is read, by data set
    bulk_prefix: dict[str, str] = {}  # how paths of bulk files begin, and which folder below the root that is

    @field_validator("layout")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in LAYOUTS:
            raise ValueError(f"a layout among {', '.join(LAYOUTS)}")
        return name
