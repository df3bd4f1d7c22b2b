"""Parameters: what a notebook can be given, from the annotated assignments of its cell tagged `parameters`.

``seed: int = 0  # random numbers start here`` declares a name, a type, a default and a help text. Values are
checked against the type before a kernel starts; papermill itself would only warn.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import papermill
from nbformat import NotebookNode
from pydantic import ConfigDict, TypeAdapter, ValidationError

from mmcrl.errors import InputError
from mmcrl.runner.config import nearest

__all__ = ["Parameter", "check", "describe", "parameters_of"]

_TYPES = {t.__name__: t for t in (int, float, bool, str, list, dict)}
_NAMES: dict[str, Any] = {**_TYPES, "None": None, "Optional": Optional}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: name, annotation, default, help."""

    name: str
    annotation: str
    default: Any
    help: str

    def accept(self, value: Any) -> Any:
        """The value in the annotated type: an int is a float too, else nothing is converted.

        Raises
        ------
        InputError : for a value of another type.
        """
        adapter = TypeAdapter(_hint(self.annotation), config=ConfigDict(strict=True))
        try:
            return adapter.validate_python(value)
        except ValidationError:
            raise InputError(f"parameter {self.name}", f"{self.annotation} ({self.help})", repr(value)) from None

    def parse(self, text: str) -> Any:
        """The value that a text stands for, read by the annotation.

        >>> Parameter("seed", "int", 0, "").parse("3"), Parameter("name", "str", "", "").parse("3")
        (3, '3')
        """
        words = {"true": True, "false": False, "none": None, "null": None}
        try:
            literal = words[text] if text in words else ast.literal_eval(text)
            return self.accept(literal)
        except (ValueError, SyntaxError, TypeError):  # no literal, or of another type: InputError is a ValueError
            return self.accept(text)


def parameters_of(notebook: NotebookNode, name: str) -> dict[str, Parameter]:
    """The parameters that a notebook declares, by name.

    Raises
    ------
    InputError : without a cell tagged `parameters`, for one without annotation or help, and for a line that
        papermill cannot read.
    """
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if not tagged:
        raise InputError(f"notebook {name}", "a cell tagged `parameters`", "none")
    found = papermill.inspect_notebook(notebook)
    parameters = {}
    for target in _targets(tagged[0].source, name):
        line = found.get(target, {"inferred_type_name": "None", "default": "", "help": ""})
        try:
            default = ast.literal_eval(line["default"])
        except (ValueError, SyntaxError):
            line["help"] = ""
        if line["inferred_type_name"] == "None" or not line["help"]:
            expected = "a line such as `seed: int = 0  # what it does`, plain values, one `=` in it, no `|`"
            raise InputError(f"parameter {target} of {name}", expected, "another form")
        parameters[target] = Parameter(target, line["inferred_type_name"], default, line["help"])
        parameters[target].accept(default)
    return parameters


def check(values: Mapping[str, Any], parameters: Mapping[str, Parameter], notebook: str) -> dict[str, Any]:
    """All parameters with their values: those given, checked, else the notebook's own.

    Raises
    ------
    InputError : for a name the notebook does not have (the nearest, and all there are, are told), and a value
        of another type.
    """
    for name in values:
        if name not in parameters:
            expected = f"a parameter of {notebook}{nearest(name, parameters)}"
            raise InputError(f"parameter {name}", expected, f"{name!r}. It has\n{describe(parameters)}")
    return {name: p.accept(values.get(name, p.default)) for name, p in parameters.items()}


def describe(parameters: Mapping[str, Parameter]) -> str:
    """One line for each parameter: name, type, default, help."""
    return "\n".join(f"    {p.name}: {p.annotation} = {p.default!r}  # {p.help}" for p in parameters.values())


def _targets(source: str, name: str) -> list[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise InputError(f"notebook {name}", "a `parameters` cell of valid Python", str(error)) from None
    assigned = [node for node in tree.body if isinstance(node, ast.AnnAssign | ast.Assign)]
    targets = [node.target if isinstance(node, ast.AnnAssign) else node.targets[0] for node in assigned]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _hint(annotation: str) -> Any:
    try:
        return eval(annotation, {"__builtins__": {}}, _NAMES)
    except (NameError, SyntaxError, TypeError):
        raise InputError("annotation", f"a type made of {', '.join(_NAMES)}", repr(annotation)) from None
