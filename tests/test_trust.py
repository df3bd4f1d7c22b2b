"""Trust: q-values hold their rate, effects are the coefficients, a link that is there returns in refits."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kstest

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, plots, stability
from mmcrl.cards import link_cards
from mmcrl.effects import EFFECT_COLUMNS, effect_table
from mmcrl.evidence import pair_evidence
from mmcrl.knowledge import Knowledge
from mmcrl.links import LINK_COLUMNS, confidence_of, link_table
from mmcrl.proof.trust import BINS, RATE, calibration, confident, judged, pooled, rates, trust_of_latents
from mmcrl.refits import unfitted
from mmcrl.settings import Settings
from mmcrl.significance import BLEND, allowance, p_value, q_values
from mmcrl.simulate import World, numeric
from mmcrl.storage import read_folder, write_folder

N = 2_000
RETURNS = ["stability", "direction_stability", "refits"]


def names_of(world: World) -> list[str]:
    return [f"{modality}.{number}" for modality, number in world.latents.columns]


def table(p: list[float], scope: list[str]) -> pd.DataFrame:
    """Links with these p-values."""
    return pd.DataFrame({"p_value": p, "scope": scope})


# q-values


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    p = [0.01, 0.02, 0.03, 0.5]
    assert q_values(table(p, ["cross"] * 4)) == pytest.approx([0.04, 0.04, 0.04, 0.5])
    assert q_values(table([0.5, 0.001], ["cross"] * 2)) == pytest.approx([0.5, 0.002])


def test_scopes_are_families_of_their_own() -> None:
    apart = q_values(table([0.01, 0.9, 0.04, 0.9], ["cross", "cross", "within", "within"]))
    assert apart == pytest.approx([0.02, 0.9, 0.08, 0.9])


def test_a_pair_that_is_forbidden_both_ways_is_neither_tested_nor_counted() -> None:
    q = q_values(table([0.01, 0.02, np.nan], ["cross"] * 3))
    assert q[:2] == pytest.approx([0.02, 0.02])
    assert np.isnan(q[2])
    z = np.random.default_rng(0).normal(size=(300, 3))
    links = link_table(z, ["a.0", "b.0", "c.0"], Knowledge(forbidden=[("a", "b"), ("b", "a")]))
    barred = (links["source"] == "a.0") & (links["target"] == "b.0")
    assert links.loc[barred, ["p_value", "q_value"]].isna().all(axis=None)
    assert links.loc[~barred, "q_value"].between(0, 1).all()


def test_the_q_value_stands_last_and_follows_the_p_value() -> None:
    world = numeric(3, 2, 600, seed=0, n_columns=4)
    links = link_table(world.latents.to_numpy(), names_of(world))
    assert list(links.columns) == LINK_COLUMNS
    assert links.columns[-1] == "q_value"
    for _, family in links.groupby("scope"):
        assert family.sort_values("p_value")["q_value"].is_monotonic_increasing


@pytest.mark.parametrize("given", [0, 2])
def test_p_values_of_independent_pairs_are_not_too_small(given: int) -> None:
    """Also where both ends are curved functions of the others, whose noise they scale."""
    rng = np.random.default_rng(given)
    p = []
    for _ in range(60):
        others = rng.normal(size=(400, given))
        z = rng.laplace(size=(400, 2))
        if given:
            z = np.tanh(others) + np.exp(0.4 * others[:, :1]) * z
        delta, error, _ = pair_evidence(np.column_stack([z, others]), 0, 1, range(2, 2 + given))
        p.append(p_value(delta, error))
    assert kstest(p, "uniform", alternative="greater").pvalue > 0.05
    assert min(p) > 0.01


def test_a_weak_link_is_found_and_a_dependence_that_others_explain_is_not() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=N)
    b = 0.5 * a + np.sqrt(0.75) * rng.normal(size=N)
    c = 0.25 * b + np.sqrt(1 - 0.0625) * rng.normal(size=N)
    links = link_table(np.column_stack([a, b, c]), ["a.0", "b.0", "c.0"]).set_index(["source", "target"])
    assert links.loc[("a.0", "b.0"), "q_value"] < 1e-6
    assert links.loc[("b.0", "c.0"), "q_value"] < 0.05
    assert links.loc[("a.0", "c.0"), "q_value"] > 0.05


@pytest.mark.parametrize("error", [0.0, 0.08])
def test_what_is_allowed_for_is_what_an_error_of_the_separating_latent_leaves(error: float) -> None:
    """A chain i <- k -> j, exact: k is seen with a share ``error`` of its variance being noise."""
    rng = np.random.default_rng(8)
    k = rng.normal(size=200_000)
    i, j = 0.8 * k + 0.6 * rng.normal(size=(2, len(k)))
    seen = np.sqrt(1 - error) * k + np.sqrt(error) * rng.normal(size=len(k))
    z = np.column_stack([i, j, seen])
    precision = np.linalg.inv(np.corrcoef(z.T))
    rho = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    assert allowance(z, 0, 1, [2], error) == pytest.approx(-0.5 * np.log(1 - rho**2), abs=5e-4)
    assert allowance(z, 0, 1, []) == 0


@pytest.mark.parametrize("alike", [0.95, 0.97, 0.996])
def test_what_nearly_equal_siblings_differ_by_separates_nothing(alike: float) -> None:
    """Both ends owe to the difference of two siblings, which is seen with errors as large as itself."""
    p = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        siblings = rng.multivariate_normal([0, 0], [[1, alike], [alike, 1]], N)
        apart = (siblings[:, 0] - siblings[:, 1]) / np.sqrt(2 - 2 * alike)
        ends = 0.7 * apart[:, None] + 0.7 * rng.normal(size=(N, 2))
        seen = np.sqrt(0.97) * siblings + np.sqrt(0.03) * rng.normal(size=(N, 2))
        z = np.column_stack([ends, seen])
        delta, error, _ = pair_evidence(z, 0, 1, [2, 3])
        assert delta > 4 * error, "much is left"
        p.append(p_value(delta, error, allowance(z, 0, 1, [2, 3])))
    assert min(p) > 0.05


def siblings_of(mixed: np.ndarray, siblings: list[list[int]]) -> pd.Series:
    """The link between a.0 and a.1, beside a latent that has nothing to do with them."""
    z = np.column_stack([mixed, np.random.default_rng(9).normal(size=len(mixed))])
    links = link_table(z, ["a.0", "a.1", "b.0"], siblings=siblings)
    return links[links["scope"] == "within"].iloc[0]


def test_what_a_latent_carries_of_its_sibling_is_no_link_between_them() -> None:
    """Each has 1 % of the other's variance: .02 nats, which no number of people makes a link."""
    z = np.random.default_rng(4).normal(size=(20_000, 2))
    carried = np.sqrt(0.99) * z + 0.1 * z[:, ::-1]
    known, estimated = siblings_of(carried, [[], [], []]), siblings_of(carried, [[1], [0], []])
    assert known["evidence"] == pytest.approx(BLEND, abs=0.004)
    assert known["confidence"] > 0.99 and known["q_value"] < 1e-6
    assert estimated["confidence"] < 0.05 and estimated["q_value"] > 0.05
    assert estimated["evidence"] == known["evidence"], "what was measured is told as it is"
    assert (known["least"], estimated["least"]) == pytest.approx((0.005, 0.005 + BLEND))


