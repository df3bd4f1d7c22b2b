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


def test_rows_of_a_gallery_are_named_and_people_stand_beside_a_traversal() -> None:
    images = RNG.random((6, 3, 4, 4))
    axes = np.reshape(plots.gallery(images, 3, rows=["eye", "decoded"]).axes, (2, 3))
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["eye", "decoded"] and not axes[0, 1].get_ylabel()
    shown, people = RNG.random((2, 3, 3, 5, 4)), RNG.random((2, 2, 3, 5, 4))
    axes = np.reshape(plots.traversal(shown, ["a", "b"], [-2, 0, 2], people).axes, (2, 5))
    assert [ax.get_title().replace("\n", " ") for ax in axes[0]] == [
        "people lowest in it",
        "−2 SD",
        "0 SD",
        "+2 SD",
        "people highest in it",
    ]
    for i in range(2):
        for j, image in zip((0, 2, 4), (people[i, 0], shown[i, 1], people[i, 1]), strict=True):
            np.testing.assert_array_equal(axes[i, j].images[0].get_array(), image.transpose(1, 2, 0))


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
        ("rows: expected 2", lambda: plots.gallery(np.zeros((4, 1, 2, 2)), 2, rows=["a"])),
        (
            "people: expected",
            lambda: plots.traversal(np.zeros((1, 1, 1, 2, 2)), ["a"], [0], np.zeros((1, 1, 1, 2, 2))),
        ),
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


def test_traces_draw_what_is_decoded_over_what_people_have() -> None:
    series, people = RNG.random((2, 3, 2, 30)), RNG.random((2, 2, 2, 30))
    figure = plots.traces(series, ["deep", "restless"], ["heart rate (1/min)", "movement"], 8, people)
    axes = np.reshape(figure.axes, (2, 2))
    assert [ax.get_title(loc="left") for ax in axes[0]] == ["deep", "restless"]
    for channel, latent in np.ndindex(2, 2):
        lines = [line.get_ydata() for line in axes[channel, latent].lines]
        np.testing.assert_array_equal(lines, [*people[latent, :, channel], *series[latent, :, channel]])
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told == ["people lowest in it", "people highest in it", "−2 SD", "0 SD", "+2 SD"]
    assert len(plots.traces(series, ["a", "b"], ["c", "d"], 8).axes[0].lines) == 3


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("series: expected", (np.zeros((1, 2, 1, 5)), ["a"], ["c"], 1)),
        ("series: expected", (np.zeros((1, 3, 1, 5)), ["a", "b"], ["c"], 1)),
        ("people: expected", (np.zeros((1, 3, 1, 5)), ["a"], ["c"], 1, np.zeros((1, 3, 1, 5)))),
        ("hours", (np.zeros((1, 3, 1, 5)), ["a"], ["c"], 0)),
    ],
)
def test_traces_refuse_what_they_cannot_draw(message: str, given: tuple) -> None:
    with pytest.raises(InputError, match=message):
        plots.traces(*given)
    assert plt.get_fignums() == []


def test_moving_columns_draw_each_from_low_to_high() -> None:
    decoded, people = RNG.normal(size=(2, 2, 4)), RNG.normal(size=(2, 2, 4))
    figure = plots.moving_columns(decoded, ["a.0", "a.1"], list("wxyz"), people=people)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list("wxyz")
    for k, ax in enumerate(figure.axes):
        drawn = [line.get_xdata() for line in ax.lines[:4]]
        np.testing.assert_array_equal(drawn, [decoded[k, 0], people[k, 0], decoded[k, 1], people[k, 1]])
    for wrong in ({"columns": ["w"]}, {"people": decoded[:1]}):
        with pytest.raises(InputError, match=r"decoded|people"):
            plots.moving_columns(decoded, ["a.0", "a.1"], **{"columns": list("wxyz"), **wrong})
