"""Sides: both eyes are read by one network, a missing one is left out, and where the camera pointed is chance."""

import pandas as pd
import pytest
import torch

from mmcrl import Cohort, InputError, Modality, MultimodalCRL
from mmcrl.kinds import SidesCodec, sides

SHAPE = (6, 32, 20)


@pytest.fixture
def codec():
    torch.manual_seed(0)
    return SidesCodec(SHAPE, 3, 16)


@pytest.fixture
def pictures():
    return torch.randn(5, *SHAPE, generator=torch.Generator().manual_seed(1))


def mirrored(pictures):
    """The right side as the left one, and the other way round."""
    left, right = pictures.chunk(2, 1)
    return torch.cat([right.flip(-1), left.flip(-1)], 1)


def test_codes_do_not_know_left_from_right(codec, pictures):
    assert torch.allclose(codec.encode(pictures), codec.encode(mirrored(pictures)), atol=1e-6)
    swapped = torch.cat(pictures.chunk(2, 1)[::-1], 1)
    assert ((codec.encode(pictures) - codec.encode(swapped)).abs().max(0).values > 1e-3)[:2].all()  # but from nasal


def test_codes_are_the_mean_over_the_sides_that_are_there(codec, pictures):
    left, right = pictures.chunk(2, 1)
    twice = [torch.cat([side, side.flip(-1)], 1) for side in (left, right.flip(-1))]  # as left and as right
    first, second = (codec.encode(both) for both in twice)
    assert torch.allclose(codec.encode(pictures), (first + second) / 2, atol=1e-6)
    for missing, expected in ((slice(0, 3), second), (slice(3, 6), first)):
        one = pictures.clone()
        one[:, missing] = torch.nan
        assert torch.allclose(codec.encode(one), expected, atol=1e-6)


def test_a_decoded_picture_departs_from_the_mean_alike_on_both_sides(codec):
    codes = torch.randn(4, 3)
    departure = codec.departure(codes)
    assert departure.shape == (4, *SHAPE) and departure.std() > 0
    assert torch.equal(departure, mirrored(departure))
    codec.usual.normal_()
    assert torch.allclose(codec.decode(codes) - departure, codec.usual, atol=1e-6)


def test_in_training_each_side_is_moved_by_a_pixel_and_the_tone_is_left(codec, pictures, monkeypatch):
    monkeypatch.setattr(sides, "_NOISE", 0.0)
    changed = codec.augment(pictures.repeat(40, 1, 1, 1), torch.Generator().manual_seed(0))
    plain, moved = changed.chunk(2, 1)
    assert torch.equal(plain, pictures.repeat(40, 1, 1, 1))
    inner, steps = pictures.repeat(40, 1, 1, 1)[:, :, 1:-1, 1:-1], []
    for side in (slice(0, 3), slice(3, 6)):
        found = torch.full((200, 2), 9)
        for down in (-1, 0, 1):
            for along in (-1, 0, 1):
                back = moved[:, side].roll((-down, -along), (2, 3))[:, :, 2:-2, 2:-2]
                found[(back == inner[:, side, 1:-1, 1:-1]).flatten(1).all(1)] = torch.tensor([down, along])
        assert (found < 9).all() and {tuple(step) for step in found.tolist()} == {
            (down, along) for down in (-1, 0, 1) for along in (-1, 0, 1)
        }
        steps.append(found)
    assert not torch.equal(*steps)
    codes = codec.encode(changed), codec.encode(plain)
    assert (
        torch.allclose(codes[0][:, 2:], codes[1][:, 2:], atol=1e-6)
        and (codes[0] - codes[1])[:, :2].abs().max() > 1e-3
    )


def test_noise_is_a_quarter_of_how_people_differ_whatever_the_mean_picture(codec, pictures, monkeypatch):
    monkeypatch.setattr(sides, "_moved", lambda pictures, generator: pictures)
    many, shared = pictures.repeat(60, 1, 1, 1), 9 * torch.randn(1, *SHAPE)
    many[:, 0] *= 2
    for behind in (0, shared):
        values = (many + behind).numpy()
        codec.fit_scale(values)
        features = codec.prepare(values).float()
        plain, noisy = codec.augment(features, torch.Generator().manual_seed(0)).chunk(2, 1)
        differing = (features - features.mean(0)).square().mean((0, 2, 3)).sqrt()
        assert torch.equal(plain, features)
        assert (noisy - plain).std((0, 2, 3)).numpy() == pytest.approx(0.25 * differing.numpy(), rel=0.02)


def test_the_codec_learns_of_both_sides_and_says_what_it_cannot_read(codec, pictures):
    values = pictures.numpy() * 3 + 7
    values[:, 3:] += 5
    codec.fit_scale(values)
    assert codec.mean.flatten()[3:].mean() - codec.mean.flatten()[:3].mean() == pytest.approx(5, abs=0.3)
    assert codec.restore(codec.prepare(values)) == pytest.approx(values, abs=0.02)
    with pytest.raises(InputError, match=r"channels: expected an even number.*got 3"):
        SidesCodec((3, 8, 8), 2, 16)


def test_people_with_one_eye_have_latents_and_what_was_learned_is_kept(tmp_path):
    gen = torch.Generator().manual_seed(0)
    z = torch.randn(160, 1, generator=gen)
    eyes = (
        z[:, :, None, None] * torch.linspace(-1, 1, 12)[:, None] + torch.randn(160, 2, 12, 10, generator=gen)
    ).numpy()
    eyes[:20, 0] = float("nan")
    table = (z * torch.tensor([[1.0, -1.0, 0.5]]) + torch.randn(160, 3, generator=gen)).numpy()
    cohort = Cohort({"eye": Modality(eyes, "image-sides"), "table": table})
    model = MultimodalCRL({"eye": 2, "table": 1}, seed=0, starts=1, steps=10, width=16).fit(cohort, progress=False)
    latents = model.transform(cohort)
    assert latents["eye"].notna().all(axis=None)
    model.save(tmp_path / "model")
    pd.testing.assert_frame_equal(MultimodalCRL.load(tmp_path / "model").transform(cohort), latents)
