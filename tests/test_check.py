"""The check of a manifest: all problems at once, or an overview of aggregates."""

import numpy as np
import pandas as pd
import pytest

from mmcrl.check import check_manifest

MANIFEST = """
name = "small"
[source]
path = "people.csv"
id = "person"
[modality.lab.columns]
lead = { variable = "pb", range = [0, 100] }
iron = { variable = "fe", range = [0, 100] }
[modality.night.columns]
snoring = { variable = "snore", kind = "ordinal", levels = { "Never" = 0, "Often" = 1 } }
"""


@pytest.fixture
def folder(tmp_path):
    i = np.arange(40)
    frame = pd.DataFrame({"person": i, "pb": i, "fe": 50 - i, "snore": np.where(i % 2, "Never", "Often")})
    frame.loc[7:, "snore"] = None
    frame.to_csv(tmp_path / "people.csv", index=False)
    (tmp_path / "small.toml").write_text(MANIFEST)
    return tmp_path


def test_a_good_manifest_gives_an_overview_without_small_counts(folder):
    report = check_manifest(folder / "small.toml")
    assert report.problems == [] and "no problem" in str(report)
    assert report.summary["people"].to_dict() == {"lab": "40", "night": "<10", "all": "40"}
    assert report.summary["columns"].to_dict() == {"lab": 2, "night": 1, "all": 3}
    assert report.summary.loc["lab", "missing"] == "0.0%"


def test_all_faults_of_the_manifest_are_listed_at_once(folder):
    text = MANIFEST.replace("range", "rnage").replace("levels", "level").replace('id = "person"', "")
    (folder / "small.toml").write_text(text)
    report = check_manifest(folder / "small.toml")
    assert len(report.problems) == 4 and report.summary.empty
    assert str(report).splitlines()[0].endswith("4 problem(s)")
    assert "\n".join(report.problems).count("'range'") == 2


def test_all_faults_of_the_values_are_listed_at_once(folder):
    frame = pd.read_csv(folder / "people.csv").astype(object)
    frame.loc[3, "pb"], frame.loc[5, "snore"], frame["fe"] = "high", "Rarely", 700
    frame.to_csv(folder / "people.csv", index=False)
    named = {problem.split(":")[0] for problem in check_manifest(folder / "small.toml").problems}
    assert named == {"lab.lead", "lab.iron", "night.snoring"}


def test_all_columns_nothing_can_be_learned_from_are_listed_at_once(folder):
    frame = pd.read_csv(folder / "people.csv").assign(pb=1, fe=2)
    frame.to_csv(folder / "people.csv", index=False)
    problems = check_manifest(folder / "small.toml").problems
    assert len(problems) == 2 and all("a constant" in problem for problem in problems)


def test_no_manifest_is_a_problem_too(folder):
    assert "name_or_path" in check_manifest(folder / "none.toml").problems[0]
    (folder / "small.toml").write_text("name = \n")
    assert "line 1" in check_manifest(folder / "small.toml").problems[0]


def test_checking_writes_nothing(folder):
    before = sorted(folder.rglob("*"))
    check_manifest(folder / "small.toml")
    assert sorted(folder.rglob("*")) == before
