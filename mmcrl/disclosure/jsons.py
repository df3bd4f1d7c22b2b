"""JSON as tables: the lists, records and tables of records that a JSON value holds, however deep they lie."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from mmcrl.disclosure.grids import Grid

__all__ = ["from_json", "from_script"]

_OPENING, _DECODER = re.compile(r"[\[{]"), json.JSONDecoder()
_SPLIT = ("columns", "index", "data")  # what pandas calls the parts of a table
_LONG = 30  # names: no record has so many, but a column of a table has


def from_json(value: Any) -> Iterator[Grid]:
    """Every list, record, list of lists or of records, and table by rows or by columns in a JSON value, as a table.

    >>> [grid.rows for grid in from_json({"one": {"age": 71, "body": {"weight": 64.5}}, "two": {"age": 80}})]
    [[['71', '64.5'], ['80', '']]]
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            yield from from_script(value) if len(value.splitlines()) > 1 else ()  # a value in each line
            return
    if isinstance(value, dict):
        yield from _from_dict(value)
    elif isinstance(value, list) and value:
        if _plain(value):
            yield Grid([], [""], [[str(cell) for cell in value]])
        elif all(isinstance(item, list) and _plain(item) for item in value):
            yield Grid([], [""] * len(value), [[str(cell) for cell in item] for item in value])
        else:
            records = [item for item in value if isinstance(item, dict)]
            yield from _of_records([""] * len(records), records)
            yield from (grid for item in value if not isinstance(item, dict) for grid in from_json(item))


def from_script(text: str) -> Iterator[Grid]:
    """The tables of every JSON value that stands somewhere in a text."""
    at = 0
    while found := _OPENING.search(text, at):
        try:
            value, at = _DECODER.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            at = found.end()
        else:
            yield from from_json(value)


def _from_dict(value: dict[str, Any]) -> Iterator[Grid]:
    lists = {key: item for key, item in value.items() if isinstance(item, list) and _plain(item)}
    columns, index, data = (value.get(part) for part in _SPLIT)
    if isinstance(data, list) and data and all(isinstance(row, list) and _plain(row) for row in data):
        labels = [[str(label) for label in part] if isinstance(part, list) else [] for part in (columns, index)]
        rows = [[str(cell) for cell in row] for row in data]
        yield Grid(labels[0], labels[1] if len(labels[1]) == len(rows) else [""] * len(rows), rows)
        value = {key: item for key, item in value.items() if key not in _SPLIT}
    elif len(lists) > 1 and len(set(map(len, lists.values()))) == 1:
        rows = [[str(cell) for cell in row] for row in zip(*lists.values(), strict=True)]
        yield Grid(list(lists), [""] * len(rows), rows)
        value = {key: item for key, item in value.items() if key not in lists}
    if len(value) > 1 and all(isinstance(item, dict) for item in value.values()):
        yield from _of_records(list(value), list(value.values()))
    else:
        yield from _of_records([""], [value])


def _of_records(index: list[str], records: list[dict[str, Any]]) -> Iterator[Grid]:
    """Records as the rows of one table, with a column for every name that one has, and what lies deeper in them."""
    rows = [dict(_flat(record)) for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if names:
        grid = Grid(names, index, [[row.get(name, "") for name in names] for row in rows])
        yield grid.turned() if len(names) > max(_LONG, len(rows)) and any(index) else grid
    for item in (item for record in records for item in record.values() if not _is_plain_record(item)):
        yield from from_json(item)


def _flat(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of a record, and of the plain ones within it."""
    for name, item in record.items():
        if _is_plain_record(item):
            yield from ((f"{name} {inner}", str(value)) for inner, value in item.items())
        elif _plain([item]):
            yield name, str(item)


def _is_plain_record(item: Any) -> bool:
    return isinstance(item, dict) and _plain(list(item.values()))


def _plain(items: list[Any]) -> bool:
    return all(item is None or isinstance(item, str | int | float) for item in items)
