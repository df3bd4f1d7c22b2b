"""Cards: one panel per link with all that speaks for it and against it, as HTML that needs no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import pandas as pd

from mmcrl.cards import Cards
from mmcrl.doubts import doubts
from mmcrl.ranges import few

__all__ = ["CardView", "card_view"]

_RESTS_ON = {
    "tier": "background knowledge: tiers",
    "forbidden": "background knowledge: the other way is forbidden",
    "required": "background knowledge: the link is required",
    "collider": "inferred: two that become dependent once their common target is known",
    "propagation": "inferred: the other way round would contradict other arrows",
    "none": "nothing decides it",
}
_SIGN = {1: "+", -1: "−", 0: "none"}


class CardView:
    """Cards as a notebook and its page show them: one closed panel per link, its first line always to be seen."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


def card_view(cards: Cards, labels: Mapping[str, str] | None = None, opened: int = 1) -> CardView:
    """The cards of all links, strongest first; the first ``opened`` are open.

    ``labels`` gives latents the names that a reader knows.
    """
    labels = labels or {}
    panels = [_panel(cards, link, labels, k < opened) for k, link in enumerate(cards.links.to_dict("records"))]
    return CardView(f'<div class="link-cards">{"".join(panels) or "<p>No link.</p>"}</div>')


def _panel(cards: Cards, link: Mapping[Any, Any], labels: Mapping[str, str], opened: bool) -> str:
    source, target = (_name(link[end], labels) for end in ("source", "target"))
    arrow = "→" if link["direction"] == "directed" else "—"
    sign = _SIGN[int(link["sign"])] if link["sign"] else ""
    summary = (
        f"<strong>{escape(source)} {arrow} {escape(target)}</strong>"
        f" {sign}{link['strength']:.2f}, confidence {link['confidence']:.2f}"
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(title)}</th><td>{text}</td></tr>' for title, text in _rows(cards, link, labels)
    )
    return (
        f'<details class="link-card"{" open" if opened else ""}><summary>{summary}</summary>'
        f'<table class="dataframe"><tbody>{rows}</tbody></table></details>'
    )


