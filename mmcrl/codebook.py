"""Codebook: what each column is, in words a reader of the pages needs."""

from __future__ import annotations

import re

import pandas as pd

from mmcrl.boundary import CODEBOOK_COLUMNS
from mmcrl.layouts.layout import Layout, Words
from mmcrl.schema import ColumnSpec, Manifest
from mmcrl.transforms import scaled_unit

__all__ = ["plain_question", "read_codebook"]


def read_codebook(layout: Layout, manifest: Manifest) -> pd.DataFrame:
    """One row per column: its unit on the modelled scale, kind, question, and variable (code) in the source.

    A unit or question in the manifest goes before the source's own.
    """
    specs = manifest.columns()
    told = layout.words(list(dict.fromkeys(variable for spec in specs.values() for variable in spec.variables)))
    rows = []
    for name, spec in specs.items():
        words = [told.get(variable, Words(code=variable)) for variable in spec.variables]
        question = spec.question or " / ".join(dict.fromkeys(plain_question(word.question) for word in words))
        unit = scaled_unit(spec if spec.unit else spec.model_copy(update={"unit": words[0].unit}))
        rows.append([*name.split(".", 1), unit, _kind(spec), question, ", ".join(word.code for word in words)])
    return pd.DataFrame(rows, columns=CODEBOOK_COLUMNS)


def plain_question(text: str) -> str:
    """An interviewer's script as a person hears it: the first alternative of each, on one line.

    >>> plain_question("What time {do you/does SP} usually  wake up?")
    'What time do you usually wake up?'
    """
    return " ".join(re.sub(r"\{([^{}/]*)/[^{}]*\}", r"\1", text).split())


def _kind(spec: ColumnSpec) -> str:
    return "numeric" if spec.kind == "time" else spec.kind
