"""The command line: exit codes, one clean line for refused input, the list of what there is."""

from pathlib import Path

import pytest
from tiny_project import make_project, start, write_notebook
from typer.testing import CliRunner

from mmcrl.cli import app, main
from mmcrl.runner import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["mmcrl", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_refused_input_is_one_line_and_exit_code_2(project: Project) -> None:
    process = start(project, "run", "--set", "seed=much")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 2 and out == ""
    assert errors == "mmcrl: parameter seed: expected int (random numbers start here), got 'much'\n"


@pytest.mark.parametrize("text", ["seed", "=3"])
def test_a_setting_without_key_or_value(
    project: Project, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", "--set", text) == 2
    assert capsys.readouterr().err == f"mmcrl: --set: expected KEY=VALUE, got '{text}'\n"


def test_run_exits_0_then_1_when_something_fails(project: Project) -> None:
    first = CliRunner().invoke(app, ["run", "tiny", "--set", "seed=4", "--profile", "full"])
    assert first.exit_code == 0 and first.output.startswith("tiny: rerun (no output)")
    write_notebook(project.root / "notebooks" / "tiny.ipynb", "1 / 0")
    second = CliRunner().invoke(app, ["run"])
    assert second.exit_code == 1 and "ZeroDivisionError" in second.output


def test_the_list_shows_parameters_and_runs_nothing(project: Project) -> None:
    listing = CliRunner().invoke(app, ["run", "--list"])
    assert listing.exit_code == 0
    assert "run tiny: Tiny\n    seed: int = 0  # random numbers start here\n" in listing.output
    assert "sweep seeds: Seeds\n" in listing.output
    assert not project.page("tiny").exists()


def test_missing_packages_are_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mmcrl.cli.find_spec", lambda name: None if name == "papermill" else object())
    assert call(monkeypatch, "run") == 2
    assert 'expected the packages of `pip install "mmcrl[book]"`, got no papermill' in capsys.readouterr().err


def test_check_tells_problems_by_its_exit_code(project: Project) -> None:
    manifest = project.root / "data" / "broken.toml"
    manifest.write_text("name = 3\n")
    result = CliRunner().invoke(app, ["check", str(manifest)])
    assert result.exit_code == 1 and "problem" in result.output
