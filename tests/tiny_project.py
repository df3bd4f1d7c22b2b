"""A project with one tiny notebook, for the tests of the runner. Its own package keeps the real one out of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mmcrl.runner import Options, Project, run

ROOT = Path(__file__).resolve().parents[1]
PARAMETERS = """seed: int = 0  # random numbers start here
scale: float = 1.0  # of the answer
word: str = "x"  # to say
deep: bool = False  # whether to dig
sizes: list[int] = [1, 2]  # of the groups"""
WORK = """from pathlib import Path
from IPython.display import display
with Path("log.txt").open("a") as log:
    log.write(f"{seed}\\n")
answer = (seed + 1) * scale
record = {"application/papermill.record/text/plain": repr(answer)}
display(record, raw=True, metadata={"scrapbook": {"name": "answer", "mime_prefix": "application/papermill.record/"}})
print(word, sizes)"""


def write_notebook(path: Path, *code: str, parameters: str = PARAMETERS, tag: str = "parameters") -> None:
    """A notebook with a title, a cell of parameters, a heading and these cells."""
    cells = [new_markdown_cell("# Tiny"), new_code_cell(parameters, metadata={"tags": [tag]})]
    cells += [new_markdown_cell("## The work"), *map(new_code_cell, code)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def write_params(project: Project, **changes: object) -> None:
    """`params.yml` with two runs of the notebook and a sweep, some parts changed."""
    notebook = "notebooks/tiny.ipynb"
    sweep = {"notebook": notebook, "title": "Seeds", "grid": {"seed": [0, 1, 2]}}
    content = {
        "defaults": {"seed": 3},
        "runs": {"tiny": {"notebook": notebook, "title": "Tiny", "full": {"scale": 2.0}}},
        "sweeps": {"seeds": sweep},
        **changes,
    }
    project.params.write_text(yaml.safe_dump(content))


def make_project(folder: Path, *code: str) -> Project:
    """A project in a folder, whose notebook does the work above, or something else."""
    project = Project(folder)
    write_params(project)
    write_notebook(folder / "notebooks" / "tiny.ipynb", *(code or (WORK,)))
    project.pins.write_text("numpy==2\n")
    for path, text in {"mmcrl/__init__.py": "WORD = 'tiny'\n", "data/people.csv": "person\n1\n"}.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return project


def run_in(project: Project, *names: str, **options: object) -> list[str]:
    """Run with one kernel at a time; names of what failed."""
    return run(project, names, Options(**{"jobs": 1, **options}))  # type: ignore[arg-type]


def executions(project: Project) -> list[str]:
    """The seeds with which the work was done so far."""
    log = project.root / "log.txt"
    return log.read_text().split() if log.exists() else []


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """``python -m mmcrl`` in a process of its own, which hears SIGINT also where the suite runs in the background."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "mmcrl", *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": _hear}
    return subprocess.Popen(command, cwd=project.root, env=environment, text=True, **options)  # type: ignore[call-overload]


def _hear() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
