"""Planner: from names, a profile and settings to the executions they stand for, every parameter checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from mmcrl.errors import InputError
from mmcrl.runner import reports
from mmcrl.runner.config import Profile, nearest, read_config
from mmcrl.runner.execute import Task
from mmcrl.runner.inputs import Inputs, Surroundings, has_files
from mmcrl.runner.parameters import Parameter, check, describe, parameters_of
from mmcrl.runner.project import Project
from mmcrl.runner.stable import serialise

__all__ = ["Job", "Planner", "Settings"]

Settings = Mapping[str, str]

_HEADING = re.compile(r"^# .*", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """One execution: what, with which parameters, made from what, and where the result goes."""

    task: Task
    cells: int
    parameters: dict[str, Any]
    inputs: Inputs
    output: Path
    varied: dict[str, Any] = field(default_factory=dict)  # of a point of a sweep: its place on the grid

    @property
    def name(self) -> str:
        return self.task.name


class Planner:
    """Reads `params.yml` and the notebooks it names, once.

    Raises
    ------
    InputError : for whatever is wrong in `params.yml`, a notebook, a parameter's name or its type.
    """

    def __init__(self, project: Project) -> None:
        self.project, self.config = project, read_config(project.params)
        self._surroundings = Surroundings(project)
        self._sources: dict[str, tuple[NotebookNode, dict[str, Parameter]]] = {}
        self._swept: dict[str, Inputs] = {}  # of sweeps without settings: every page asks for all of them

    def parameters(self, name: str) -> dict[str, Parameter]:
        """What the notebook of a run or sweep can be given."""
        return self._source(self.config.entry(name).notebook)[1]

    def check_settings(self, names: list[str], settings: Settings) -> None:
        """Refuse a setting that no selected notebook has."""
        known = {key: parameter for name in names for key, parameter in self.parameters(name).items()}
        for key in settings:
            if key not in known:
                expected = f"a parameter of {', '.join(names)}{nearest(key, known)}"
                raise InputError(f"--set {key}", expected, f"{key!r}. There are\n{describe(known)}")

    def run(self, name: str, profile: Profile = "quick", settings: Settings | None = None) -> Job:
        """The execution that makes the page of a run."""
        entry = self.config.runs[name]
        values, notebook, settings = {**entry.params, **getattr(entry, profile)}, entry.notebook, settings or {}
        cohort = str(settings.get("cohort", values.get("cohort")))
        if entry.without and not has_files(cohort, self.project.root):
            notebook = entry.without
            values = {key: value for key, value in values.items() if key in self._source(notebook)[1]}
        tables = [sweep for sweep in self.config.sweeps if (self.project.results / f"{sweep}.json").is_file()]
        results = {sweep: self.sweep_inputs(sweep).digest for sweep in tables}
        if entry.reports:
            results["reports of the disclosure guard"] = reports.state(self.project, name)
        return self._job(name, notebook, values, settings, results, heading=entry.heading)

    def points(self, name: str, settings: Settings | None = None) -> list[Job]:
        """The executions of a sweep, in the order of `Sweep.points`."""
        entry, settings = self.config.sweeps[name], settings or {}
        gridded = sorted(settings.keys() & set(entry.varied))
        if gridded:
            raise InputError(f"--set {gridded[0]}", f"a parameter that sweep {name} does not vary", repr(gridded[0]))
        jobs = []
        for varied in entry.points():
            label = f"{name} {', '.join(f'{key}={value}' for key, value in varied.items())}"
            jobs.append(self._job(label, entry.notebook, {**entry.params, **varied}, settings, None, varied))
        return jobs

    def sweep_inputs(self, name: str, settings: Settings | None = None) -> Inputs:
        """The inputs of all points of a sweep together."""
        if settings:
            return Inputs.combined([job.inputs for job in self.points(name, settings)])
        if name not in self._swept:
            self._swept[name] = Inputs.combined([job.inputs for job in self.points(name)])
        return self._swept[name]

    def _job(
        self,
        name: str,
        path: str,
        values: dict[str, Any],
        settings: Settings,
        results: dict[str, str] | None,
        varied: dict[str, Any] | None = None,
        heading: str | None = None,
    ) -> Job:
        notebook, parameters = self._source(path)
        if heading is not None:
            notebook = _headed(notebook, heading)
        defaults = {key: value for key, value in self.config.defaults.items() if key in parameters}
        chosen = {key: parameters[key].parse(text) for key, text in settings.items() if key in parameters}
        resolved = check({**defaults, **values, **chosen}, parameters, path)
        given = {key: value for key, value in resolved.items() if value != parameters[key].default}
        inputs = self._surroundings.inputs(notebook, resolved, self.config.threads, results)
        task = Task(name, serialise(notebook), given, str(self.project.root), self.config.threads)
        page = self.project.page(name)
        output = page if varied is None else self.project.points(name.split()[0]) / f"{inputs.digest}.ipynb"
        return Job(task, len(notebook.cells), resolved, inputs, output, varied or {})

    def _source(self, path: str) -> tuple[NotebookNode, dict[str, Parameter]]:
        if path not in self._sources:
            try:
                notebook = nbformat.read(self.project.root / path, as_version=4)
            except (OSError, ValueError) as error:
                got = "none" if isinstance(error, FileNotFoundError) else "a damaged file"
                raise InputError(f"notebook {path}", "a readable notebook", got) from None
            self._sources[path] = notebook, parameters_of(notebook, path)
        return self._sources[path]


def _headed(notebook: NotebookNode, heading: str) -> NotebookNode:
    """A copy under another heading of the first level."""
    headed = deepcopy(notebook)
    headed.cells[0].source = _HEADING.sub(lambda _: f"# {heading}", headed.cells[0].source, count=1)
    return headed