def test_a_clear_link_between_siblings_is_one() -> None:
    z = np.random.default_rng(5).multivariate_normal([0, 0], [[1, 0.35], [0.35, 1]], 2_500)
    found = siblings_of(z, [[1], [0], []])
    assert found["confidence"] > 0.9 and found["q_value"] < 0.01


def test_of_columns_that_are_latents_themselves_nothing_is_allowed_for() -> None:
    """A fit: two columns of .01 nats are linked, which latents of one table would not be."""
    rng = np.random.default_rng(6)
    who = rng.multivariate_normal([0, 0], [[1, 0.15], [0.15, 1]], 6_000)
    cohort = Cohort({"who": Modality(who, kind="observed"), "table": rng.normal(size=(6_000, 3))})
    links = MultimodalCRL(1, starts=1, steps=3, held_out=0.5).fit(cohort, progress=False).links()
    pair = links[links["scope"] == "within"].iloc[0]
    assert pair["evidence"] == pytest.approx(-0.5 * np.log(1 - 0.15**2), abs=0.006) and pair["evidence"] < BLEND
    assert pair["p_value"] == p_value(pair["evidence"], pair["evidence_se"]) < 0.01
    assert pair["least"] == 0.005


def test_confidence_is_that_of_exceeding_what_a_pair_is_asked_for() -> None:
    """Also where a link may be a leak: a.1 carries some of a.0, which b.0 acts on and which is seen with error."""
    noise = np.random.default_rng(7).normal(size=(5, 20_000))
    b = noise[0]
    a = 0.8 * b + 0.6 * noise[1]
    z = np.column_stack([a + 0.7 * noise[2], 0.5 * a + noise[3], b, noise[4]])
    links = link_table(z, ["a.0", "a.1", "b.0", "c.0"], siblings=[[1], [0], [], []])
    asked = [confidence_of(*of_pair) for of_pair in links[["evidence", "evidence_se", "least"]].to_numpy()]
    assert links["confidence"].tolist() == asked
    assert links["least"].nunique() == 3, "a plain pair, one of siblings, one that may be a leak"


