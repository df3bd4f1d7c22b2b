"""Plots: what is drawn follows from the table, small counts stay hidden, and no display is needed."""

import io
import os
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from small_links import LINKS, closed, legend, texts  # noqa: F401

from mmcrl import Cohort, InputError, plots

# Heatmaps


def test_adjacency_frames_what_differs() -> None:
    names = ["a.0", "a.1", "b.0", "b.1"]
    true = pd.DataFrame(np.zeros((4, 4), int), index=names, columns=names)
    true.loc["b.0", "a.0"] = 1
    estimated = true.copy()
    estimated.loc["b.1", "a.1"] = 1
    figure = plots.adjacency_heatmap(true, estimated.loc[names[::-1], names[::-1]])
    left, right = figure.axes
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("true", "estimated")
    assert left.get_ylabel() == "target (effect)"
    assert left.get_xlabel() == right.get_xlabel() == "source (cause)"
    np.testing.assert_array_equal(np.ravel(left.collections[0].get_array()), true.to_numpy().ravel())
    np.testing.assert_array_equal(np.ravel(right.collections[0].get_array()), estimated.to_numpy().ravel())
    frames = [patch for patch in right.patches if isinstance(patch, Rectangle)]
    assert [(int(f.get_x()), int(f.get_y())) for f in frames] == [(1, 3)]  # column a.1, row b.1


def loadings() -> pd.DataFrame:
    rows = [
        (m, f"{m}.{i}", f"{m} {c}", (-1) ** i * 0.1 * c, 0.5)
        for m in ("body", "blood")
        for i in range(2)
        for c in range(3)
    ]
    return pd.DataFrame(rows, columns=["modality", "latent", "column", "loading", "r2"])


def test_loadings_show_every_number_once() -> None:
    figure = plots.loadings_heatmap(loadings())
    panels = [ax for ax in figure.axes if ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in panels] == ["body", "blood"]
    assert texts(panels[0]) == ["0.00", "-0.00", "0.10", "-0.10", "0.20", "-0.20"]
    assert [t.get_text() for t in panels[0].get_yticklabels()][1] == "body 1  (R² 0.50)"
    assert any("rank correlation" in ax.get_ylabel() for ax in figure.axes)
    alone = plots.loadings_heatmap(loadings(), "blood")
    assert [t for ax in alone.axes if (t := ax.get_title(loc="left"))] == ["blood"]


def test_columns_that_are_latents_themselves_have_no_loadings_to_show() -> None:
    rows = [("age", "age.0", "years", 1.0, 1.0), ("sex", "sex.0", "female", -1.0, 1.0)]
    measured = pd.DataFrame(rows, columns=["modality", "latent", "column", "loading", "r2"])

    def drawn(table: pd.DataFrame) -> list[str]:
        return [t for ax in plots.loadings_heatmap(table).axes if (t := ax.get_title(loc="left"))]

    assert drawn(pd.concat([measured, loadings()])) == ["body", "blood"]
    assert drawn(measured) == ["age", "sex"], "unless there is nothing else"


# Scores and training


