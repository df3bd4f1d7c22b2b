"""The page that `check --draw` writes: pictures of the right things, and nobody in them."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mmcrl import Cohort, Modality
from mmcrl.check import Report, check_manifest
from mmcrl.checking import page
from mmcrl.checking.page import draw
from mmcrl.cli import app, main
from mmcrl.plots import average_images, average_series, column_histograms, missing_columns, modalities_together

N = 400
IDS = 91_000 + np.arange(N)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Table, pictures and series; 7 people have no picture, 45 no series, 5 of them nor a picture."""
    rng = np.random.default_rng(0)
    blood = np.round(rng.normal(size=(N, 2)), 3)
    blood[:4, 0], blood[50:100, 1] = np.nan, np.nan
    eye = rng.random(size=(N, 1, 8, 8)).astype(np.float32)
    eye[:7] = np.nan
    night = rng.normal(size=(N, 1, 60)).astype(np.float32)
    night[2:47] = np.nan
    night[47:395, :, 50:] = np.nan  # five people lie longer
    modalities = {
        "blood": Modality(blood, names=["iron", "lead"], units=["g", "ug/L"]),
        "eye": Modality(eye, names=["grey"]),
        "night": Modality(night, names=["pulse"], units=["1/min"]),
    }
    return Cohort(modalities, ids=IDS, name="made up")


def report_of(cohort: Cohort) -> Report:
    return Report("made-up.toml", [], cohort=cohort)


def pictures(text: str) -> list[str]:
    return [base64.b64decode(part).decode() for part in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", text)]


def test_the_page_has_every_picture_and_no_id(cohort: Cohort, tmp_path: Path) -> None:
    path, left_out = draw(report_of(cohort), tmp_path / "out")
    text = path.read_text()
    assert left_out == [] and path.name == "made-up.html" and list((tmp_path / "out").iterdir()) == [path]
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert headings == ["Problems", "Modalities", "Who has what", "What is missing", "blood", "eye", "night"]
    drawn = pictures(text)
    assert len(drawn) == 5
    for words, svg in zip(("eye", "lead", "iron", "SD over people", "pulse"), drawn, strict=True):
        assert f"<!-- {words} -->" in svg or words in svg
    whole = text + "".join(drawn)
    assert not [person for person in IDS if re.search(rf"(?<!\d){person}(?!\d)", whole)]
    assert (
        "1 x 8 x 8" in text.replace("×", "x") and "all but &lt;10" in text and "http://" not in text.split("<svg")[0]
    )
    assert "prefers-color-scheme: dark" in text


def test_what_the_guard_finds_is_left_out(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(modality: Modality, minimum: int) -> object:
        figure = column_histograms(modality, minimum)
        figure.axes[0].plot(modality.values[:, 0], modality.values[:, 1], "o")
        return figure

    monkeypatch.setattr(page.plots, "column_histograms", leaky)
    path, left_out = draw(report_of(cohort), tmp_path)
    assert left_out == ["blood"] and "Left out by the disclosure guard: blood" in path.read_text()
    assert len(pictures(path.read_text())) == 4


def test_patterns_of_few_people_are_pooled(cohort: Cohort) -> None:
    """All: 353; no series: 40; no picture: 2; neither: 5. The last two, 7 people, take the 40 with them."""
    top, below = modalities_together(cohort).axes
    assert [bar.get_height() for bar in top.patches] == [350, 50]
    assert [text.get_text() for text in below.texts] == ["others"]
    assert [label.get_text() for label in below.get_yticklabels()] == ["blood", "eye", "night"]
    pairs = Cohort(cohort.modalities, ids=cohort.ids, minimum=2)
    assert [bar.get_height() for bar in modalities_together(pairs).axes[0].patches] == [354, 40, 6, 2]


def test_missing_values_of_few_people_are_not_sized(cohort: Cohort) -> None:
    ax = missing_columns(cohort).axes[0]
    assert [text.get_text() for text in ax.texts] == ["fewer than 10", "12 %"]
    assert [bar.get_width() for bar in ax.patches[2:]] == [0, 12.5]


def test_bars_of_few_people_are_left_out() -> None:
    values = np.r_[np.random.default_rng(0).normal(size=500), 40.5, -33.5]
    levels = np.r_[np.zeros(250), np.ones(243), np.full(9, 2.0)]
    first, second = column_histograms(Modality(np.column_stack([values, levels]), names=["x", "level"])).axes
    assert first.get_xlim()[0] > -5 and first.get_xlim()[1] < 5
    heights = [bar.get_height() for bar in first.patches]
    assert all(height % 10 == 0 for height in heights) and sum(heights) > 400
    assert [bar.get_height() for bar in second.patches] == [250, 240, 0]
    assert [label.get_text() for label in second.get_xticklabels()] == ["0", "1"]


def test_averages_are_over_enough_people(cohort: Cohort) -> None:
    mean, spread = (ax.images[0].get_array() for ax in average_images(cohort["eye"]).axes)
    np.testing.assert_allclose(mean, np.nanmean(cohort["eye"].values[:, 0], axis=0), atol=1e-5)
    np.testing.assert_allclose(spread, np.nanstd(cohort["eye"].values[:, 0], axis=0), atol=1e-5)
    line = average_series(cohort["night"]).axes[0].lines[0].get_ydata()
    assert len(line) == 60 and np.isfinite(line[:50]).all() and np.isnan(line[50:]).all()  # 7 people lie longer
    np.testing.assert_allclose(line[:50], np.nanmean(cohort["night"].values[:, 0, :50], axis=0), atol=1e-5)
    assert average_images(cohort["eye"].take(np.arange(7, 12))).axes[0].images[0].get_array().mask.all()


def test_the_command_draws_a_cohort_with_problems_as_it_would_be(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = np.column_stack([IDS, np.round(rng.normal(50, 9, size=(N, 2)), 1), rng.integers(0, 4, N)])
    np.savetxt(tmp_path / "a.csv", table, delimiter=",", header="person,x,y,z", comments="", fmt="%.1f")
    (tmp_path / "a.toml").write_text(
        'name = "a"\nsource = { path = "a.csv", id = "person" }\n[modality.one.columns]\nx = { variable = "xx" }\n'
        '[modality.two.columns]\ny = { variable = "y", rnage = [0, 100] }\nz = { variable = "z" }\n'
    )
    result = CliRunner().invoke(app, ["check", str(tmp_path / "a.toml"), "--draw", str(tmp_path / "drawn")])
    assert result.exit_code == 1 and "Drawn in" in result.output and "without" not in result.output
    text = (tmp_path / "drawn" / "a.html").read_text()
    assert "y = { variable = &quot;y&quot;, range = [0, 100] }" in text and len(pictures(text)) >= 3
    assert check_manifest(tmp_path / "a.toml").mended
    assert not any(str(person) in result.output + text for person in IDS)


@pytest.mark.parametrize("place", ["taken", "taken/inner"])
def test_a_folder_that_cannot_be_made_is_refused(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("mine")
    monkeypatch.setattr("sys.argv", ["mmcrl", "check", str(tmp_path / "none.toml"), "--draw", str(tmp_path / place)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2 and (tmp_path / "taken").read_text() == "mine"
    assert capsys.readouterr().err.startswith("mmcrl: --draw: expected a folder that is there, or can be made")