# The study of errors


def test_errors_are_counted_by_hand() -> None:
    links = table([0.001, 0.002, 0.9, 0.003], ["cross", "cross", "cross", "within"])
    links = links.assign(source=["a.0", "a.0", "a.1", "a.0"], target=["b.0", "b.1", "b.0", "a.1"])
    links = links.assign(q_value=[0.01, 0.02, 0.9, 0.03], confidence=[1.0, 0.85, 0.05, 0.95])
    names = ["a.0", "a.1", "b.0", "b.1"]
    adjacency = pd.DataFrame(0, index=names, columns=names)
    adjacency.loc["b.0", ["a.0", "a.1"]] = 1
    found = judged(links, adjacency)
    assert found["true"].tolist() == [True, False, True, False]
    numbers = pooled([found])
    assert (numbers["fdr"], numbers["fdr_cross"], numbers["fdr_within"]) == pytest.approx((2 / 3, 1 / 2, 1))
    assert numbers["power"] == numbers["power_cross"] == 0.5
    assert np.isnan(numbers["power_within"])
    assert (numbers["n_null"], numbers["null_0.05"], numbers["null_0.001"]) == (2, 1.0, 0.0)
    assert (numbers["pairs_9"], numbers["right_9"], numbers["confidence_9"]) == pytest.approx((2, 1, 1.95))
    assert (numbers["pairs_8"], numbers["right_0"]) == (1, 1)
    assert confident(pd.DataFrame([numbers, numbers])) == pytest.approx(
        {"claimed": 6, "false": 4, "false_share": 2 / 3, "found_share": 1 / 2}
    )
    assert judged(links, adjacency, {"a.0": "a.1", "b.0": "b.0"})["true"].tolist() == [True]


def test_the_rate_is_held_and_strong_links_are_found_in_simulated_worlds() -> None:
    numbers = trust_of_latents("sparse", 0.6, seed=1, n_worlds=3, n_people=1_500)
    assert numbers["fdr"] <= RATE
    assert numbers["power"] >= 0.9
    assert numbers["null_0.05"] <= 0.05


def test_findings_that_few_people_have_make_no_links_up() -> None:
    numbers = trust_of_latents("dense", 0.85, seed=1, n_worlds=3, n_people=1_500, prevalence=0.15)
    assert numbers["fdr"] <= RATE
    assert numbers["null_0.05"] <= 0.05
    assert numbers["power"] >= 0.8


@pytest.mark.parametrize("made", [{"steps": True}, {"missing": 0.3}], ids=["steps", "missing"])
def test_steps_and_people_who_lack_a_modality_make_no_links_up(made) -> None:
    numbers = trust_of_latents("sparse", 0.85, seed=1, n_worlds=3, n_people=1_500, **made)
    assert numbers["fdr"] <= RATE
    assert numbers["power"] >= 0.8


# Effects

EFFECT = 0.6 * 0.8  # of a.0 on the column that shows b.0


