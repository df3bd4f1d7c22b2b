"""Manifests: a small cohort becomes what its manifest declares."""

import datetime
import shutil

import numpy as np
import pandas as pd
import pytest
from small_cohort import N, edit, people, write_small

from mmcrl.check import check_manifest
from mmcrl.errors import InputError
from mmcrl.manifest import load_cohort, source_files


@pytest.fixture
def folder(tmp_path):
    return write_small(tmp_path)


def column(cohort, name):
    modality, key = name.split(".")
    values = cohort[modality].values[:, cohort[modality].names.index(key)]
    return pd.Series(values, index=cohort.ids)


def test_a_cohort_is_what_its_manifest_declares(folder):
    cohort = load_cohort(folder / "small.toml")
    assert (cohort.name, cohort.names, len(cohort)) == ("small", ["who", "lab", "night"], N - 2)
    assert cohort.ids.tolist() == list(range(102, 100 + N)) and cohort.ids.name == "person"
    assert (cohort.tiers, cohort.n_latents) == ([["who"], ["lab", "night"]], {"lab": 1})
    assert cohort["who"].kind == "observed" and cohort["lab"].units == ["log ug/L", "sqrt g", "log1p"]
    assert cohort["night"].column_kinds == ["numeric", "ordinal"]
    assert cohort.known.to_dict("records") == [
        {"source": "who.age", "target": "lab.lead", "sign": 1, "rests_on": "a book"}
    ]


def test_weights_of_a_survey_follow_their_people(folder):
    assert load_cohort(folder / "small.toml").weights is None
    edit(folder, 'require = ["who"]', 'require = ["who"]\nweights = "one"')
    cohort = load_cohort(folder / "small.toml")
    assert cohort.weights.tolist() == [4.0 + i for i in range(2, N)]
    train, held_out = cohort.split(0.25, seed=1)
    assert held_out.weights.tolist() == [4.0 + person - 100 for person in held_out.ids]
    assert len(train.weights) == len(train) and train.shuffled("lab").weights.tolist() == train.weights.tolist()


def test_values_are_decoded_and_transformed(folder):
    cohort = load_cohort(folder / "small.toml")
    assert column(cohort, "lab.lead")[110] == pytest.approx(np.log(2.0))
    assert np.isnan(column(cohort, "lab.lead")[102])
    assert column(cohort, "lab.mean")[110] == pytest.approx(np.sqrt(15.0))
    assert column(cohort, "lab.mean")[103] == pytest.approx(np.sqrt(7.0))
    assert column(cohort, "lab.cigarettes")[103] == 0  # skipped, though 0 is stored as 5.4e-79
    assert column(cohort, "lab.cigarettes")[104] == pytest.approx(np.log1p(4))
    assert column(cohort, "night.bed")[105] == 11.5 and column(cohort, "night.bed")[106] == 13.25
    assert column(cohort, "night.snoring")[108] == 2
    assert cohort["night"].measured.sum() == N - 3  # nothing of person 4's night is there


def test_questions_come_from_the_table_beside_the_data(folder):
    book = load_cohort(folder / "small.toml").codebook.set_index(["modality", "column"])
    assert book.loc[("lab", "lead")].tolist() == ["log ug/L", "numeric", "How much of your lead?", "LBX"]
    assert book.loc[("lab", "mean"), "variable"] == "one, two"


def test_parquet_and_tsv_give_the_same_cohort(folder):
    first = load_cohort(folder / "small.toml")
    people().to_parquet(folder / "people.parquet")
    people().to_csv(folder / "people.tsv", sep="\t", index=False)
    for name in ("people.parquet", "people.tsv"):
        edit(folder, "people.csv", name)
        other = load_cohort(folder / "small.toml")
        assert other.ids.equals(first.ids)
        for modality in first.names:
            np.testing.assert_array_equal(other[modality].values, first[modality].values)


def test_a_manifest_may_begin_with_a_byte_order_mark(folder):
    path = folder / "small.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_cohort(path).name == "small" and check_manifest(path).problems == []


def test_parquet_brings_clock_times(folder):
    first, frame = load_cohort(folder / "small.toml"), people()
    clock = frame["bed"].str.extract(r"(\d\d):(\d\d)")
    frame["bed"] = [datetime.time(int(h), int(m)) if isinstance(h, str) else None for h, m in clock.to_numpy()]
    frame.to_parquet(folder / "people.parquet")
    edit(folder, "people.csv", "people.parquet")
    np.testing.assert_array_equal(load_cohort(folder / "small.toml")["night"].values, first["night"].values)


def test_names_are_found_under_data_from_any_folder_below(folder, monkeypatch):
    shutil.copytree(folder, folder / "data", ignore=shutil.ignore_patterns("data"))
    (folder / "notebooks").mkdir()
    monkeypatch.chdir(folder / "notebooks")
    assert load_cohort("small").name == "small"
    assert [path.name for path in source_files("small")] == ["small.toml", "people.csv", "questions.tsv"]
    with pytest.raises(InputError, match=r"name_or_path: .*small.*got 'smal'"):
        load_cohort("smal")


def test_ids_with_leading_zeros_stay_text(folder):
    frame = people()
    frame["person"] = frame["person"].map("00{}".format)
    frame.to_csv(folder / "people.csv", index=False)
    assert load_cohort(folder / "small.toml").ids[0] == "00102"


def test_space_around_ids_tells_nobody_apart(folder):
    before = load_cohort(folder / "small.toml").ids
    frame = people().astype({"person": str})
    frame.loc[::2, "person"] = frame.loc[::2, "person"] + "  "
    frame.to_csv(folder / "people.csv", index=False)
    pd.testing.assert_index_equal(load_cohort(folder / "small.toml").ids, before)
    frame.loc[20, "person"] = f" {frame.loc[21, 'person']}.0"
    frame.loc[23, "person"] = "   "
    frame.to_csv(folder / "people.csv", index=False)
    told = "\n".join(check_manifest(folder / "small.toml").problems)
    assert "<10 repeated" in told and "<10 missing" in told


def test_ids_written_as_floats_are_whole_numbers(folder):
    frame = people()
    frame["person"] = frame["person"].astype(float)
    frame.to_csv(folder / "people.csv", index=False)
    assert load_cohort(folder / "small.toml").ids.tolist() == list(range(102, 100 + N))
