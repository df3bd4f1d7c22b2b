"""NHANES 2005-06, 2007-08, 2013-14: the layout on small made-up trees, and the manifests where the data are."""

import os
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import pytest
from conftest import ROOT

from mmcrl.errors import InputError
from mmcrl.fetch import CATALOGUE, Remote, fetch
from mmcrl.layouts.nhanes_arrays import CELLS, cells_missed, drawn_outline, field_grid, field_levels, kyphosis
from mmcrl.layouts.transport import merged_components
from mmcrl.manifest import load_cohort, source_files
from mmcrl.surveys import ADDRESS

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
    cells = {name: np.where(np.arange(N) == 0, np.nan, 6).astype(np.float32) for name in CELLS}
    cells["OPX1OD07"][1], cells["OPX2OD07"][1] = 8, 10
    cells["OPX1OS12"][2] = 9  # once of two tests
    for name in CELLS:
        cells[name][3] = 0 if "OD" in name else 6  # an eye that was not tested
    cells["OPX1OS07"][4], cells["OPX2OS07"][4] = 10, 9
    cells["OPX1OD03"][5] = 0  # a test that was not finished
    cells["OPX1OD05"][6] = 8
    pd.DataFrame(table | cells).to_parquet(folder / "cohort_E.parquet", index=False)
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
    assert fields.values[4, 1, 1, 1] == 2.5 and np.nansum(fields.values[4]) == 2.5
    assert np.isnan(fields.values[4, :, [0, 3], 4]).all() and np.isnan(fields.values[4]).sum() == 4
    assert fields.values[5, 0, 1, 1] == 0, "the other test tells"


def test_every_cell_of_a_field_has_a_place_of_its_own_but_the_middle_one():
    grid = field_grid(pd.DataFrame([np.arange(1.0, 77)], columns=CELLS))
    placed = {CELLS[int(code) - 1] for code in grid.ravel() if code}
    assert len(CELLS) == len(set(CELLS)) == 76 and np.count_nonzero(grid) == len(placed) == 72
    assert set(CELLS) - placed == {"OPX1OD02", "OPX2OD02", "OPX1OS02", "OPX2OS02"}
    for (_, e, test, _, _), code in np.ndenumerate(grid):
        assert not code or CELLS[int(code) - 1][:6] == f"OPX{test + 1}{('OD', 'OS')[e]}"


