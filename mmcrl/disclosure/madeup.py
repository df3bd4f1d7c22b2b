"""Made-up people, and the notebooks that the guard is tried on: planted leaks of each sort, tables of aggregates.

The people are drawn from random numbers: what is planted discloses nobody, and the guard must refuse it all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort
from mmcrl.disclosure.persons import Persons
from mmcrl.modality import Modality
from mmcrl.ranges import few

__all__ = ["aggregates", "attached", "measured", "notebook_of", "people", "shown"]


def people(n: int = 600, seed: int = 0) -> Persons:
    """A cohort as a survey has it: ids with gaps, age and sex, body, blood, one night's series, a small image."""
    rng = np.random.default_rng(seed)
    ids = 50_000 + np.sort(rng.choice(3 * n, n, replace=False))
    age, female = rng.integers(20, 81, n), rng.integers(0, 2, n)
    height = np.round(rng.normal(175 - 12 * female, 7), 1)
    weight = np.round(np.exp(rng.normal(np.log(height - 95), 0.18)), 1)
    waist = np.round(weight * 0.7 + 0.2 * age + rng.normal(30, 4, n), 1)
    body = np.column_stack([height, np.log(weight), np.log(np.round(weight / (height / 100) ** 2, 1)), waist])
    glucose, hba1c = np.round(rng.normal(5.2 + age / 80, 0.8), 2), np.round(rng.normal(5.4 + age / 200, 0.4), 1)
    cholesterol, lead = np.round(rng.normal(4.9, 0.9, n), 2), np.round(np.exp(rng.normal(0, 0.6, n)), 2)
    blood = np.column_stack([glucose, hba1c, cholesterol, np.log(lead + 0.01)])
    steps = np.cumsum(rng.normal(size=(n, 1, 96)), axis=2)
    rings = np.add.outer(np.linspace(-1, 1, 16) ** 2, np.linspace(-1, 1, 16) ** 2)
    eyes = rings + 0.3 * rng.normal(size=(n, 1, 16, 16))
    modalities = {
        "who": Modality(np.column_stack([age, female]), kind="observed", names=["age", "female"]),
        "body": Modality(body, names=["height", "weight", "bmi", "waist"]),
        "blood": Modality(blood, names=["glucose", "hba1c", "cholesterol", "lead"]),
        "night": Modality(np.round(steps, 3), kind="series", names=["movement"]),
        "eye": Modality(eyes.astype(np.float32), kind="image", names=["grey"]),
    }
    return Persons.of(Cohort(modalities, ids=pd.Index(ids, name="SEQN"), name="made-up people"))


def measured(persons: Persons) -> pd.DataFrame:
    """Their tables in the units of the measurement, ids as index."""
    columns = persons.columns
    plain = {name: columns.get(f"{name} measured", columns[name]) for name in dict.fromkeys(persons.names)}
    index = pd.Index([int(person) for person in persons.order], name=persons.id_name)
    return pd.DataFrame(plain, index=index).rename(columns=lambda name: name.split(".")[1])


def notebook_of(*outputs: dict[str, Any], source: str = "", metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """A notebook of one executed cell with these outputs."""
    cell = {"cell_type": "code", "source": source, "metadata": metadata or {}, "execution_count": 1}
    return {"metadata": {}, "cells": [{**cell, "outputs": list(outputs)}]}


def attached(name: str, data: dict[str, str]) -> dict[str, Any]:
    """A notebook of one text with an attachment."""
    cell = {"cell_type": "markdown", "source": f"![it](attachment:{name})", "metadata": {}}
    return {"metadata": {}, "cells": [{**cell, "attachments": {name: data}}]}


def shown(thing: Any, key: str = "") -> dict[str, Any]:
    """The output of a cell that ends in ``thing``, or glues it under ``key``."""
    prefix, metadata = ("application/papermill.record/", {"scrapbook": {"name": key}}) if key else ("", {})
    data = {f"{prefix}text/plain": repr(thing)}
    if hasattr(thing, "to_html") and isinstance(thing, pd.DataFrame):
        data[f"{prefix}text/html"] = thing._repr_html_()  # type: ignore[operator]
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def aggregates(persons: Persons, number: int = 400, seed: int = 0) -> Iterator[pd.DataFrame]:
    """Tables that a page may show: means, medians, quantiles, correlations, counts without small groups."""
    rng, table = np.random.default_rng(seed), measured(persons)
    age = pd.cut(table["age"], [19, 34, 49, 64, 80]).astype(str)
    for _ in range(number):
        some = table[list(rng.choice(table.columns, rng.integers(3, 7), replace=False))]
        groups = [age, table["female"].map({0: "men", 1: "women"})][: rng.integers(1, 3)]
        fourths = pd.qcut(some.iloc[:, 0], 4, duplicates="drop")
        made = [
            some.groupby(groups).mean(),
            some.groupby(groups).median(),
            some.quantile(np.sort(rng.choice(np.arange(1, 20), 5, replace=False)) / 20),
            some.corr(method="spearman"),
            some.agg(["mean", "std", "median", "count"]).T,
            some.describe(),
            some.groupby(fourths).agg(["mean", "std"]),
            pd.crosstab(age, fourths).map(few),
        ][rng.integers(8)]
        yield made.round(int(rng.integers(1, 4))) if rng.random() < 0.7 else made
