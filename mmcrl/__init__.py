"""mmcrl: causal representation learning from several modalities of the same people.

Learns the latent variables behind each modality and the sparse links between them, and says how sure one can be.
Source of the framework: Sun et al., Causal Representation Learning from Multimodal Biomedical Observations (2025),
arXiv:2411.06518.
"""

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
