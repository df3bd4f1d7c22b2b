"""Pictures of images: every image is shown once, as it is, in its place."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from small_links import closed  # noqa: F401

from mmcrl import InputError, plots

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("n", "across", "rows"), [(7, 3, 3), (4, 10, 1), (1, 1, 1)])
def test_gallery_shows_every_image_once_in_order(n: int, across: int, rows: int) -> None:
    images = RNG.random((n, 3, 6, 9))
    figure = plots.gallery(images, across, "digits")
    assert len(figure.axes) == n
    for ax, image in zip(figure.axes, images, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image.transpose(1, 2, 0))
        assert not len(ax.get_xticks())
    assert len({ax.get_subplotspec().rowspan.start for ax in figure.axes}) == rows  # type: ignore[union-attr]
    assert figure.get_suptitle() == "digits"


def test_grey_is_the_same_grey_in_every_image_and_what_is_beyond_is_cut() -> None:
    figure = plots.gallery(np.stack([np.full((1, 4, 4), 0.2), np.full((1, 4, 4), 1.5)]))
    for ax, expected in zip(figure.axes, (0.2, 1.0), strict=True):
        shown = ax.images[0]
        assert shown.get_clim() == (0, 1) and shown.get_cmap().name == "gray"
        assert (np.asarray(shown.get_array()) == expected).all()


def test_traversal_names_its_rows_and_its_columns() -> None:
    images = RNG.random((2, 3, 1, 5, 4))
    axes = np.reshape(plots.traversal(images, ["a.0", "b.1"], [-1.5, 0, 2]).axes, (2, 3))
    assert [ax.get_title() for ax in axes[0]] == ["−1.5 SD", "0 SD", "+2 SD"]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["a.0", "b.1"]
    for i, j in np.ndindex(2, 3):
        np.testing.assert_array_equal(axes[i, j].images[0].get_array(), images[i, j, 0])


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("images: expected shape .n, channels", lambda: plots.gallery(np.zeros((3, 8, 8)))),
        ("images: .* 1 or 3 channels", lambda: plots.gallery(np.zeros((3, 2, 8, 8)))),
        ("images: .*channels", lambda: plots.gallery(np.zeros((0, 1, 8, 8)))),
        ("images: expected up to 100", lambda: plots.gallery(np.zeros((101, 1, 2, 2)))),
        ("images: expected finite", lambda: plots.gallery(np.full((1, 1, 2, 2), np.nan))),
        ("across: expected a whole number", lambda: plots.gallery(np.zeros((1, 1, 2, 2)), 0)),
        ("images: expected shape .latents, values", lambda: plots.traversal(np.zeros((1, 1, 2, 2)), ["a"], [0])),
        ("latents: expected 2", lambda: plots.traversal(np.zeros((2, 1, 1, 2, 2)), ["a"], [0])),
        ("values: expected 1", lambda: plots.traversal(np.zeros((1, 1, 1, 2, 2)), ["a"], [0, 1])),
    ],
)
def test_refusals_name_the_argument_and_leave_no_figure(message: str, call) -> None:
    with pytest.raises(InputError, match=message):
        call()
    assert plt.get_fignums() == []


def test_recordings_draw_every_channel_over_its_hours_and_leave_gaps_open() -> None:
    series = RNG.random((2, 3, 50))
    series[1, 2, 10:20] = np.nan
    figure = plots.recordings(series, ["SpO2 (%)", "heart rate", "activity"], 5, ["one", "two"])
    axes = np.reshape(figure.axes, (3, 2))
    assert [ax.get_title() for ax in axes[0]] == ["one", "two"]
    for channel, person in np.ndindex(3, 2):
        x, y = axes[channel, person].lines[0].get_data()
        np.testing.assert_array_equal(y, series[person, channel])
        assert np.allclose(np.diff(x), 0.1) and np.isclose(x[0], 0.05)
        assert axes[channel, person].get_ylim() == axes[channel, 0].get_ylim()


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("series: .*up to 6", (np.zeros((7, 1, 5)), ["a"], 1)),
        ("series: .*shape", (np.zeros((1, 5)), ["a"], 1)),
        ("channels: expected 2", (np.zeros((1, 2, 5)), ["a"], 1)),
        ("titles: expected 1", (np.zeros((1, 1, 5)), ["a"], 1, ["b", "c"])),
        ("hours", (np.zeros((1, 1, 5)), ["a"], 0)),
    ],
)
def test_recordings_refuse_what_they_cannot_draw(message: str, given: tuple) -> None:
    with pytest.raises(InputError, match=message):
        plots.recordings(*given)
