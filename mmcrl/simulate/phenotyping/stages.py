"""Stages: hypnograms of 30-second epochs, and in which position people lie.

Sleep runs in cycles of about 90 minutes from light through deep and light to REM sleep; deep sleep fills the first
cycles, REM the last; wakefulness interrupts, more often where the sympathetic tone is high.
Sources: Carskadon and Dement, Normal human sleep (2005); Ohayon et al., Meta-analysis of quantitative sleep
parameters (2004), 10.1093/sleep/27.7.1255 (at 40 to 70 years some 12 % deep and 20 % REM, wake after onset under an
hour).
"""

from __future__ import annotations

import numpy as np

__all__ = ["DEEP", "EPOCH", "LIGHT", "REM", "WAKE", "hypnogram", "supine"]

EPOCH = 30  # seconds
WAKE, REM, LIGHT, DEEP = range(4)

_DEEP_SHARE = np.array([0.34, 0.22, 0.10, 0.03, 0.01])  # of the first cycles, the last value for all later ones
_REM_SHARE = np.array([0.09, 0.18, 0.24, 0.29, 0.32])
_CYCLES = 14  # more than a night has
_TURN, _SUPINE = 1 / 50, 0.4  # turns per epoch, share of time on the back


def hypnogram(rng: np.random.Generator, restless: np.ndarray, epochs: int) -> np.ndarray:
    """Stages (m, epochs) of people whose sleep is interrupted ``exp(0.4 restless)`` times as often as usual, (m,)."""
    m, epoch = len(restless), np.arange(epochs)
    onset = 60 / EPOCH * np.clip(rng.exponential(11, m) + 2, 3, 45)
    duration = 60 / EPOCH * np.clip(rng.normal(92, 11, (m, _CYCLES)), 60, 125)
    cycle = np.minimum(np.arange(_CYCLES), len(_DEEP_SHARE) - 1)
    deep = _DEEP_SHARE[cycle] * np.exp(0.25 * rng.normal(size=(m, 1)))
    rem = _REM_SHARE[cycle] * np.exp(0.15 * rng.normal(size=(m, _CYCLES)))
    parts = np.stack([0.55 * (1 - deep - rem), deep, 0.45 * (1 - deep - rem), rem], -1) * duration[..., None]
    ends = onset[:, None] + np.cumsum(parts.reshape(m, -1), axis=1)
    part = (epoch >= ends[..., None]).sum(1)  # how many parts of cycles are over
    stage = np.array([LIGHT, DEEP, LIGHT, REM])[part % 4]
    after_rem = (part % 4 == 0) & (part > 0) & (np.diff(part, axis=1, prepend=0) > 0)
    wakes = 0.007 * np.exp(0.4 * restless)[:, None] * np.where(stage == DEEP, 0.3, 1.0) + 0.3 * after_rem
    bout = rng.geometric(0.25, (m, epochs))
    until = np.where(rng.random((m, epochs)) < wakes, epoch + bout, 0)
    awake = (np.maximum.accumulate(until, axis=1) > epoch) | (epoch < onset[:, None])
    return np.where(awake, WAKE, stage)


def supine(rng: np.random.Generator, m: int, epochs: int) -> np.ndarray:
    """Whether each person lies on the back (m, epochs): bouts of 25 minutes on average."""
    turns = rng.random((m, epochs)) < _TURN
    turns[:, 0] = True
    last = np.maximum.accumulate(np.where(turns, np.arange(epochs), 0), axis=1)
    return np.take_along_axis(rng.random((m, epochs)) < _SUPINE, last, axis=1)
