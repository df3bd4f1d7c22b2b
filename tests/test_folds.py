"""Folds: latents of all people, from encoders that have not seen the person, in the terms of the model."""

import copy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, simulate
from mmcrl.densities import normal_scores
from mmcrl.folds import crossed, parts_of

QUICK = {"starts": 1, "steps": 20, "width": 16}


@pytest.fixture(scope="module")
def fitted():
    world = simulate.numeric(2, 2, 600, seed=3, n_columns=6)
    return world, MultimodalCRL(2, **QUICK).fit(world.cohort, progress=False)


@pytest.mark.parametrize(("n", "fraction", "folds"), [(100, 0.25, 4), (101, 0.2, 2), (97, 0.3, 5)])
def test_everybody_is_in_one_part_and_the_first_part_is_held_out(n, fraction, folds):
    cohort = Cohort.from_arrays({"a": np.arange(2.0 * n).reshape(n, 2)})
    _, held_out = cohort.split(fraction, seed=7)
    parts = parts_of(n, len(held_out), folds, seed=7)
    assert len(parts) == folds
    assert sorted(np.concatenate(parts)) == list(range(n))
    assert list(cohort.ids[parts[0]]) == list(held_out.ids)


def test_encoders_that_turn_their_codes_are_brought_back_and_see_nobody_of_their_part(fitted):
    world, model = fitted
    shows, seen = model._fitted, []

    def turned(views, *, train, held_out, seed, checkpoint):
        """The model's own encoders, each modality's codes turned by 30 degrees and swapped."""
        network, half = copy.deepcopy(shows.network), np.pi / 6
        turn = torch.tensor([[np.sin(half), np.cos(half)], [np.cos(half), -np.sin(half)]], dtype=torch.float32)
        for codec in network.codecs:
            codec.encode = lambda x, plain=codec.encode: (plain(x) - plain(x).mean(0)) @ turn
        people = shows.people(train)
        network.train()
        network.calibrate(people.features, people.seen)
        seen.append((set(train.ids), set(held_out.ids)))
        return [SimpleNamespace(network=network.eval(), held_out_loss=0.0)]

    latents, agreement = crossed(shows, world.cohort, 150, 4, 0, turned)
    assert agreement.min() > 0.9999
    ours = model.transform(world.cohort).to_numpy()
    for part in parts_of(600, 150, 4, 0):
        assert np.abs(latents[part] - normal_scores(ours[part])).mean() < 0.01
        # normal within every part, so that parts whose encoders found less do not stand out
        assert np.allclose(latents[part].std(0), normal_scores(ours[part]).std(0))
    assert len(seen) == 3
    for train, held_out in seen:
        assert not train & held_out
        assert train | held_out == set(world.cohort.ids)
    assert len(set.union(*(held_out for _, held_out in seen))) == 450


def test_people_who_were_not_measured_stay_unknown():
    world = simulate.numeric(2, 2, 600, seed=1, n_columns=6, missing=0.2)
    model = MultimodalCRL(2, folds=3, **QUICK).fit(world.cohort, progress=False)
    measured = np.column_stack([m.measured for m in world.cohort.modalities.values()])
    assert not measured.all()
    shows = model._fitted

    def again(views, *, train, held_out, seed, checkpoint):
        return [SimpleNamespace(network=shows.network, held_out_loss=0.0)]

    latents, _ = crossed(shows, world.cohort, 150, 3, 0, again)
    assert (np.isnan(latents) == np.repeat(~measured, 2, axis=1)).all()


def test_a_column_that_is_missing_hides_no_other_of_the_person():
    rng = np.random.default_rng(0)
    who, x = rng.normal(size=(600, 2)), rng.normal(size=(600, 3))
    who[::3, 1] = np.nan
    cohort = Cohort({"who": Modality(who, kind="observed"), "x": x, "y": x + rng.normal(size=(600, 3))})
    model = MultimodalCRL({"x": 1, "y": 1}, folds=3, **QUICK).fit(cohort, progress=False)

    def again(views, **_):
        return [SimpleNamespace(network=model._fitted.network, held_out_loss=0.0)]

    latents, agreement = crossed(model._fitted, cohort, 150, 3, 0, again)
    np.testing.assert_array_equal(np.isnan(latents[:, :2]), np.isnan(who))
    assert agreement[:2] == pytest.approx(1)


def test_with_folds_evidence_comes_from_everybody(fitted):
    world, alone = fitted
    model = MultimodalCRL(2, folds=4, **QUICK).fit(world.cohort, progress=False)
    assert (alone.report["tested_people"], model.report["tested_people"]) == (150, 600)
    assert len(model.report["fold_agreement"]) == 4
    # the model itself is the same: only what is known of its links changes
    pd.testing.assert_frame_equal(model.transform(world.cohort), alone.transform(world.cohort))
    assert model.links()["evidence_se"].median() < 0.75 * alone.links()["evidence_se"].median()


@pytest.mark.parametrize("seed", range(3))
def test_what_many_people_share_does_not_make_parts_a_link(seed):
    """In each part another share of people has a finding; its order must not stand in every finding alike."""
    rng = np.random.default_rng(seed)
    rare = {name: (rng.random((800, 1)) < share).astype(float) for name, share in (("a", 0.1), ("b", 0.15))}
    x = rng.normal(size=(800, 3))
    modalities = {name: Modality(values, kind="observed") for name, values in rare.items()}
    cohort = Cohort({**modalities, "c": Modality(x), "d": Modality(x + rng.normal(size=(800, 3)))})
    model = MultimodalCRL({"c": 1, "d": 1}, folds=4, **QUICK).fit(cohort, progress=False)
    pair = model.links().query("source in ('a.0', 'b.0') and target in ('a.0', 'b.0')").iloc[0]
    assert abs(pair["evidence"]) < 0.01 and pair["confidence"] < 0.3
    tested, _ = crossed(
        model._fitted,
        cohort,
        200,
        4,
        seed,
        lambda *_, **__: [SimpleNamespace(network=model._fitted.network, held_out_loss=0.0)],
    )
    assert [len(np.unique(column)) for column in tested[:, :2].T] == [2, 2]


def test_modalities_without_a_link_have_no_evidence_however_hard_encoders_learn_them_by_heart():
    world = simulate.numeric(2, 2, 800, seed=5, n_columns=20)
    nothing = world.cohort.shuffled(world.cohort.names[0], seed=1)
    model = MultimodalCRL(2, folds=4, starts=1, steps=150, weight_decay=0.0, patience=20).fit(nothing, progress=False)
    cross = model.links().query("scope == 'cross'")
    assert cross["confidence"].max() < 0.5
    assert abs(cross["evidence"]).max() < 0.02


def test_a_stopped_fit_goes_on_in_its_folds(tmp_path):
    world = simulate.numeric(2, 2, 400, seed=3, n_columns=6)
    first = MultimodalCRL(2, folds=2, **QUICK).fit(world.cohort, progress=False, checkpoint=tmp_path)
    assert (tmp_path / "fold-1" / "start-0.safetensors").is_file()
    again = MultimodalCRL(2, folds=2, **QUICK).fit(world.cohort, progress=False, checkpoint=tmp_path)
    pd.testing.assert_frame_equal(first.links(), again.links())


@pytest.mark.parametrize("folds", [0, 1.5, True])
def test_folds_are_a_whole_number(folds):
    with pytest.raises(InputError, match="folds"):
        MultimodalCRL(folds=folds)
