"""Command line: run the notebooks, check a manifest, fetch public files."""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmcrl.errors import InputError

if TYPE_CHECKING:
    from mmcrl.runner.planner import Planner

__all__ = ["app", "main"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

ManifestArgument = Annotated[str, typer.Argument(help="A manifest's name under data/, or its path.")]
DataArgument = Annotated[
    str, typer.Argument(help="mnist (36 MB), nhanes-2005, -2007 or -2013: files into MMCRL_DATA or a cache.")
]
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Runs or sweeps; none: all runs.")]
ProfileOption = Annotated[
    Literal["quick", "full", "test"], typer.Option(help="Which parameters of params.yml a run takes.")
]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A parameter; repeatable.")]
Force = Annotated[bool, typer.Option("--force", help="Run what is fresh too.")]
Verify = Annotated[
    int | None, typer.Option(min=1, metavar="K", help="Of a sweep: hold K points, computed anew, against its table.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Notebooks at once; none: as many as there are cores for.")]
Scheduler = Annotated[str | None, typer.Option(metavar="ADDRESS", help="A dask scheduler for sweeps; none: local.")]
Minimum = Annotated[
    int | None, typer.Option(min=1, help="Counts of people on pages must reach it; none: as the manifests say.")
]
Draw = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Write a page with pictures of the cohort, as aggregates, here.")
]
List = Annotated[bool, typer.Option("--list", help="Show runs, sweeps and their parameters; run nothing.")]


@app.callback()
def _about() -> None:
    """Latent causal variables behind several modalities, and the sparse links between them."""


@app.command("run")
def run_command(
    names: Names = None,
    profile: ProfileOption = "quick",
    settings: Settings = None,
    force: Force = False,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    minimum: Minimum = None,
    verify: Verify = None,
    list_: List = False,
) -> None:
    """Execute the notebooks that are not fresh, with the parameters of params.yml."""
    _require("papermill", "nbformat", "yaml", "ipykernel", "distributed")
    from mmcrl.runner.planner import Planner
    from mmcrl.runner.project import Project
    from mmcrl.runner.runs import Options, run

    project = Project.find()
    if list_:
        typer.echo(_listing(Planner(project)))
        return
    options = Options(profile, dict(map(_setting, settings or [])), force, jobs, scheduler, minimum, verify)
    if run(project, names or [], options):
        raise typer.Exit(1)


@app.command("check")
def check_command(manifest: ManifestArgument, draw: Draw = None) -> None:
    """Load a cohort from its manifest; show what is wrong with it and what to write instead, or what is in it."""
    from mmcrl.check import check_manifest

    report = check_manifest(manifest)
    typer.echo(str(report))
    if draw is not None:
        from mmcrl.checking.page import draw as draw_page

        path, left_out = draw_page(report, draw)
        typer.echo(f"\nDrawn in {path}" + (f" without {', '.join(left_out)}" if left_out else ""))
    if report.problems:
        raise typer.Exit(1)


@app.command("fetch")
def fetch_command(name: DataArgument) -> None:
    """Download public files that are not here yet, checked by their sha256 where it is known; show where they lie.

    Of the survey these are the tables: arrays of wear and spines have to be put beside them by hand.
    """
    from mmcrl.fetch import fetch

    for path in fetch(name):
        typer.echo(path)


def main() -> None:
    """Run the command line: 0 all is well, 1 something failed, 2 the input is refused, 130 interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        app()
    except InputError as error:
        typer.echo(f"mmcrl: {error}", err=True)
        sys.exit(2)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _require(*modules: str) -> None:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise InputError("extra", 'the packages of `pip install "mmcrl[book]"`', f"no {', '.join(missing)}")


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InputError("--set", "KEY=VALUE", repr(text))
    return key, value


def _listing(planner: Planner) -> str:
    from mmcrl.runner.parameters import describe

    lines = []
    for kind, entries in (("run", planner.config.runs), ("sweep", planner.config.sweeps)):
        for name, entry in entries.items():
            try:
                parameters = describe(planner.parameters(name))
            except InputError as error:
                parameters = f"    {error}"
            lines += [f"{kind} {name}: {entry.title}", parameters]
    return "\n".join(lines)
