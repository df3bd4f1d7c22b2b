"""Values of people in the order of their size, points beyond whiskers, curves of as many corners as people."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mmcrl import Cohort
from mmcrl.disclosure import Drawing, Persons, inspect
from mmcrl.disclosure.artists import artists
from mmcrl.disclosure.madeup import aggregates, measured, notebook_of, shown
from mmcrl.modality import Modality

NAMES = ["age", "weight", "bmi", "hba1c", "glucose", "ldl", "lead"]


def cohort(n=400, seed=3):
    """Ids of seven digits, ages in years, measurements of one or two decimals."""
    rng = np.random.default_rng(seed)
    ids = 1_000_000 + np.sort(rng.choice(9_000, n, replace=False))
    age = rng.integers(20, 81, n)
    weight = np.round(np.exp(rng.normal(4.3, 0.18, n)), 1)
    bmi, hba1c = np.round(weight / rng.normal(2.9, 0.2, n), 1), np.round(rng.normal(5.4 + age / 200, 0.4), 2)
    glucose, ldl = np.round(rng.normal(5.2 + age / 80, 0.8), 2), np.round(rng.normal(3.1, 0.7, n), 2)
    lead = np.round(np.exp(rng.normal(0, 0.6, n)), 2)
    values = np.column_stack([age, weight, bmi, hba1c, glucose, ldl, lead]).astype(float)
    return Persons.of(Cohort({"lab": Modality(values, kind="observed", names=NAMES)}, ids=pd.Index(ids, name="eid")))


PEOPLE = cohort()
TABLE = pd.DataFrame(PEOPLE.modalities["lab"].values, columns=NAMES)
DECIMAL = NAMES[1:]


def sorts(notebook, drawings=(), persons=PEOPLE):
    return {finding.sort for finding in inspect(notebook, [persons], None, drawings).findings}


def drawn(draw, persons=PEOPLE):
    figure = Figure()
    draw(figure.subplots())
    return sorts(notebook_of(), [Drawing(1, **artists(figure))], persons)


def printed(text):
    return sorts(notebook_of({"output_type": "stream", "name": "stdout", "text": f"{text}\n"}))


# Successive values of a sorted column


@pytest.mark.parametrize("most", [10, 20, 30, 40])
@pytest.mark.parametrize("name", ["weight", "hba1c", "glucose", "ldl", "lead"])
def test_the_lowest_and_highest_values_are_rows_of_people(name, most):
    ordered = np.sort(TABLE[name])
    for some in (ordered[:most], ordered[::-1][:most]):
        assert printed(some) == {"row"} == sorts(notebook_of(shown(some.tolist())))


@pytest.mark.parametrize("name", ["weight", "hba1c", "ldl"])
def test_few_of_the_lowest_and_highest_values_are(name):
    assert printed(np.sort(TABLE[name])[:5]) == {"row"} == printed(np.sort(TABLE[name])[-5:])
    for series in (TABLE[name].nsmallest(10), TABLE[name].nlargest(7)):
        told = series.reset_index(drop=True)
        assert printed(told) == {"row"} == sorts(notebook_of(shown(told.to_frame())))


def test_the_youngest_are_not_told_by_a_few_ages_that_many_have_and_are_by_forty():
    ages = np.sort(TABLE["age"]).astype(int)
    assert printed(ages[:8].tolist()) == set() and printed(ages[:40].tolist()) == {"row"}


def test_quantiles_places_and_other_people_s_values_are_nobody_s():
    other = cohort(seed=8).modalities["lab"].values
    for j, name in enumerate(NAMES):
        column = TABLE[name]
        low, high = np.floor(column.min()), np.ceil(column.max())
        assert printed(column.quantile(np.arange(1, 20) / 20).round(2).tolist()) == set()
        for number in (5, 6, 9, 11):
            assert printed(np.linspace(low, high, number).round(2).tolist()) == set()
        for step in (0.01, 0.1, 1, 5):
            assert printed((low + step * np.arange(10)).round(2).tolist()) == set()
        if name != "age":
            assert printed(np.sort(other[:, j])[:10]) == printed(np.sort(other[:, j])[-10:]) == set()


def test_random_lists_are_not_refused_more_often_than_chance_has_it():
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):
        column = TABLE[NAMES[rng.integers(1, len(NAMES))]]
        number = int(rng.integers(5, 12))
        like = rng.choice(column, number) + rng.choice([-0.02, -0.01, 0.0, 0.01, 0.02], number)
        refused += bool(printed(np.sort(like).round(2).tolist()))
    assert refused <= 3


def test_tables_of_aggregates_pass():
    persons = PEOPLE
    female = np.random.default_rng(1).integers(0, 2, len(TABLE))
    assert list(measured(persons)) == NAMES
    named = persons.modalities["lab"]
    both = Modality(np.column_stack([named.values, female]), kind="observed", names=[*NAMES, "female"])
    tables = list(aggregates(Persons("made-up people", persons.order, {"lab": both}, "eid"), 60, seed=7))
    refused = [table for table in tables if sorts(notebook_of(shown(table)))]
    assert len(refused) <= 2 and all("max" in table.index for table in refused)


# Curves


STEPS = {
    "a step for each person": lambda ax: ax.ecdf(TABLE["hba1c"]),
    "the steps from above": lambda ax: ax.ecdf(TABLE["hba1c"], complementary=True),
    "steps across": lambda ax: ax.ecdf(TABLE["hba1c"], orientation="horizontal"),
    "a step for most people": lambda ax: ax.ecdf(TABLE["hba1c"][:333]),
    "a step for some people": lambda ax: ax.ecdf(TABLE["hba1c"][:150]),
    "a step for each value": lambda ax: ax.ecdf(TABLE["hba1c"], compress=True),
    "sorted values of everyone": lambda ax: ax.plot(np.sort(TABLE["hba1c"]), np.arange(400) / 400),
    "sorted values of most people": lambda ax: ax.plot(np.sort(TABLE["hba1c"][:333]), np.arange(333) / 333),
    "sorted ages of most people": lambda ax: ax.plot(np.sort(TABLE["age"][:333]), np.arange(333) / 333),
    "sorted scores of everyone": lambda ax: ax.plot(np.sort(np.random.default_rng(0).normal(size=400))),
    "a score for each of those held out": lambda ax: ax.plot(np.random.default_rng(0).normal(size=100)),
    "steps of everyone's scores": lambda ax: ax.ecdf(np.random.default_rng(0).normal(size=400)),
}
SHARES = np.linspace(0.05, 0.95, 19)
SMOOTH = np.linspace(4, 7, 100)
CURVES = {
    "a density": lambda ax: ax.plot(SMOOTH, np.exp(-((SMOOTH - 5.5) ** 2))),
    "a density across": lambda ax: ax.plot(np.exp(-((SMOOTH - 5.5) ** 2)), SMOOTH),
    "a share of 0 to 1": lambda ax: ax.plot(np.linspace(0, 1, 100), np.linspace(0, 1, 100) ** 0.3),
    "places of growing distance": lambda ax: ax.semilogx(np.geomspace(1e-3, 1e3, 100), np.linspace(0, 1, 100)),
    "a circle": lambda ax: ax.plot(np.cos(SMOOTH), np.sin(SMOOTH)),
    "a curve of as many points as people": lambda ax: ax.plot(np.linspace(0, 9, 400), np.sin(np.linspace(0, 9, 400))),
    "quantiles": lambda ax: ax.plot(TABLE["hba1c"].quantile(SHARES), SHARES),
    "means at each age": lambda ax: ax.plot(TABLE.groupby("age")["ldl"].mean()),
    "seconds of runs": lambda ax: ax.plot(np.random.default_rng(4).integers(20, 80, 60)),
}


@pytest.mark.parametrize("draw", STEPS.values(), ids=STEPS)
def test_a_line_through_people_is_one_of_people(draw):
    assert drawn(draw) == {"scatter"}


@pytest.mark.parametrize("draw", CURVES.values(), ids=CURVES)
def test_a_smooth_curve_is_nobody_though_it_has_as_many_corners_as_people(draw):
    assert drawn(draw) == set()


def test_hundredths_of_a_column_that_come_again_are_nobody_s():
    values = np.round(cohort(4000).modalities["lab"].values[:, [NAMES.index("hba1c"), NAMES.index("ldl")]], 1)
    large, shares = Persons.of(Cohort({"lab": values})), np.arange(1, 100) / 100
    hundredths = np.quantile(values[:, 0], shares).round(1)
    assert 12 < len(set(hundredths)) < 0.9 * 99
    assert drawn(lambda ax: ax.plot(shares, hundredths), large) == set()
    assert drawn(lambda ax: ax.plot(np.sort(values[:2500, 0])), large) == {"scatter"}


# Box plots


@pytest.mark.parametrize("across", [False, True], ids=["upright", "across"])
@pytest.mark.parametrize("name", ["ldl", "lead", "hba1c", "weight"])
def test_points_beyond_the_whiskers_are_people(name, across):
    assert drawn(lambda ax: ax.boxplot(TABLE[name], orientation="horizontal" if across else "vertical")) == {
        "scatter"
    }


def test_a_single_point_beyond_the_whiskers_is_one():
    assert drawn(lambda ax: ax.boxplot([TABLE["ldl"], TABLE["weight"]], whis=(0, 99.8))) == {"scatter"}


def test_groups_of_people_have_points_beyond_their_whiskers_too():
    for name in DECIMAL:
        groups = [TABLE[name][TABLE["age"] < 50], TABLE[name][TABLE["age"] >= 50]]
        assert drawn(lambda ax, groups=groups: ax.boxplot(groups)) == {"scatter"}


def test_box_plots_of_scores_or_without_their_points_are_nobody():
    scores = np.random.default_rng(0).standard_t(2, 40)
    seconds = [*np.random.default_rng(0).integers(30, 40, 30), 60, 75, 79]
    assert drawn(lambda ax: ax.boxplot([scores, scores.round(2)])) == set()
    assert drawn(lambda ax: ax.boxplot(seconds)) == set()
    shares = np.round(0.6 + 0.1 * np.random.default_rng(1).standard_t(3, (4, 30)), 2)
    assert drawn(lambda ax: ax.boxplot(list(shares))) == set()
    assert drawn(lambda ax: ax.boxplot([TABLE["ldl"], TABLE["lead"]], showfliers=False)) == set()
