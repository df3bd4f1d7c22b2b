"""Worlds: what is promised of their graph, mechanisms and mixing."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from mmcrl import InputError, simulate
from mmcrl.simulate.noise import draw_noise


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", ["sparse", "dense", "chain", "paper", "random"])
def test_the_graph_is_acyclic_across_modalities_and_frees_every_latent(family, seed):
    world = simulate.numeric(4, 2, n=50, seed=seed, graph=family)
    adjacency = world.adjacency.to_numpy()
    assert (np.triu(adjacency) == 0).all()
    block = np.arange(8) // 2
    assert not adjacency[block[:, None] == block[None]].any()
    neighbours = (adjacency + adjacency.T) > 0
    for i, j in [(0, 1), (2, 3), (4, 5), (6, 7)]:
        assert (neighbours[i] & ~neighbours[j]).any() and (neighbours[j] & ~neighbours[i]).any()


def test_paper_cases_have_their_sizes():
    shapes = {number: simulate.case(number, n=60) for number in (1, 2, 3)}
    assert {k: (len(w.cohort.names), len(w.adjacency)) for k, w in shapes.items()} == {
        1: (2, 4),
        2: (2, 6),
        3: (4, 8),
    }
    assert [w.cohort["a"].values.shape[1] for w in shapes.values()] == [15, 20, 30]
    assert int(shapes[3].adjacency.to_numpy().sum()) == 6


def test_a_child_depends_on_its_parent_and_roots_are_independent():
    world = simulate.case(1, n=20_000, seed=2)
    correlation = world.latents.corr(method="spearman").to_numpy()
    linked = world.adjacency.to_numpy().astype(bool)
    linked = linked | linked.T | np.eye(4, dtype=bool)
    assert np.abs(correlation[linked]).min() > 0.7
    assert np.abs(correlation[~linked]).max() < 0.03


def test_latents_are_standardised():
    latents = simulate.numeric(5, 2, n=40_000, seed=1).latents
    assert latents.mean().abs().max() < 0.08
    assert (latents.std() - 1).abs().max() < 0.08


def test_sibling_links_are_weak_where_asked_for():
    world = simulate.numeric(2, 2, n=20_000, seed=4, within=0.3)
    assert world.adjacency.loc["a.1", "a.0"] == 1
    assert 0.1 < abs(world.latents["a"].corr().iloc[0, 1]) < 0.4


def test_linear_gaussian_world_is_gaussian():
    world = simulate.numeric(n=40_000, seed=0, noise="gaussian", curvature=0, heteroscedasticity=0)
    assert world.latents.kurt().abs().max() < 0.1
    assert world.latents.skew().abs().max() < 0.05


def test_mixing_is_wide_and_shows_private_variation():
    world = simulate.numeric(n=3000, seed=0)
    values = world.cohort["a"].values
    singular = np.linalg.svd(values - values.mean(0), compute_uv=False)
    assert (singular[3:8] > 0.04 * singular[0]).all()  # two latents and one private variable fill many directions
    design = np.column_stack([np.ones(3000), world.latents["a"].to_numpy()])
    residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    assert residual.var() / values.var() > 0.05


def test_the_same_seed_gives_the_same_world_and_another_seed_another():
    one, two, three = (simulate.numeric(n=100, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one.latents, two.latents)
    assert (one.cohort["a"].values == two.cohort["a"].values).all()
    assert not np.allclose(one.latents, three.latents)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"n": 0}, "n:"),
        ({"n_modalities": 0}, "n_modalities"),
        ({"n_latents": 2.5}, "n_latents"),
        ({"graph": "ring"}, "graph"),
        ({"noise": "pink"}, "noise"),
        ({"strength": 1.0}, "strength"),
        ({"n_columns": 2}, "n_columns"),
        ({"density": 0.5}, "density"),
        ({"graph": "random", "density": 1.0}, "nested=True"),
        ({"cycles": "around"}, "cycles"),
        ({"cycles": "within", "n_latents": 1}, "n_latents"),
        ({"cycles": "across", "graph": "random", "density": 0.0, "nested": True}, "cycles"),
        ({"cycles": "across", "feedback": 0}, "feedback"),
        ({"shared": -1}, "shared"),
        ({"shared": 1, "shared_by": 3}, "shared_by"),
        ({"missing": 0.6}, "missing"),
        ({"missing": "a"}, "missing"),
        ({"n_private": -1}, "n_private"),
        ({"seed": -1}, "seed"),
        ({"seed": "a"}, "seed"),
        ({"within": "x"}, "within"),
        ({"curvature": "a"}, "curvature"),
        ({"curvature": float("inf")}, "curvature"),
        ({"curvature": -1}, "curvature"),
        ({"curvature": 1.5}, "monotone"),
        ({"heteroscedasticity": float("nan")}, "heteroscedasticity"),
        ({"heteroscedasticity": -0.1}, "heteroscedasticity"),
        ({"graph": "random", "density": "a"}, "density"),
        ({"cycles": "across", "feedback": "a"}, "feedback"),
        ({"steps": "a"}, "steps"),
        ({"steps": True, "cycles": "within"}, "steps"),
    ],
)
def test_wrong_arguments_are_named(arguments, name):
    with pytest.raises(InputError, match=name):
        simulate.numeric(**arguments)


def test_steps_are_a_threshold_of_all_parents_at_once():
    world = simulate.numeric(3, n=20_000, seed=3, graph="dense", steps=True, heteroscedasticity=0, noise="gaussian")
    z, adjacency, mechanisms = world.latents.to_numpy(), world.adjacency.to_numpy(), world.mechanisms
    of_two = np.flatnonzero(adjacency.sum(1) == 2)
    assert len(of_two)
    assert np.allclose(z.std(0), 1, atol=0.05)
    for i in of_two:
        values = mechanisms.terms(z)[0][:, i]
        low, high = np.unique(values.round(9))
        inside = values > (low + high) / 2
        towards = z[:, adjacency[i] == 1] * np.sign(mechanisms.weight[i, adjacency[i] == 1])
        assert ((towards >= towards[inside].min(0)).all(1) == inside).all(), "one corner of the parents"
    assert not np.array_equal(z, simulate.numeric(3, n=20_000, seed=3, graph="dense").latents.to_numpy())


@pytest.mark.parametrize("seed", [9, 13, 18])
def test_parents_that_oppose_each_other_have_people_beyond_both_thresholds(seed):
    world = simulate.numeric(4, n=5_000, seed=seed, graph="dense", steps=True, noise="uniform")
    z, adjacency = world.latents.to_numpy(), world.adjacency.to_numpy()
    location = world.mechanisms.terms(z)[0][:, adjacency.any(1)]
    inside = location > (location.min(0) + location.max(0)) / 2
    assert (inside.mean(0) > 0.01).all() and (inside.mean(0) < 0.99).all()


def test_unknown_case_is_refused():
    with pytest.raises(InputError, match="1, 2 or 3"):
        simulate.case(4)


def test_a_linear_gaussian_rotation_leaves_the_undecidable_world_as_it_is():
    world = simulate.undecidable(3, 2, n=100_000, seed=2)
    z = world.latents.to_numpy()
    angle = 0.6
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = np.cov(z.T)
    carried = [rotation]
    for m in (1, 2):  # the rotation of the block before, seen through the signs of the links
        signs = np.diag(np.sign(np.diag(covariance[2 * m - 2 : 2 * m, 2 * m : 2 * m + 2])))
        carried.append(signs @ carried[-1] @ signs)
    rotated = np.column_stack([z[:, 2 * m : 2 * m + 2] @ carried[m] for m in range(3)])
    assert np.abs(np.cov(rotated.T) - covariance).max() < 0.02
    assert np.abs(np.corrcoef(z[:, 0], rotated[:, 0])[0, 1]) < 0.9
    assert np.abs(pd.DataFrame(z).kurt()).max() < 0.1
    for value in (1, "two"):
        with pytest.raises(InputError, match="n_latents"):
            simulate.undecidable(n_latents=value)


@pytest.mark.parametrize("noise", ["laplace", "gaussian", "uniform", "bimodal", "logistic", "sech"])
def test_noise_is_standardised(noise):
    eps = draw_noise(np.random.default_rng(0), noise, 100_000, 2)
    assert np.abs(eps.mean(0)).max() < 0.02
    assert np.abs(eps.var(0) - 1).max() < 0.04


@pytest.mark.parametrize(("noise", "kurtosis"), [("logistic", 1.2), ("sech", 2.0)])
def test_heavier_tails_have_the_kurtosis_of_their_distribution(noise, kurtosis):
    eps = draw_noise(np.random.default_rng(1), noise, 400_000, 1)
    assert abs(pd.Series(eps[:, 0]).kurt() - kurtosis) < 0.15


def test_random_graphs_have_the_share_of_links_that_is_asked_for():
    for density, links in [(1 / 3, 3), (5 / 9, 5), (7 / 9, 7), (1, 9)]:
        world = simulate.case(2, n=50, graph="random", density=density, nested=True)
        assert world.adjacency.loc["b.0":, :"a.2"].to_numpy().sum() == links == world.adjacency.to_numpy().sum()


def test_nested_latents_only_where_allowed():
    links = [simulate.numeric(n=50, seed=s, graph="random").adjacency.to_numpy()[2:, :2] for s in range(8)]
    assert all((block.sum(0) == 1).all() and (block.sum(1) == 1).all() for block in links)
    free = [simulate.numeric(n=50, seed=s, graph="random", nested=True).adjacency.to_numpy() for s in range(8)]
    assert any((a[2:, :2].sum(0) != 1).any() or (a[2:, :2].sum(1) != 1).any() for a in free)


def test_the_default_worlds_are_those_of_the_first_release():
    world = simulate.numeric(n=200, seed=0)
    assert hashlib.sha256(world.latents.round(9).to_numpy().tobytes()).hexdigest()[:16] == "05f86278cae93a4c"
    assert np.isclose(np.abs(world.cohort["b"].values).sum(dtype=float), 2322.2194688823656, rtol=1e-6)
    other = simulate.numeric(4, n=200, seed=3, graph="dense", within=0.3, noise="bimodal")
    assert np.isclose(np.abs(other.latents).to_numpy().sum(), 1293.63872225162, rtol=1e-12)
    assert [int(i) for i in np.flatnonzero(other.adjacency)] == [8, 16, 17, 24, 32, 35, 41, 42, 44, 48, 49, 59]
    case = simulate.case(3, n=200, seed=1)
    assert np.isclose(np.abs(case.cohort["d"].values).sum(dtype=float), 4424.889208267443, rtol=1e-6)


def test_straight_mixing_is_a_matrix_and_noise_in_every_column():
    world = simulate.numeric(n=4_000, seed=1, n_private=2, mixing="straight")
    assert world.settings["mixing"] == "straight"
    for modality in world.cohort.modalities.values():
        size = np.linalg.eigvalsh(np.corrcoef(modality.values.T))[::-1]
        assert size[3] > 0.3 and size[4] < 0.3  # two latents and two private variables, and noise of a sixth
    with pytest.raises(InputError, match="mixing"):
        simulate.numeric(n=100, mixing="bent")
