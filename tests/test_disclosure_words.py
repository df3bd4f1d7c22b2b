"""Ids of letters, or with signs in them, are found as whole words; ordinary words that equal one are not."""

import numpy as np
import pandas as pd
import pytest

from mmcrl.disclosure import Persons, inspect
from mmcrl.disclosure.madeup import notebook_of, shown

RNG = np.random.default_rng(3)
LETTERS = ["".join(RNG.choice(list("ABCDEFGHIKLM"), 8)) for _ in range(60)]
COHORTS = {
    "capitals": LETTERS,
    "small letters of one length": [person.lower() for person in LETTERS],
    "signs": [f"S{i // 20:02d}/{1000 + i}" for i in range(60)],
    "full names": [f"{person[:4].title()} {person[4:].title()}" for person in LETTERS],
}
NAMES = Persons("mice", ["table", "anna", "score", "berta", "clara", "method"], {}, "mouse")


def sorts(notebook, persons):
    return {finding.sort for finding in inspect(notebook, [persons]).findings}


def printed(text):
    return notebook_of({"output_type": "stream", "name": "stdout", "text": text})


@pytest.mark.parametrize("how", COHORTS)
def test_an_id_that_is_no_number_is_found_wherever_it_stands(how):
    persons, one, some = Persons(how, COHORTS[how], {}, "code"), COHORTS[how][7], COHORTS[how][3:6]
    table = pd.DataFrame({"score": [0.1, 0.2, 0.3]}, index=some)
    outputs = [printed(f"{one}\n"), printed(f"the outlier is {one}, see the file"), printed(f"KeyError: '{one}'")]
    outputs += [printed(str(some)), notebook_of(shown(table)), printed(str(table)), notebook_of(shown(table.T))]
    assert [sorts(output, persons) for output in outputs] == [{"id"}] * len(outputs)
    others = Persons("others", [f"{person[::-1]}Q" for person in persons.order], {}, "code")
    assert [sorts(output, others) for output in outputs] == [set()] * len(outputs)


def test_ids_that_may_be_words_are_found_alone_and_together():
    table = pd.DataFrame({"r2": [0.1, 0.2, 0.3]}, index=["anna", "berta", "clara"])
    for notebook in (printed("anna\n"), printed("without anna, berta, clara\n"), notebook_of(shown(table))):
        assert sorts(notebook, NAMES) == {"id"}
    assert sorts(printed("the table has a score of each method"), NAMES) == set()
    frame = pd.DataFrame({"score": [0.1, 0.2], "method": ["ours", "theirs"]}, index=["linear", "table"])
    assert sorts(notebook_of(shown(frame)), NAMES) == set()
