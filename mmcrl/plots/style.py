"""Style: one restrained, colour-blind-safe look for every picture, and the frame that each one starts from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from mmcrl.errors import InputError, check_table

__all__ = [
    "INK",
    "LEAST_PEOPLE",
    "NEGATIVE",
    "POSITIVE",
    "SIGNED",
    "SOFT",
    "UNSIGNED",
    "axes_or_new",
    "check_rows",
    "colours_of",
    "standing",
    "styled",
]

INK, SOFT, UNSIGNED = "#1f2933", "#8a949e", "#8a949e"
POSITIVE, NEGATIVE = "#0b6b73", "#c8611c"
SIGNED = LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#f7f7f5", POSITIVE])
LEAST_PEOPLE = 10  # a count below is never drawn

# The muted scheme of Paul Tol, Colour Schemes (2021), https://personal.sron.nl/~pault/, dark and light in turn
_MODALITIES = ["#332288", "#44aa99", "#882255", "#ddcc77", "#117733", "#cc6677", "#88ccee", "#999933", "#aa4499"]
_RC: dict[Any, Any] = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}

_P = ParamSpec("_P")
_R = TypeVar("_R")


def styled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Draw with the project's look and leave matplotlib's settings as they were."""

    @functools.wraps(function)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with rc_context(_RC):
            return function(*args, **kwargs)

    return drawn


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """The given axes, or those of a new figure of this size in inches."""
    return plt.subplots(figsize=(width, height))[1] if ax is None else ax


def standing(value: float) -> str:
    """A latent's value in words.

    >>> standing(-2)
    '−2 SD'
    """
    sign = "" if value == 0 else "−" if value < 0 else "+"
    return f"{sign}{abs(value):g} SD"


def colours_of(modalities: Sequence[str]) -> dict[str, str]:
    """A colour for every modality; after nine they begin again, so names are always written as well."""
    return {name: _MODALITIES[i % len(_MODALITIES)] for i, name in enumerate(modalities)}


def check_rows(argument: str, table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse what is no table with these columns, and one without a row."""
    check_table(argument, table, columns)
    if table.empty:
        raise InputError(argument, "at least one row", "none")
