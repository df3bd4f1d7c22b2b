"""Small groups in cross tables with empty cells, in sentences and columns; and small numbers of other things."""

import numpy as np
import pandas as pd
import pytest

from mmcrl.disclosure import inspect
from mmcrl.disclosure.madeup import measured, notebook_of, people, shown

PEOPLE = people()
TABLE = measured(PEOPLE)


def sorts(output):
    return {finding.sort for finding in inspect(notebook_of(output), [PEOPLE]).findings}


def printed(text):
    return {"output_type": "stream", "name": "stdout", "text": f"{text}\n"}


def displayed(kind, text):
    return {"output_type": "display_data", "data": {f"text/{kind}": text}, "metadata": {}}


def test_a_cross_table_with_an_empty_cell_is_one():
    crossed = pd.DataFrame({"low": [300.0, np.nan], "high": [297.0, 3.0]}, index=["young", "old"])
    assert sorts(shown(crossed)) == {"count"} == sorts(printed(crossed.to_string()))
    assert sorts(shown(crossed.replace({297.0: 290.0, 3.0: 10.0}))) == set()
    assert sorts(shown(crossed.replace({297.0: 297.5, 3.0: 2.5}))) == set(), "no counts"
    bands = pd.cut(TABLE["age"], [19, 40, 79, 80]), pd.cut(TABLE["lead"].rank(), [0, 9, 300, 700])
    some = TABLE.groupby([*bands], observed=True).size()[lambda sizes: sizes != sizes.max()].unstack()
    assert some.isna().any().any() and (some < 10).any().any()
    assert sorts(shown(some)) == {"count"} == sorts(printed(some.to_string()))


@pytest.mark.parametrize(
    "text",
    [
        "Only **3** people have both.",
        "Only _three_ people",
        "Only $3$ people",
        "n = **3**",
        "only one person had it",
        "A. One participant has it.",
        "a single participant had it",
        "two of the participants had it",
        "n: 3",
        "4 smokers had it",
        "Donors: 4",
    ],
)
def test_few_people_in_a_sentence_are_a_count(text):
    assert [sorts(output) for output in (displayed("markdown", text), displayed("latex", text), printed(text))] == [
        {"count"}
    ] * 3


@pytest.mark.parametrize(
    "text",
    [
        "n=2 folds and n = 4 layers",
        "n: 4 layers",
        "begin: 3",
        "Figure 3 (5 %), Table 2 (10 %), level 5 (5%)",
        "no value of a single person, what one person has, one participant after another",
        "2**3**4 of all people, a_3_people",
    ],
)
def test_small_numbers_of_other_things_are_none(text):
    assert sorts(printed(text)) == set()


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"number of women": [190, 3]}, index=["no", "yes"]),
        pd.DataFrame({"people at level 2": [190, 3]}, index=["no", "yes"]),
        pd.DataFrame({"size": [190, 3]}, index=["no", "yes"]),
        TABLE["age"].value_counts().sort_values()[:4].to_frame(),
    ],
    ids=["women", "people", "sizes", "values counted"],
)
def test_a_column_that_counts_people_is_one(table):
    assert sorts(shown(table)) == {"count"} == sorts(printed(table.to_string()))


