"""Pictures of real people are found whatever their size on the page."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from mmcrl import simulate
from mmcrl.disclosure import Drawing, inspect
from mmcrl.disclosure.madeup import measured, notebook_of, people
from mmcrl.disclosure.pictures import is_picture, is_shown
from mmcrl.disclosure.recorded import is_whole_series


@pytest.mark.parametrize("side", [32, 40, 48, 130])
@pytest.mark.parametrize("way", [Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_an_enlarged_image_is_found_however_it_was_enlarged_and_nobody_else_s(side, way):
    def enlarged(image, turns):
        return np.rot90(np.asarray(Image.fromarray(image.astype(np.float32)).resize((side, side), way)), turns)

    known, others = people().pictures[0], people(seed=8).pictures[0]
    uneven = side % 16 and way == Image.Resampling.NEAREST  # pixels of unequal size
    assert uneven or all(is_picture(enlarged(known[7 * k, 0], k), [known]) for k in range(4))
    assert not any(is_picture(enlarged(image[0], 1), [known]) for image in others[:5])
    assert not is_picture(enlarged(known.mean(0)[0], 0), [known]), "the mean of all"


def sorts_of_marks(values):
    marks = np.column_stack([np.ones(len(values)), values])
    found = inspect(notebook_of(), [people()], drawings=[Drawing(1, marks=[marks])]).findings
    return {finding.sort for finding in found}


def test_outliers_beside_a_box_are_people_and_quantiles_are_not():
    weight = measured(people())["weight"].to_numpy()
    outermost = np.sort(weight)[-3:]
    assert sorts_of_marks(outermost) == {"scatter"}
    assert sorts_of_marks(outermost + 0.03) == set(), "nobody's values"
    assert sorts_of_marks(np.quantile(weight, [0.1, 0.25, 0.5, 0.75, 0.9])) == set()
    assert sorts_of_marks(np.array([1.0, 2.0, 3.0])) == set()


EYES = simulate.phenotype(100, seed=1, size=64, hours=0.5, missing=0).cohort["eye"].values
OTHERS = simulate.phenotype(100, seed=5, size=64, hours=0.5, missing=0).cohort["eye"].values
SMALL = EYES.reshape(100, 6, 32, 2, 32, 2).mean((3, 5))  # as a manifest may ask for them


def photograph(eyes, i, side=64):
    pixels = (np.moveaxis(eyes[i, :3], 0, -1) * 255).clip(0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).resize((side, side)), dtype=float)


CHANGED = {
    "as large as it was": lambda eyes, i: photograph(eyes, i),
    "a thumbnail": lambda eyes, i: photograph(eyes, i, 20),
    "two side by side": lambda eyes, i: np.hstack([photograph(eyes, i), photograph(eyes, i + 1)]),
    "four of them": lambda eyes, i: np.tile(photograph(eyes, i), (2, 2, 1)),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_photographs_are_found_in_another_size_than_the_cohorts_and_nobody_elses(change):
    assert all(is_picture(change(EYES, i), [SMALL]) for i in range(5))
    assert not any(is_picture(change(OTHERS, i), [SMALL]) for i in range(5))


def test_the_mean_of_pictures_that_are_all_alike_is_nobody_in_any_size():
    for some in (SMALL, SMALL[:20]):
        mean = np.moveaxis(some.mean(0)[:3], 0, -1)
        for shown in (mean, np.kron(mean, np.ones((2, 2, 1))), mean[::2, ::2]):
            assert not is_picture(shown, [SMALL], 0.98)


def test_people_without_images_make_no_mean_somebody():
    half = np.concatenate([SMALL, np.full_like(SMALL, np.nan), np.full_like(SMALL, np.nan)])
    mean = np.moveaxis(SMALL.mean(0)[:3], 0, -1)
    assert not is_picture(np.kron(mean, np.ones((2, 2, 1))), [half])
    assert is_picture(photograph(EYES, 4), [half])


@pytest.mark.parametrize("quality", [75, 95])
def test_a_jpeg_of_its_own_size_is_found_and_nobody_elses(quality):
    others = OTHERS.reshape(100, 6, 32, 2, 32, 2).mean((3, 5))
    for eyes in (SMALL, others):
        file = io.BytesIO()
        Image.fromarray(photograph(eyes, 7, 32).astype(np.uint8)).save(file, "JPEG", quality=quality)
        assert is_shown(base64.b64encode(file.getvalue()).decode(), [SMALL]) == (eyes is SMALL)


def test_what_is_no_picture_or_half_of_one_shows_nobody():
    file = io.BytesIO()
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(
        file, "TIFF", save_all=True, append_images=[Image.new("L", (9, 9))]
    )
    for data in (file.getvalue()[:-30], file.getvalue().replace(b"\x00\x01", b"\xff\x01"), b"\x89PNG", b""):
        assert not is_shown(base64.b64encode(data).decode(), [SMALL])


def test_noisy_curves_are_no_recordings():
    rng, nights = np.random.default_rng(0), people().series[0]
    for length in (200, 500, 2000):
        steps = np.linspace(0, 1, length)
        for curve in (steps, np.exp(-5 * steps), np.sin(9 * steps)):
            assert not is_whole_series([curve + rng.normal(0, 0.03, length)], [nights])


def test_a_recording_is_found_at_a_finer_rate_than_the_cohorts():
    nights = simulate.phenotype(100, seed=1, size=32, hours=1, missing=0, gaps=0).cohort["night"].values
    others = simulate.phenotype(100, seed=5, size=32, hours=1, missing=0, gaps=0).cohort["night"].values
    coarse = np.nanmean(nights.reshape(100, 3, 60, 6), axis=3)
    assert all(is_whole_series([night], [coarse]) for night in nights[:10].reshape(30, -1))
    assert not any(is_whole_series([night], [coarse]) for night in others[:10].reshape(30, -1))
    assert not is_whole_series([np.nanmean(nights[:, 0], axis=0)], [coarse])
