"""Manifests: a small cohort loaded, and everything that is refused."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmcrl.errors import InputError
from mmcrl.manifest import load_cohort, source_files
from mmcrl.schema import parse

N = 60
MANIFEST = """
name = "small"
tiers = [["who"], ["lab", "night"]]
[source]
path = "people.csv"
id = "person"
zero_below = 1e-70
[source.questions]
path = "questions.tsv"
variable = "name"
question = "text"
code = "code"
[[include]]
variable = "age"
min = 20
[people]
require = ["who"]
min_modalities = 2
[modality.who]
kind = "observed"
[modality.who.columns]
age = { variable = "age", unit = "years", range = [20, 90] }
female = { variable = "sex", kind = "binary", levels = { "F" = 1, "M" = 0 } }
[modality.lab]
n_latents = 1
[modality.lab.columns]
lead = { variable = "pb", unit = "ug/L", range = [0.01, 100], transform = "log", missing = [99] }
mean = { variable = ["one", "two"], unit = "g", range = [0, 100], transform = "sqrt" }
[modality.lab.columns.cigarettes]
variable = "cigs"
range = [0, 90]
transform = "log1p"
skipped = [{ variable = "smoker", equals = 0, value = 0 }]
[modality.night.columns]
bed = { variable = "bed", unit = "h after noon", kind = "time", day_starts = "12:00", missing = [99999] }
snoring = { variable = "snore", kind = "ordinal", levels = { "Never" = 0, "Often" = 1, "Always" = 2 } }
[[known]]
source = "who.age"
target = "lab.lead"
sign = 1
rests_on = "a book"
"""


def people():
    """One row per person, person 0 a child, person 1 without anything but age and sex."""
    i = np.arange(N)
    frame = pd.DataFrame(
        {
            "person": 100 + i,
            "age": np.where(i == 0, 12, 20 + i),
            "sex": np.where(i % 2, "F", "M"),
            "pb": np.where(i == 2, 99, 1 + i / 10),
            "one": 4.0 + i,
            "two": np.where(i == 3, np.nan, 6.0 + i),
            "smoker": np.where(i % 3 == 0, 5.4e-79, 1),
            "cigs": np.where(i % 3 == 0, np.nan, i),
            "bed": np.where(i % 2, "b'23:30'", "b'01:15'"),
            "snore": np.array(["Never", "Often", "Always"])[i % 3],
        }
    )
    frame.loc[4, ["bed", "snore"]] = ["b'99999'", None]
    frame.loc[1, ["pb", "one", "two", "cigs", "bed", "snore", "smoker"]] = None
    return frame


@pytest.fixture
def folder(tmp_path):
    people().to_csv(tmp_path / "people.csv", index=False)
    (tmp_path / "questions.tsv").write_text("name\ttext\tcode\npb\tHow much {of your/of his} lead?\tLBX\n")
    (tmp_path / "small.toml").write_text(MANIFEST)
    return tmp_path


def edit(folder, old, new):
    assert old in MANIFEST
    (folder / "small.toml").write_text(MANIFEST.replace(old, new))


def refused(folder, *texts):
    """The refusal names all of this, and nothing is written."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(InputError) as error:
        load_cohort(folder / "small.toml")
    for text in texts:
        assert text in str(error.value)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    return str(error.value)


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


