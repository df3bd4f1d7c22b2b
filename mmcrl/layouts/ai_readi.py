"""AI-READI, versions 2 and 3: people in TSV, measurements in OMOP's long form, wearables in JSON, images in DICOM.

Version 3 calls the id person_id where version 2 called it participant_id: each file may have either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mmcrl.errors import InputError
from mmcrl.layouts.layout import BulkFile, Layout, Reader, Recording, Words, id_texts, path_texts, person_values
from mmcrl.layouts.recordings import read_json
from mmcrl.tables import column_names, nearest, read_table

__all__ = ["AiReadi"]

_IDS = ("person_id", "participant_id")
_PEOPLE, _MEASURED, _RETINA = "participants.tsv", "clinical_data/measurement.csv", "retinal_photography/manifest.tsv"
_NOTHING = ("", "none", "nan")


class Signal(NamedTuple):
    """Where a signal lies: the device's folder, how a person's file ends, the list in its body, the value's path."""

    folder: str
    ending: str
    body: str
    value: tuple[str, ...]
    limits: tuple[float, float] | None = None  # what "Low" and "High" stand for


_GARMIN = "wearable_activity_monitor/{}/garmin_vivosmart5"
SIGNALS = {
    "oxygen_saturation": Signal(
        _GARMIN.format("oxygen_saturation"), "oxygensaturation", "breathing", ("oxygen_saturation", "value")
    ),
    "heart_rate": Signal(_GARMIN.format("heart_rate"), "heartrate", "heart_rate", ("heart_rate", "value")),
    "sleep": Signal(_GARMIN.format("sleep"), "sleep", "sleep", ("sleep_stage_state",)),
    "glucose": Signal(
        "wearable_blood_glucose/continuous_glucose_monitoring/dexcom_g6",
        "DEX",
        "cgm",
        ("blood_glucose", "value"),
        (40.0, 400.0),  # mg/dL, the range that a Dexcom G6 reports
    ),
}


class AiReadi(Layout):
    """The people are those of participants.tsv.  A variable is

    - ``participants.COLUMN``, such as ``participants.age`` or ``participants.recommended_split``;
    - ``measurement.NAME``, NAME being a measurement_source_value, or its part before the first comma; several values
      of a person are averaged, but for those that the manifest calls missing;
    - ``retinal_photography.filepath``, of an image; ``where`` says what the other columns of the manifest must say,
      and of the rows that are left the first is taken;
    - ``wearable.oxygen_saturation``, ``wearable.heart_rate``, ``wearable.sleep``, ``wearable.glucose``, of a series.
      Negative numbers (off the wrist), "None" and NaN are missing; a glucose "Low" is 40 and "High" 400 mg/dL, the
      ends of what the device reports.
    """

    ids = _IDS

    def people(self, variables: Sequence[str]) -> pd.DataFrame:
        named = {variable: variable.partition(".") for variable in dict.fromkeys(variables)}
        for variable, (kind, _, name) in named.items():
            if kind not in ("participants", "measurement") or not name:
                expected = "participants.COLUMN or measurement.NAME in a table"
                raise InputError(f"manifest variable {variable}", expected, repr(variable))
        columns = {v: name for v, (kind, _, name) in named.items() if kind == "participants"}
        people, key = self._with_id(_PEOPLE, list(columns.values()))
        table = pd.DataFrame({self.source.id: people[key], **{v: people[name] for v, name in columns.items()}})
        measured = {v: name for v, (kind, _, name) in named.items() if kind == "measurement"}
        if measured:
            ids = table[self.source.id]
            for variable, values in self._measurements(measured, set(ids)).items():
                table[variable] = ids.map(values)
        return table[[self.source.id, *named]]

    def tables(self, variables: Sequence[str]) -> list[Path]:
        kinds = {variable.partition(".")[0] for variable in variables}
        needed = {"measurement": _MEASURED, "retinal_photography": _RETINA}
        paths = [_PEOPLE, *(path for kind, path in needed.items() if kind in kinds)]
        return [self.table_file(self._nested(path)) for path in paths]

    def words(self, variables: Sequence[str]) -> dict[str, Words]:
        names = {variable: variable.partition(".")[2] for variable in variables}
        units = {"wearable.glucose": "mg/dL", "wearable.oxygen_saturation": "%", "wearable.heart_rate": "1/min"}
        told = {v: Words(code=name, unit=units.get(v, "")) for v, name in names.items()}
        measured = {v: name for v, name in names.items() if v.startswith("measurement.")}
        if measured:
            texts = self._with_id(_MEASURED, ["measurement_source_value"])[0]["measurement_source_value"]
            for text in texts.dropna().unique():
                short, _, question = str(text).partition(",")
                for variable, name in measured.items():
                    if name in (text, short.strip()):
                        told[variable] = Words(question.strip(), short.strip())
        return {**told, **super().words(variables)}

    def images(self, variable: str, where: Mapping[str, str]) -> dict[str, BulkFile]:
        if variable != "retinal_photography.filepath":
            raise InputError(f"manifest variable {variable}", "retinal_photography.filepath", repr(variable))
        table, key = self._with_id(_RETINA, ["filepath", *where])
        table["row"] = range(2, len(table) + 2)  # of the file, its header being 1
        table["filepath"] = path_texts(table["filepath"])
        for column, value in where.items():
            table = self.chosen(table, "manifest.tsv", column, value)
        table = table.dropna(subset=["filepath", key]).drop_duplicates(key)
        files = {}
        for person, path, row in zip(table[key], table["filepath"], table["row"], strict=True):
            told = f"file {_RETINA} column filepath, row {row}"
            files[person] = self.bulk_file(self._nested(path.removeprefix("/")), told)
        return files

    def recordings(self, variables: Sequence[str], ids: Sequence[str]) -> dict[str, Reader]:
        signals = {}
        for variable in variables:
            name = variable.removeprefix("wearable.")
            if name not in SIGNALS or name == variable:
                known = ", ".join(f"wearable.{signal}" for signal in SIGNALS)
                raise InputError(f"manifest variable {variable}", f"one of {known}", repr(variable))
            signals[variable] = SIGNALS[name]
            if not (self.root / self._nested(SIGNALS[name].folder)).is_dir():
                raise InputError(f"folder {SIGNALS[name].folder}", "a folder inside the root folder", "none")
        found: dict[str, dict[str, tuple[BulkFile, Signal]]] = {}
        for variable, signal in signals.items():
            folder = self._nested(signal.folder)
            told = f"file {signal.folder}/.../..._{signal.ending}.json of one person"
            for person in ids:
                path = f"{folder}/{person}/{person}_{signal.ending}.json"
                if (self.root / path).exists():
                    found.setdefault(person, {})[variable] = self.bulk_file(path, told), signal
        return {person: partial(_recordings, files) for person, files in found.items()}

    def _with_id(self, path: str, columns: Sequence[str]) -> tuple[pd.DataFrame, str]:
        """These columns of a table and that of the ids, and the latter's name."""
        file = self.table_file(self._nested(path))
        key = next((name for name in _IDS if name in column_names(file)), _IDS[0])
        table = read_table(file, [key, *columns])
        table[key] = id_texts(table[key])
        return table, key

    def _nested(self, path: str) -> str:
        """The path as it lies: some releases repeat the first folder."""
        first = path.partition("/")[0]
        return f"{first}/{path}" if first and (self.root / first / first).is_dir() else path

    def _measurements(self, named: Mapping[str, str], people: set[str]) -> dict[str, pd.Series]:
        """Of each variable the mean value of each person."""
        source, value = "measurement_source_value", "value_as_number"
        table, key = self._with_id(_MEASURED, [source, value])
        table = table[table[key].isin(people)]
        if table.empty:
            raise InputError(f"file measurement.csv column {key}", f"ids of {_PEOPLE}", "none of them")
        texts = table[source].astype("str").str.strip()
        short = texts.str.partition(",")[0].str.strip()
        blank = table[value].isna() | table[value].astype("str").str.strip().str.lower().isin(_NOTHING)
        numbers = pd.to_numeric(table[value], errors="coerce")
        means = {}
        for variable, name in named.items():
            rows = (texts == name) | (short == name)
            meant = texts[rows].unique()
            if len(meant) != 1:
                got = (
                    f"several: {'; '.join(sorted(meant)[:3])}"
                    if len(meant)
                    else f"none{nearest(name, list(short.unique()))}"
                )
                raise InputError(f"file measurement.csv column {source}", f"one measurement {name!r}", got)
            codes = self.missing.get(variable, [])
            words = table[value].astype("str").str.strip().isin([code for code in codes if isinstance(code, str)])
            if (rows & numbers.isna() & ~blank & ~words).any():
                got = f"something else in rows of {name}"
                raise InputError(f"file measurement.csv column {value}", "numbers", got)
            means[variable] = person_values(numbers[rows], table.loc[rows, key], codes)
        return means


