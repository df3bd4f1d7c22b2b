"""A person's values are found in cells with units and in lists within a cell, and marks in an SVG within a page."""

import pandas as pd
import pytest

from mmcrl.disclosure import inspect
from mmcrl.disclosure.madeup import aggregates, measured, notebook_of, people, shown
from mmcrl.disclosure.numbers import numbers

PEOPLE = people()
TABLE = measured(PEOPLE)
UNITS = {"height": " cm", "weight": " kg", "bmi": " kg/m2", "waist": "cm", "glucose": " mmol/l", "hba1c": "%"}


def sorts(*outputs):
    return {finding.sort for finding in inspect(notebook_of(*outputs), [PEOPLE]).findings}


def printed(text):
    return {"output_type": "stream", "name": "stdout", "text": f"{text}\n"}


def page(text):
    return {"output_type": "display_data", "data": {"text/html": text}, "metadata": {}}


def with_units(row):
    return pd.DataFrame({"value": [f"{row[name]:.6g}{unit}" for name, unit in UNITS.items()]}, index=list(UNITS))


def test_a_person_s_values_are_found_behind_which_units_stand():
    table = with_units(TABLE.iloc[7])
    assert [sorts(shown(t)) for t in (table, table.T)] == [{"row"}] * 2
    assert sorts(printed(table.to_string())) == {"row"}
    assert sorts(shown(with_units(TABLE.mean().round(3)))) == set()


@pytest.mark.parametrize("form", [list, tuple, pd.Series.to_dict], ids=["list", "tuple", "dict"])
def test_a_person_s_values_are_found_in_one_cell(form):
    def cells(rows):
        return pd.DataFrame({"who": "example", "values": [str(form(row)) for row in rows]})

    body = TABLE[["height", "weight", "bmi", "waist"]].round(2)
    for rows in ([body.iloc[7]], [body.iloc[k] for k in range(3)]):
        html = {"output_type": "display_data", "data": {"text/html": cells(rows).to_html()}, "metadata": {}}
        assert sorts(html) == {"row"} == sorts(printed(cells(rows).to_string(index=False)))
    means = body.groupby(TABLE["age"] // 20).mean().round(3)
    assert sorts(shown(cells([row for _, row in means.iterrows()]))) == set()


def test_aggregates_with_intervals_in_their_cells_are_nobody():
    refused = 0
    for table in list(aggregates(PEOPLE, 80, seed=6)):
        shares = table.select_dtypes("number").map(lambda x: f"{x:.3g} [{x - 0.21:.3g}, {x + 0.19:.3g}]")
        refused += bool(sorts(page(shares.to_html()))) if shares.size else 0
    assert refused <= 1


def test_words_and_intervals_are_no_numbers_with_units():
    cells = ["<10", "5.4 ± 0.3", "2005-wear", "a 3", "3 of 5", "1.5 mm Hg", "0.5%", "12kg"]
    assert [cell is not None for cell in numbers(cells)] == [False] * 5 + [True] * 3
    assert numbers(["3 links"], units=False) == [None]
    assert sorts(shown(pd.DataFrame({"size": ["3 links", "4 links"]}))) == set()


def test_marks_of_an_svg_within_a_page_are_counted():
    circle = '<circle cx="1" cy="2" r="3"/>'
    assert sorts(page(f"<div><svg>{circle * 400}</svg></div>")) == {"scatter"}
    assert sorts(page(f"<div><svg>{circle * 40}</svg></div>")) == set()
