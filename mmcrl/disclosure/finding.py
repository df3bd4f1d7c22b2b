"""Finding: what must not leave, and where it stands; never the value itself. Rules: what counts as too much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from mmcrl.errors import check_whole

__all__ = ["SORTS", "Finding", "Report", "Rules", "Sort", "unique"]

Sort = Literal["id", "row", "count", "scatter", "image", "file"]
SORTS: dict[Sort, str] = {
    "id": "participant ids",
    "row": "rows of people",
    "count": "a count under the minimum",
    "scatter": "a picture with marks for single people",
    "image": "an image or series of a person",
    "file": "a file that is not opened",
}


@dataclass(frozen=True)
class Rules:
    """From where on something discloses.

    Raises
    ------
    InputError : for a limit that is no whole number of at least 1.
    """

    minimum: int = 10  # a group of fewer people is not counted; the CDC and the UK's ONS use 10 or less
    rows: int = 300  # an aggregate has fewer rows: the longest table of this book, a codebook, has under 100
    marks: int = 150  # an aggregate picture has fewer marks of one look
    images: bool = False  # whether images and series of people may be shown

    def __post_init__(self) -> None:
        for name in ("minimum", "rows", "marks"):
            check_whole(name, getattr(self, name), 1)


@dataclass(frozen=True)
class Finding:
    """One thing that must not leave.

    >>> print(Finding("id", 4, "Who is in it", "a table", "3 of its index"))
    participant ids in a table of cell 4 under 'Who is in it' (3 of its index)
    """

    sort: Sort
    cell: int
    heading: str
    where: str
    told: str

    def __str__(self) -> str:
        under = f" under {self.heading!r}" if self.heading else ""
        return f"{SORTS[self.sort]} in {self.where} of cell {self.cell}{under} ({self.told})"


@dataclass(frozen=True)
class Report:
    """What was looked at in one notebook, and what was found."""

    people: list[str]  # names of the cohorts of real people that it was held against
    checked: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    rules: Rules = Rules()

    def to_dict(self) -> dict[str, Any]:
        """What is kept with a page: counts only."""
        return {"people": self.people, **self.checked, "findings": len(self.findings), "minimum": self.rules.minimum}


def unique(findings: Iterable[Finding]) -> list[Finding]:
    """One finding of each sort in each cell: an output comes as HTML and as text."""
    return list({(finding.sort, finding.cell): finding for finding in reversed(list(findings))}.values())[::-1]
