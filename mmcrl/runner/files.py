"""Files: written whole or not at all; what a killed process left behind is removed.

Whatever is unfinished carries the number of its process in its name, so that the next start can tell what nobody
is working on any more.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import re
import shutil
import tempfile
import threading
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["code_digest", "digest", "digest_of", "remove_stale", "workplace", "write_whole"]

_CUT = "\0"  # in no file of Python
_QUOTES = '"', "'"


def digest(content: bytes | str) -> str:
    """SHA-256, as hexadecimal digits.

    >>> digest("")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def digest_of(path: Path) -> str:
    """SHA-256 of a file, which is never held in memory whole."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(path: Path) -> str:
    """SHA-256 of a file of Python without its comments and docstrings: of what it does, not of what it explains.

    They are cut out of the text by their place, so that every version of Python finds the same.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree, tokens = ast.parse(text), list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, ValueError, tokenize.TokenError):  # whoever imports it will be told
        return digest_of(path)
    lines = text.split("\n")
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() or _CUT
    for node in ast.walk(tree):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if ast.get_docstring(node, clean=False) is not None:
                    told, *code = node.body
                    first, end = told.lineno - 1, told.end_lineno or told.lineno
                    alone = not code or code[0].lineno > end
                    if alone and lines[first].strip().lstrip("rR").startswith(_QUOTES):
                        lines[first:end] = [_CUT] * (end - first)
    return digest("\n".join(line for line in lines if line != _CUT))


def write_whole(path: Path, text: str) -> None:
    """Write beside the path, then move into place: a reader sees the old file or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for one execution, removed afterwards. Its path is short: sockets cannot have a long one."""
    folder = Path(tempfile.mkdtemp(prefix=f"mmcrl-{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_stale(*folders: Path) -> None:
    """Remove the unfinished files in these folders, and the workplaces, of processes that are gone."""
    for folder in folders:
        for path in folder.glob(".*.tmp") if folder.is_dir() else ():
            if _abandoned(path, r"\.(\d+)-\d+\.tmp$"):
                path.unlink(missing_ok=True)
    for path in Path(tempfile.gettempdir()).glob("mmcrl-*"):
        if path.is_dir() and _abandoned(path, r"^mmcrl-(\d+)-"):
            shutil.rmtree(path, ignore_errors=True)


def _abandoned(path: Path, pattern: str) -> bool:
    owner = re.search(pattern, path.name)
    if owner is None:
        return False
    try:
        os.kill(int(owner[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
