"""Arrays on disk: what lies there gives the same values and latents, and a manifest's image files can be many."""

import gc
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import zarr
from PIL import Image

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, load_cohort, metrics, ondisk, parallel, simulate
from mmcrl.check import check_manifest
from mmcrl.layouts import bulk
from mmcrl.layouts.pictures import read_picture

QUICK = {"starts": 2, "most_starts": None, "steps": 4, "width": 16}


def pictures(n=60):
    return np.random.default_rng(0).normal(size=(n, 2, 6, 5)).astype(np.float32)


def mapped(folder, values):
    np.save(folder / "values.npy", values)
    return np.load(folder / "values.npy", mmap_mode="r")


def archived(folder, values):
    np.savez(folder / "values.npz", first=np.arange(3), values=values)
    return ondisk.member(folder / "values.npz", "values")


def chunked(folder, values, people=1):
    chunks = (people, 1, *values.shape[2:])
    array = zarr.create_array(folder / "values.zarr", shape=values.shape, chunks=chunks, dtype=values.dtype)
    array[:] = values
    return zarr.open_array(folder / "values.zarr", mode="r")


@pytest.mark.parametrize("stored", [mapped, archived, chunked])
def test_a_modality_on_disk_has_the_same_people(tmp_path, stored):
    values = pictures()
    values[3] = np.nan
    modality = Modality(stored(tmp_path, values))
    assert modality.on_disk and modality.kind == "image" and modality.shape == values.shape
    np.testing.assert_array_equal(modality.values, values)
    np.testing.assert_array_equal(modality.measured, np.arange(60) != 3)
    rows = np.array([50, 2, 3, 40])
    taken = modality.take(rows)
    np.testing.assert_array_equal(taken.values, values[rows])
    np.testing.assert_array_equal(taken.read(slice(1, 3)), values[rows[1:3]])
    np.testing.assert_array_equal(taken.take([3, 0]).values, values[[40, 50]])
    np.testing.assert_array_equal(np.concatenate(list(modality.pieces())), values)


@pytest.mark.parametrize("stored", [archived, chunked])
def test_latents_are_those_of_the_same_values_in_memory(tmp_path, stored):
    table = pd.DataFrame(np.random.default_rng(1).normal(size=(120, 4)))
    cohort = Cohort.from_arrays({"eye": pictures(120), "table": table})
    there = Cohort.from_arrays({"eye": stored(tmp_path, pictures(120)), "table": table})
    models = [MultimodalCRL(2, seed=0, **QUICK).fit(each, progress=False) for each in (cohort, there)]
    assert models[1].transform(there).equals(models[0].transform(cohort))
    assert models[0].links().equals(models[1].links())


def test_what_was_changed_in_a_copy_on_write_map_stays_changed(tmp_path):
    np.save(tmp_path / "nights.npy", np.random.default_rng(0).normal(size=(60, 2, 500)))
    nights = np.load(tmp_path / "nights.npy", mmap_mode="c")
    nights[3] = np.nan
    modality = Modality(nights)
    assert not modality.measured[3] and modality.measured.sum() == 59
    assert np.isnan(modality.read(np.array([3, 4]))[0]).all() and np.isnan(nights[3]).all()


