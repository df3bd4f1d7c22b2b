"""Short ids: numbers of three or four digits are people where something says so, and ordinary numbers elsewhere."""

import numpy as np
import pandas as pd
import pytest

from mmcrl.disclosure import Persons, inspect
from mmcrl.disclosure.madeup import notebook_of, shown

AI_READI = Persons("ai-readi", range(1000, 1024), {}, "person_id")
LARGER = Persons("more", [*range(1003, 1024), *np.arange(1024, 7000, 5)], {}, "person_id")
SCORES = pd.DataFrame({"r2": [0.12, 0.5, 0.31, 0.44]}, index=[1003, 1005, 1011, 1017])
SHORT = {
    "a file's path": "reading 1005/1005_oxygensaturation.json",
    "a file": "read 1005.dcm",
    "a list": "[1003, 1005, 1011, 1017]",
    "numbers of numpy": repr([np.int64(1003), np.int64(1005), np.int64(1011)]),
    "a list in a sentence": "without 1003, 1005 and 1011",
    "an outlier": "the outlier is 1005",
    "an error": "KeyError: 1005",
    "a printed table": SCORES.to_string(),
    "lines of a file": SCORES.to_csv(header=False),
    "keys": str(SCORES["r2"].to_dict()),
}


def sorts(notebook, persons):
    return {finding.sort for finding in inspect(notebook, [persons]).findings}


def printed(text):
    return notebook_of({"output_type": "stream", "name": "stdout", "text": text})


@pytest.mark.parametrize("persons", [AI_READI, LARGER], ids=lambda persons: persons.name)
@pytest.mark.parametrize("how", SHORT)
def test_a_short_id_is_found_where_something_says_that_it_is_one(how, persons):
    assert sorts(printed(SHORT[how]), persons) == {"id"}


@pytest.mark.parametrize(
    "table",
    [SCORES, SCORES.T, SCORES.reset_index(), SCORES.set_index([SCORES.index, ["left"] * 4]), SCORES.index],
    ids=["index", "header", "column", "levels", "an index alone"],
)
def test_short_ids_are_found_together_in_a_table(table):
    assert sorts(notebook_of(shown(table)), AI_READI) == {"id"}
    assert sorts(notebook_of(shown(table)), Persons("others", range(3000, 3024), {}, "person_id")) == set()


def test_short_ids_are_found_in_the_code_in_metadata_and_in_a_picture():
    some = [1003, 1005, 1011, 1017]
    drawn = "".join(f"<text>{person}</text>" for person in some)
    svg = {"output_type": "display_data", "data": {"image/svg+xml": f"<svg>{drawn}</svg>"}}
    notebooks = [notebook_of(source=f"out = {some}"), notebook_of(metadata={"out": some}), notebook_of(svg)]
    assert [sorts(notebook, AI_READI) for notebook in notebooks] == [{"id"}] * 3


@pytest.mark.parametrize(
    "text",
    [
        "1005",
        "the cycles 2005, 2007 and 2009 of 2010",
        "1,003 people, 1,005 of them with both; n = 1011",
        "1000\n1005\n1010\n1015\n",
        "1995\n1996\n1997\n1998\n",
        "fewer than 1005 people, 1011 steps in 1017 ms",
        "https://doi.org/x/1005 of 2005/06/1011, 3/1011 adults",
        "[1024, 4096, 1000]",
        "participants: 1011",
        "id of 1005 people",
        "loss 0.1003, 0.1005, 0.1011",
    ],
)
def test_an_ordinary_number_that_equals_a_short_id_is_none(text):
    assert sorts(printed(text), AI_READI) == sorts(printed(text), LARGER) == set()


def test_numbers_that_only_count_people_are_ids_of_nobody():
    persons = Persons("clinic", range(1, 1_501), {})
    assert persons.short == set() and len(AI_READI.short) == 24
    assert sorts(notebook_of(shown(SCORES)), persons) == set()
