"""Nights: oxygen saturation, heart rate and actigraphy of one night, second by second.

A finger probe records saturation (%) and heart rate (beats a minute), a wrist sensor movement (counts a second).
Apnoeas come at a rate of ``10 exp(0.95 night.0)`` an hour of sleep, more in REM sleep and on the back.  Each lets the
saturation fall, after the blood's way to the finger, and recover within seconds (the sawtooth); slows the heart and
then speeds it up (cyclical variation); and mostly ends in an arousal, a burst in heart rate and movement.
``night.1``, the sympathetic tone, raises the heart rate and wakes more often.  Private are the hypnogram, positions,
when and how long breathing stops, how deep the saturation falls from what baseline, slow swings, sensors' gaps.
Sources: Berry et al., AASM rules for scoring respiratory events (2012), 10.5664/jcsm.2172; Heinzer et al., HypnoLaus
(2015), 10.1016/S2213-2600(15)00043-0 (median 15 apnoeas and hypopnoeas an hour in men, 7 in women); Guilleminault et
al., Cyclical variation of the heart rate in sleep apnoea syndrome (1984); Quer et al., resting heart rate of 92,457
adults (2020), 10.1371/journal.pone.0227709 (65 +- 8 by day, some 5 less asleep).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter

from mmcrl.simulate.phenotyping.chance import bounded
from mmcrl.simulate.phenotyping.stages import DEEP, EPOCH, LIGHT, REM, WAKE, hypnogram, supine

__all__ = ["CHANNELS", "UNITS", "Night", "record"]

CHANNELS, UNITS = ["spo2", "heart_rate", "activity"], ["%", "1/min", "counts"]

_SLOT = 40  # seconds in which breathing stops once at most
_STOPS = np.array([0.0, 1.8, 1.0, 0.35])  # how often breathing stops in each stage, relative to light sleep
_HEART = np.array([9.0, 3.0, 0.0, -3.0])  # beats a minute of each stage, relative to light sleep
_WAY = 14  # seconds from lung to finger


@dataclass(frozen=True)
class Night:
    """One night of m people: the signals (m, 3, seconds) and what lies behind them."""

    signals: np.ndarray
    stages: np.ndarray  # (m, epochs)
    ahi: np.ndarray  # (m,) stops of breathing per hour of sleep


@dataclass(frozen=True)
class _Events:
    """Who, when (s), how long (s)."""

    person: np.ndarray
    onset: np.ndarray
    duration: np.ndarray

    def lay(self, shape: tuple[int, int], kernel: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Sum (m, seconds) of a kernel (events, w) that begins at each event's ``start``."""
        at = start.astype(int)[:, None] + np.arange(kernel.shape[1])
        inside = (at >= 0) & (at < shape[1])
        index = (self.person[:, None] * shape[1] + at)[inside]
        return np.bincount(index, kernel[inside], shape[0] * shape[1]).reshape(shape).astype(np.float32)


