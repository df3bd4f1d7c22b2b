"""Manifests: everything that is refused, by name, and nothing written."""

import shutil

import pandas as pd
import pytest
from small_cohort import MANIFEST, cut, edit, people, write_small

from mmcrl.check import check_manifest
from mmcrl.errors import InputError
from mmcrl.manifest import load_cohort
from mmcrl.schema import parse


@pytest.fixture
def folder(tmp_path):
    return write_small(tmp_path)


def refused(folder, *texts):
    """The refusal names all of this, and nothing is written."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(InputError) as error:
        load_cohort(folder / "small.toml")
    for text in texts:
        assert text in str(error.value)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    return str(error.value)


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
            [
                "modality.who.kind",
                "one of table, observed, series, image, image-toned, image-sides, image-resnet18",
                "'picture'",
            ],
        ),
        ('kind = "ordinal"', 'kind = "odd"', ["night.columns.snoring.kind", "'odd'"]),
        ('transform = "log"', 'transform = "exp"', ["lab.columns.lead.transform", "'log'"]),
        ("range = [0.01, 100]", "range = [0, 100]", ["lab.columns.lead", "range on which log is defined"]),
        ("range = [20, 90]", "range = [90, 20]", ["who.columns.age", "min < max"]),
        ("range = [20, 90]", "range = [nan, 90]", ["who.columns.age", "min < max"]),
        ("range = [20, 90]", "range = [20, nan]", ["who.columns.age", "min < max"]),
        ("n_latents = 1", "n_latents = 0", ["modality.lab.n_latents", "greater than or equal to 1", "0"]),
        ('variable = "pb"', "variable = 3", ["lab.columns.lead.variable", "string", "3"]),
        (
            'name = "small"',
            'name = "small"\n[disclosure]\nminimum = 0',
            ["manifest disclosure.minimum", "equal to 1", "0"],
        ),
        ('name = "small"', 'name = "small"\n[disclosure]\nimage = true', ["manifest disclosure.image", "'images'"]),
        ('name = "small"', 'name = "small"\n[disclosure]\nimages = "yes"', ["disclosure.images", "boolean", "'yes'"]),
        ("sign = 1", "sign = 2", ["known.0.sign", "2"]),
        ('target = "lab.lead"', 'target = "who.age"', ["manifest known.0", "two different columns"]),
        ('require = ["who"]', 'require = ["whom"]', ["people.require", "'who'", "'whom'"]),
        ('tiers = [["who"]', 'tiers = [["whom"]', ["manifest tiers", "'whom'"]),
        ('target = "lab.lead"', 'target = "lab.led"', ["known.0.target", "'lab.lead'", "'lab.led'"]),
    ],
)
def test_a_fault_in_the_manifest_is_named_with_its_place(folder, old, new, texts):
    edit(folder, old, new)
    refused(folder, *texts)


@pytest.mark.parametrize(
    ("variable", "texts"),
    [
        ("cigs", ["manifest people.weights: expected a number above 0 of everyone", "0 or below"]),
        ("none", ["'none'"]),
        ("sex", ["manifest people.weights", "some missing"]),
    ],
)
def test_weights_that_are_none_are_refused(folder, variable, texts):
    edit(folder, 'require = ["who"]', f'require = ["who"]\nweights = "{variable}"')
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
        (20, "person", 101, ["file people.csv column person", "each once", "<10 repeated"]),
        (20, "person", None, ["file people.csv column person", "<10 missing"]),
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


def test_dates_are_no_numbers(folder):
    people().assign(pb=pd.Timestamp("2020-01-01")).to_parquet(folder / "people.parquet")
    edit(folder, "people.csv", "people.parquet")
    refused(folder, "lab.lead: expected numbers, got something else in")


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


def test_all_faults_of_a_manifest_are_told_at_once():
    manifest, faults = parse({"nam": 1, "source": {"path": 3}, "modality": {}})
    assert manifest is None
    places = {fault.argument for fault in faults}
    assert {"manifest nam", "manifest name", "manifest source.path", "manifest source.id"} <= places


@pytest.mark.parametrize(("content", "told"), [("", "an empty file"), ("\n\n", "an empty first line")])
def test_a_table_without_names_of_columns_is_told_once(folder, content, told):
    (folder / "people.csv").write_text(content)
    message = refused(folder, "file people.csv: expected a first line with the names of its columns", told)
    assert check_manifest(folder / "small.toml").problems == [message]


def test_a_range_may_be_open(folder):
    edit(folder, "range = [20, 90]", "range = [20, inf]")
    assert len(load_cohort(folder / "small.toml")) > 0
