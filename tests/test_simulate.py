"""Worlds: what is promised of their graph, mechanisms and mixing."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import InputError, simulate


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", ["sparse", "dense", "chain", "paper"])
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
    ],
)
def test_wrong_arguments_are_named(arguments, name):
    with pytest.raises(InputError, match=name):
        simulate.numeric(**arguments)


def test_unknown_case_is_refused():
    with pytest.raises(InputError, match="1, 2 or 3"):
        simulate.case(4)
