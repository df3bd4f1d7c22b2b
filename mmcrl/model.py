"""Model: latent variables behind several modalities, and the links between them.

`MultimodalCRL` trains the encoders by structured contrast from several starts, keeps the start with the lowest
held-out loss, weighs every pair of latents by its evidence on people whom no encoder has seen, and
fits the structural model of the links that are confident.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import pandas as pd
import torch

from mmcrl.cohort import Cohort
from mmcrl.dimensions import Dimensions, choose_latents
from mmcrl.errors import InputError, check_whole
from mmcrl.explained import Explained
from mmcrl.findings import find
from mmcrl.gaps import warn_of_gaps
from mmcrl.generative import Generative
from mmcrl.imputation import Imputation
from mmcrl.knowledge import Knowledge
from mmcrl.plan import as_fitted, check_one_view, check_split, names_of, plan_blocks, with_shared
from mmcrl.representation import Representation
from mmcrl.saving import described, restored
from mmcrl.settings import Settings, check_device
from mmcrl.sharing import best_of, train_views
from mmcrl.storage import read_folder, write_folder
from mmcrl.training import deterministic, history_of, train_starts

__all__ = ["MultimodalCRL"]


class MultimodalCRL(Explained, Generative):
    """Latent causal variables of several modalities and their sparse links.

    Each modality shows ``x^(m) = g_m(z^(m), eta^(m))``: latents z that touch other modalities, and private
    variation eta that does not.  `fit` finds z^(m), up to order, sign and an invertible function of each, where
    the sparsity of the links between modalities allows it.

    Parameters
    ----------
    n_latents : latents per modality: a number, or one per modality's name; left out, what the cohort's manifest
        suggests, else 2; ``auto``: as many as the other modalities know of, by held-out loss (`mmcrl.dimensions`).
        Modalities of kind ``observed`` always have one latent per column.
    n_shared : latents that several modalities show, beside ``n_latents`` of each modality's own (``auto`` counts them
        in): a modality of their own, named ``shared``, which stands first (see `mmcrl.sharing`).
    seed : the same seed, data and machine give the same result bit for bit.
    device : where torch trains, such as ``cpu`` or ``cuda``.
    forbidden, required, acyclic : what is known of the links, beside the cohort's tiers: see
        `mmcrl.knowledge.Knowledge`.
    **settings : see `mmcrl.settings.Settings`.

    Raises
    ------
    InputError : for an argument out of range or an unknown setting.

    Source: Sun et al., Causal Representation Learning from Multimodal Biomedical Observations (2025),
    arXiv:2411.06518.

    >>> from mmcrl import simulate
    >>> world = simulate.numeric(n=400, seed=0)
    >>> model = MultimodalCRL(n_latents=2, starts=1, steps=20).fit(world.cohort, progress=False)
    >>> model.transform(world.cohort).shape
    (400, 4)
    """

    _imputation: Imputation | None

    def __init__(
        self,
        n_latents: int | Mapping[str, int] | Literal["auto"] | None = None,
        seed: int = 0,
        *,
        n_shared: int = 0,
        device: str = "cpu",
        forbidden: Sequence[tuple[str, str]] = (),
        required: Sequence[tuple[str, str]] = (),
        acyclic: bool = True,
        **settings: Any,
    ) -> None:
        if isinstance(n_latents, Mapping):
            for name, number in n_latents.items():
                check_whole("n_latents", number, 1, whose=f" for {name}")
        elif n_latents is not None and not (isinstance(n_latents, str) and n_latents == "auto"):
            check_whole("n_latents", n_latents, 1, whose=', one for each modality, or "auto"')
        check_whole("seed", seed, 0, 2**31 - 1)
        check_whole("n_shared", n_shared, 0)
        try:
            self.device = torch.device(device)
        except (RuntimeError, TypeError):
            raise InputError("device", "a device that torch knows, such as cpu or cuda", repr(device)) from None
        self.n_latents, self.n_shared, self.seed = n_latents, int(n_shared), int(seed)
        self.settings = Settings.of(settings)
        self.knowledge = Knowledge(forbidden=forbidden, required=required, acyclic=acyclic)

    def fit(
        self, cohort: Cohort, progress: bool = True, checkpoint: str | os.PathLike[str] | None = None
    ) -> MultimodalCRL:
        """Learn latents and links; the truth of a simulated world is never seen.

        An interrupted fit that is given the same ``checkpoint`` folder again goes on, with the same bits: a start of
        the contrast at its last evaluation, what follows after the last decoder, profile or mechanisms finished.
        Columns that only some sort of people have are warned of (`mmcrl.gaps`).

        Raises
        ------
        InputError : for columns nothing can be learned from (or that only people held out have), a kind without a
            codec, more latents than columns, fewer people than 20 per latent, a single modality, one that fewer than
            20 per latent have together with another (5 of those to train on, 5 of those held out), knowledge that
            contradicts itself, a checkpoint that is damaged or another fit's, or a device that is not there.
        """
        check_device(self.device)
        began = time.perf_counter()
        sizes, tried = 1 if self.n_latents == "auto" else self.n_latents, Dimensions()
        if self.n_latents == "auto":
            check_one_view(cohort, "n_latents", "what other modalities know of does not count tones; say a number")
        if self.n_shared:
            check_one_view(cohort, "n_shared", "which view shows a shared latent is not known")
        blocks = plan_blocks(cohort, sizes)
        warn_of_gaps(cohort)
        train, held_out = cohort.split(self.settings.held_out, self.seed)
        check_split(blocks, train, held_out)
        if self.n_latents == "auto":
            sizes, tried = choose_latents(blocks, train, held_out, self.settings, self.seed, self.device, progress)
            blocks = plan_blocks(cohort, sizes)
        self.knowledge = replace(self.knowledge, tiers=cohort.tiers or ())
        names = names_of(with_shared(blocks, self.n_shared))
        self.knowledge.limits(names)  # refuses contradictions before anything is trained
        with deterministic(self.settings.dtype):
            train_on = partial(
                train_starts,
                train=train,
                held_out=held_out,
                settings=self.settings,
                seed=self.seed,
                device=self.device,
                progress=progress,
            )
            counted = self.n_latents == "auto"
            views, runs, copies = train_views(blocks, self.n_shared, counted, train, train_on, checkpoint)
            chosen = best_of(runs)
            starts = [Representation(views, run.network, copies) for run in runs]
            shows = starts[chosen]
            found = find(
                shows,
                cohort,
                train,
                held_out,
                self.settings,
                self.seed,
                self.knowledge,
                train_on,
                progress,
                runs[chosen].fit,
                checkpoint,
            )
        self._starts, self._representation = starts, shows
        self._links, self._identified = found.links, found.identified
        self._imputation, self.structure = found.imputation, found.structure
        self.history = history_of(runs)
        self.report = {
            "people": len(cohort),
            "held_out_people": len(held_out),
            "chosen_start": chosen,
            "held_out_losses": [run.held_out_loss for run in runs],
            "latents_tried": tried,
            "shared": shows.agreement,
            **found.report,
            "seconds": time.perf_counter() - began,
        }
        return self

    def transform(self, cohort: Cohort, impute: bool = False) -> pd.DataFrame:
        """Latents (n, d), columns (modality, latent), NaN where a person's modality, or observed column, is missing.

        Modalities may come in any order; one that the cohort lacks was measured in nobody.  Latents are standardised
        on the training people, and point up along the column that they explain best.  With ``impute`` a latent that
        was not measured takes the value expected of it given those that were, by a regression that was fitted on the
        training people (`mmcrl.imputation`); it varies less than measured ones.

        Raises
        ------
        InputError : before `fit`, for what is no cohort, other modalities or columns, and for ``impute`` where the
            model was saved by a version that knew none.
        """
        cohort = as_fitted(self._fitted.views, cohort)
        with deterministic(self.settings.dtype):
            latents = self._fitted.table(cohort)
        if not impute:
            return latents
        if self._imputation is None:
            raise InputError("impute", "False for a model saved without a regression of its latents", repr(impute))
        filled = self._imputation.fill(latents.to_numpy())
        return pd.DataFrame(filled, index=latents.index, columns=latents.columns)

    def starts(self, cohort: Cohort) -> list[pd.DataFrame]:
        """The latents that every start found, in the order of ``report["held_out_losses"]``, signs as they came.

        Raises
        ------
        InputError : for a model that was loaded: only the start that was chosen is saved.
        """
        cohort = as_fitted(self._fitted.views, cohort)
        if not hasattr(self, "_starts"):
            raise InputError("model", "one fitted here: only the chosen start is saved", "one that was loaded")
        with deterministic(self.settings.dtype):
            return [start.table(cohort) for start in self._starts]

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the fitted model to a folder: JSON and safetensors, no pickle, no row of a person."""
        _ = self._fitted
        write_folder(folder, *described(self))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> MultimodalCRL:
        """A model that `save` wrote.

        Raises
        ------
        InputError : for a missing, truncated or tampered folder.
        """
        description, weights = read_folder(folder)
        try:
            counts = {name: description[name] for name in ("n_latents", "seed", "n_shared")}
            return restored(cls(**counts, **description["settings"]), description, weights)
        except (LookupError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
            got = f"{type(error).__name__}: {error}".splitlines()[0]
            raise InputError("folder", "a model that `save` wrote", got) from error

    @property
    def _fitted(self) -> Representation:
        if not hasattr(self, "_representation"):
            raise InputError("model", "a fitted model: call fit first", "one that is not fitted")
        return self._representation
