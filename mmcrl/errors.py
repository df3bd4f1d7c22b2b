"""Errors: what a person did that cannot be worked with, said so that it can be mended."""

import math
import os
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path

import pandas as pd

__all__ = ["InputError", "check_instance", "check_table", "check_whole", "path_of"]


class InputError(ValueError):
    """An argument, file or setting that is refused.

    The message names the argument, what was expected and what came.

    >>> str(InputError("n_latents", "a whole number of at least 1", "0"))
    'n_latents: expected a whole number of at least 1, got 0'
    """

    def __init__(self, argument: str, expected: str, got: str) -> None:
        super().__init__(f"{argument}: expected {expected}, got {got}")
        self.argument, self.expected, self.got = argument, expected, got

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str]]:
        return InputError, (self.argument, self.expected, self.got)


def check_whole(argument: str, value: object, least: int, most: float = math.inf, whose: str = "") -> None:
    """Refuse what is no whole number from ``least`` to ``most``, and say ``whose`` it is; True and False are none.

    Raises
    ------
    InputError : naming the argument.

    >>> check_whole("n", 3, 1)
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= int(value) <= most:
        span = f"of at least {least}" if math.isinf(most) else f"from {least} to {most}"
        raise InputError(argument, f"a whole number {span}{whose}", repr(value))


def check_instance(argument: str, value: object, kind: type) -> None:
    """Refuse what is not of this class.

    Raises
    ------
    InputError : naming the argument, the class and what came.

    >>> check_instance("name", "eye", str)
    """
    if not isinstance(value, kind):
        raise InputError(argument, f"a {kind.__name__}", type(value).__name__)


def check_table(argument: str, table: object, columns: Iterable[str]) -> None:
    """Refuse what is not a DataFrame with these columns.

    Raises
    ------
    InputError : naming the argument and the columns that are not there.

    >>> check_table("links", pd.DataFrame(columns=["source", "target"]), ["source"])
    """
    wanted = list(columns)
    if not isinstance(table, pd.DataFrame):
        raise InputError(argument, f"a DataFrame with the columns {', '.join(wanted)}", type(table).__name__)
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        raise InputError(argument, f"the columns {', '.join(wanted)}", f"none called {', '.join(missing)}")


def path_of(argument: str, value: object) -> Path:
    """A path that was given as a text or a path.

    Raises
    ------
    InputError : for anything else.

    >>> path_of("folder", "models").name
    'models'
    """
    if not isinstance(value, str | os.PathLike):
        raise InputError(argument, "a path", repr(value)[:80])
    return Path(value)
