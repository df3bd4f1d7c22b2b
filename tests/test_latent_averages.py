"""Averages of people low and high in a latent: right where all is known, blank where few people are, nobody's own."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, InputError, plots
from mmcrl.absence import UNLINKED_COLUMNS, told_of, unlinked
from mmcrl.disclosure import Persons
from mmcrl.disclosure.numbers import is_part, numbers
from mmcrl.disclosure.pictures import is_picture
from mmcrl.plots.averages import moments
from mmcrl.plots.ends import averages_told, low_and_high

N = 200


@pytest.fixture
def seen() -> tuple[Cohort, pd.DataFrame]:
    """A picture whose upper half is the first latent, a night whose first half is; 15 people have no picture."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(N, 2))
    eye = np.zeros((N, 1, 4, 6), dtype=np.float32) + rng.normal(0, 0.1, size=(N, 1, 4, 6))
    eye[:, 0, :2] += z[:, :1, None]
    eye[:15] = np.nan
    night = np.zeros((N, 1, 400)) + z[:, 0, None, None] * (np.arange(400) < 200)
    cohort = Cohort({"blood": rng.normal(size=(N, 3)), "eye": eye, "night": night})
    columns = pd.MultiIndex.from_tuples([("blood", 0), ("eye", 0), ("eye", 1), ("night", 0)])
    return cohort, pd.DataFrame(np.column_stack([z[:, 0], z, z[:, 0]]), index=cohort.ids, columns=columns)


def test_images_are_the_means_of_the_two_groups(seen: tuple[Cohort, pd.DataFrame]) -> None:
    cohort, latents = seen
    figure = plots.latent_averages(cohort, "eye", latents)
    shown = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(shown) == 2 * 3
    z = latents["eye"][0].to_numpy()[15:]
    order = 15 + np.argsort(z)
    groups = order[:37], order[-37:]
    means = [cohort["eye"].values[group, 0].mean(axis=0) for group in groups]
    np.testing.assert_allclose(shown[0], means[0], atol=1e-5)
    np.testing.assert_allclose(shown[1], means[1], atol=1e-5)
    np.testing.assert_allclose(shown[2], means[1] - means[0], atol=1e-5)
    assert abs(shown[2][:2].mean()) > 2 > 0.2 > abs(shown[2][2:].mean())
    assert abs(shown[5]).max() < 1, "the second latent is nowhere in the picture"
    plt.close(figure)


def test_a_mean_that_looks_like_somebodys_own_image_is_blank() -> None:
    """Of those low in the latent nearly all see everything; a few miss one spot, and one person that spot alone."""
    rng = np.random.default_rng(0)
    z = np.arange(float(N))
    field = np.zeros((N, 1, 4, 5))
    field[100:] = rng.random((100, 1, 4, 5)) < 0.5
    field[:12, 0, 1, 2] = 1
    cohort = Cohort({"blood": rng.normal(size=(N, 3)), "field": field})
    columns = pd.MultiIndex.from_tuples([("blood", 0), ("field", 0)])
    latents = pd.DataFrame(np.column_stack([z, z]), index=cohort.ids, columns=columns)
    mean = moments(cohort["field"].take(z < 40), "image", cohort.minimum)[0]
    assert is_picture(mean[0], [cohort["field"].values])
    figure = plots.latent_averages(cohort, "field", latents)
    low, high, apart = (ax.images[0].get_array() for ax in figure.axes if ax.images)
    assert low.mask.all() and apart.mask.all() and not np.ma.getmaskarray(high).any()
    assert not any(is_picture(np.ma.filled(shown, np.nan), [cohort["field"].values]) for shown in (low, high, apart))
    plt.close(figure)


def test_series_have_both_lines_along_time(seen: tuple[Cohort, pd.DataFrame]) -> None:
    cohort, latents = seen
    figure = plots.latent_averages(cohort, "night", latents, step=72.0)
    (ax,) = figure.axes
    low, high = (line.get_ydata() for line in ax.get_lines())
    assert len(low) == 168 and low[:80].max() < -1 and high[:80].min() > 1 and not np.abs(high[90:]).any()
    assert ax.get_xlabel() == "hours" and ax.get_xlim() == (0, 8)
    week = plots.latent_averages(cohort, "night", latents, step=1512.0)
    assert (week.axes[0].get_xlabel(), list(week.axes[0].get_xticks())) == ("days", list(range(8)))
    assert plots.latent_averages(cohort, "night", latents).axes[0].get_xlabel() == "sample"
    plt.close("all")


