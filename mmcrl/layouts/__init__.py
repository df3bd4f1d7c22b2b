"""Layouts: how the files of a cohort lie, and how they become one table of people.

A manifest's ``[source]`` names its layout.  A layout is one `Layout` in a module of its own, and a line here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmcrl.layouts.layout import Layout
    from mmcrl.schema import Manifest

__all__ = ["LAYOUTS", "open_layout"]

LAYOUTS = {
    "table": "single.SingleTable",
    "hpp": "hpp.HumanPhenotypeProject",
    "ai-readi": "ai_readi.AiReadi",
    "uk-biobank": "uk_biobank.UKBiobank",
    "nhanes": "nhanes.Nhanes",
}


def open_layout(folder: Path, manifest: Manifest) -> Layout:
    """The layout that a manifest's source names; ``folder`` is the manifest's.

    Raises
    ------
    InputError : for a root folder that is not there, and for keys or an id that the layout does not know.
    """
    source = manifest.source
    missing: dict[str, list[str | float]] = {}
    for spec in manifest.columns().values():
        for variable in spec.variables:
            missing.setdefault(variable, []).extend(spec.missing)
    module, name = LAYOUTS[source.layout].split(".")
    return getattr(import_module(f"mmcrl.layouts.{module}"), name)(
        folder, source, manifest.disclosure.minimum, missing
    )
