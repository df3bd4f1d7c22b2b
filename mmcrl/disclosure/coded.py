"""Coded: participants whom the code of a cell names, one or two of them.

Code holds sizes, seeds and steps, and some of these equal somebody's id.  A number names a person where ids stand: in
the brackets of ``.loc``, as what is dropped or kept, held against an index, between quotes, behind a word for a
person.  One of six digits or more does so also as an index, in a list, as a key, in a comment or a text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mmcrl.disclosure.mentions import is_counted, is_round, mentions
from mmcrl.disclosure.persons import Persons
from mmcrl.disclosure.short import BESIDE

__all__ = ["in_code"]

_LONG = 6  # digits of an id that few other numbers of a page have
_LOCATED = {"loc", "at"}
_PLACED = {"iloc", "iat"}  # by position
_CHOSEN = {"difference", "discard", "drop", "eq", "get", "get_group", "get_loc", "isin", "ne", "pop", "reindex"}
_CHOSEN |= {"remove", "xs"}
_WHO = re.compile(r"index|(?:^|[^A-Za-z])(?:e|i|p)?ids?(?![A-Za-z])|person|participant|patient|subject|\bwho\b", re.I)
_SIZE = re.compile(r"len|size|shape|sum|count|number|total|rows|steps?|epoch|seed|(?:^|[^A-Za-z])n(?![A-Za-z])", re.I)
_BEHIND = re.compile(rf"{BESIDE}$", re.I)
_MAGIC = re.compile(r"^[ \t]*(?:%%?|!)\w*[ \t]*", re.M)


def in_code(source: str, persons: Persons) -> set[str]:
    """The ids in the code of a cell, as far as they are known wherever they stand (`Persons.telling`).

    >>> persons = Persons("biobank", [1004736, 1004911], {})
    >>> in_code("model.drop(1004736)", persons), in_code("rng = default_rng(1004736)", persons)
    ({'1004736'}, set())
    """
    found = set(_in_words(source, persons, code=True))
    for line in source.splitlines():
        found |= set(_in_words(line.partition("#")[2], persons))
    for tree in _trees(_MAGIC.sub("", source)):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value.strip()} & persons.telling
                found |= set(_in_words(node.value, persons))
            for digits, least in _where_ids_stand(node):
                if digits in persons.telling and len(digits) >= least and not _is_size(digits):
                    found.add(digits)
    return {person for person in found if not is_round(person)}


def _trees(source: str) -> Iterator[ast.AST]:
    """The code as a tree; of what is no Python, those of its lines that are."""
    try:
        yield ast.parse(source)
    except (SyntaxError, ValueError):
        lines = source.splitlines()
        yield from (tree for line in lines if len(lines) > 1 for tree in _trees(line.strip()))


def _in_words(text: str, persons: Persons, code: bool = False) -> Iterator[str]:
    """The ids in a comment or text; in code those behind a word for a person alone."""
    for mention in mentions(text, persons):
        before, after = mention.around(text)
        quoted = before[-1:] in ("'", '"') and after[:1] == before[-1:]
        named = not code and (mention.joined or quoted or len(mention.person) >= _LONG)
        if (named or _BEHIND.search(before)) and not is_counted(before, after):
            yield mention.person


def _where_ids_stand(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The numbers at places for ids, and how many digits make one there a person's."""
    if isinstance(node, ast.Subscript):
        by = node.value.attr if isinstance(node.value, ast.Attribute) else ""
        if by in _LOCATED:
            ends = [node.slice.lower, node.slice.upper] if isinstance(node.slice, ast.Slice) else [node.slice]
            yield from ((digits, 5) for end in ends if end for digits in _numbers(end))
        elif by not in _PLACED:
            yield from ((digits, _LONG) for digits in _numbers(node.slice))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHOSEN:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        yield from ((digits, 5) for value in given for digits in _numbers(value))
    elif isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        told = " ".join(ast.unparse(side) for side in sides)
        if not _SIZE.search(told):
            least = 5 if _WHO.search(told) else _LONG
            yield from ((digits, least) for side in sides for digits in _numbers(side))
    elif isinstance(node, ast.List | ast.Set):
        yield from ((digits, _LONG) for digits in _numbers(node))
    elif isinstance(node, ast.Dict):
        yield from ((digits, _LONG) for key in node.keys if key for digits in _numbers(key))


def _numbers(node: ast.AST) -> Iterator[str]:
    """The whole numbers that this is or lists."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value == node.value // 1:
        yield str(int(node.value))
    elif isinstance(node, ast.List | ast.Set | ast.Tuple):
        for part in node.elts:
            yield from _numbers(part)
    elif isinstance(node, ast.UnaryOp):
        yield from _numbers(node.operand)


def _is_size(digits: str) -> bool:
    """Whether a number is a power of two, as sizes are."""
    return digits.isdigit() and int(digits) & (int(digits) - 1) == 0
