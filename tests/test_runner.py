"""The runner: what is run again and what not, failures, and executed notebooks that are the same every time."""

import base64
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import nbformat
import numpy as np
import pytest
from conftest import ROOT
from jupyter_core.utils import ensure_event_loop
from nbformat import NotebookNode
from small_cohort import edit, write_small
from tiny_project import WORK, executions, make_project, run_in, write_notebook, write_params

from mmcrl.runner import Project, glued
from mmcrl.runner.execute import Executed, Task, execute
from mmcrl.runner.inputs import Surroundings
from mmcrl.runner.planner import Planner
from mmcrl.runner.stable import stabilise
from mmcrl.runner.stamp import changes_since


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose run has been made; tests that share it change nothing."""
    project = make_project(tmp_path_factory.mktemp("done"))
    assert run_in(project) == []
    return project


def page(project: Project) -> NotebookNode:
    return nbformat.read(project.page("tiny"), as_version=4)


def test_parameters_come_from_defaults_profile_and_settings(project: Project) -> None:
    assert run_in(project, profile="full", settings={"sizes": "[4]", "deep": "true"}) == []
    assert glued(project.page("tiny")) == {"answer": 8.0}  # (3 + 1) * 2
    expected = {"seed": 3, "scale": 2.0, "word": "x", "deep": True, "sizes": [4]}
    assert page(project).metadata["mmcrl"]["parameters"] == expected


def test_an_unchanged_run_is_not_executed_again(done: Project, capsys: pytest.CaptureFixture[str]) -> None:
    before = project_state(done)
    assert run_in(done) == []
    assert capsys.readouterr().out == "tiny: fresh\n"
    assert project_state(done) == before


def project_state(project: Project) -> tuple[list[str], int]:
    return executions(project), project.page("tiny").stat().st_mtime_ns


CHANGES = {
    "cells": lambda p: write_notebook(p.root / "notebooks" / "tiny.ipynb", WORK + "\n1 + 1"),
    "parameters": lambda p: write_params(p, defaults={"seed": 4}),
    "package": lambda p: (p.root / "mmcrl" / "more.py").write_text("x = 1\n"),
    "data": lambda p: (p.root / "data" / "people.csv").write_text("person\n2\n"),
    "pins": lambda p: p.pins.write_text("numpy==3\n"),
    "damaged output": lambda p: p.page("tiny").write_text(p.page("tiny").read_text().replace("[1, 2]", "[1, 3]")),
    "no output": lambda p: p.page("tiny").unlink(),
}


def test_every_change_is_seen_and_named(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_in(project) == []
    for name, change in CHANGES.items():
        kept = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
        change(project)
        job = Planner(project).run("tiny")
        assert changes_since(job.output, job.inputs) == [name]
        for path in [path for path in project.root.rglob("*") if path.is_file() and path not in kept]:
            path.unlink()
        for path, content in kept.items():
            path.write_bytes(content)
    CHANGES["cells"](project)
    CHANGES["pins"](project)
    capsys.readouterr()
    assert run_in(project) == []
    assert capsys.readouterr().out.startswith("tiny: rerun (cells, pins) in ")
    assert executions(project) == ["3", "3"]


def test_of_the_package_what_it_does_counts_and_not_what_is_said_of_it(project: Project) -> None:
    module, listed = project.root / "mmcrl" / "more.py", project.root / "mmcrl" / "listed.csv"

    def package() -> str:
        return Planner(project).run("tiny").inputs.package

    module.write_text('"""Old."""\n\n\ndef f(x):\n    """Old."""\n    return x + 1\n')
    before = package()
    module.write_text('"""New\nwords."""\n\n\ndef f(x):  # one\n    # two\n    r\'told\'\n    return x + 1\n')
    assert package() == before
    module.write_text("\n\ndef f(x):\n    return x + 1\n")
    assert package() == before
    seen = {before}
    texts = ["def f(x):\n    return x + 2\n", "def f(x):\n    return 'x + 2'\n", "def f(x:\n", "def f(x):\n"]
    texts += ["def f(x):\n    'told'; return x + 1\n", "def f(x):\n    return '# x' + 1\n", "\0"]
    for text in texts:
        module.write_text(text)
        assert package() not in seen
        seen.add(package())
    listed.write_text("a\n1\n")
    assert package() not in seen


def test_a_project_without_a_package_of_its_own_has_that_of_the_checkout_unchanged(project: Project) -> None:
    shutil.rmtree(project.root / "mmcrl")
    assert list(project.package.rglob("*.csv")), "tables lie in the package, which is elsewhere"
    here = Planner(project).run("tiny").inputs.package
    assert here == Planner(Project(ROOT)).run("01_generative_model").inputs.package


def test_the_table_of_a_cohort_elsewhere_is_data_too(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clinic = write_small(tmp_path_factory.mktemp("clinic"))
    settings = {"word": str(clinic / "small.toml")}
    before = Planner(project).run("tiny", settings=settings).inputs
    assert Planner(project).run("tiny", settings=settings).inputs == before
    table = clinic / "people.csv"
    table.write_text(table.read_text().replace("103", "903"))
    assert Planner(project).run("tiny", settings=settings).inputs.changes(before) == ["data"]
    edit(clinic, "min = 20", "min = 21")
    (project.root / "data" / "half.toml").write_text("name = ")
    assert Planner(project).run("tiny", settings=settings).inputs.changes(before) == ["data"]


def test_a_page_whose_files_are_not_here_is_made_by_another_notebook(project: Project) -> None:
    clinic, cohort = project.root / "clinic", 'cohort: str = "none"  # a manifest'
    clinic.mkdir()
    write_small(clinic)
    for name, parameters in {"study": f"{cohort}\nsteps: int = 1  # of the training", "absent": cohort}.items():
        write_notebook(project.root / "notebooks" / f"{name}.ipynb", f"'{name}'", parameters=parameters)
    entry = {"notebook": "notebooks/study.ipynb", "without": "notebooks/absent.ipynb", "heading": "A clinic"}
    params = {"cohort": "clinic/small.toml", "steps": 2}
    write_params(project, defaults={}, runs={"clinic": {**entry, "title": "Clinic", "params": params}})

    def cells(**settings: str) -> list[str]:
        source = Planner(project).run("clinic", settings=settings).task.source
        return [cell.source for cell in nbformat.reads(source, 4).cells]

    assert (cells()[0], cells()[-1]) == ("# A clinic", "'study'")
    assert cells(cohort="none")[-1] == "'absent'"
    with_files = Planner(project).run("clinic")
    (clinic / "people.csv").unlink()
    assert (cells()[0], cells()[-1]) == ("# A clinic", "'absent'")
    without = Planner(project).run("clinic")
    assert (with_files.parameters, without.parameters) == (params, {"cohort": "clinic/small.toml"})
    assert "cells" in without.inputs.changes(with_files.inputs), "the page is made anew"
    assert run_in(project, "clinic") == []


def test_outputs_and_tags_without_content_are_no_change(done: Project) -> None:
    before = Planner(done).run("tiny").inputs
    source = done.root / "notebooks" / "tiny.ipynb"
    text = source.read_text()
    notebook = nbformat.reads(text, as_version=4)
    notebook.cells[3].outputs = [nbformat.v4.new_output("stream", text="seen")]
    notebook.cells[3].execution_count, notebook.cells[3].id = 7, "other"
    notebook.cells[3].metadata = {"tags": [], "collapsed": True}
    nbformat.write(notebook, source)
    try:
        assert Planner(done).run("tiny").inputs == before
    finally:
        source.write_text(text)


def test_two_executions_give_the_same_bytes(tmp_path: Path) -> None:
    varying = """import sys, time, warnings, matplotlib.pyplot as plt
