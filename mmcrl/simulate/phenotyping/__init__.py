"""The simulated phenotype cohort: eyes, nights and tables of people in whom the paper's findings are true.

Planted are the findings of Sun et al. (2025), arXiv:2411.06518, section 6.3: age is behind what the fundus images
show, sleep-disordered breathing behind oxygen saturation, and a vascular latent of the eye behind the strength of the
hand; and more (`mmcrl.simulate.phenotyping.graph`).  All that is not linked is independent given what is.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError
from mmcrl.simulate.mechanisms import PILOT
from mmcrl.simulate.phenotyping.chance import batches, padded
from mmcrl.simulate.phenotyping.checks import check_request
from mmcrl.simulate.phenotyping.graph import LATENTS, adjacency, draw_eps, physiology
from mmcrl.simulate.phenotyping.tables import TABLES, demographics, table
from mmcrl.simulate.world import World, latent_columns

__all__ = ["phenotype"]

_SEEN = "body", "blood", "eye", "night", "oximetry", "grip", "conditions"  # what a person may lack


def phenotype(
    n: int = 5000,
    seed: int = 0,
    *,
    size: int = 64,
    hours: float = 8.0,
    rate: float = 0.1,
    missing: float = 0.1,
    gaps: float = 0.03,
) -> World:
    """Simulate ``n`` people of 40 to 70 years: age and sex, two fundus photographs, a night, and five tables.

    ======================= ======== ============================ ===============================================
    modality                kind     shape                        latents
    ======================= ======== ============================ ===============================================
    demographics            observed (n, 2)                       age; sex
    body, blood             table    (n, 9), (n, 13)              adiposity, frame; dysglycaemia, red cells
    eye                     image-   (n, 6, size, size) in [0, 1] vascular ageing; clouding of the lens
                            sides
    night                   series   (n, 3, hours x 3600 x rate)  breathing that stops; sympathetic tone
    oximetry, grip          table    (n, 8), (n, 6)               desaturation; strength
    conditions              table    (n, 13)                      burden of disease
    ======================= ======== ============================ ===============================================

    A person's data depend on the seed and on who it is, not on ``n``: a larger world begins with the smaller one's
    people.  The mechanisms are the same in every world; seeds differ in people.  Age and sex are background
    knowledge of the cohort: they cause, and are not caused.  That one latent of the eye is a matter of tone, and
    that both eyes show the same, mirrored, is told to the methods that read pictures through a kind's encoder
    (`mmcrl.kinds.sides`).

    Parameters
    ----------
    n : people, at least 100, so that each condition has a case.
    size : height and width of the images, in pixels, 32 to 512.
    hours : length of the nights; the recordings of some end earlier (NaN).
    rate : samples a second.  The nights are simulated second by second; a sample is the mean of ``1 / rate`` seconds
        (of the activity their sum), a whole number of them, and NaN where one of them is.
    missing : share of people without each of the modalities other than age and sex, completely at random.
    gaps : about the share of the night during which the finger probe shows nothing, less where gaps overlap or fall
        behind the end; recordings end up to four times that early.

    Memory: ``24 n size^2 + 12 n hours 3600 rate`` bytes, .66 GB with the defaults; twice the images while they are
    made.

    Raises
    ------
    InputError : for a number outside these ranges, and where so few are left that a column does not vary.

    >>> world = phenotype(100, size=32, hours=1)
    >>> world.cohort["eye"].values.shape, world.cohort["night"].values.shape
    ((100, 6, 32, 32), (100, 3, 360))
    >>> int(world.adjacency.loc["grip.0", "eye.0"]), int(world.adjacency.loc["grip.0", "night.0"])
    (1, 0)
    """
    settings = {name: value for name, value in locals().items() if name != "n"}
    check_request(n, settings)
    mechanisms = physiology()
    everyone = mechanisms.solve(draw_eps(np.random.default_rng([seed, 0]), padded(n)))
    population = mechanisms.solve(draw_eps(np.random.default_rng(99), PILOT))
    block = {name: [i for i, latent in enumerate(LATENTS) if latent.startswith(f"{name}.")] for name in _SEEN}
    hidden = dict(zip(_SEEN, missing > np.random.default_rng([seed, 1]).random((n, len(_SEEN))).T, strict=True))
    modalities = {"demographics": demographics(everyone[:n, :2])}
    for stream, name in enumerate(_SEEN, 2):
        z = everyone[:, block[name]]
        if name in TABLES:
            draws = np.random.default_rng([seed, stream]).normal(size=(padded(n), 40))[:n]
            modalities[name] = table(name, draws, z[:n], population[:, block[name]], hidden[name])
        elif name == "eye":
            modalities[name] = _eyes(z, n, seed, stream, size, hidden[name])
        else:
            modalities[name] = _nights(z, n, seed, stream, hours, rate, gaps, hidden[name])
    ids = pd.RangeIndex(n, name="person")
    n_latents = {name: len(block[name]) for name in _SEEN}
    try:
        cohort = Cohort(
            modalities,
            ids=ids,
            tiers=[["demographics"], list(_SEEN)],
            name=f"simulated phenotype cohort, seed {seed}",
            n_latents=n_latents,
        )
    except InputError as error:
        expected = f"enough for columns that vary where a share of {missing:g} is missing"
        raise InputError("n", expected, f"{n} ({error.argument} is {error.got})") from None
    return World(
        cohort=cohort,
        latents=pd.DataFrame(everyone[:n], index=ids, columns=latent_columns(LATENTS)),
        adjacency=pd.DataFrame(adjacency(), index=list(LATENTS), columns=list(LATENTS)),
        n_latents={"demographics": 2, **n_latents},
        settings=settings,
        mechanisms=mechanisms,
        viewers=[],
    )


def _eyes(z: np.ndarray, n: int, seed: int, stream: int, size: int, hidden: np.ndarray) -> Modality:
    from mmcrl.simulate.phenotyping import fundus  # filters of scipy, which take long to load

    values = np.empty((n, len(fundus.CHANNELS), size, size), dtype=np.float32)
    for people, rng in batches(n, seed, stream):
        values[people] = fundus.photograph(rng, z[people], size)[: n - people.start]
    values[hidden] = np.nan
    return Modality(values, "image-sides", fundus.CHANNELS, column_kinds=["numeric"] * len(fundus.CHANNELS))


def _nights(
    z: np.ndarray, n: int, seed: int, stream: int, hours: float, rate: float, gaps: float, hidden: np.ndarray
) -> Modality:
    from mmcrl.simulate.phenotyping import nights  # filters of scipy, which take long to load

    each = round(1 / rate)
    samples = round(3600 * hours) // each
    values = np.empty((n, len(nights.CHANNELS), samples), dtype=np.float32)
    for people, rng in batches(n, seed, stream):
        signals = nights.record(rng, z[people], hours, gaps).signals[: n - people.start, :, : samples * each]
        values[people] = signals.reshape(*signals.shape[:2], samples, each).mean(-1)
    values[:, -1] *= each
    values[hidden] = np.nan
    return Modality(values, "series", nights.CHANNELS, nights.UNITS, column_kinds=["numeric"] * len(nights.CHANNELS))