def linear_people(seed: int, n: int = 400) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """a.0 -> b.0, a.0 -> b.1, b.0 -> c.0; column b0 is .8 b.0 + .3 b.1 + noise; all of unit variance."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b0, b1 = 0.6 * a + 0.8 * rng.normal(size=n), 0.5 * a + np.sqrt(0.75) * rng.normal(size=n)
    c = 0.7 * b0 + np.sqrt(0.51) * rng.normal(size=n)
    rest = 1 - 0.8**2 - 0.3**2 - 2 * 0.8 * 0.3 * 0.6 * 0.5
    columns = np.column_stack([0.8 * b0 + 0.3 * b1 + np.sqrt(rest) * rng.normal(size=n), b1])
    pairs = pd.MultiIndex.from_tuples([("a", 0), ("b", 0), ("b", 1), ("c", 0)])
    latents = pd.DataFrame(np.column_stack([a, b0, b1, c]), columns=pairs)
    return latents, {"b": pd.DataFrame(columns, columns=["b0", "b1"]), "c": pd.DataFrame(c[:, None], columns=["c0"])}


LINEAR_LINKS = pd.DataFrame(
    [
        ("a.0", "b.0", "directed", 0.99, "tier"),
        ("a.0", "b.1", "directed", 0.9, "tier"),
        ("b.0", "c.0", "directed", 0.9, "tier"),
        ("a.0", "c.0", "undirected", 0.1, "none"),
    ],
    columns=["source", "target", "direction", "confidence", "rests_on"],
)
LINEAR_LOADINGS = pd.DataFrame(
    [("b", "b.0", "b0", 0.9), ("b", "b.0", "b1", 0.2), ("b", "b.1", "b1", 1.0), ("c", "c.0", "c0", 1.0)],
    columns=["modality", "latent", "column", "loading"],
)


def test_an_effect_is_the_known_coefficient_and_its_interval_covers_it() -> None:
    """Not what goes through the sibling, nor less because of what b.0 causes."""
    covered, found = 0, []
    for seed in range(40):
        latents, observed = linear_people(seed)
        told = effect_table(latents, observed, LINEAR_LINKS, LINEAR_LOADINGS)
        row = told[(told["source"] == "a.0") & (told["target"] == "b.0")].iloc[0]
        found.append(row["effect"])
        covered += row["low"] <= EFFECT <= row["high"]
    assert np.mean(found) == pytest.approx(EFFECT, abs=0.015)
    assert 0.85 <= covered / 40 <= 1


def test_only_confident_links_have_effects_and_only_in_columns_that_show_their_target() -> None:
    told = effect_table(*linear_people(0), LINEAR_LINKS, LINEAR_LOADINGS)
    assert list(told.columns) == EFFECT_COLUMNS
    assert list(zip(told["source"], told["target"], told["column"], strict=True)) == [
        ("a.0", "b.0", "b.b0"),
        ("a.0", "b.1", "b.b1"),
        ("b.0", "c.0", "c.c0"),
    ]
    assert told["effect"].between(told["low"], told["high"]).all()


def test_an_undirected_link_is_told_both_ways() -> None:
    links = LINEAR_LINKS.iloc[[2]].assign(direction="undirected", rests_on="none")
    told = effect_table(*linear_people(0), links, LINEAR_LOADINGS)
    assert list(zip(told["source"], told["target"], strict=True)) == [("b.0", "c.0"), ("c.0", "b.0")]
    assert (told["direction"] == "undirected").all()


def test_missing_values_leave_people_out_and_too_few_people_give_no_effect() -> None:
    latents, observed = linear_people(1, 800)
    whole = effect_table(latents, observed, LINEAR_LINKS, LINEAR_LOADINGS)["effect"]
    latents.iloc[::2, 0] = np.nan
    half = effect_table(latents, observed, LINEAR_LINKS, LINEAR_LOADINGS)["effect"]
    assert half.notna().all() and half.to_numpy() == pytest.approx(whole, abs=0.1)
    latents.iloc[20:, 0] = np.nan
    assert effect_table(latents, observed, LINEAR_LINKS, LINEAR_LOADINGS)["effect"].isna().tolist() == [1, 1, 0]


def test_a_fitted_model_tells_effects_in_the_sign_of_its_links() -> None:
    world = numeric(2, 1, 600, seed=3, n_columns=4)
    train, held_out = world.cohort.split(0.4, seed=0)
    model = MultimodalCRL(1, seed=0, starts=1, steps=40).fit(train, progress=False)
    told = model.effects(held_out, confidence=0.0)
    links, loadings = model.links(), model.loadings(held_out)
    assert set(zip(told["source"], told["target"], strict=True)) == {("a.0", "b.0"), ("b.0", "a.0")}
    first = told.iloc[0]
    loading = loadings[
        (loadings["latent"] == first["target"]) & (loadings["modality"] + "." + loadings["column"] == first["column"])
    ]
    assert np.sign(first["effect"]) == links.loc[0, "sign"] * np.sign(loading["loading"].iloc[0])


# Stability


class Known:
    """Stands for a fit whose latents are the columns, as any fit gives them: in another order, with other signs."""

    settings, device = Settings(steps=1), torch.device("cpu")

    def __init__(self, seed: int = 0) -> None:
        self.seed, self.n_latents, self.n_shared, self.knowledge = seed, 2, 0, Knowledge()

    def fit(self, cohort: Cohort, progress: bool = False) -> "Known":
        z = self.transform(cohort)
        self.table = link_table(z.to_numpy(), [f"{m}.{k}" for m, k in z.columns])
        return self

    def transform(self, cohort: Cohort) -> pd.DataFrame:
        turned = [m.values[:, :: -1 if self.seed % 2 else 1] * (-1) ** self.seed for m in cohort.modalities.values()]
        columns = pd.MultiIndex.from_product([cohort.names, [0, 1]])
        return pd.DataFrame(np.hstack(turned), index=cohort.ids, columns=columns)

    def links(self) -> pd.DataFrame:
        return self.table


class Broken(Known):
    def fit(self, cohort: Cohort, progress: bool = False) -> "Known":
        raise AssertionError("what was kept is not computed again")


@pytest.fixture
def pairs_of_latents(monkeypatch: pytest.MonkeyPatch) -> Cohort:
    """b.0 <- a.0 -> c.0 <- b.1 and nothing else: of the links, those into c.0 form a collider."""
    monkeypatch.setattr(stability, "unfitted", lambda model, seed, jobs: Known(seed))
    rng = np.random.default_rng(5)
    a, b, c = rng.normal(size=(3, 1_200, 2))
    b[:, 0] += a[:, 0]
    c[:, 0] += a[:, 0] + b[:, 1]
    return Cohort({"a": Modality(a), "b": Modality(b), "c": Modality(c)})


def test_a_link_that_is_there_returns_and_one_that_is_not_does_not(pairs_of_latents: Cohort) -> None:
    told = stability.link_stability(Known().fit(pairs_of_latents), pairs_of_latents, pairs=3, progress=False)
    assert list(told.columns) == stability.STABILITY_COLUMNS
    assert (told["refits"] == 6).all() and len(told) == 15
    pairs = [frozenset(ends) for ends in zip(told["source"], told["target"], strict=True)]
    true = {frozenset(ends) for ends in (("a.0", "b.0"), ("a.0", "c.0"), ("b.1", "c.0"))}
    linked = np.array([pair in true for pair in pairs])
    assert told.loc[linked, "stability"].to_numpy() == pytest.approx(1)
    assert told.loc[~linked, "stability"].mean() < 0.05
    assert told.loc[told["stability"] == 0, "direction_stability"].isna().all()
    into = told[linked & (told["target"] == "c.0")]
    assert len(into) == 2 and (into["direction_stability"] > 0.5).all()


def test_a_link_of_the_opposite_sign_is_another_link() -> None:
    """Of three refits one finds it turned round and one without a sign."""
    links = pd.DataFrame([("a.0", "b.0", "directed", 1)], columns=["source", "target", "direction", "sign"])
    refits = [
        [["b.0", "a.0", "directed", "1"]],
        [["a.0", "b.0", "directed", "-1"]],
        [["a.0", "b.0", "directed", "0"]],
    ]
    told = stability._shares(links, refits).iloc[0]
    assert told["stability"] == pytest.approx(2 / 3) and told["direction_stability"] == 0.5
    assert stability._shares(links.assign(sign=0), refits)["stability"].item() == 1


def test_a_link_of_a_latent_that_is_not_back_does_not_return(
    pairs_of_latents: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {f"{m}.{k}": f"{m}.{k}" for m in "abc" for k in (0, 1)}
    agreement = {name: 0.3 if name == "a.0" else -0.9 for name in names}
    monkeypatch.setattr("mmcrl.refits.matched", lambda reference, latents: (names, agreement))
    monkeypatch.setattr(stability, "unfitted", lambda model, seed, jobs: Known(0))
    told = stability.link_stability(Known().fit(pairs_of_latents), pairs_of_latents, pairs=1, progress=False)
    found = told[told["stability"] > 0]
    assert {frozenset(ends) for ends in zip(found["source"], found["target"], strict=True)} == {
        frozenset(("b.1", "c.0"))
    }


def test_halves_are_complementary_and_differ_from_pair_to_pair() -> None:
    halves = stability._halves(101, 2, seed=0)
    assert [len(half) for half in halves] == [50] * 4
    assert not set(halves[0]) & set(halves[1]) and set(halves[0]) != set(halves[2])


def test_a_stopped_run_goes_on_and_keeps_no_person(
    pairs_of_latents: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Known().fit(pairs_of_latents)
    first = stability.link_stability(model, pairs_of_latents, pairs=1, progress=False, checkpoint=tmp_path)
    kept = list(tmp_path.iterdir())
    assert len(kept) == 2
    assert {len(link) for path in kept for link in json.loads(path.read_text())} == {4}
    monkeypatch.setattr(stability, "unfitted", lambda model, seed, jobs: Broken(seed))
    again = stability.link_stability(model, pairs_of_latents, pairs=1, progress=False, checkpoint=tmp_path)
    pd.testing.assert_frame_equal(first, again)
    with pytest.raises(AssertionError, match="not computed again"):
        stability.link_stability(
            model, pairs_of_latents, pairs=1, progress=False, confidence=0.6, checkpoint=tmp_path
        )


def test_a_model_is_fitted_anew_with_its_own_settings() -> None:
    world = numeric(2, 1, 200, seed=0, n_columns=3)
    model = MultimodalCRL({"a": 1, "b": 1}, starts=1, steps=3, forbidden=[("b", "a")]).fit(
        world.cohort, progress=False
    )
    again = unfitted(model, 7)
    assert (again.seed, again.n_latents, again.settings.steps, again.settings.jobs) == (7, {"a": 1, "b": 1}, 3, 1)
    assert again.knowledge.forbidden == (("b", "a"),)
    told = stability.link_stability(model, world.cohort, pairs=1, progress=False)
    assert told["stability"].between(0, 1).all() and told["refits"].tolist() == [2]


@pytest.fixture
def small() -> tuple[MultimodalCRL, Cohort, pd.DataFrame]:
    """A fitted model, its people, and its links before anything was measured."""
    people = numeric(3, 1, 400, seed=0, n_columns=3).cohort
    model = MultimodalCRL(1, starts=1, steps=30, jobs=1).fit(people, progress=False)
    return model, people, model.links()


def test_links_tell_how_often_they_return_once_it_was_measured(
    small: tuple[MultimodalCRL, Cohort, pd.DataFrame],
) -> None:
    model, people, before = small
    assert list(before.columns[-3:]) == RETURNS
    assert before[RETURNS[:2]].isna().all(axis=None) and before["refits"].eq(0).all()
    told = stability.link_stability(model, people, pairs=1, progress=False)
    after = model.links()
    assert list(after.columns) == list(before.columns)
    pd.testing.assert_frame_equal(after[stability.STABILITY_COLUMNS], told)
    pd.testing.assert_frame_equal(after.drop(columns=RETURNS), before.drop(columns=RETURNS))
    again = stability.link_stability(model, people, pairs=2, progress=False)
    pd.testing.assert_frame_equal(model.links()[stability.STABILITY_COLUMNS], again)  # the last is kept
    assert again["refits"].eq(4).all()
    model.fit(people, progress=False)
    pd.testing.assert_frame_equal(model.links(), before)


def test_a_saved_model_keeps_how_often_its_links_return(
    small: tuple[MultimodalCRL, Cohort, pd.DataFrame], tmp_path: Path
) -> None:
    model, people, before = small
    stability.link_stability(model, people, pairs=1, progress=False)
    model.save(tmp_path / "measured")
    pd.testing.assert_frame_equal(MultimodalCRL.load(tmp_path / "measured").links(), model.links())
    description, weights = read_folder(tmp_path / "measured")
    for link in description["links"]:  # as an earlier version wrote them
        for column in [*RETURNS, "least"]:
            del link[column]
    write_folder(tmp_path / "earlier", description, weights)
    pd.testing.assert_frame_equal(MultimodalCRL.load(tmp_path / "earlier").links()[before.columns], before)


def test_a_card_tells_what_the_links_or_the_table_given_say(
    small: tuple[MultimodalCRL, Cohort, pd.DataFrame],
) -> None:
    model, people, before = small
    n = int((before["confidence"] >= 0.01).sum())

    def shown(**given: pd.DataFrame) -> tuple[pd.DataFrame, str]:
        cards = link_cards(model, people, confidence=0.01, strata={}, covariates=(), **given)
        return cards.links[RETURNS], plots.card_view(cards).html

    unmeasured, html = shown()
    assert len(unmeasured) == n > 0
    assert unmeasured["stability"].isna().all() and html.count("refits: none in this run") == n
    given = before[["source", "target"]].assign(stability=0.25, direction_stability=1.0, refits=8)
    assert shown(stability=given)[1].count("It returned in 25% of 8 refits") == n
    stability.link_stability(model, people, pairs=1, progress=False)
    measured, html = shown()
    assert measured["refits"].eq(2).all() and html.count("of 2 refits on half of the people; ") == n
    assert shown(stability=given)[0]["stability"].eq(0.25).all()


@pytest.mark.parametrize(("argument", "wrong"), [("pairs", 0), ("confidence", 2.0), ("seed", -1)])
def test_wrong_arguments_are_refused(pairs_of_latents: Cohort, argument: str, wrong: float) -> None:
    model = Known().fit(pairs_of_latents)
    with pytest.raises(InputError, match=argument):
        stability.link_stability(model, pairs_of_latents, progress=False, **{argument: wrong})


# What the page draws


def test_pictures_and_tables_follow_from_the_sweep() -> None:
    table = pd.DataFrame({"strength": [0.3, 0.3, 0.9], "n_worlds": [2, 2, 4], "n_links": 5, "power": [0.5, 1.0, 1.0]})
    table = table.assign(fdr=[0.1, 0.0, 0.0], fdr_sd=[0.1, 0.0, 0.0], power_cross=1.0, power_within=np.nan)
    table = table.assign(**{f"{name}_{scope}": 0.0 for name in ("fdr", "fdr_sd") for scope in ("cross", "within")})
    for k in range(BINS):
        table = table.assign(**{f"pairs_{k}": 0, f"right_{k}": 0, f"confidence_{k}": 0.0})
    table = table.assign(pairs_8=[4, 0, 16], right_8=[3, 0, 14], confidence_8=[3.4, 0.0, 13.6])
    bins = calibration(table)
    assert bins[["pairs", "confidence", "right"]].iloc[0].tolist() == pytest.approx([20, 0.85, 0.85])
    assert len(bins) == 1 and bins.loc[0, "low"] < 0.85 < bins.loc[0, "high"]
    told = rates(table, "strength")
    assert told.loc[0.3, "false, all"] == "0.050 ± 0.043"  # of 4 worlds one has a proportion of .2
    assert (told.loc[0.3, "found, all"], told.loc[0.3, "found, within"], told.loc[0.9, "worlds"]) == (
        "0.75",
        "–",
        "4",
    )
    dots = plots.calibration_curve(bins).get_lines()[1]
    assert (dots.get_xdata()[0], dots.get_ydata()[0]) == pytest.approx((0.85, 0.85))
    left, right = plots.error_rates(table, "strength", "strength").axes
    assert left.collections[0].get_offsets()[:, 1].tolist() == [0.1, 0.0, 0.0]
    assert right.get_lines()[1].get_ydata().tolist() == pytest.approx([0.75, 1.0])
    plt.close("all")
    with pytest.raises(InputError, match="table"):
        plots.calibration_curve(bins.drop(columns="right"))
