"""Codebook: what each column is, in words a reader of the pages needs."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from mmcrl.boundary import CODEBOOK_COLUMNS
from mmcrl.schema import ColumnSpec, Manifest, Source
from mmcrl.tables import locate, read_table
from mmcrl.transforms import scaled_unit

__all__ = ["plain_question", "read_codebook"]


def read_codebook(folder: Path, manifest: Manifest) -> pd.DataFrame:
    """One row per column: its unit on the modelled scale, kind, question, and variable (code) in the source.

    A question in the manifest goes before the one in the source's table of questions.
    """
    asked = _questions(folder, manifest.source)
    rows = []
    for name, spec in manifest.columns().items():
        texts, codes = zip(*(asked.get(variable, ("", variable)) for variable in spec.variables), strict=True)
        question = spec.question or " / ".join(dict.fromkeys(texts))
        rows.append([*name.split(".", 1), scaled_unit(spec), _kind(spec), question, ", ".join(codes)])
    return pd.DataFrame(rows, columns=CODEBOOK_COLUMNS)


def plain_question(text: str) -> str:
    """An interviewer's script as a person hears it: the first alternative of each, on one line.

    >>> plain_question("What time {do you/does SP} usually  wake up?")
    'What time do you usually wake up?'
    """
    return " ".join(re.sub(r"\{([^{}/]*)/[^{}]*\}", r"\1", text).split())


def _questions(folder: Path, source: Source) -> dict[str, tuple[str, str]]:
    """Question and survey code of each variable."""
    asked = source.questions
    if asked is None:
        return {}
    wanted = [asked.variable, asked.question, *([asked.code] if asked.code else [])]
    table = read_table(locate(folder, asked.path, source.package, "source.questions.path"), wanted).fillna("")
    codes = table[asked.code or asked.variable]
    rows = zip(table[asked.variable], table[asked.question], codes, strict=True)
    return {str(variable): (plain_question(str(text)), str(code)) for variable, text, code in rows}


def _kind(spec: ColumnSpec) -> str:
    return "numeric" if spec.kind == "time" else spec.kind
