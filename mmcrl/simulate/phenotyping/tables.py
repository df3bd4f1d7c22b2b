"""Tables: body, blood, oximetry, grip and conditions, whose columns follow latents as people's measurements would.

    x_c = Q_c(F_c(w_c . z + p_c eta + e_c noise_c)),

eta one private variable per table, noise_c one per column, F_c the distribution of what stands in brackets (from a
pilot sample, the same in every world), Q_c the quantile function.  ``columns.csv`` lists w, p, e and Q with the
source of each Q: the 1, 5, 25, 50, 75, 95 and 99 % quantiles of a numeric column, the shares of people who have the
values 0, 1, ... of another.  NHANES (National Center for Health Statistics) stands for its people of 40 to 70 years,
women and men in equal parts, unweighted.  Oximetry is that of the second and third night; the series are the first.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple, cast

import numpy as np
from scipy.special import ndtri

from mmcrl.modality import ColumnKind, Modality

__all__ = ["TABLES", "demographics", "table"]

TABLES = ("body", "blood", "oximetry", "grip", "conditions")

_LEVELS = ndtri([0.0001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.9999])
_MIDDLE_AGE, _YEARS = 55.0, 15 / np.sqrt(3)  # uniform from 40 to 70, as the Human Phenotype Project recruits


def demographics(z: np.ndarray) -> Modality:
    """Age and sex, from their latents (n, 2), as columns that are latents themselves."""
    values = np.column_stack([_MIDDLE_AGE + _YEARS * z[:, 0], z[:, 1] > 0])
    described = ["age, uniform from 40 to 70", "1 woman, 0 man"]
    return Modality(values, "observed", ["age", "sex"], ["years", ""], described, ["numeric", "binary"])


class Column(NamedTuple):
    """A row of ``columns.csv``."""

    name: str
    unit: str
    kind: ColumnKind
    loads: list[float]
    private: float
    noise: float
    decimals: int
    distribution: list[float]
    source: str


def table(name: str, draws: np.ndarray, z: np.ndarray, pilot: np.ndarray, missing: np.ndarray) -> Modality:
    """A table of people with these latents (n, k).

    ``draws`` (n, 40) are standard normal, ``pilot`` (N, k) are latents of the population, ``missing`` (n,) says who
    was not measured.
    """
    columns = _columns(name)
    names = [column.name for column in columns]
    pilot_draws = np.random.default_rng(54321).normal(size=(len(pilot), draws.shape[1]))
    seen, population = _indices(draws, z, columns), np.sort(_indices(pilot_draws, pilot, columns), axis=0)
    rank = (np.arange(len(pilot)) + 0.5) / len(pilot)
    values = np.empty_like(seen)
    for j, column in enumerate(columns):
        values[:, j] = _quantile(np.interp(seen[:, j], population[:, j], rank), column)
    if name == "body":
        height, bmi = values[:, names.index("height")], values[:, names.index("bmi")]
        values[:, names.index("weight")] = np.round(bmi * (height / 100) ** 2, 1)
    values[missing] = np.nan
    units, sources = [column.unit for column in columns], [column.source for column in columns]
    return Modality(values, "table", names, units, sources, [column.kind for column in columns])


@cache
def _columns(table: str) -> list[Column]:
    text = (files("mmcrl.simulate.phenotyping") / "columns.csv").read_text(encoding="utf-8")
    return [_column(row) for row in csv.DictReader(text.splitlines()) if row["table"] == table]


def _column(row: dict[str, str]) -> Column:
    return Column(
        name=row["column"],
        unit=row["unit"],
        kind=cast(ColumnKind, row["kind"]),
        loads=[float(row["load_0"]), float(row["load_1"])],
        private=float(row["private"]),
        noise=float(row["noise"]),
        decimals=int(row["decimals"]),
        distribution=[float(number) for number in row["distribution"].split()],
        source=row["source"],
    )


def _indices(draws: np.ndarray, z: np.ndarray, columns: list[Column]) -> np.ndarray:
    """What the columns' values are monotone in (n, columns)."""
    loads = np.array([column.loads[: z.shape[1]] for column in columns])
    private, noise = (np.array([getattr(column, name) for column in columns]) for name in ("private", "noise"))
    return z @ loads.T + draws[:, :1] * private + draws[:, 1 : 1 + len(columns)] * noise


def _quantile(u: np.ndarray, column: Column) -> np.ndarray:
    """Values of the column at these shares of the population, u in (0, 1)."""
    numbers = column.distribution
    if column.kind != "numeric":
        return np.searchsorted(np.cumsum(numbers), u).astype(float)
    if not numbers:
        return np.zeros_like(u)
    lowest, highest = 1.5 * numbers[0] - 0.5 * numbers[1], 1.5 * numbers[-1] - 0.5 * numbers[-2]
    values = np.interp(ndtri(u), _LEVELS, [max(lowest, 0.8 * numbers[0]), *numbers, highest])
    return np.asarray(np.round(values, column.decimals))
