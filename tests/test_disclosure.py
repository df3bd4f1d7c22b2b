"""The disclosure guard: every planted leak is refused, aggregates are not, and a finding repeats no value."""

import json

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, simulate
from mmcrl.disclosure import SORTS, Drawing, Persons, Rules, inspect, sequences
from mmcrl.disclosure.lines import from_lines
from mmcrl.disclosure.madeup import aggregates, measured, notebook_of, people, shown
from mmcrl.disclosure.numbers import CHANCE, is_part, numbers, row_chance
from mmcrl.disclosure.planted import planted
from mmcrl.disclosure.recorded import is_series
from mmcrl.errors import InputError

PEOPLE = people()
LEAKS = planted(PEOPLE)


def sorts(notebook, persons=PEOPLE, rules=None, drawings=()):
    return {finding.sort for finding in inspect(notebook, [persons], rules, drawings).findings}


def printed(text):
    return notebook_of({"output_type": "stream", "name": "stdout", "text": text})


# Leaks


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: f"{leak.sort}: {leak.how}")
def test_a_planted_leak_is_refused_and_not_repeated(leak):
    report = inspect(leak.notebook, [PEOPLE], None, leak.drawings)
    assert leak.sort in {finding.sort for finding in report.findings}
    told = " ".join(map(str, report.findings))
    assert not PEOPLE.ids & set(told.replace(".", " ").split()) and "." not in told, "a value is repeated"


def test_leaks_of_every_sort_are_planted():
    assert {leak.sort for leak in LEAKS} == set(SORTS)
    assert len({leak.how for leak in LEAKS}) == len(LEAKS) > 50


def test_the_same_notebooks_about_other_people_pass():
    others = people(seed=5)
    shift = {str(int(person) + 40_000_000) for person in others.ids}
    others.ids, others.order = shift, sorted(shift)
    found = [leak.how for leak in LEAKS if leak.sort in ("id", "image") and leak.sort in sorts(leak.notebook, others)]
    assert found == [], "an id or image is found because it is this cohort's"


def test_people_of_a_simulated_world_are_rows_like_others_when_nobody_says_they_are_simulated():
    cohort = simulate.numeric(n=300, seed=1).cohort
    table = pd.DataFrame(cohort["a"].values[:5])
    assert sorts(notebook_of(shown(table)), Persons.of(cohort)) == {"row"}


def test_a_number_that_stands_there_thrice_takes_three_columns_to_be_a_persons():
    """The sizes of a table of methods, all alike, are not the one person of whom one column says that number."""
    values = np.random.default_rng(0).normal(500, 50, (4_000, 6)).round(2)
    values[7, 0] = 512.34
    row, labels = numbers(["512.34"] * 6), list("uvwxyz")
    once = Persons.of(Cohort({"a": values[:, :3], "b": values[:, 3:]}))
    assert row_chance(row, labels, once) == 0.0
    values[7, [2, 4]] = 512.34
    thrice = Persons.of(Cohort({"a": values[:, :3], "b": values[:, 3:]}))
    assert row_chance(row, labels, thrice) < np.log(CHANCE / 10)


# What is no leak


def test_of_a_hundred_tables_of_aggregates_those_alone_are_refused_whose_maxima_are_one_person():
    refused = [table for table in aggregates(PEOPLE, 100) if sorts(notebook_of(shown(table)))]
    assert len(refused) <= 3  # of 400, 5
    assert all("max" in table.index for table in refused), "the largest of three columns, who may be one person"


def test_tables_of_aggregates_are_none_as_stored_data_either():
    stored = [json.loads(table.to_json(orient="split")) for table in aggregates(PEOPLE, 40, seed=1)]
    plain = [table.reset_index(drop=True) for table in aggregates(PEOPLE, 40, seed=2)]
    stored += [json.loads(table.to_json(orient=way)) for table in plain for way in ("index", "columns")]
    outputs = [{"output_type": "display_data", "data": {"application/json": value}} for value in stored]
    assert sum(bool(sorts(notebook_of(output))) for output in outputs) <= 3


@pytest.mark.parametrize(
    "text",
    [
        "There are 50,123 rows.",
        "{one} people, 12 columns",
        "n = {one}",
        "took {one}.5 ms",
        "loss 0.{one}",
        "version 1.{one}.2",
        "#f{one}a",
        "51000 steps",
        "12,{one}",
        "150,{one},12",
    ],
)
def test_a_number_that_happens_to_equal_an_id_is_none(text):
    assert sorts(printed(text.format(one=max(PEOPLE.ids)))) == set()


