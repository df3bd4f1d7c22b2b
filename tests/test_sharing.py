"""Sharing: latents that several modalities show are found, tied, and stand as a modality of their own."""

import numpy as np
import pandas as pd
import pytest
import torch

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, metrics, simulate
from mmcrl.contrast import Contrast
from mmcrl.kinds import TableCodec
from mmcrl.sharing import Copies, copies_of

QUICK = {"starts": 1, "steps": 20, "width": 16}


@pytest.fixture(scope="module")
def recovered():
    """Two of three modalities show a latent that is a cause in the third; 1,000 people whom fit has not seen."""
    world = simulate.numeric(3, 2, n=6000, seed=3, n_columns=12, shared=1, shared_by=2)
    train, held = world.cohort.split(1 / 6, seed=0)
    model = MultimodalCRL(2, seed=0, n_shared=1, starts=1, steps=600).fit(train, progress=False)
    return world, held, model


def test_copies_are_codes_that_agree_whatever_their_sign():
    rng = np.random.default_rng(0)
    s, t, cause = rng.normal(size=(3, 500))
    effect = 0.9 * cause + np.sqrt(1 - 0.9**2) * rng.normal(size=500)
    codes = np.column_stack([s, cause, effect, -(s**3), t, t + 0.05 * rng.normal(size=500), s + 0.1 * t])
    found = copies_of(codes, [0, 0, 1, 1, 1, 2, 2], 5)
    assert [latent.codes for latent in found] == [[4, 5], [0, 3, 6]]
    assert found[0].agreement > found[1].agreement > 0.95
    assert [latent.codes for latent in copies_of(codes, [0, 0, 1, 1, 1, 2, 2], 1)] == [[4, 5]]


def test_copies_are_compared_over_the_people_who_have_both():
    s = np.random.default_rng(1).normal(size=400)
    codes = np.column_stack([np.where(np.arange(400) < 300, s, np.nan), np.where(np.arange(400) > 100, s, np.nan)])
    assert copies_of(codes, [0, 1], 1) == [Copies([0, 1], 1.0)]
    assert copies_of(codes, [0, 0], 1) == []


def test_tied_codes_are_scored_by_their_distance_and_not_penalised():
    torch.manual_seed(0)
    network = Contrast([TableCodec((4,), 2, 8) for _ in range(3)], tied=[[0, 2, 5]]).double()
    z, measured = torch.randn(30, 6, dtype=torch.float64), torch.ones(30, 3, dtype=torch.bool)
    measured[:10, 2] = False
    z = z * network.per_latent(measured).double()
    weights, tau = network.pair_weights(), network.log_tau.exp()[0]
    assert (weights[[0, 0, 2], [2, 5, 5]] == 0).all() and (weights[0, 3] != 0).any()
    phi = network.phi(z) * network.per_latent(measured)[..., None]
    expected = 0.0
    for m, i in enumerate((0, 2, 5)):
        rows = torch.nonzero(measured[:, m])[:, 0]
        scores = network.psi[m](z[rows][:, network.members[m]]).T.repeat(len(rows), 1)
        for mine in network.members[m].tolist():
            scores = scores + torch.einsum("bs,jst,ajt->ab", phi[rows, mine], weights[mine], phi[rows])
        for n, j in enumerate((0, 2, 5)):
            if n != m:
                apart = (z[rows, i][None] - z[rows, j][:, None]) ** 2
                scores = scores - tau * apart * measured[rows, n][:, None]
        expected += (scores.logsumexp(1) - scores.diagonal()).mean()
    loss, sizes = network.loss(z, measured)
    assert torch.allclose(loss, expected)
    assert (sizes[[0, 0, 2], [2, 5, 5]] == 0).all()


def test_what_tied_codes_are_taught_counts_up_to_its_sign_where_it_is_known():
    network = Contrast([TableCodec((4,), 1, 8) for _ in range(2)], tied=[[0, 1]])
    value = torch.tensor([1.0, -2.0, 0.5, torch.nan])
    z, measured = torch.stack([-value, -value], 1).nan_to_num(7.0), torch.ones(4, 2, dtype=torch.bool)
    assert network.distance_from(value[:, None], z, measured) == 0
    z[0, 0] += 1.0
    assert network.distance_from(value[:, None], z, measured) == pytest.approx(1 / 6)
    measured[0, 0] = False
    assert network.distance_from(value[:, None], z, measured) == 0