def twins(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    columns = pd.MultiIndex.from_product([["a"], [0, 1]])
    true = pd.DataFrame(rng.normal(size=(n, 2)), columns=columns)
    return true, true[[("a", 1), ("a", 0)]].set_axis(columns, axis=1) + 0.1 * rng.normal(size=(n, 2))


@pytest.mark.parametrize("minimum", [10, 40])
def test_density_hides_cells_with_few_people(minimum: int) -> None:
    true, estimated = twins(3000)
    figure = plots.recovery_density(true, estimated, {"a.0": "a.1", "a.1": "a.0"}, minimum)
    panels = [ax for ax in figure.axes if ax.get_title(loc="left").startswith("ρ")]
    assert len(panels) == 2
    for ax in panels:
        counts = np.ma.filled(ax.collections[0].get_array().astype(float), np.nan)
        assert np.nanmin(counts) >= minimum
        assert np.isnan(counts).any()
        assert float(ax.get_title(loc="left").split("=")[1]) > 0.95
    assert panels[0].get_xlabel() == "true a.0 (SD)"
    assert panels[0].get_ylabel() == "estimated a.1 (SD)"


def test_density_of_few_people_is_blank() -> None:
    true, estimated = twins(12)
    ax = plots.recovery_density(true, estimated, {"a.0": "a.1"}).axes[0]
    assert np.isnan(np.ma.filled(ax.collections[0].get_array().astype(float), np.nan)).all()


def test_training_curve_draws_the_chosen_start_strongest() -> None:
    history = pd.DataFrame(
        [(s, t, 5.0 - s - t, 6.0 - s - t) for s in range(3) for t in range(4)],
        columns=["start", "step", "train_loss", "held_out_loss"],
    )
    ax = plots.training_curve(history, chosen=1)
    assert len(ax.lines) == 6
    widest = max(ax.lines, key=lambda drawn: drawn.get_linewidth())
    np.testing.assert_array_equal(widest.get_ydata(), [5, 4, 3, 2])
    assert widest.get_label() == "start 1, kept"
    assert "nats" in ax.get_ylabel()
    assert not any("kept" in text for text in legend(plots.training_curve(history)))


def test_score_intervals_span_the_runs_and_the_floor() -> None:
    table = pd.DataFrame({"method": ["ours", "ours", "ours", "PCA"], "mcc": [0.9, 0.95, 1.0, 0.6]})
    ax = plots.score_intervals(table, floor_mean=0.85, floor_q95=0.93, ceiling=0.99)
    spans = [tuple(segment[:, 0]) for segment in ax.collections[0].get_segments()]  # type: ignore[attr-defined]
    assert spans == [(0.9, 1.0), (0.6, 0.6)]
    means = next(drawn for drawn in ax.lines if drawn.get_label() == "mean")
    np.testing.assert_allclose(means.get_xdata(), [0.95, 0.6])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["ours (3 runs)", "PCA (1 run)"]
    band = ax.patches[0]
    np.testing.assert_allclose(band.get_extents().transformed(ax.transData.inverted()).intervalx, [0.85, 0.93])


# Cohort


def test_overview_names_small_groups_and_does_not_size_them() -> None:
    values = {name: np.random.default_rng(0).normal(size=(200, 3)) for name in ("all", "half", "few", "nearly")}
    values["half"][:100] = np.nan
    values["few"][7:] = np.nan
    values["nearly"][:4] = np.nan
    ax = plots.cohort_overview(Cohort(values))
    assert texts(ax) == ["200", "100", "fewer than 10", "all but fewer than 10"]
    assert [bar.get_width() for bar in ax.patches[4:]] == [100, 50, 0, 100]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["all (3)", "half (3)", "few (3)", "nearly (3)"]
    assert "200 people" in ax.get_xlabel()
    shown = " ".join([*texts(ax), ax.get_xlabel()])
    assert not {"7", "193", "4", "196"} & set(shown.split())


# Evidence


def test_evidence_is_sorted_with_intervals_and_threshold() -> None:
    ax = plots.evidence_plot(LINKS.sample(frac=1, random_state=0), threshold=0.005)
    assert ax.get_yscale() == "symlog"
    above, below = ax.containers
    np.testing.assert_array_equal(above.lines[0].get_ydata(), [0.5, 0.09, 0.04, 0.005])  # type: ignore[attr-defined]
    np.testing.assert_array_equal(below.lines[0].get_ydata(), [0.001, -0.001])  # type: ignore[attr-defined]
    low, high = above.lines[2][0].get_segments()[0][:, 1]  # type: ignore[attr-defined]
    np.testing.assert_allclose((low, high), (0.5 - 1.96 * 0.02, 0.5 + 1.96 * 0.02))
    assert any(list(drawn.get_ydata()) == [0.005, 0.005] for drawn in ax.lines)
    assert next(t.get_text() for t in ax.get_xticklabels()) == "age.0 – blood.0"


def test_control_is_drawn_beside() -> None:
    ax = plots.evidence_plot(LINKS, controls=LINKS[LINKS["evidence"] < 0.002])
    assert "shuffled control" in legend(ax)
    assert len(ax.containers) == 3
    assert "shuffled control" not in legend(plots.evidence_plot(LINKS))


# Refusals and surroundings


def refused() -> list[tuple[str, object]]:
    true, estimated = twins(50)
    history = pd.DataFrame({"start": [0], "step": [0], "train_loss": [1.0], "held_out_loss": [1.0]})
    square = pd.DataFrame(np.zeros((2, 2), int), index=["a.0", "b.0"], columns=["a.0", "b.0"])
    return [
        ("links: expected a DataFrame", lambda: plots.link_graph([1])),  # type: ignore[arg-type]
        ("links: .* none called sign", lambda: plots.link_graph(LINKS.drop(columns="sign"))),
        ("confidence: expected a number from 0 to 1", lambda: plots.link_graph(LINKS, confidence=2)),
        ("scope: expected cross, within or all", lambda: plots.link_graph(LINKS, scope="up")),  # type: ignore[arg-type]
        ("modalities: .* 'x'", lambda: plots.link_graph(LINKS, modalities=["x"])),
        ("estimated: expected rows", lambda: plots.adjacency_heatmap(square, square.rename(index={"a.0": "x"}))),
        ("modality: expected one of body, blood", lambda: plots.loadings_heatmap(loadings(), "x")),
        ("estimated: expected the 50 people", lambda: plots.recovery_density(true, estimated[1:], {"a.0": "a.0"})),
        ("minimum: expected at least 10", lambda: plots.recovery_density(true, estimated, {"a.0": "a.0"}, 3)),
        ("matching: expected at least one", lambda: plots.recovery_density(true, estimated, {})),
        ("true: expected a latent called a.7", lambda: plots.recovery_density(true, estimated, {"a.7": "a.0"})),
        ("chosen: expected one of the starts", lambda: plots.training_curve(history, chosen=4)),
        ("cohort: expected a Cohort", lambda: plots.cohort_overview(LINKS)),  # type: ignore[arg-type]
        ("threshold: expected a positive", lambda: plots.evidence_plot(LINKS, threshold=0)),
        ("links: expected at least one pair", lambda: plots.evidence_plot(LINKS[:0])),
        (
            "table: expected at least one row",
            lambda: plots.score_intervals(pd.DataFrame(columns=["method", "mcc"]), 0, 1),
        ),
    ]


@pytest.mark.parametrize("number", range(len(refused())))
def test_refusals_name_the_argument_and_leave_no_figure(number: int) -> None:
    message, call = refused()[number]
    with pytest.raises(InputError, match=message):
        call()  # type: ignore[operator]
    assert plt.get_fignums() == []


def test_every_function_is_public_and_draws_on_white() -> None:
    drawn = plots.link_graph(LINKS).figure, plots.evidence_plot(LINKS).figure, plots.loadings_heatmap(loadings())
    for figure in drawn:
        assert isinstance(figure, Figure)
        assert to_hex(figure.get_facecolor()) == "#ffffff"
    assert all(callable(getattr(plots, name)) and getattr(plots, name).__doc__ for name in plots.__all__)


def test_the_same_table_gives_the_same_bytes() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    for file in (first, second):
        plots.link_graph(LINKS, scope="all").figure.savefig(file)
    assert first.getvalue() == second.getvalue()


def test_works_without_a_display() -> None:
    hidden = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")}
    code = (
        "import pandas as pd; from mmcrl import plots; "
        "t = pd.DataFrame([('a.0', 'b.0', .5, .9, 'directed', 'tier', 1, 'cross')],"
        "columns='source target strength confidence direction rests_on sign scope'.split()); "
        "plots.link_graph(t).figure.canvas.draw(); print('drawn')"
    )
    environment = {**hidden, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "drawn", done.stderr


# The disclosure guard


def test_guard_report_draws_the_shares_that_were_refused() -> None:
    tried = pd.DataFrame({"leak": ["ids", "ids", "rows"], "refused": [True, False, True]})
    ax = plots.guard_report(tried, 1, 50)
    assert [bar.get_width() for bar in ax.patches[3:]] == [50, 100, 2]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ids", "rows", "tables of aggregates"]
    assert [text.get_text() for text in ax.texts] == ["1 of 2", "1 of 1", "1 of 50"]
    with pytest.raises(InputError, match="alarms: expected a whole number from 0 to 50, got 51"):
        plots.guard_report(tried, 51, 50)


def test_links_that_return_are_shares_and_blank_where_a_cohort_cannot_show_them() -> None:
    shares = pd.DataFrame({"first": [1.0, 0.5], "second": [0.0, np.nan]}, index=["a – b", "a – c"])
    (ax,) = plots.returning_links(shares).axes
    assert texts(ax) == ["100%", "0%", "50%"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a – b", "a – c"]
    for wrong in (shares + 1, shares.iloc[:0]):
        with pytest.raises(InputError, match=r"shares in \[0, 1\]"):
            plots.returning_links(wrong)


# Private dimensions


def test_dimension_losses_ring_the_chosen_number() -> None:
    ax = plots.dimension_losses({"a": [[0, 5.0], [1, 3.0], [2, 3.1]]}, {"a": 1})
    line, ring = ax.lines
    assert line.get_ydata().tolist() == pytest.approx([1, 0, 0.05]) and ring.get_xdata().tolist() == [1]
    for tried, chosen in (({}, {}), ({"a": [[0, 1.0]]}, {"a": 3}), ({"a": [[0, 1.0]]}, {})):
        with pytest.raises(InputError, match=r"tried|chosen"):
            plots.dimension_losses(tried, chosen)
