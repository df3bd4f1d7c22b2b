"""Docstrings: the package's sections (Parameters, Raises, ...) as definition lists that Sphinx can lay out.

A section is a title underlined by dashes; its entries read ``name : what it is``, with further lines indented. The
section ends where an unindented line is no entry, so text and examples may follow it.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

__all__ = ["laid_out", "setup"]

SECTIONS = ("Parameters", "Attributes", "Returns", "Raises")
ENTRY = re.compile(r"(\S.*?) : (.*)")


def laid_out(lines: list[str]) -> list[str]:
    """The same docstring with its sections as reStructuredText.

    >>> laid_out(["Does it.", "", "Raises", "------", "InputError : when", "    not.", "", "Text."])
    ['Does it.', '', '.. rubric:: Raises', '', '``InputError``', '    when', '    not.', '', 'Text.']
    """
    out: list[str] = []
    in_section = False
    for i, line in enumerate(lines):
        following = lines[i + 1] if i + 1 < len(lines) else ""
        if line in SECTIONS and set(following.strip()) == {"-"}:
            in_section = True
            out += [f".. rubric:: {line}", ""]
        elif in_section and set(line.strip()) == {"-"}:
            continue
        elif in_section and (entry := ENTRY.fullmatch(line)):
            out += [f"``{entry[1]}``", f"    {entry[2]}"]
        else:
            in_section = in_section and (not line or line.startswith(" "))
            out.append(line)
    return out


def _process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = laid_out(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process)
    return {"version": "1", "parallel_read_safe": True}
