"""The runner killed at work: what was finished stays, nothing half is left, no kernel lives on."""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import nbformat
import psutil
import pytest
from tiny_project import WORK, executions, make_project, run_in, start, write_notebook, write_params

from mmcrl.runner import Project, results

WAIT = """import os, time
from pathlib import Path
Path("kernel").write_text(str(os.getpid()))
while not Path("go").exists():
    time.sleep(0.02)"""


def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A run that ends at once, and one that waits for the file `go`."""
    project = make_project(tmp_path)
    write_notebook(tmp_path / "notebooks" / "slow.ipynb", WORK, WAIT)
    runs = {name: {"notebook": f"notebooks/{name}.ipynb", "title": name} for name in ("tiny", "slow")}
    write_params(project, runs=runs)
    return project


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_what_was_finished_stays_and_the_rest_reruns(
    project: Project, number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    mmcrl = start(project, "run", "tiny", "slow", "--jobs", "1")
    kernel = project.root / "kernel"
    until(lambda: kernel.exists() and kernel.read_text() != "")
    finished = project.page("tiny").read_text()
    os.kill(mmcrl.pid, number)
    _, errors = mmcrl.communicate(timeout=60)
    assert mmcrl.returncode == code and "Traceback" not in errors
    until(lambda: not lives(int(kernel.read_text())), 10)

    assert os.listdir(project.page("").parent) == ["tiny.ipynb"]
    half = project.page("slow").with_name(f".slow.ipynb.{mmcrl.pid}-1.tmp")
    half.write_text("half a notebook")
    (project.root / "go").touch()
    assert run_in(project) == []
    out = capsys.readouterr().out
    assert out.startswith("tiny: fresh\nslow: rerun (no output) in ")
    assert project.page("tiny").read_text() == finished and executions(project) == ["3", "3", "3"]
    assert nbformat.read(project.page("slow"), as_version=4).cells[-1].execution_count
    assert not half.exists()
    assert not list(Path(tempfile.gettempdir()).glob(f"mmcrl-{mmcrl.pid}-*"))


def test_the_finished_points_of_a_sweep_stay(project: Project) -> None:
    write_notebook(project.root / "notebooks" / "tiny.ipynb", WORK, f"if seed == 1:\n{indent(WAIT, '    ')}")
    mmcrl = start(project, "run", "seeds", "--jobs", "1")
    kernel = project.root / "kernel"
    until(lambda: kernel.exists() and kernel.read_text() != "")
    mmcrl.kill()
    mmcrl.communicate(timeout=60)
    until(lambda: not lives(int(kernel.read_text())), 10)
    assert executions(project) == ["0", "1"]
    (project.root / "go").touch()
    assert run_in(project, "seeds") == []
    assert executions(project) == ["0", "1", "1", "2"]
    assert list(results.read("seeds", project)[0]["answer"]) == [1.0, 2.0, 3.0]


def test_files_of_a_living_process_are_left_alone(project: Project) -> None:
    other = project.page("tiny").with_name(f".tiny.ipynb.{os.getppid()}-1.tmp")
    other.parent.mkdir(parents=True)
    other.write_text("someone is at work")
    assert run_in(project, "tiny") == []
    assert other.exists()