def test_a_shared_latent_is_found_with_its_viewers(recovered):
    world, held, model = recovered
    estimate, truth = model.transform(held), world.latents.loc[held.ids]
    assert list(estimate.columns) == list(truth.columns)
    assert metrics.mcc(truth, estimate) > 0.9  # its viewers' other causes of its effect are found blended with it
    assert abs(estimate["shared"].corrwith(truth["shared"], method="spearman")[0]) > 0.97
    (told,) = model.report["shared"]
    assert told["shown_by"] == world.viewers and told["agreement"] > 0.95
    linked = model.graph().to_undirected()["shared.0"]
    assert any(name.startswith("c.") for name in linked), "its effect, in the modality that does not show it"
    assert model.identifiability().set_index("latent").loc["shared.0", "identified"] == "component"


def test_a_shared_latent_is_read_from_whichever_modality_was_measured(recovered):
    world, held, model = recovered
    first, second = world.viewers

    def without(*names: str) -> pd.DataFrame:
        values = {name: m.values.copy() for name, m in held.modalities.items()}
        for name in names:
            values[name][10:] = np.nan
        holed = Cohort({n: Modality(v, names=held[n].names) for n, v in values.items()}, ids=held.ids)
        return model.transform(holed).iloc[10:]

    alone = without(first)
    assert alone[first].isna().all().all() and alone["shared"].notna().all().all()
    assert alone["shared"].corrwith(model.transform(held)["shared"].iloc[10:])[0] > 0.97
    assert without(first, second)["shared"].isna().all().all()


def test_every_viewer_shows_the_shared_latent_and_acting_on_it_moves_them(recovered):
    world, held, model = recovered
    loadings = model.loadings(held)
    assert set(loadings.loc[loadings["latent"] == "shared.0", "modality"]) == set(world.viewers)
    low, high = (model.intervene({"shared.0": v}, n=500, allow_undirected=True).columns for v in (-1.0, 1.0))
    moved = {name: float((high[name] - low[name]).abs().mean().mean()) for name in held.names}
    assert all(moved[name] > 0.05 for name in world.viewers)


def test_a_model_with_shared_latents_is_saved_and_loaded(recovered, tmp_path):
    _, held, model = recovered
    model.save(tmp_path / "model")
    loaded = MultimodalCRL.load(tmp_path / "model")
    assert loaded.n_shared == 1
    pd.testing.assert_frame_equal(loaded.transform(held), model.transform(held))
    pd.testing.assert_frame_equal(loaded.loadings(held), model.loadings(held))


def test_an_interrupted_fit_with_shared_latents_goes_on(tmp_path):
    world = simulate.numeric(2, 1, n=600, seed=0, n_columns=6, shared=1)
    fits = [
        MultimodalCRL(1, n_shared=1, starts=1, steps=200, width=32).fit(
            world.cohort, progress=False, checkpoint=folder
        )
        for folder in (None, tmp_path / "kept", tmp_path / "kept")
    ]
    assert {p.name for p in (tmp_path / "kept").iterdir() if p.is_dir()} == {"search", "tied"}
    for other in fits[1:]:
        pd.testing.assert_frame_equal(other.transform(world.cohort), fits[0].transform(world.cohort))


def test_where_nothing_is_shared_it_is_said_and_the_fit_is_the_ordinary_one():
    world = simulate.case(1, n=600, seed=0)
    with pytest.warns(UserWarning, match="1 asked for, 0 found"):
        model = MultimodalCRL(2, n_shared=1, **QUICK).fit(world.cohort, progress=False)
    ordinary = MultimodalCRL(2, **QUICK).fit(world.cohort, progress=False)
    pd.testing.assert_frame_equal(model.transform(world.cohort), ordinary.transform(world.cohort))
    assert model.report["shared"] == []


@pytest.mark.parametrize("n_shared", [-1, 1.5, True])
def test_a_wrong_number_of_shared_latents_is_refused(n_shared):
    with pytest.raises(InputError, match="n_shared"):
        MultimodalCRL(2, n_shared=n_shared)


def test_the_name_of_the_shared_latents_is_theirs():
    world = simulate.case(1, n=200, seed=0)
    cohort = Cohort({"shared": world.cohort["a"], "b": world.cohort["b"]})
    with pytest.raises(InputError, match="named shared"):
        MultimodalCRL(2, n_shared=1, **QUICK).fit(cohort, progress=False)
