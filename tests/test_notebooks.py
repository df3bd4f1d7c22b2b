"""The notebooks: what they tell, that it is told the same way twice, and that nobody can be recognised in it."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, Site, study_of
from nbformat import NotebookNode

import mmcrl
from mmcrl.runner.config import read_config
from mmcrl.runner.execute import execute
from mmcrl.runner.glue import glued
from mmcrl.runner.planner import Planner
from mmcrl.runner.project import Project

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STUDIES = ("01_generative_model", "02_real_cohort")  # the others read the tables of sweeps
RUNS = read_config(ROOT / "params.yml").runs
EXECUTED = pytest.mark.parametrize("name", list(RUNS))
OWN_GLUE = re.compile(r"\{glue:text\}`(\w+):(.+?)`")
MANIFEST = """
name = "clinic"
[source]
path = "clinic.csv"
id = "person"
[modality.body.columns]
height = { variable = "height" }
weight = { variable = "weight" }
waist = { variable = "waist" }
[modality.blood.columns]
glucose = { variable = "glucose" }
cholesterol = { variable = "cholesterol" }
hdl = { variable = "hdl" }
"""


def executed(site: Site, name: str) -> NotebookNode:
    return nbformat.read(site.folder / "book" / "notebooks" / f"{name}.ipynb", 4)


def told(notebook: NotebookNode) -> list[list[NotebookNode]]:
    """The outputs of every code cell, but of the one that papermill puts in."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell.outputs for cell in cells if "injected-parameters" not in cell.metadata.get("tags", [])]


# The text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_number_is_typed(path: Path) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
    for pattern in (r"\{[\w:]+\}`[^`]+`", r"\$\$.+?\$\$", r"\$.+?\$", r"\]\([^)]*\)", "2017–18", r"\b(0|45)°", "<10"):
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    assert not re.findall(r".*\d.*", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_section_closes_with_its_key_idea(path: Path) -> None:
    text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert len(sections) > (5 if path.stem in STUDIES else 1)
    for section in sections[:-1]:  # the last one tells the limits
        assert section.rstrip().endswith(":::"), section.splitlines()[0]
        assert section.count("{admonition} Key idea") == 1, section.splitlines()[0]


# What was executed


@EXECUTED
def test_glued_values_are_plain_and_fit_the_text(site: Site, name: str) -> None:
    values = glued(site.folder / "book" / "notebooks" / f"{name}.ipynb")
    text = "\n".join(cell.source for cell in executed(site, name).cells if cell.cell_type == "markdown")
    asked = OWN_GLUE.findall(text)
    assert len(asked) > (15 if name in STUDIES else 3)
    for key, form in asked:
        assert format(values[key], form), key
    assert not [key for key in values if "seconds" in key], "seconds vary from run to run"


@EXECUTED
def test_nothing_was_printed_or_warned_of(site: Site, name: str) -> None:
    printed = [output.text for outputs in told(executed(site, name)) for output in outputs if "text" in output]
    assert printed == []


@EXECUTED
def test_every_picture_is_described(site: Site, name: str) -> None:
    pictures = 0
    for cell in executed(site, name).cells:
        if any("image/svg+xml" in output.get("data", {}) for output in cell.get("outputs", [])):
            pictures += 1
            assert len(cell.metadata["mystnb"]["image"]["alt"]) > 30
    assert pictures >= (4 if name in STUDIES else 0 if RUNS[name].without else 1)


def test_no_person_of_the_real_cohort_is_told(site: Site) -> None:
    people = mmcrl.load_cohort("nhanes-2017")
    ids = {str(person) for person in people.ids}
    assert all(person.isdigit() for person in ids), "as a page would write them"
    most = sum(len(modality.names) for modality in people.modalities.values())
    tables = 0
    for outputs in told(executed(site, "02_real_cohort")):
        for output in outputs:
            html = "".join(v for k, v in output.get("data", {}).items() if k.endswith("text/html"))
            for table in BeautifulSoup(html, "html.parser").find_all("table"):
                tables += 1
                rows = table.select("tbody tr")
                assert 0 < len(rows) <= max(most, 100), "as long as a list of people"
                assert not ids & {cell.get_text() for cell in table.find_all(["td", "th"])}
                assert not ids & {
                    part for cell in table.find_all("th") for part in re.findall(r"\d+", cell.get_text())
                }
    assert tables >= 8


def test_small_groups_are_not_counted(site: Site) -> None:
    text = "".join(str(output) for outputs in told(executed(site, "02_real_cohort")) for output in outputs)
    ages = re.search(r"<table[^>]*>(?:(?!</table>).)*80 and over.*?</table>", text, re.DOTALL)
    assert ages is not None
    counts = [
        cell.get_text() for cell in BeautifulSoup(ages.group().replace("\\n", ""), "html.parser").find_all("td")
    ]
    assert len(counts) >= 12
    assert all(count == "<10" or int(count.replace(",", "")) >= 10 for count in counts)


@pytest.mark.slow
def test_a_point_of_a_sweep_tells_the_same_and_its_seconds(site: Site, tmp_path: Path) -> None:
    again = execute(Planner(Project(ROOT)).run("01_generative_model", "test", {"sweep": ""}).task)
    assert again.failure is None
    point = nbformat.reads(again.notebook, 4)
    page = executed(site, "01_generative_model")
    before = next(i for i, outputs in enumerate(told(page)) if "n_found" in str(outputs))
    assert before > 8
    assert told(point)[: before + 1] == told(page)[: before + 1], "the same inputs give the same outputs"
    (tmp_path / "point.ipynb").write_text(again.notebook, encoding="utf-8")
    values = glued(tmp_path / "point.ipynb")
    assert values["fit_seconds"] > 0
    assert not [key for key in values if key.startswith(("sweep_", "n_sweep"))], "a table does not hold itself"


@pytest.mark.slow
def test_a_cohort_of_ones_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 2))
    columns = ["height", "weight", "waist", "glucose", "cholesterol", "hdl"]
    values = np.repeat(z, 3, axis=1) + rng.normal(size=(400, 6))
    values[:, 3:] += z[:, :1]
    pd.DataFrame(values, columns=columns).rename_axis("person").to_csv(tmp_path / "clinic.csv")
    (tmp_path / "clinic.toml").write_text(MANIFEST, encoding="utf-8")
    out = study_of(tmp_path, cohort="clinic.toml", shuffled="blood", starts="1", steps="5")
    told_of = glued(out)
    assert (told_of["n_people"], told_of["n_modalities"], told_of["n_known"]) == ("400", 2, 0)
    assert told_of["shuffled_modality"] == "blood"
