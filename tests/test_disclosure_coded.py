"""Ids in the code of a page, one or two of them, and ids as 1.004736e+06 or 1,004,736; sizes and seeds are none."""

import numpy as np
import pandas as pd
import pytest

from mmcrl.disclosure import Persons, inspect
from mmcrl.disclosure.madeup import notebook_of, shown

BIOBANK = Persons("biobank", [1004736, 1002889, *range(1_200_001, 1_200_300)], {}, "eid")
SURVEY = Persons("survey", [80003, 80010, 80011, *range(81_001, 81_300)], {}, "SEQN")
LETTERS = Persons("clinic", [f"MM{i:04d}X" for i in range(300)], {}, "code")


def sorts(notebook, persons):
    return {finding.sort for finding in inspect(notebook, [persons]).findings}


def written(source):
    return notebook_of(source=source)


def printed(text):
    return notebook_of({"output_type": "stream", "name": "stdout", "text": f"{text}\n"})


TOLD = [  # of ids of five digits too
    "T.loc[{}]", "T.loc[{}, 'hba1c']", "T.at[{}, 'hba1c']", "T.loc[[{}]]", "T.loc[T.index != {}]", "T[T.index == {}]",
    "model.drop({})", "T.drop(index=[{}])", "T.drop(index={})", "T[~T.index.isin([{}])]", "x = '{}'", "x = \"{}\"",
    "open('scans/{}_left.png')", "# person {} is odd", "# without '{}'", "person = {}", "f(outlier={})",
    "odd = {{{}: 'old'}}['{}']",
    "%time T.loc[{}]", "T.loc[{}.0]", "x = T.xs({})", "if participant == {}: pass", "T.query('index == \"{}\"')",
    "T.loc[{}]\nthis is no Python", "T.loc[{}:]", "T.loc[:{}]", "T.loc[+{}]", "T[T.index.eq({})]",
]  # fmt: skip
LONG = [
    "bad = [{}]", "bad = {{{}}}", "odd = {{{}: 1}}", "# {} is odd", "x = T[{}]", "if who in ({},): pass",
    "T.query('index == {}')",
]  # fmt: skip


@pytest.mark.parametrize("source", [*TOLD, *LONG])
def test_one_id_in_the_code_is_one(source):
    assert sorts(written(source.format("1004736", "1004736")), BIOBANK) == {"id"}
    assert sorts(written(source.format("1004737", "1004737")), BIOBANK) == set()


@pytest.mark.parametrize("source", TOLD)
def test_one_id_of_five_digits_is_one_where_ids_stand(source):
    assert sorts(written(source.format("80003", "80003")), SURVEY) == {"id"}
    assert sorts(written(source.format("80004", "80004")), SURVEY) == set()


def test_digits_of_an_id_may_be_grouped_and_letters_be_in_it():
    assert sorts(written("T.loc[1_004_736]"), BIOBANK) == {"id"} == sorts(written("T.loc[80_003]"), SURVEY)
    assert sorts(written("T.loc['MM0015X']"), LETTERS) == {"id"} == sorts(written("# MM0015X is odd"), LETTERS)


@pytest.mark.parametrize(
    "source",
    [
        "n_people = {}", "simulate.numeric(n={}, seed={})", "rng = default_rng({})", "for step in range({}): pass",
        "steps: int = {}  # of the optimiser", "x[:{}]", "assert len(T) == {}", "assert T.shape == ({}, 3)",
        "# {} people, {} steps", "seed = {}", "f(seed={})", "np.zeros(({}, 3))", "n = {} + 1",
        "if step == {}: stop()", "T.iloc[{}]", "T.iat[{}, 0]",
        "print(f'{{n}} of {} people')", "x = 0.{}", "assert n_people == {}", "np.arange({})", "sizes = {{'n': {}}}",
    ],
)  # fmt: skip
def test_sizes_seeds_and_steps_in_the_code_are_none(source):
    for one, persons in (("1004736", BIOBANK), ("80003", SURVEY)):
        assert sorts(written(source.format(one, one)), persons) == set()


@pytest.mark.parametrize("source", ["sizes = [{}, 3]", "# {} of them", "T[{}]", "{{{}: 1}}"])
def test_a_number_of_five_digits_may_be_anything_elsewhere_in_the_code(source):
    assert sorts(written(source.format("80003")), SURVEY) == set()


@pytest.mark.parametrize("number", [1 << 20, 1_200_000, 262_144])
def test_round_numbers_in_lists_are_sizes(number):
    persons = Persons("biobank", [number, *range(3_000_001, 3_000_300)], {}, "eid")
    assert sorts(written(f"sizes = [{number}]"), persons) == set()


# Written otherwise


@pytest.mark.parametrize(
    "text",
    [
        "1.00288900e+06", "the outlier is 1.00288900E+06", "[1.004736e+06 1.000000e-03]", "1,004,736", "1_004_736",
        "person 1,004,736 is odd", "eid: 1,004,736",
    ],
)  # fmt: skip
def test_an_id_is_found_however_its_digits_are_written(text):
    assert sorts(printed(text), BIOBANK) == {"id"}
    other = text.replace("4736", "4737").replace("4,736", "4,737").replace("4_736", "4_737").replace("2889", "2888")
    assert sorts(printed(other), BIOBANK) == set()


def test_arrays_of_ids_and_values_are_found():
    assert sorts(printed(np.array([[1004736, 5.5], [1002889, 0.001]])), BIOBANK) == {"id"}
    assert sorts(printed(np.array([[80003, 5.5], [80011, 0.00001]])), SURVEY) == {"id"}


def test_grouped_ids_of_five_digits_are_found_where_several_stand_together():
    several = ["80,003", "80,010", "80,011"]
    assert sorts(printed(", ".join(several)), SURVEY) == {"id"} == sorts(printed("\n".join(several)), SURVEY)
    assert sorts(notebook_of(shown(pd.DataFrame({"a": several, "b": [0.5, 0.25, 0.75]}))), SURVEY) == {"id"}


@pytest.mark.parametrize(
    "text",
    [
        "80,003", "80,003 and 12,500", "1,004,736 people", "n = 1,004,736", "rows: 1,004,736", "1.0047e+06",
        "1.004736e+05",
        "21,004,736", "1,004,736.5", "1,004,736,000", "loss 1.004736e+06", "1.00473612e+06", "8.0003e+04",
        "12 of 1,004,736", "1,004,736 parameters",
    ],
)  # fmt: skip
def test_numbers_that_may_count_or_measure_are_none(text):
    assert sorts(printed(text), BIOBANK) == set() == sorts(printed(text), SURVEY)
