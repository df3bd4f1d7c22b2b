"""Link graph: the latents of every modality, and the links between them that are sure enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import withStroke

from mmcrl.adjacency import confident_links
from mmcrl.errors import InputError, check_table
from mmcrl.knowledge import modality_of
from mmcrl.plots.layout import Place, circle, layers
from mmcrl.plots.style import (
    INK,
    NEGATIVE,
    POSITIVE,
    SOFT,
    UNSIGNED,
    axes_or_new,
    colours_of,
    styled,
)

__all__ = ["link_graph", "true_graph"]

_COLUMNS = ["source", "target", "strength", "confidence", "direction", "rests_on", "sign", "scope"]
_SIGNS = {1: ("positive", POSITIVE), -1: ("negative", NEGATIVE), 0: ("no sign", UNSIGNED)}
_MOST_IN_A_LAYER = 4  # modalities; with more in one tier the ring is easier to read
_NODE = 9.0  # points across


@styled
def link_graph(
    links: pd.DataFrame,
    confidence: float = 0.5,
    modalities: Sequence[str] | None = None,
    tiers: Sequence[Sequence[str]] | None = None,
    scope: Literal["cross", "within", "all"] = "cross",
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Latents grouped by modality, with an arrow for a directed link and a plain line for an undirected one.

    Width follows strength, colour the sign.

    Parameters
    ----------
    links : as `MultimodalCRL.links` gives them; every latent that it names is drawn, linked or not.
    confidence : links below it are left out.
    modalities : which ones, and in what order; left out, those of the tiers, then of the links.
    tiers : earlier tiers stand further left, while no tier holds more than four modalities; else on the ring.
    scope : links across modalities, within one, or both.
    labels : short meaning of latents, such as ``{"body.0": "fatness"}``; others show their name, and siblings of one
        meaning their number beside it.

    Raises
    ------
    InputError : for a table without the columns of links, a confidence outside [0, 1], an unknown scope or modality.

    >>> columns = ["source", "target", "strength", "confidence", "direction", "rests_on", "sign", "scope"]
    >>> links = pd.DataFrame([("age.0", "blood.1", 0.6, 0.9, "directed", "tier", 1, "cross")], columns=columns)
    >>> len(link_graph(links).patches)
    1
    """
    check_table("links", links, _COLUMNS)
    shown = confident_links(links, confidence)
    if scope not in ("cross", "within", "all"):
        raise InputError("scope", "cross, within or all", repr(scope))
    groups = _groups(links, modalities, tiers)
    latents, headings = _places(groups, tiers)
    rows = len({round(p.y, 6) for p in [*latents.values(), *headings.values()]})
    ax = axes_or_new(ax, 8.5, float(np.clip(0.19 * rows + 1.2, 2.2, 9.5)))
    shown = shown[shown["source"].isin(latents) & shown["target"].isin(latents)]
    if scope != "all":
        shown = shown[shown["scope"] == scope]
    for link in shown[::-1].itertuples():  # the strongest last, on top
        ax.add_patch(_line(link, latents))
    _draw_latents(ax, groups, latents, labels or {})
    for name, place in headings.items():
        _write(ax, place, name, fontweight="bold", fontsize=9.5)
    ax.set(xlim=(-1.75, 1.75), ylim=(-1.06, 1.06))
    ax.set_axis_off()
    handles = list(_legend(shown))
    if handles:
        ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(handles), fontsize=8.5)
    return ax


def true_graph(adjacency: pd.DataFrame, tiers: Sequence[Sequence[str]] | None = None, ax: Axes | None = None) -> Axes:
    """The graph of a world that is known: an arrow from every latent to what it causes, also within a modality.

    Parameters
    ----------
    adjacency : (latents, latents), rows effects, columns causes, as `mmcrl.simulate.World.adjacency`.
    tiers : as in `link_graph`.

    >>> names = ["a.0", "b.0"]
    >>> len(true_graph(pd.DataFrame([[0, 0], [1, 0]], index=names, columns=names)).patches)
    1
    """
    named = adjacency.rename_axis(index="target", columns="source")
    pairs = named.reset_index().melt("target", value_name="confidence")
    every = pairs.assign(strength=0.5, sign=0, direction="directed", rests_on="truth", scope="cross")
    ax = link_graph(every, confidence=1.0, tiers=tiers, ax=ax)
    if (legend := ax.get_legend()) is not None:
        legend.remove()  # strength and sign are not told
    return ax


