"""Views: a picture's tone is read apart from its layout, and contrasted for itself."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from mmcrl import InputError, MultimodalCRL, metrics, simulate
from mmcrl.contrast import Contrast
from mmcrl.identifiability import identifiability_table
from mmcrl.kinds import ImageCodec, TableCodec, TonedCodec
from mmcrl.plan import Block
from mmcrl.profiles import _Mixed
from mmcrl.representation import Representation
from mmcrl.views import Views

SHAPE = (3, 9, 10)


@pytest.fixture
def codec():
    torch.manual_seed(0)
    return TonedCodec(SHAPE, 3, 16)


@pytest.fixture
def pictures():
    return torch.randn(6, *SHAPE, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Contrast([TonedCodec(SHAPE, 2, 16), TableCodec((4,), 2, 16)])


# Tone


def test_the_tone_does_not_know_where_anything_is(codec, pictures):
    order = torch.randperm(90, generator=torch.Generator().manual_seed(2))
    scrambled = pictures.flatten(2)[:, :, order].reshape(pictures.shape)
    before, after = codec.encode(pictures), codec.encode(scrambled)
    assert codec.views == [2, 1]
    assert torch.allclose(before[:, 2:], after[:, 2:], atol=1e-5)
    assert ((before - after)[:, :2].abs() > 1e-3).all()


def test_the_tone_is_told_by_means_and_covariances_of_what_is_there(codec, pictures):
    pictures = 2 + pictures
    pictures[:, :, 2:5, 3:] = torch.nan
    pictures[3, 1] = torch.nan
    told = codec._moments(pictures).numpy()
    for picture, moments in zip(pictures.flatten(2).numpy(), told, strict=True):
        known = ~np.isnan(picture)
        channels = [c for c in range(3) if known[c].any()]
        there = picture[np.ix_(channels, np.flatnonzero(known[0]))]
        expected = np.zeros((3, 3))
        expected[np.ix_(channels, channels)] = np.cov(there, bias=True)
        covariance = expected[np.triu_indices(3)]
        signs = np.sign(covariance)
        assert moments[:3] == pytest.approx(np.nan_to_num(np.where(known, picture, 0).sum(1) / known.sum(1).clip(1)))
        assert moments[3:] == pytest.approx(signs * np.sqrt(np.abs(covariance) + 1e-4), abs=1e-5)


def test_noise_blurs_the_layout_and_leaves_the_tone(codec, pictures):
    noisy = codec.augment(pictures, torch.Generator().manual_seed(0))
    plain, shaken = codec.encode(pictures), codec.encode(noisy)
    assert torch.equal(plain[:, 2:], shaken[:, 2:])
    assert ((plain - shaken)[:, :2].abs().max(0).values > 1e-3).all()


def test_two_views_need_two_latents_and_a_number_of_them():
    assert ImageCodec(SHAPE, 3, 16).views == [3] and TableCodec((4,), 2, 16).views == [2]
    cohort = simulate.variant_mnist(100, 0, "digits", size=8).cohort
    for options, refused in (
        ({"n_latents": {"digit": 1}}, "n_latents: expected at least 2 for digit"),
        ({"n_latents": "auto"}, "n_latents: expected not with kind image-toned"),
        ({"n_shared": 1}, "n_shared: expected not with kind image-toned"),
    ):
        with pytest.raises(InputError, match=refused):
            MultimodalCRL(steps=2, starts=1, **options).fit(cohort, progress=False)


# Views


def test_a_further_view_is_contrasted_with_the_other_modalities_alone(network):
    latents = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    views = network.views
    assert [(m, index.tolist()) for m, index in views.codes] == [(0, [0]), (0, [1]), (1, [2, 3])]
    context = latents * torch.tensor([0.0, 0.0, 1.0, 1.0])
    scores = views.others[0](context) @ views.own[0](latents[:, [1]]).T
    expected = F.cross_entropy(scores, torch.arange(30))
    assert views.loss(latents, torch.ones(30, 4)).item() == pytest.approx(expected.item(), abs=1e-6)


def test_the_gradient_of_a_further_view_reaches_its_own_codes_alone(network):
    latents = torch.randn(30, 4, requires_grad=True)
    network.views.loss(latents, torch.ones(30, 4)).backward()
    moved = latents.grad.abs().sum(0)
    assert moved[1] > 0 and moved[[0, 2, 3]].sum() == 0


def test_who_lacks_the_picture_adds_nothing_to_its_views(network):
    latents, measured = torch.randn(30, 4), torch.ones(30, 4)
    measured[20:, :2] = 0
    few = network.views.loss(latents[:20], measured[:20])
    assert network.views.loss(latents, measured).item() == pytest.approx(few.item(), abs=1e-6)
    measured[:, :2] = 0
    assert network.views.loss(latents, measured).item() == 0


def test_kinds_of_one_view_have_no_further_critic():
    plain = Views([ImageCodec(SHAPE, 2, 8), TableCodec((4,), 2, 8)], 8)
    assert not list(plain.parameters()) and plain.loss(torch.randn(9, 4), torch.ones(9, 4)).item() == 0


def test_codes_of_different_views_are_not_blended(network):
    mixed = _Mixed(network.views.codes, None, None)
    assert [tuple(mixing.shape) for mixing in mixed.mixings] == [(1, 1), (1, 1), (2, 2)]


def test_noise_on_codes_is_of_the_kinds_that_ask_for_it(network):
    latents, draw = torch.zeros(4_000, 4), torch.Generator().manual_seed(0)
    measured = torch.ones(4_000, 2)
    measured[3_000:, 0] = 0
    blurred = network.blurred(latents, measured, 0.5, draw)
    assert blurred[:3_000, :2].std(0).numpy() == pytest.approx([0.5, 0.5], abs=0.02)
    assert (blurred[:, 2:] == 0).all() and (blurred[3_000:] == 0).all()
    assert torch.equal(blurred, network.blurred(latents, measured, 0.5, torch.Generator().manual_seed(0)))


def test_a_critic_among_some_modalities_scores_their_views_as_the_whole_one_does():
    torch.manual_seed(0)
    whole = Contrast([TableCodec((3,), 1, 8), TonedCodec(SHAPE, 2, 16), TableCodec((4,), 2, 16)])
    latents, measured = torch.randn(30, 5), torch.ones(30, 5)
    latents[:, 0] = 0
    part = whole.among([1, 2])
    assert part.views.loss(latents[:, 1:], measured[:, 1:]).item() == pytest.approx(
        whole.views.loss(latents, measured).item(), abs=1e-5
    )


# What is said of them


def test_a_tone_linked_to_a_layout_that_is_linked_across_is_identified(network):
    blocks = [
        Block("eye", "image-toned", ["red", "green", "blue"], 2, list(SHAPE)),
        Block("body", "table", ["a", "b", "c", "d"], 2),
    ]
    shows = Representation(blocks, network)
    assert shows.siblings(0) == [1] and shows.siblings(1) == [] and shows.siblings(2) == [3]

    def said(*pairs):
        rows = [(s, t, 1.0, "within" if s.split(".")[0] == t.split(".")[0] else "cross") for s, t in pairs]
        links = pd.DataFrame(rows, columns=["source", "target", "confidence", "scope"])
        return identifiability_table(shows, [], links).set_index("latent")["identified"]

    assert (said(("eye.0", "body.0"), ("eye.0", "eye.1"))[["eye.0", "eye.1"]] == "component").all()
    assert said(("eye.0", "eye.1"))["eye.1"] == "undecided"
    assert said(("eye.1", "body.0"), ("eye.0", "eye.1"))["eye.0"] == "undecided"
    assert said(("eye.0", "body.0"), ("eye.1", "body.0"), ("eye.0", "eye.1"))["eye.0"] == "block"
    assert said(("body.0", "eye.0"), ("body.0", "body.1"))["body.1"] == "undecided"


def test_position_and_tone_of_two_pictures_are_found_and_linked_as_planted():
    world = simulate.variant_mnist(2_000, 1, "digits", size=12)
    train, unseen = world.cohort.split(0.25, 0)
    model = MultimodalCRL(seed=0, starts=1, steps=300).fit(train, progress=False)
    truth, estimate = world.latents.loc[unseen.ids], model.transform(unseen)
    matching = metrics.match(truth, estimate)
    assert metrics.mcc(truth, estimate) > 0.95 and metrics.r2(truth, estimate) > 0.92
    found = metrics.align(model.adjacency(), matching)
    assert metrics.shd(world.adjacency, found, skeleton=True) == 0
    assert (model.identifiability()["identified"] == "component").all()
    colour = unseen["digit"].values.sum((2, 3)).argmax(1)
    means, spread = estimate.groupby(colour).mean(), math.sqrt(2 * 3 / len(unseen))
    assert (np.ptp(means.to_numpy(), 0) < 4 * spread).all(), "a latent tells the colour, which is private"
