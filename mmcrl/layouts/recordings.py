"""Recordings: the files that hold samples of single people at their times."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as compute
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet

from mmcrl.errors import InputError
from mmcrl.layouts.layout import BulkFile, Reader, Recording, id_texts
from mmcrl.tables import DELIMITERS, nearest

__all__ = ["read_channels", "read_json", "readers"]

K = TypeVar("K")

_TIMES = ("collection_timestamp", "timestamp", "time")
_CHANNELS = ("source", "channel")
_VALUES = ("values", "value")


def read_channels(file: BulkFile, channels: Sequence[str], person: str) -> dict[str, Recording]:
    """Channels of one person from a Parquet, CSV or TSV file: a column each, or long with columns source and values.

    Times are those of a column collection_timestamp, timestamp or time (clock times where the file has a time zone,
    numbers as seconds); rows of other people are left out where the file tells people apart.

    Raises
    ------
    InputError : for a damaged file, no column of times, no such channel, and rows of other people alone.
    """
    try:
        with _opened(file.path) as (names, columns):
            time = next((name for name in _TIMES if name in names), None)
            key = next((name for name in _CHANNELS if name in names), None)
            value = next((name for name in _VALUES if name in names), None)
            wide = [channel for channel in channels if channel in names]
            long = [key, value] if key and value else []
            if time is None:
                raise InputError(file.told, f"a file with a column of times: {' or '.join(_TIMES)}", "none")
            if not long and len(wide) < len(set(channels)):
                missing = next(channel for channel in channels if channel not in names)
                raise InputError(file.told, f"a file with channel {missing!r}", f"none{nearest(missing, names)}")
            who = ["participant_id"] if "participant_id" in names else []
            table = columns(list(dict.fromkeys([time, *who, *(long or wide)])))
    except (arrow.ArrowException, OSError) as error:
        raise InputError(file.told, "a complete Parquet, CSV or TSV file", type(error).__name__) from None
    seconds = _seconds(table.column(time))
    if len(seconds) and np.isnan(seconds).all():
        raise InputError(file.told, f"times in column {time}", "none")
    frame = table.to_pandas(ignore_metadata=True)
    mine = np.ones(len(frame), dtype=bool)
    if who:
        codes, people = pd.factorize(frame["participant_id"])
        mine = np.append((id_texts(pd.Series(people)) == person).to_numpy(dtype=bool), False)[codes]
    if len(frame) and not mine.any():
        raise InputError(file.told, "a file with rows of the person whose it is", "rows of other people alone")
    if not long:
        return {channel: Recording(seconds[mine], frame.loc[mine, channel]) for channel in wide}
    recordings = {}
    for channel in channels:
        rows = np.asarray(mine & (frame[key].astype("str") == channel))
        if rows.any():
            recordings[channel] = Recording(seconds[rows], frame.loc[rows, value].rename(channel))
    return recordings


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Callable[[list[str]], arrow.Table]]]:
    """The names of a table's columns, and what reads some of them."""
    delimiter = DELIMITERS.get(path.suffix)
    if delimiter is None:
        with parquet.ParquetFile(path) as opened:
            yield opened.schema_arrow.names, opened.read
    else:
        table = arrow_csv.read_csv(path, parse_options=arrow_csv.ParseOptions(delimiter=delimiter))
        yield table.column_names, table.select


def readers(
    files: Mapping[K, Mapping[str, BulkFile]], channels: Mapping[K, Mapping[str, str]], ids: Sequence[str]
) -> dict[str, Reader]:
    """What reads the recordings of each person that has a file.

    Parameters
    ----------
    files : per source the file of each person. channels : per source the channel of each variable.
    """
    found: dict[str, Reader] = {}
    for person in ids:
        theirs = [(of_people[person], channels[source]) for source, of_people in files.items() if person in of_people]
        if theirs:
            found[person] = partial(_read, theirs, person)
    return found


def _read(files: Sequence[tuple[BulkFile, Mapping[str, str]]], person: str) -> dict[str, Recording]:
    found: dict[str, Recording] = {}
    for file, channels in files:
        read = read_channels(file, list(channels.values()), person)
        found |= {variable: read[channel] for variable, channel in channels.items() if channel in read}
    return found


def _seconds(column: Any) -> np.ndarray:
    """Times (n,) in seconds, on the clock of the place."""
    if arrow.types.is_timestamp(column.type):
        if column.type.tz is not None:
            column = compute.local_timestamp(column)
        column = column.cast(arrow.timestamp("us"), safe=False).cast(arrow.int64())
        return column.to_pandas().to_numpy(dtype=float) / 1e6
    return pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(dtype=float)


def read_json(file: BulkFile) -> Any:
    """What a JSON file holds.

    Raises
    ------
    InputError : for a damaged file.
    """
    try:
        return json.loads(file.path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(file.told, "a complete JSON file", type(error).__name__) from None
