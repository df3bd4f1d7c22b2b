"""The link graph: which links and latents are drawn, how, and where."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch
from small_links import LINKS, closed, legend, texts  # noqa: F401

from mmcrl import plots
from mmcrl.plots.layout import circle, layers
from mmcrl.plots.style import NEGATIVE, POSITIVE


def lines(ax: Axes) -> list[FancyArrowPatch]:
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def line(ax: Axes, gid: str) -> FancyArrowPatch:
    return next(patch for patch in lines(ax) if patch.get_gid() == gid)


def has_head(drawn: FancyArrowPatch) -> bool:
    """Whether the drawn shape has a filled part, which only a head is."""
    drawn.axes.figure.canvas.draw()  # type: ignore[union-attr]
    return any(drawn._get_path_in_displaycoord()[1])  # type: ignore[attr-defined]


@pytest.mark.parametrize("scope", ["cross", "within", "all"])
@pytest.mark.parametrize("confidence", [0.0, 0.5, 0.8, 1.0])
def test_drawn_lines_are_the_links_that_pass(scope: str, confidence: float) -> None:
    passing = LINKS[(LINKS["confidence"] >= confidence) & ((LINKS["scope"] == scope) | (scope == "all"))]
    ax = plots.link_graph(LINKS, confidence=confidence, scope=scope)  # type: ignore[arg-type]
    assert len(lines(ax)) == len(passing)


def test_directed_links_have_a_head_and_undirected_ones_none() -> None:
    ax = plots.link_graph(LINKS, scope="all")
    assert has_head(line(ax, "age.0 -> blood.0"))
    assert has_head(line(ax, "age.0 -> body.1"))
    assert not has_head(line(ax, "body.0 -- blood.1"))
    assert not has_head(line(ax, "body.0 -- body.1"))


def test_an_arrow_points_from_source_to_target() -> None:
    ax = plots.link_graph(LINKS)
    start, end = line(ax, "age.0 -> blood.0")._posA_posB  # type: ignore[attr-defined]
    named = {text.get_text(): text.xy for text in ax.texts}  # type: ignore[attr-defined]
    assert tuple(start) == named["age.0"]
    assert tuple(end) == named["blood.0"]


def test_width_follows_strength_and_colour_the_sign() -> None:
    ax = plots.link_graph(LINKS)
    strong, weak = line(ax, "age.0 -> blood.0"), line(ax, "body.0 -- blood.1")
    assert strong.get_linewidth() > weak.get_linewidth()
    assert to_hex(strong.get_edgecolor()) == POSITIVE
    assert to_hex(weak.get_edgecolor()) == NEGATIVE
    assert {"positive", "negative", "no sign", "directed", "undirected"} <= set(legend(ax))


def test_every_latent_and_modality_is_named_and_labels_replace_names() -> None:
    ax = plots.link_graph(LINKS, confidence=1.0, labels={"body.0": "fatness"})
    assert sorted(texts(ax)) == sorted(["age", "blood", "body", "age.0", "blood.0", "blood.1", "fatness", "body.1"])
    assert legend(ax) == []


def test_siblings_of_one_meaning_are_told_by_their_number() -> None:
    labels = {"body.0": "outline", "body.1": "outline", "blood.0": "outline"}
    ax = plots.link_graph(LINKS, confidence=1.0, labels=labels)
    assert {"outline (0)", "outline (1)", "outline"} <= set(texts(ax))


def test_modalities_choose_and_order() -> None:
    ax = plots.link_graph(LINKS, modalities=["blood", "age"])
    assert [name for name in texts(ax) if "." not in name] == ["blood", "age"]
    assert [patch.get_gid() for patch in lines(ax)] == ["age.0 -> blood.0"]


def test_earlier_tiers_stand_further_left() -> None:
    ax = plots.link_graph(LINKS, tiers=[["age"], ["body"], ["blood"]])
    x = {text.get_text(): text.xy[0] for text in ax.texts}  # type: ignore[attr-defined]
    assert x["age.0"] < x["body.0"] == x["body.1"] < x["blood.0"]


@pytest.mark.parametrize("arrange", ["circle", "layers"])
def test_no_two_names_on_one_side_share_a_row(arrange: str) -> None:
    groups = {f"m{m}": [f"m{m}.{i}" for i in range(3)] for m in range(11)}
    names = list(groups)
    latents, headings = circle(groups) if arrange == "circle" else layers(groups, [names[:3], names[3:7], names[7:]])
    places = [*latents.values(), *headings.values()]
    assert len(places) == 44
    columns = {side: [p for p in places if p.side == side] for side in (-1, 1)}
    if arrange == "layers":
        columns = {x: [p for p in places if p.x == x] for x in {p.x for p in places}}  # type: ignore[misc]
    for column in columns.values():
        assert np.diff(sorted(p.y for p in column)).min() > 0.03


def test_sixty_six_links_of_eleven_modalities_are_drawn() -> None:
    rng = np.random.default_rng(0)
    names = [f"modality_{m}.{i}" for m in range(11) for i in range(3)]
    ends = [(names[i], names[j]) for i in range(33) for j in range(i + 1, 33) if i // 3 != j // 3][::8]
    table = pd.DataFrame(ends, columns=["source", "target"]).assign(
        strength=rng.random(len(ends)), confidence=0.9, direction="undirected", rests_on="none", sign=1, scope="cross"
    )
    ax = plots.link_graph(table)
    assert len(lines(ax)) == len(ends)
    assert {text for text in texts(ax) if "." in text} == {name for pair in ends for name in pair}


def test_given_axes_are_used() -> None:
    _, ax = plt.subplots()
    assert plots.link_graph(LINKS, ax=ax) is ax
    assert plots.evidence_plot(LINKS, ax=plt.subplots()[1]) is plt.gca()
    assert len(plt.get_fignums()) == 2
