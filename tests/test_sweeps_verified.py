"""Points of a sweep that are computed anew and held against its table: what is told, written and refused."""

import json
import math
from pathlib import Path

import pytest
from tiny_project import WORK, executions, make_project, run_in, write_notebook, write_params
from typer.testing import CliRunner

from mmcrl import InputError
from mmcrl.cli import app
from mmcrl.runner import Project, results
from mmcrl.runner.planner import Planner
from mmcrl.runner.verify import _differences, _spread

MORE = """from myst_nb import glue
from mmcrl import WORD
glue("word", WORD, display=False)
glue("gap", float("nan"), display=False)
glue("third", (seed + 1) / 3, display=False)
if seed:
    glue("rare", seed, display=False)
import time
glue("fit_seconds", time.time(), display=False)
glue("peak_mb", time.time_ns(), display=False)"""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    """The files of a project whose sweep has been run."""
    project = make_project(tmp_path_factory.mktemp("once"), WORK, MORE)
    assert run_in(project, "seeds", jobs=2) == []
    return {path.relative_to(project.root): path.read_bytes() for path in project.root.rglob("*") if path.is_file()}


@pytest.fixture
def project(once: dict[Path, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Such a project, whose package has changed since, without a change of any number."""
    for path, content in once.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    change(Project(tmp_path))
    (tmp_path / "log.txt").unlink()
    return Project(tmp_path)


def change(project: Project, word: str = "tiny") -> None:
    module = project.root / "mmcrl" / "__init__.py"
    module.write_text(f"{module.read_text()}WORD = {word!r}\n")


def sentence(project: Project) -> str:
    return results.read("seeds", project)[1].changed_since(project).split("; ")[1]


def files(project: Project) -> dict[Path, bytes]:
    below = [path for folder in ("data", "build") for path in (project.root / folder).rglob("*")]
    return {path: path.read_bytes() for path in below if path.is_file()}


def test_the_same_numbers_are_told_until_the_next_change(project: Project) -> None:
    assert sentence(project) == "the package has changed since."
    before, page = files(project), Planner(project).run("tiny").inputs
    record = json.loads(before[project.results / "seeds.json"])
    assert run_in(project, "seeds", verify=2) == [] and executions(project) == ["0", "2"]
    verified = sentence(project)
    told = "2 of 3 points, computed anew with it, gave the same numbers, times and memory apart."
    assert verified == f"the package has changed since: {told}"
    told = json.loads((project.results / "seeds.json").read_text())
    assert told.pop("verified")["points"] == 2 and record.pop("verified") is None
    assert told == record, "its points, inputs, seconds and date stay"
    after = files(project)
    assert [path.name for path in after if before.get(path) != after[path]] == ["seeds.json"]
    assert after.keys() == before.keys()
    assert Planner(project).run("tiny").inputs.changes(page) == ["data"], "pages that show the sentence are stale"
    assert results.read("seeds", project)[1].changes(project) == ["the package"], "the sweep is no fresher"

    change(project)
    assert sentence(project) == "the package has changed since."
    project.pins.write_text("numpy==4\n")
    assert run_in(project, "seeds", verify=9) == [] and len(executions(project)) == 5
    both = "the package and the versions of other packages have changed since: 3 of 3 points, computed anew with them"
    assert sentence(project) == f"{both}, gave the same numbers, times and memory apart."


def test_another_text_is_told_and_nothing_is_written(project: Project) -> None:
    change(project, "huge")
    before = files(project)
    result = CliRunner().invoke(app, ["run", "seeds", "--verify", "1", "--jobs", "1"])
    assert result.exit_code == 1 and executions(project) == ["0"]
    assert "seeds seed=0: word is huge, was tiny, in " in result.output
    assert "seeds: 1 of 1 points did not give what is in the table; nothing is written\n" in result.output
    assert files(project) == before and sentence(project) == "the package has changed since."


def test_a_point_that_fails_is_told_and_nothing_is_written(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write_notebook(project.root / "notebooks" / "tiny.ipynb", WORK, MORE, "1 / (2 - seed)")
    before = files(project)
    assert run_in(project, "seeds", verify=2) == ["seeds"] and files(project) == before
    out = capsys.readouterr().out
    assert "seeds seed=0: the same, in" in out and "seeds seed=2: failed at cell 5" in out


def test_code_that_changes_meanwhile_is_not_called_verified(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    edit = 'with open("mmcrl/__init__.py", "a") as module:\n    module.write("X = 1\\n")'
    write_notebook(project.root / "notebooks" / "tiny.ipynb", WORK, MORE, edit)
    before = files(project)
    assert run_in(project, "seeds", verify=1) == ["seeds"] and files(project) == before
    assert "something has changed meanwhile; nothing is written" in capsys.readouterr().out


def test_a_provenance_from_before_there_was_this_is_read(project: Project) -> None:
    path = project.results / "seeds.json"
    record = json.loads(path.read_text())
    del record["verified"]
    path.write_text(json.dumps(record))
    assert results.read("seeds", project)[1].verified is None
    path.write_text(json.dumps({**record, "verified": {"points": 2}}))
    with pytest.raises(InputError, match=r"a damaged seeds.json"):
        results.read("seeds", project)


def test_what_cannot_be_verified_is_refused(project: Project) -> None:
    def refused(*names: str, **options: object) -> str:
        before = files(project)
        with pytest.raises(InputError) as error:
            run_in(project, *names, **{"verify": 1, **options})
        assert executions(project) == [] and files(project) == before
        return str(error.value)

    assert refused("seeds", "tiny") == "--verify: expected names of sweeps alone, got the run 'tiny'"
    assert refused() == "--verify: expected names of sweeps alone, got the run 'tiny'"
    assert "no --force beside it" in refused("seeds", force=True)
    assert refused("seeds", verify=0) == "--verify: expected a whole number of at least 1, got 0"
    other = "--verify seeds: expected a table of the points of params.yml (`python -m mmcrl run seeds` makes it)"
    assert refused("seeds", settings={"scale": "2.0"}) == f"{other}, got a table of others"
    for changed in ({"grid": {"seed": [0, 1]}}, {"grid": {"seed": [2, 1, 0]}}, {"params": {"scale": 2.0}}):
        sweep = {"notebook": "notebooks/tiny.ipynb", "title": "S", "grid": {"seed": [0, 1, 2]}, **changed}
        write_params(project, sweeps={"seeds": sweep})
        assert refused("seeds").startswith(other)
    write_params(project)
    (project.results / "seeds.json").unlink()
    assert "expected a table made by `python -m mmcrl run seeds`, got none" in refused("seeds")


def test_points_are_spread_evenly() -> None:
    assert [_spread(20, count) for count in (1, 2, 3)] == [[0], [0, 19], [0, 9, 19]]
    assert _spread(3, 9) == [0, 1, 2] and _spread(1, 5) == [0]
    assert all(len(set(_spread(17, count))) == count for count in range(1, 18))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.3333333333333333", 0.33333333333), ("4.0", 4), ("4", 4.0), ("", math.nan), ("inf", math.inf),
        ("True", True), ("5", "5"), ("above", "above"), ("", ""),
    ],
)  # fmt: skip
def test_the_same_cell(old: str, new: float | str) -> None:
    assert _differences({"a": old}, {"a": new}) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.3333333333333333", 0.333333), ("4", 5), ("", 0.0), ("0.0", math.nan), ("inf", -math.inf), ("4.5", 4),
        ("True", False), ("True", 1), ("above", 1.0), ("above", "below"), ("5.0", "5"),
    ],
)  # fmt: skip
def test_another_cell(old: str, new: float | str) -> None:
    assert _differences({"a": old}, {"a": new}) == f"a is {new}, was {old or 'none'}"


def test_columns_that_come_or_go_are_told_but_not_those_that_measure() -> None:
    old = {"seconds": "1", "peak_mb": "3", "held_kb": "2", "minutes": "4", "a": "1", "b": ""}
    assert _differences(old, {"fit_seconds": 2.0, "c": 1}) == "a is no more, was 1; c is 1, was none"
    assert _differences({"known a.seconds – b": "1"}, {"known a.seconds – b": 2}) != ""
    assert _differences({}, {f"c{i}": i for i in range(6)}).endswith("; 2 more columns")
