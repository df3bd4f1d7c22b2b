"""Ids in the names of files and in words, and numbers that look like them but count something."""

import pandas as pd
import pytest

from mmcrl.disclosure import Persons, inspect
from mmcrl.disclosure.madeup import notebook_of, people, shown

PEOPLE = people()
ONE, SOME = PEOPLE.order[50], PEOPLE.order[3:8]
TEXTS = Persons("biobank", [f"MM{i:04d}X" for i in range(300)], {}, "code")
HYPHENS = Persons("clinic", [f"HPP-{i:04d}" for i in range(300)], {}, "code")
SEVEN = Persons("biobank", range(1_234_500, 1_235_000), {}, "eid")
NAMES = [
    "{}_L.png", "scans/{}_left.png", "{}-OD.jpg", "{}_20216_2_0.zip", "sub-{}_ses-01", "eye.{}.dcm", "L_{}.png",
    "fundus of {}", "![fundus of {}](a.png)", "the scan of {} is dark", "{}.0.png",
]  # fmt: skip


def sorts(notebook, persons=PEOPLE):
    return {finding.sort for finding in inspect(notebook, [persons]).findings}


def printed(text):
    return notebook_of({"output_type": "stream", "name": "stdout", "text": f"{text}\n"})


@pytest.mark.parametrize("name", NAMES)
def test_an_id_is_found_as_a_part_of_a_name(name):
    for persons, one in ((PEOPLE, ONE), (TEXTS, "MM0015X"), (HYPHENS, "HPP-0015"), (SEVEN, "1234567")):
        assert sorts(printed(f"reading {name.format(one)}"), persons) == {"id"}
        assert sorts(printed(f"reading {name.format(one.replace('5', '99'))}"), persons) == set()


@pytest.mark.parametrize(
    "name", ["{}L.png", "SUBJ{}R.dcm", "00{}", "total {}", "len {}", "a size {}", "scan {}", "of {}, left"]
)
def test_a_number_of_five_digits_is_found_among_letters_and_zeros(name):
    assert sorts(printed(name.format(ONE))) == {"id"}


@pytest.mark.parametrize("name", ["{}.png", "{}_L", "scans/{}_left.png"])
def test_names_of_files_are_found_in_tables_and_lists(name):
    files = [name.format(person) for person in SOME]
    scores = pd.DataFrame({"file": files, "dark": [0.1, 0.2, 0.3, 0.4, 0.5]})
    for thing in (scores, scores[:1], scores.set_index("file"), scores.T, files):
        assert sorts(notebook_of(shown(thing))) == {"id"}


@pytest.mark.parametrize(
    "text",
    [
        "of {} people",
        "one of {}-person cohorts",
        "3 of {}, 12.5 % of {}, 3 out of {}",
        "total {} rows",
        "total: {}; size={}; len: {}",
        "n_people: {}, 'steps': {}, 'seed': {}",
        "took {}ms, {}kB, {} seconds",
        "https://doi.org/10.1186/s13023-{} and 10.1371/journal.pone.{}",
        "commit f{}a, a{}b.png, 3f{}",
        "version 2.{}.1, 0.{}, {}.25",
        "2024-{}, {}-{}",
        "seed_{}.json, /tmp/ipykernel_{}/1.py",
    ],
)
def test_a_number_that_counts_or_is_a_part_of_another_is_nobody(text):
    assert sorts(printed(text.replace("{}", ONE))) == set()


def test_a_single_number_in_a_column_is_nobody():
    table = pd.DataFrame({"a": [int(ONE), 7, 9, 12], "b": ["x", "y", f"{ONE} kg", "z"]})
    assert sorts(notebook_of(shown(table))) == set()


RESPELT = {  # how a cohort spells them, and what a program makes of the sixtieth
    "no zeros": ([f"{i:07d}" for i in range(82_400, 82_700)], "82460"),
    "short ones without zeros": ([f"{i:07d}" for i in range(8_200, 8_500)], "8260"),
    "small letters": ([f"MR{i}" for i in range(100_000, 100_300)], "mr100060"),
    "without letters": ([f"MR{i}" for i in range(100_000, 100_300)], "100060"),
}


@pytest.mark.parametrize("ids, one", RESPELT.values(), ids=RESPELT)
def test_an_id_is_found_as_programs_rewrite_it(ids, one):
    persons = Persons("study", ids, {}, "pid")
    assert sorts(printed(f"participant {one} is an outlier"), persons) == {"id"}
    some = [one[:-1] + digit for digit in "25804"]
    assert sorts(notebook_of(shown(pd.DataFrame({"pid": some}))), persons) == {"id"}
    assert sorts(printed("300 people in 60 groups, MR 7, epoch 60"), persons) == set()


def test_ids_that_count_people_are_no_numbers():
    persons = Persons("study", [f"P{i:04d}" for i in range(1, 301)], {}, "pid")
    assert sorts(notebook_of(shown(pd.DataFrame({"r2": [0.5, 0.6, 0.7]}, index=[101, 102, 105]))), persons) == set()
    assert sorts(printed("p0105 is left out"), persons) == {"id"}
