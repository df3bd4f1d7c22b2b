"""Pool: several executions at once, on threads of this process or on the workers of a dask cluster."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from mmcrl.errors import InputError
from mmcrl.parallel import cores
from mmcrl.runner.board import Board
from mmcrl.runner.execute import Executed, execute
from mmcrl.runner.kernel import stop_kernels
from mmcrl.runner.planner import Job

__all__ = ["dask_pool", "execute_all", "fitting_jobs", "thread_pool"]


def fitting_jobs(threads: int) -> int:
    """As many notebooks at once as leave no core idle and none shared."""
    return max(1, cores() // threads)


@contextmanager
def thread_pool(jobs: int) -> Iterator[Executor]:
    """Threads, each of which waits for one kernel."""
    with ThreadPoolExecutor(jobs) as pool:
        yield pool


_QUIET = {  # a twelfth of a core went into looking at itself
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
}


@contextmanager
def dask_pool(jobs: int, scheduler: str | None) -> Iterator[Executor]:
    """The workers behind a scheduler's address, else a local cluster.

    Raises
    ------
    InputError : when no scheduler answers at the address.
    """
    import dask
    from distributed import Client, LocalCluster

    dask.config.set(_QUIET)
    logging.getLogger("distributed").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "Couldn't detect a suitable IP address")  # without a network there is none
    local = {"n_workers": 1, "threads_per_worker": jobs, "processes": False, "dashboard_address": "127.0.0.1:0"}
    try:
        client = Client(scheduler, timeout=5) if scheduler else Client(LocalCluster(**local))
    except (OSError, ValueError) as error:
        raise InputError("--scheduler", "the address of a dask scheduler that answers", str(error)) from None
    try:
        with client.get_executor(pure=False) as pool:
            yield pool
    finally:
        cluster = client.cluster
        client.close()
        if cluster is not None:
            cluster.close()


def execute_all(
    jobs: list[Job], pool: Executor, board: Board, on_done: Callable[[Job, Executed], None], watched: bool = True
) -> None:
    """Execute all, telling of each as it ends. When interrupted, no kernel is left behind."""
    waiting: dict[Future[Executed], Job] = {}
    try:
        for job in jobs:
            watch = (board.watch(job.name, job.cells),) if watched else ()
            waiting[pool.submit(execute, job.task, *watch)] = job
        while waiting:
            done, _ = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
            board.tick()
            for future in done:
                job = waiting.pop(future)
                board.close(job.name)
                on_done(job, _outcome(job, future))
    except BaseException:
        for future in waiting:
            future.cancel()
        while not all(future.done() for future in waiting):
            stop_kernels()
            wait(waiting, timeout=0.5)
        raise


def _outcome(job: Job, future: Future[Executed]) -> Executed:
    """What came of an execution. A full disk or a lost worker is a failure of this one, not of the others."""
    try:
        return future.result()
    except Exception as error:
        return Executed(job.task.source, 0.0, f"no cell: {type(error).__name__}: {error}")
