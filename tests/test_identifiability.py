"""Identifiability: the report says what is told apart, what is not, and why."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, profiles, simulate
from mmcrl.contrast import Contrast
from mmcrl.identifiability import decided, identifiability_table, weaker
from mmcrl.kinds import ObservedCodec, TableCodec
from mmcrl.plan import Block
from mmcrl.profiles import Margin, margins
from mmcrl.representation import Representation
from mmcrl.sharing import Copies


def _links(*pairs):
    rows = [(a, b, 1.0, "within" if a[0] == b[0] else "cross") for a, b in pairs]
    return pd.DataFrame(rows, columns=["source", "target", "confidence", "scope"])


BLOCKS = [
    Block("a", "table", ["x", "y", "z"], 2),
    Block("b", "table", ["u", "v", "w"], 2),
    Block("c", "observed", ["s"], 1),
]
SHOWN = Representation(BLOCKS, Contrast([TableCodec((3,), 2, 1), TableCodec((3,), 2, 1), ObservedCodec((1,), 1, 1)]))
CLEAR = [Margin(0, 1, 0.4, 0.02), Margin(2, 3, 0.3, 0.02)]


def _said(margins, *pairs):
    return identifiability_table(SHOWN, margins, _links(*pairs)).set_index("latent")


def test_latents_with_links_of_their_own_and_a_margin_are_components():
    said = _said(CLEAR, ("a.0", "b.0"), ("a.1", "b.1"))
    assert said["identified"].tolist() == ["component"] * 5
    assert said.loc["a.1", "margin"] == 0.4
    assert math.isnan(said.loc["c.0", "margin"])


def test_siblings_that_can_be_blended_at_no_cost_are_undecided():
    said = _said([Margin(0, 1, 0.03, 0.01), CLEAR[1]], ("a.0", "b.0"), ("a.1", "b.1"))
    assert said["identified"].tolist() == ["undecided", "undecided", "component", "component", "component"]
    assert "a.1" in said.loc["a.0", "reason"]


def test_a_margin_within_its_error_decides_nothing():
    assert not Margin(0, 1, 0.2, 0.15).telling
    assert decided([Margin(0, 1, 0.2, 0.15), Margin(2, 3, 0.2, 0.01)], 5) == [False, False, True, True, True]


def test_a_latent_without_a_link_to_another_modality_is_undecided():
    said = _said(CLEAR, ("a.0", "b.0"), ("a.0", "a.1"), ("a.0", "b.1"))
    assert said.loc["a.1", "identified"] == "undecided"
    assert "private" in said.loc["a.1", "reason"]


def test_a_latent_whose_links_are_all_a_siblings_is_known_up_to_its_block():
    said = _said(CLEAR, ("a.0", "b.0"), ("a.0", "b.1"), ("a.1", "b.1"))
    assert said["identified"].tolist() == ["component", "block", "block", "component", "component"]


def test_a_link_is_as_well_identified_as_its_weaker_end():
    links = _links(("a.0", "b.0"), ("a.0", "b.1"), ("a.1", "b.1"))
    assert weaker(links, identifiability_table(SHOWN, CLEAR, links)) == ["block", "component", "block"]


def test_a_shared_latent_is_told_apart_by_those_who_show_it():
    shown = Representation(BLOCKS, SHOWN.network, [Copies([0, 2], 0.99)])
    assert shown.names == ["shared.0", "a.0", "b.0", "c.0"]
    assert shown.siblings(0) == [1, 2] and shown.siblings(1) == [0] and shown.siblings(3) == []
    links = _links(("a.0", "c.0"), ("b.0", "c.0"))
    said = identifiability_table(shown, [Margin(0, 1, 0.4, 0.02), Margin(0, 2, 0.3, 0.02)], links)
    assert said["identified"].tolist() == ["component"] * 4
    blended = identifiability_table(shown, [Margin(0, 1, 0.01, 0.02), Margin(0, 2, 0.3, 0.02)], links)
    assert blended["identified"].tolist() == ["undecided", "undecided", "component", "component"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_undecidable_world_is_reported_undecided_and_a_sparse_one_is_not(seed):
    settings = {"starts": 1, "steps": 500}
    nobody = MultimodalCRL(2, seed, **settings).fit(simulate.undecidable(n=5000, seed=seed).cohort, progress=False)
    assert (nobody.identifiability()["identified"] == "undecided").all()
    assert (nobody.links()["identified"] == "undecided").all()
    sparse = MultimodalCRL(2, seed, **settings).fit(simulate.case(1, n=5000, seed=seed).cohort, progress=False)
    assert (sparse.identifiability()["identified"] == "component").all()
    assert sparse.identifiability()["margin"].min() > 2 * nobody.identifiability()["margin"].max()


def test_the_report_and_the_link_table_survive_saving(tmp_path):
    model = MultimodalCRL(2, starts=2, most_starts=None, steps=20).fit(simulate.case(1, n=600).cohort, progress=False)
    again = MultimodalCRL.load((model.save(tmp_path / "model"), tmp_path / "model")[1])
    pd.testing.assert_frame_equal(again.identifiability(), model.identifiability())
    pd.testing.assert_frame_equal(again.links(), model.links())
    with pytest.raises(InputError, match="chosen"):
        again.starts(simulate.case(1, n=600).cohort)


def test_every_start_gives_latents_and_the_chosen_one_is_among_them():
    cohort = simulate.case(1, n=600).cohort
    model = MultimodalCRL(2, starts=3, most_starts=None, steps=20).fit(cohort, progress=False)
    starts = model.starts(cohort)
    assert len(starts) == len(model.report["held_out_losses"]) == 3
    kept = starts[model.report["chosen_start"]]
    np.testing.assert_allclose(kept.abs(), model.transform(cohort).abs())
    assert kept.shape == (600, 4)


def test_a_cohort_of_observed_columns_alone_needs_no_margin():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 1))

    cohort = Cohort(
        {"a": Modality(x, kind="observed"), "b": Modality(x + rng.normal(size=(400, 1)), kind="observed")}
    )
    said = MultimodalCRL(starts=1, steps=20).fit(cohort, progress=False).identifiability()
    assert said["identified"].tolist() == ["component"] * 2
    assert said["margin"].isna().all()


# Many modalities


def test_a_critic_among_some_modalities_scores_them_as_the_whole_one_does():
    torch.manual_seed(0)
    whole = Contrast([TableCodec((3,), k, 8) for k in (2, 1, 3)])
    part = whole.among([0, 2])
    codes, measured = torch.randn(40, 6), torch.ones(40, 3, dtype=torch.bool)
    measured[:, 1] = False  # what the whole one does not see either
    apart = torch.tensor([0, 1, 3, 4, 5])
    loss, sizes = whole.loss(codes * whole.per_latent(measured), measured)
    alone, alike = part.loss(codes[:, apart], measured[:, [0, 2]])
    assert alone.item() == pytest.approx(loss.item(), rel=1e-6)
    torch.testing.assert_close(alike, sizes[apart][:, apart])
    part.pair.data.zero_()
    assert whole.pair.abs().min() > 0, "the whole one keeps its weights"


def test_a_profile_holds_what_is_linked_and_costs_the_same_however_many_modalities_there_are(monkeypatch):
    monkeypatch.setattr(profiles, "_STEPS", 2)
    made = simulate.numeric(10, 2, 1_500, seed=1, n_columns=8)
    model = MultimodalCRL(2, seed=0, starts=1, steps=150).fit(made.cohort, progress=False)
    held = []
    whole = profiles._profile
    monkeypatch.setattr(
        profiles, "_profile", lambda critic, *rest: held.append(len(critic.members)) or whole(critic, *rest)
    )
    shows = model._representation
    train, rest = (shows.people(part) for part in made.cohort.split(0.25, 0))
    found = margins(shows, train, rest, replace(model.settings, jobs=1), 0)
    assert len(found) == 10 and set(held) == {8}
    names = np.array([name.split(".")[0] for name in made.adjacency.index])
    linked = made.adjacency.to_numpy() + made.adjacency.to_numpy().T
    near = profiles._around(shows.network, profiles._coded(shows.network, rest), 0)
    own = made.cohort.names[0]
    partners = {str(name) for name in names[linked[names == own].any(0)]} - {own}
    assert partners <= {made.cohort.names[m] for m in near}