def test_cells_that_were_missed_are_counted_over_both_eyes(root):
    missed = load_cohort(root / "small.toml")["demographics"].values[:, 1]
    np.testing.assert_array_equal(missed[:7], [np.nan, 1.0, 0.5, np.nan, 1.0, 0.0, 0.5])
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
    path = root / "nhanes" / "wear_flags_E.npz"
    path.write_bytes(path.read_bytes()[:300])
    refused("file wear_flags_E.npz", "a complete file of arrays")
    path.unlink()
    refused("file wear_flags_E.npz")
    monkeypatch.delenv("MMCRL_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "nowhere"))
    refused("manifest source.path", "python -m mmcrl fetch")


# The CDC's own files


def transport(path, columns):
    """A SAS transport file, version 5, of these numbers, as the CDC writes them (0 as eight zero bytes)."""

    def record(text):
        return text.ljust(80).encode("ascii")

    def header(name, rest="0" * 30):
        return record(f"HEADER RECORD*******{name:<8}HEADER RECORD!!!!!!!{rest}")

    def number(value):
        """As IBM wrote it: a sign, an exponent of 16, 56 bits of the fraction; a missing one is a point."""
        if np.isnan(value):
            return b"." + bytes(7)
        exponent, fraction = 64, abs(float(value))
        while fraction >= 1:
            exponent, fraction = exponent + 1, fraction / 16
        while 0 < fraction < 1 / 16:
            exponent, fraction = exponent - 1, fraction * 16
        bits = (int(value < 0) << 63) | (exponent << 56) | int(fraction * 2**56)
        return (bits if fraction else 0).to_bytes(8, "big")

    stamp = "01JAN10:00:00:00"
    out = header("LIBRARY") + record("SAS     SAS     SASLIB  9.1".ljust(64) + stamp) + record(stamp)
    out += header("MEMBER", "000000000000000001600000000140") + header("DSCRPTR")
    out += record("SAS     DATA    SASDATA 9.1".ljust(64) + stamp) + record(stamp)
    out += header("NAMESTR", f"000000{len(columns):04}" + "0" * 20)
    names = b""
    for i, name in enumerate(columns):
        names += struct.pack(">hhhh8s40s", 1, 0, 8, i + 1, name.ljust(8).encode(), b" " * 40)
        names += struct.pack(">8shhh2s8shhl52s", b" " * 8, 0, 0, 0, b"", b" " * 8, 0, 0, 8 * i, b"")
    rows = b"".join(number(value) for row in zip(*columns.values(), strict=True) for value in row)
    for part in (names, header("OBS"), rows):
        out += part + b" " * (-len(part) % 80)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(out)


def test_without_the_table_the_components_of_the_cdc_are_merged(root):
    cohort = load_cohort(root / "small.toml")
    before, fields = cohort["demographics"].values, cohort["fields"].values
    table = pd.read_parquet(root / "nhanes" / "cohort_E.parquet")
    (root / "nhanes" / "cohort_E.parquet").unlink()
    folder = root / "nhanes" / "xpt"
    transport(folder / "DEMO_E.XPT", {"SEQN": table["SEQN"], "RIDAGEYR": table["RIDAGEYR"]})
    some = table[table["SEQN"] >= 503].drop(columns="RIDAGEYR")
    transport(folder / "OPXFDT_E.xpt", {name: some[name] for name in some})
    transport(folder / "DEMO_D.XPT", {"SEQN": [1.0], "RIDAGEYR": [3.0]})
    read = load_cohort(root / "small.toml")
    np.testing.assert_array_equal(read.ids, table["SEQN"])
    np.testing.assert_array_equal(read["demographics"].values[3:], before[3:])
    np.testing.assert_array_equal(read["fields"].values[3:], fields[3:])
    assert not read["fields"].measured[:3].any()
    assert np.isnan(read["demographics"].values[:3, 1]).all()
    assert {path.name for path in source_files(root / "small.toml")} > {
        "DEMO_E.XPT",
        "OPXFDT_E.xpt",
    }  # as fetched, as the CDC names it


def test_a_component_is_read_as_it_was_written_or_refused(tmp_path):
    values = [1.0, -2.5, 0.0, np.nan, 131072.0, 0.07]
    transport(tmp_path / "A_E.XPT", {"SEQN": 7.0 + np.arange(6), "LBXCRP": values})
    read = merged_components([tmp_path / "A_E.XPT"], ["LBXCRP"])
    np.testing.assert_allclose(read["LBXCRP"], values, rtol=1e-15)
    assert read["SEQN"].tolist() == list(range(7, 13)) and read["LBXCRP"][2] == 0
    with pytest.raises(InputError, match=r"one of 1 components with a column 'LBXCPR'.*nearest is 'LBXCRP'"):
        merged_components([tmp_path / "A_E.XPT"], ["LBXCPR"])
    transport(tmp_path / "B_E.XPT", {"SEQN": [7.0, 7.0], "A": [1.0, 2.0]})
    with pytest.raises(InputError, match=r"B_E\.XPT column SEQN: expected an id for everyone, each once"):
        merged_components([tmp_path / "B_E.XPT"], ["A"])


@pytest.mark.parametrize("columns", [2, 7, 13])  # rows shorter and longer than a record of 80 bytes
def test_a_component_that_was_cut_is_refused(tmp_path, columns):
    path = tmp_path / "A_E.XPT"
    transport(path, {"SEQN": 7.0 + np.arange(31)} | {f"A{i}": np.full(31, 1.0 + i) for i in range(1, columns)})
    whole, row = path.read_bytes(), 8 * columns
    first = whole.index(b"OBS     HEADER") - 20 + 80
    assert len(merged_components([path], ["A1"])) == 31
    refused = 0
    for cut in range(0, len(whole), 40):
        at_an_end = cut > first and cut % 80 == 0 and (cut - first) % row == 0  # of a row and of a record
        path.write_bytes(whole[:cut])
        if at_an_end:
            assert len(merged_components([path], ["A1"])) == (cut - first) // row
            continue
        with pytest.raises(InputError, match=r"A_E\.XPT: expected a complete SAS transport file"):
            merged_components([path], ["A1"])
        refused += 1
    assert refused > len(whole) / 50
    for added in (b"\n", b" " * 80):
        path.write_bytes(whole + added)
        with pytest.raises(InputError, match="a complete SAS transport file"):
            merged_components([path], ["A1"])
    with pytest.raises(InputError, match="a complete SAS transport file"):
        merged_components([tmp_path], ["A1"])


def test_the_last_row_of_a_component_may_end_with_empty_texts(tmp_path):
    path = tmp_path / "A_E.XPT"
    transport(path, {"SEQN": [7.0, 8.0, 9.0], "A": [1.0, 2.0, 3.0]})
    content = bytearray(path.read_bytes())
    for column in (0, 1):  # the second column becomes one of texts
        name = content.index(b"NAMESTR HEADER") - 20 + 80 + 140 * column
        content[name : name + 2] = struct.pack(">h", 1 + column)
    end = content.index(b"OBS     HEADER") - 20 + 80
    content[end + 40 : end + 48] = b" " * 8
    path.write_bytes(content)
    read = merged_components([path], ["A"])
    assert read["SEQN"].tolist() == [7, 8, 9] and read["A"].map(type).eq(str).all() and read["A"][2] == ""


def test_what_is_no_transport_file_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCRL_DATA", str(tmp_path))
    sent = {}
    monkeypatch.setattr(pooch, "HTTPDownloader", lambda: lambda url, path, _: Path(path).write_bytes(sent[url]))
    remote = Remote("nhanes/xpt/A_E.XPT", "https://nowhere.invalid/A_E.xpt", None)
    target = tmp_path / remote.path
    for content in (b"<html>Page not found</html>".ljust(160), b""):
        sent[remote.url] = content
        with pytest.raises(InputError, match=r"nhanes/xpt/A_E\.XPT: expected the file of .*by its format"):
            fetch("a", {"a": (remote,)})
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    target.write_bytes(b"")
    with pytest.raises(InputError, match="move it away"):
        fetch("a", {"a": (remote,)})
    assert target.read_bytes() == b""
    transport(target, {"SEQN": [7.0]})
    sent[remote.url] = target.read_bytes()
    target.unlink()
    assert fetch("a", {"a": (remote,)})[0].read_bytes() == sent[remote.url]


def test_every_component_has_one_public_address_and_none_claims_a_checksum():
    for cycle, letter in CYCLES.items():
        remotes = CATALOGUE[cycle]
        assert len(remotes) >= 14 and len({remote.url for remote in remotes}) == len(remotes)
        for remote in remotes:
            name = Path(remote.path).stem
            assert remote.url == f"{ADDRESS}/{cycle[-4:]}/DataFiles/{name}.xpt" and name.endswith(f"_{letter}")
            assert remote.sha256 is None


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
        assert column(cohort, "breathing.snoring").max() == 3
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
@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("nhanes-2007-fields", "fields", (2, 4, 5)),
        ("nhanes-2013-spine", "spine", (1, 64, 48)),
        ("nhanes-2005-wear", "wear", (1, 1008)),
    ],
)
def test_images_and_series_go_with_age_as_they_should(name, kind, shape):
    cohort = load_cohort(ROOT / "data" / f"{name}.toml")
    modality, ages = cohort[kind], column(cohort, "demographics.age")
    assert modality.values.shape == (len(cohort), *shape) and modality.measured.all() and len(cohort) > 3_000
    old = ages > 70
    if kind == "fields":
        seen = np.nanmean(modality.values.reshape(len(cohort), -1), axis=1)
        assert seen[old].mean() > 1.5 * seen[ages < 50].mean()
    elif kind == "spine":  # the old bend forward: their spines spread over more columns of the picture
        spread = modality.values[:, 0].max(axis=1).astype(bool).sum(axis=1)
        assert spread[old].mean() > 1.05 * spread[ages < 50].mean()
    else:
        day = np.nanmean(modality.values[:, 0].reshape(-1, 7, 144), axis=(0, 1))
        assert day[12 * 6] > 0.5 > 0.3 > day[3 * 6], "worn at noon, off at night"


@pytest.mark.skipif(
    not all((DATA / name).is_file() for name in ("fdt_maps_D.npz", "fdt_maps_E.npz", "cohort_D.parquet")),
    reason="needs the fields that others made: set MMCRL_DATA to a folder with nhanes/fdt_maps_D.npz",
)
@pytest.mark.parametrize("letter", ["D", "E"])
def test_fields_are_those_that_others_made_of_the_same_survey(letter):
    with np.load(DATA / f"fdt_maps_{letter}.npz") as made:
        ids, grid = made["SEQN"], made["grid"]
    cells = pd.read_parquet(DATA / f"cohort_{letter}.parquet").reset_index().set_index("SEQN")[CELLS]
    np.testing.assert_array_equal(field_grid(cells.loc[ids]), grid)
    assert cells.drop(ids).isna().all(axis=None), "nobody else was examined"


@here
def test_source_files_are_the_manifest_and_what_it_reads():
    names = [path.name for path in source_files(ROOT / "data" / "nhanes-2013.toml")]
    assert names == ["nhanes-2013.toml", "cohort_H.parquet", "spine_outlines_H.npz"]
