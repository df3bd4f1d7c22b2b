"""Kernel: the process a notebook is executed in, the same on every machine.

It is the Python that runs mmcrl (no registered kernel is needed), in the project's folder, with a fixed number of
threads, fixed hashing, no settings of the user, no network and sockets that are files, not ports.
"""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from mmcrl.runner.project import Project

__all__ = ["WATCHED", "kernel_class", "stop_kernels"]

WATCHED = "watched"  # in a kernel's folder: what `mmcrl.runner.watch` notes
_LAUNCH = Path(__file__).with_name("launch.py")
_POOLS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
_LIVE: weakref.WeakSet[AsyncKernelManager] = weakref.WeakSet()


def _environment(project: Project, threads: int, folder: Path) -> dict[str, str]:
    """Variables of a kernel's environment; ``folder`` holds its settings for as long as it lives."""
    settings = folder / "matplotlibrc"
    settings.write_text("svg.hashsalt: mmcrl\n")
    return {
        **{f"{pool}_NUM_THREADS": str(threads) for pool in _POOLS},
        "PYTHONPATH": os.pathsep.join(map(str, project.import_path)),
        "LOKY_MAX_CPU_COUNT": str(threads),  # of a fit's starts too: other kernels run at the same time
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "SOURCE_DATE_EPOCH": "0",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MATPLOTLIBRC": str(settings),
        "IPYTHONDIR": str(folder / "ipython"),
        "MMCRL_WATCH": str(folder / WATCHED),
        "TQDM_DISABLE": "1",
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def kernel_class(project: Project, threads: int, folder: Path) -> type[AsyncKernelManager]:
    """A kernel manager for one execution in a project, with its files in ``folder``."""

    class Kernel(AsyncKernelManager):
        def __init__(self, **settings: Any) -> None:
            transport = "ipc" if len(os.fsencode(folder)) < 80 else "tcp"  # a socket's path has at most 103 bytes
            super().__init__(**settings, transport=transport, connection_file=str(folder / "kernel.json"))
            _LIVE.add(self)

        @property
        def kernel_spec(self) -> KernelSpec:
            command = [sys.executable, "-P", str(_LAUNCH), "-f", "{connection_file}"]
            variables = _environment(project, threads, folder)
            return KernelSpec(argv=command, env=variables, display_name="Python 3", language="python")

    return Kernel


def stop_kernels() -> None:
    """End every kernel that this process has started, at once."""
    for manager in list(_LIVE):
        process = getattr(manager.provisioner, "process", None)
        if process is not None and process.poll() is None:
            process.kill()