def _groups(
    links: pd.DataFrame, modalities: Sequence[str] | None, tiers: Sequence[Sequence[str]] | None
) -> dict[str, list[str]]:
    """Modality to its latents, in the order they are drawn."""
    latents = sorted({*links["source"], *links["target"]}, key=lambda name: (len(name), name))
    met = dict.fromkeys(modality_of(name) for name in [*links["source"], *links["target"]])
    tiered = [name for tier in tiers or [] for name in tier if name in met]
    order = list(dict.fromkeys([*tiered, *met])) if modalities is None else list(modalities)
    unknown = [name for name in order if name not in met]
    if unknown:
        raise InputError("modalities", f"names among {', '.join(met)}", repr(unknown[0]))
    return {name: [latent for latent in latents if modality_of(latent) == name] for name in order}


def _places(
    groups: Mapping[str, Sequence[str]], tiers: Sequence[Sequence[str]] | None
) -> tuple[dict[str, Place], dict[str, Place]]:
    columns = [kept for tier in tiers or [] if (kept := [name for name in tier if name in groups])]
    free = [name for name in groups if not any(name in tier for tier in columns)]
    if len(columns) < 2 or free or max(map(len, columns)) > _MOST_IN_A_LAYER:
        return circle(groups)
    return layers(groups, columns)


def _line(link: tuple, latents: Mapping[str, Place]) -> FancyArrowPatch:
    a, b = latents[link.source], latents[link.target]  # type: ignore[attr-defined]
    strength, directed = float(link.strength), link.direction == "directed"  # type: ignore[attr-defined]
    line = FancyArrowPatch(
        (a.x, a.y),
        (b.x, b.y),
        arrowstyle="-|>" if directed else "-",
        mutation_scale=9 + 6 * strength,
        shrinkA=_NODE / 2,
        shrinkB=_NODE / 2 + 1,
        connectionstyle=f"arc3,rad={_bend(a, b):.3f}",
        linewidth=0.8 + 4 * strength,
        color=_SIGNS[int(link.sign)][1],  # type: ignore[attr-defined]
        alpha=0.8,
        capstyle="butt",
        joinstyle="miter",
        zorder=1 + strength,
    )
    line.set_gid(f"{link.source} {'->' if directed else '--'} {link.target}")  # type: ignore[attr-defined]
    return line


def _bend(a: Place, b: Place) -> float:
    """Curvature that draws a link towards the middle of the picture; within a column, away from its text."""
    dx, dy = b.x - a.x, b.y - a.y
    length = max(float(np.hypot(dx, dy)), 1e-9)
    inward = np.array([-(a.x + b.x) / 2, -(a.y + b.y) / 2])
    if abs(dx) < 1e-6:
        inward = np.array([-a.side * 0.7 * length, 0.0])
    across = float(inward @ np.array([dy, -dx])) / length
    return float(np.clip(0.6 * across / length, -0.6, 0.6))


def _draw_latents(
    ax: Axes, groups: Mapping[str, Sequence[str]], latents: Mapping[str, Place], labels: Mapping[str, str]
) -> None:
    colours = colours_of(list(groups))
    for name, members in groups.items():
        x, y = [latents[k].x for k in members], [latents[k].y for k in members]
        ax.plot(x, y, "-", color=colours[name], linewidth=3, alpha=0.35, solid_capstyle="round", zorder=3)
        ax.plot(x, y, "o", color=colours[name], markersize=_NODE, markeredgecolor="white", zorder=4, gid=name)
        told = [labels.get(latent, latent) for latent in members]
        for latent, text in zip(members, told, strict=True):
            number = f" ({latent.rsplit('.', 1)[1]})" if told.count(text) > 1 else ""
            _write(ax, latents[latent], text + number, fontsize=9)


def _write(ax: Axes, place: Place, text: str, **style: object) -> None:
    written = ax.annotate(
        text,
        (place.x, place.y),
        (place.side * 9, 0),
        textcoords="offset points",
        ha="left" if place.side > 0 else "right",
        va="center",
        zorder=5,
        **style,  # type: ignore[arg-type]
    )
    written.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def _legend(shown: pd.DataFrame) -> Iterator[Artist]:
    for sign, (name, colour) in _SIGNS.items():
        if (shown["sign"] == sign).any():
            yield Line2D([], [], color=colour, linewidth=3, label=name)
    if (shown["direction"] == "directed").any():
        yield Line2D([], [], color=INK, linewidth=1.2, marker=">", markevery=[1], label="directed")
    if (shown["direction"] == "undirected").any():
        yield Line2D([], [], color=INK, linewidth=1.2, label="undirected")
    if len(shown):
        weak, strong = shown["strength"].min(), shown["strength"].max()
        for strength in dict.fromkeys([round(float(weak), 2), round(float(strong), 2)]):
            yield Line2D([], [], color=SOFT, linewidth=0.8 + 4 * strength, label=f"strength {strength:.2f}")
