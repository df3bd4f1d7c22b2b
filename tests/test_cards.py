"""Cards: every link's numbers hang together, what would overturn it is said, and the page shows it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, plots
from mmcrl.baselines import edge_table, fci_graph, pc_graph, standing_columns
from mmcrl.cards import Cards, link_cards
from mmcrl.columns import column_values
from mmcrl.disclosure import inspect
from mmcrl.doubts import doubts
from mmcrl.evidence import pair_evidence
from mmcrl.sensitivity import Measured, start_table

N = 1_600


def cohort() -> Cohort:
    """Age acts on both tables, and one table on the other."""
    rng = np.random.default_rng(3)
    age, female = rng.uniform(20, 80, size=N), (rng.random(N) < 0.5).astype(float)
    old = (age - 50) / 17
    a = 0.7 * old + rng.normal(size=N)
    b = 0.5 * old + 0.7 * a + rng.normal(size=N)
    return Cohort(
        {
            "who": Modality(np.column_stack([age, female]), kind="observed", names=["age", "female"]),
            "a": np.column_stack([a + 0.3 * rng.normal(size=N) for _ in range(4)]),
            "b": np.column_stack([b + 0.3 * rng.normal(size=N) for _ in range(4)]),
        },
        tiers=[["who"], ["a", "b"]],
        known=pd.DataFrame(
            [("who.age", "a.c0", 1, "made so"), ("who.female", "b.c0", 0, "made so")],
            columns=["source", "target", "sign", "rests_on"],
        ),
    )


@pytest.fixture(scope="module")
def fitted() -> tuple[MultimodalCRL, Cohort]:
    people = cohort()
    model = MultimodalCRL(1, 0, starts=2, steps=120, jobs=1).fit(people, progress=False)
    return model, people.split(model.settings.held_out, model.seed)[1]


@pytest.fixture(scope="module")
def cards(fitted: tuple[MultimodalCRL, Cohort]) -> Cards:
    model, unseen = fitted
    links = model.links()
    latents = model.transform(unseen)
    edges = edge_table(links, {"PC": pc_graph(latents)}, {"FCI": fci_graph(latents)})
    nothing = links.assign(evidence=-0.001, confidence=0.0)
    return link_cards(model, unseen, controls={"shuffled a": nothing}, edges=edges)


def row(cards: Cards, *ends: str) -> pd.Series:
    links = cards.links
    return links[[set(pair) == set(ends) for pair in zip(links["source"], links["target"], strict=True)]].iloc[0]


def test_a_card_holds_the_numbers_of_the_link(fitted: tuple[MultimodalCRL, Cohort], cards: Cards) -> None:
    model, _ = fitted
    links = model.links()
    kept = links[(links["scope"] == "cross") & (links["confidence"] >= 0.5)].reset_index(drop=True)
    assert cards.links[list(links.columns)].equals(kept)
    link = row(cards, "a.0", "b.0")
    assert link["given"] == ["who.0"]
    assert link["low"] < link["evidence"] < link["high"]
    assert 0.005 < link["limit"] < link["evidence"]
    assert link["cause_low"] < link["cause"]
    assert link["strongest"] == "who.0"
    assert link["unadjusted"] > link["adjusted"] > 0.005
    assert (link["starts"], link["in_starts"]) == (1, 1)
    strata = cards.of("strata", "b.0", "a.0")
    assert strata["by"].value_counts().to_dict() == {"age": 3, "female": 2}
    assert strata.groupby("by")["people"].sum().tolist() == [400, 400]
    assert set(cards.of("effects", "a.0", "b.0")["source"]) == {"a.0", "b.0"}  # undirected: both ways
    assert cards.of("known", "a.0", "who.0")["known_target"].tolist() == ["a.c0"]
    assert cards.of("known", "a.0", "b.0").empty
    assert cards.controls.loc["shuffled a"].tolist() == [6, 0, -0.001]


def test_of_who_somebody_is_the_end_of_a_link_is_not_among_what_is_held_fixed(cards: Cards) -> None:
    assert cards.covariates_of("a.0", "b.0") == "who"
    link = cards.links[cards.links["source"] == "who.0"].iloc[0]
    assert cards.covariates_of(link["source"], link["target"]) == "the rest of who"
    lower = replace(cards, links=cards.links.assign(adjusted=0.001))
    assert "With the rest of who held fixed" in " ".join(doubts(lower, link["source"], link["target"]))
    assert "with the rest of who fixed" in plots.card_view(cards).html


def test_without_a_link_and_without_known_people_there_are_no_cards(
    fitted: tuple[MultimodalCRL, Cohort],
) -> None:
    model, unseen = fitted
    none = link_cards(model, unseen, confidence=1.0, scope="within")
    assert none.links.empty
    assert "No link" in plots.card_view(none).html
    assert not len(edge_table(model.links(), {}, {}).merge(none.links[["source", "target"]]))
    found = link_cards(model, unseen, strata={}, covariates=())
    assert found.strata.empty
    assert found.links["adjusted"].isna().all()
    assert "its ends are all there is" in plots.card_view(found).html
    assert all("held fixed its" not in line for line in doubts(found, *found.links.loc[0, ["source", "target"]]))


def test_a_loaded_model_has_no_other_starts(fitted: tuple[MultimodalCRL, Cohort], tmp_path: object) -> None:
    model, unseen = fitted
    model.save(str(tmp_path))
    again = MultimodalCRL.load(str(tmp_path))
    found = start_table(again.links(), again, unseen)
    assert found["starts"].eq(0).all()
    assert found["in_starts"].isna().all()


# What would overturn a link


def test_what_would_overturn_a_link_is_said_with_its_numbers(cards: Cards) -> None:
    link = row(cards, "a.0", "b.0")
    told = " ".join(doubts(cards, link["source"], link["target"], {"who.0": "age"}))
    assert f"partial correlation of {link['cause']:.2f} with each" in told
    assert f"age comes closest, with {link['strongest_cause']:.2f}" in told
    assert f"worth more than {link['limit']:.3f} nats" in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cause": 0.2, "strongest_cause": 0.3}, "a hidden one as strong as that would do"),
        ({"q_value": 0.2}, "q-value is 0.20"),
        ({"identified": "block"}, "told apart"),
        ({"adjusted": 0.001}, "With who held fixed its evidence is 0.001"),
        ({"sign_unadjusted": -1}, "Without who fixed its sign turns"),
        ({"in_starts": 0.0}, "Other random starts show it in 0% of 1"),
        ({"stability": 0.25, "refits": 4}, "returned in 25% of 4 refits"),
    ],
)
def test_what_speaks_against_a_link_is_said_where_it_does(cards: Cards, changes: dict, words: str) -> None:
    link = row(cards, "a.0", "b.0")
    quiet = {"q_value": 0.0, "identified": "component", "sign_unadjusted": 1, "sign_adjusted": 1, "sign": 1}

    def told(**given: object) -> str:
        table = cards.links[cards.links["source"].eq(link["source"]) & cards.links["target"].eq(link["target"])]
        other = Cards(**{**cards.__dict__, "links": table.assign(**given)})
        return " ".join(doubts(other, link["source"], link["target"]))

    assert words not in told(**quiet)
    assert words in told(**{**quiet, **changes})


def test_groups_graphs_and_literature_speak_against_a_link_too(cards: Cards) -> None:
    link = row(cards, "a.0", "b.0")
    ends = {"source": [link["source"]], "target": [link["target"]]}
    strata = pd.DataFrame(
        {**ends, "by": "female", "stratum": "yes", "evidence": 0.1, "evidence_se": 0.01, "sign": -1}
    )
    absent = strata.assign(stratum="no", evidence=-0.02, sign=1)
    edges = pd.DataFrame({**ends, "links": "no direction", "PC": "no edge", "FCI": "hidden common cause"})
    known = pd.DataFrame({**ends, "known_source": "a.x", "known_target": "b.y", "expected_sign": -1, "sign": 1})
    known = known.assign(direction="undirected", rests_on="a book")
    other = Cards(**{**cards.__dict__, "strata": pd.concat([strata, absent]), "edges": edges, "known": known})
    told = " ".join(doubts(other, link["source"], link["target"]))
    assert "other one in female: yes" in told
    assert "not there in female: no" in told
    assert "PC, told no tiers, draws no edge" in told
    assert "FCI, told no tiers, draws a hidden common cause of both" in told
    assert "a.x – b.y is known with the other sign" in told


# The page


def test_a_link_without_a_sign_shows_its_strength_alone(cards: Cards) -> None:
    unsigned = plots.card_view(replace(cards, links=cards.links.assign(sign=0)))
    for panel in BeautifulSoup(unsigned.html, "html.parser").find_all("summary"):
        assert "none" not in panel.get_text() and ", confidence" in panel.get_text()


def test_the_view_has_a_panel_per_link_and_tells_nothing_of_small_groups(cards: Cards) -> None:
    few = cards.strata.assign(people=pd.array([pd.NA] * len(cards.strata), dtype="Int64"), evidence=np.nan)
    view = plots.card_view(Cards(**{**cards.__dict__, "strata": few}), {"a.0": "size <of> a"})
    page = BeautifulSoup(view._repr_html_(), "html.parser")
    panels = page.find_all("details")
    assert len(panels) == len(cards.links)
    assert [panel.has_attr("open") for panel in panels] == [True] + [False] * (len(panels) - 1)
    for panel in panels:
        titles = [cell.get_text() for cell in panel.find_all("th")]
        assert {"evidence", "hidden cause", "groups", "other graphs", "literature", "overturned by"} <= set(titles)
    text = page.get_text()
    assert "size <of> a [a.0]" in text
    assert "few people): too few to tell" in text
    assert "script" not in view.html
    assert "shuffled a: 0 of 6 pairs claimed" in text


def test_weights_of_a_survey_are_a_row_of_every_card(fitted: tuple[MultimodalCRL, Cohort]) -> None:
    model, unseen = fitted
    weighted = Cohort(unseen.modalities, ids=unseen.ids, tiers=unseen.tiers, weights=np.ones(len(unseen)))
    told = link_cards(model, weighted)
    latents = Measured.of(model.transform(unseen), model.knowledge)
    for link in told.links.to_dict("records"):
        i, j = latents.place(link["source"]), latents.place(link["target"])
        again = pair_evidence(latents.z, i, j, latents.set_of(link["source"], link["target"]))
        assert (link["weighted"], link["weighted_se"]) == pytest.approx(again[:2])
        assert link["sign_weighted"] == again[2]
    assert "survey weights" in plots.card_view(told).html
    link = told.links.iloc[0]
    against = {"weighted": 0.001}, {"sign_weighted": -link["sign"]}, {}
    words = "evidence is 0.001 nats, below", "weights its sign turns", "nothing"
    for change, word in zip(against, words, strict=True):
        changed = replace(told, links=told.links.head(1).assign(**change))
        said = [text for text in doubts(changed, link["source"], link["target"]) if "survey's weights" in text]
        assert (word in said[0]) if change else said == []


def test_the_guard_lets_cards_of_people_pass(cards: Cards) -> None:
    output = {"output_type": "display_data", "data": {"text/html": plots.card_view(cards).html}, "metadata": {}}
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "", "outputs": [output]}
    report = inspect({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    assert not report.findings


# PC and FCI


def test_fci_sees_a_hidden_common_cause_that_pc_directs(capsys: pytest.CaptureFixture[str]) -> None:
    """Instruments of both ends show that neither acts on the other."""
    rng = np.random.default_rng(0)
    h, p, q = rng.normal(size=(3, 5_000))
    a, b = (x + h + rng.normal(size=len(h)) for x in (p, q))
    latents = pd.DataFrame({"p.0": p, "a.0": a, "b.0": b, "q.0": q})
    marks = fci_graph(latents)
    assert not capsys.readouterr().out
    assert (marks.loc["a.0", "b.0"], marks.loc["b.0", "a.0"]) == ("arrow", "arrow")
    assert (marks.loc["p.0", "a.0"], marks.loc["a.0", "p.0"]) == ("circle", "arrow")
    assert (marks.loc["p.0", "b.0"], marks.loc["b.0", "p.0"]) == ("", "")
    links = pd.DataFrame(
        [("p.0", "a.0", "directed"), ("b.0", "a.0", "undirected"), ("b.0", "p.0", "undirected")],
        columns=["source", "target", "direction"],
    )
    table = edge_table(links, {"PC": pc_graph(latents)}, {"FCI": marks})
    assert table["links"].tolist() == ["arrow into a.0", "no direction", "no direction"]
    assert table["FCI"].tolist() == ["arrow into a.0, or a hidden common cause", "hidden common cause", "no edge"]
    assert table["PC"].iloc[[0, 2]].tolist() == ["arrow into a.0", "no edge"]
    assert table["PC"].iloc[1].startswith(("arrow into", "no direction"))
    turned = edge_table(links.rename(columns={"source": "target", "target": "source"}), fci={"FCI": marks})
    assert turned["FCI"].tolist() == table["FCI"].tolist()


@pytest.mark.parametrize("wrong", [{"alpha": 0}, {"alpha": True}, {"depth": -1}])
def test_fci_refuses_options_out_of_range(wrong: dict) -> None:
    latents = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 2)), columns=["a.0", "b.0"])
    with pytest.raises(InputError, match=next(iter(wrong))):
        fci_graph(latents, **wrong)


def test_graphs_of_columns_that_tell_each_other_are_refused() -> None:
    values = np.random.default_rng(0).normal(size=(200, 2))
    frame = pd.DataFrame(np.column_stack([values, 2 * values[:, 0]]), columns=["a.x", "b.x", "c.x"])
    for graph in (pc_graph, fci_graph):
        with pytest.raises(InputError, match="columns none of which"):
            graph(frame)


def test_graphs_rest_on_complete_cases() -> None:
    rng = np.random.default_rng(1)
    latents = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a.0", "b.0", "c.0"])
    latents["b.0"] += latents["a.0"]
    gaps = pd.concat([latents, latents.assign(**{"c.0": np.nan, "a.0": -latents["a.0"]})], ignore_index=True)
    assert fci_graph(gaps).equals(fci_graph(latents))
    with pytest.raises(InputError, match="20 people"):
        fci_graph(gaps.iloc[290:])


def test_a_latent_is_stood_for_by_a_column_of_its_own_that_most_people_have() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 3))
    x[:60, 0] = np.nan
    pictures = np.broadcast_to(x[:, 1, None, None, None], (200, 1, 3, 3)).copy()
    people = Cohort({"a": x, "b": pictures})
    rows = [("a", "a.0", "c0", 0.9), ("a", "a.0", "c1", 0.8), ("a", "a.1", "c1", -0.7), ("a", "a.1", "c2", 0.1)]
    rows.append(("b", "b.0", people["b"].names[0], 0.5))
    loadings = pd.DataFrame(rows, columns=["modality", "latent", "column", "loading"])
    found = standing_columns(loadings, people)
    assert np.allclose(found.to_numpy(), np.column_stack([x[:, 1], x[:, 2], x[:, 1]]))
    assert list(found.columns) == ["a.0", "a.1", "b.0"]
    assert np.array_equal(standing_columns(loadings, people, missing=0.5)["a.0"], x[:, 0], equal_nan=True)


def test_a_graph_without_the_latents_is_refused_and_one_that_lacks_an_end_says_so() -> None:
    ends = {"source": ["a.0", "a.0"], "target": ["b.0", "c.0"], "direction": ["directed"] * 2}
    links = pd.DataFrame(ends)
    graph = pd.DataFrame(0, index=["a.0", "b.0"], columns=["a.0", "b.0"])
    assert edge_table(links, {"PC": graph})["PC"].tolist() == ["no edge", "not drawn"]
    with pytest.raises(InputError, match="PC"):
        edge_table(links, {"PC": pd.DataFrame(0, index=["d.0"], columns=["d.0"])})


def test_two_latents_of_a_picture_with_one_channel_have_one_column_to_stand_for_them() -> None:
    rng = np.random.default_rng(4)
    people = Cohort({"a": rng.normal(size=(60, 2)), "eye": rng.normal(size=(60, 1, 4, 4))})
    rows = [("a", "a.0", "c0", 0.9), ("eye", "eye.0", "c0", 0.2), ("eye", "eye.1", "c0", -0.4)]
    found = standing_columns(pd.DataFrame(rows, columns=["modality", "latent", "column", "loading"]), people)
    assert list(found.columns) == ["a.0", "eye.1"]
    assert np.allclose(found["eye.1"], column_values(people, "eye.c0"))


def test_names_of_latents_are_read_from_either_form() -> None:
    z = np.random.default_rng(0).normal(size=(100, 2))
    named = pd.DataFrame(z, columns=["a.0", "b.0"])
    split = pd.DataFrame(z, columns=pd.MultiIndex.from_tuples([("a", 0), ("b", 0)]))
    assert Measured.of(named).names == Measured.of(split).names == ("a.0", "b.0")


# What is given wrongly


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stability": pd.DataFrame()}, "stability: expected the columns source, target, stability"),
        ({"controls": {"x": 3}}, "controls x: expected a DataFrame with the columns confidence, evidence, got int"),
        ({"edges": pd.DataFrame()}, "edges: expected the columns source, target, links"),
        ({"variations": [1]}, "variations: expected a DataFrame with the columns source, target, variation"),
    ],
)
def test_tables_without_their_columns_are_refused(
    fitted: tuple[MultimodalCRL, Cohort], given: dict, words: str
) -> None:
    with pytest.raises(InputError, match=f"^{words}"):
        link_cards(*fitted, **given)


def test_nothing_is_doubted_of_a_link_without_a_card(cards: Cards) -> None:
    with pytest.raises(InputError, match=r"^source, target: expected .* got 'zz.0', 'q.1'$"):
        doubts(cards, "zz.0", "q.1")


@pytest.mark.parametrize("graph", [pc_graph, fci_graph])
def test_graphs_of_no_table_of_numbers_are_refused_and_no_cell_is_told(graph: Callable) -> None:
    latents = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a.0", "b.0"])
    with pytest.raises(InputError, match=r"^latents: expected a DataFrame, got ndarray$"):
        graph(latents.to_numpy())
    with pytest.raises(InputError, match=r"^latents: expected columns of numbers, got something else$") as refused:
        graph(latents.assign(**{"b.0": "Qxyzzy"}))
    assert refused.value.__suppress_context__
