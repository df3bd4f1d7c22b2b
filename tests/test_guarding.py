"""The runner under guard: what discloses people is not written, in whatever way a kernel shows it."""

import json
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from tiny_project import make_project, run_in, write_notebook, write_params

from mmcrl.disclosure import madeup
from mmcrl.runner import Project, reports
from mmcrl.runner.planner import Planner
from mmcrl.runner.stamp import changes_since

MANIFEST = """
name = "clinic"
[source]
path = "clinic.csv"
id = "SEQN"
[modality.body.columns]
height = { variable = "height" }
weight = { variable = "weight", range = [1, 500], transform = "log" }
[modality.blood.columns]
glucose = { variable = "glucose" }
cholesterol = { variable = "cholesterol" }
[people]
weights = "weight of the survey"
"""
LOADED = "from mmcrl import load_cohort\npeople = load_cohort('clinic')"
PLOT = "import matplotlib.pyplot as plt\nimport numpy as np\n"
SHOWN = {
    "rows": ("row", f"{LOADED}\npeople['body'].values[:4]"),
    "scatter": ("scatter", f"{LOADED}\n{PLOT}plt.scatter(*np.random.default_rng(0).normal(size=(2, len(people))));"),
    "own cohort": (
        "row",
        "import pandas as pd\nfrom mmcrl import Cohort\ntable = pd.read_csv('data/clinic.csv', index_col=0)\n"
        "cohort = Cohort({'a': table.iloc[:, :2], 'b': table.iloc[:, 2:]})\nprint(table.iloc[3].tolist())",
    ),
    "no cohort": ("id", "print(open('data/clinic.csv').read().splitlines()[4].split(',')[0])"),
    "error": ("id", f"{LOADED}\n{{}}[people.ids[4]]"),
    "simulated people beside": (
        "row",
        "import pandas as pd\nfrom mmcrl import simulate\nworld = simulate.numeric(n=400)\n"
        "pd.read_csv('data/clinic.csv').iloc[:4, 1:]",
    ),
    "weights of a survey": ("row", f"{LOADED}\nprint([round(float(w), 4) for w in people.weights[20:50]])"),
}
AGGREGATES = f"{LOADED}\n{PLOT}display(people.summary())\nplt.plot([1, 2, 3], 'o');\nprint(len(people))"
SIMULATED = f"""from mmcrl import simulate
{PLOT}world = simulate.numeric(n=400)
plt.scatter(*world.latents.iloc[:, :2].to_numpy().T)
world.cohort["a"].values[:3]"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a cohort of its own that runs with this package."""
    project = make_project(tmp_path)
    shutil.rmtree(project.root / "mmcrl")
    table = madeup.measured(madeup.people(300))[["height", "weight", "glucose", "cholesterol"]]
    table["weight of the survey"] = np.random.default_rng(5).gamma(4, 2e4, 300).round(4)
    table.to_csv(project.data / "clinic.csv")
    (project.data / "clinic.toml").write_text(MANIFEST)
    return project


def write(project: Project, code: str) -> None:
    write_notebook(project.root / "notebooks" / "tiny.ipynb", code)


@pytest.mark.parametrize("how", SHOWN)
def test_nothing_is_written_of_a_notebook_that_discloses(project: Project, how: str, capsys) -> None:
    sort, code = SHOWN[how]
    write(project, code)
    before = set(project.root.rglob("*"))
    assert run_in(project) == ["tiny"]
    said = capsys.readouterr().out
    words = {"row": "rows of people", "scatter": "marks for single people", "id": "participant ids"}
    assert "the disclosure guard: " in said and words[sort] in said and "cell 3 under 'The work'" in said
    ids = set(map(str, pd.read_csv(project.data / "clinic.csv")["SEQN"]))
    assert not ids & set(said.replace(":", " ").split())
    written = [path for path in project.root.rglob("*") if path not in before and path.is_file()]
    assert written == [], "neither a page nor the failed notebook"


def test_aggregates_and_simulated_people_are_written_with_a_report(project: Project) -> None:
    write(project, AGGREGATES)
    assert run_in(project) == []
    stamp = nbformat.read(project.page("tiny"), 4).metadata["mmcrl"]["disclosure"]
    assert (stamp["people"], stamp["findings"], stamp["drawings"], stamp["minimum"]) == (["clinic"], 0, 1, 10)
    write(project, SIMULATED)
    assert run_in(project) == []
    table = reports.read(project)
    assert table.loc["tiny", ["people", "simulated", "findings"]].tolist() == ["", 1, 0]


def test_the_minimum_of_the_manifest_and_of_the_command_are_obeyed(project: Project) -> None:
    write(project, f"{LOADED}\nimport pandas as pd\npd.DataFrame({{'people': [12, 288]}})")
    assert run_in(project) == []
    assert run_in(project, minimum=20) == ["tiny"], "the page is held against the new minimum although it is fresh"
    assert run_in(project, minimum=12) == []
    (project.data / "clinic.toml").write_text(MANIFEST + "[disclosure]\nminimum = 20\n")
    assert run_in(project) == ["tiny"]


def test_a_page_that_shows_the_reports_comes_last_and_changes_with_them(project: Project) -> None:
    notebook = {"notebook": "notebooks/tiny.ipynb", "title": "Tiny"}
    write_params(project, runs={"all": {**notebook, "reports": True}, "tiny": notebook})
    write(project, "from mmcrl.runner import reports\nprint(list(reports.read().index))")
    assert run_in(project) == []
    outputs = nbformat.read(project.page("all"), 4).cells[-1].outputs
    assert outputs[0].text == "['tiny']\n"
    job = Planner(project).run("all")
    assert changes_since(job.output, job.inputs) == []
    page = json.loads(project.page("tiny").read_text())
    page["metadata"]["mmcrl"]["disclosure"]["outputs"] += 1
    project.page("tiny").write_text(json.dumps(page))
    assert changes_since(job.output, Planner(project).run("all").inputs) == ["data"]


def test_notes_of_a_kernel_are_removed_with_its_folder(project: Project, tmp_path: Path, monkeypatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    write(project, AGGREGATES)
    assert run_in(project) == []
    assert not list(place.rglob("*.npy")) and np.array_equal(list(place.iterdir()), [])
