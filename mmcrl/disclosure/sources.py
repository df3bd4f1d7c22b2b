"""Sources: what is written into a cell of code, as tables: its lists, records, arguments, texts and comments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.lines import from_lines
from mmcrl.disclosure.printed import from_text

__all__ = ["from_source"]

_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.M)  # IPython's own commands, and those of a shell


def from_source(source: str) -> Iterator[Grid]:
    """The rows of three numbers or more that a cell of code holds; of what is no Python, those of its lines.

    >>> [(grid.header, grid.rows) for grid in from_source("%%time\\nx = dict(a=1.5, b=-2, c=3)")]
    [(['a', 'b', 'c'], [['1.5', '-2', '3']])]
    """
    try:
        tree = ast.parse(_MAGIC.sub("", source))
    except (SyntaxError, ValueError):
        yield from from_lines(source)
        return
    yield from from_lines("\n".join(line.partition("#")[2] or "-" for line in source.splitlines()))
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield from _row([], node.elts)
        elif isinstance(node, ast.Dict):
            yield from _row([ast.unparse(key).strip("'") if key else "" for key in node.keys], node.values)
        elif isinstance(node, ast.Call):
            yield from _row([part.arg or "" for part in node.keywords], [part.value for part in node.keywords])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from from_text(node.value)[0]
            yield from from_lines(node.value)


def _row(header: list[str], values: Sequence[ast.expr]) -> Iterator[Grid]:
    if len(values) > 2:
        yield Grid(header, [""], [[ast.unparse(_inside(value)) for value in values]])


def _inside(value: ast.expr) -> ast.expr:
    """What a call of one argument is given: a number of NumPy's, as its repr writes it."""
    return value.args[0] if isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords else value
