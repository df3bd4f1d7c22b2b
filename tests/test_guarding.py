"""The runner under guard: what discloses people is not written, in whatever way a kernel shows it."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jupyter_core.paths
import matplotlib
import nbformat
import numpy as np
import pandas as pd
import pytest
from tiny_project import make_project, run_in, write_notebook, write_params

from mmcrl.disclosure import madeup
from mmcrl.runner import Project, reports, watch
from mmcrl.runner.foreign import is_foreign
from mmcrl.runner.guarding import guard
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
    "scatter that is shown at once": (
        "scatter",
        f"{LOADED}\n{PLOT}plt.scatter(*np.random.default_rng(0).normal(size=(2, len(people)))); plt.show()",
    ),
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
    "Parquet of nobody known beside simulated people": (
        "row",
        "import pandas as pd\nfrom mmcrl import simulate\nworld = simulate.numeric(n=400)\n"
        "print(pd.read_parquet('data/ward.parquet').to_string())",
    ),
    "Parquet of another cohort": (
        "row",
        f"{LOADED}\nimport pyarrow.dataset as ds\n"
        "ds.dataset('data/ward.parquet').to_table().to_pandas().iloc[:4, 1:].reset_index(drop=True)",
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


@pytest.fixture
def ward(project: Project) -> Path:
    """A table of other people in the project, which no manifest declares yet."""
    table = madeup.measured(madeup.people(400, seed=3))[["height", "weight", "glucose", "cholesterol"]]
    table.assign(**{"weight of the survey": 1.0}).reset_index().to_parquet(project.data / "ward.parquet")
    return project.data / "ward.parquet"


def write(project: Project, code: str) -> None:
    write_notebook(project.root / "notebooks" / "tiny.ipynb", code)


@pytest.mark.parametrize("how", SHOWN)
def test_nothing_is_written_of_a_notebook_that_discloses(project: Project, ward: Path, how: str, capsys) -> None:
    sort, code = SHOWN[how]
    if how == "Parquet of another cohort":
        (project.data / "ward.toml").write_text(MANIFEST.replace("clinic", "ward").replace("ward.csv", ward.name))
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


OPENERS = {
    "pandas": "import pandas\npandas.read_parquet({file!r})",
    "a table": "import pyarrow.parquet as pq\npq.read_table({file!r})",
    "by keyword": "from pyarrow.parquet import read_table\nread_table(columns=['a'], source={file!r})",
    "a file": "import pyarrow.parquet as pq\npq.ParquetFile({file!r}).read()",
    "a data set": "import pyarrow.parquet as pq\npq.ParquetDataset({file!r}).read()",
    "a list": "import pyarrow.dataset as ds\nds.dataset([{file!r}]).to_table()",
    "a folder": "import pyarrow.dataset as ds\nds.dataset({folder!r}).to_table()",
    "a relative path": "import os\nos.chdir({folder!r})\nimport pyarrow.parquet as pq\npq.read_table('a.parquet')",
    "a database": "import sqlite3\nsqlite3.connect({file!r}).close()",
    "a database by its address": "import sqlite3\nsqlite3.connect('file:' + {file!r} + '?mode=ro', uri=True).close()",
    "bytes": "open({file!r}.encode()).close()",
    "reading and writing": "open({file!r}, 'r+').close()",
    "a link": "import os\nos.symlink({file!r}, {file!r} + '-link')\nopen({file!r} + '-link').close()",
}


@pytest.mark.parametrize("how", OPENERS)
def test_a_file_is_noted_however_it_is_opened(tmp_path: Path, how: str) -> None:
    file = tmp_path / "some" / "a.parquet"
    file.parent.mkdir()
    pd.DataFrame({"a": [1]}).to_parquet(file)
    assert tmp_path / "some" / "a.parquet" in noted_by(
        OPENERS[how], tmp_path, file=str(file), folder=str(file.parent)
    )


def test_what_is_written_or_looked_for_in_vain_is_not_noted(tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    file.touch()
    code = "import os, sqlite3\nopen({file!r}, 'a').close()\nos.close(os.open({folder!r}, os.O_RDONLY))\n"
    code += "sqlite3.connect(':memory:').close()\nnew = {file!r} + '-new'\n"
    code += "for _ in range(2):\n    sqlite3.connect(new).execute('create table if not exists a (b)')\n"
    code += "try:\n    open({file!r} + '-none')\nexcept FileNotFoundError:\n    pass"
    assert not [
        path for path in noted_by(code, tmp_path, file=str(file), folder=str(tmp_path)) if path.parent == tmp_path
    ]


@pytest.mark.parametrize("name", ["ward.txt", "ward.json", "ward.jpg", "ward.zip", "ward.db", "ward"])
def test_simulated_people_make_no_notebook_free_that_opened_something_else(project: Project, name: str) -> None:
    noted, file = project.root / "watched", project.data / name
    noted.mkdir()
    (noted / "cohort-1.json").write_text('{"name": "made up", "simulated": true}')
    notebook = nbformat.from_dict(madeup.notebook_of(madeup.shown(pd.DataFrame({"n": [3]}))))  # type: ignore[no-untyped-call]
    assert guard(notebook, project.root, project).refusal is None
    (noted / "opened.txt").write_text(f"{file}\n")
    assert "a count under the minimum" in str(guard(notebook, project.root, project).refusal)


def test_a_file_that_a_notebook_makes_itself_is_not_noted(tmp_path: Path) -> None:
    file = tmp_path / "made.csv"
    code = "import pathlib\nopen({file!r}, 'w').close()\npathlib.Path({file!r}).read_text()"
    assert file not in noted_by(code, tmp_path, file=str(file))
    assert file in noted_by(code.split("\n", 2)[0] + "\npathlib.Path({file!r}).read_text()", tmp_path, file=str(file))


def noted_by(code: str, beside: Path, **names: str) -> set[Path]:
    """The files that a process notes which runs this code."""
    place = beside / f"watched-{len(list(beside.iterdir()))}"
    load = "import importlib.util, pathlib\nspec = importlib.util.spec_from_file_location('watching', {watch!r})\n"
    load += "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
    load += "module.watch(pathlib.Path({place!r}))\n"
    program = (load + code).format(watch=watch.__file__, place=str(place), **names)
    subprocess.run([sys.executable, "-c", program], check=True)
    opened = place / "opened.txt"
    return set(map(Path, opened.read_text().splitlines())) if opened.exists() else set()


def test_foreign_are_data_that_are_not_the_project_s_own(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = Path(sys.prefix).parent / "fetched"
    monkeypatch.setattr("mmcrl.runner.foreign.data_folder", lambda: fetched)
    inside, package = project.root.resolve(), project.package.resolve()
    foreign = [inside / "data" / "ward.parquet", inside / "ward.CSV.gz", Path("/elsewhere/scans.zarr/c/0/0")]
    foreign += [inside / "data" / f"ward.{ending}" for ending in ("txt", "json", "jpg", "zip", "db")]
    foreign += [inside / "ward", Path("/elsewhere/ward.txt"), Path.home() / "ward.json", fetched / "nhanes" / "a.txt"]
    foreign += [fetched / "mnist" / "people.gz"]
    assert [path for path in foreign if not is_foreign(path, project)] == []
    passing = Path(tempfile.gettempdir()).resolve() / "joblib" / "held.pkl"
    own = [
        inside / "data" / "results" / "bench.csv",
        package / "glyphs.npz",
        Path(pd.__file__).with_name("a.csv"),
        passing,
        *(
            inside / name
            for name in ("params.yml", "notebooks/tiny.ipynb", "book/notebooks/a.ipynb", "data/clinic.toml")
        ),
        *(Path(name) for name in ("/proc/meminfo", "/sys/devices/a", "/etc/localtime", "/usr/share/fonts/a.ttf")),
        Path(matplotlib.get_cachedir()) / "fontlist.json",
        Path(jupyter_core.paths.jupyter_config_dir()) / "a.json",
        *(fetched / name / "train-images-idx3-ubyte.gz" for name in ("mnist", "fashion_mnist")),
    ]
    assert [path for path in own if is_foreign(path, project)] == []
