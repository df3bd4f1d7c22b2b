"""Verify: a few points of a sweep computed anew with the code as it is, held against the table that is stored."""

from __future__ import annotations

import json
import math
import re
from csv import DictReader
from io import StringIO
from typing import Any

from mmcrl.errors import InputError, check_whole
from mmcrl.runner import results
from mmcrl.runner.board import Board, duration
from mmcrl.runner.config import Sweep
from mmcrl.runner.execute import Executed
from mmcrl.runner.inputs import Inputs
from mmcrl.runner.planner import Job, Planner, Settings
from mmcrl.runner.results import Provenance, Verified
from mmcrl.runner.sweeps import execute_points, row_of

__all__ = ["check_verify", "verify_sweep"]

_MEASURED = re.compile(r"\w*seconds|\w*minutes|\w+_[km]b")  # of the machine and the moment, in a whole name
_CLOSE = 1e-9  # relative
_TOLD = 4  # columns of a point


def check_verify(planner: Planner, names: list[str], settings: Settings, count: int, force: bool) -> None:
    """Refuse to verify what cannot be: pages, points that have to be run anyway, a sweep without its table.

    Raises
    ------
    InputError : before anything is executed.
    """
    check_whole("--verify", count, 1)
    if force:
        raise InputError("--verify", "no --force beside it, which makes the table again", "both")
    for name in names:
        if not isinstance(planner.config.entry(name), Sweep):
            raise InputError("--verify", "names of sweeps alone", f"the run {name!r}")
        points = planner.points(name, settings)
        provenance = _stored(planner, name)[0]
        if json.loads(json.dumps([job.parameters for job in points])) != provenance.points:
            expected = f"a table of the points of params.yml (`python -m mmcrl run {name}` makes it)"
            raise InputError(f"--verify {name}", expected, "a table of others")


def verify_sweep(
    planner: Planner, name: str, settings: Settings, count: int, jobs: int, scheduler: str | None, board: Board
) -> bool:
    """Compute so many points anew; true when they give what is in the table, which its provenance then tells.

    Whatever else happens, nothing is written. What is glued of seconds, minutes, kB and MB is not compared.
    """
    points = planner.points(name, settings)
    inputs = Inputs.combined([job.inputs for job in points])
    chosen = {points[at].name: at for at in _spread(len(points), count)}
    provenance, rows = _stored(planner, name)
    wrong = 0

    def compare(job: Job, executed: Executed) -> None:
        nonlocal wrong
        if executed.failure is not None:
            told = f"failed at {executed.failure}"
        else:
            told = _differences(rows[chosen[job.name]], row_of(job, StringIO(executed.notebook)))
        wrong += bool(told)
        board.say(f"{job.name}: {told or 'the same'}, in {duration(executed.seconds)}")

    board.say(f"{name}: {len(chosen)} of {len(points)} points to compute anew")
    execute_points(name, [points[at] for at in chosen.values()], jobs, scheduler, board, compare)
    if wrong:
        board.say(f"{name}: {wrong} of {len(chosen)} points did not give what is in the table; nothing is written")
        return False
    if Planner(planner.project).sweep_inputs(name, settings) != inputs or _stored(planner, name)[0] != provenance:
        board.say(f"{name}: something has changed meanwhile; nothing is written")
        return False
    results.write_verified(planner.project, provenance, Verified(len(chosen), inputs))
    board.say(f"{name}: {len(chosen)} of {len(points)} points gave the same numbers, which {name}.json now tells")
    return True


def _spread(length: int, count: int) -> list[int]:
    """So many places, evenly: the first, the last and those between; one is the first."""
    count = min(length, count)
    return [at * (length - 1) // max(1, count - 1) for at in range(count)]


def _stored(planner: Planner, name: str) -> tuple[Provenance, list[dict[str, str]]]:
    """The provenance and the rows of a table, as they are written: pandas would change what some texts are."""
    provenance = results.read(name, planner.project)[1]
    with (planner.project.results / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return provenance, list(DictReader(file))


def _differences(old: dict[str, str], new: dict[str, Any]) -> str:
    """What differs between a row of the table and one computed anew; empty when nothing does."""
    columns = [column for column in {**old, **new} if not _MEASURED.fullmatch(column)]
    other = [column for column in columns if not _same(old.get(column), new.get(column, math.nan))]
    told = [f"{column} is {new.get(column, 'no more')}, was {old.get(column) or 'none'}" for column in other[:_TOLD]]
    return "; ".join(told) + f"; {len(other) - _TOLD} more columns" * (len(other) > _TOLD)


def _same(old: str | None, new: float | str) -> bool:
    """Whether a cell of the table holds this: in a column with gaps pandas has written whole numbers as 4.0."""
    if isinstance(new, str | bool):
        return old == str(new)
    try:
        number = float(old or "nan")
    except ValueError:
        return False
    if math.isnan(number) or math.isnan(new):
        return math.isnan(number) and math.isnan(new)
    return number == new if isinstance(new, int) else math.isclose(number, new, rel_tol=_CLOSE)
