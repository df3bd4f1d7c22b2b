"""Layouts of cohorts that need an agreement: the project's own manifests on small trees of files."""

import os
import shutil
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from cohort_trees import NEW, OLD, N, ai_readi, dictionary, hpp, night, uk_biobank
from conftest import ROOT
from PIL import Image

from mmcrl import parallel
from mmcrl.check import check_manifest
from mmcrl.errors import InputError
from mmcrl.layouts import bulk
from mmcrl.manifest import load_cohort, source_files

READ = bulk._one
MANIFESTS = {name: ROOT / "data" / f"{name}.toml" for name in ("hpp", "ai-readi", "uk-biobank")}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder that holds the cohorts' roots."""
    monkeypatch.setenv("MMCRL_DATA", str(tmp_path))
    return tmp_path


def edited(root, name, *changes):
    """The project's manifest with something changed, in another folder."""
    text = MANIFESTS[name].read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (root / "edited.toml").write_text(text, encoding="utf-8")
    return root / "edited.toml"


def column(cohort, name):
    modality, key = name.split(".")
    return pd.Series(cohort[modality].values[:, cohort[modality].names.index(key)], index=cohort.ids)


def refused(path, *texts):
    with pytest.raises(InputError) as error:
        load_cohort(path)
    for text in texts:
        assert text in str(error.value)
    return str(error.value)


# All


def test_a_projects_manifest_is_checked_from_the_command_line(root):
    hpp(root / "hpp")
    command = [sys.executable, "-m", "mmcrl", "check", "hpp"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hpp: no problem" in done.stdout and "7000" not in done.stdout
    (root / "hpp" / "fundus" / "fundus.parquet").unlink()
    (root / "hpp" / "bulk" / "nights" / "7003.parquet").unlink()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "hpp: 2 problem(s)" in done.stdout and "fundus/fundus.parquet" in done.stdout


@pytest.mark.parametrize(("name", "build"), [("ai-readi", ai_readi), ("uk-biobank", uk_biobank)])
def test_the_projects_manifests_are_without_problems(root, name, build):
    build(root / name)
    report = check_manifest(MANIFESTS[name])
    assert report.problems == [] and report.summary.loc["all", "people"] == str(N)


@pytest.mark.parametrize("name", MANIFESTS)
def test_without_the_files_one_message_tells_what_is_missing(root, name, monkeypatch):
    assert check_manifest(MANIFESTS[name]).problems == [
        f"manifest source.path: expected the root folder of layout {name}, got no folder '${{MMCRL_DATA}}/{name}'"
    ]
    monkeypatch.delenv("MMCRL_DATA")
    refused(MANIFESTS[name], "the environment variable MMCRL_DATA to be set")


def test_a_layout_knows_its_keys_and_its_id(root):
    uk_biobank(root / "uk-biobank")
    refused(edited(root, "uk-biobank", ('id = "eid"', 'id = "person"')), "manifest source.id", "eid", "'person'")
    refused(
        edited(root, "uk-biobank", ('id = "eid"', 'id = "eid"\nstage = "a"')), "manifest source.stage", "uk-biobank"
    )
    wrong = edited(root, "uk-biobank", ('"uk-biobank"\npath', '"ukb"\npath'))
    refused(wrong, "manifest source.layout", "uk-biobank", "'ukb'")
    refused(edited(root, "uk-biobank", ("[modality.body]", "[modality.body]\nheight = 3")), "manifest modality.body")


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        ("height = 64\n", "", ["manifest modality.eye", "kind image-sides with height and width"]),
        ("step = 60 ", "stepp = 60 ", ["manifest modality.night.stepp", "'step'"]),
        ("length = 480", "length = 480\nheight = 3", ["manifest modality.night", "kind series with length and step"]),
        ('colour = "green"', 'colour = "teal"', ["modality.eye.columns.left.colour", "'teal'"]),
        ('colour = "green"', "range = [0, 1]", ["no range in column left of kind image"]),
        ('hand_grip_strength_left"', 'hand_grip_strength_left", where = { a = "b" }', ["no where in column left"]),
        ('"fundus.fundus_image_left"', '["fundus.fundus_image_left"]', ["one variable in column left of kind image"]),
    ],
)
def test_keys_belong_to_kinds(root, old, new, texts):
    refused(edited(root, "hpp", (old, new)), *texts)