@pytest.mark.parametrize(
    "text",
    [
        "n = 3 columns",
        "n = 30, n = 1,204, n = 3.5",
        "numeric(n=3)",
        "fewer than ten people, at least two people, under 5 people",
        "step 3 of 600",
        "3 of 600 columns, 3 of 17, 3 of 601",
        "people: 3%, people: 3 columns",
        "3 latents (30%), 12 (3%), step 3 (50%), 3 cases of the sweep",
        "a/3/600",
        "one person, a thousand people",
    ],
)
def test_a_small_number_that_counts_no_people_is_none(text):
    assert sorts(printed(text)) == set()


def test_numbers_with_commas_are_one_or_many():
    assert [grid.rows for grid in from_lines("45,172,80.5 and 1,204 or 12,345,678")] == [
        [["45", "172", "80.5", "1,204", "12,345,678"]]
    ]


def test_small_whole_numbers_are_ids_only_where_ids_stand():
    modalities = {name: modality.take(np.arange(400)) for name, modality in PEOPLE.modalities.items()}
    persons = Persons("clinic", range(1, 401), modalities, "person")
    table = pd.DataFrame({"latents": [3, 4, 5, 2], "links": [1, 2, 7, 4]}, index=["a", "b", "c", "d"])
    assert sorts(notebook_of(shown(table)), persons) == set()
    assert sorts(notebook_of(shown(table.rename_axis("person").set_axis([3, 7, 19, 30]))), persons) == set()
    assert sorts(notebook_of(shown(table.set_axis(pd.Index([3, 7, 19, 30], name="person")))), persons) == {"id"}
    assert sorts(printed("person 17 is odd"), persons) == {"id"}


def test_weights_of_a_survey_are_values_of_people():
    weights = np.round(np.random.default_rng(2).uniform(1e3, 2e5, 300), 2)
    cohort = Cohort({"a": np.random.default_rng(3).normal(size=(300, 2))}, weights=weights)
    assert sorts(printed(" ".join(map(str, weights[:8]))), Persons.of(cohort)) == {"row"}
    assert sorts(printed(" ".join(map(str, weights[:8] + 0.5))), Persons.of(cohort)) == set()


def test_a_text_id_is_found_as_a_whole_word():
    persons = Persons("clinic", ["HPP-0017", "HPP-0018"], {}, "RegistrationCode")
    assert sorts(printed("see HPP-0017 first"), persons) == {"id"}
    assert sorts(printed("see HPP-00171 first"), persons) == set()


def test_picture_of_aggregates_passes():
    bars = Drawing(1, bars=[("people", np.array([310.0, 120, 10])), ("measured (% of 600 people)", np.array([3.0]))])
    dots = Drawing(1, marks=[np.random.default_rng(0).normal(size=(60, 2))])
    mean = Drawing(1, images=[PEOPLE.pictures[0].mean(0)[0].astype(float)])
    ranked = np.column_stack([np.arange(25, 60), np.random.default_rng(1).normal(size=35)])  # as ages are, in years
    places = Drawing(1, marks=[ranked], lines=[ranked[:, ::-1]])
    assert sorts(notebook_of(), drawings=[bars, dots, mean, places]) == set()


def test_what_a_page_is_drawn_with_names_nobody():
    one = max(PEOPLE.ids)
    table = pd.DataFrame({"r2": [0.1, 0.2]}).style.set_uuid(one).to_html()
    drawn = f'<svg width="{one}" viewBox="0 0 {one} 9"><path d="M {one} 1" style="z-index:{one}"/>'
    named = f'<use id="mcbcaf{one}" href="#imagecbcaf{one}"/></svg>'
    page = {"output_type": "display_data", "metadata": {}, "data": {"text/html": table + drawn + named}}
    assert sorts(notebook_of(page)) == set()
    assert "id" in sorts(notebook_of({**page, "data": {"text/html": named.replace("mcbcaf", "scan-")}}))


def test_an_image_within_a_picture_is_held_against_people_by_the_array_it_was_drawn_from():
    leak = next(leak for leak in LEAKS if leak.how == "a picture file in a drawn one")
    assert sorts(leak.notebook) == {"image"}
    assert sorts(leak.notebook, drawings=[Drawing(1, images=[PEOPLE.pictures[0].mean(0)[0].astype(float)])]) == set()


# Rules


