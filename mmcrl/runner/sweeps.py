"""Sweeps: one notebook over a grid of parameters. Finished points stay, whatever happens to the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from mmcrl.errors import InputError
from mmcrl.runner import results
from mmcrl.runner.board import Board, duration
from mmcrl.runner.execute import Executed
from mmcrl.runner.files import write_whole
from mmcrl.runner.glue import glued
from mmcrl.runner.inputs import Inputs
from mmcrl.runner.planner import Job, Planner, Settings
from mmcrl.runner.pool import dask_pool, execute_all
from mmcrl.runner.stamp import changes_since, stamped

__all__ = ["execute_points", "row_of", "run_sweep", "sweep_changes"]


def run_sweep(
    planner: Planner, name: str, settings: Settings, force: bool, jobs: int, scheduler: str | None, board: Board
) -> bool:
    """Bring a sweep's table up to date; true when it is. The table is written only when no point has failed."""
    changed = sweep_changes(planner, name, settings) or ["forced"] * force
    if not changed:
        board.say(f"{name}: fresh")
        return True
    points = planner.points(name, settings)
    todo = [job for job in points if force or changes_since(job.output, job.inputs)]
    board.say(f"{name}: {len(todo)} of {len(points)} points to run ({', '.join(changed)})")
    failed = _run_points(planner, name, todo, jobs, scheduler, board) if todo else 0
    if failed:
        board.say(f"{name}: {failed} of {len(points)} points failed; the others are kept, no table is written")
        return False
    _write_table(planner, name, points)
    kept = {path for job in points for path in (job.output, _seconds_file(job))}
    for path in planner.project.points(name).iterdir():
        if path not in kept:
            path.unlink()
    board.say(f"{name}: data/results/{name}.csv written")
    return True


def sweep_changes(planner: Planner, name: str, settings: Settings | None = None) -> list[str]:
    """Why a sweep's table has to be made again; empty when it is fresh."""
    try:
        _, provenance = results.read(name, planner.project)
    except InputError as error:
        return ["no table" if error.got == "none" else "damaged table"]
    return planner.sweep_inputs(name, settings).changes(provenance.inputs)


def _run_points(planner: Planner, name: str, todo: list[Job], jobs: int, scheduler: str | None, board: Board) -> int:
    failed = 0

    def finish(job: Job, executed: Executed) -> None:
        nonlocal failed
        aside = planner.project.failed(f"{name}-{job.inputs.digest[:8]}")
        if executed.failure is None:
            write_whole(_seconds_file(job), f"{executed.seconds:.1f}\n")
            page = stamped(executed.notebook, name, job.parameters, job.inputs, executed.report)
            write_whole(job.output, page)
            aside.unlink(missing_ok=True)
            board.say(f"{job.name}: done in {duration(executed.seconds)}")
        else:
            failed += 1
            if not executed.refused:
                write_whole(aside, executed.notebook)
            see = "" if executed.refused else f"; see {aside.relative_to(planner.project.root)}"
            board.say(f"{job.name}: failed at {executed.failure}{see}")

    execute_points(name, todo, jobs, scheduler, board, finish)
    return failed


def execute_points(
    name: str,
    todo: list[Job],
    jobs: int,
    scheduler: str | None,
    board: Board,
    on_done: Callable[[Job, Executed], None],
) -> None:
    """Execute points of a sweep, telling of each as it ends; the board counts them."""
    done = 0

    def finish(job: Job, executed: Executed) -> None:
        nonlocal done
        done += 1
        on_done(job, executed)
        board.count(name, done, len(todo))

    board.count(name, 0, len(todo))
    with dask_pool(jobs, scheduler) as pool:
        execute_all(todo, pool, board, finish, watched=False)
    board.close(name)


def row_of(job: Job, notebook: Path | TextIO) -> dict[str, Any]:
    """A point's row of the table: its place on the grid, then the numbers and texts that its notebook glues."""
    values = {key: value for key, value in glued(notebook).items() if isinstance(value, int | float | str)}
    return {**job.varied, **{key: value for key, value in values.items() if key not in job.varied}}


def _write_table(planner: Planner, name: str, points: list[Job]) -> None:
    rows = [row_of(job, job.output) for job in points]
    if all(row.keys() == job.varied.keys() for row, job in zip(rows, points, strict=True)):
        raise InputError(f"sweep {name}", "a notebook that glues numbers or texts", "none")
    facts = {
        "points": [job.parameters for job in points],
        "inputs": Inputs.combined([job.inputs for job in points]),
        "seconds": [float(_seconds_file(job).read_text()) for job in points],
    }
    results.write(planner.project, planner, name, rows, **facts)


def _seconds_file(job: Job) -> Path:
    return job.output.with_suffix(".seconds")