# UK Biobank


@pytest.mark.parametrize(("spelling", "suffix"), [("46-0.0", "csv"), ("f.46.0.0", "tsv"), ("p46_i0", "parquet")])
def test_three_spellings_of_uk_biobank_give_the_same_cohort(root, spelling, suffix):
    table = uk_biobank(root / "uk-biobank", spelling, suffix)
    cohort = load_cohort(MANIFESTS["uk-biobank"])
    assert cohort.ids.tolist() == list(range(5_000, 5_000 + N)) and cohort.ids.name == "eid"
    np.testing.assert_array_equal(column(cohort, "grip.left"), table["46-0.0"])
    np.testing.assert_allclose(column(cohort, "pressure.diastolic"), table[["4079-0.0", "4079-0.1"]].mean(axis=1))
    np.testing.assert_array_equal(column(cohort, "demographics.female"), 1 - table["31-0.0"])
    assert np.isnan(column(cohort, "smoking.status")[5_003]) and column(cohort, "smoking.status")[5_002] == 2


def test_fields_of_uk_biobank_are_named_in_one_way(root):
    uk_biobank(root / "uk-biobank")
    refused(
        edited(root, "uk-biobank", ('"46-0.0"', '"f.46.0.0"')),
        "f.46.0.0: expected field-instance.array, such as '46-0.0'",
    )
    refused(
        edited(root, "uk-biobank", ('"46-0.0"', '"46-3.0"')),
        "first.csv, second.csv",
        "'46-3.0'",
        "the nearest is '46-0.0'",
    )
    refused(edited(root, "uk-biobank", (", missing = [-1, -3, -7]", "")), "smoking.status", "[0, 2]", "<10 values")
    first = pd.read_csv(root / "uk-biobank" / "first.csv")
    first.to_csv(root / "uk-biobank" / "third.csv", index=False)
    refused(MANIFESTS["uk-biobank"], "file first.csv, third.csv", "2 of that name")


def test_one_file_of_uk_biobank_may_know_fewer_people(root):
    uk_biobank(root / "uk-biobank")
    path = root / "uk-biobank" / "second.csv"
    pd.read_csv(path).iloc[4:].to_csv(path, index=False)
    cohort = load_cohort(MANIFESTS["uk-biobank"])
    assert cohort.summary()["people"].to_dict() == {
        **dict.fromkeys(["demographics", "body", "grip"], N),
        **dict.fromkeys(["pressure", "lungs"], N - 4),
        "smoking": N - 5,
    }
    pd.concat([pd.read_csv(path)] * 2).to_csv(path, index=False)
    refused(MANIFESTS["uk-biobank"], "file second.csv column eid", "each once")


def test_tab_files_of_uk_biobank_are_read(root):
    table = uk_biobank(root / "uk-biobank", "f.46.0.0", "tsv")
    for path in (root / "uk-biobank").iterdir():
        path.rename(path.with_suffix(".tab"))
    cohort = load_cohort(MANIFESTS["uk-biobank"])
    np.testing.assert_array_equal(column(cohort, "grip.left"), table["46-0.0"])


def test_two_columns_for_one_field_are_refused(root):
    uk_biobank(root / "uk-biobank")
    path = root / "uk-biobank" / "first.csv"
    pd.read_csv(path).assign(p50_i0=1).to_csv(path, index=False)
    refused(
        MANIFESTS["uk-biobank"], "file first.csv: expected one column for field '50-0.0'", "'50-0.0' and 'p50_i0'"
    )


