"""Columns that only some sort of people have are told; gaps at random are not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from test_check_proposals import manifest, people, write

from mmcrl import Cohort, Modality, MultimodalCRL
from mmcrl.check import check_manifest
from mmcrl.gaps import tied_gaps

N = 600


def clinic(absent):
    rng = np.random.default_rng(1)
    who, body = rng.normal(size=(N, 2)), rng.normal(size=(N, 4))
    body[absent(who, rng), 2:] = np.nan
    return Cohort.from_arrays({"who": who, "body": body})


def test_gaps_of_one_sort_of_people_are_told_with_what_they_go_with():
    found = tied_gaps(clinic(lambda who, rng: who[:, 1] > 0.5))
    assert [(gap.column, gap.other, gap.more) for gap in found] == [("c2", "who.c1", True), ("c3", "who.c1", True)]
    assert all(gap.tie == 1.0 and gap.share == pytest.approx(0.31, abs=0.05) for gap in found)
    assert not tied_gaps(clinic(lambda who, rng: who[:, 1] < -0.5))[0].more


def test_the_tie_is_the_chance_that_one_without_has_more_than_one_with():
    noisy = clinic(lambda who, rng: who[:, 1] + 0.7 * rng.normal(size=N) > 0)
    gap, lacks, x = tied_gaps(noisy)[0], np.isnan(noisy["body"].values[:, 2]), noisy["who"].values[:, 1]
    assert gap.tie == pytest.approx((x[lacks][:, None] > x[~lacks]).mean())


def test_gaps_of_observed_columns_hide_nothing_that_is_guessed():
    tied = clinic(lambda who, rng: who[:, 1] > 0.5)
    observed = Cohort({"who": tied["who"], "body": Modality(tied["body"].values, kind="observed")})
    assert tied_gaps(tied) and not tied_gaps(observed)


def test_random_gaps_rare_gaps_and_absent_modalities_are_not_told():
    assert tied_gaps(clinic(lambda who, rng: rng.random(N) < 0.4)) == []
    assert tied_gaps(clinic(lambda who, rng: who[:, 1] > 2)) == []
    whole = clinic(lambda who, rng: who[:, 1] > 0.5)
    body = whole["body"].values.copy()
    body[np.isnan(body[:, 2])] = np.nan  # who lacks the modality lacks no column of it
    assert tied_gaps(Cohort.from_arrays({"who": whole["who"].values, "body": body})) == []


def test_fit_warns_and_a_modality_of_its_own_silences_it():
    one = clinic(lambda who, rng: who[:, 1] > 0.5)
    with pytest.warns(UserWarning, match="give it a modality of its own"):
        MultimodalCRL(1, starts=1, steps=2).fit(one, progress=False)
    body = one["body"].values
    split = Cohort.from_arrays({"who": one["who"].values, "body": body[:, :2], "scan": body[:, 2:]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MultimodalCRL(1, starts=1, steps=2).fit(split, progress=False)


def test_a_tie_without_a_clear_cut_makes_a_link_that_a_modality_of_its_own_does_not():
    """The reason for all this: nothing links the modalities but who was measured."""
    rng = np.random.default_rng(0)
    who, scan = rng.normal(size=4_000), np.exp(rng.normal(size=4_000))
    body = np.column_stack([rng.normal(size=4_000), np.where(who > 0, scan, np.nan)])
    evidence = []
    for modalities in ({"body": body}, {"body": body[:, :1], "scan": body[:, 1:]}):
        kinds = {"who": who[:, None], **modalities}
        model = MultimodalCRL({"who": 1, **{name: v.shape[1] for name, v in modalities.items()}}, starts=1, steps=150)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            links = model.fit(Cohort.from_arrays(kinds), progress=False).links()
        ends = links[["source", "target"]].apply(lambda end: end.str.startswith("who"))
        evidence.append(links.loc[ends.any(axis=1), "evidence"].max())
    assert evidence[0] > 0.05 > 0.005 > evidence[1]


def test_check_says_it_of_a_manifest(tmp_path):
    frame = people()
    frame.loc[frame["age"] < 50, "crp"] = np.nan
    report = check_manifest(write(tmp_path, manifest(), frame))
    assert "blood lack crp, mostly those low in who.age" in report.proposals
    frame = people()
    frame.loc[np.random.default_rng(0).random(len(frame)) < 0.4, "crp"] = pd.NA
    assert "mostly those" not in check_manifest(write(tmp_path, manifest(), frame)).proposals
