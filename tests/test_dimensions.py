"""Dimensions: the number of latents is what other modalities know of, not what a modality shows."""

import warnings

import numpy as np
import pytest
import torch

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, simulate
from mmcrl.dimensions import choose_latents, fewest
from mmcrl.plan import plan_blocks
from mmcrl.settings import Settings


def _losses(means, spread=0.05, n=1000, seed=0):
    return np.array(means)[:, None] + spread * np.random.default_rng(seed).normal(size=n)


def test_the_elbow_is_taken_not_the_minimum():
    assert fewest(_losses([5.49, 5.32, 5.319, 5.315])) == 2


def test_a_late_gain_is_not_given_up_for_an_early_plateau():
    assert fewest(_losses([5.0, 4.5, 4.48, 4.1])) == 4


def test_few_people_forgive_what_their_noise_could_be():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(2, 20))
    losses = np.stack([4.1 + noise[0], 4.0 + noise[1]])
    excess = losses[0] - losses[1]
    assert fewest(losses) == (1 if excess.mean() <= 2 * excess.std() / np.sqrt(20) else 2)
    assert fewest(np.stack([np.full(20, 4.1), np.full(20, 4.0)])) == 2


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_number_of_latents_is_found(k):
    world = simulate.numeric(2, k, n=6000, seed=k, n_columns=12, n_private=2)
    train, held_out = world.cohort.split(0.25, 0)
    blocks, settings = plan_blocks(world.cohort, 1), Settings(starts=1, steps=700)
    sizes, losses = choose_latents(blocks, train, held_out, settings, 0, torch.device("cpu"))
    assert sizes == {"a": k, "b": k}
    assert all(len(tried) == 5 for tried in losses.values())


def test_auto_fits_with_what_it_chose_and_keeps_the_losses():
    rng = np.random.default_rng(0)
    tables = simulate.numeric(2, 1, n=500, seed=0).cohort
    observed = Modality(rng.normal(size=(500, 2)), kind="observed", names=["age", "sex"])
    values = tables["a"].values.copy()
    values[:100] = np.nan
    cohort = Cohort({"people": observed, "a": Modality(values), "b": tables["b"]})
    model = MultimodalCRL("auto", starts=1, steps=20).fit(cohort, progress=False)
    sizes = model.transform(cohort).columns.get_level_values(0).value_counts()
    assert sizes["people"] == 2
    assert set(model.report["latents_tried"]) == {"a", "b"}
    assert all(1 <= sizes[name] <= 5 for name in "ab")


def test_another_word_than_auto_is_refused():
    with pytest.raises(InputError, match="n_latents"):
        MultimodalCRL("many").fit(simulate.case(1, n=300).cohort, progress=False)


def test_observed_columns_alone_need_no_search():
    values = np.random.default_rng(0).normal(size=(200, 4))
    cohort = Cohort({name: Modality(values[:, two], kind="observed") for name, two in (("a", [0, 1]), ("b", [2, 3]))})
    model = MultimodalCRL("auto", starts=1, steps=5).fit(cohort, progress=False)
    assert model.latent_names == ["a.0", "a.1", "b.0", "b.1"] and model.report["latents_tried"] == {}


def test_few_people_get_as_many_latents_as_they_can_afford(monkeypatch):
    monkeypatch.setattr("mmcrl.dimensions.fewest", lambda losses: len(losses))
    cohort = simulate.numeric(4, 2, n=200, seed=0).cohort
    model = MultimodalCRL("auto", starts=1, steps=5, width=8).fit(cohort, progress=False)
    assert len(model.latent_names) == 10, "twenty people a latent"


def test_the_largest_number_that_is_tried_is_told(monkeypatch):
    monkeypatch.setattr("mmcrl.dimensions.fewest", lambda losses: len(losses))
    rng = np.random.default_rng(0)
    cohort = Cohort({"blood": rng.normal(size=(500, 6)), "body": rng.normal(size=(500, 5))})
    model = MultimodalCRL("auto", starts=1, steps=5, width=8)
    with pytest.warns(UserWarning, match="n_latents: 5 chosen for blood, the most that auto tries: state a number"):
        model.fit(cohort, progress=False)
    assert len(model.latent_names) == 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MultimodalCRL("auto", starts=1, steps=5, width=8).fit(cohort.take(np.arange(180)), progress=False)


def test_a_column_that_varies_among_those_set_aside_alone_is_no_fault():
    cohort = simulate.case(1, n=400).cohort
    rare = np.zeros((400, 1))
    rare[np.flatnonzero(np.isin(cohort.ids, cohort.split(0.25, 0)[1].ids))[:3]] = 1
    both = Cohort({"a": np.hstack([cohort["a"].values, rare]), "b": cohort["b"]})
    MultimodalCRL("auto", starts=1, steps=5, width=8).fit(both, progress=False)