def test_files_of_uk_biobank_that_are_none_of_its_tables_are_left_aside(root):
    folder = root / "uk-biobank"
    table = uk_biobank(folder)
    (folder / "notes.csv").write_bytes("Größe".encode("latin-1"))
    (folder / "broken.parquet").write_bytes(b"PAR1")
    (folder / "list.csv").write_text("name\nsomething\n")
    cohort = load_cohort(MANIFESTS["uk-biobank"])
    np.testing.assert_allclose(np.exp(column(cohort, "body.bmi")), table["21001-0.0"])
    (folder / "second.csv").rename(root / "second.csv")
    (folder / "second.csv").symlink_to(root / "second.csv")
    refused(
        MANIFESTS["uk-biobank"],
        "file first.csv: expected one column for field",
        "got 0 of that name",
        "broken.parquet cannot be read",
        "notes.csv cannot be read",
        "second.csv leads out of the root folder",
    )
    (folder / "first.csv").unlink()
    refused(MANIFESTS["uk-biobank"], "a table that has a column eid", "second.csv leads out of the root folder")


@pytest.mark.parametrize("written", ["{} ", " {}", "{}.0", "{}.00 "])
def test_ids_are_alike_however_a_table_writes_them(root, written):
    uk_biobank(root / "uk-biobank")
    before, path = load_cohort(MANIFESTS["uk-biobank"]), root / "uk-biobank" / "second.csv"
    frame = pd.read_csv(path, dtype=str)
    frame.loc[::2, "eid"] = frame.loc[::2, "eid"].map(written.format)
    frame.to_csv(path, index=False)
    after = load_cohort(MANIFESTS["uk-biobank"])
    assert after.ids.tolist() == before.ids.tolist()
    for name in before.names:
        np.testing.assert_array_equal(after[name].values, before[name].values)


# Human Phenotype Project


