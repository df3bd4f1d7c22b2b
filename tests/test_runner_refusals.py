"""The runner refuses what is wrong before a kernel starts, and says what was expected."""

from pathlib import Path

import pytest
from tiny_project import executions, make_project, run_in, write_notebook, write_params

from mmcrl import InputError
from mmcrl.runner import Project
from mmcrl.runner.config import read_config


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


def refused(project: Project, *names: str, **options: object) -> str:
    """The message; nothing was executed or written."""
    before = sorted(project.root.rglob("*"))
    with pytest.raises(InputError) as error:
        run_in(project, *names, **options)
    assert executions(project) == [] and sorted(project.root.rglob("*")) == before
    return str(error.value)


def test_an_unknown_parameter(project: Project) -> None:
    write_params(project, runs={"tiny": {"notebook": "notebooks/tiny.ipynb", "title": "T", "params": {"sed": 1}}})
    message = refused(project)
    assert (
        "parameter sed: expected a parameter of notebooks/tiny.ipynb, the nearest being 'seed', got 'sed'" in message
    )
    assert "    scale: float = 1.0  # of the answer\n" in message
    write_params(project)
    assert "--set sede: expected a parameter of tiny, the nearest being 'seed'" in refused(
        project, settings={"sede": "1"}
    )


@pytest.mark.parametrize(
    ("name", "text", "annotation"),
    [
        ("seed", "1.5", "int"),
        ("seed", "true", "int"),
        ("scale", "wide", "float"),
        ("deep", "1", "bool"),
        ("sizes", "[1, 'a']", "list[int]"),
        ("sizes", "3", "list[int]"),
    ],
)
def test_a_value_of_another_type(project: Project, name: str, text: str, annotation: str) -> None:
    message = refused(project, settings={name: text})
    assert message.startswith(f"parameter {name}: expected {annotation} (")


def test_a_value_of_another_type_in_the_file(project: Project) -> None:
    write_params(project, defaults={"seed": "3"})
    assert refused(project) == "parameter seed: expected int (random numbers start here), got '3'"


def test_a_setting_that_the_sweep_varies(project: Project) -> None:
    assert "--set seed: expected a parameter that sweep seeds does not vary" in refused(
        project, "seeds", settings={"seed": "1"}
    )


def test_a_name_that_is_neither_run_nor_sweep(project: Project) -> None:
    assert refused(project, "tinny") == (
        "name: expected a run or sweep of params.yml, the nearest being 'tiny', got 'tinny'"
    )


@pytest.mark.parametrize(
    ("parameters", "tag", "expected"),
    [
        ("seed: int = 0  # help", "other", "notebook notebooks/tiny.ipynb: expected a cell tagged `parameters`"),
        ("seed = 0  # help", "parameters", "parameter seed of notebooks/tiny.ipynb: expected a line such as"),
        ("seed: int = 0", "parameters", "parameter seed of"),
        ("seed: int | None = 0  # help", "parameters", "parameter seed of"),
        ("seed: int = 1 + 1  # help", "parameters", "parameter seed of"),
        ("seed: int = 'a'  # help", "parameters", "parameter seed: expected int (help), got 'a'"),
        ("seed: array = 0  # help", "parameters", "annotation: expected a type made of int, float"),
        ("seed: int = (  # help", "parameters", "a `parameters` cell of valid Python"),
    ],
)
def test_a_notebook_whose_parameters_cannot_be_read(
    project: Project, parameters: str, tag: str, expected: str
) -> None:
    write_notebook(project.root / "notebooks" / "tiny.ipynb", parameters=parameters, tag=tag)
    assert expected in refused(project)


@pytest.mark.parametrize(("text", "got"), [(None, "none"), ("{", "a damaged file")])
def test_a_notebook_that_cannot_be_read(project: Project, text: str | None, got: str) -> None:
    path = project.root / "notebooks" / "tiny.ipynb"
    path.unlink() if text is None else path.write_text(text)
    assert refused(project) == f"notebook notebooks/tiny.ipynb: expected a readable notebook, got {got}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: {}", "params.yml run: expected a known key, the nearest being 'runs', got 'run'"),
        (
            "runs: {a: {notbook: x, notebook: y, title: t}}",
            "params.yml runs.a.notbook: expected a known key, the nearest being 'notebook', got 'notbook'",
        ),
        ("runs: {a: {notebook: y}}", "params.yml runs.a.title: expected a value, got nothing"),
        ("threads: 0", "params.yml threads: expected greater than or equal to 1, got 0"),
        ("sweeps: {a: {notebook: y, title: t, grid: {}}}", "params.yml sweeps.a.grid: expected "),
        ("runs: {../a: {notebook: y, title: t}}", "params.yml runs.../a: expected "),
        ("defaults: {seed: 1, seed: 2}", "key 'seed' is given twice"),
        ("runs: [", "params.yml: expected a readable YAML file"),
        (
            "runs: {a: {notebook: y, title: t}}\nsweeps: {a: {notebook: y, title: t, grid: {s: [1]}}}",
            "params.yml sweeps: expected other names than the runs have, got 'a'",
        ),
    ],
)
def test_a_faulty_params_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "params.yml").write_text(text)
    with pytest.raises(InputError) as error:
        read_config(tmp_path / "params.yml")
    assert message in str(error.value)


def test_numbers_may_be_written_as_in_python(tmp_path: Path) -> None:
    (tmp_path / "params.yml").write_text("defaults: {rate: 1e-3, big: 2E4, plain: 0.5}")
    assert read_config(tmp_path / "params.yml").defaults == {"rate": 0.001, "big": 20000.0, "plain": 0.5}


def test_a_folder_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmcrl.runner.project._PACKAGE", tmp_path / "mmcrl")
    with pytest.raises(InputError, match=r"params.yml: expected a file of this name in the current folder"):
        Project.find(tmp_path)
