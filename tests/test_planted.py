"""Planted links: what was found, missed and made up, told by hand-made graphs; scores of single latents."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import InputError, simulate
from mmcrl.proof.planted import latent_scores, link_verdicts, links_of_truth

NAMES = ["a.0", "a.1", "b.0", "c.0"]


def truth(*links: tuple[str, str]) -> pd.DataFrame:
    matrix = pd.DataFrame(0, index=NAMES, columns=NAMES)
    for source, target in links:
        matrix.loc[target, source] = 1
    return matrix


def found(*rows: tuple[str, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["source", "target", "confidence"])
    scope = ["within" if s[0] == t[0] else "cross" for s, t in zip(table["source"], table["target"], strict=True)]
    return table.assign(evidence=table["confidence"] / 10, scope=scope, direction="directed", rests_on="tier")


def test_every_planted_link_has_a_verdict_under_its_true_name_and_false_ones_come_last():
    adjacency = truth(("a.0", "b.0"), ("a.1", "b.0"), ("b.0", "c.0"), ("a.0", "a.1"))
    matching = {"a.0": "a.1", "a.1": "a.0", "b.0": "b.0"}  # siblings in the other order; c was withheld
    links = found(("b.0", "a.1", 0.9), ("a.0", "b.0", 0.4), ("a.0", "a.1", 0.9))
    verdicts = link_verdicts(adjacency, links, matching)
    told = list(zip(verdicts["source"], verdicts["target"], verdicts["verdict"], strict=True))
    assert told == [("a.0", "b.0", "found"), ("a.1", "b.0", "missed"), ("b.0", "c.0", "not asked")]
    assert verdicts["evidence"].iloc[0] == pytest.approx(0.09) and np.isnan(verdicts["evidence"].iloc[2])
    assert link_verdicts(adjacency, links, matching, 0.3)["verdict"].tolist()[:2] == ["found", "found"]


def test_a_link_that_is_not_planted_is_false_once_and_within_a_modality_is_not_asked():
    matching = {name: name for name in NAMES}
    links = found(("c.0", "a.0", 0.8), ("a.0", "a.1", 0.9), ("a.1", "c.0", 0.49))
    verdicts = link_verdicts(truth(("a.0", "b.0")), links, matching)
    assert verdicts["verdict"].tolist() == ["missed", "false"]
    assert {verdicts["source"].iloc[1], verdicts["target"].iloc[1]} == {"a.0", "c.0"}


def test_a_confidence_beyond_1_is_refused():
    with pytest.raises(InputError, match="confidence"):
        link_verdicts(truth(), found(("a.0", "b.0", 0.5)), {}, 1.5)


def test_each_latent_is_scored_by_itself():
    rng = np.random.default_rng(0)
    columns = pd.MultiIndex.from_tuples([("a", 0), ("a", 1), ("b", 0)])
    true = pd.DataFrame(rng.normal(size=(600, 3)), columns=columns)
    estimate = pd.DataFrame({("a", 0): rng.normal(size=600), ("a", 1): -(true["a", 0] ** 3)})
    scores = latent_scores(true, estimate)
    assert list(scores.index) == ["a.0", "a.1"]  # nothing was estimated of b
    assert scores.loc["a.0", "rho"] == pytest.approx(1) and scores.loc["a.0", "r2"] > 0.95
    assert scores.loc["a.1", "rho"] < 0.15 and scores.loc["a.1", "r2"] < 0.1


def test_the_true_latents_show_a_strong_link_and_no_one_is_counted_without_the_modality():
    world = simulate.phenotype(400, seed=0, size=32, hours=0.5)
    links = links_of_truth(world.latents, world.cohort)
    same = {name: name for name in world.adjacency.index}
    verdicts = link_verdicts(world.adjacency, links, same).set_index(["source", "target"])["verdict"]
    assert verdicts["night.0", "oximetry.0"] == "found" and len(links) == 13 * 12 // 2
    alone = world.cohort.take(np.flatnonzero(world.cohort["oximetry"].measured)[:150])
    beside = world.latents.copy()
    beside.loc[~world.cohort["oximetry"].measured, ("oximetry", 0)] = 99.0  # of those who lack it: not looked at
    pd.testing.assert_frame_equal(links_of_truth(beside, world.cohort), links)
    assert not links_of_truth(world.latents, alone).equals(links)
