"""The sketches: what is planted can be seen, what is private is not, and nobody depends on how many are drawn."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from mmcrl import InputError, Modality, simulate
from mmcrl.simulate.sketches import CHANNELS, LATENTS, depicted

PEOPLE = 1_500


@pytest.fixture(scope="module")
def world():
    return simulate.sketches(PEOPLE, seed=3)


def rho(x, y):
    return spearmanr(x, y, nan_policy="omit").statistic


def test_each_two_modalities_have_one_link_and_latents_are_standardised(world):
    linked = {(s, t) for t in world.adjacency.index for s in world.adjacency.columns if world.adjacency.loc[t, s]}
    assert linked == {
        ("blood.0", "eye.0"),
        ("eye.1", "night.0"),
        ("blood.1", "night.1"),
    }
    assert [f"{name}.{i}" for name, i in world.latents.columns] == list(LATENTS)
    assert world.latents.mean().abs().max() < 0.1 and (world.latents.std() - 1).abs().max() < 0.1
    correlations = world.latents.corr(method="spearman").to_numpy()
    assert min(correlations[0, 2], correlations[3, 4], correlations[1, 5]) > 0.8 and abs(correlations[0, 1]) < 0.1
    z = world.latents.to_numpy()
    assert np.abs(world.mechanisms.solve(world.mechanisms.noise_of(z)) - z).max() < 1e-9


def test_each_latent_shows_where_it_should(world):
    z, eye, night = world.latents, world.cohort["eye"].values, world.cohort["night"].values
    blood = pd.DataFrame(world.cohort["blood"].values, columns=world.cohort["blood"].names)
    assert eye.min() >= 0 and eye.max() <= 1 and eye.dtype == np.float32
    corner = eye[:, :, 10:18, 10:18].mean((2, 3))
    assert rho(corner[:, 1] / corner[:, 0], z["eye", 1]) > 0.8  # yellow: more green for as much red
    dark = (eye[:, 1] < 0.75 * np.median(eye[:, 1, 6:22, 4:14], axis=(1, 2))[:, None, None])[:, 4:24, 3:18]
    assert rho(dark.mean((1, 2)), z["eye", 0]) > 0.8
    assert rho(blood["glucose"], z["blood", 0]) > 0.8 > 0.2 > abs(rho(blood["glucose"], z["blood", 1]))
    assert rho(blood["crp"], z["blood", 1]) > 0.8 and abs(rho(blood["haemoglobin"], z["blood", 0])) < 0.1
    assert set(np.unique(blood["statin"].dropna())) == {0, 1} and rho(blood["statin"], z["blood", 0]) > 0.4
    thirds = [np.nanmean(night[:, 0, part], axis=1) for part in (slice(0, 30), slice(90, 150))]
    assert rho(thirds[0] - thirds[1], z["night", 0]) > 0.6
    assert rho(np.nanmean(night[:, 1] > 5, axis=1), z["night", 1]) > 0.7
    assert night.shape[1] == len(CHANNELS)


def test_nights_have_gaps_and_ends_and_blood_lacks_cells(world):
    night, blood = (world.cohort[name].values for name in ("night", "blood"))
    assert 0.05 < np.isnan(night).mean() < 0.2 and not np.isnan(night).all((1, 2)).any()
    assert 0.1 < np.isnan(night[:, 0, -1]).mean() < 0.4
    assert 0.01 < np.isnan(blood).mean() < 0.05
    assert all(world.cohort[name].measured.all() for name in world.cohort.names)


def test_nobody_depends_on_how_many_there_are_and_the_seed_decides(world):
    fewer, other = simulate.sketches(120, seed=3), simulate.sketches(120, seed=4)
    assert fewer.latents.equals(world.latents.iloc[:120])
    for name in world.cohort.names:
        values = fewer.cohort[name].values
        assert np.array_equal(values, world.cohort[name].values[:120], equal_nan=True)
        assert not np.array_equal(values, other.cohort[name].values, equal_nan=True)


def test_what_is_private_is_drawn_by_the_seed_alone():
    z = np.zeros((20, 6))
    moved = z.copy()
    moved[:, 0] = 2
    one, other = depicted(z, 5), depicted(moved, 5)
    assert np.array_equal(one.eye, other.eye) and np.array_equal(one.night, other.night, equal_nan=True)
    assert (one.blood[:, 0] < other.blood[:, 0]).sum() >= 15
    assert one.eye.std(0).max() > 0.1, "people of the same latents differ"


def test_one_modality_is_replaced_and_the_people_stay(world):
    night = world.cohort["night"]
    emptied = world.replaced(
        "night", Modality(np.full_like(night.values, np.nan), "series", night.names, night.units)
    )
    assert emptied.ids.equals(world.cohort.ids) and not emptied["night"].measured.any()
    assert emptied["eye"] is world.cohort["eye"] and world.cohort["night"].measured.all()
    assert world.replaced("ear", night).names == [*world.cohort.names, "ear"]
    with pytest.raises(InputError):
        world.replaced("night", night.take(range(5)))


@pytest.mark.parametrize(("arguments", "name"), [({"n": 99}, "n:"), ({"n": 200.5}, "n:"), ({"seed": -1}, "seed")])
def test_wrong_arguments_are_named(arguments, name):
    with pytest.raises(InputError, match=name):
        simulate.sketches(**arguments)
