"""Images and series of single people: pictures in a size, samples at their times."""

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from cohort_trees import dicom
from PIL import Image

from mmcrl.errors import InputError
from mmcrl.layouts.layout import BulkFile
from mmcrl.layouts.pictures import read_picture
from mmcrl.layouts.recordings import read_channels
from mmcrl.layouts.resampling import resampled, stray_times


def place(path):
    return BulkFile(path, "column a, row 3")


# Pictures


def test_a_value_is_the_mean_of_what_it_covers(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    blocks = pixels.reshape(3, 2, 4, 2, 3).mean(axis=(1, 3)) / 255
    *colours, grey = read_picture(place(tmp_path / "a.png"), ["red", "green", "blue", "grey"], 3, 4)
    np.testing.assert_allclose(np.stack(colours, -1), blocks, atol=1e-6)
    np.testing.assert_allclose(grey, blocks @ [0.299, 0.587, 0.114], atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "top"), [("L", 255), ("I;16", 65_535), ("1", 1), ("P", 255), ("RGBA", 255), ("LA", 255)]
)
def test_every_depth_goes_from_0_to_1(tmp_path, mode, top):
    if mode == "I;16":
        image = Image.fromarray(np.array([[0, top]], dtype=np.uint16))
    else:
        image = Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).convert(mode)
    image.save(tmp_path / "a.png")
    np.testing.assert_allclose(read_picture(place(tmp_path / "a.png"), ["green"], 1, 2), [[[0, 1]]], atol=1e-6)


def test_dicom_and_jpeg_are_the_same_picture(tmp_path):
    pixels = np.full((16, 16, 3), (200, 100, 50), dtype=np.uint8)
    dicom(tmp_path / "a.dcm", pixels)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    values = 200, 100, 50
    for name in ("a.dcm", "a.jpg"):
        for read, value in zip(
            read_picture(place(tmp_path / name), ["red", "green", "blue"], 4, 4), values, strict=True
        ):
            np.testing.assert_allclose(read, value / 255, atol=0.02)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_stands_as_its_camera_was_held(tmp_path, suffix):
    pixels = np.zeros((16, 32), dtype=np.uint8)
    pixels[:, :16] = 255
    for orientation, shown in ((1, [[1, 0]]), (3, [[0, 1]]), (6, [[1], [0]]), (8, [[0], [1]])):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", exif=exif)
        read = read_picture(place(tmp_path / f"a.{suffix}"), ["grey"], *np.shape(shown))
        np.testing.assert_allclose(read[0], shown, atol=0.02)


def test_what_is_no_picture_is_refused(tmp_path):
    Image.new("RGB", (40, 40), "red").save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    for name, content in [
        ("b.png", whole[:60]),
        ("c.png", b""),
        ("d.jpg", whole),
        ("e.dcm", whole),
        ("f.tif", whole),
    ]:
        (tmp_path / name).write_bytes(content if name != "d.jpg" else b"text")
        with pytest.raises(InputError, match="column a, row 3: expected a"):
            read_picture(place(tmp_path / name), ["grey"], 4, 4)


# Series


