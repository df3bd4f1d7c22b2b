"""Page: what `check` found and pictures of the cohort, as one HTML file that needs no network.

The guard that inspects notebooks holds every part against the cohort's people; a part with a finding is left out.
"""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from mmcrl import plots
from mmcrl.check import Report, summarised
from mmcrl.cohort import Cohort
from mmcrl.disclosure import Drawing, Persons, Rules, inspect
from mmcrl.disclosure.artists import artists
from mmcrl.errors import InputError
from mmcrl.ranges import few

__all__ = ["draw"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --soft: #5f6b76; --page: #fff; --line: #d8dde2; --code: #f4f6f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e7ea; --soft: #a3adb6; --page: #14181c; --line: #333b43; --code: #1d2329; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.25; } h2 { margin-top: 2.2rem; } p.soft { color: var(--soft); }
pre { background: var(--code); padding: .8rem; overflow-x: auto; font-size: .85rem; }
table { border-collapse: collapse; } td, th { padding: .25rem .8rem .25rem 0; text-align: left;
  border-bottom: 1px solid var(--line); }
img { max-width: 100%; height: auto; background: #fff; border-radius: 6px; padding: 6px; box-sizing: border-box; }
"""


@dataclass
class _Part:
    """A heading, words or a table in HTML, and a picture with its description."""

    heading: str
    words: str = ""
    figure: Figure | None = None
    told: str = ""

    @cached_property
    def svg(self) -> str:
        """The picture, as the guard and then the page has it; nothing without one."""
        if self.figure is None:
            return ""
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        return buffer.getvalue()


def draw(report: Report, folder: Path) -> tuple[Path, list[str]]:
    """Write the page of a checked manifest into a folder; its path, and the headings of what the guard left out.

    Parameters
    ----------
    report : of `mmcrl.check.check_manifest`
    folder : made where it is not there; the page is named like the manifest

    Raises
    ------
    InputError : for a folder that cannot be made or written to.
    """
    parts = []
    for part in _parts(report):
        parts.append(part)
        if part.figure is not None:
            plt.close(part.figure)  # it is drawn here alone
    kept, left_out = _guarded(parts, report)
    body = "\n".join(_html(part) for part in kept)
    name = html.escape(Path(report.manifest).stem)
    note = (
        f"<p class=soft>Left out by the disclosure guard: {html.escape(', '.join(left_out))}.</p>" if left_out else ""
    )
    minimum = None if report.cohort is None else report.cohort.minimum
    few_people = f" Groups of fewer than {minimum} people are left out or pooled." if minimum else ""
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{name}: the cohort</title><style>{_STYLE}</style></head>
<body><h1>{name}</h1>
<p class=soft>Nobody is shown.{few_people}</p>
{note}
{body}
</body></html>
"""
    path = folder / f"{Path(report.manifest).stem}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError("--draw", "a folder that is there, or can be made", type(error).__name__) from None
    return path, left_out


def _parts(report: Report) -> Iterator[_Part]:
    problems = "".join(f"<li>{html.escape(problem)}</li>" for problem in report.problems)
    yield _Part("Problems", f"<ul>{problems}</ul>" if problems else "<p>None.</p>")
    if report.proposals:
        yield _Part("Proposed", f"<pre>{html.escape(report.proposals)}</pre>")
    if (cohort := report.cohort) is None:
        return
    minimum = cohort.minimum
    as_if = " as it is with what is proposed, without what was set aside" if report.problems else ""
    yield _Part("Modalities", f"<p>{few(len(cohort), minimum)} people{as_if}.</p>{_table(cohort)}")
    if len(cohort) >= minimum:
        told = "People by the modalities that they have together"
        yield _Part("Who has what", "", plots.modalities_together(cohort), told)
    tables = [name for name in cohort.names if not cohort[name].large]
    if tables:
        told = "Share without a value, column by column"
        yield _Part("What is missing", "", plots.missing_columns(cohort), told)
    for name, modality in cohort.modalities.items():
        if int(modality.measured.sum()) < minimum:
            yield _Part(name, f"<p>Fewer than {minimum} people: nothing is drawn.</p>")
        elif not modality.large:
            yield _Part(name, "", plots.column_histograms(modality, minimum), f"Histogram of each column of {name}")
        elif len(modality.shape) == 4:
            yield _Part(name, "", plots.average_images(modality, minimum), f"Mean and spread over people of {name}")
        else:
            told = f"Mean and spread over people of {name}, and who has a value, along time"
            yield _Part(name, "", plots.average_series(modality, minimum), told)


def _table(cohort: Cohort) -> str:
    """One row a modality: its kind, what of it there is, and the shape of what one person has."""
    table = summarised(cohort).drop(index="all")
    table["shape"] = [" x ".join(map(str, cohort[name].shape[1:])) for name in cohort.names]
    return str(table.to_html(border=0))


def _guarded(parts: list[_Part], report: Report) -> tuple[list[_Part], list[str]]:
    """The parts in which the guard finds nobody, and the headings of the others."""
    if report.cohort is None:
        return parts, []
    cells: list[dict[str, Any]] = []
    drawings = []
    for i, part in enumerate(parts):
        data = {"image/svg+xml": part.svg} if part.figure is not None else {"text/html": part.words}
        output = {"output_type": "display_data", "metadata": {}, "data": data}
        cells.append(
            {"cell_type": "code", "source": "", "metadata": {}, "execution_count": i + 1, "outputs": [output]}
        )
        if part.figure is not None:
            drawings.append(Drawing(i + 1, **artists(part.figure)))
    rules, people = Rules(minimum=report.cohort.minimum), [Persons.of(report.cohort)]
    found = {finding.cell for finding in inspect({"metadata": {}, "cells": cells}, people, rules, drawings).findings}
    return (
        [part for i, part in enumerate(parts) if i not in found],
        [part.heading for i, part in enumerate(parts) if i in found],
    )


def _html(part: _Part) -> str:
    lines = [f"<section><h2>{html.escape(part.heading)}</h2>", part.words]
    if part.figure is not None:
        coded = base64.b64encode(part.svg.encode()).decode()
        width = math.ceil(96 * part.figure.get_figwidth())
        lines.append(f'<img width="{width}" alt="{html.escape(part.told)}" src="data:image/svg+xml;base64,{coded}">')
    return "\n".join([*lines, "</section>"])