def test_groups_have_the_minimum_of_people_or_nothing_is_drawn(seen: tuple[Cohort, pd.DataFrame]) -> None:
    cohort, latents = seen
    some = np.arange(15, 55)
    low, high = low_and_high(np.arange(40.0), 0.2, 10)
    assert (int(low.sum()), int(high.sum())) == (10, 10) and not (low & high).any()
    figure = plots.latent_averages(cohort.take(some), "eye", latents.iloc[some])
    assert not any(ax.images[0].get_array().mask.any() for ax in figure.axes if ax.images)
    few = np.arange(15, 34)  # nineteen are not two groups of ten
    for name in ("eye", "night"):
        figure = plots.latent_averages(cohort.take(few), name, latents.iloc[few])
        for ax in figure.axes:
            assert all(image.get_array().mask.all() for image in ax.images)
            assert all(np.isnan(line.get_ydata()).all() for line in ax.get_lines())
    plt.close("all")


def test_what_fewer_than_the_minimum_have_in_a_place_is_told_as_if_nobody_had(
    seen: tuple[Cohort, pd.DataFrame],
) -> None:
    ink = np.zeros((60, 1, 3, 3))
    ink[:9, 0, 0, 0] = 0.7  # of nine people
    ink[:10, 0, 1, 1] = 0.6  # of ten
    mean, spread, people = moments(Cohort({"a": np.eye(60), "eye": ink})["eye"], "image", 10)
    assert (mean[0, 0, 0], spread[0, 0, 0]) == (0, 0) and mean[0, 1, 1] == pytest.approx(0.1)
    assert (people == 60).all()


@pytest.mark.parametrize(
    ("change", "argument"),
    [({"name": "blood"}, "name"), ({"name": "ear"}, "modality"), ({"share": 0.7}, "share"), ({"share": 0}, "share")],
)
def test_wrong_arguments_are_refused(seen: tuple[Cohort, pd.DataFrame], change: dict, argument: str) -> None:
    cohort, latents = seen
    with pytest.raises(InputError, match=argument):
        plots.latent_averages(**{"cohort": cohort, "name": "eye", "latents": latents, **change})
    with pytest.raises(InputError, match="latents"):
        plots.latent_averages(cohort, "eye", latents.iloc[::-1])
    plt.close("all")


def test_tables_have_a_sentence_of_their_own() -> None:
    assert averages_told([], 10) == "All modalities of these people are tables."
    assert averages_told(["eye"], 20).startswith("Of eye ") and "20 people or more" in averages_told(["eye"], 20)
    assert told_of(pd.DataFrame(columns=UNLINKED_COLUMNS), ["eye"], 0.005) == "Every two modalities have a link."


def test_modalities_without_a_link_are_told_with_the_evidence_they_have() -> None:
    rows = [
        ("a.0", "b.0", 0.10, 0.01, 0.12, 1.0),
        ("a.1", "b.0", 0.00, 0.01, 0.02, 0.0),
        ("c.0", "a.0", 0.001, 0.001, 0.003, 0.02),
        ("c.0", "a.1", -0.001, 0.004, 0.007, 0.01),
        ("c.0", "b.0", 0.001, 0.001, 0.003, 0.1),
        ("a.0", "a.1", 0.5, 0.001, 0.6, 1.0),
    ]
    names = ["source", "target", "evidence", "evidence_se", "evidence_high", "confidence"]
    links = pd.DataFrame(rows, columns=names).assign(direction="undirected", rests_on="none")
    links["scope"] = [
        "within" if s[0] == t[0] else "cross" for s, t in zip(links["source"], links["target"], strict=True)
    ]
    apart = unlinked(links)
    assert apart[["one", "other"]].to_numpy().tolist() == [["a", "c"], ["b", "c"]]
    assert apart["most"].tolist() == [0.007, 0.003] and apart["evidence"].tolist() == [0.001, 0.001]
    told = told_of(apart, ["b"], 0.005)
    assert told.startswith("No link is found between b and: c (strongest pair 0.0010 ± 0.0010 nats, at most 0.0030:")
    told = told_of(apart, ["c"], 0.005)
    assert told.count("No link") == 1 and "at most 0.0070: too few people to tell), b (" in told
    assert told_of(apart, [], 0.005) == "Least is known of a and c, at most 0.0070 nats."
    with pytest.raises(InputError, match="confidence"):
        unlinked(links, 1.5)


def test_the_guard_takes_an_empty_margin_for_nobody_and_a_row_of_somebody_for_a_row() -> None:
    rng = np.random.default_rng(3)
    ink = np.zeros((50, 1, 40, 48))
    ink[:, :, :, 20:28] = rng.random(size=(50, 1, 40, 8))
    persons = Persons.of(Cohort({"a": rng.normal(size=(50, 2)), "spine": ink}))
    mean = ink.mean(axis=0)[0]
    assert not any(is_part(numbers([repr(float(x)) for x in row]), persons) for row in mean)
    assert is_part(numbers([repr(float(x)) for x in ink[7, 0, 5]]), persons)
    assert is_part(numbers([f"{x:.3f}" for x in ink[7, 0, 5]]), persons)
