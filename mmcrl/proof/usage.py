"""Usage: seconds and memory that a piece of work takes."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "watched"]

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Usage:
    """Seconds, the peak memory (MB) of the whole process, and how much of it came on top of what it held before."""

    seconds: float = 0.0
    peak_mb: float = 0.0
    added_mb: float = 0.0


@contextmanager
def watched() -> Iterator[Usage]:
    """Measure the work inside; read the result afterwards.

    On Linux the peak is the process's own since the start of the work.  Elsewhere it is that of its whole life, as
    `resource.getrusage` tells it, and a process started by a large one inherits that one's peak.

    >>> with watched() as used:
    ...     numbers = list(range(1000))
    >>> used.seconds >= 0 and used.peak_mb > 1
    True
    """
    used = Usage()
    with suppress(OSError):
        _RESET.write_text("5")  # the peak starts again from the present
    before, start = _memory("VmRSS"), time.perf_counter()
    try:
        yield used
    finally:
        used.seconds = time.perf_counter() - start
        used.peak_mb = _memory("VmHWM")
        used.added_mb = max(0.0, used.peak_mb - before)


def _memory(field: str) -> float:
    """Megabytes of this process: held now (``VmRSS``) or at most (``VmHWM``)."""
    with suppress(OSError, StopIteration):
        line = next(row for row in _STATUS.read_text().splitlines() if row.startswith(field))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
