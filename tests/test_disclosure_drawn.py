"""What matplotlib draws of people is found however it was drawn; what a page may draw of many is not."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from mmcrl.disclosure import Drawing, Persons, inspect
from mmcrl.disclosure.artists import artists
from mmcrl.disclosure.madeup import measured, notebook_of, people
from mmcrl.modality import Modality

PEOPLE = people()
TABLE = measured(PEOPLE).reset_index(drop=True)
NIGHT, EYES = PEOPLE.series[0][:, 0], PEOPLE.pictures[0][:, 0].astype(float)
SKEWED = np.exp(np.random.default_rng(2).normal(size=600))


def sorts(draw, people=(PEOPLE,)):
    """What the guard finds in the figure that this draws on one axes."""
    figure = Figure()
    draw(figure.subplots())
    drawing = Drawing(1, **artists(figure))
    return {finding.sort for finding in inspect(notebook_of(), people, None, [drawing]).findings}


def density(ax):
    x, y = np.meshgrid(np.linspace(150, 200, 60), np.linspace(40, 130, 60))
    z = np.exp(-(((x - 170) / 9) ** 2) - ((y - 75) / 15) ** 2)
    ax.contourf(x, y, z)
    ax.clabel(ax.contour(x, y, z, colors="k"))


LEAKS = {
    "marks drawn one by one": ("scatter", lambda ax: [ax.plot(*at, "o") for at in TABLE.values[:30, 2:4]]),
    "scatters of one mark": ("scatter", lambda ax: [ax.scatter(*at) for at in TABLE.values[:30, 2:4]]),
    "a person as a line over columns": ("row", lambda ax: ax.plot(TABLE.iloc[7])),
    "a person as bars over columns": ("row", lambda ax: ax.bar(TABLE.columns, TABLE.iloc[7])),
    "a person as bars across": ("row", lambda ax: ax.barh(TABLE.columns, TABLE.iloc[7])),
    "a dozen people as lines": ("row", lambda ax: [ax.plot(row) for row in TABLE.values[:12]]),
    "people as groups of bars": ("row", lambda ax: [ax.bar(range(10), row, 0.2) for row in TABLE.values[:4]]),
    "a table in a figure": ("row", lambda ax: ax.table(cellText=TABLE.head().values.astype(str))),
    "a person in a title": ("row", lambda ax: ax.set_title(", ".join(f"{k} {v}" for k, v in TABLE.loc[7].items()))),
    "a person in a figure's title": ("row", lambda ax: ax.figure.suptitle(", ".join(map(str, TABLE.loc[7])))),
    "a night as an area": ("image", lambda ax: ax.fill_between(range(96), NIGHT[3])),
    "a night as an area in steps": ("image", lambda ax: ax.fill_between(range(96), NIGHT[3], step="post")),
    "a night as bars": ("image", lambda ax: ax.bar(range(96), NIGHT[3])),
    "a night as stairs": ("image", lambda ax: ax.stairs(NIGHT[3])),
    "a night as a line of an image": ("image", lambda ax: ax.imshow(NIGHT[3:4])),
    "a night backwards": ("image", lambda ax: ax.plot(NIGHT[3, ::-1])),
    "a third of a night backwards": ("image", lambda ax: ax.plot(NIGHT[3, 60:20:-1])),
    "a night in another unit": ("image", lambda ax: ax.plot(NIGHT[3] / 100)),
    "a night around its mean": ("image", lambda ax: ax.plot(NIGHT[3] - NIGHT[3].mean())),
    "a night in units of its spread": (
        "image",
        lambda ax: ax.plot(((NIGHT[3] - NIGHT[3].mean()) / NIGHT[3].std()).round(3)),
    ),
    "nights of several people, standardised, as an image": (
        "image",
        lambda ax: ax.imshow((NIGHT[:5] - NIGHT[:5].mean(1, keepdims=True)) / NIGHT[:5].std(1, keepdims=True)),
    ),
    "a montage": ("image", lambda ax: ax.imshow(np.block([[EYES[0], EYES[1]], [EYES[2], EYES[3]]]))),
    "a row of images": ("image", lambda ax: ax.imshow(np.hstack(EYES[4:9]))),
    "a montage with gaps": ("image", lambda ax: ax.imshow(np.hstack([np.pad(eye, 2) for eye in EYES[:3]]))),
    "a framed image": ("image", lambda ax: ax.imshow(np.pad(EYES[5], 1))),
    "an image on a figure": ("image", lambda ax: ax.figure.figimage(EYES[5])),
    "an image in a note": ("image", lambda ax: ax.add_artist(AnnotationBbox(OffsetImage(EYES[5]), (0.5, 0.5)))),
    "steps of counts": ("count", lambda ax: (ax.hist(SKEWED, 20, histtype="step"), ax.set_ylabel("people"))),
    "counts across": (
        "count",
        lambda ax: (ax.hist(SKEWED, 20, histtype="step", orientation="horizontal"), ax.set_xlabel("people")),
    ),
    "stairs of counts": ("count", lambda ax: (ax.stairs([300, 90, 3]), ax.set_ylabel("people"))),
    "a line of counts": ("count", lambda ax: (ax.plot([300, 90, 3]), ax.set_ylabel("people"))),
    "bars that a figure names": ("count", lambda ax: (ax.bar([1, 2], [300, 3]), ax.figure.supylabel("people"))),
    "bars that a title names": ("count", lambda ax: (ax.bar([1, 2], [300, 3]), ax.set_title("Number of people"))),
}
SCALED = (TABLE - TABLE.min()) / (TABLE.max() - TABLE.min())
STANDARD = (TABLE - TABLE.mean()) / TABLE.std()
LEAKS |= {
    "people scaled to 0 and 1, as an image": ("row", lambda ax: ax.imshow(SCALED[40:80])),
    "people scaled to 0 and 1, turned": ("row", lambda ax: ax.imshow(SCALED[40:80].T)),
    "people against the first of them, as a mesh": ("row", lambda ax: ax.pcolormesh(STANDARD[:20] - STANDARD.loc[0])),
    "standardised people as an image": ("row", lambda ax: ax.imshow(STANDARD[:40].astype(np.float32))),
    "standardised people as a line": ("row", lambda ax: ax.plot(STANDARD["weight"][100:130])),
    "standardised people as bars, backwards": ("row", lambda ax: ax.bar(range(30), STANDARD["waist"][130:100:-1])),
}


@pytest.mark.parametrize("sort, draw", LEAKS.values(), ids=LEAKS)
def test_people_are_found_however_they_are_drawn(sort, draw):
    assert sort in sorts(draw)


SOMEBODY = TABLE.iloc[[3, 77, 210, 400, 512]]


@pytest.mark.parametrize("pair", [("weight", "waist"), ("glucose", "cholesterol"), ("waist", "height")])
def test_few_marks_at_two_values_of_a_person_each_are_people(pair):
    points = SOMEBODY[list(pair)].to_numpy()
    assert sorts(lambda ax: ax.scatter(*points.T)) == {"scatter"}
    assert sorts(lambda ax: ax.scatter(points[:, 0], points[::-1, 1])) == set(), "of five people, but nobody's pairs"
    assert sorts(lambda ax: ax.scatter(*(points + 0.03).T)) == set()


def test_a_scatter_in_space_is_one():
    figure = Figure()
    ax = figure.add_subplot(projection="3d")
    ax.scatter(*TABLE[["weight", "waist", "height"]][:40].to_numpy().T)
    figure.canvas.draw()  # after which the marks are where they are seen
    drawing = Drawing(1, **artists(figure))
    assert "scatter" in {finding.sort for finding in inspect(notebook_of(), [PEOPLE], drawings=[drawing]).findings}


def test_gaps_stop_nothing():
    gap = [1, np.nan, 3, 2.0]

    def draw(ax):
        ax.errorbar(range(4), gap, yerr=0.1)
        ax.vlines(gap, 0, 1)
        ax.hlines(gap, 0, 1)
        ax.eventplot([gap, []])

    assert sorts(draw) == set()


def test_another_picture_than_matplotlibs_is_read_though_a_figure_was_drawn_beside_it():
    circles = "".join(f'<circle cx="{i}" cy="{i % 7}" r="1"/>' for i in range(400))
    output = {"output_type": "display_data", "data": {"image/svg+xml": f"<svg>{circles}</svg>"}, "metadata": {}}
    beside = inspect(notebook_of(output), [PEOPLE], drawings=[Drawing(1, lines=[np.eye(2)])])
    assert {finding.sort for finding in beside.findings} == {"scatter"}


@pytest.mark.parametrize("unit", [lambda night: 2 * night + 30, lambda night: 90 - night])
def test_a_night_with_gaps_is_found_in_another_unit(unit):
    nights = PEOPLE.series[0].copy()
    nights[3, 0, [5, 6, 7, 40]] = np.nan
    known, night = Persons("made-up people", PEOPLE.order, {"night": Modality(nights)}), nights[3, 0]
    drawing = Drawing(1, lines=[np.column_stack([np.arange(len(night)), unit(night)])])
    assert {"image"} == {finding.sort for finding in inspect(notebook_of(), [known], drawings=[drawing]).findings}


def test_nobody_else_s_night_or_image_is_found():
    other = people(seed=8)
    night, eyes = other.series[0][3, 0], other.pictures[0][:4, 0]
    assert (
        sorts(lambda ax: (ax.plot(night / 100), ax.fill_between(range(96), night), ax.bar(range(96), night))) == set()
    )
    assert sorts(lambda ax: ax.imshow(np.block([[eyes[0], eyes[1]], [eyes[2], eyes[3]]]))) == set()


def means(ax):
    groups = np.array_split(np.argsort(TABLE["age"].to_numpy()), 8)
    mean = np.array([TABLE["weight"].to_numpy()[group].mean() for group in groups])
    ax.plot(range(8), mean, "o-")
    ax.fill_between(range(8), mean - 2, mean + 2)
    ax.errorbar(range(8), mean, yerr=1.5, fmt="s")


def calibration(ax):
    ax.plot([0, 1], [0, 1], "--")
    for k, share in enumerate(np.linspace(0.05, 0.95, 15)):
        ax.errorbar(share, np.round(share**1.1, 3), yerr=0.02, fmt="o", label=f"{k}")


def links(ax):
    at = np.linspace(0, 2 * np.pi, 13)
    for x, y in zip(np.cos(at), np.sin(at), strict=True):
        ax.plot(x, y, "o")
        ax.annotate("", (0, 0), (x, y), arrowprops={"arrowstyle": "->"})


HONEST = {
    "a density of two columns": density,
    "means with bands": means,
    "a calibration curve": calibration,
    "a graph of links": links,
    "a mean night": lambda ax: (ax.plot(NIGHT.mean(0)), ax.fill_between(range(96), NIGHT.mean(0) - 1, NIGHT.mean(0))),
    "quantiles of nights": lambda ax: ax.plot(np.quantile(NIGHT, [0.1, 0.5, 0.9], axis=0).T),
    "mean images": lambda ax: ax.imshow(np.hstack([EYES[:200].mean(0), EYES[200:400].mean(0)])),
    "a traversal": lambda ax: ax.imshow(np.hstack([EYES.mean(0) + k * EYES.std(0) for k in (-2, -1, 0, 1, 2)])),
    "a histogram": lambda ax: (ax.hist(TABLE["height"], [140, 165, 170, 175, 180, 210]), ax.set_ylabel("people")),
    "steps of many": lambda ax: (
        ax.hist(TABLE["height"], [140, 165, 170, 210], histtype="step"),
        ax.set_ylabel("people"),
    ),
    "a span beside counts": lambda ax: (ax.bar([0, 1], [300, 90]), ax.axvspan(0, 1), ax.set_ylabel("people")),
    "a place beside counts": lambda ax: (ax.bar([0, 1], [300, 90]), ax.axvline(0.5), ax.set_ylabel("people")),
    "bars of shares": lambda ax: (ax.bar(range(3), [60, 30, 7]), ax.set_ylabel("% of people")),
    "scores under a title": lambda ax: (ax.bar(range(3), [2, 1, 3]), ax.set_title("Latents found in 600 people")),
    "means of columns": lambda ax: (ax.plot(TABLE.mean()), ax.bar(TABLE.columns, TABLE.median())),
    "quantiles of columns": lambda ax: ax.plot(TABLE.quantile([0.1, 0.5, 0.9]).T),
    "groups in units of their spread": lambda ax: ax.imshow(STANDARD.groupby(TABLE["age"] // 2).mean()),
    "scores of as many": lambda ax: ax.imshow(np.random.default_rng(5).normal(size=(40, 7))),
    "correlations": lambda ax: ax.imshow(TABLE.corr()),
    "a box plot without outliers": lambda ax: ax.boxplot(TABLE["weight"], showfliers=False),
    "losses": lambda ax: [ax.plot(np.exp(-np.arange(400) / rate)) for rate in (50, 80, 110)],
    "a table of means": lambda ax: ax.table(
        cellText=TABLE.agg(["mean", "std"]).round(1).values.astype(str), colLabels=TABLE.columns
    ),
}


@pytest.mark.parametrize("draw", HONEST.values(), ids=HONEST)
def test_what_a_page_may_draw_passes(draw):
    assert sorts(draw) == set()


@pytest.mark.parametrize("draw", [*HONEST.values(), *(draw for _, draw in LEAKS.values())])
def test_where_nobody_is_known_nobody_s_values_are_found(draw):
    assert sorts(draw, ()) <= {"scatter", "count", "row"}  # by their form