def record(rng: np.random.Generator, z: np.ndarray, hours: float, gaps: float) -> Night:
    """A night of the people with these latents (m, 2); ``gaps`` is the share the finger probe loses."""
    m, seconds = len(z), round(3600 * hours)
    breathing, tone = bounded(z).astype(np.float32).T
    shape, epochs = (m, seconds), -(-seconds // EPOCH)
    stages, back = hypnogram(rng, tone, epochs), supine(rng, m, epochs)
    now = np.arange(seconds) // EPOCH
    stops = _stops(rng, breathing, stages, back, seconds)
    arousals = _arousals(rng, tone, stages, stops, seconds)
    saturation = _saturation(rng, stops, shape, breathing)
    heart = _heart(rng, tone, stages[:, now], stops, arousals)
    activity = _activity(rng, stages[:, now], arousals, np.diff(back[:, now], axis=1, prepend=back[:, :1]))
    signals = np.stack([saturation, heart, activity], axis=1)
    _lose(rng, signals, gaps)
    asleep = (stages != WAKE).sum(1) * EPOCH / 3600
    return Night(signals, stages, np.bincount(stops.person, minlength=m) / np.maximum(asleep, EPOCH / 3600))


def _stops(
    rng: np.random.Generator, breathing: np.ndarray, stages: np.ndarray, back: np.ndarray, seconds: int
) -> _Events:
    """Apnoeas and hypopnoeas, at most one a slot."""
    m, slots = len(breathing), seconds // _SLOT
    epoch = np.arange(slots) * _SLOT // EPOCH
    often = _STOPS[stages[:, epoch]] * np.where(back[:, epoch], 1.4, 0.8)
    rate = 10 * np.exp(0.95 * breathing)[:, None] * often / 3600
    u, spread = rng.random((m, slots, 2)), rng.normal(size=(m, slots))
    person, slot = np.nonzero(u[..., 0] < 1 - np.exp(-rate * _SLOT))
    long = np.where(stages[person, epoch[slot]] == REM, 24, 18) * np.exp(0.35 * spread[person, slot])
    return _Events(person, slot * _SLOT + 20 * u[person, slot, 1], np.clip(long, 10, 60))


def _arousals(
    rng: np.random.Generator, tone: np.ndarray, stages: np.ndarray, stops: _Events, seconds: int
) -> _Events:
    """Arousals that end two of three stops of breathing, and others that come by themselves."""
    m, slots = len(tone), seconds // _SLOT
    u = rng.random((m, slots, 4))
    asleep = stages[:, np.arange(slots) * _SLOT // EPOCH] != WAKE
    own = (u[..., 0] < 1 - np.exp(-8 * np.exp(0.35 * tone)[:, None] / 3600 * _SLOT)) & asleep
    person, slot = np.nonzero(own)
    place = np.minimum(stops.onset // _SLOT, slots - 1).astype(int)
    ending = u[stops.person, place, 3] < 0.67
    onset = np.concatenate([(slot + u[person, slot, 1]) * _SLOT, (stops.onset + stops.duration)[ending]])
    long = np.concatenate([u[person, slot, 2], u[stops.person, place, 2][ending]])
    return _Events(np.concatenate([person, stops.person[ending]]), onset, 4 + 11 * long)


def _saturation(
    rng: np.random.Generator, stops: _Events, shape: tuple[int, int], breathing: np.ndarray
) -> np.ndarray:
    """Whole per cents, as an oximeter shows them."""
    m = shape[0]
    private = rng.standard_normal((m, 2), dtype=np.float32)
    baseline = 96.2 + bounded(0.8 * private[:, :1], 2.0)
    deep = 3.6 * (stops.duration / 18) ** 0.8 * np.exp(0.22 * private[:, 1] + 0.08 * breathing)[stops.person]
    deep = np.clip(deep * np.exp(0.3 * rng.normal(size=len(deep))), 1, 22)
    t = np.arange(160)
    full = stops.duration[:, None] + 4
    falling = np.clip(t / full, 0, 1) ** 1.4
    sawtooth = deep[:, None] * np.where(t < full, falling, np.exp(-(t - full) / 8))
    fall = stops.lay(shape, sawtooth, stops.onset + _WAY)
    drift = _slow(rng, shape, 240, 0.35) + _slow(rng, shape, 6, 0.25)
    return np.clip(np.rint(baseline + drift - 38 * np.tanh(fall / 38)), 50, 100).astype(np.float32)


def _heart(
    rng: np.random.Generator, tone: np.ndarray, stage: np.ndarray, stops: _Events, arousals: _Events
) -> np.ndarray:
    """Whole beats a minute: level, stage, the night's course, slow swings, cyclical variation, arousals."""
    m, seconds = stage.shape
    private = rng.standard_normal((m, 2), dtype=np.float32)
    level = 61 + 7.5 * tone[:, None] + 1.6 * private[:, :1]
    settled = -4 * (1 - np.exp(-np.arange(seconds) / 5400))
    course = uniform_filter1d(_HEART.astype(np.float32)[stage], 45, axis=1) + settled.astype(np.float32)
    swings = _slow(rng, stage.shape, 25, 1.6) + _slow(rng, stage.shape, 4, 0.8)
    swings *= np.where(stage == DEEP, 0.6, np.where(stage == LIGHT, 1.0, 1.5)).astype(np.float32)
    t, gain = np.arange(90), np.exp(0.2 * private[:, 1])
    end = stops.duration[:, None]
    slow = -5 * np.sin(np.pi * np.clip(t / end, 0, 1)) * (t < end)
    fast = 9 * np.exp(-((t - end - 6) ** 2) / (2 * np.where(t < end + 6, 3.0, 9.0) ** 2))
    cyclical = stops.lay(stage.shape, gain[stops.person, None] * (slow + fast), stops.onset)
    burst = 7 * np.exp(-((t[:50] - 6) ** 2) / (2 * np.where(t[:50] < 6, 2.5, 9.0) ** 2))
    aroused = arousals.lay(stage.shape, np.tile(burst, (len(arousals.person), 1)), arousals.onset)
    return np.clip(np.rint(level + course + swings + 0.8 * (cyclical + aroused)), 32, 160).astype(np.float32)


def _activity(rng: np.random.Generator, stage: np.ndarray, arousals: _Events, turns: np.ndarray) -> np.ndarray:
    """Counts, mostly zero: bursts with arousals and turns, on and off while awake."""
    moving = arousals.lay(stage.shape, np.ones((len(arousals.person), 1)), arousals.onset)
    turning = _fading((turns != 0).astype(np.float32), 0.9)
    moving = _fading(moving, 0.82) + 4 * turning
    restless = _slow(rng, stage.shape, 15, 1.0) > 0.4
    power = np.where(moving > 0.12, 14 * moving, 0) + np.where(restless & (stage == WAKE), np.float32(18), 0)
    power *= np.exp(0.2 * rng.standard_normal((len(stage), 1), dtype=np.float32))
    active = power > 0
    power[active] *= rng.standard_exponential(int(active.sum()), dtype=np.float32)
    return np.floor(power)


def _slow(rng: np.random.Generator, shape: tuple[int, int], seconds: float, deviation: float) -> np.ndarray:
    """First-order autoregressive swings (m, seconds) with this time constant and standard deviation."""
    keep = np.float32(np.exp(-1 / seconds))
    white = rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation * np.sqrt(1 - keep**2))
    white[:, 0] = white[:, 0] / np.sqrt(1 - keep**2)
    return _fading(white, float(keep))


def _fading(impulses: np.ndarray, keep: float) -> np.ndarray:
    """Every impulse (m, seconds), dying away by the factor ``keep`` a second."""
    return lfilter(np.ones(1, np.float32), np.array([1, -keep], np.float32), impulses, axis=1)


def _lose(rng: np.random.Generator, signals: np.ndarray, gaps: float) -> None:
    """Up to four gaps of the finger probe, and an end of everything that comes before the night's, all NaN."""
    m, _, seconds = signals.shape
    u, long = rng.random((m, 4, 2)), rng.exponential(gaps / 2 * seconds, (m, 4))
    start, t = (u[..., 0] * seconds)[..., None], np.arange(seconds)
    off = ((t >= start) & (t < start + np.where(u[..., 1] < 0.5, long, 0.0)[..., None])).any(1)
    signals[:, :2] = np.where(off[:, None], np.nan, signals[:, :2])
    end = seconds * (1 - 4 * gaps * rng.random(m))
    signals[np.broadcast_to((t >= end[:, None])[:, None], signals.shape)] = np.nan
