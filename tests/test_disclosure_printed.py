"""Tables that are printed, as pandas, Markdown and LaTeX write them, are tables like those of a page."""

import pandas as pd
import pytest

from mmcrl.disclosure import inspect
from mmcrl.disclosure.madeup import aggregates, measured, notebook_of, people, shown
from mmcrl.disclosure.printed import from_text

PEOPLE = people()
TABLE = measured(PEOPLE)
SOME = TABLE[:250]
BANDS = {
    "intervals": pd.cut(SOME["age"], [19, 40, 79, 80]),
    "closed on the left": pd.cut(SOME["age"], [20, 41, 80, 81], right=False).rename("band"),
    "names": pd.cut(SOME["age"], [19, 40, 79, 80], labels=["young", "old", "oldest"]).rename("age group"),
}
SIZES = {how: SOME.groupby(band, observed=True).size() for how, band in BANDS.items()}
CROSSED = pd.crosstab(SOME["female"], BANDS["intervals"])


def sorts(*outputs):
    return {finding.sort for finding in inspect(notebook_of(*outputs), [PEOPLE]).findings}


def printed(thing):
    return {"output_type": "stream", "name": "stdout", "text": f"{thing}\n"}


def in_markdown(table, form="markdown"):
    """A table as text between marks: of Markdown, or of LaTeX."""
    rows = [[table.index.name or "", *map(str, table.columns)]]
    rows += [[str(label), *map(str, cells)] for label, *cells in table.itertuples()]
    if form == "latex":
        lines = [" & ".join(row) + r" \\" for row in rows]
        inside = "\n".join([r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"])
        return rf"\begin{{tabular}}{{lr}}{chr(10)}{inside}{chr(10)}\end{{tabular}}"
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


@pytest.mark.parametrize("how", SIZES)
def test_sizes_of_groups_are_counts_though_their_column_has_no_name(how):
    sizes = SIZES[how]
    assert sizes.min() < 10
    two = SOME.groupby([BANDS[how], "female"], observed=True).size()
    ways = [
        shown(sizes),
        shown(sizes.to_frame()),
        printed(sizes),
        printed(sizes.to_frame()),
        shown(two),
        printed(two),
    ]
    assert [sorts(way) for way in ways] == [{"count"}] * len(ways)


@pytest.mark.parametrize("table", [CROSSED, CROSSED.T], ids=["wide", "long"])
def test_a_printed_cross_table_of_some_people_is_one(table):
    assert sorts(printed(table)) == {"count"}
    assert sorts(printed(table + 10)) == set()
    assert sorts(printed(SIZES["names"].to_frame("people"))) == {"count"} == sorts(printed(table[[]].assign(n=3)))


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_a_count_in_a_table_of_markdown_or_latex_is_one(form):
    groups = pd.DataFrame({"people": [310, 286, 4], "HbA1c": [5.5, 5.7, 6.0]}, index=["young", "old", "oldest"])
    for text in (in_markdown(groups, form), in_markdown(CROSSED.T, form)):
        rich = {"output_type": "display_data", "data": {f"text/{form}": text}, "metadata": {}}
        assert sorts(printed(text)) == {"count"} == sorts(rich)
    assert sorts(printed(in_markdown(groups[:2], form))) == set()
    assert sorts(printed(in_markdown(TABLE[:5].reset_index(drop=True), form))) == {"row"}


@pytest.mark.parametrize("sep", [",", ";"])
def test_a_printed_file_is_a_table(sep):
    sizes = pd.DataFrame({"grade": ["none", "mild", "blind"], "people": [400, 190, 3]})
    assert sorts(printed(sizes.to_csv(index=False, sep=sep))) == {"count"}
    assert sorts(printed(sizes.assign(people=[400, 190, 30]).to_csv(index=False, sep=sep))) == set()
    (grid,) = from_text(sizes.to_csv(index=False, sep=sep))[0]
    assert (grid.index, grid.header, grid.rows) == (["none", "mild", "blind"], ["people"], [["400"], ["190"], ["3"]])


@pytest.mark.parametrize(
    "text",
    ["Seen: a, b and c,\nthen 4, 5 and 6.", "1,200\n3,400\n5,600", "f(1,2)\ng(3,4)", "a" * 200_000],
    ids=["sentence", "thousands", "calls", "long"],
)
def test_commas_of_sentences_numbers_and_calls_part_no_cells(text):
    assert from_text(text)[0] == []


@pytest.mark.parametrize(
    "odd",
    [
        pd.DataFrame({"code": ["E11", "I10"], "name": ["diabetes", "pressure"]}),
        pd.DataFrame({"code": ["1e400", "7e1234", "5e99999", ".e5", "e", "-"]}),
    ],
)
def test_a_code_is_no_number_and_stops_nothing(odd):
    assert sorts(printed(odd)) == sorts(shown(odd)) == set()
    assert sorts({"output_type": "stream", "text": "commit 7e1234 5e9999 3e400 E11 E78"}) == set()


@pytest.mark.parametrize(
    "page",
    [
        "<table><tr><td><table>\n<tr>\n<td>1</td></tr></table></td></tr></table>",
        "<table><tr><td>a<tr>\n<td>b</table>",
        "<table><tr><td>a<table>b<tr>c",
    ],
)
def test_tables_within_tables_and_without_ends_are_read(page):
    assert sorts({"output_type": "display_data", "data": {"text/html": page}, "metadata": {}}) == set()
    rows = f"<table><tr><td>{SOME.head().to_html(index=False)}<tr>\n<td>more</table>"
    assert "row" in sorts({"output_type": "display_data", "data": {"text/html": rows}, "metadata": {}})


def test_a_number_of_people_in_a_cell_is_one():
    assert sorts(shown(pd.DataFrame({"blind": ["310 people", "3 people"]}))) == {"count"}


def test_sizes_of_what_is_no_group_of_people_are_none():
    links = pd.DataFrame({"scope": ["cross", "cross", "within"], "r2": [0.3, 0.5, 0.9]})
    sized = [links.groupby("scope").size() * 6, links.groupby(pd.cut(links["r2"], [0, 0.5, 1])).size() * 6]
    median = TABLE.groupby("female")["age"].median().round().astype(int) - 45
    for sizes in [*sized, median, SOME.groupby("female").size()]:
        assert [sorts(shown(sizes)), sorts(printed(sizes)), sorts(shown(sizes.to_frame()))] == [set()] * 3


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_printed_tables_of_aggregates_are_none(form):
    tables = list(aggregates(PEOPLE, 60, seed=4))
    texts = [table.to_string() if form == "text" else in_markdown(table, form) for table in tables]
    refused = [table for table, text in zip(tables, texts, strict=True) if sorts(printed(text))]
    assert len(refused) <= 2


def test_a_sentence_between_lines_with_gaps_is_still_read():
    assert sorts(printed("step  1\nonly 3 people left\nstep  2")) == {"count"} == sorts(printed("a | b\nn = 3 | c"))
    grids, rest = from_text("group  n\nwho\nold   4\nyoung   12")
    assert [(grid.index_name, grid.rows) for grid in grids] == [("who", [["4"], ["12"]])] and "who" in rest


def test_numbers_of_a_sentence_are_no_cells_even_if_they_add_up_to_people():
    n = len(PEOPLE.ids)  # 600
    told = printed(f"Computed on 2 cores in 44 min. A fit took 54 to {n - 100} seconds.")
    assert sorts(told) == set()
    assert sorts(printed(f"{{'young': 2, 'middle': 44, 'old': {n - 46}}}")) == {"count"}
