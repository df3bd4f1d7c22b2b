"""Metrics on hand-made matrices with known answers."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import InputError, metrics, simulate


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


def test_r2_sees_a_lost_latent(latents):
    lost = latents.copy()
    lost[("a", 1)] = np.random.default_rng(5).normal(size=len(lost))
    assert metrics.r2(latents[["a"]], lost[["a"]]) == pytest.approx(0.5, abs=0.03)


def test_r2_of_an_invertible_nonlinear_mixing_is_near_one():
    world = simulate.case(1, n=6000, seed=3)
    mixed = world.latents.copy()
    for name in ("a", "b"):
        u = world.latents[name].to_numpy() @ np.array([[1.0, 0.6], [-0.6, 1.0]])
        mixed[name] = np.where(u > 0, u, 0.3 * u) @ np.array([[1.0, -0.4], [0.6, 1.0]])
    assert metrics.r2(world.latents, mixed) > 0.99


@pytest.mark.parametrize(("k", "mean"), [(2, 0.90), (3, 0.82), (4, 0.76)])
def test_floor_of_independent_gaussians(k, mean):
    block = table(np.random.default_rng(1).normal(size=(2000, k)), {"a": k})
    by_chance = metrics.floor(block)
    assert by_chance["mean"] == pytest.approx(mean, abs=0.02)
    assert by_chance["mean"] < by_chance["q95"] <= 1


def test_floor_of_two_gaussians_is_the_mean_of_the_larger_of_cosine_and_sine():
    block = table(np.random.default_rng(1).normal(size=(4000, 2)), {"a": 2})
    exact = 2 * np.sqrt(2) / np.pi  # E max(|cos t|, |sin t|) for a uniform angle; Spearman moves it by about .01
    assert metrics.floor(block, draws=400)["mean"] == pytest.approx(exact, abs=0.02)


CHAIN = pd.DataFrame([[0, 0, 0], [1, 0, 0], [0, 1, 0]], index=["a.0", "a.1", "b.0"], columns=["a.0", "a.1", "b.0"])


def test_shd_counts_missing_extra_and_reversed_once_each():
    def changed(**entries: int) -> pd.DataFrame:
        other = CHAIN.copy()
        for cell, value in entries.items():
            other.iloc[int(cell[1]), int(cell[2])] = value
        return other

    assert metrics.shd(CHAIN, CHAIN) == 0
    assert metrics.shd(CHAIN, changed(e10=0)) == 1
    assert metrics.shd(CHAIN, changed(e20=1)) == 1
    assert metrics.shd(CHAIN, changed(e10=0, e01=1)) == 1
    assert metrics.shd(CHAIN, CHAIN.T) == 2
    assert metrics.shd(CHAIN, CHAIN.T, skeleton=True) == 0
    assert metrics.shd(CHAIN, changed(e01=1)) == 1
    assert metrics.shd(CHAIN, changed(e01=1), skeleton=True) == 0


def test_shd_by_scope_and_in_any_order_of_labels():
    empty = CHAIN * 0
    assert metrics.shd(CHAIN, empty, scope="within") == 1
    assert metrics.shd(CHAIN, empty, scope="cross") == 1
    shuffled = CHAIN.loc[["b.0", "a.0", "a.1"], ["b.0", "a.0", "a.1"]]
    assert metrics.shd(CHAIN, shuffled) == 0


def test_align_undoes_the_permutation_that_the_matching_found(latents):
    names = [f"{m}.{i}" for m, i in latents.columns]
    adjacency = pd.DataFrame(0, index=names, columns=names)
    adjacency.loc["b.2", "a.0"] = 1
    permuted = latents.copy()
    permuted["a"] = latents["a"].to_numpy()[:, ::-1]
    matching = metrics.match(latents, permuted)
    seen = pd.DataFrame(0, index=names, columns=names)
    seen.loc["b.2", "a.1"] = 1
    assert metrics.shd(adjacency, seen) == 2
    assert metrics.shd(adjacency, metrics.align(seen, matching)) == 0


def test_people_without_a_modality_are_left_out_of_it_alone(latents):
    estimated = latents.copy()
    estimated.loc[:999, "a"] = np.nan
    assert metrics.mcc(latents, estimated) == pytest.approx(1.0)


def test_too_few_estimates_count_as_zero(latents):
    assert metrics.mcc(latents[["a"]], latents[[("a", 0)]]) == pytest.approx(0.5)


def test_wrong_input_is_named(latents):
    with pytest.raises(InputError, match="people of true"):
        metrics.mcc(latents, latents[::-1])
    with pytest.raises(InputError, match="none called b"):
        metrics.r2(latents, latents[["a"]])
    with pytest.raises(InputError, match="entries 0 or 1"):
        metrics.shd(CHAIN, CHAIN * 0.5)
    with pytest.raises(InputError, match="labels"):
        metrics.shd(CHAIN, CHAIN.rename(index={"a.0": "c.0"}, columns={"a.0": "c.0"}))
    with pytest.raises(InputError, match="scope"):
        metrics.shd(CHAIN, CHAIN, scope="some")
    with pytest.raises(InputError, match="DataFrame"):
        metrics.mcc(latents.to_numpy(), latents)
