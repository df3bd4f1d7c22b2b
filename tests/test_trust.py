"""Trust: q-values hold their rate, effects are the coefficients, a link that is there returns in refits."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, norm

from mmcrl.evidence import pair_evidence
from mmcrl.knowledge import Knowledge
from mmcrl.links import LINK_COLUMNS, link_table
from mmcrl.proof.trust import RATE, judged, pooled, trust_of_latents
from mmcrl.significance import p_values, q_values
from mmcrl.simulate import World, numeric

N = 2_000


def names_of(world: World) -> list[str]:
    return [f"{modality}.{number}" for modality, number in world.latents.columns]


def table(p: list[float], scope: list[str], forbidden: int | None = None) -> pd.DataFrame:
    """Links with these p-values; the one numbered ``forbidden`` is barred both ways."""
    why = ["forbidden" if k == forbidden else "none" for k in range(len(p))]
    links = pd.DataFrame({"evidence": 0.01 * norm.isf(p), "evidence_se": 0.01, "scope": scope, "rests_on": why})
    return links.assign(direction="undirected")


# q-values


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    p = [0.01, 0.02, 0.03, 0.5]
    assert q_values(table(p, ["cross"] * 4)) == pytest.approx([0.04, 0.04, 0.04, 0.5])
    assert q_values(table([0.5, 0.001], ["cross"] * 2)) == pytest.approx([0.5, 0.002])


def test_scopes_are_families_of_their_own() -> None:
    apart = q_values(table([0.01, 0.9, 0.04, 0.9], ["cross", "cross", "within", "within"]))
    assert apart == pytest.approx([0.02, 0.9, 0.08, 0.9])


def test_a_pair_that_is_forbidden_both_ways_is_neither_tested_nor_counted() -> None:
    q = q_values(table([0.01, 0.02, 0.9], ["cross"] * 3, forbidden=2))
    assert q[:2] == pytest.approx([0.02, 0.02])
    assert np.isnan(q[2])
    z = np.random.default_rng(0).normal(size=(300, 3))
    links = link_table(z, ["a.0", "b.0", "c.0"], Knowledge(forbidden=[("a", "b"), ("b", "a")]))
    barred = (links["source"] == "a.0") & (links["target"] == "b.0")
    assert links.loc[barred, "q_value"].isna().all()
    assert links.loc[~barred, "q_value"].between(0, 1).all()


def test_the_q_value_stands_last_and_a_smaller_one_has_more_evidence_for_its_error() -> None:
    world = numeric(3, 2, 600, seed=0, n_columns=4)
    links = link_table(world.latents.to_numpy(), names_of(world))
    assert list(links.columns) == LINK_COLUMNS
    assert links.columns[-1] == "q_value"
    for _, family in links.groupby("scope"):
        most_telling = family.iloc[(-family["evidence"] / family["evidence_se"]).argsort()]
        assert most_telling["q_value"].is_monotonic_increasing


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
        p.append(float(p_values(delta, error)))
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
    assert judged(links, adjacency, {"a.0": "a.1", "b.0": "b.0"})["true"].tolist() == [True]


def test_the_rate_is_held_and_strong_links_are_found_in_simulated_worlds() -> None:
    numbers = trust_of_latents("sparse", 0.6, seed=1, n_worlds=6, n_people=1_500)
    assert numbers["fdr"] <= RATE
    assert numbers["power"] >= 0.9
    assert numbers["null_0.05"] <= 0.05