def _recordings(files: Mapping[str, tuple[BulkFile, Signal]]) -> dict[str, Recording]:
    return {variable: _recording(*of, variable) for variable, of in files.items()}


def _recording(file: BulkFile, signal: Signal, variable: str) -> Recording:
    """One person's samples of one signal."""
    read = read_json(file)
    samples = _at(read, ("body", signal.body))
    if not isinstance(samples, list):
        raise InputError(file.told, f"a list at body.{signal.body}", "none")
    frames = [_frame(sample) for sample in samples]
    times = pd.to_datetime(pd.Series(frames, dtype=object).str[0], utc=True, errors="coerce", format="ISO8601")
    ends = pd.to_datetime(pd.Series(frames, dtype=object).str[1], utc=True, errors="coerce", format="ISO8601")
    values = pd.Series([_value(_at(sample, signal.value), signal) for sample in samples], dtype=object, name=variable)
    if len(samples) and times.isna().all():
        raise InputError(file.told, f"times in body.{signal.body}", "none")
    start, end = _seconds(times), _seconds(ends)
    return Recording(start, values, end if np.any(end > start) else None)


def _at(read: Any, path: Sequence[str]) -> Any:
    for key in path:
        read = read.get(key) if isinstance(read, dict) else None
    return read


def _frame(sample: Any) -> tuple[Any, Any]:
    """Begin and end of a sample."""
    frame = _at(sample, ("effective_time_frame",)) or _at(sample, ("sleep_stage_time_frame",))
    span = _at(frame, ("time_interval",))
    if span is None:
        return _at(frame, ("date_time",)), None
    return _at(span, ("start_date_time",)), _at(span, ("end_date_time",))


def _value(value: Any, signal: Signal) -> Any:
    if value is None or str(value).strip().lower() in _NOTHING:
        return None
    if signal.limits and isinstance(value, str) and value.strip().lower() in ("low", "high"):
        return signal.limits[value.strip().lower() == "high"]
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return number if number >= 0 else None


def _seconds(times: pd.Series) -> np.ndarray:
    """Times (n,) in seconds, NaN where there is none."""
    moments = times.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1e6)
