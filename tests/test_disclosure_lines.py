"""A person's values, and as many numbers as people, however a text, a page or a cell of code writes them."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from mmcrl.disclosure import inspect
from mmcrl.disclosure.lines import from_lines
from mmcrl.disclosure.madeup import measured, notebook_of, people, shown
from mmcrl.disclosure.sources import from_source

PEOPLE = people()
TABLE = measured(PEOPLE).round(2)
ONE, FIVE = TABLE.iloc[7], TABLE.iloc[20:25].reset_index(drop=True)
MEANS = TABLE.mean().round(2)
SCORES = np.random.default_rng(0).normal(size=len(TABLE)).round(4)


def sorts(notebook):
    return {finding.sort for finding in inspect(notebook, [PEOPLE]).findings}


def printed(text):
    return notebook_of({"output_type": "stream", "name": "stdout", "text": f"{text}\n"})


def displayed(kind, data):
    return notebook_of({"output_type": "display_data", "data": {kind: data}, "metadata": {}})


def written(source, kind="markdown"):
    return {"metadata": {}, "cells": [{"cell_type": kind, "source": source, "metadata": {}}]}


def in_markdown(table):
    lines = ["|" + "|".join(map(str, row)) + "|" for row in [table.columns, *table.to_numpy()]]
    return "\n".join([lines[0], "|" + "-|" * table.shape[1], *lines[1:]])


def comma(text):
    return str(text).replace(".", ",")


BELOW = {
    "a colon": lambda row: "\n".join(f"{name}: {value}" for name, value in row.items()),
    "a space": lambda row: "\n".join(f"{name} {value}" for name, value in row.items()),
    "an equals sign": lambda row: "\n".join(f"{name}={value}" for name, value in row.items()),
    "indented JSON": lambda row: json.dumps(row.to_dict(), indent=2),
    "bullets": lambda row: "\n\n".join(f"* **{name}**: {value}" for name, value in row.items()),
    "no names": lambda row: "\n".join(map(str, row)),
    "decimal commas": lambda row: comma("\n".join(f"{name}: {value}" for name, value in row.items())),
}


@pytest.mark.parametrize("how", BELOW)
def test_values_of_a_person_are_found_one_below_the_other(how):
    for row, found in ((ONE, {"row"}), (MEANS, set())):
        text = BELOW[how](row)
        ways = [printed(text), displayed("text/markdown", text), written(text), written(text, "raw")]
        assert [sorts(way) for way in ways] == [found] * len(ways)


def test_where_a_word_comes_again_the_next_person_begins():
    pairs = [f"{name}: {value}" for _, row in FIVE.iterrows() for name, value in row.items()]
    grids = list(from_lines("\n".join(pairs)))
    assert [grid.header for grid in grids[:-1]] == [list(FIVE)] * 5
    assert sorts(printed("\n".join(pairs))) == {"row"}
    log = "\n".join(f"step {step} loss {3 / step:.3f}" for step in range(1, 2_000))
    assert sorts(printed(log)) == set() and [len(grid.rows[0]) for grid in from_lines(log)] == [2 * 1_999]


def test_a_unit_directly_behind_a_number_parts_no_row():
    told = "{height}cm and {weight}kg, waist {waist}cm, glucose {glucose}mmol/L, BMI {bmi}kg/m2"
    assert [sorts(printed(told.format(**row))) for row in (ONE, MEANS)] == [{"row"}, set()]
    assert list(from_lines("v1.2.3 and 3f2a9b at 2.5.1 or 0x7f3a")) == []


TEXTS = {
    "Markdown": in_markdown,
    "HTML": lambda table: f"Some:\n\n{table.to_html()}\n",
    "a fence": lambda table: f"```\n{table.to_string()}\n```",
    "a sentence": lambda table: ", ".join(f"{name} {value}" for name, value in table.iloc[0].items()),
}


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("how", TEXTS)
def test_what_is_written_between_cells_is_read_as_an_output_is(how, kind):
    means = TABLE.groupby(TABLE["age"] // 20).mean().round(3)
    assert [sorts(written(TEXTS[how](table), kind)) for table in (FIVE, means)] == [{"row"}, set()]


def test_counts_and_ids_between_cells_are_read_as_an_output_is():
    sizes = pd.DataFrame({"group": ["a", "b"], "people": [397, 3]})
    for text in (in_markdown(sizes), sizes.to_html(index=False), "Only 3 people have both."):
        assert sorts(written(text)) == {"count"}
    assert sorts(written(in_markdown(sizes.assign(people=[397, 30])))) == set()
    for text in (f"We left out {PEOPLE.order[3]}.", f"![fundus of {PEOPLE.order[3]}](a.png)"):
        assert sorts(written(text)) == {"id"} == sorts(written(text, "raw"))


def test_a_placeholder_in_a_text_is_no_number():
    text = "{glue:text}`n_3:,.0f` of 4 with {glue:}`r_2` and 5 people less, {glue:text}`n_people:3d` people"
    assert sorts(written(text)) == {"count"}, "5 people"
    assert sorts(written(text.replace("5 people", "5 links"))) == set()


NUMBERS = {
    "an array": lambda values: notebook_of(shown(values)),
    "a list": lambda values: notebook_of(shown(values.tolist())),
    "a glued list": lambda values: notebook_of(shown(values.tolist(), "scores")),
    "lines": lambda values: printed("\n".join(map(str, values))),
    "JSON": lambda values: displayed("application/json", {"scores": values.tolist()}),
    "a plot's data": lambda values: displayed("application/vnd.plotly.v1+json", {"data": [{"x": values.tolist()}]}),
    "a script": lambda values: displayed("text/html", f"<script>const z = {values.tolist()};</script>"),
}


@pytest.mark.parametrize("how", NUMBERS)
def test_a_list_of_as_many_numbers_as_people_has_one_for_each(how):
    make = NUMBERS[how]
    assert sorts(make(SCORES)) == {"row"}
    few, places = (SCORES > 0).astype(int), np.arange(len(SCORES)) / 8 - 20
    assert [sorts(make(values)) for values in (SCORES[:-7], few, places)] == [set()] * 3


CODE = {
    "a list below a command": lambda row: f"%matplotlib inline\nx = {row.tolist()}",
    "a cell with a command": lambda row: f"%%time\nx = {row.tolist()}",
    "arguments": lambda row: f"x = dict({', '.join(f'{name}={value}' for name, value in row.items())})",
    "a dictionary": lambda row: f"x = {dict(row)}",
    "a text": lambda row: f"x = '''\n{row.to_frame().T.to_csv(index=False)}'''",
    "a comment": lambda row: f"x = 1  # he has {row.tolist()}",
    "no Python": lambda row: f"x = = {row.tolist()}",
}


@pytest.mark.parametrize("how", CODE)
def test_a_row_is_found_however_code_holds_it(how):
    assert [sorts(notebook_of(source=CODE[how](row))) for row in (ONE, MEANS)] == [{"row"}, set()]


def test_names_in_code_are_names_of_columns():
    (grid,) = from_source("f(x, height=1, weight=-2.5, waist=np.float64(3))")
    assert (grid.header, grid.rows) == (["height", "weight", "waist"], [["1", "-2.5", "3"]])


def test_cells_that_are_all_headings_are_a_table():
    def page(table, head):
        lines = [f"<th>{'</th><th>'.join(map(str, row))}</th>" for row in [*head, *table.to_numpy()]]
        return displayed("text/html", f"<table><tr>{'</tr><tr>'.join(lines)}</tr></table>")

    for head in ([], [FIVE.columns]):
        assert sorts(page(FIVE, head)) == {"row"} == sorts(page(FIVE[:1], head))
        assert sorts(page(FIVE + 0.0037, head)) == set()


@pytest.mark.parametrize("form", ["csv", "html", "line"])
def test_decimal_commas_are_read(form):
    def told(table):
        if form == "line":
            return printed("; ".join(map(comma, table.iloc[0])))
        if form == "html":
            return displayed("text/html", table.to_html(decimal=","))
        return printed(table.to_csv(sep=";", decimal=",", index=False))

    means = TABLE.groupby(TABLE["age"] // 20).mean().round(2)
    assert [sorts(told(table)) for table in (FIVE, means)] == [{"row"}, set()]


@pytest.mark.parametrize("text", ["a" * 200_000, "a" + " " * 200_000, "a." * 100_000, "1,2 " * 20_000])
def test_a_long_line_is_read_once(text):
    start = time.perf_counter()
    list(from_lines(text))
    assert time.perf_counter() - start < 5, "seconds"
