"""Inspecting: everything in an executed notebook held against the people it may have seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mmcrl.disclosure.carried import carried
from mmcrl.disclosure.counts import find_counts
from mmcrl.disclosure.drawings import Drawing, find_in_drawing
from mmcrl.disclosure.finding import Finding, Report, Rules, Sort, unique
from mmcrl.disclosure.ids import find_ids
from mmcrl.disclosure.outlines import find_in_svg
from mmcrl.disclosure.persons import Persons
from mmcrl.disclosure.pictures import is_shown
from mmcrl.disclosure.pieces import Piece, pieces_of
from mmcrl.disclosure.rows import find_rows

__all__ = ["inspect"]

_FIGURE = '<g id="figure_1">'  # as matplotlib begins


def inspect(
    notebook: dict[str, Any],
    people: Sequence[Persons] = (),
    rules: Rules | None = None,
    drawings: Sequence[Drawing] = (),
) -> Report:
    """What an executed notebook discloses about people.

    Parameters
    ----------
    notebook : as nbformat or JSON gives it
    people : the cohorts of real people that it saw. None: tables and pictures are still judged by their form
    rules : limits; left out, the largest minimum that the cohorts' manifests ask for, else 10
    drawings : what its figures were made of, as far as it was noted
    """
    if rules is None:
        stated = [persons.minimum for persons in people if persons.minimum is not None]
        rules = Rules(minimum=max(stated)) if stated else Rules()
    pieces = list(pieces_of(notebook))
    noted = {drawing.count for drawing in drawings}
    counts = {i: cell.get("execution_count") for i, cell in enumerate(notebook["cells"])}
    headings = {piece.cell: piece.heading for piece in pieces}
    findings = []
    for piece in (*pieces, *pieces_of(carried(notebook))):
        for sort, told in _of_piece(piece, people, rules, counts.get(piece.cell) in noted):
            findings.append(Finding(sort, piece.cell, headings.get(piece.cell, ""), piece.where, told))
    places = {count: i for i, count in counts.items()}
    for drawing in drawings:
        cell = places.get(drawing.count, 0)
        for written in _written(drawing):
            for sort, told in _of_piece(written, people, rules, True):
                findings.append(Finding(sort, cell, headings.get(cell, ""), "a picture", told))
        for persons in people or [Persons("nobody", [], {})]:
            for sort, told in find_in_drawing(drawing, persons, rules):
                findings.append(Finding(sort, cell, headings.get(cell, ""), "a picture", told))
    checked = {
        "outputs": sum(len(cell.get("outputs", [])) for cell in notebook["cells"]),
        "tables": sum(len(piece.grids) for piece in pieces if piece.output and not piece.hidden),
        "pictures": sum(bool(piece.svg or piece.png) and not piece.drawn for piece in pieces),
        "drawings": len(drawings),
    }
    return Report(sorted({persons.name for persons in people}), checked, unique(findings), rules)


def _written(drawing: Drawing) -> Iterator[Piece]:
    """What is written in a figure, read as if it had been printed."""
    printed = {"output_type": "stream", "text": "\n".join(drawing.texts)}
    yield from pieces_of({"cells": [{"cell_type": "code", "source": "", "outputs": [printed]}]})


def _of_piece(piece: Piece, people: Sequence[Persons], rules: Rules, noted: bool) -> Iterator[tuple[Sort, str]]:
    everyone: Sequence[Persons | None] = people or [None]
    for persons in everyone:
        yield from (("count", told) for told in find_counts(piece, persons, rules))
        yield from (("row", told) for told in find_rows(piece, persons, rules))
        if persons is None:
            continue
        yield from (("id", told) for told in find_ids(piece, persons))
        if piece.packed:
            yield "file", piece.packed
        seen = piece.drawn and noted  # as the array it was drawn from
        if piece.png and not seen and not persons.images and is_shown(piece.png, persons.pictures):
            yield "image", "an image"
    if piece.svg and not (noted and _FIGURE in piece.svg):
        yield from find_in_svg(piece.svg, people, rules)