def test_names_are_found_under_data_from_any_folder_below(folder, monkeypatch):
    shutil.copytree(folder, folder / "data", ignore=shutil.ignore_patterns("data"))
    (folder / "notebooks").mkdir()
    monkeypatch.chdir(folder / "notebooks")
    assert load_cohort("small").name == "small"
    assert [path.name for path in source_files("small")] == ["small.toml", "people.csv", "questions.tsv"]
    with pytest.raises(InputError, match=r"name_or_path: .*small.*got 'smal'"):
        load_cohort("smal")


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        ("zero_below = 1e-70", "zeros = 1", ["manifest source.zeros", "'zero_below'"]),
        ('id = "person"', 'idd = "person"', ["manifest source.id", "nothing"]),
        ("min = 20", "minn = 20", ["manifest include.0.minn", "'min'"]),
        ("require", "requires", ["manifest people.requires", "'require'"]),
        ('kind = "observed"', 'kinds = "observed"', ["manifest modality.who.kinds", "'kind'"]),
        ("range = [20, 90]", "rnage = [20, 90]", ["modality.who.columns.age.rnage", "'range'"]),
        ("value = 0", "valeu = 0", ["skipped.0.value", "nothing"]),
        ("rests_on", "rest_on", ["manifest known.0.rest", "got"]),
        ('name = "small"', 'name = "small"\ntitel = 1', ["manifest titel", "a known key"]),
        (
            'kind = "observed"',
            'kind = "picture"',
            ["modality.who.kind", "'table' or 'observed'", "'picture'"],
        ),
        ('kind = "ordinal"', 'kind = "odd"', ["night.columns.snoring.kind", "'odd'"]),
        ('transform = "log"', 'transform = "exp"', ["lab.columns.lead.transform", "'log'"]),
        ("range = [0.01, 100]", "range = [0, 100]", ["lab.columns.lead", "range on which log is defined"]),
        ("range = [20, 90]", "range = [90, 20]", ["who.columns.age", "min < max"]),
        ("n_latents = 1", "n_latents = 0", ["modality.lab.n_latents", "greater than or equal to 1", "0"]),
        ('variable = "pb"', "variable = 3", ["lab.columns.lead.variable", "string", "3"]),
        ("sign = 1", "sign = 2", ["known.0.sign", "2"]),
        ('require = ["who"]', 'require = ["whom"]', ["people.require", "'who'", "'whom'"]),
        ('tiers = [["who"]', 'tiers = [["whom"]', ["manifest tiers", "'whom'"]),
        ('target = "lab.lead"', 'target = "lab.led"', ["known.0.target", "'lab.lead'", "'lab.led'"]),
    ],
)
def test_a_fault_in_the_manifest_is_named_with_its_place(folder, old, new, texts):
    edit(folder, old, new)
    refused(folder, *texts)


@pytest.mark.parametrize("path", ["../people.csv", "/etc/people.csv", "sub/../../people.csv", "link.csv"])
def test_a_path_that_leaves_the_folder_is_refused(folder, path):
    inner = folder / "inner"
    inner.mkdir()
    (inner / "link.csv").symlink_to(folder / "people.csv")
    for text in (MANIFEST.replace("people.csv", path), MANIFEST.replace("questions.tsv", path)):
        (inner / "small.toml").write_text(text)
        shutil.copy(folder / "people.csv", inner / "people.csv")
        refused(inner, ".path: expected a path that stays inside the manifest's folder", path)


def test_packages_are_places_too_and_have_walls(folder):
    edit(folder, "[source]", '[source]\npackage = "no_such_package"')
    refused(folder, "manifest source.package", "not installed")
    edit(folder, '[source]\npath = "people.csv"', '[source]\npackage = "numpy"\npath = "../README.csv"')
    refused(folder, "stays inside the package numpy")
    edit(folder, "[source]", '[source]\npackage = "os.path"')
    refused(folder, "manifest source.package")


def test_files_that_are_not_there_or_of_another_form(folder):
    edit(folder, "people.csv", "nobody.csv")
    refused(folder, "manifest source.path", "no file 'nobody.csv'")
    (folder / "people.xlsx").write_text("")
    edit(folder, "people.csv", "people.xlsx")
    refused(folder, ".csv, .tsv or .parquet")


def cut(path: Path, keep: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])


