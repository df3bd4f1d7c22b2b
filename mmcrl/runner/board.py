"""Board: what a person sees while notebooks run. Bars on a terminal; elsewhere one line per notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tqdm import tqdm

__all__ = ["Board", "duration"]


class Board:
    """One bar for each notebook at work, with its current heading and the time so far."""

    def __init__(self) -> None:
        self._bars: dict[str, tqdm] = {}
        self._live = sys.stdout.isatty()

    def say(self, line: str) -> None:
        """A line that stays."""
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()

    def watch(self, name: str, cells: int) -> Callable[[int, str], None] | None:
        """A function to call whenever a cell of this notebook starts; none where nobody is looking."""
        if not self._live:
            return None

        def on_cell(position: int, heading: str) -> None:
            bar = self._bar(name, cells)
            bar.n = position
            bar.set_postfix_str(heading[:40])

        return on_cell

    def count(self, name: str, done: int, total: int) -> None:
        """Show how many points of a sweep are done."""
        if self._live:
            bar = self._bar(name, total)
            bar.n = done
            bar.refresh()

    def tick(self) -> None:
        """Let the clocks of all bars go on: a cell can take hours."""
        for bar in list(self._bars.values()):
            bar.refresh()

    def close(self, name: str) -> None:
        """Take a bar away."""
        if name in self._bars:
            self._bars.pop(name).close()

    def _bar(self, name: str, total: int) -> tqdm:
        if name not in self._bars:
            form = "{desc} {bar:20} {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
            self._bars[name] = tqdm(total=total, desc=name, bar_format=form, leave=False, file=sys.stdout)
        return self._bars[name]


def duration(seconds: float) -> str:
    """A duration in the unit that suits it.

    >>> duration(4.2), duration(300), duration(7260)
    ('4 s', '5 min', '2.0 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