def test_the_minimum_decides_which_counts_are_small():
    table = notebook_of(shown(pd.DataFrame({"people": [12, 300]}, index=["a", "b"])))
    assert sorts(table) == set() == sorts(table, rules=Rules(minimum=12))
    assert sorts(table, rules=Rules(minimum=13)) == {"count"}
    PEOPLE.minimum = 20
    try:
        assert sorts(table) == {"count"}, "what the manifest asks for"
    finally:
        PEOPLE.minimum = None


def test_images_are_shown_where_the_manifest_permits_it():
    permitted = people()
    permitted.images = True
    found = [
        leak.how
        for leak in LEAKS
        if leak.sort == "image" and "image" in sorts(leak.notebook, permitted, None, leak.drawings)
    ]
    assert found == []


@pytest.mark.parametrize("limit", ["minimum", "rows", "marks"])
def test_a_limit_is_a_whole_number(limit):
    with pytest.raises(InputError, match=f"{limit}: expected a whole number of at least 1"):
        Rules(**{limit: 0})


def test_without_a_cohort_form_alone_is_judged():
    table = pd.DataFrame({"mcc": np.arange(400) / 400})
    report = inspect(notebook_of(shown(table), shown(pd.DataFrame({"n": [3]}))), [])
    assert {finding.sort for finding in report.findings} == {"row", "count"}


# Parts


def test_numbers_know_how_exactly_they_are_shown():
    assert numbers(["1,204", "5.50", "x", "−2"]) == [(1204.0, 0.5), (5.5, 0.005), None, (-2.0, 0.5)]


def test_measured_values_are_known_where_the_cohort_holds_logarithms():
    table = measured(PEOPLE)
    logged = PEOPLE.columns["body.weight"]
    np.testing.assert_allclose(np.log(table["weight"]), logged)
    assert (table["weight"] * 10 % 1).round(6).isin([0, 1]).all()


def test_a_report_is_plain_and_counts_what_was_looked_at():
    report = inspect(notebook_of(shown(pd.DataFrame({"r2": [0.5, 0.6]})), shown(3, "n_links")), [PEOPLE]).to_dict()
    assert json.loads(json.dumps(report)) == report
    assert (report["outputs"], report["tables"], report["findings"], report["minimum"]) == (2, 1, 0, 10)
    assert report["people"] == ["made-up people"]


def test_every_value_of_a_cohort_can_be_looked_up():
    cohort = Cohort({"a": np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 4.0]]), "b": np.eye(3)})
    values, owners, columns = Persons.of(cohort).lookup
    assert len(values) == 14 and (np.diff(values) >= 0).all()
    assert [(v, o) for v, o, c in zip(values, owners, columns, strict=True) if c == 1] == [(4.0, 2), (5.0, 1)]


def test_a_part_of_a_series_is_found_up_to_its_last_sample_and_shorter_ones_are_none():
    series = np.random.default_rng(0).normal(size=(50, 2, 80))
    persons = Persons.of(Cohort({"a": series, "b": np.eye(50)}))
    few = Persons.of(Cohort({"a": series[:2, :1, :10], "b": np.eye(2)}))
    for part in (series[0, 0, :24], series[49, 1, -24:]):
        assert is_series(part, persons.sequences) and not is_series(part, few.sequences)
        assert not is_series(part + 1, persons.sequences)
        cells = [(round(float(value), 3), 0.0005) for value in part]
        assert is_part(cells, persons) and not is_part(cells, few)
        assert not is_part([(value + 1, half) for value, half in cells], persons)


@pytest.mark.parametrize("most", [5 * 10**7, 10])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint8])
def test_successive_numbers_are_found_in_order_and_by_reading_everything(monkeypatch, most, kind):
    monkeypatch.setattr(sequences, "_MOST_ORDERED", most)
    values = np.random.default_rng(0).integers(0, 5, (40, 3, 30)).astype(kind)
    flat = values.reshape(-1).astype(float)
    if kind != np.uint8:
        values[3] = np.nan
    sequence = sequences.Sequenced(values)
    near = np.full(16, 1e-6)
    for start in (0, 17, 900, len(flat) - 16):
        assert sequence.holds(flat[start : start + 16], near)
    assert not sequence.holds(flat[200:216] + 0.1, near)
    assert not sequence.holds(np.append(flat[-10:], flat[:6]), near), "past the end"
    assert sequence.holds(np.array([]), np.array([])) is False
    if kind != np.uint8:
        assert not sequence.holds(flat[280:296], near), "nobody's"
