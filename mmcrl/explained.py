"""Explained: what a fitted model tells of its latents and links: links, loadings, effects, identifiability."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import networkx as nx
import pandas as pd

from mmcrl.adjacency import graph_of, matrix_of
from mmcrl.cohort import Cohort
from mmcrl.decoding import column_loadings, loadings_and_columns
from mmcrl.effects import effect_table
from mmcrl.plan import as_fitted
from mmcrl.representation import Representation
from mmcrl.settings import Settings
from mmcrl.training import deterministic

__all__ = ["UNMEASURED", "Explained"]

UNMEASURED = {"stability": math.nan, "direction_stability": math.nan, "refits": 0}  # until `link_stability` has run


class Explained(ABC):
    """What `MultimodalCRL` tells once it is fitted."""

    settings: Settings
    _links: pd.DataFrame  # with the columns of UNMEASURED once they were measured
    _identified: pd.DataFrame

    def links(self) -> pd.DataFrame:
        """Every pair of latents, strongest first.

        Columns: source, target, strength (0 to 1), confidence (0 to 1), direction (``directed`` or
        ``undirected``) and what it rests_on (``tier``, ``forbidden``, ``required``: known beforehand, see
        `mmcrl.knowledge`; ``collider``, ``propagation``: measured, see `mmcrl.orientation`; ``none``), sign (of the
        partial association), evidence, evidence_se, evidence_low and evidence_high (nats per person, on held-out
        people, with the 95 % interval), least (nats that the confidence asks for: ``smallest_effect``, and more where
        so much may be an error of latents), scope (``cross`` or ``within`` a modality).  A required link has
        confidence 1 and is undirected where both ways are required; a pair that is forbidden both ways has
        confidence 0, and is in no matrix or graph.  ``identified`` is the weaker of what `identifiability` says of
        the two ends; p_value is that of the evidence alone, q_value the least false-discovery rate, among the pairs
        of its scope, at which it would be claimed (`mmcrl.significance`).
        Links with a confidence of one half or more say what they come to among the held-out people: effect_on (the
        column that says most of the target), effect, effect_low and effect_high (standard deviations of it per
        standard deviation of the source; see `effects`).
        The last columns say how often each returns in refits on half of the people: stability, direction_stability
        and refits (NaN, NaN and 0 until `mmcrl.stability.link_stability` has run on this model, then what it
        measured last; `fit` forgets it, `save` keeps it).
        """
        _ = self._fitted
        return self._links.assign(**{name: value for name, value in UNMEASURED.items() if name not in self._links})

    def adjacency(self, confidence: float = 0.5) -> pd.DataFrame:
        """``A[i, j] = 1`` iff latent j may cause latent i: rows targets, columns sources; undirected fills both."""
        return matrix_of(self.links(), self.latent_names, confidence)

    def graph(self, confidence: float = 0.5) -> nx.DiGraph:
        """Links of at least this confidence; an undirected one runs both ways and says so in ``direction``."""
        return graph_of(self.links(), self.latent_names, confidence)

    def loadings(self, cohort: Cohort) -> pd.DataFrame:
        """What each latent means: its correlation with every column of its modality.

        Long table: modality, latent, column, loading (Spearman, -1 to 1), r2 (share of the column that the
        modality's decoder explains in this cohort; give people whom `fit` has not seen for an honest share),
        log_likelihood (``log p(column | latents)``, nats a person: see `mmcrl.decoding.column_loadings`).
        """
        shows = self._fitted
        cohort = as_fitted(shows.views, cohort)
        with deterministic(self.settings.dtype):
            return column_loadings(shows, cohort, shows.people(cohort))

    def effects(self, cohort: Cohort, confidence: float = 0.5) -> pd.DataFrame:
        """What each confident link comes to in the columns of people `fit` has not seen: see `mmcrl.effects`.

        A column of an image or a series is a channel's summary, which its loading is a correlation with.
        """
        shows = self._fitted
        cohort = as_fitted(shows.views, cohort)
        with deterministic(self.settings.dtype):
            people = shows.people(cohort)
            loadings, observed = loadings_and_columns(shows, cohort, people)
            latents = pd.DataFrame(shows.latents(people), index=cohort.ids, columns=shows.columns)
        return effect_table(latents, observed, self.links(), loadings, confidence)

    def identifiability(self) -> pd.DataFrame:
        """Per latent: identified (``component``, ``block`` or ``undecided``), margin, margin_se, reason.

        The margin is what blending the latent with a sibling costs on held-out people (nats per person), NaN for a
        latent without one: see `mmcrl.identifiability`.
        """
        _ = self._fitted
        return self._identified.copy()

    @property
    def latent_names(self) -> list[str]:
        """``modality.number`` of every latent, in the order of `transform`'s columns."""
        return self._fitted.names

    @property
    def private_dimensions(self) -> dict[str, int]:
        """How many dimensions the private variation of every modality has: see `mmcrl.private`.

        They are those of a linear model of the decoder's residuals, chosen on the held-out people;
        ``report["private_tried"]`` lists what every number came to, as pairs of number and held-out loss (nats a
        person).  A model that was saved by a version which chose none has as many as its covariance was given.
        """
        shows = self._fitted
        return {view.name: of.dimensions for view, of in zip(shows.views, shows.private, strict=True)}

    @property
    @abstractmethod
    def _fitted(self) -> Representation:
        """The representation of the fitted model."""
