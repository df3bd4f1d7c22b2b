"""Runs: make the pages of the book that are not fresh, and whatever sweeps were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mmcrl.runner.board import Board, duration
from mmcrl.runner.config import Profile, Sweep
from mmcrl.runner.execute import Executed
from mmcrl.runner.files import remove_stale, write_whole
from mmcrl.runner.planner import Job, Planner, Settings
from mmcrl.runner.pool import execute_all, fitting_jobs, thread_pool
from mmcrl.runner.project import Project
from mmcrl.runner.reports import weaker
from mmcrl.runner.stamp import changes_since, mark_outdated, stamped
from mmcrl.runner.sweeps import run_sweep
from mmcrl.runner.verify import check_verify, verify_sweep

__all__ = ["Options", "run"]


@dataclass(frozen=True)
class Options:
    """How to run: with which profile and settings, whether fresh ones too, how many at once, where."""

    profile: Profile = "quick"
    settings: Settings = field(default_factory=dict)
    force: bool = False
    jobs: int | None = None  # None: as many as leave no core idle and none shared
    scheduler: str | None = None  # of sweeps: None is a cluster on this machine
    minimum: int | None = None  # a count of people on a page must reach it; None: as the cohorts' manifests say
    verify: int | None = None  # so many points of each sweep are computed anew and held against its table


def run(project: Project, names: Sequence[str] = (), options: Options | None = None) -> list[str]:
    """Bring runs and sweeps up to date; without names, all runs. Returns the names of those that failed.

    Raises
    ------
    InputError : before anything is executed, for whatever is wrong with a name, a notebook or a parameter.
    """
    options, board, planner = options or Options(), Board(), Planner(project)
    names = list(dict.fromkeys(names or planner.config.runs))
    sweeps = [name for name in names if isinstance(planner.config.entry(name), Sweep)]
    pages = [name for name in names if name not in sweeps]
    planner.check_settings(names, options.settings)
    for name in names:
        _ = planner.points(name, options.settings) if name in sweeps else _page(planner, name, options)
    if options.verify is not None:
        check_verify(planner, names, options.settings, options.verify, options.force)
    remove_stale(project.page("").parent, project.failed("").parent, project.results)
    remove_stale(*map(project.points, planner.config.sweeps))
    jobs = options.jobs or fitting_jobs(planner.config.threads)
    failed = []
    for name in sweeps:
        where = (jobs, options.scheduler, board)
        if options.verify is not None:
            good = verify_sweep(planner, name, options.settings, options.verify, *where)
        else:
            good = run_sweep(planner, name, options.settings, options.force, *where)
        failed += [name] * (not good)
    if sweeps:
        planner = Planner(project)  # the tables are new
    for after in (False, True):  # those that show what was found on the others come last
        some = [_page(planner, name, options) for name in pages if planner.config.runs[name].reports == after]
        failed += _run_pages(some, project, options, jobs, board)
    if failed:
        board.say(f"{len(failed)} of {len(names)} failed: {', '.join(failed)}")
    return failed


def _page(planner: Planner, name: str, options: Options) -> Job:
    job = planner.run(name, options.profile, options.settings)
    return replace(job, task=replace(job.task, minimum=options.minimum))


def _run_pages(pages: list[Job], project: Project, options: Options, jobs: int, board: Board) -> list[str]:
    reasons = {
        job.name: changes_since(job.output, job.inputs)
        or weaker(job.output, options.minimum)
        or ["forced"] * options.force
        for job in pages
    }
    failed: list[str] = []

    def finish(job: Job, executed: Executed) -> None:
        aside, why = project.failed(job.name), ", ".join(reasons[job.name])
        if executed.failure is None:
            write_whole(job.output, stamped(executed.notebook, job.name, job.parameters, job.inputs, executed.report))
            aside.unlink(missing_ok=True)
            board.say(f"{job.name}: rerun ({why}) in {duration(executed.seconds)}")
            return
        failed.append(job.name)
        if executed.refused:
            aside.unlink(missing_ok=True)
        else:
            write_whole(aside, executed.notebook)
        earlier = mark_outdated(job.output, executed.failure)
        if earlier is not None:
            write_whole(job.output, earlier)
        see = "" if executed.refused else f"; see {aside.relative_to(project.root)}"
        board.say(f"{job.name}: failed ({why}) at {executed.failure}{see}")

    for job in pages:
        if not reasons[job.name]:
            board.say(f"{job.name}: fresh")
    with thread_pool(jobs) as pool:
        execute_all([job for job in pages if reasons[job.name]], pool, board, finish)
    return failed
