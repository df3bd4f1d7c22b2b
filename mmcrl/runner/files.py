"""Files: written whole or not at all; what a killed process left behind is removed.

Whatever is unfinished carries the number of its process in its name, so that the next start can tell what nobody
is working on any more.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["code_digest", "digest", "digest_of", "remove_stale", "workplace", "write_whole"]

_CUT = "\0"  # in no file of Python
_LEXED = re.compile(
    r"""(?P<comment>\#[^\n]*) | (?P<bracket>[()\[\]{}])
    | [rbuf]{0,2} (?: (?P<long>\"{3}|'{3}) (?:\\.|(?!(?P=long)).)*? (?P=long)
                   | (?P<short>["']) (?:\\.|(?!(?P=short))[^\\\n])* (?P=short) )""",
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)


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

    Read as text, not as a program: every version of Python finds the same, in much less time than its parser takes,
    which matters to every page that reads a table.  A docstring is a string that is a statement by itself.
    """
    text = path.read_text(encoding="utf-8", errors="replace") + "\n"
    kept, depth, at = list[str](), 0, 0
    for found in _LEXED.finditer(text):
        if bracket := found["bracket"]:
            depth += 1 if bracket in "([{" else -1
            continue
        start, end = found.span()
        before = text[text.rfind("\n", 0, start) + 1 : start].strip()
        after = text[end : text.index("\n", end)].strip()
        if found["comment"] or (depth == 0 and not before and after[:1] in ("", "#")):
            kept.append(text[at:start] + _CUT)
            at = end
    lines = "".join([*kept, text[at:]]).split("\n")
    return digest("\n".join(line.replace(_CUT, "").rstrip() for line in lines if line.strip(f"{_CUT} ") or not line))


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
