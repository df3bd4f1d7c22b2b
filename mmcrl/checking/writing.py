"""Writing: the separator and the encoding of a text table, where they are not what its name says."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

from mmcrl.checking.draft import Draft
from mmcrl.tables import DELIMITERS

__all__ = ["mend_encoding", "mend_separator"]

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def mend_separator(draft: Draft, suffix: str, names: Sequence[str], absent: Sequence[str]) -> bool:
    """Say what divides the columns of a table, if its header (``names``), divided so, has some that are absent."""
    if suffix not in DELIMITERS:
        return False
    usual = DELIMITERS[suffix]
    for other, told in _SEPARATORS.items():
        divided = [name.strip(' "') for name in usual.join(names).split(other)]
        if other != usual and set(absent) & set(divided):
            why = f"its columns are divided by {told}: a {suffix} file has {_SEPARATORS[usual]}, write it so"
            draft.note(("source", "path"), why)
            return True
    return False


def mend_encoding(draft: Draft, path: Path) -> None:
    """Say that a text table is not written in UTF-8, if it is not."""
    try:
        content = path.read_bytes() if path.suffix in DELIMITERS else b""
        content.decode("utf-8")
    except UnicodeDecodeError:
        marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        told = "written in UTF-16" if marked else "not written in UTF-8, but in Latin-1 perhaps"
        draft.note(("source", "path"), f"{told}: write it in UTF-8")
    except OSError:  # it may not be read
        return
