"""Baselines: linear worlds are theirs, curved ones are not, and the ceiling is high."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, InputError, Modality, metrics, simulate
from mmcrl.baselines import Baseline, FastICABaseline, PCABaseline, SupervisedCeiling


@pytest.fixture(scope="module")
def linear() -> tuple[Cohort, pd.DataFrame]:
    """Independent Laplace latents behind noise-free linear mixings: ICA's home."""
    rng = np.random.default_rng(0)
    z = rng.laplace(size=(4000, 4))
    columns = pd.MultiIndex.from_product([["a", "b"], [0, 1]], names=["modality", "latent"])
    mixings = rng.normal(size=(2, 2, 6))
    cohort = Cohort({"a": z[:, :2] @ mixings[0], "b": z[:, 2:] @ mixings[1]})
    return cohort, pd.DataFrame(z, index=cohort.ids, columns=columns)


def test_ica_solves_a_linear_world_and_pca_only_finds_its_blocks(linear):
    cohort, truth = linear
    train, held = cohort.split(0.25)
    ica, pca = (method(2, seed=1).fit(train).transform(held) for method in (FastICABaseline, PCABaseline))
    assert metrics.mcc(truth, ica) > 0.99
    assert metrics.mcc(truth, pca) < 0.97
    assert metrics.r2(truth, pca) > 0.99


def test_pca_gives_uncorrelated_latents_of_unit_variance(linear):
    cohort, _ = linear
    found = PCABaseline({"a": 2, "b": 2}).fit(cohort).transform(cohort)
    for name in ("a", "b"):
        assert np.cov(found[name].T) == pytest.approx(np.eye(2), abs=1e-6)


def test_ceiling_is_high_on_unseen_people():
    world = simulate.case(1, n=10_000, seed=3)
    train, held = world.cohort.split(0.2, seed=0)
    found = SupervisedCeiling(world.latents.loc[train.ids]).fit(train).transform(held)
    truth = world.latents.loc[held.ids]
    assert float((1 - ((truth - found) ** 2).mean() / truth.var()).min()) > 0.98
    assert metrics.mcc(truth, found) > 0.98
    assert metrics.mcc(truth, FastICABaseline(2).fit(train).transform(held)) < metrics.mcc(truth, found)


def test_ceiling_needs_the_truth_of_everybody(linear):
    cohort, truth = linear
    with pytest.raises(InputError, match="everybody with a"):
        SupervisedCeiling(truth[1:]).fit(cohort)
    with pytest.raises(InputError, match="the truth of b"):
        SupervisedCeiling(truth[["a"]]).fit(cohort)


@pytest.mark.parametrize("method", [FastICABaseline(2, seed=4), PCABaseline(2)])
def test_people_missing_values_and_observed_columns(method: Baseline):
    rng = np.random.default_rng(2)
    table = rng.normal(size=(300, 5))
    table[:7], table[10, 1] = np.nan, np.nan
    cohort = Cohort(
        {
            "table": table,
            "other": rng.normal(size=(300, 3)),
            "age": Modality(rng.uniform(20, 80, size=(300, 1)), kind="observed"),
        },
        ids=[f"p{i}" for i in range(300)],
    )
    found = method.fit(cohort).transform(cohort)
    assert found.index.equals(cohort.ids)
    sizes = {"table": 2, "other": 2, "age": 1}
    assert list(found.columns) == [(name, i) for name, k in sizes.items() for i in range(k)]
    assert found["table"].isna().any(axis=1).tolist() == [True] * 7 + [False] * 293
    assert found.drop(columns="table").notna().all(axis=None)
    assert abs(np.corrcoef(found[("age", 0)], cohort["age"].values[:, 0])[0, 1]) == pytest.approx(1)


def test_an_observed_column_that_somebody_lacks_is_not_guessed():
    rng = np.random.default_rng(2)
    who = rng.normal(size=(300, 2))
    who[:4, 1] = np.nan
    cohort = Cohort({"table": rng.normal(size=(300, 5)), "who": Modality(who, kind="observed")})
    found = PCABaseline(2).fit(cohort).transform(cohort)
    np.testing.assert_array_equal(found["who"].isna(), np.isnan(who))


def test_missing_values_count_as_the_mean_of_training_people(linear):
    cohort, _ = linear
    fitted = PCABaseline(2).fit(cohort)
    holed, filled = (np.array(cohort["a"].values) for _ in range(2))
    holed[0, 2], filled[0, 2] = np.nan, cohort["a"].values[:, 2].mean()
    results = [fitted.transform(Cohort({"a": v, "b": cohort["b"]})) for v in (holed, filled)]
    pd.testing.assert_frame_equal(*results)


def test_same_seed_same_latents(linear):
    cohort, truth = linear
    few = cohort.take(np.arange(500))
    for make in (lambda: FastICABaseline(2, seed=5), lambda: SupervisedCeiling(truth, seed=5)):
        pd.testing.assert_frame_equal(*(make().fit(few).transform(few) for _ in range(2)))


def test_other_cohorts_and_unfitted_baselines_are_refused(linear):
    cohort, _ = linear
    with pytest.raises(InputError, match="call fit first"):
        PCABaseline(2).transform(cohort)
    fitted = PCABaseline(2).fit(cohort)
    with pytest.raises(InputError, match="columns that were fitted"):
        fitted.transform(Cohort({"a": cohort["a"].values[:, :3], "b": cohort["b"]}))
    with pytest.raises(InputError, match="n_latents"):
        PCABaseline(7).fit(cohort)


def test_modalities_in_another_order_are_not_mixed_up():
    cohort = simulate.case(1, n=300, seed=0).cohort
    turned = Cohort({name: cohort[name] for name in reversed(cohort.names)}, ids=cohort.ids)
    fitted = PCABaseline(2).fit(cohort)
    pd.testing.assert_frame_equal(fitted.transform(turned), fitted.transform(cohort))
    assert fitted.transform(cohort.without("a"))["a"].isna().all(axis=None)
