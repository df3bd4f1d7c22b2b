"""The check of the numbers of latents: what a fit refuses is a problem, and what is proposed a fit accepts."""

import numpy as np
import pandas as pd
import pytest

from mmcrl.check import check_manifest
from mmcrl.checking.draft import toml
from mmcrl.manifest import load_cohort
from mmcrl.plan import plan_blocks

N = 200
COLUMNS = {"body": ["height", "weight"], "blood": ["iron", "zinc", "lead"], "sleep": ["hours"]}


def write(folder, **stated):
    rng = np.random.default_rng(0)
    names = [name for names in COLUMNS.values() for name in names]
    frame = pd.DataFrame(rng.normal(50, 5, size=(N, len(names))).round(1), columns=names)
    frame.insert(0, "person", np.arange(N))
    frame.loc[: N - 31, "hours"] = None
    frame.to_csv(folder / "people.csv", index=False)
    modality = {
        name: {"columns": {column: {"variable": column, "range": [0, 100]} for column in columns}}
        for name, columns in COLUMNS.items()
    }
    for name, number in stated.items():
        modality[name]["n_latents"] = number
    return rewrite(folder, {"name": "few", "source": {"path": "people.csv", "id": "person"}, "modality": modality})


def rewrite(folder, raw):
    (folder / "few.toml").write_text("\n".join(f"{key} = {toml(value)}" for key, value in raw.items()))
    return folder / "few.toml"


@pytest.mark.parametrize("number", [3, 10, 50])
def test_more_latents_than_columns_are_a_problem_and_a_number_that_a_fit_accepts_is_proposed(tmp_path, number):
    report = check_manifest(write(tmp_path, body=number, sleep=1))
    expected = f"manifest modality.body.n_latents: expected at most 2 for body, its number of columns, got {number}"
    assert report.problems == [expected]
    assert report.proposed["modality"]["body"]["n_latents"] == 2 and "# n_latents: at most one" in report.proposals
    again = check_manifest(path := rewrite(tmp_path, report.proposed))
    assert again.problems == [] and again.proposals == ""
    plan_blocks(load_cohort(path), None)


def test_what_is_left_out_is_proposed_where_a_fit_refuses_the_usual_number(tmp_path):
    report = check_manifest(write(tmp_path))
    assert report.problems == [] and "left out it is 2" in report.proposals
    assert report.proposed["modality"]["sleep"]["n_latents"] == 1
    plan_blocks(load_cohort(rewrite(tmp_path, report.proposed)), None)


def test_all_latents_together_need_people_too(tmp_path):
    path = write(tmp_path, body=2, blood=3, sleep=1)
    raw = check_manifest(path).proposed
    assert check_manifest(path).proposals == ""
    raw["include"] = [{"variable": "person", "min": 90}]  # 110 people: five latents
    report = check_manifest(rewrite(tmp_path, raw))
    assert report.proposed["modality"]["blood"]["n_latents"] == 2
    plan_blocks(load_cohort(rewrite(tmp_path, report.proposed)), None)


def test_columns_that_are_set_aside_count(tmp_path):
    path = write(tmp_path, blood=3, sleep=1)
    frame = pd.read_csv(tmp_path / "people.csv").astype(object)
    frame.loc[3, "iron"] = "much"
    frame.to_csv(tmp_path / "people.csv", index=False)
    problems = check_manifest(path).problems
    assert len(problems) == 1 and problems[0].startswith("blood.iron")


def test_where_people_are_too_few_for_the_fewest_latents_modalities_are_to_go(tmp_path):
    raw = check_manifest(write(tmp_path, body=1, blood=1, sleep=1)).proposed or {}
    raw = raw | {"include": [{"variable": "person", "min": 150}]}  # 50 people: two latents
    report = check_manifest(rewrite(tmp_path, raw))
    assert (
        "60 people are needed for the fewest latents of all, 50 are there: leave modalities out" in report.proposals
    )


def test_people_count_who_have_another_modality_too(tmp_path):
    path = write(tmp_path, body=1, blood=1, sleep=1)
    frame = pd.read_csv(tmp_path / "people.csv")
    frame.loc[frame["hours"].notna(), ["height", "weight", "iron", "zinc", "lead"]] = np.nan
    frame.to_csv(tmp_path / "people.csv", index=False)
    assert (
        "fewer than 20 people have it and another modality: leave the modality out" in check_manifest(path).proposals
    )