@pytest.mark.parametrize(
    "columns",
    [
        {"n_latents": [2, 3], "r2": [0.9, 0.8]},
        {"n_modalities": [2, 30], "r2": [0.9, 0.8]},
        {"size": [2, 3], "r2": [0.9, 0.8]},
        {"batch size": [2, 64], "r2": [0.9, 0.8]},
        {"frequency": [1, 2]},
        {"frequency (Hz)": [1, 20]},
        {"link": ["a", "b"], "count": [3, 4]},
        {"held, kB a person": [2, 300]},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_a_column_that_counts_other_things_is_none(columns):
    table = pd.DataFrame(columns)
    assert sorts(shown(table)) == set() == sorts(printed(table.to_string()))


@pytest.mark.parametrize("columns", [["hba1c"], ["height", "weight", "glucose"]], ids=len)
def test_a_description_of_a_few_people_counts_them(columns):
    for some, found in ((TABLE.head(5), {"count"}), (TABLE, set()), (TABLE.head(40), set())):
        described = some[columns].describe()
        ways = [described, described.T, described[columns[0]], described.round(2), described.iloc[:3]]
        for told in ways:
            assert sorts(shown(told)) & {"count"} == found == sorts(printed(told.to_string())) & {"count"}
            stored = {"output_type": "display_data", "data": {"application/json": told.to_dict()}, "metadata": {}}
            assert sorts(stored) & {"count"} == found
    sexes = TABLE["female"].map({0: "men", 1: "women"}).head(5)
    assert sorts(shown(sexes.describe())) == {"count"} == sorts(printed(sexes.to_frame().describe()))


def test_a_description_of_other_things_counts_nobody():
    fits = pd.DataFrame({"n_latents": [2, 3, 3, 4], "n_links": [5.0, 6, 6, 8]}).describe()
    assert sorts(shown(fits)) == set() == sorts(printed(fits.T.to_string()))
    loose = pd.DataFrame({"count": [3, 4], "link": ["a", "b"], "mean": [0.1, 0.2]})
    assert sorts(shown(loose)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "2 people per 1000 a year",
        "two people in a thousand",
        "4 people in 10,000",
        "3 persons per 100,000",
        "One in 5 people has it.",
    ],
)
def test_a_rate_is_no_group(text):
    assert sorts(printed(f"The prevalence is {text}")) == set()
    assert sorts(printed("There are 2 people in 3 groups.")) == {"count"}


def test_a_description_of_few_scores_is_no_group_of_people():
    scores = pd.DataFrame({"r2": [0.9012, 0.9123, 0.9541, 0.8812, 0.9733], "mcc": [0.8, 0.81, 0.79, 0.8211, 0.7777]})
    for told in (scores.describe(), scores.describe().T):
        assert sorts(shown(told)) == set() == sorts(printed(told.to_string()))
    few = TABLE[["weight", "hba1c"]][:5]
    for told in (few.describe(), few.describe().T):
        assert "count" in sorts(shown(told)) & sorts(printed(told.to_string()))


OLD = TABLE[TABLE["age"] > 72].assign(grade=lambda some: np.arange(len(some)) % 6)
SMALL = {
    "all of its cells are small": pd.crosstab(OLD["female"], OLD["grade"]),
    "rows of two names": pd.crosstab([OLD["female"], OLD["grade"] > 3], OLD["grade"]),
    "its columns are the cohort's": pd.crosstab(OLD["grade"], OLD["female"]),
    "sizes of groups": OLD.groupby(["female", "grade"]).size().to_frame(),
    "counted by pivoting": OLD.pivot_table(index="female", columns="grade", values="age", aggfunc="count"),
}


@pytest.mark.parametrize("table", SMALL.values(), ids=SMALL)
def test_a_cross_table_is_one_though_all_groups_are_small(table):
    assert 0 < int(table.max().max()) < 10 or len(table) > 10
    assert sorts(shown(table)) == {"count"}
    assert sorts(shown(table.fillna(0) + 0.5)) == set(), "no counts"


@pytest.mark.parametrize(
    "text",
    [
        "Of 600 people, 4 had it.", "of the 600 participants four were blind",
        "There are 4 current smokers.", "People were asked, and 4 of them had both."
    ],
)  # fmt: skip
def test_a_small_part_of_all_people_is_counted_in_a_sentence(text):
    assert sorts(printed(text)) == {"count"}
    other = text.replace("600", "60").replace("of them", "of the links").replace("smokers", "steps")
    assert sorts(printed(other)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "Table 2 describes people who joined", "Figure 3 shows participants by age", "type 2 diabetic patients",
        "step 1 keeps people with a value", "in tier 1 are people", "Equation 1 gives people", "2 per person",
        "2 of them are links", "We fit ten models; three of them agree", "People are kept. Two of them are models.",
    ],
)  # fmt: skip
def test_a_number_of_another_thing_before_people_is_no_group(text):
    assert sorts(printed(text)) == set()


def test_things_by_a_column_of_the_cohort_are_no_people():
    found = pd.DataFrame({"latents": [2, 3, 1], "links": [1, 2, 4]}, index=pd.Index(["a", "b", "c"], name="age"))
    assert sorts(shown(found)) == set()
