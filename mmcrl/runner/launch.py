"""Launch: the program of a kernel. Run by its path, so that a kernel starts without importing the package.

It shuts the network before anything else runs: an audit hook, which nothing can take away again, refuses every
connection and name that leads off this machine. And it lets `mmcrl.runner.watch` note for the disclosure guard what
the notebook loads and draws.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["refuse_network"]

_HERE = {"localhost", "127.0.0.1", "0.0.0.0", "::1", "", b"localhost", b"127.0.0.1", None}
_CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def refuse_network() -> None:
    """From now on, in this process, no connection to another machine can be made."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CONNECTING and isinstance(arguments[-1], tuple):
            host = arguments[-1][0]
        elif event in _LOOKING_UP:
            host = arguments[0]
        else:
            return
        if host not in _HERE:
            raise ConnectionRefusedError(f"notebooks run without a network: {host} was asked for")

    sys.addaudithook(hook)


def _watch(folder: str) -> None:
    spec = importlib.util.spec_from_file_location("_mmcrl_watch", Path(__file__).with_name("watch.py"))
    if spec is None or spec.loader is None:
        raise FileNotFoundError("watch.py beside launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.watch(Path(folder))


def main() -> None:
    """Start an IPython kernel without a network, watched for the disclosure guard."""
    refuse_network()
    _watch(os.environ.pop("MMCRL_WATCH"))
    # The note that fonts are being looked up appears once per machine: it would make outputs differ.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


if __name__ == "__main__":
    main()
