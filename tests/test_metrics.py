"""Metrics on hand-made matrices with known answers."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import InputError, MultimodalCRL, metrics, simulate


def table(values: np.ndarray, blocks: dict[str, int]) -> pd.DataFrame:
    columns = [(name, i) for name, k in blocks.items() for i in range(k)]
    return pd.DataFrame(values, columns=pd.MultiIndex.from_tuples(columns, names=["modality", "latent"]))


@pytest.fixture
def latents() -> pd.DataFrame:
    return table(np.random.default_rng(0).normal(size=(4000, 5)), {"a": 2, "b": 3})


def test_a_permuted_flipped_and_bent_truth_is_recovered(latents):
    bent = latents.copy()
    bent[("a", 0)], bent[("a", 1)] = -np.exp(latents[("a", 1)]), latents[("a", 0)] ** 3
    assert metrics.mcc(latents, bent) == pytest.approx(1.0)
    assert metrics.match(latents, bent) == {"a.0": "a.1", "a.1": "a.0", "b.0": "b.0", "b.1": "b.1", "b.2": "b.2"}
    assert metrics.angle(latents, bent).max() < 1.5
    assert metrics.r2(latents, bent) > 0.995


def test_latents_are_not_matched_across_modalities(latents):
    swapped = latents.copy()
    swapped[("a", 0)], swapped[("b", 0)] = latents[("b", 0)], latents[("a", 0)]
    assert metrics.mcc(latents, swapped) < 0.7


@pytest.mark.parametrize("degrees", [0, 10, 30, 45])
def test_angle_is_that_of_the_rotation(latents, degrees):
    t = np.radians(degrees)
    rotated = latents.copy()
    rotated["a"] = latents["a"].to_numpy() @ np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    assert metrics.angle(latents, rotated)[["a.0", "a.1"]].to_numpy() == pytest.approx([degrees] * 2, abs=2)
    assert metrics.r2(latents, rotated) > 0.995


@pytest.mark.parametrize("seed", range(5))
def test_r2_of_pure_noise_is_about_zero(latents, seed):
    noise = table(np.random.default_rng(100 + seed).normal(size=(400, 5)), {"a": 2, "b": 3})
    assert abs(metrics.r2(latents[:400], noise, seed)) <= 0.05
    heavy = np.sinh(2 * noise)
    assert abs(metrics.r2(latents[:400], heavy, seed)) <= 0.05


def test_r2_sees_a_lost_latent(latents):
    lost = latents.copy()
    lost[("a", 1)] = np.random.default_rng(5).normal(size=len(lost))
    assert metrics.r2(latents[["a"]], lost[["a"]]) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    "bend",
    [lambda u: u, lambda u: np.where(u > 0, u, 0.3 * u), lambda u: u + 0.3 * u**3],
    ids=["no", "leaky", "cubic"],
)
def test_r2_of_an_invertible_mixing_is_near_one(bend):
    world = simulate.case(1, n=6000, seed=3)
    mixed = world.latents.copy()
    for name in ("a", "b"):
        u = world.latents[name].to_numpy() @ np.array([[1.0, 0.6], [-0.6, 1.0]])
        mixed[name] = bend(u) @ np.array([[1.0, -0.4], [0.6, 1.0]])
    assert metrics.r2(world.latents, mixed) > 0.99
    assert metrics.r2(world.latents, mixed) == metrics.r2(world.latents, mixed)


def test_r2_is_blind_to_the_order_of_people_and_to_people_without_an_estimate(latents):
    noisy = latents + np.random.default_rng(7).normal(size=latents.shape)
    assert metrics.r2(latents, noisy[::-1]) == metrics.r2(latents, noisy)
    assert metrics.mcc(latents, noisy[500:]) == metrics.mcc(latents[500:], noisy[500:])


def test_a_map_that_is_not_monotone_needs_the_nonlinear_mcc(latents):
    folded = latents.copy()
    z = latents[("a", 0)]
    folded[("a", 0)] = np.where(z > 0, z, -z - 8)  # invertible, and falling below 0
    folded["a"] = folded["a"].to_numpy()[:, ::-1]
    assert metrics.mcc(latents[["a"]], folded[["a"]]) < 0.9
    assert metrics.mcc(latents[["a"]], folded[["a"]], nonlinear=True) > 0.98
    noise = latents.copy()
    noise[:] = np.random.default_rng(6).normal(size=noise.shape)
    assert metrics.mcc(latents, noise, nonlinear=True) < 0.05


@pytest.mark.parametrize(("k", "mean"), [(2, 0.89), (3, 0.82), (4, 0.76)])
def test_floor_of_independent_latents(k, mean):
    block = table(np.random.default_rng(1).laplace(size=(2000, k)), {"a": k})
    by_chance = metrics.floor(block)
    assert by_chance["mean"] == pytest.approx(mean, abs=0.02)
    assert by_chance["mean"] < by_chance["q95"] <= 1


def test_floor_of_two_gaussians_is_the_mean_of_the_larger_of_cosine_and_sine():
    block = table(np.random.default_rng(1).normal(size=(4000, 2)), {"a": 2})
    correlations = np.linspace(0, np.pi / 4, 1001)
    exact = np.mean(6 / np.pi * np.arcsin(np.cos(correlations) / 2))  # Spearman of a Gaussian pair; angles uniform
    assert metrics.floor(block, draws=1000)["mean"] == pytest.approx(exact, abs=0.01)


def test_floor_is_blind_to_monotone_functions_and_higher_for_correlated_siblings(latents):
    assert metrics.floor(latents, draws=20) == metrics.floor(np.exp(latents), draws=20)
    siblings = latents.copy()
    siblings[("a", 1)] += 2 * latents[("a", 0)]
    assert metrics.floor(siblings[["a"]])["mean"] == pytest.approx(0.93, abs=0.01)
    assert metrics.floor(latents[["a"]])["mean"] == pytest.approx(0.89, abs=0.01)


def test_floor_of_one_latent_is_one_and_needs_nobody_measured_in_every_modality(latents):
    apart = latents.copy()
    apart.loc[:1999, "a"], apart.loc[2000:, "b"] = np.nan, np.nan
    assert metrics.floor(apart, draws=20)["mean"] < 0.95
    assert metrics.floor(latents[[("a", 0)]], draws=2) == pytest.approx({"mean": 1.0, "q95": 1.0})


def test_score_agrees_with_each_metric(latents):
    noisy = latents + np.random.default_rng(8).normal(size=latents.shape)
    scores = metrics.score(latents, noisy, seed=3)
    angles, floor = metrics.angle(latents, noisy), metrics.floor(latents, 3)
    assert scores == {
        "mcc": metrics.mcc(latents, noisy),
        "floor_mean": floor["mean"],
        "floor_q95": floor["q95"],
        "r2": metrics.r2(latents, noisy, 3),
        "angle_median": angles.median(),
        "angle_worst": angles.max(),
    }


def test_people_without_a_modality_are_left_out_of_it_alone(latents):
    estimated = latents.copy()
    estimated.loc[:999, "a"] = np.nan
    assert metrics.mcc(latents, estimated) == pytest.approx(1.0)


def test_too_few_estimates_count_as_zero_and_undecided(latents):
    few = latents[[("a", 1)]]
    assert metrics.mcc(latents[["a"]], few) == pytest.approx(0.5)
    assert metrics.match(latents[["a"]], few) == {"a.1": "a.1"}
    assert metrics.angle(latents[["a"]], few).to_dict() == {"a.0": 45.0, "a.1": 0.0}


@pytest.mark.parametrize("lost", ["no columns", "no values"])
def test_a_block_without_an_estimate_is_one_that_was_not_found(latents, lost):
    part = latents[["a"]]
    if lost == "no values":
        part = latents.copy()
        part.loc[:, "b"] = np.nan
    assert metrics.mcc(latents, part) == pytest.approx(2 / 5)
    assert metrics.mcc(latents, part, nonlinear=True) == pytest.approx(2 / 5, abs=0.01)
    assert metrics.r2(latents, part) == pytest.approx(2 / 5, abs=0.01)
    assert metrics.match(latents, part) == {"a.0": "a.0", "a.1": "a.1"}
    angles = metrics.angle(latents, part)
    assert (angles[["b.0", "b.1", "b.2"]] == 45).all() and (angles[["a.0", "a.1"]] < 1).all()
    assert metrics.score(latents, part)["angle_worst"] == 45


def test_shared_latents_that_a_fit_does_not_find_count_as_missed():
    world = simulate.numeric(2, 2, 400, seed=1, shared=1)
    with pytest.warns(UserWarning, match="0 found"):
        model = MultimodalCRL(2, n_shared=1, steps=10, starts=1).fit(world.cohort, progress=False)
    estimate = model.transform(world.cohort)
    assert "shared" not in estimate.columns.get_level_values(0)
    scores = metrics.score(world.latents, estimate)
    assert 0 < scores["mcc"] < 0.8 and scores["angle_worst"] == 45
    found = metrics.align(model.adjacency(), metrics.match(world.latents, estimate))
    whole = found.reindex(index=world.adjacency.index, columns=world.adjacency.columns, fill_value=0)
    assert metrics.shd(world.adjacency, found) == metrics.shd(world.adjacency, whole)


def test_r2_refuses_what_it_has_no_number_for(latents):
    constant, infinite = latents.copy(), latents.copy()
    constant[("a", 0)], infinite.loc[7, ("a", 0)] = 1.5, np.inf
    with pytest.raises(InputError, match=r"true: expected latents that vary .* constant one of a"):
        metrics.r2(constant, latents)
    with pytest.raises(InputError, match=r"true: expected finite numbers.*infinite values of a"):
        metrics.r2(infinite, latents)
    with pytest.raises(InputError, match="estimated: expected finite numbers"):
        metrics.r2(latents, infinite)


def test_too_many_estimates_leave_the_worst_out(latents):
    many = table(np.column_stack([np.zeros(4000), latents["a"].to_numpy()]), {"a": 3})
    assert metrics.mcc(latents[["a"]], many) == pytest.approx(1.0)
    assert metrics.match(latents[["a"]], many) == {"a.0": "a.1", "a.1": "a.2"}
    assert metrics.mcc(latents[["a"]], latents) == pytest.approx(1.0)


def test_wrong_input_is_named(latents):
    with pytest.raises(InputError, match="people of true"):
        metrics.mcc(latents, latents.set_axis(latents.index + 4000))
    with pytest.raises(InputError, match="repeated labels"):
        metrics.mcc(latents, latents.set_axis([0] * 4000))
    with pytest.raises(InputError, match=r"modalities among \['a'\], got those of \['b'\]"):
        metrics.mcc(latents[["a"]], latents[["b"]])
    with pytest.raises(InputError, match="only missing values"):
        metrics.score(latents, latents * np.nan)
    with pytest.raises(InputError, match="at least 4 people with a"):
        metrics.r2(latents, latents.where(pd.Series(latents.index < 3)))
    with pytest.raises(InputError, match="DataFrame"):
        metrics.mcc(latents.to_numpy(), latents)
