"""Looks: what latents look like is decoded, turned the way of the truth, and held against people."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, InputError, MultimodalCRL, simulate
from mmcrl.proof.looks import Looks, lowest_and_highest, rank_correlations, share_explained, share_in_common


def test_who_lacks_a_latent_is_neither_lowest_nor_highest():
    latent = pd.Series(np.arange(20.0)).where(lambda values: values >= 4)
    assert lowest_and_highest(np.arange(20.0), latent).tolist() == [4.5, 18.5]


@pytest.fixture(scope="module")
def fitted():
    world = simulate.sketches(300, seed=0)
    model = MultimodalCRL(seed=0, starts=1, steps=10, width=16).fit(world.cohort, progress=False)
    return world, model


def test_what_is_decoded_has_the_shape_and_the_units_of_the_measurements(fitted):
    world, model = fitted
    latents = model.transform(world.cohort)
    decoded = model.decode(latents[latents.columns[::-1]])
    assert list(decoded) == world.cohort.names and decoded["blood"].index.equals(world.cohort.ids)
    for name, modality in world.cohort.modalities.items():
        assert np.shape(decoded[name]) == modality.shape
    glucose = decoded["blood"]["glucose"]
    assert glucose.between(1, 30).all() and 3 < glucose.median() < 12 and glucose.std() > 0
    assert decoded["blood"]["statin"].between(0, 1).all(), "a probability"
    again = model.decode(latents)
    assert np.array_equal(again["eye"], decoded["eye"])
    assert np.abs(model.sample(400).columns["eye"].mean(0) - decoded["eye"].mean(0)).mean() < 0.05


def test_a_latent_that_is_not_there_decodes_to_nothing_and_others_are_refused(fitted):
    world, model = fitted
    some = model.transform(Cohort({"eye": world.cohort["eye"].take(range(5))}, learnable=False))
    decoded = model.decode(some)
    assert np.isnan(decoded["night"]).all() and np.isfinite(decoded["eye"]).all()
    for wrong in (some["eye"], some.to_numpy()):
        with pytest.raises(InputError, match="latents: expected a DataFrame with the columns"):
            model.decode(wrong)


def test_latents_are_turned_and_named_as_the_true_ones(fitted):
    world, model = fitted
    truth = world.latents
    estimate = truth.copy()
    estimate["eye", 0], estimate["eye", 1] = -truth["eye", 1], truth["eye", 0] ** 3
    looks = Looks.of(model, truth, estimate)
    assert looks.column["eye.0"] == ("eye", 1) and looks.sign["eye.1"] == -1 and looks.sign["eye.0"] == 1
    named = looks.named(estimate)
    assert rank_correlations(truth, named).to_numpy() == pytest.approx(np.ones(6))
    low, middle, high = looks.along("eye.1", [-2, 0, 2], "eye")
    columns = model.transform(world.cohort).columns
    alone = pd.DataFrame([[0.0] * 6, [0.0] * 6], columns=columns)
    alone.loc[1, ("eye", 0)] = -2.0
    assert np.stack([middle, high]) == pytest.approx(model.decode(alone)["eye"], abs=1e-5)
    assert np.abs(high - low).max() > 1e-3


def test_shares_are_those_of_the_variance():
    rng = np.random.default_rng(0)
    z, one, other = rng.normal(size=(3, 20_000))
    first, second = ((2 * z + noise)[:, None, None] * np.ones((1, 2, 3)) for noise in (one, other))
    assert share_explained(first, 2 * z[:, None, None] * np.ones((1, 2, 3))) == pytest.approx([0.8, 0.8], abs=0.01)
    assert share_in_common(first, second) == pytest.approx([0.8, 0.8], abs=0.01)
    first[::2, 0] = np.nan
    assert share_in_common(first, second) == pytest.approx([0.8, 0.8], abs=0.02)
    assert share_explained(first, first) == pytest.approx([1, 1])


def test_the_lowest_and_the_highest_tenth_are_averaged():
    latent = pd.Series(np.arange(50.0)[::-1])
    values = np.arange(50.0)[:, None]
    values[0] = np.nan
    assert lowest_and_highest(values, latent).tolist() == [[47.0], [2.5]]
