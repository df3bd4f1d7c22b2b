"""The project's files: where things lie, what is pinned, what a commit may not hold."""

import ast
import doctest
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mmcrl import load_cohort
from mmcrl.runner.config import read_config

MATHJAX = "a4354ff94fd868aea0cc6eaaa79a57fda0588646fc46ee3700a349ee0a11cbe6"  # tex-svg-full.js of MathJax 3.2.2
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
SOURCES = sorted((ROOT / "mmcrl").rglob("*.py"))
HELP = re.compile(r"#\s*\S.*\w")


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    stated = [line.split("#")[0].strip() for line in lines]
    return dict(line.split("==") for line in stated if line)


def named() -> list[str]:
    """The packages of requirements.txt that the project uses itself."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").split("# Brought along")[0]
    return re.findall(r"^([\w.-]+)==", text, re.MULTILINE)


def tracked() -> list[Path]:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.splitlines() if (ROOT / name).is_file()]


# Where things lie


def test_layout() -> None:
    folders = ["book", "notebooks", "mmcrl", "data", "tests", ".ci"]
    assert not [name for name in folders if not (ROOT / name).is_dir()]
    files = [
        "_config.yml",
        "environment.yml",
        "requirements.txt",
        "pyproject.toml",
        "params.yml",
        "Makefile",
        "README.md",
    ]
    files += [".ci/run", ".pre-commit-config.yaml", "data/nhanes-2017.toml", "book/_toc.yml", "book/references.bib"]
    assert not [name for name in files if not (ROOT / name).is_file()]


def test_pages_of_the_table_of_contents_exist() -> None:
    contents = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    files = [contents["root"], *(c["file"] for part in contents["parts"] for c in part["chapters"])]
    runs = read_config(ROOT / "params.yml").runs
    pages = {f"notebooks/{name}" for name in runs}
    assert pages == {f for f in files if not (ROOT / f"book/{f}.md").exists()}
    executed = {notebook for run in runs.values() for notebook in (run.notebook, run.without) if notebook}
    assert executed == {f"notebooks/{path.name}" for path in NOTEBOOKS if path.parent.name != "workers"}


def test_no_static_folder() -> None:
    assert not (ROOT / "book" / "_static").exists(), "every script below it would land on every page"


def test_vendored_mathjax_is_whole() -> None:
    folder = ROOT / "book" / "_assets" / "mathjax"
    assert hashlib.sha256((folder / "tex-svg-full.js").read_bytes()).hexdigest() == MATHJAX
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")


# Pins


def test_every_requirement_is_an_exact_version() -> None:
    for name, version in pins().items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
        assert re.fullmatch(r"[0-9][A-Za-z0-9.]*", version), f"{name}=={version}"


def test_pins_satisfy_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    pinned = {canonicalize_name(name): version for name, version in pins().items()}
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        if name != "mmcrl":
            assert name in pinned, f"{name} is asked for and not pinned"
            assert requirement.specifier.contains(pinned[name]), f"{requirement}, pinned {pinned[name]}"


def test_package_asks_for_what_it_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    distributions = {"sklearn": "scikit-learn", "yaml": "PyYAML", "distributed": "dask"}  # dask[distributed]
    distributions |= {"causallearn": "causal-learn", "PIL": "pillow"}
    asked = {canonicalize_name(Requirement(r).name) for r in project["dependencies"]}
    for extra in ("chunks", "book"):
        asked |= {canonicalize_name(Requirement(r).name) for r in project["optional-dependencies"][extra]}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for top in {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names) - {"mmcrl"}:
                assert canonicalize_name(distributions.get(top, top)) in asked, f"{path.name} imports {top}"


def test_environment_uses_the_pins() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert "-r requirements.txt" in environment["dependencies"][-1]["pip"]


# Commands


@pytest.mark.parametrize("target", ["help", "book", "page", "bench", "test", "clean"])
def test_make_knows_the_target(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^{target}\b", listed, re.MULTILINE)


def test_pushes_are_checked_by_the_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text(encoding="utf-8").splitlines()[-1]
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")


def test_hooks_need_no_network() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]


# The README


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_example_runs() -> None:
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tried >= 5
    assert failed == 0


def test_readme_names_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(
        r"make ([a-z]+)\b", " ".join(re.findall(r"`([^`]+)`|^\s*(make .*)$", readme(), re.M)[0])
    ):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert "make book" in readme()
    assert "make test" in readme()


def test_readme_names_every_package_that_is_used() -> None:
    text = canonicalize_name(readme())
    assert not [name for name in named() if canonicalize_name(name) not in text]


def test_links_of_the_readme_lead_to_files() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", readme()):
        path = next(filter(None, target))
        assert path.startswith("http") or (ROOT / path).exists(), path


# The page on own cohorts


def test_manifests_of_the_page_are_accepted(tmp_path: Path) -> None:
    text = (ROOT / "book" / "own_cohort.md").read_text(encoding="utf-8")
    shortest, more = re.findall(r"```\{code-block\} toml\n(?::[^\n]*\n)*\n(.*?)```", text, re.DOTALL)
    rng = np.random.default_rng(0)
    columns = ["height_cm", "weight_kg", "waist_cm", "glucose", "chol_total", "chol_hdl"]
    table = pd.DataFrame(rng.normal(100, 10, (60, 6)), columns=columns).assign(age_years=rng.integers(18, 80, 60))
    table.rename_axis("person").to_csv(tmp_path / "clinic.csv")
    (tmp_path / "clinic.toml").write_text(shortest, encoding="utf-8")
    assert load_cohort(tmp_path / "clinic.toml").names == ["body", "blood"]

    top, rest = more.split("[[include]]")
    longer = shortest.replace("[source]", f"{top}[source]") + "[[include]]" + rest
    (tmp_path / "longer.toml").write_text(longer, encoding="utf-8")
    cohort = load_cohort(tmp_path / "longer.toml")
    assert cohort["demographics"].kind == "observed"
    assert cohort.tiers == [["demographics"], ["body", "blood"]]
    assert list(cohort.known["target"]) == ["blood.glucose"]


# Notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_holds_no_outputs(path: Path) -> None:
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code":
            assert cell.execution_count is None
            assert cell.outputs == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_parameters_have_type_and_help(path: Path) -> None:
    cells = [c for c in nbformat.read(path, 4).cells if "parameters" in c.metadata.get("tags", [])]
    assert len(cells) == 1, "one cell tagged parameters"
    lines = cells[0].source.splitlines()
    names = []
    for statement in ast.parse(cells[0].source).body:
        assert isinstance(statement, ast.AnnAssign), f"not `name: type = value`: {ast.unparse(statement)}"
        assert statement.value is not None
        assert statement.end_lineno is not None
        assert HELP.search(lines[statement.end_lineno - 1].split("=", 1)[1]), (
            f"no help: {lines[statement.lineno - 1]}"
        )
        names.append(ast.unparse(statement.target))
    assert {"seed", "sweep", "cohort"} & set(names), "what is drawn, whose table is read, or who is declared"


# Sources


def test_nothing_tracked_names_a_machine_or_a_registry() -> None:
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "download.pytorch" + ".org")
    told = re.compile("|".join(map(re.escape, hosts)) + r"|(?<![\w.])/(?:work|root|home|Users)/\w")
    for path in tracked():
        if "mathjax" not in path.parts and not path.name.startswith("test_"):
            found = told.search(path.read_bytes().decode("utf-8", errors="ignore"))
            assert found is None, f"{path.relative_to(ROOT)}: {found}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_small_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 260
    assert ast.get_docstring(tree)
    assigned = [t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
    assert path.name == "__main__.py" or "__all__" in assigned
