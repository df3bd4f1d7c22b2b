"""Ids: participants of a cohort who are named in an output.

A number that happens to equal an id is none: a count, a round number, a single number in a table of numbers.  An id
is one that stands where ids stand (a label of a row or column, a column of ids, beside the id's name, in the name of
a file) or is nothing else in sight.  Of numbers with fewer than five digits `mmcrl.disclosure.short` says when they
are ids, of words `mmcrl.disclosure.words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mmcrl.disclosure.coded import in_code
from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.mentions import is_counted, is_round, mentions
from mmcrl.disclosure.persons import Persons, whole
from mmcrl.disclosure.pieces import Piece
from mmcrl.disclosure.short import beside_a_word, in_lines, in_paths, in_table
from mmcrl.disclosure.words import in_row, in_words

__all__ = ["find_ids"]

_NAMES = {
    "id", "ids", "eid", "iid", "pid", "seqn", "person_id", "participant", "participant_id", "subject", "subject_id",
    "patient", "patient_id", "registrationcode", "respondent", "respondent_id",
}  # fmt: skip
_TOKEN = re.compile(r"(?<![\w.])(?<!\d,)[A-Za-z_-]*\d[\w-]*(?:\.0+(?!\w))?(?![\w]|[.,]\d)")
_JOINED = re.compile(r"(?<![\w.,])\w[\w.-]*(?:,\w[\w.-]*)+")  # as a file of comma-separated values has them
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")


def find_ids(piece: Piece, persons: Persons) -> Iterator[str]:
    """What of this piece names participants, in words that do not."""
    names = _NAMES | ({persons.id_name.lower()} if persons.id_name else set())
    labelled, free = _in_text(piece.text, persons, names)
    if labelled:
        yield f"{len(labelled)} beside the name of an id"
    elif free and (len(free) > 2 or (piece.output and not _is_count(piece.key))):
        yield f"{len(free)} in its text"
    elif piece.code and (coded := in_code(piece.text, persons)):
        yield f"{len(coded)} where ids stand in code"
    if worded := in_words(piece.text, persons):
        yield f"{len(worded)} words in its text"
    if short := beside_a_word(piece.text, persons) | in_paths(piece.text, persons) | in_lines(piece.text, persons):
        yield f"{len(short)} short ones in its text"
    for grid in piece.grids:
        yield from _in_grid(grid, persons, names, piece.output)


def _in_text(text: str, persons: Persons, names: set[str]) -> tuple[set[str], set[str]]:
    labelled, free = set(), set()
    listed = persons.id_name is not None and re.search(rf"Index\(.*name='{re.escape(persons.id_name)}'", text, re.S)
    beside = re.compile(rf"(?:^|[^A-Za-z])(?:{'|'.join(map(re.escape, names))})[\s:=#\"'._\-\[(]{{1,4}}$", re.I)
    for match in _TOKEN.finditer(text):
        if (token := whole(match.group())) in persons.ids and (
            listed or beside.search(text[max(0, match.start() - 40) : match.start()])
        ):
            labelled.add(token)
    for mention in mentions(text, persons):
        before, after = mention.around(text)
        if listed or beside.search(before):
            labelled.add(mention.person)
        elif not is_counted(before, after, mention.joined) and (mention.joined or not is_round(mention.person)):
            free.add(mention.person)
    joined = {token for match in _JOINED.finditer(text) for token in _split(match.group(), persons)}
    return labelled, free | (joined if len(joined) > 1 else set())


def _split(joined: str, persons: Persons) -> Iterator[str]:
    """The ids among words that commas join, unless they group the digits of one number."""
    if not _THOUSANDS.fullmatch(joined):
        yield from (mention.person for word in re.split("[,;]", joined) for mention in mentions(word, persons))


def _in_grid(grid: Grid, persons: Persons, names: set[str], output: bool) -> Iterator[str]:
    if grid.index_name.lower() in names and (found := _ids(grid.index, persons.ids, persons)):
        yield f"{len(found)} in the index that bears their name"
    elif found := _ids(grid.index, persons.telling, persons):
        yield f"{len(found)} in its index"
    if found := _ids(grid.header, persons.telling, persons):
        yield f"{len(found)} in its header"
    for labels in (grid.index, grid.header, *zip(*grid.rows, strict=False)):
        if found := in_row(labels, persons):
            yield f"{len(found)} words together"
    if found := in_table(grid, persons):
        yield f"{len(found)} short ones together"
    tables = [grid, grid.turned()] if len(grid.rows) < 3 else [grid]
    for label, cells in (column for table in tables for column in table.columns()):
        if set(re.split(r"[^A-Za-z_]+", label.lower())) & names:
            if found := _ids(cells, persons.ids, persons):
                yield f"{len(found)} in a column of ids"
            continue
        found = _ids(cells, persons.telling, persons) | _grouped(cells, persons)
        named = {mention.person for mention in mentions("\n".join(cells), persons) if mention.joined}
        several = len(found) > 2 and len(found) > 0.6 * len(set(cells)) and not _is_count(label)
        if several or len(named) > (0 if output else 2) or any(not token.isdigit() for token in named):
            yield f"{len(found | named)} in a column"


def _ids(cells: list[str], ids: set[str], persons: Persons) -> set[str]:
    parts = [part for cell in cells for part in cell.split() if not _THOUSANDS.fullmatch(part)]
    found = {
        mention.person for part in parts for word in re.split("[,;]", part) for mention in mentions(word, persons)
    }
    found |= {cell.strip() for cell in cells} & persons.worded
    found |= {whole(word.strip("'\"()[]")) for part in parts for word in re.split("[,;]", part)}
    return {token for token in found & ids if not is_round(token) or ids is persons.ids}


def _grouped(cells: list[str], persons: Persons) -> set[str]:
    """Ids whose digits are grouped by commas, as those of counts are."""
    plain = {cell.strip().replace(",", "") for cell in cells if _THOUSANDS.fullmatch(cell.strip())}
    return {number for number in plain & persons.telling if not is_round(number)}


def _is_count(label: str) -> bool:
    return re.search(r"^n$|^n_|^n\b|people|persons|count|size|rows|steps|seed", label, re.I) is not None