def test_pages_of_people_far_apart_are_given_back_as_they_are_read(tmp_path, monkeypatch):
    values, given = pictures(), []
    stored = mapped(tmp_path, values)
    monkeypatch.setattr(ondisk, "_MAPPED", 7 * values[0].nbytes)
    monkeypatch.setattr(ondisk, "_give_back", given.append)
    for rows in (np.arange(0, 60, 3), slice(5, 25)):
        given.clear()
        assert np.array_equal(ondisk.rows_of(stored, rows), values[rows], equal_nan=True) and len(given) == 3


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("in_memory", [2**29, 1_000])
def test_people_who_share_chunks_are_unpacked_once(tmp_path, monkeypatch, in_memory, dtype):
    values = (10 * pictures()).astype(dtype)
    stored = chunked(tmp_path, values, people=7)
    monkeypatch.setattr(ondisk, "_IN_MEMORY", in_memory)
    monkeypatch.setattr(ondisk.tempfile, "tempdir", str(tmp_path / "values.zarr"))
    before = set((tmp_path / "values.zarr").iterdir())
    modality = Modality(stored)
    assert modality.on_disk == (in_memory == 1_000) and modality.values.dtype == dtype
    np.testing.assert_array_equal(modality.values, values)
    shutil.rmtree(tmp_path / "values.zarr" / "c")  # the chunks, which are not read again
    np.testing.assert_array_equal(modality.take([59, 0]).values, values[[59, 0]])
    del modality
    gc.collect()
    assert {path.name for path in (tmp_path / "values.zarr").iterdir()} == {path.name for path in before} - {"c"}


