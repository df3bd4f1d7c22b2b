"""Configuration: `params.yml`, the one file that says what is run with which parameters.

.. code-block:: yaml

    threads: 1                        # of each notebook, whatever the machine: sums come out the same
    defaults: {seed: 0}               # for every notebook that has the parameter
    runs:
      01_generative_model:            # becomes book/notebooks/01_generative_model.ipynb
        notebook: notebooks/01_generative_model.ipynb
        title: The generative model
        params: {n_people: 4000}      # in every profile
        full: {n_people: 10000}       # in this profile, over the above
      17_nhanes_2005:
        notebook: notebooks/02_real_cohort.ipynb
        title: Adults of NHANES 2005-06
        heading: Real people, 2005 and 2006  # in place of the notebook's own, where several runs share it
        without: notebooks/absent.ipynb      # executed in its place where the cohort's files are not here
        params: {cohort: nhanes-2005}
    sweeps:
      numeric-seeds:                  # becomes data/results/numeric-seeds.csv
        notebook: notebooks/01_generative_model.ipynb
        title: The same world from five seeds
        grid: {seed: [0, 1, 2, 3, 4]}   # or a list of such grids, all with the same parameters
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mmcrl.errors import InputError

__all__ = ["Config", "Profile", "Run", "Sweep", "nearest", "read_config"]

Profile = Literal["quick", "full", "test"]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Run(_Part):
    """A notebook that becomes a page of the book."""

    notebook: Text
    title: Text
    heading: Text | None = None  # of the page; None: the notebook's own
    without: Text | None = None  # notebook executed instead where the files of parameter `cohort` are not here
    params: dict[str, Any] = {}
    quick: dict[str, Any] = {}
    full: dict[str, Any] = {}
    test: dict[str, Any] = {}
    reports: bool = False  # shows what the disclosure guard found on the other pages: executed after them


def _listed(grid: object) -> object:
    return ([grid] if grid else []) if isinstance(grid, dict) else grid


def _alike(grids: list[dict[str, list[Any]]]) -> list[dict[str, list[Any]]]:
    """Grids that vary the same parameters, so that their points are the rows of one table."""
    for grid in grids[1:]:
        differ = sorted(grid.keys() ^ grids[0].keys())
        if differ:
            raise ValueError(f"grids of the same parameters; only some have {differ[0]}")
    return grids


Grid = Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], Field(min_length=1)]
Grids = Annotated[list[Grid], Field(min_length=1), BeforeValidator(_listed), AfterValidator(_alike)]


class Sweep(_Part):
    """A notebook executed once for every combination of a grid's values; what it glues becomes a table.

    ``grid`` is one grid or a list of grids with the same parameters; what several of them hold is executed once.
    """

    notebook: Text
    title: Text
    params: dict[str, Any] = {}
    grid: Grids

    @property
    def varied(self) -> list[str]:
        """The parameters that differ from point to point, in the order of the table's columns."""
        return list(self.grid[0])

    def points(self) -> list[dict[str, Any]]:
        """Every combination once, grid after grid, the last parameter of a grid varying fastest."""
        points: list[dict[str, Any]] = []
        for grid in self.grid:
            combinations = itertools.product(*(grid[name] for name in self.varied))
            points += [dict(zip(self.varied, combination, strict=True)) for combination in combinations]
        return [point for at, point in enumerate(points) if point not in points[:at]]


class Config(_Part):
    """All that `params.yml` declares."""

    threads: Annotated[int, Field(ge=1)] = 1
    defaults: dict[str, Any] = {}
    runs: dict[Name, Run] = {}
    sweeps: dict[Name, Sweep] = {}

    def entry(self, name: str) -> Run | Sweep:
        """The run or sweep of this name.

        Raises
        ------
        InputError : when there is none; the nearest is named.
        """
        entries: dict[str, Run | Sweep] = {**self.runs, **self.sweeps}
        if name not in entries:
            raise InputError("name", f"a run or sweep of params.yml{nearest(name, entries)}", repr(name))
        return entries[name]


def read_config(path: Path) -> Config:
    """Read and check `params.yml`.

    Raises
    ------
    InputError : for a file that is no YAML, a key that is unknown or given twice, a value of another type, a
        name that is both a run and a sweep.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        config = Config.model_validate(raw or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(path.name, "a readable YAML file", " ".join(str(error).split())) from None
    except ValidationError as error:
        raise _fault(path.name, dict(error.errors()[0])) from None
    both = sorted(config.runs.keys() & config.sweeps.keys())
    if both:
        raise InputError(f"{path.name} sweeps", "other names than the runs have", repr(both[0]))
    return config


def nearest(name: str, known: Iterable[str]) -> str:
    """What was perhaps meant.

    >>> nearest("sed", ["seed", "cohort"])
    ", the nearest being 'seed'"
    """
    return "".join(f", the nearest being {match!r}" for match in get_close_matches(name, list(known), 1, 0))


class _Loader(yaml.SafeLoader):
    """YAML that reads 1e-3 as a number (YAML 1.1 wants 1.0e-3) and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = sorted({key for key in map(str, keys) if list(map(str, keys)).count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"key {twice[0]!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


_NUMBER = re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+.0123456789"))


def _fault(file: str, error: dict[str, Any]) -> InputError:
    keys = [str(key) for key in error["loc"] if key != "[key]"]
    where = f"{file} {'.'.join(keys)}".strip()
    if error["type"] == "extra_forbidden":
        parts: dict[str, type[BaseModel]] = {"runs": Run, "sweeps": Sweep}
        part = parts.get(keys[0], Config) if len(keys) > 1 else Config
        return InputError(where, f"a known key{nearest(keys[-1], part.model_fields)}", repr(keys[-1]))
    if error["type"] == "missing":
        return InputError(where, "a value", "nothing")
    return InputError(
        where, error["msg"].removeprefix("Input should be ").removeprefix("Value error, "), repr(error["input"])[:60]
    )
