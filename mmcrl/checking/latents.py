"""Latents: the numbers of latents that a manifest suggests, held against what a fit accepts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmcrl.checking.draft import Draft, column_place
from mmcrl.cohort import Cohort
from mmcrl.errors import InputError
from mmcrl.plan import LATENTS, PEOPLE_PER_LATENT, check_latents, latent_limits
from mmcrl.schema import Manifest

__all__ = ["latent_faults", "mend_latents", "people_together"]


def latent_faults(draft: Draft, manifest: Manifest) -> list[InputError]:
    """Every number stated that a fit refuses for the kind or the columns, with those that were set aside."""
    faults = []
    for name, spec in manifest.modality.items():
        aside = sum(place[:2] == column_place(name) for place in draft.aside)
        if spec.n_latents is not None and spec.kind != "observed":
            try:
                check_latents(name, spec.kind, len(spec.columns) + aside, spec.n_latents)
            except InputError as error:
                faults.append(InputError(f"manifest modality.{name}.n_latents", error.expected, error.got))
    return faults


def mend_latents(draft: Draft, n_people: int, together: Mapping[str, int], manifest: Manifest) -> None:
    """Propose numbers for which columns and people are enough: all for all latents, and of each modality those who
    have it ``together`` with another (`people_together`)."""
    asked, least, possible = dict[str, int](), dict[str, int](), dict[str, int]()
    for name, people in together.items():
        spec, columns = manifest.modality[name], draft.get((*column_place(name), "columns"))
        if columns is None or people < max(manifest.disclosure.minimum, PEOPLE_PER_LATENT):
            continue  # it is to be left out
        if spec.kind == "observed":  # whose columns are its latents, whatever is asked
            asked[name] = least[name] = possible[name] = len(columns)
            continue
        asked[name] = spec.n_latents or LATENTS
        least[name], most = latent_limits(spec.kind, len(columns))
        possible[name] = max(least[name], int(min(asked[name], most, people // PEOPLE_PER_LATENT)))
    affordable = n_people // PEOPLE_PER_LATENT
    while affordable < sum(possible.values()) and (more := [k for k in possible if possible[k] > least[k]]):
        possible[max(more, key=lambda name: possible[name])] -= 1
    if affordable < sum(possible.values()):
        needed = f"{PEOPLE_PER_LATENT * sum(possible.values())} people are needed for the fewest latents of all"
        draft.note(("modality",), f"{needed}, {n_people} are there: leave modalities out")
    for name, number in possible.items():
        if number != asked[name]:
            draft.set((*column_place(name), "n_latents"), number, _why(manifest, name, number, asked[name]))


def _why(manifest: Manifest, name: str, number: int, asked: int) -> str:
    """Why a number is proposed, and what it would be, where the manifest says nothing of it."""
    left_out = "" if manifest.modality[name].n_latents else f"; left out it is {asked}"
    if number > asked:
        return f"at least one for each view that kind {manifest.modality[name].kind} takes{left_out}"
    return f"at most one a column of a table, and {PEOPLE_PER_LATENT} people or more per latent{left_out}"


def people_together(cohort: Cohort) -> dict[str, int]:
    """How many have each modality and, where there are several, another one too, which alone tells of its latents."""
    measured = np.array([modality.measured for modality in cohort.modalities.values()])
    together = measured & (measured.sum(axis=0) >= min(2, len(measured)))
    return dict(zip(cohort.names, map(int, together.sum(axis=1)), strict=True))
