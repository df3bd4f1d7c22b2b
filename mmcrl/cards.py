"""Cards: for every link all that speaks for it and against it, as tables that belong together.

Nothing is fitted here.  Evidence, confidence and q-value are those of `MultimodalCRL.links`, effects those of
`mmcrl.effects`; what a link would have to survive is measured in people whom the fit has not seen
(`mmcrl.sensitivity`); PC and FCI are given the latents of the same people (`mmcrl.baselines`); what is known
beforehand comes from the cohort's manifest (`mmcrl.known`).  Refits and controls, which need fits, are handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from mmcrl.adjacency import confident_links
from mmcrl.cohort import Cohort
from mmcrl.errors import InputError, check_table
from mmcrl.evidence import WIDTH
from mmcrl.explained import UNMEASURED
from mmcrl.knowledge import modality_of
from mmcrl.known import compare
from mmcrl.model import MultimodalCRL
from mmcrl.sensitivity import (
    VARIATION_COLUMNS,
    Measured,
    claim_limit,
    covariate_table,
    hidden_table,
    observed_strata,
    start_table,
    stratum_table,
    weight_table,
)

__all__ = ["Cards", "link_cards"]

_ENDS = ["source", "target"]


@dataclass(frozen=True)
class Cards:
    """What is told of each link: all tables but controls have the columns source and target, which join them.

    Attributes
    ----------
    links : one row per link: those of `MultimodalCRL.links`, with low and high (evidence's 95 % interval), limit
        (`mmcrl.sensitivity.claim_limit`), and the columns of `hidden_table`, `covariate_table`, `start_table` and of
        `weight_table` where the cohort has weights.
    effects : of `MultimodalCRL.effects`, an undirected link both ways.
    strata : of `mmcrl.sensitivity.stratum_table`.
    edges : of `mmcrl.baselines.edge_table`; empty where it was not given.
    known : of `mmcrl.known.compare`, its columns (``modality.column``) called known_source and known_target here.
    variations : of `mmcrl.sensitivity.variation_table`; empty where it was not given.
    controls : one row per control: pairs, claimed (how many of them), strongest (evidence, nats).
    covariates : names of what was held fixed, and left free.
    minimum : the cohort's, of people in a group that is told.
    """

    links: pd.DataFrame
    effects: pd.DataFrame
    strata: pd.DataFrame
    edges: pd.DataFrame
    known: pd.DataFrame
    variations: pd.DataFrame
    controls: pd.DataFrame
    covariates: tuple[str, ...]
    minimum: int

    def of(self, table: str, source: str, target: str) -> pd.DataFrame:
        """The rows of one of the tables (effects, strata, edges, known, variations) about this link."""
        rows: pd.DataFrame = getattr(self, table)
        return rows[[{a, b} == {source, target} for a, b in zip(rows["source"], rows["target"], strict=True)]]

    def covariates_of(self, source: str, target: str) -> str:
        """The covariates of this link in words; a modality that one of its ends belongs to without that end."""
        own = {modality_of(source), modality_of(target)}
        beside = [name for name in self.covariates if name not in (source, target)]
        return ", ".join(f"the rest of {name}" if name in own else name for name in beside)


def link_cards(
    model: MultimodalCRL,
    cohort: Cohort,
    *,
    confidence: float = 0.5,
    scope: str = "cross",
    covariates: Collection[str] | None = None,
    strata: Mapping[str, pd.Series] | None = None,
    stability: pd.DataFrame | None = None,
    controls: Mapping[str, pd.DataFrame] | None = None,
    edges: pd.DataFrame | None = None,
    variations: pd.DataFrame | None = None,
) -> Cards:
    """Cards of the links of this scope and at least this confidence, strongest first.

    A model of several ``folds`` takes its evidence from everybody; what is measured anew here (held fixed,
    covariates, groups, other starts, the yardstick of a hidden cause) rests on the people of this cohort alone.

    Parameters
    ----------
    cohort : people whom `fit` has not seen, ``cohort.split(model.settings.held_out, model.seed)[1]`` of its cohort.
    covariates : names of latents or modalities; left out, the modalities of kind ``observed``, of the first tier
        where the cohort has tiers: what is measured may be an outcome, which must not be held fixed.
    strata : groups of people; left out, as `mmcrl.sensitivity.observed_strata` makes them of observed columns.
    stability : of `mmcrl.stability.link_stability`; left out, what the model's links tell of it.
    edges : of `mmcrl.baselines.edge_table`.
    variations : of `mmcrl.sensitivity.variation_table`.
    controls : title to the pairs of `MultimodalCRL.links` of a fit in which none of them is real.

    Raises
    ------
    InputError : for a scope that is neither cross nor within, a confidence outside [0, 1], tables that lack their
        columns, and as the functions that are called.
    """
    if scope not in ("cross", "within"):
        raise InputError("scope", "cross or within", repr(scope))
    for title, pairs in (controls or {}).items():
        check_table(f"controls {title}", pairs, ["confidence", "evidence"])
    for name, table, columns in (
        ("stability", stability, [*_ENDS, *UNMEASURED]),
        ("edges", edges, [*_ENDS, "links"]),
        ("variations", variations, VARIATION_COLUMNS),
    ):
        if table is not None:
            check_table(name, table, columns)
    every = model.links()
    if stability is not None:
        every = every.drop(columns=list(UNMEASURED)).merge(stability, on=_ENDS, how="left")
    links = confident_links(every, confidence)
    links = links[links["scope"] == scope].reset_index(drop=True)
    measured = Measured.of(model.transform(cohort), model.knowledge)
    if covariates is None:
        first = cohort.tiers[0] if cohort.tiers else cohort.names
        covariates = [name for name in first if cohort[name].kind == "observed"]
    strata = observed_strata(cohort) if strata is None else strata
    told = links.assign(
        low=links["evidence"] - WIDTH * links["evidence_se"],
        high=links["evidence"] + WIDTH * links["evidence_se"],
        limit=[claim_limit(*pair, confidence) for pair in zip(links["evidence"], links["evidence_se"], strict=True)],
    )
    tables = [
        hidden_table(links, measured),
        covariate_table(links, measured, covariates),
        start_table(links, model, cohort, confidence),
    ]
    if cohort.weights is not None:
        tables.append(weight_table(links, measured, cohort.weights))
    for table in tables:
        told = told.merge(table, on=_ENDS, how="left")
    effects = model.effects(cohort, confidence)
    known = compare(every, model.loadings(cohort), cohort.known, confidence, effects=effects)
    known = known.rename(columns={"source": "known_source", "target": "known_target"}).rename(
        columns={"latent_source": "source", "latent_target": "target"}
    )
    return Cards(
        told,
        effects,
        stratum_table(links, measured, strata, cohort.ids, minimum=cohort.minimum),
        pd.DataFrame(columns=_ENDS) if edges is None else edges,
        known,
        pd.DataFrame(columns=_ENDS) if variations is None else variations,
        _controls(controls or {}, confidence),
        tuple(covariates),
        cohort.minimum,
    )


def _controls(controls: Mapping[str, pd.DataFrame], confidence: float) -> pd.DataFrame:
    rows = {
        title: (len(pairs), int((pairs["confidence"] >= confidence).sum()), pairs["evidence"].max())
        for title, pairs in controls.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["pairs", "claimed", "strongest"])
