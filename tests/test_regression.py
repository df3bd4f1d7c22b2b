"""The supervised ceiling of images: what pictures show is told, noise is not, and the seed decides."""

import numpy as np
import pytest
import torch
from rendered import world

from mmcrl import Cohort
from mmcrl.baselines import FastICABaseline, PCABaseline, SupervisedCeiling
from mmcrl.kinds.images import ImageCodec


@pytest.fixture(scope="module")
def people():
    return world(1_200, seed=3)


def test_ceiling_of_images_is_high_on_unseen_people_and_of_noise_is_none(people):
    cohort, truth = people
    noise = np.random.default_rng(0).normal(size=cohort["image"].values.shape).astype(np.float32)
    train, held = cohort.split(0.25)
    told = SupervisedCeiling(truth.loc[train.ids]).fit(train).transform(held)
    explained = 1 - ((truth.loc[held.ids] - told) ** 2).mean() / truth.loc[held.ids].var()
    assert explained["image"].min() > 0.9
    blind = Cohort({"image": noise, "table": cohort["table"].values})
    seen, unseen = blind.split(0.25)
    guessed = SupervisedCeiling(truth.loc[seen.ids]).fit(seen).transform(unseen)
    assert (1 - ((truth.loc[unseen.ids] - guessed) ** 2).mean() / truth.loc[unseen.ids].var())["image"].max() < 0.1


@pytest.mark.parametrize("method", [PCABaseline(2), FastICABaseline(2, seed=1)])
def test_linear_methods_take_images_as_rows(people, method):
    cohort, _ = people
    rows = Cohort({"image": cohort["image"].values.reshape(1_200, -1), "table": cohort["table"].values})
    found = type(method)(2, seed=method.seed).fit(cohort).transform(cohort)
    flat = type(method)(2, seed=method.seed).fit(rows).transform(rows)
    # FastICA takes a picture's principal components first, of rows it finds them itself: two roundings of float32
    np.testing.assert_allclose(found, flat, rtol=0, atol=1e-4)


def test_same_seed_same_bits(people):
    cohort, truth = people
    few = cohort.take(np.arange(200))
    one, again, other = (SupervisedCeiling(truth, seed).fit(few).transform(few)["image"] for seed in (0, 0, 1))
    assert one.equals(again) and not one.equals(other)


def test_what_augmentation_costs_is_left_out_of_the_ceiling(monkeypatch):
    cohort, truth = world(400, seed=5)
    train, held = cohort.split(0.25)

    def unexplained() -> float:
        told = SupervisedCeiling(truth.loc[train.ids]).fit(train).transform(held)
        return float((((truth.loc[held.ids] - told) ** 2).mean() / truth.loc[held.ids].var())["image"].max())

    usual = unexplained()
    monkeypatch.setattr(ImageCodec, "augment", lambda self, features, generator: torch.zeros_like(features))
    assert usual < 0.3 and unexplained() < 0.3
