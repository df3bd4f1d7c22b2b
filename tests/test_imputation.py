"""Imputation: latents that were not measured, expected from those that were."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, metrics, simulate
from mmcrl.densities import features
from mmcrl.imputation import Imputation


@pytest.fixture(scope="module")
def fitted():
    """Case 3; of 500 people held out, modality b was hidden from half and everything from three."""
    world = simulate.case(3, n=3_000, seed=1, missing=0.2)
    train, held = world.cohort.split(1 / 6, seed=0)
    arrays = {name: held[name].values.copy() for name in held.names}
    arrays["b"][:250] = np.nan
    for values in arrays.values():
        values[:3] = np.nan
    model = MultimodalCRL(2, seed=0, starts=1, steps=200, width=32).fit(train, progress=False)
    hidden = {name: Modality(values, names=held[name].names) for name, values in arrays.items()}
    return world, Cohort(hidden, ids=held.ids), model


def test_imputed_latents_correlate_with_the_truth_and_measured_ones_are_unchanged(fitted):
    world, held, model = fitted
    plain, filled = model.transform(held), model.transform(held, impute=True)
    absent = plain.isna()
    assert filled.where(~absent).equals(plain) and filled.columns.equals(plain.columns)
    assert absent["b"].iloc[:250].all(axis=None) and filled.iloc[:3].isna().all(axis=None)
    assert filled.iloc[3:].notna().all(axis=None)
    truths = world.latents.loc[held.ids]
    ideal = pd.DataFrame(Imputation.fit(world.latents.to_numpy()).fill(truths.mask(absent.to_numpy()).to_numpy()))
    ideal = ideal.set_axis(truths.index).set_axis(truths.columns, axis=1)  # as the true latents would be filled in
    matched = metrics.match(truths, plain)
    for true in ("b.0", "b.1"):
        column = ("b", int(matched[true].split(".")[1]))
        truth, best = (table["b", int(true.split(".")[1])] for table in (truths, ideal))
        found = abs(filled[column].iloc[3:250].corr(truth.iloc[3:250]))
        assert found > 0.6 and found > abs(best.iloc[3:250].corr(truth.iloc[3:250])) - 0.1
        assert abs(plain[column].corr(truth)) > found


def test_it_is_a_ridge_regression_on_cubic_features():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 3))
    z[:, 2] = z[:, 0] ** 2 - z[:, 1] + 0.1 * rng.normal(size=500)
    told = features(z[:, :2]).reshape(500, -1)
    centred, y = told - told.mean(0), z[:, 2] - z[:, 2].mean()
    model = Imputation.fit(z)
    weights = np.linalg.solve(centred.T @ centred / 500 + model.ridge * np.eye(6), centred.T @ y / 500)
    probe = np.column_stack([z[:5, :2], np.full(5, np.nan)])
    assert model.fill(probe)[:, 2] == pytest.approx(z[:, 2].mean() + centred[:5] @ weights)
    assert model.ridge == pytest.approx(9 / 500)
    guessed = model.fill(np.column_stack([z[:, :2], np.full(500, np.nan)]))[:, 2]
    assert np.corrcoef(guessed, z[:, 2])[0, 1] > 0.95 and guessed.std() < z[:, 2].std()


def test_people_missing_at_random_change_the_regression_little():
    rng = np.random.default_rng(1)
    z = rng.normal(size=(20_000, 2)) @ [[1.0, 0.8], [0.0, 0.6]]
    gaps = z.copy()
    gaps[rng.random(z.shape) < 0.3] = np.nan
    probe = np.array([[1.0, np.nan], [np.nan, -1.0]])
    assert Imputation.fit(gaps).fill(probe) == pytest.approx(Imputation.fit(z).fill(probe), abs=0.05)
    assert Imputation.fit(z).fill(probe) == pytest.approx(np.array([[1.0, 0.8], [-0.8, -1.0]]), abs=0.05)


def test_two_latents_that_nobody_has_both_of_tell_nothing_of_each_other():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(1_000, 3))
    z[:, 2] = z[:, 1]
    z[:500, 0], z[500:, 1] = np.nan, np.nan
    filled = Imputation.fit(z).fill(np.array([[2.0, np.nan, np.nan], [np.nan, 2.0, np.nan]]))
    assert abs(filled[0, 1]) < 0.2 and filled[1, 2] > 1.5


def test_a_loaded_model_imputes_the_same_and_keeps_no_row(fitted, tmp_path):
    _, held, model = fitted
    model.save(tmp_path / "model")
    loaded = MultimodalCRL.load(tmp_path / "model")
    assert loaded.transform(held, impute=True).equals(model.transform(held, impute=True))
    assert loaded._imputation.covariance.shape == (24, 24)
    loaded._imputation = None  # as of a model that an earlier version saved
    with pytest.raises(InputError, match="impute: expected False"):
        loaded.transform(held, impute=True)
