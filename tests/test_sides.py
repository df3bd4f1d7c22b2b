"""Sides: both eyes are read by one network, a missing one is left out, and where the camera pointed is chance."""

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from mmcrl import Cohort, InputError, Modality, MultimodalCRL
from mmcrl.kinds import SidesCodec, sides
from mmcrl.schema import ModalitySpec

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
        departures = (features - features.mean(0)).reshape(-1, 3, *SHAPE[1:])  # of both sides
        differing = departures.square().mean((0, 2, 3)).sqrt().repeat(2)
        assert torch.equal(plain, features)
        assert (noisy - plain).std((0, 2, 3)).numpy() == pytest.approx(0.25 * differing.numpy(), rel=0.02)


def test_what_was_prepared_of_both_sides_is_restored(codec, pictures):
    values = pictures.numpy() * 3 + 7
    values[:, 3:] += 5
    codec.fit_scale(values)
    assert codec.restore(codec.prepare(values)) == pytest.approx(values, abs=0.02)


def test_both_sides_are_standardised_alike_whoever_has_which(codec, pictures):
    """Of a picture that is given as the left side and, mirrored, as the right one, the codes are the same."""
    values = pictures.numpy().repeat(4, 0)
    values[:, 3:] += 5
    values[:12, :3] = np.nan
    values[4:, 3, :20] = np.nan
    codec.fit_scale(values)
    left = np.full_like(values, np.nan)
    right = left.copy()
    left[:, :3] = right[:, 3:, :, ::-1] = values[:, :3]
    right = np.ascontiguousarray(right)
    kept = slice(12, None)
    first, second = (codec.encode(codec.prepare(seen[kept])) for seen in (left, right))
    assert torch.allclose(first, second, atol=1e-6) and first.std() > 1e-3
    colours = values.reshape(-1, 3, *SHAPE[1:])
    assert codec.mean.flatten().numpy() == pytest.approx(np.tile(np.nanmean(colours, (0, 2, 3)), 2), rel=1e-5)
    assert codec.scale.flatten().numpy() == pytest.approx(np.tile(np.nanstd(colours, (0, 2, 3)), 2), rel=1e-5)


def test_a_side_counts_as_far_as_it_is_there(codec, pictures):
    left, right = pictures.clone().chunk(2, 1)
    right = right.clone()
    right[:, :, :24] = torch.nan  # a quarter is left
    gone = torch.full_like(left, torch.nan)
    one, other = (codec.encode(torch.cat([side, gone], 1)) for side in (left, right.flip(-1)))
    assert torch.allclose(codec.encode(torch.cat([left, right], 1)), 0.8 * one + 0.2 * other, atol=1e-5)


def test_sides_of_different_channels_are_refused():
    with pytest.raises(InputError, match=r"as many channels of each of 2 sides for kind 'image-sides'.*9, 3, 8, 8"):
        Modality(np.zeros((9, 3, 8, 8)), "image-sides")
    columns = {name: {"variable": name} for name in ("left", "right", "middle")}
    with pytest.raises(ValidationError, match="as many columns for each of 2 sides of kind image-sides"):
        ModalitySpec.model_validate({"kind": "image-sides", "height": 8, "width": 8, "columns": columns})


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
