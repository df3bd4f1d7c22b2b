"""Worlds with cycles, shared latents and missing modalities, and what a world knows of its scores."""

import numpy as np
import pytest

from mmcrl import InputError, simulate
from mmcrl.simulate.feedback import spectral_radius

CYCLIC = [
    {"n_modalities": 3, "cycles": "within"},
    {"n_modalities": 3, "cycles": "across"},
    {"n_modalities": 2, "n_latents": 3, "cycles": "within", "within": 0.4},
    {"n_modalities": 4, "cycles": "across", "graph": "dense", "shared": 1, "shared_by": 3},
]


@pytest.mark.parametrize("settings", CYCLIC)
def test_cyclic_latents_are_the_only_fixed_point_of_their_equations(settings):
    world = simulate.numeric(n=500, seed=1, **settings)
    z = world.latents.to_numpy()
    eps = world.mechanisms.noise_of(z)
    assert np.abs(world.mechanisms.apply(z, eps) - z).max() < 1e-8
    assert np.abs(world.mechanisms.solve(eps) - z).max() < 1e-8
    other = np.random.default_rng(0).normal(size=z.shape) * 5
    for _ in range(300):
        other = world.mechanisms.apply(other, eps)
    assert np.abs(other - z).max() < 1e-8


@pytest.mark.parametrize("settings", CYCLIC)
@pytest.mark.parametrize("feedback", [0.2, 1.0])
def test_cyclic_equations_contract_by_construction(settings, feedback):
    world = simulate.numeric(n=20, seed=2, strength=0.95, feedback=feedback, **settings)
    bounds = world.mechanisms.slopes() * world.mechanisms.size / world.mechanisms.size[:, None]
    assert spectral_radius(bounds) <= 0.8 + 1e-6
    z, eps = np.random.default_rng(0).normal(size=(2, 400, len(bounds))) * 2
    moved = z + np.random.default_rng(1).normal(size=z.shape)
    steady = (world.mechanisms.forward.spread == 0).all(1)  # equations whose scale no latent moves
    change = np.abs(world.mechanisms.apply(moved, eps) - world.mechanisms.apply(z, eps))
    assert (change <= np.abs(moved - z) @ bounds.T + 1e-9)[:, steady].all()


@pytest.mark.parametrize("settings", CYCLIC)
def test_the_noise_that_is_recovered_is_independent(settings):
    world = simulate.numeric(n=20_000, seed=3, **settings)
    eps = world.mechanisms.noise_of(world.latents.to_numpy())
    both = np.corrcoef(np.column_stack([eps, np.abs(eps)]).T)
    assert np.abs(both - np.eye(len(both))).max() < 0.05
    assert np.abs(eps.std(0) - 1).max() < 0.05
    assert (world.latents.std() - 1).abs().max() < 0.06


def test_links_of_a_cycle_act_in_both_directions():
    world = simulate.numeric(2, 2, n=400, seed=0, cycles="across")
    adjacency = world.adjacency.to_numpy()
    (a, b), *_ = np.argwhere((adjacency == 1) & (adjacency.T == 1))
    assert a // 2 != b // 2
    eps = world.mechanisms.noise_of(world.latents.to_numpy())
    for cause, effect in ((a, b), (b, a)):
        pushed = eps.copy()
        pushed[:, cause] += 1
        effects = np.abs(world.mechanisms.solve(pushed) - world.mechanisms.solve(eps)).mean(0)
        assert effects[effect] > 0.05
    unrelated = ~np.isin(np.arange(4), [a, b])
    assert effects[unrelated].max() < 1e-8


def test_cycles_within_are_rings_that_leave_siblings_distinct():
    world = simulate.numeric(2, 3, n=10_000, seed=1, cycles="within")
    for name in ("a", "b"):
        block = world.adjacency.filter(like=name, axis=0).filter(like=name).to_numpy()
        assert (block == np.roll(np.eye(3, dtype=int), 1, axis=0)).all()
        correlation = world.latents[name].corr().to_numpy() - np.eye(3)
        assert np.abs(correlation).max() < 0.75


def test_shared_latents_are_mixed_into_their_viewers_only():
    world = simulate.numeric(3, 2, n=4000, seed=0, shared=2, shared_by=2, graph="chain")
    assert list(world.latents["shared"].columns) == [0, 1]
    assert world.adjacency.filter(like="shared", axis=0).to_numpy().sum() == 0
    caused = world.adjacency.filter(like="shared").to_numpy()
    assert (caused.sum(0) == 1).all() and caused.sum(1).max() == 1
    assert len(world.viewers) == 2 and "shared" not in world.n_latents
    for name in world.cohort.names:
        known = np.column_stack([np.ones(4000), world.latents.drop(columns="shared", level=0).to_numpy()])
        shared, values = world.latents["shared"].to_numpy(), world.cohort[name].values.astype(float)
        seen = [t - known @ np.linalg.lstsq(known, t, rcond=None)[0] for t in (shared, values)]
        explained = np.linalg.lstsq(seen[0], seen[1], rcond=None)[0]
        share = ((seen[0] @ explained) ** 2).sum() / (seen[1] ** 2).sum()
        assert (share > 0.1) == (name in world.viewers)


def test_missing_modalities_have_their_share_and_nobody_misses_all():
    whole, holed = (simulate.numeric(3, n=2000, seed=4, missing=share) for share in (0.0, 0.4))
    measured = np.column_stack([holed.cohort[name].measured for name in holed.cohort.names])
    assert (~measured).sum() == round(0.4 * 6000)
    assert measured.any(1).all()
    assert np.abs((~measured).mean(0) - 0.4).max() < 0.04
    assert np.abs(np.corrcoef(measured.T.astype(float), holed.latents.T)[:3, 3:]).max() < 0.09
    for name in holed.cohort.names:
        rows = holed.cohort[name].measured
        assert (holed.cohort[name].values[rows] == whole.cohort[name].values[rows]).all()
        assert np.isnan(holed.cohort[name].values[~rows]).all()
    assert holed.latents.equals(whole.latents)


def test_a_world_knows_its_floor_and_its_ceiling():
    world = simulate.numeric(2, n=1200, seed=0, shared=2, missing=0.1)
    _, held_out = world.cohort.split(0.3)
    ceiling, floor = world.ceiling(held_out), world.floor()
    assert ceiling["mcc"] > floor["mean"] == ceiling["floor_mean"]
    assert ceiling["r2"] > 0.8
    with pytest.raises(InputError, match="held_out"):
        world.ceiling(world.cohort)
