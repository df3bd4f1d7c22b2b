"""mmcrl: causal representation learning from several modalities of the same people.

Learns the latent variables behind each modality and the sparse links between them, and says how sure one can be.
Source of the framework: Sun et al., Causal Representation Learning from Multimodal Biomedical Observations (2025),
arXiv:2411.06518.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmcrl import metrics, plots, simulate
    from mmcrl.cohort import Cohort, Modality
    from mmcrl.errors import InputError
    from mmcrl.manifest import load_cohort
    from mmcrl.model import MultimodalCRL

__version__ = "0.1.0"

__all__ = [
    "Cohort",
    "InputError",
    "Modality",
    "MultimodalCRL",
    "__version__",
    "load_cohort",
    "metrics",
    "plots",
    "simulate",
]

_HOME = {  # loaded on first use, so that the command line answers at once
    "Cohort": "mmcrl.cohort",
    "InputError": "mmcrl.errors",
    "Modality": "mmcrl.cohort",
    "MultimodalCRL": "mmcrl.model",
    "load_cohort": "mmcrl.manifest",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in __all__:
        return import_module(f"mmcrl.{name}")
    raise AttributeError(f"module 'mmcrl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
