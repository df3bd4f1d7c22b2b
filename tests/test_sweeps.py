"""Sweeps, the tables that they make, and what is known of where a table comes from."""

import ast
import json
import math
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from conftest import ROOT
from distributed import LocalCluster
from tiny_project import PARAMETERS, WORK, executions, make_project, run_in, write_notebook, write_params

from mmcrl import InputError
from mmcrl.runner import Project, glued, inputs, results
from mmcrl.runner.planner import Planner

SOMETIMES = "if seed == 1 and Path('bad').exists():\n    raise RuntimeError('bad luck')"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose sweep failed at one point, and was then run again."""
    project = make_project(tmp_path_factory.mktemp("swept"), WORK, SOMETIMES)
    (project.root / "bad").touch()
    assert run_in(project, "seeds", jobs=2) == ["seeds"]
    assert sorted(executions(project)) == ["0", "1", "2"] and not project.results.exists()
    assert len(list(project.points("seeds").glob("*.ipynb"))) == 2
    assert len(list((project.root / "build" / "failed").glob("seeds-*.ipynb"))) == 1
    (project.root / "bad").unlink()
    assert run_in(project, "seeds") == []
    return project


def test_only_the_failed_point_is_run_again(swept: Project) -> None:
    assert sorted(executions(swept)) == ["0", "1", "1", "2"]
    assert not list((swept.root / "build" / "failed").iterdir())


def test_what_is_glued_becomes_the_table(swept: Project) -> None:
    table, provenance = results.read("seeds", swept)
    assert table.to_dict("list") == {"seed": [0, 1, 2], "answer": [1.0, 2.0, 3.0]}
    assert len(provenance.seconds) == 3 and min(provenance.seconds) > 0 and provenance.cores >= 1
    assert [point["seed"] for point in provenance.points] == [0, 1, 2]
    assert {"mmcrl", "python", "torch", "numpy"} <= provenance.versions.keys()


def test_a_fresh_sweep_is_not_run(swept: Project, capsys: pytest.CaptureFixture[str]) -> None:
    before = executions(swept)
    assert run_in(swept, "seeds") == []
    assert capsys.readouterr().out == "seeds: fresh\n" and executions(swept) == before


def test_provenance_says_what_has_changed(swept: Project) -> None:
    def sentence() -> str:
        return results.read("seeds", swept)[1].changed_since(swept)

    files = [swept.params, swept.pins, swept.root / "mmcrl/__init__.py", swept.root / "notebooks/tiny.ipynb"]
    kept = {path: path.read_text() for path in [*files, swept.root / "data/people.csv"]}
    assert sentence().startswith("Computed on ") and sentence().endswith("; nothing has changed since.")
    try:
        (swept.root / "mmcrl/__init__.py").write_text("WORD = 'new'\n")
        assert sentence().endswith("with mmcrl 0.1.0; the package has changed since.")
        write_notebook(swept.root / "notebooks/tiny.ipynb", WORK)
        (swept.root / "data/people.csv").write_text("person\n3\n")
        assert sentence().endswith("; the notebook and the package and the data have changed since.")
        swept.pins.write_text("numpy==4\n")
        write_params(swept, defaults={"scale": 3.0})
        assert results.read("seeds", swept)[1].changes(swept) == [
            "the notebook",
            "the parameters",
            "the package",
            "the data",
            "the versions of other packages",
        ]
        write_params(swept, sweeps={})
        assert "no longer has this sweep" in sentence()
    finally:
        for path, text in kept.items():
            path.write_text(text)


def test_of_data_that_are_elsewhere_nothing_is_said(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    write_notebook(
        tmp_path / "notebooks/tiny.ipynb", WORK, parameters=f'{PARAMETERS}\ncohort: str = "clinic"  # whose'
    )
    assert run_in(project, "seeds") == []
    (tmp_path / "data/people.csv").write_text("person\n3\n")
    told = results.read("seeds", project)[1]
    assert told.changed_since(project).endswith(
        "; nothing has changed since, as far as can be told without its data."
    )
    (tmp_path / "mmcrl/__init__.py").write_text("WORD = 'new'\n")
    assert told.changes(project) == ["the package"]


def test_a_table_rests_on_neither_what_draws_pages_nor_cohorts_that_it_does_not_name(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    drawing, table, adapter = "mmcrl/plots/bars.py", "mmcrl/proof/tables.py", "mmcrl/layouts/clinic.py"
    for path in (drawing, table, adapter, "mmcrl/model.py", "data/x.toml", "data/y.toml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("word = 1\n")  # the parameter `word` is "x"

    def changed(path: str) -> tuple[list[str], list[str]]:
        """What is new of the sweep, and of the page, once this file is another one."""
        sweep, page = Planner(project).points("seeds")[0].inputs, Planner(project).run("tiny").inputs
        (tmp_path / path).write_text((tmp_path / path).read_text() + "word += 2\n")
        again = Planner(project)
        return again.points("seeds")[0].inputs.changes(sweep), again.run("tiny").inputs.changes(page)

    assert changed(drawing) == ([], ["package"])
    assert changed(table) == ([], ["package"])
    assert changed("mmcrl/model.py") == (["package"], ["package"])
    assert changed("data/y.toml")[0] == []
    assert changed("data/x.toml")[0] == ["data"]
    assert changed(adapter) == (["package"], ["package"])
    (tmp_path / "data/x.toml").unlink()
    assert changed(adapter) == ([], ["package"]), "no cohort is named"


def imported(source: str) -> set[str]:
    """The modules that a source imports anywhere, and what it takes from them."""
    nodes = list(ast.walk(ast.parse(source)))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return whole | {
        name for node in parts for name in (node.module, *(f"{node.module}.{a.name}" for a in node.names))
    }


def test_nothing_that_numbers_come_from_uses_what_tables_do_not_rest_on() -> None:
    """But `mmcrl.proof`, which also reads tables for pages."""
    package = ROOT / "mmcrl"
    outside = {f"mmcrl.{name.removesuffix('.py').replace('/', '.')}" for name in inputs._OF_PAGES}
    assert all((package / name).exists() for name in (*inputs._OF_PAGES, *inputs._OF_COHORTS))
    sources = {path.relative_to(package).as_posix(): path.read_text() for path in package.rglob("*.py")}
    del sources["__init__.py"], sources["proof/__init__.py"], sources["proof/study.py"]
    for path in (ROOT / "notebooks" / "workers").glob("*.ipynb"):
        cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        sources[path.name] = "\n".join(cells)
    left = [n for n in sources if not any(n == out or n.startswith(f"{out}/") for out in inputs._OF_PAGES)]
    assert len(left) > 120
    for name in left:
        used = {found for found in imported(sources[name]) if found.startswith("mmcrl.")}
        below = tuple(f"{module}." for module in outside)
        assert not {found for found in used if found in outside or found.startswith(below)}, name


def test_a_page_is_made_again_when_a_table_or_its_sweep_changes(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    without = Planner(project).run("tiny").inputs
    write_params(project, sweeps={"seeds": {"notebook": "notebooks/tiny.ipynb", "title": "S", "grid": {"seed": [1]}}})
    assert Planner(project).run("tiny").inputs == without  # no table yet
    point = Planner(project).points("seeds")[0].inputs
    assert run_in(project, "seeds") == []
    with_table = Planner(project).run("tiny").inputs
    assert with_table.changes(without) == ["data"]
    assert Planner(project).points("seeds")[0].inputs == point  # a table is no input of a sweep
    write_params(project)
    assert Planner(project).run("tiny").inputs.changes(with_table) == ["data"]


@pytest.mark.parametrize("name", ["seeds.csv", "seeds.json"])
def test_a_damaged_table_is_refused(swept: Project, name: str) -> None:
    path = swept.results / name
    kept = path.read_text()
    try:
        for damaged in (kept[:-9], "[]"):
            path.write_text(damaged)
            with pytest.raises(InputError, match=r"name: expected .*table"):
                results.read("seeds", swept)
    finally:
        path.write_text(kept)


def test_a_table_that_was_never_made(swept: Project) -> None:
    with pytest.raises(InputError, match="expected a table made by `python -m mmcrl run nothing`, got none"):
        results.read("nothing", swept)


def test_the_files_hold_no_path_of_this_machine(swept: Project) -> None:
    for path in [*swept.results.iterdir(), *swept.points("seeds").iterdir()]:
        assert str(swept.root) not in path.read_text() and str(Path.home()) + "/" not in path.read_text()
    assert json.loads((swept.results / "seeds.json").read_text())["notebook"] == "notebooks/tiny.ipynb"


def test_a_sweep_on_a_scheduler_elsewhere(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    grid = {"seed": [4, 5], "word": ["a"]}
    write_params(project, sweeps={"seeds": {"notebook": "notebooks/tiny.ipynb", "title": "S", "grid": grid}})
    cluster = LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None)
    with cluster:
        assert run_in(project, "seeds", scheduler=cluster.scheduler_address) == []
    expected = pd.DataFrame({"seed": [4, 5], "word": ["a", "a"], "answer": [5.0, 6.0]})
    pd.testing.assert_frame_equal(results.read("seeds", project)[0], expected, check_dtype=False)


def test_glued_values_are_plain(tmp_path: Path) -> None:
    code = """import numpy as np, pandas as pd
