"""Glue: the numbers and words that a notebook gives to pages and tables, read from the executed file."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, TextIO

import nbformat

from mmcrl.errors import InputError

__all__ = ["glued"]

_PREFIX = "application/papermill.record/"
_UNREADABLE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def glued(path: str | Path | TextIO) -> dict[str, Any]:
    """What `myst_nb.glue` kept, by key, as plain Python values. Figures and tables, which are none, are left out.

    Parameters
    ----------
    path : of an executed notebook, or the open file

    Raises
    ------
    InputError : for a numpy scalar, which a page could not format.

    >>> glued("book/notebooks/01_generative_model.ipynb")["mcc"]  # doctest: +SKIP
    """
    values = {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            key = output.get("metadata", {}).get("scrapbook", {}).get("name")
            data = output.get("data", {})
            text = data.get(_PREFIX + "text/plain", data.get("text/plain"))
            if key is None or text is None:
                continue
            if text.startswith("np."):
                raise InputError(f"glue {key}", "a plain Python number or text", text)
            try:
                values[key] = _UNREADABLE[text] if text in _UNREADABLE else ast.literal_eval(text)
            except (ValueError, SyntaxError):
                continue
    return values
