"""Parallel: several tasks at once, each in a process or thread of its own, that tell how far they are.

Processes, because the steps of a start are so small that threads spend their time waiting for the interpreter;
threads where steps are long and people take much memory, which each process would take again.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from joblib import cpu_count
from joblib.externals.loky import get_reusable_executor
from tqdm import tqdm

__all__ = ["cores", "in_order", "run_all"]

T = TypeVar("T")
_POLL = 0.1  # seconds
_FEW, _AT_ONCE = 200, 8  # tasks of milliseconds: fewer are done before a process has begun; given at a time


def cores() -> int:
    """Cores that this process may use: its affinity and container's share, at most ``LOKY_MAX_CPU_COUNT``."""
    return int(cpu_count())


def run_all(
    tasks: Sequence[Callable[[Callable[[int, float], None]], T]],
    jobs: int,
    report: Callable[[int, int, float], None],
    threads: bool = False,
) -> list[T]:
    """What every task returns, in order, ``jobs`` of them at once.

    A task gets a function to tell a step and a value; ``report`` is called here, with the task's number before them.
    An error of a task, or of ``report``, is raised, and ends the other tasks when they next tell something.
    """
    if jobs == 1 or len(tasks) == 1:
        return [task(partial(report, number)) for number, task in enumerate(tasks)]
    if threads:
        return _in_threads(tasks, jobs, report)
    pool, futures = get_reusable_executor(max_workers=jobs), list[Future[T]]()
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            boxes = [Path(folder) / str(number) for number in range(len(tasks))]
            for box in boxes:
                box.touch()
            futures += [pool.submit(_told, task, box) for task, box in zip(tasks, boxes, strict=True)]
            heard = [0] * len(tasks)

            def listen() -> None:
                for number, box in enumerate(boxes):
                    lines = box.read_text().split("\n")[:-1]  # what follows the last line's end is half a line
                    for line in lines[heard[number] :]:
                        step, value = line.split()
                        report(number, int(step), float(value))
                    heard[number] = len(lines)

            _attend(futures, listen)
    except BaseException:  # the folder is gone: a task that finds no box for what it tells ends
        for future in futures:
            future.cancel()
        wait(futures)
        raise
    return [future.result() for future in futures]


def in_order(tasks: Sequence[Callable[[], T]], title: str, processes: bool = True) -> Iterator[T]:
    """What many short tasks return, in order and as it comes.

    More than 200 are done by worker processes, as many as there are cores.  A terminal shows a bar where all takes
    more than two seconds.
    """
    found: Iterator[T] = (task() for task in tasks)
    if processes and len(tasks) > _FEW and cores() > 1:
        found = get_reusable_executor(max_workers=cores()).map(_done, tasks, chunksize=_AT_ONCE)
    return iter(tqdm(found, title, len(tasks), delay=2, disable=None))


def _done(task: Callable[[], T]) -> T:
    return task()


def _in_threads(
    tasks: Sequence[Callable[[Callable[[int, float], None]], T]], jobs: int, report: Callable[[int, int, float], None]
) -> list[T]:
    heard: SimpleQueue[tuple[int, int, float]] = SimpleQueue()
    ended = threading.Event()

    def tell(number: int, step: int, value: float) -> None:
        if ended.is_set():
            raise CancelledError
        heard.put((number, step, value))

    def listen() -> None:
        while not heard.empty():
            report(*heard.get())

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(task, partial(tell, number)) for number, task in enumerate(tasks)]
        try:
            _attend(futures, listen)
        except BaseException:  # a task that tells something after this ends
            ended.set()
            for future in futures:
                future.cancel()
            raise
    return [future.result() for future in futures]


def _attend(futures: Sequence[Future[T]], listen: Callable[[], None]) -> None:
    """Listen until all have ended; an error is raised as soon as it is known."""
    waiting = True
    while waiting:
        waiting = bool(wait(futures, timeout=_POLL).not_done)
        listen()
        for future in futures:
            if future.done():
                future.result()


def _told(task: Callable[[Callable[[int, float], None]], T], box: Path) -> T:
    def tell(step: int, value: float) -> None:
        with open(box, "r+") as file:  # never made anew
            file.seek(0, 2)
            file.write(f"{step} {value!r}\n")

    return task(tell)