from myst_nb import glue
glue("number", 0.25, display=False); glue("count", 3, display=False); glue("text", "it's", display=False)
glue("shown", True); glue("nan", float("nan"), display=False)
glue("table", pd.DataFrame({"a": [1]}), display=False)"""
    project = make_project(tmp_path, code)
    assert run_in(project, "tiny") == []
    values = glued(project.page("tiny"))
    assert math.isnan(values.pop("nan"))
    assert values == {"number": 0.25, "count": 3, "text": "it's", "shown": True}
    write_notebook(project.root / "notebooks" / "tiny.ipynb", code + '\nglue("numpy", np.float64(1), display=False)')
    assert run_in(project, "tiny") == []
    with pytest.raises(InputError, match="glue numpy: expected a plain Python number or text"):
        glued(project.page("tiny"))


def test_several_grids_make_one_table(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    grids = [{"word": ["a"], "seed": [4, 5]}, {"seed": [5, 6], "word": ["a"]}]
    write_params(project, sweeps={"seeds": {"notebook": "notebooks/tiny.ipynb", "title": "S", "grid": grids}})
    points = [job.varied for job in Planner(project).points("seeds")]
    assert [list(point) for point in points] == [["seed", "word"]] * 3
    assert [point["seed"] for point in points] == [4, 5, 6], "a point of both grids is executed once"


def test_grids_that_vary_other_parameters_are_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    grids = [{"seed": [1]}, {"seed": [1], "word": ["a"]}]
    write_params(project, sweeps={"seeds": {"notebook": "notebooks/tiny.ipynb", "title": "S", "grid": grids}})
    with pytest.raises(InputError, match="grids of the same parameters; only some have word"):
        Planner(project)
