"""NHANES 2005-06, 2007-08, 2013-14: the layout on small made-up trees, and the manifests where the data are."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from mmcrl.errors import InputError
from mmcrl.layouts.nhanes_arrays import cells_missed, drawn_outline, field_levels, kyphosis
from mmcrl.manifest import load_cohort, source_files

CYCLES = {"nhanes-2005": "D", "nhanes-2007": "E", "nhanes-2013": "H"}
DATA = Path(os.environ.get("MMCRL_DATA", "")) / "nhanes"
here = pytest.mark.skipif(
    "MMCRL_DATA" not in os.environ or not (DATA / "cohort_E.parquet").is_file(),
    reason="needs NHANES: set MMCRL_DATA to a folder with nhanes/cohort_E.parquet",
)
N = 30

MANIFEST = """
name = "small"
[source]
layout = "nhanes"
path = "${MMCRL_DATA}/nhanes"
id = "SEQN"
cohort = "E"
[modality.demographics]
kind = "observed"
[modality.demographics.columns]
age = { variable = "RIDAGEYR", range = [0, 100] }
missed = { variable = "fields.missed" }
[modality.fields]
kind = "image"
height = 4
width = 5
[modality.fields.columns]
right = { variable = "fields.right" }
left = { variable = "fields.left" }
[modality.spine]
kind = "image"
height = 32
width = 24
[modality.spine.columns]
outline = { variable = "spine.outline" }
[modality.wear]
kind = "series"
step = 600
length = 1008
[modality.wear.columns]
worn = { variable = "wear.worn", unit = "share", range = [0, 1] }
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A tree of invented people, and a manifest beside it."""
    monkeypatch.setenv("MMCRL_DATA", str(tmp_path))
    folder, draw, ids = tmp_path / "nhanes", np.random.default_rng(0), 500 + np.arange(N)
    folder.mkdir()
    table = {"SEQN": ids, "RIDAGEYR": np.float32(40 + np.arange(N))}
    for test in (1, 2):
        for eye, first in (("OD", 2), ("OS", 0)):
            for k in range(first, first + 19):
                table[f"OPX{test}{eye}{k:02}"] = np.full(N, 6, dtype=np.float32)
    table["OPX1OD05"][3] = 8  # once of two tests
    table["OPX1OS07"][4], table["OPX2OS07"][4] = 10, 9
    table["OPX1OD03"][5] = 0  # a test that was not finished
    pd.DataFrame(table).to_parquet(folder / "cohort_E.parquet", index=False)
    grid = np.full((N - 1, 2, 2, 4, 5), 6, dtype=np.float32)
    grid[..., [0, 3], 4] = 0
    grid[0, 0, :, 1, 2], grid[1, 1, 0, 2, 0], grid[2, 0] = [8, 10], 9, np.nan
    np.savez(folder / "fdt_maps_E.npz", SEQN=ids[1:], grid=grid, macula=grid[..., 0, 0])
    points = np.stack(
        np.broadcast_arrays(200 + 1000 * np.arange(12)[:, None], draw.integers(0, 50, (12, 95))), axis=-1
    )
    points = np.broadcast_to(points, (N, 12, 95, 2)).astype(np.int16).copy()
    points[7] = -32768
    np.savez(folder / "spine_outlines_E.npz", SEQN=ids, levels=np.array(["T4"] * 12), points_x10=points)
    minutes = np.zeros((2, 1440), dtype=np.uint8)
    minutes[0, 5:600] = 1
    np.savez(
        folder / "wear_flags_E.npz",
        SEQN=ids[[8, 8]],
        WEEKDAY=np.array([2, 7], dtype=np.int8),
        bits=np.packbits(minutes, axis=1),
    )
    (tmp_path / "small.toml").write_text(MANIFEST)
    return tmp_path


def test_fields_are_levels_of_two_tests_and_gaps_where_no_cell_is(root):
    fields = load_cohort(root / "small.toml")["fields"]
    assert fields.values.shape == (N, 2, 4, 5) and not fields.measured[0]
    assert fields.values[1, 0, 1, 2] == 2.0 and fields.values[2, 1, 2, 0] == 1.0  # (1 + 3) / 2, (2 + 0) / 2
    assert np.isnan(fields.values[3, 0]).all() and np.nansum(fields.values[3, 1]) == 0
    assert np.isnan(fields.values[4, :, [0, 3], 4]).all() and np.isnan(fields.values[4]).sum() == 4


def test_cells_that_were_missed_are_counted_over_both_eyes(root):
    missed = load_cohort(root / "small.toml")["demographics"].values[:, 1]
    assert missed[:6].tolist() == [0.0, 0.0, 0.0, 0.5, 1.0, 0.0]
    assert np.isnan(cells_missed(pd.DataFrame(np.zeros((1, 76)))).iloc[0])


def test_a_week_of_wear_begins_on_sunday_and_has_gaps_where_no_day_was(root):
    cohort = load_cohort(root / "small.toml")
    worn = cohort["wear"].values[8, 0].reshape(7, 144)
    assert cohort["wear"].measured.tolist() == [i == 8 for i in range(N)]
    assert worn[1, :3].tolist() == [0.5, 1.0, 1.0] and worn[1, 60:].sum() == 0 and not worn[6].any()
    assert np.isnan(worn[[0, 2, 3, 4, 5]]).all()


def test_an_outline_is_drawn_whatever_the_order_of_its_points(root):
    spine = load_cohort(root / "small.toml")["spine"]
    assert spine.values.shape == (N, 1, 32, 24) and not spine.measured[7] and spine.values[0].max() == 1
    points = np.load(root / "nhanes" / "spine_outlines_E.npz")["points_x10"][0]
    shuffled = np.random.default_rng(1).permutation(points.reshape(-1, 2)).reshape(points.shape)
    np.testing.assert_array_equal(drawn_outline(points, 32, 24), drawn_outline(shuffled, 32, 24))
    np.testing.assert_allclose(drawn_outline(points, 32, 24), drawn_outline(points // 2, 32, 24), atol=0.2)  # size
    rows = np.flatnonzero(drawn_outline(points, 32, 24).any(axis=1))
    assert len(rows) == 12 and 0 <= rows.min() < 6 and 25 < rows.max() < 32


@pytest.mark.parametrize("angle", [0, 20, 45])
def test_kyphosis_is_the_angle_between_the_upper_and_the_lower_line(angle):
    steps, bend = np.arange(12), np.radians(angle)
    along = np.where(steps <= 4, steps, 4 + (steps - 4) * np.cos(bend))
    across = np.where(steps <= 4, 0, (steps - 4) * np.sin(bend))
    points = np.repeat(np.stack([along, across], axis=-1)[None, :, None] * 1000, 95, axis=2).astype(np.int16)
    assert kyphosis(points)[0] == pytest.approx(angle, abs=0.1)
    points[0, 8] = -32768
    assert np.isnan(kyphosis(points)[0])


def test_levels_do_not_depend_on_a_test_that_was_not_done():
    grid = np.stack([np.full((4, 5), 9.0), np.full((4, 5), np.nan)])[None]
    assert (field_levels(grid) == 2).all()


def test_what_is_wrong_is_named(root, monkeypatch):
    def refused(*texts, change=("", "")):
        (root / "edited.toml").write_text(MANIFEST.replace(*change) if change[0] else MANIFEST)
        with pytest.raises(InputError) as error:
            load_cohort(root / "edited.toml")
        assert all(text in str(error.value) for text in texts), str(error.value)

    refused("file cohort_E.parquet", "'RIDAGEYRS'", "'RIDAGEYR'", change=('"RIDAGEYR"', '"RIDAGEYRS"'))
    refused("height 4 and width 5", change=("height = 4", "height = 6"))
    refused("fields.right", "'fields.rigth'", change=('"fields.right"', '"fields.rigth"'))
    refused("wear.worn", "'wear.won'", change=('"wear.worn"', '"wear.won"'))
    refused("source.cohort", "D, E or H", change=('cohort = "E"\n', ""))
    refused("cohort_H.parquet", "xpt/*_H.XPT", "fetch", change=('cohort = "E"', 'cohort = "H"'))
    path = root / "nhanes" / "fdt_maps_E.npz"
    path.write_bytes(path.read_bytes()[:300])
    refused("file fdt_maps_E.npz", "a complete file of arrays")
    path.unlink()
    refused("file fdt_maps_E.npz")
    monkeypatch.delenv("MMCRL_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "nowhere"))
    refused("manifest source.path", "python -m mmcrl fetch")


# The manifests, on the survey's own data


@pytest.fixture(scope="module", params=CYCLES)
def cohort(request):
    return load_cohort(ROOT / "data" / f"{request.param}.toml")


def column(cohort, name):
    modality, key = name.split(".")
    return pd.Series(cohort[modality].values[:, cohort[modality].names.index(key)], index=cohort.ids)


def standardised(cohort, source, target):
    """Coefficient of the source in a regression of the target that holds age and sex fixed."""
    held = [name for name in ("demographics.age", "demographics.female") if name != source]
    table = pd.DataFrame({name: column(cohort, name) for name in (target, source, *held)}).dropna()
    table = (table - table.mean()) / table.std()
    return np.linalg.lstsq(table[[source, *held]].to_numpy(), table[target].to_numpy(), rcond=None)[0][0]


@here
def test_cycles_have_their_adults_and_no_code_for_missing(cohort):
    low = 20 if cohort.name == "nhanes-2005" else 40
    ages = column(cohort, "demographics.age")
    assert ages.min() == low and ages.max() == (85 if cohort.name == "nhanes-2005" else 80)
    assert 3_000 < len(cohort) < 4_500 and cohort.tiers[0] == ["demographics"]
    assert column(cohort, "sleep.hours").max() <= 12 and column(cohort, "pressure.diastolic").min() > 0
    if "vision" in cohort.names:
        assert np.exp(column(cohort, "vision.right").max()) == pytest.approx(200)
        assert column(cohort, "sleep.snoring").max() == 3
    never = column(cohort, "smoking.ever_smoked") == 0
    assert (column(cohort, "smoking.cigarettes")[never] == 0).all()
    book = cohort.codebook
    assert book["question"].str.len().min() > 2 and (book.loc[book["kind"] == "numeric", "unit"] != "").mean() > 0.9


@here
def test_every_known_link_shows_in_the_data_and_the_near_null_ones_do_not(cohort):
    assert {-1, 0, 1} == set(cohort.known["sign"]) and len(cohort.known) >= 8
    for link in cohort.known.itertuples():
        beta = standardised(cohort, link.source, link.target)
        if link.sign:
            assert np.sign(beta) == link.sign and abs(beta) > 0.05, (link.source, link.target, beta)
        else:
            assert abs(beta) < 0.07, (link.source, link.target, beta)


@here
def test_source_files_are_the_manifest_and_what_it_reads():
    names = [path.name for path in source_files(ROOT / "data" / "nhanes-2013.toml")]
    assert names == ["nhanes-2013.toml", "cohort_H.parquet", "spine_outlines_H.npz"]