def test_orders_of_an_archive_and_what_cannot_be_mapped(tmp_path):
    values = np.asfortranarray(pictures(4))
    np.savez(tmp_path / "f.npz", values=values)
    np.testing.assert_array_equal(ondisk.member(tmp_path / "f.npz", "values"), values)
    with pytest.raises(InputError, match="among values"):
        ondisk.member(tmp_path / "f.npz", "eyes")
    np.savez_compressed(tmp_path / "c.npz", values=values)
    with pytest.raises(InputError, match="not compressed"):
        ondisk.member(tmp_path / "c.npz", "values")
    np.savez(tmp_path / "o.npz", values=np.array([{}, []], dtype=object))
    with pytest.raises(InputError, match="of objects"):
        ondisk.member(tmp_path / "o.npz", "values")
    whole = (tmp_path / "f.npz").read_bytes()
    for content in (whole[:80], b"", b"PK\x03\x04"):
        (tmp_path / "cut.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"complete \.npz"):
            ondisk.member(tmp_path / "cut.npz", "values")


def test_room_beyond_a_size_is_a_file_that_goes_with_its_array(tmp_path, monkeypatch):
    monkeypatch.setattr(ondisk, "_IN_MEMORY", 1_000)
    monkeypatch.setattr(ondisk.tempfile, "tempdir", str(tmp_path))
    assert not isinstance(ondisk.room_for((2, 1, 4, 4)), np.memmap)
    room = ondisk.room_for((50, 1, 4, 4))
    assert np.isnan(room).all() and room.dtype == np.float32
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o077 == 0, "other users can look into it"
    room[7] = 1.0
    modality = Modality(room).take([7, 8])
    del room
    gc.collect()
    np.testing.assert_array_equal(modality.measured, [True, False])
    del modality
    gc.collect()
    assert not list(tmp_path.iterdir())


# Image files and recordings beside a table

MANIFEST = """
name = "clinic"
[source]
path = "people.csv"
id = "person"
[modality.blood.columns]
glucose = { variable = "glucose" }
iron = { variable = "iron" }
[modality.eye]
kind = "image"
height = 4
width = 3
[modality.eye.columns]
green = { variable = "photograph", colour = "green" }
[modality.night]
kind = "series"
step = 2
length = 5
[modality.night.columns]
spo2 = { variable = "night.file.spo2", unit = "%", range = [0, 100] }
pulse = { variable = "night.file.pulse" }
"""


@pytest.fixture
def clinic(tmp_path):
    """Twelve people; the last has no photograph, the first no night."""
    rng = np.random.default_rng(0)
    for folder in ("eyes", "nights"):
        (tmp_path / folder).mkdir()
    pixels = rng.integers(0, 256, (12, 4, 3, 3), dtype=np.uint8)
    spo2, pulse = rng.integers(80, 100, (12, 10)).astype(float), rng.integers(50, 90, (12, 10)).astype(float)
    for i in range(12):
        Image.fromarray(pixels[i]).save(tmp_path / "eyes" / f"{i}.png")
        night = pd.DataFrame({"time": np.arange(10) + 100.0, "spo2": spo2[i], "pulse": pulse[i]})
        if i % 2:
            night.to_csv(tmp_path / "nights" / f"{i}.csv", index=False)
        else:
            night.to_parquet(tmp_path / "nights" / f"{i}.parquet")
    paths = [f"nights/{i}.{'csv' if i % 2 else 'parquet'}" for i in range(12)]
    people = {
        "person": [f"p{i}" for i in range(12)],
        "glucose": rng.normal(size=12),
        "iron": rng.normal(size=12),
        "photograph": [f"eyes/{i}.png" for i in range(11)] + [None],
        "night.file": [None, *paths[1:]],
    }
    pd.DataFrame(people).to_csv(tmp_path / "people.csv", index=False)
    (tmp_path / "clinic.toml").write_text(MANIFEST)
    return tmp_path, pixels[..., 1] / 255, np.stack([spo2, pulse], 1).reshape(12, 2, 5, 2).mean(3)


@pytest.mark.parametrize("in_memory", [2**29, 100])
def test_files_beside_a_table_become_images_and_series(clinic, monkeypatch, in_memory):
    folder, green, nights = clinic
    monkeypatch.setattr(ondisk, "_IN_MEMORY", in_memory)
    cohort = load_cohort(folder / "clinic.toml")
    assert cohort["eye"].on_disk == (in_memory == 100) == cohort["night"].on_disk
    np.testing.assert_allclose(cohort["eye"].values[:11, 0], green[:11], atol=1e-6)
    np.testing.assert_allclose(cohort["night"].values[1:], nights[1:], rtol=1e-6)
    assert not cohort["eye"].measured[11] and not cohort["night"].measured[0] and cohort["night"].units == ["%", ""]


def test_worker_processes_read_the_same_pictures_each_file_once(clinic, monkeypatch):
    folder, green, _ = clinic
    both = MANIFEST.replace(
        'colour = "green" }', 'colour = "green" }\nred = { variable = "photograph", colour = "red" }'
    )
    (folder / "clinic.toml").write_text(both)
    here = load_cohort(folder / "clinic.toml")["eye"]
    assert here.names == ["green", "red"] and not np.allclose(here.values[:11, 0], here.values[:11, 1])
    np.testing.assert_allclose(here.values[:11, 0], green[:11], atol=1e-6)
    parallel.run_all([_zero, _zero], 2, lambda *_: None)  # a fit before it has processes of its own
    monkeypatch.setattr(parallel, "_FEW", 5)
    monkeypatch.setattr(bulk, "read_picture", _noted)
    there = load_cohort(folder / "clinic.toml")["eye"]
    np.testing.assert_array_equal(there.values, here.values)
    readers = [int(path.suffix[1:]) for path in folder.glob("eyes/*.png.*")]
    assert len(readers) == 11 and os.getpid() not in readers
    monkeypatch.setattr(bulk, "read_picture", read_picture)
    (folder / "eyes" / "3.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="row 4: expected a complete picture"):
        load_cohort(folder / "clinic.toml")


def _zero(report):
    return 0


def _noted(file, *of_it):
    """`read_picture`, which leaves beside the file the number of the process that read it."""
    file.path.with_name(f"{file.path.name}.{os.getpid()}").touch(exist_ok=False)
    return read_picture(file, *of_it)


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        ('"photograph"', '"photo"', ["one column 'photo'", "photograph"]),
        ("night.file.spo2", "spo2", ["column.channel of a recording", "'spo2'"]),
        ("night.file.spo2", "night.file.sp02", ["channel 'sp02'", "spo2"]),
        ("range = [0, 100]", "range = [0, 50]", ["night.spo2", "[0, 50] %"]),
        ('colour = "green"', 'where = { eye = "left" }', ["no `where`"]),
    ],
)
def test_what_a_manifest_says_wrongly_of_files_is_named(clinic, old, new, texts):
    text = MANIFEST.replace(old, new)
    assert text != MANIFEST
    (clinic[0] / "clinic.toml").write_text(text)
    with pytest.raises(InputError) as error:
        load_cohort(clinic[0] / "clinic.toml")
    assert all(said in str(error.value) for said in texts), error.value
    assert "p3" not in str(error.value)


