"""Minimum: what a manifest says a group must count goes with its cohort, to every table, card, plot and page."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import study_of
from matplotlib.axes import Axes

from mmcrl import Cohort, InputError, MultimodalCRL, load_cohort, plots
from mmcrl.cards import link_cards
from mmcrl.check import check_manifest, summarised
from mmcrl.checking.page import draw
from mmcrl.runner.glue import glued

N = 260
MANIFEST = """
name = "clinic"
tiers = [["who"], ["body", "blood", "grip"]]
[source]
path = "clinic.csv"
id = "person"
[disclosure]
minimum = 20
[modality.who]
kind = "observed"
[modality.who.columns]
age = { variable = "age", range = [0, 120] }
female = { variable = "female", kind = "binary" }
smoker = { variable = "smoker", kind = "binary" }
[modality.body.columns]
height = { variable = "height" }
weight = { variable = "weight" }
[modality.blood.columns]
glucose = { variable = "glucose" }
hdl = { variable = "hdl" }
[modality.grip]
n_latents = 1
[modality.grip.columns]
left = { variable = "left" }
right = { variable = "right" }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """15 people have no grip, 18 neither glucose; a fifth smokes, so that 10 to 19 of a quarter of the people do."""
    folder = tmp_path_factory.mktemp("clinic")
    rng, i = np.random.default_rng(0), np.arange(N)
    z = rng.normal(size=(N, 2)) @ [[1.0, 0.8], [0.0, 0.6]]
    values = np.repeat(z, 3, axis=1) + 0.4 * rng.normal(size=(N, 6))
    table = pd.DataFrame(values, columns=["height", "weight", "left", "glucose", "hdl", "right"])
    table.loc[:14, ["left", "right"]] = np.nan
    table.loc[15:32, "glucose"] = np.nan
    who = {"age": 20 + rng.permutation(i) % 58, "female": i % 2, "smoker": (i % 5 == 0).astype(int)}
    table.assign(**who).set_index(90_000 + i).rename_axis("person").to_csv(folder / "clinic.csv")
    (folder / "clinic.toml").write_text(MANIFEST, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def people(folder: Path) -> Cohort:
    return load_cohort(folder / "clinic.toml")


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_it_is_the_manifests_and_goes_with_every_part_of_a_cohort(people: Cohort) -> None:
    parts = [people, *people.split(0.3), people.take([0, 1, 2]), people.without("grip"), people.shuffled("body")]
    assert {part.minimum for part in [*parts, people.with_noise()]} == {20}
    assert Cohort(people.modalities).minimum == 10
    assert Cohort(people.modalities, minimum=5).minimum == 5
    with pytest.raises(InputError, match="minimum: expected a whole number of at least 1, got 0"):
        Cohort(people.modalities, minimum=0)


def test_tables_and_plots_of_a_cohort_count_nobody_below_it(people: Cohort, folder: Path) -> None:
    assert list(summarised(people)["people"]) == [str(N), str(N), str(N), "all but <20", str(N)]
    assert words(plots.cohort_overview(people)) == [str(N), str(N), str(N), "all but fewer than 20"]
    assert words(plots.missing_columns(people).axes[0]).count("fewer than 20") == 1
    together = plots.modalities_together(people).axes[0]
    assert together.get_ylabel() == "people, to the nearest 20"
    assert all(bar.get_height() % 20 == 0 for bar in together.patches)  # type: ignore[attr-defined]
    few = people.take(np.arange(18))
    assert summarised(few).loc["all", "people"] == "<20"
    assert plots.cohort_overview(few).get_xlabel() == "measured (% of fewer than 20 people)"
    path, left_out = draw(check_manifest(folder / "clinic.toml"), folder / "drawn")
    assert left_out == [] and "fewer than 20 people are left out" in path.read_text(encoding="utf-8")


def test_cards_tell_no_group_below_it(people: Cohort) -> None:
    model = MultimodalCRL(1, starts=1, steps=5, width=8).fit(people, progress=False)
    _, unseen = people.split(model.settings.held_out, model.seed)
    assert 10 <= int(unseen["who"].values[:, 2].sum()) < 20, "a group that the default would tell"
    cards = link_cards(model, unseen, confidence=0.01)
    assert cards.minimum == 20 and (cards.strata["by"] == "smoker").any()
    told = cards.strata["people"].dropna()
    assert len(told) and told.min() >= 20
    text = BeautifulSoup(plots.card_view(cards).html, "html.parser").get_text(" ")
    counts = re.findall(r"\(([^()]*) people\)", text)
    assert "few" in counts and all(count == "few" or int(count) >= 20 for count in counts)


@pytest.mark.slow
def test_the_page_of_real_people_tells_no_group_below_it(folder: Path) -> None:
    out = study_of(folder, cohort="clinic.toml", shuffled="blood", starts="1", steps="5", confidence="0.01")
    of = glued(out)
    assert of["too_few"] == "<20" and of["n_people"] == str(N)
    assert all(of[key] == "<20" or int(of[key]) >= 20 for key in ("n_held_out", "n_tested", "n_complete"))
    cells = nbformat.read(out, 4).cells
    html = [
        output.data["text/html"]
        for cell in cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    ages = next(page for page in html if "and over" in page)
    counts = [cell.get_text() for cell in BeautifulSoup(ages, "html.parser").find_all("td")]
    assert "<20" in counts and all(count == "<20" or int(count) >= 20 for count in counts)
    cards = BeautifulSoup(next(page for page in html if "link-cards" in page), "html.parser").get_text(" ")
    groups = re.findall(r"\(([^()]*) people\)", cards)
    assert "few" in groups and all(group == "few" or int(group) >= 20 for group in groups)