print(object(), {"b", "a", "c"}, __import__("os").getcwd(), plt.__file__)
warnings.warn("beware")
for i in range(3): print(i, file=sys.stderr, flush=True); print(-i, flush=True); time.sleep(0.01)
%config InlineBackend.figure_formats = ["svg", "png"]
plt.plot([1, 2, 1]);"""
    texts = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        project = make_project(tmp_path / name, WORK, varying)
        assert run_in(project) == []
        texts.append(project.page("tiny").read_text())
    assert texts[0] == texts[1]
    for machine in (str(tmp_path), sys.prefix, str(Path.home()) + "/"):
        assert machine not in texts[0]
    assert "at 0x…" in texts[0] and "cell:3: UserWarning: beware" in texts[0]
    assert [cell.get("execution_count") for cell in page(project).cells] == [None, 1, 2, None, 3, 4]


def test_a_failing_cell_is_named_and_kept_aside(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbformat.v4.nbbase.random_cell_id", lambda: "40563457")  # papermill's own cell: one in 43
    notebook = {"notebook": "notebooks/tiny.ipynb", "title": "Tiny"}
    write_params(project, runs={"bad": notebook | {"params": {"scale": 0.0}}, "good": notebook}, sweeps={})
    write_notebook(project.root / "notebooks" / "tiny.ipynb", WORK, "1 / scale", "print('not reached')")
    assert run_in(project) == ["bad"]
    out = capsys.readouterr().out
    assert "bad: failed (no output) at cell 4 under 'The work': ZeroDivisionError: float division by zero" in out
    assert "see build/failed/bad.ipynb" in out and "good: rerun" in out and out.endswith("1 of 2 failed: bad\n")
    assert not project.page("bad").exists() and project.page("good").exists()
    failed = nbformat.read(project.failed("bad"), as_version=4)
    assert any(o.output_type == "error" for o in failed.cells[-2].outputs) and not failed.cells[-1].outputs


def test_an_earlier_page_says_that_its_rerun_failed(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_in(project) == []
    good = project.page("tiny").read_text()
    (project.root / "notebooks" / "tiny.ipynb").rename(project.root / "kept.ipynb")
    write_notebook(project.root / "notebooks" / "tiny.ipynb", WORK, "raise KeyError('lost')")
    for reason in ("cells", "an earlier failure"):
        assert run_in(project) == ["tiny"]
        assert f"failed ({reason}) at cell 4" in capsys.readouterr().out
    notices = [cell for cell in page(project).cells if "out of date" in cell.source]
    assert len(notices) == 1 and "KeyError: 'lost'" in notices[0].source
    (project.root / "kept.ipynb").rename(project.root / "notebooks" / "tiny.ipynb")
    assert run_in(project) == []
    assert project.page("tiny").read_text() == good and not project.failed("tiny").exists()


def test_a_kernel_that_dies_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path, "import os\nos._exit(1)")
    assert run_in(project) == ["tiny"]
    assert "at cell 3 under 'The work': the kernel ended" in capsys.readouterr().out


SLOW = """import time
from IPython import get_ipython
kernel = get_ipython().kernel
publish = kernel._publish_status
def late(status, *arguments, **keywords):
    if status == "idle":
        kernel._publish_status = publish
        time.sleep(6)
    return publish(status, *arguments, **keywords)