@pytest.mark.parametrize(("path", "text"), [("../secret.png", "leaves"), ("eyes/77.png", "no file there")])
def test_a_path_that_leads_nowhere_or_out_is_refused(clinic, path, text):
    folder, *_ = clinic
    Image.new("RGB", (3, 4)).save(folder.parent / "secret.png")
    table = (folder / "people.csv").read_text().replace("eyes/4.png", path)
    (folder / "people.csv").write_text(table)
    with pytest.raises(InputError, match=text) as error:
        load_cohort(folder / "clinic.toml")
    assert "row 5" in str(error.value) and "p4" not in str(error.value)


def test_a_half_written_picture_or_night_is_named_by_its_row(clinic):
    folder, *_ = clinic
    (folder / "nights" / "2.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"night\.file, row 3.*complete Parquet, CSV or TSV"):
        load_cohort(folder / "clinic.toml")


def test_every_file_that_cannot_be_read_is_told_at_once_up_to_a_limit(clinic, monkeypatch):
    folder, *_ = clinic
    table = (folder / "people.csv").read_text().replace("eyes/4.png", "eyes/77.png").replace("eyes/6.png", "../6.png")
    (folder / "people.csv").write_text(table)
    (folder / "eyes" / "7.png").write_bytes(b"\x89PNG")
    for night in ("2.parquet", "5.csv"):
        (folder / "nights" / night).write_bytes(b"PAR1")
    told = check_manifest(folder / "clinic.toml").problems
    rows = ["row 5", "row 7", "row 8", "row 3", "row 6"]
    assert [next(row for row in rows if row in problem) for problem in told] == rows, told
    monkeypatch.setattr(bulk, "_MOST", 3)
    shutil.rmtree(folder / "eyes")
    told = check_manifest(folder / "clinic.toml").problems
    assert len(told) == 3 + 1 + 2 and "8 more that cannot" in told[3], told


# A backbone


def test_a_resnet_codes_pictures_one_by_one_and_is_saved(tmp_path):
    table = pd.DataFrame(np.random.default_rng(1).normal(size=(90, 4)))
    eye = Modality(pictures(90).repeat(6, 2).repeat(6, 3), kind="image-resnet18")
    cohort = Cohort({"eye": eye, "table": table})
    model = MultimodalCRL(2, seed=0, starts=1, steps=2, width=16, batch=20).fit(cohort, progress=False)
    latents = model.transform(cohort)
    np.testing.assert_allclose(model.transform(cohort.take([5, 9])), latents.iloc[[5, 9]], rtol=2e-3, atol=2e-3)
    model.save(tmp_path / "model")
    assert MultimodalCRL.load(tmp_path / "model").transform(cohort).equals(latents)
    codec = model._representation.network.codecs[0]
    assert sum(p.numel() for p in codec.encoder.parameters()) > 11_000_000
    assert codec.decode(codec.encode(codec.prepare(eye.values[:2]))).shape == (2, 2, 36, 30)


def test_a_resnet_learns_what_a_picture_shares_with_a_table():
    world = simulate.sketches(700, 0)
    eye = Modality(world.cohort["eye"].values, kind="image-resnet18")
    cohort = Cohort({"eye": eye, "blood": world.cohort["blood"]}, ids=world.cohort.ids)
    learned, unseen = cohort.split(0.3, 0)
    model = MultimodalCRL(2, seed=0, starts=1, most_starts=1, steps=60).fit(learned, progress=False)
    truth = world.latents.loc[unseen.ids, ["eye"]]
    assert metrics.score(truth, model.transform(unseen)[["eye"]], 0)["r2"] > 0.6  # .79; of nothing, 0