def _rows(cards: Cards, link: Mapping[Any, Any], labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    source, target = str(link["source"]), str(link["target"])
    yield "latents", escape(f"{source}, {target}; told apart: {link['identified']}")
    yield "evidence", f"{link['evidence']:.3f} nats per person ({link['low']:.3f} to {link['high']:.3f})"
    yield "confidence", escape(f"{link['confidence']:.2f}; q-value {_q_value(link['q_value'])}")
    direction = "directed" if link["direction"] == "directed" else "no direction"
    yield "direction", f"{direction}: {_RESTS_ON[link['rests_on']]}"
    yield "held fixed", escape("; ".join(_name(name, labels) for name in link["given"]) or "nothing")
    yield "effect", _effects(cards.of("effects", source, target), labels)
    yield "returns", escape(_returns(link))
    yield "other settings", "<br>".join(map(escape, _varied(cards.of("variations", source, target))))
    yield "controls", escape(_controls(cards))
    yield "hidden cause", _hidden(link, labels)
    yield "smallest effect", f"claimed up to {link['limit']:.3f} nats; {link['least']:.3f} asked for"
    yield "covariates", escape(_covariates(cards, link))
    if "weighted" in link:
        sign = _SIGN[int(link["sign_weighted"])]
        yield (
            "survey weights",
            f"{link['weighted']:.3f} ± {link['weighted_se']:.3f} nats, sign {sign}, in the population",
        )
    yield "groups", _groups(cards.of("strata", source, target), cards.minimum)
    edges = cards.of("edges", source, target)
    if len(edges):
        row = edges.iloc[0]
        words = [f"{title}: {_renamed(row[title], (source, target), labels)}" for title in edges.columns[3:]]
        yield "other graphs", "<br>".join(map(escape, words))
    yield "literature", _known(cards.of("known", source, target))
    yield "overturned by", "<br>".join(map(escape, doubts(cards, source, target, labels)))


def _q_value(q: float) -> str:
    return "<0.001" if q < 0.001 else f"{q:.3f}"


def _name(latent: str, labels: Mapping[str, str]) -> str:
    return f"{labels[latent]} [{latent}]" if latent in labels else latent


def _renamed(text: str, ends: tuple[str, str], labels: Mapping[str, str]) -> str:
    for latent in sorted(ends, key=len, reverse=True):
        text = text.replace(latent, labels.get(latent, latent))
    return text


def _effects(effects: pd.DataFrame, labels: Mapping[str, str]) -> str:
    lines = [
        f"people 1 SD higher in {labels.get(row['source'], row['source'])}: {row['column']} "
        + (
            "not told, too few people"
            if pd.isna(row["low"])
            else f"{_signed(row['effect'])} SD ({_signed(row['low'])} to {_signed(row['high'])})"
        )
        for row in effects.to_dict("records")
    ]
    return "<br>".join(map(escape, lines)) or "none"


def _signed(number: float) -> str:
    return f"{number:+.2f}".replace("-", "−")


def _returns(link: Mapping[Any, Any]) -> str:
    told = ["refits: none in this run"]
    if not pd.isna(link["stability"]):
        told = [f"in {link['stability']:.0%} of {link['refits']:.0f} refits on half of the people"]
    starts = int(link["starts"])
    told.append(f"in {link['in_starts']:.0%} of {starts} other starts" if starts else "other starts: none")
    return "; ".join(told)


def _varied(variations: pd.DataFrame) -> list[str]:
    told = []
    for row in variations.to_dict("records"):
        found = f"{row['evidence']:.3f} ± {row['evidence_se']:.3f} nats".replace("-", "−")
        if pd.isna(row["returns"]):
            found = "not to be told, one of its latents is not back"
        else:
            found = f"{'returns' if row['returns'] else 'does not return'}, {found}"
        told.append(f"with {row['variation']}: {found}")
    return told or ["refits with other settings: none in this run"]


def _controls(cards: Cards) -> str:
    told = [
        f"{row['title']}: {row['claimed']} of {row['pairs']} pairs claimed, strongest {row['strongest']:.4f} nats"
        for row in cards.controls.rename_axis("title").reset_index().to_dict("records")
    ]
    return "; ".join(told) or "none in this run"


def _hidden(link: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    told = f"partial correlation {link['cause']:.2f} with both ends; {link['cause_low']:.2f} for the interval's edge"
    if link["strongest"] is None or pd.isna(link["strongest_cause"]):
        return told
    return escape(f"{told}; measured, at most {link['strongest_cause']:.2f} ({_name(link['strongest'], labels)})")


def _covariates(cards: Cards, link: Mapping[Any, Any]) -> str:
    if pd.isna(link["unadjusted"]):
        return "none beside the ends, or too few people have them"
    held = cards.covariates_of(link["source"], link["target"])
    if pd.isna(link["adjusted"]):
        return f"too few people have {held}; {link['unadjusted']:.3f} nats with none fixed"
    return f"{link['adjusted']:.3f} nats with {held} fixed, {link['unadjusted']:.3f} with none"


def _groups(strata: pd.DataFrame, minimum: int) -> str:
    lines = []
    for row in strata.to_dict("records"):
        people = "few people" if pd.isna(row["people"]) else f"{few(int(row['people']), minimum)} people"
        found = (
            "too few to tell"
            if pd.isna(row["evidence"])
            else (
                f"{row['evidence']:.3f} ± {row['evidence_se']:.3f} nats, sign {_SIGN[int(row['sign'])]}".replace(
                    "-", "−"
                )
            )
        )
        lines.append(f"{row['by']} {row['stratum']} ({people}): {found}")
    return "<br>".join(map(escape, lines)) or "its ends are all there is to divide people by"


def _known(known: pd.DataFrame) -> str:
    lines = []
    for row in known.to_dict("records"):
        expected = {1: "+", -1: "−", 0: "next to nothing"}[int(row["expected_sign"])]
        lines.append(f"{row['known_source']} – {row['known_target']}, expected {expected}: {row['rests_on']}")
    return "<br>".join(map(escape, lines)) or "no link that the manifest lists"