kernel._publish_status = late"""


def test_output_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    project = make_project(tmp_path, SLOW, WORK)
    assert run_in(project) == []
    assert glued(project.page("tiny")) == {"answer": 4.0}


def test_one_execution_that_cannot_be_made_leaves_the_others(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full_disk(task: Task, *watch: object) -> Executed:
        if task.given["seed"] == 1:
            raise OSError(28, "No space left on device")
        return execute(task)

    monkeypatch.setattr("mmcrl.runner.pool.execute", full_disk)
    notebook = {"notebook": "notebooks/tiny.ipynb", "title": "Tiny"}
    write_params(project, runs={f"r{seed}": notebook | {"params": {"seed": seed}} for seed in (1, 2)})
    assert run_in(project) == ["r1"]
    assert "r1: failed (no output) at no cell: OSError: [Errno 28]" in capsys.readouterr().out
    assert project.page("r2").exists() and not project.page("r1").exists()


def test_executions_that_begin_in_one_context_share_no_event_loop(project: Project) -> None:
    """Workers of dask begin tasks in copies of the context that made them, with the loop that Jupyter keeps there."""

    def both() -> list[Executed]:
        ensure_event_loop()
        tasks = [Planner(project).run("tiny", "quick", {"seed": seed}).task for seed in (1, 2)]
        with ThreadPoolExecutor(2) as pool:
            return [done.result() for done in [pool.submit(copy_context().run, execute, task) for task in tasks]]

    assert [done.failure for done in copy_context().run(both)] == [None, None]


def test_the_kernel_is_the_same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = """import os, socket, sys, mmcrl
print(os.environ["OMP_NUM_THREADS"], os.environ["PYTHONHASHSEED"], mmcrl.WORD, sys.executable == os.environ["PYTHON"])
try:
    socket.create_connection(("192.0.2.1", 80), 1)
except ConnectionRefusedError as error:
    print(error)"""
    for name, value in {"OMP_NUM_THREADS": "7", "PYTHONHASHSEED": "5", "PYTHON": sys.executable}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUPYTER_PATH", "/nowhere")
    project = make_project(tmp_path, probe)
    assert run_in(project) == []
    text = "1 0 tiny True\nnotebooks run without a network: 192.0.2.1 was asked for\n"
    assert page(project).cells[-1].outputs[0].text == text


def test_papermill_runs_a_notebook_directly(done: Project, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "papermill", "notebooks/tiny.ipynb", str(tmp_path / "out.ipynb")]
    before = executions(done)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    options = {"cwd": done.root, "env": environment, "capture_output": True, "text": True}
    result = subprocess.run([*command, "-p", "seed", "5"], **options)  # type: ignore[call-overload]
    assert result.returncode == 0, result.stderr
    assert glued(tmp_path / "out.ipynb") == {"answer": 6.0}
    assert executions(done) == [*before, "5"]


def test_a_large_picture_is_written_as_it_is() -> None:
    letters = base64.b64encode(np.random.default_rng(0).bytes(2_000_000)).decode()
    svg = f'<svg><image href="data:image/png;base64,{letters}"/></svg>'  # hours, were each of its letters a beginning
    told = 'File "/tmp/x/ipykernel_12/34.py", line 3, at 0x7f12'
    outputs = [
        nbformat.v4.new_output("display_data", {"image/svg+xml": svg}),
        nbformat.v4.new_output("stream", name="stdout", text=told),
    ]
    cell = nbformat.v4.new_code_cell("1", outputs=outputs)
    done = stabilise(nbformat.v4.new_notebook(cells=[cell]), Path("/nowhere"))
    picture, text = done.cells[0].outputs
    assert picture.data["image/svg+xml"] == svg
    assert text.text == 'File "cell", line 3, at 0x…'


def test_what_the_environment_holds_is_the_same_wherever_it_lies():
    held = Path(np.__file__).resolve()
    assert Surroundings(Project(ROOT))._file(held).split(" ")[0] == held.name