@pytest.mark.parametrize(("header", "cohort"), [(OLD, ""), (NEW, "10k")])
def test_hpp_is_read_in_both_versions(root, header, cohort):
    hpp(root / "hpp", header, cohort)
    read = load_cohort(edited(root, "hpp", ('# cohort = "10k"', 'cohort = "10k"')) if cohort else MANIFESTS["hpp"])
    assert read.ids.tolist() == list(range(7_000, 7_000 + N)) and read.ids.name == "participant_id"
    book = read.codebook.set_index(["modality", "column"])
    assert (
        book.loc[("body", "weight"), "unit"] == "log kg"
        and book.loc[("body", "height"), "question"] == "About height"
    )
    assert read["breathing"].units[2] == "Percentage"
    assert column(read, "demographics.female").tolist() == [1.0, 0.0] * (N // 2)
    sleep = pd.read_parquet(next((root / "hpp" / "sleep").rglob("sleep.parquet"))).groupby("participant_id")["ahi"]
    np.testing.assert_allclose(column(read, "breathing.ahi") ** 2, sleep.mean())
    names = {path.name for path in source_files(root / "edited.toml" if cohort else MANIFESTS["hpp"])}
    assert {"events.parquet", "sleep.parquet", "sleep_data_dictionary.csv", "fundus.parquet"} <= names


def test_the_only_part_of_a_study_needs_not_be_named(root):
    hpp(root / "hpp", cohort="10k")
    named, path = load_cohort(edited(root, "hpp", ('# cohort = "10k"', 'cohort = "10k"'))), MANIFESTS["hpp"]
    read = load_cohort(path)
    assert read.ids.equals(named.ids) and read.codebook.equals(named.codebook)
    for name in named.names:
        np.testing.assert_array_equal(read[name].values, named[name].values)
    shutil.copytree(root / "hpp" / "events" / "10k", root / "hpp" / "events" / "rest")
    refused(path, "manifest source.cohort: expected one of 10k, rest, got nothing")


def test_a_table_of_another_folder_is_told_of_by_the_dictionary_beside_it(root):
    hpp(root / "hpp")
    whole, part = root / "hpp" / "anthropometrics", root / "hpp" / "anthropometrics" / "10k"
    (part / "metadata").mkdir(parents=True)
    table = pd.read_parquet(whole / "anthropometrics.parquet")
    table.to_parquet(part / "neck.parquet")
    dictionary(part / "metadata", "neck", {"neck_circumference": "inches"}, OLD)
    field = "anthropometrics{}.neck_circumference"
    book = load_cohort(edited(root, "hpp", (field.format(""), field.format("/neck")))).codebook.set_index("column")
    assert book.loc["neck", "unit"] == "log inches"
    assert book.loc["height", "unit"] == "cm"


@pytest.mark.parametrize(("name", "tree"), [("hpp", hpp), ("ai-readi", ai_readi)])
def test_worker_processes_read_the_same_recordings(root, monkeypatch, name, tree):
    tree(root / name)
    here = load_cohort(MANIFESTS[name])
    modality = next(key for key in here.names if here[key].kind == "series")
    monkeypatch.setattr(parallel, "_FEW", 2)
    monkeypatch.setattr(bulk, "_one", partial(_elsewhere, os.getpid()))
    there = load_cohort(MANIFESTS[name])
    np.testing.assert_array_equal(there[modality].values, here[modality].values)
    assert not np.isnan(there[modality].values).all()


def _elsewhere(here, *of_it):
    assert os.getpid() != here
    return READ(*of_it)


def test_one_night_can_be_picked(root):
    hpp(root / "hpp")
    rows = pd.read_parquet(root / "hpp" / "sleep" / "sleep.parquet")
    rows["channels_time_series"] = rows.groupby("participant_id")["channels_time_series"].transform("first")
    rows.to_parquet(root / "hpp" / "sleep" / "sleep.parquet", index=False)
    third = load_cohort(edited(root, "hpp", ("# pick = { sleep = 1 }", "pick = { sleep = 3 }")))
    expected = rows[rows["night"] == 3].set_index("participant_id")["ahi"]
    np.testing.assert_allclose(column(third, "breathing.ahi") ** 2, expected)
    path = edited(root, "hpp", ("# pick = { sleep = 1 }", "pick = { sleep = 4 }"))
    refused(path, "file sleep.parquet column night", "rows with 4", "1, 2, 3")


@pytest.mark.parametrize("key", ["slep", "Sleep", "sleep/sleep", "sleep.ahi"])
def test_a_pick_of_no_data_set_is_refused(root, key):
    hpp(root / "hpp")
    path = edited(root, "hpp", ("# pick = { sleep = 1 }", f'pick = {{ "{key}" = 1 }}'))
    refused(path, "manifest source.pick: expected a data set", "fundus", repr(key), "the nearest is 'sleep'")
    load_cohort(edited(root, "hpp", ("# pick = { sleep = 1 }", "pick = { fundus = 0 }")))


@pytest.mark.parametrize("blank", ["", "  "])
def test_who_has_a_blank_instead_of_a_path_has_no_file(root, blank):
    hpp(root / "hpp")
    before = load_cohort(MANIFESTS["hpp"])
    for name, field in (("fundus", "fundus_image_left"), ("sleep", "channels_time_series")):
        path = root / "hpp" / name / f"{name}.parquet"
        table = pd.read_parquet(path)
        table[field] = table[field].fillna(blank)
        table.to_parquet(path)
    cohort = load_cohort(MANIFESTS["hpp"])
    for name in ("eye", "night"):
        np.testing.assert_array_equal(cohort[name].values, before[name].values)
    lefts = pd.read_parquet(root / "hpp" / "fundus" / "fundus.parquet").reset_index()
    lefts = lefts[lefts["research_stage"] == "00_00_visit"].rename(columns={"fundus_image_left": "path"})
    (root / "one.toml").write_text(
        'name = "one"\n[source]\npath = "one.parquet"\nid = "participant_id"\n[modality.eye]\nkind = "image"\n'
        'height = 8\nwidth = 8\n[modality.eye.columns]\nleft = { variable = "path" }\n'
    )
    lefts["path"] = lefts["path"].str.replace("/bulk", "hpp/bulk")
    lefts[["participant_id", "path"]].to_parquet(root / "one.parquet")
    measured = load_cohort(root / "one.toml")["eye"].measured
    assert len(measured) == N - 1 and measured.all()  # person 1 has no left eye
    assert check_manifest(root / "one.toml").problems == [], "of pictures alone"


def test_images_and_nights_of_hpp_become_arrays(root):
    hpp(root / "hpp")
    cohort = load_cohort(MANIFESTS["hpp"])
    eye, nights = cohort["eye"], cohort["night"]
    assert (eye.kind, eye.values.shape, eye.names) == ("image-sides", (N, 2, 64, 64), ["left", "right"])
    assert np.isnan(eye.values[1, 0]).all() and not np.isnan(np.delete(eye.values[:, 1], 1, axis=0)).any()
    pixels = np.asarray(Image.open(root / "hpp" / "bulk" / "eyes" / "7004_right.png"), dtype=float)
    assert eye.values[4, 1].mean() == pytest.approx(pixels[..., 1].mean() / 255, abs=1e-3)
    assert (nights.kind, nights.values.shape) == ("series", (N, 2, 480)) and not nights.measured[2]
    minutes = night(7_005)["spo2"].resample("min").mean()
    np.testing.assert_allclose(nights.values[5, 0, :120], minutes)
    assert np.isnan(nights.values[5, 0, 10:20]).all() and np.isnan(nights.values[5, :, 120:]).all()


def test_long_nights_of_several_people_in_one_file(root):
    hpp(root / "hpp")
    before = load_cohort(MANIFESTS["hpp"])["night"].values
    both = {i: night(i).rename_axis(columns="source").stack().rename("values").reset_index() for i in (7_005, 7_006)}
    frame = pd.concat([part.assign(participant_id=i) for i, part in both.items()])
    for i in both:
        frame.to_parquet(root / "hpp" / "bulk" / "nights" / f"{i}.parquet", index=False)
    np.testing.assert_array_equal(load_cohort(MANIFESTS["hpp"])["night"].values, before)


def test_a_file_of_another_person_is_a_problem(root):
    hpp(root / "hpp")
    night(7_006).assign(participant_id=7_006).to_parquet(root / "hpp" / "bulk" / "nights" / "7005.parquet")
    told = refused(MANIFESTS["hpp"], "file sleep.parquet column channels_time_series, row", "rows of other people")
    assert "700" not in told and check_manifest(MANIFESTS["hpp"]).problems == [told]


def test_times_far_from_a_night_are_left_out_and_told(root):
    hpp(root / "hpp")
    before = load_cohort(MANIFESTS["hpp"])["night"].values
    file = root / "hpp" / "bulk" / "nights" / "7005.parquet"
    frame = night(7_005).reset_index()
    frame.loc[100, "collection_timestamp"] = pd.Timestamp("1970-01-01", tz="Asia/Jerusalem")
    frame.to_parquet(file, index=False)
    with pytest.warns(UserWarning, match=r"^night: recordings of <10 people have times far from all their others"):
        after = load_cohort(MANIFESTS["hpp"])["night"].values
    np.testing.assert_array_equal(np.isnan(after), np.isnan(before))
    np.testing.assert_allclose(after[5], before[5], atol=0.1)
    report = check_manifest(MANIFESTS["hpp"])
    assert report.problems == [] and "# night: recordings of <10 people have times far" in report.proposals


def test_stages_in_a_night_are_never_averaged(root):
    hpp(root / "hpp")
    for path in (root / "hpp" / "bulk" / "nights").iterdir():
        frame = pd.read_parquet(path)
        frame["spo2"] = np.where(np.arange(len(frame)) % 7 < 3, 13, 15)
        frame.to_parquet(path)
    changed = ('channels_time_series.spo2", unit = "%"', 'channels_time_series.spo2", kind = "ordinal"')
    stages = load_cohort(edited(root, "hpp", changed))["night"].values[:, 0]
    assert set(stages[~np.isnan(stages)]) <= {13.0, 15.0}
    means = load_cohort(MANIFESTS["hpp"])["night"].values[:, 0]
    assert ((means > 13) & (means < 15)).any()


@pytest.mark.parametrize("code", [-1, 999])
def test_codes_for_missing_do_not_enter_a_mean_of_rows(root, code):
    hpp(root / "hpp")
    path = root / "hpp" / "sleep" / "sleep.parquet"
    rows = pd.read_parquet(path)
    others = rows[rows["night"] > 1].groupby("participant_id")["ahi"].mean()
    rows.loc[rows["night"] == 1, "ahi"] = code
    rows.loc[rows["participant_id"] == 7_003, "ahi"] = code
    rows.to_parquet(path, index=False)
    changed = ('"sleep.ahi", range', f'"sleep.ahi", missing = [{code}], range')
    ahi = column(load_cohort(edited(root, "hpp", changed)), "breathing.ahi")
    assert np.isnan(ahi.pop(7_003))
    np.testing.assert_allclose(ahi**2, others.drop(7_003))


@pytest.mark.parametrize(
    "path",
    [
        "/bulk/../../secret.png",
        "/elsewhere/eyes/7003_left.png",
        "/bulk/link.png",
        "../a.png",
        "/bulk/a\0b",
        "/bulk/" + 400 * "a",
    ],
)
def test_a_bulk_path_outside_the_root_is_refused(root, path):
    hpp(root / "hpp")
    Image.new("L", (8, 8)).save(root / "secret.png")
    (root / "hpp" / "bulk" / "link.png").symlink_to(root / "secret.png")
    table = pd.read_parquet(root / "hpp" / "fundus" / "fundus.parquet")
    table.iloc[3, table.columns.get_loc("fundus_image_left")] = path
    table.to_parquet(root / "hpp" / "fundus" / "fundus.parquet")
    message = refused(
        MANIFESTS["hpp"], "file fundus.parquet column fundus_image_left, row 4", "inside the root folder"
    )
    assert "secret" not in message and "7003" not in message


def test_what_is_wrong_with_hpp_is_named(root):
    hpp(root / "hpp")
    refused(edited(root, "hpp", ('stage = "00_00_visit"', "")), "manifest source.stage", "00_00_visit, 02_00_visit")
    told = refused(edited(root, "hpp", ('"00_00_visit"', '"01_visit"')), "column research_stage", "'01_visit'")
    assert "10 or more say 00_00_visit" in told and "02_00_visit" not in told, "a value of few may point at a person"
    more = ("[source]", "[disclosure]\nminimum = 999\n[source]")
    refused(edited(root, "hpp", ('"00_00_visit"', '"01_visit"'), more), "999 or more say nothing in common")
    refused(
        edited(root, "hpp", ("anthropometrics.height", "anthropometric.height")),
        "anthropometric",
        "'anthropometrics'",
    )
    refused(edited(root, "hpp", ("events.sex", "events.sx")), "file events.parquet", "'sx'", "the nearest is 'sex'")
    refused(edited(root, "hpp", ('"events.sex"', '"sex"')), "variable sex", "dataset.field")
    refused(
        edited(root, "hpp", ("time_series.spo2", "time_series.spo")), "column channels_time_series", "'spo'", "'spo2'"
    )
    for place, where in [
        ("bulk/eyes/7003_left.png", "fundus_image_left, row 4"),
        ("bulk/nights/7003.parquet", "row 10"),
    ]:
        whole = (root / "hpp" / place).read_bytes()
        (root / "hpp" / place).write_bytes(whole[: len(whole) // 2])
        message = refused(MANIFESTS["hpp"], where, "complete")
        assert "7003" not in message
        (root / "hpp" / place).unlink()
        refused(MANIFESTS["hpp"], where, "no file there")
        (root / "hpp" / place).write_bytes(whole)
    path = root / "hpp" / "events" / "events.parquet"
    path.write_bytes(path.read_bytes()[:200])
    refused(MANIFESTS["hpp"], "file events.parquet", "complete table")
    path.unlink()
    refused(MANIFESTS["hpp"], "file events/events.parquet", "none")


# AI-READI


@pytest.mark.parametrize("key", ["person_id", "participant_id"])
def test_ai_readi_is_read_with_either_id(root, key):
    ai_readi(root / "ai-readi", key)
    path = edited(root, "ai-readi", ('id = "person_id"', f'id = "{key}"'))
    for cohort in (load_cohort(path), load_cohort(MANIFESTS["ai-readi"])):
        assert cohort.ids.tolist() == list(range(1_000, 1_000 + N))
    assert column(cohort, "diabetes.group").tolist() == [0.0, 1.0, 3.0] * (N // 3)
    measured = pd.read_csv(root / "ai-readi" / "clinical_data" / "measurement.csv")
    waist = measured[measured["measurement_source_value"].str.startswith("waist")].set_index("person_id")
    np.testing.assert_allclose(np.exp(column(cohort, "body.waist")), waist["value_as_number"].astype(float))
    assert np.isnan(column(cohort, "body.bmi")[1_000])  # "None"
    assert cohort.codebook.set_index("column").loc["systolic", "question"] == "Systolic (mmHg)"
    assert [path.name for path in source_files(MANIFESTS["ai-readi"])][1:] == [
        "participants.tsv",
        "measurement.csv",
        "manifest.tsv",
    ]


@pytest.mark.parametrize(("written", "missing"), [("-1", "-1"), ("refused", '"refused"')])
def test_codes_for_missing_do_not_enter_a_mean_of_measurements(root, written, missing):
    ai_readi(root / "ai-readi")
    before = column(load_cohort(MANIFESTS["ai-readi"]), "body.bmi")
    path = root / "ai-readi" / "clinical_data" / "measurement.csv"
    measured = pd.read_csv(path, dtype=str, keep_default_na=False)
    again = measured[measured["measurement_source_value"].str.startswith("bmi")].assign(value_as_number=written)
    pd.concat([again, measured]).to_csv(path, index=False)
    manifest = edited(
        root, "ai-readi", ('"measurement.bmi_vsorres", ', f'"measurement.bmi_vsorres", missing = [{missing}], ')
    )
    pd.testing.assert_series_equal(column(load_cohort(manifest), "body.bmi"), before)


def test_the_recommended_split_of_ai_readi_is_a_column(root):
    ai_readi(root / "ai-readi")
    split = 'split = { variable = "participants.recommended_split", levels = { "train" = 0, "val" = 1, "test" = 2 } }'
    path = edited(root, "ai-readi", ("[modality.demographics.columns]", f"[modality.demographics.columns]\n{split}"))
    assert column(load_cohort(path), "demographics.split").tolist() == [0.0] * 8 + [1.0] * 8 + [2.0] * 8
    rule = '[[include]]\n# variable = "participants.recommended_split"\n# among'
    path = edited(root, "ai-readi", (f"# {rule}", rule.replace("# ", "")))
    assert load_cohort(path).ids.tolist() == list(range(1_000, 1_008))


def test_releases_of_ai_readi_that_repeat_the_first_folder_are_read(root):
    ai_readi(root / "ai-readi")
    before = load_cohort(MANIFESTS["ai-readi"])
    for folder in [path for path in (root / "ai-readi").iterdir() if path.is_dir()]:
        folder.rename(root / "inner")
        folder.mkdir()
        (root / "inner").rename(folder / folder.name)
    after = load_cohort(MANIFESTS["ai-readi"])
    for name in before.names:
        np.testing.assert_array_equal(after[name].values, before[name].values)


def test_wearables_of_ai_readi_become_series(root):
    ai_readi(root / "ai-readi")
    cohort = load_cohort(MANIFESTS["ai-readi"])
    nights, glucose = cohort["night"].values, cohort["glucose"].values
    first = 120  # five minutes each from 12:00 to 22:00
    assert nights.shape == (N, 3, 288) and np.isnan(nights[2]).all()
    spo2 = nights[5, 0, first : first + 24]
    assert (
        spo2[:3].tolist() == [95, 96, 97] and np.isnan(spo2[3:5]).all() and np.isnan(nights[5, 0, first + 24 :]).all()
    )
    assert nights[5, 2, first - 1 : first + 21].tolist()[1:] == [0.0] * 6 + [3.0] * 14 + [
        pytest.approx(np.nan, nan_ok=True)
    ]
    assert glucose[5, 0, :8].tolist() == [100, 101, 102, 103, 104, 40, 400, 107]
    assert cohort["glucose"].units == ["mg/dL"]


def test_retinal_images_of_ai_readi_are_dicom(root):
    ai_readi(root / "ai-readi")
    eye = load_cohort(MANIFESTS["ai-readi"])["eye"].values
    assert eye.shape == (N, 2, 64, 64) and np.isnan(eye[1, 0]).all() and not np.isnan(eye[1, 1]).any()
    assert np.isnan(eye[6:]).all() and 0.4 < np.nanmean(eye) < 0.6
    refused(
        edited(root, "ai-readi", ('"L"', '"left"')),
        "file manifest.tsv column laterality",
        "'left'",
        "nothing in common",
    )


def test_what_is_wrong_with_ai_readi_is_named(root):
    ai_readi(root / "ai-readi")
    refused(
        edited(root, "ai-readi", ("bmi_vsorres", "bmi_vsores")),
        "file measurement.csv",
        "'bmi_vsores'",
        "'bmi_vsorres'",
    )
    refused(
        edited(root, "ai-readi", ("participants.age", "participants.aeg")), "file participants.tsv", "'aeg'", "'age'"
    )
    refused(edited(root, "ai-readi", ("wearable.sleep", "wearable.sleeping")), "wearable.sleeping", "wearable.sleep")
    garmin = root / "ai-readi" / "wearable_activity_monitor" / "heart_rate" / "garmin_vivosmart5"
    file = garmin / "1004" / "1004_heartrate.json"
    whole = file.read_text()
    file.write_text(whole[:200])
    assert "1004" not in refused(MANIFESTS["ai-readi"], "_heartrate.json of one person", "a complete JSON file")
    file.write_text('{"body": {}}')
    refused(MANIFESTS["ai-readi"], "body.heart_rate")
    file.write_text(whole.replace("63", '"fast"'))
    refused(MANIFESTS["ai-readi"], "night.heart_rate", "numbers")
    file.write_text(whole.replace("63", "[63]"))
    refused(MANIFESTS["ai-readi"], "night.heart_rate", "numbers, got lists")
    file.write_text(whole.replace("2023-", "then "))
    refused(MANIFESTS["ai-readi"], "times in body.heart_rate")
    file.write_text(whole)
    manifest = root / "ai-readi" / "retinal_photography" / "manifest.tsv"
    manifest.write_text(manifest.read_text().replace("/retinal_photography/1003_L", "/../1003_L"))
    refused(
        MANIFESTS["ai-readi"], "retinal_photography/manifest.tsv column filepath, row 7", "inside the root folder"
    )
    people = root / "ai-readi" / "participants.tsv"
    people.write_text(people.read_text().replace("\n1", "\n9"))
    refused(MANIFESTS["ai-readi"], "file measurement.csv column person_id", "none of them")
    people.write_text(people.read_text().replace("person_id", "subject"))
    refused(MANIFESTS["ai-readi"], "file participants.tsv", "'person_id'")