def test_series_are_means_in_steps_from_the_first_sample_of_any_channel():
    rng = np.random.default_rng(1)
    times, values = 1e9 + np.sort(rng.uniform(0, 100, 500)), rng.normal(size=500)
    late = (np.array([1e9 + 50.0, np.nan]), np.array([7.0, 8.0]), None)
    series = resampled({"a": (times, values, None), "b": late}, 10, 12)
    steps = ((times - times[0]) // 10).astype(int)
    np.testing.assert_allclose(series["a"][:10], pd.Series(values).groupby(steps).mean().iloc[:10])
    assert np.isnan(series["a"][10:]).all() and np.flatnonzero(~np.isnan(series["b"])).size == 1


def test_missing_samples_do_not_pull_a_mean():
    series = resampled({"a": (np.array([0.0, 1.0, 2.0, 5.0]), np.array([1.0, np.nan, 3.0, np.nan]), None)}, 3, 2)
    assert series["a"][0] == 2 and np.isnan(series["a"][1])
    nothing = resampled({"a": (np.array([np.nan]), np.array([1.0]), None)}, 3, 2)
    assert np.isnan(nothing["a"]).all()


@pytest.mark.parametrize(("first", "place_of_first"), [("22:00", 0), ("23:30", 1), ("21:00", 23), ("12:00", 14)])
def test_a_clock_time_is_the_last_one_before_the_first_sample(first, place_of_first):
    moment = pd.Timestamp(f"2023-05-04 {first}").timestamp()
    series = resampled({"a": (np.array([moment]), np.array([5.0]), None)}, 3_600, 24, "22:00")["a"]
    assert np.flatnonzero(~np.isnan(series)).tolist() == [place_of_first]


def test_what_lasts_holds_in_the_middle_of_a_step():
    held = (np.array([0.0, 36.0]), np.array([1.0, 2.0]), np.array([34.0, 50.0]))
    np.testing.assert_array_equal(resampled({"a": held}, 10, 6)["a"], [1, 1, 1, np.nan, 2, np.nan])


def write(path, **columns):
    parquet.write_table(arrow.table(columns), path)
    return place(path)


def test_times_are_those_of_the_clock_on_the_wall(tmp_path):
    moments = pd.date_range("2021-03-02 23:00", periods=3, freq="min", tz="Asia/Jerusalem")
    file = write(tmp_path / "a.parquet", collection_timestamp=arrow.array(moments), spo2=[95.0, 96.0, 97.0])
    recording = read_channels(file, ["spo2"], "1")["spo2"]
    assert recording.times[0] == pd.Timestamp("2021-03-02 23:00").timestamp()
    assert np.diff(recording.times).tolist() == [60, 60] and recording.values.tolist() == [95, 96, 97]


def test_long_files_hold_several_people_and_channels(tmp_path):
    columns = {"time": [0.0, 1.0, 0.0, 1.0], "source": ["a", "a", "b", "a"], "values": [1.0, 2.0, 3.0, 4.0]}
    file = write(tmp_path / "a.parquet", **columns, participant_id=[7, 7, 7, 8])
    read = read_channels(file, ["a", "b", "c"], "7")
    assert read["a"].values.tolist() == [1, 2] and read["b"].values.tolist() == [3] and "c" not in read


def test_recordings_without_times_or_channels_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"column a, row 3: expected a file with a column of times"):
        read_channels(write(tmp_path / "a.parquet", spo2=[1.0]), ["spo2"], "1")
    with pytest.raises(InputError, match=r"column a, row 3: expected times in column time, got none"):
        read_channels(write(tmp_path / "a.parquet", time=["soon"], spo2=[1.0]), ["spo2"], "1")
    with pytest.raises(InputError, match=r"channel 'sp02', got none; the nearest is 'spo2'"):
        read_channels(write(tmp_path / "a.parquet", time=[1.0], spo2=[1.0]), ["sp02"], "1")


def test_a_file_of_another_person_is_told_without_telling_who(tmp_path):
    for columns in ({"spo2": [95.0, 96.0]}, {"source": ["spo2"] * 2, "values": [95.0, 96.0]}):
        file = write(tmp_path / "a.parquet", time=[0.0, 1.0], participant_id=[7_005, 7_005], **columns)
        with pytest.raises(
            InputError, match=r"column a, row 3: expected .*, got rows of other people alone"
        ) as error:
            read_channels(file, ["spo2"], "7006")
        assert "700" not in str(error.value)
        assert read_channels(file, ["spo2"], "7005")["spo2"].values.tolist() == [95, 96]


def test_stages_are_what_holds_in_the_middle_and_never_a_mean():
    times = np.array([0.0, 4.0, 6.0, 16.0, 18.0, 21.0, 23.0, 24.0, 41.0])
    stages = np.array([13.0, 15.0, 11.0, 13.0, 15.0, 11.0, np.nan, 13.0, 15.0])
    series = resampled({"a": (times, stages, None), "b": (times, stages, None)}, 10, 5, states=["a"])
    np.testing.assert_array_equal(series["a"], [15, 13, 13, np.nan, 15])
    np.testing.assert_array_equal(series["b"], [13, 14, 12, np.nan, 15])
    late = resampled({"a": (times[::-1], stages[::-1], None)}, 10, 5, states=["a"])
    np.testing.assert_array_equal(late["a"], series["a"])


@pytest.mark.parametrize("stray", [0.0, 4e9])
@pytest.mark.parametrize("row", [0, 100, 219])
def test_a_stray_time_is_not_recorded(stray, row):
    times, values = 1.6e9 + 60.0 * np.arange(220), np.arange(220.0)
    expected = resampled({"a": (np.delete(times, row), np.delete(values, row), None)}, 60, 480)["a"]
    times[row] = stray
    np.testing.assert_array_equal(resampled({"a": (times, values, None)}, 60, 480)["a"], expected)
    assert np.isfinite(expected).sum() == 219


def test_stray_times_are_few_and_apart():
    long, visits = np.arange(0.0, 1e5, 60), np.r_[np.arange(0.0, 1e4, 60), np.arange(1e7, 1.002e7, 60)]
    for times in (long, visits, np.array([0.0, 1e9]), np.array([np.nan, 5.0]), np.zeros(0)):
        assert not np.any(stray_times([times], 3_600))
    both = stray_times([np.array([10.0, np.nan]), np.r_[1e9 + long, 2e9]], 3_600)
    assert both[0].tolist() == [True, False] and np.flatnonzero(both[1]).tolist() == [len(long)]