def test_half_written_files_are_refused(folder):
    edit(folder, "people.csv", "people.parquet")
    people().to_parquet(folder / "people.parquet")
    cut(folder / "people.parquet", 0.7)
    refused(folder, "file people.parquet: expected a complete table")
    (folder / "people.parquet").write_bytes(b"")
    refused(folder, "file people.parquet: expected a complete table")
    (folder / "small.toml").write_text(MANIFEST)
    text = (folder / "people.csv").read_text().splitlines()
    (folder / "people.csv").write_text("\n".join([*text[:-1], text[-1][:9]]))
    message = refused(folder, "file people.csv: expected a complete table", "Expected 10 columns, got")
    assert text[-1][:9] not in message
    (folder / "people.csv").write_text("")
    refused(folder, "file people.csv")
    (folder / "people.csv").write_bytes(b"\xff\xfe\x00person")
    refused(folder, "file people.csv")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_half_written_manifests_are_refused(folder, keep):
    cut(folder / "small.toml", keep)
    refused(folder, "manifest")


def test_a_toml_error_tells_the_line(folder):
    edit(folder, "zero_below = 1e-70", "zero_below = ")
    refused(folder, "manifest small.toml: expected a complete TOML file", "line 7")
    (folder / "small.toml").write_bytes(b'name = "\xff"')
    refused(folder, "manifest small.toml")


def spoil(folder, row, name, value):
    frame = people().astype(object)
    frame.loc[row, name] = value
    frame.to_csv(folder / "people.csv", index=False)


@pytest.mark.parametrize(
    ("row", "name", "value", "texts"),
    [
        (slice(20, 45), "pb", 2000, ["lab.lead", "values in [0.01, 100] ug/L", "26 values outside"]),
        (20, "pb", 2000, ["lab.lead", "<10 values outside"]),
        (20, "pb", "high", ["lab.lead: expected numbers", "<10 rows of pb"]),
        (slice(20, 45), "pb", "inf", ["lab.lead", "26 values outside"]),
        (20, "snore", "Rarely", ["night.snoring", "one of the levels Never, Often, Always"]),
        (20, "bed", "25:00", ["night.bed", "clock times HH:MM"]),
        (20, "person", 101, ["file column person", "each once", "<10 repeated"]),
        (20, "person", None, ["file column person", "<10 missing"]),
        (slice(None), "age", 12, ["manifest include", "nobody"]),
        (slice(None), "pb", None, ['cohort["lab"].lead', "at least one value"]),
        (slice(None), "pb", 3, ['cohort["lab"].lead', "values that vary, got a constant"]),
        (slice(None), ["age", "sex"], None, ["manifest include", "nobody"]),
    ],
)
def test_bad_values_are_refused_by_column_and_count(folder, row, name, value, texts):
    spoil(folder, row, name, value)
    message = refused(folder, *texts)
    assert "120" not in message and "Rarely" not in message and "2000" not in message


def test_a_missing_variable_is_named_with_the_nearest(folder):
    edit(folder, 'variable = "snore"', 'variable = "snores"')
    refused(folder, "file people.csv: expected one column 'snores'", "nearest is 'snore'")


def test_unsafe_names_in_a_manifest_are_refused(folder):
    edit(
        folder,
        "[modality.lab]\n",
        '[modality."a/b"]\ncolumns = { x = { variable = "pb" } }\n[modality.lab]\n',
    )
    refused(folder, "names of up to 40 letters", "'a/b'")


def test_ids_with_leading_zeros_stay_text(folder):
    frame = people()
    frame["person"] = frame["person"].map("00{}".format)
    frame.to_csv(folder / "people.csv", index=False)
    assert load_cohort(folder / "small.toml").ids[0] == "00102"


def test_all_faults_of_a_manifest_are_told_at_once():
    manifest, faults = parse({"nam": 1, "source": {"path": 3}, "modality": {}})
    assert manifest is None
    places = {fault.argument for fault in faults}
    assert {"manifest nam", "manifest name", "manifest source.path", "manifest source.id"} <= places
