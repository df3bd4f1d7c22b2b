"""Resampling: samples at their times become series of one step and one length, with NaN where there is no sample."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Channel", "resampled", "stray_times"]

_DAY = 86_400.0
_FEW = 0.1  # of the samples of the largest part: a smaller part that lies apart is stray


class Channel(NamedTuple):
    """Samples of one channel: times in seconds (n,), values (n,), and until when they hold (n,), if it is known."""

    times: np.ndarray
    values: np.ndarray
    until: np.ndarray | None = None


def resampled(
    recordings: Mapping[str, Channel | tuple[np.ndarray, np.ndarray, np.ndarray | None]],
    step: float,
    length: int,
    starts: str | None = None,
    states: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """One series (length,) for each channel, all from the same moment on.

    Value k is the mean of the samples in ``[s + k step, s + (k + 1) step)``, NaN where there is none; of samples
    that hold until another time, it is the one that holds in the middle of that span.  s is the time of the first
    sample of any channel, or the last clock time ``starts`` that is not after it.  `stray_times` do not count.

    Parameters
    ----------
    recordings : times (n,) in seconds, values (n,), and until when they hold (n,), or None.
    states : channels whose values have no mean, such as stages of sleep: of the samples in a span the last one that
        is not after its middle, or else the first.

    >>> resampled({"a": (np.array([10.0, 11.0, 14.0]), np.array([1.0, 3.0, 5.0]), None)}, 2, 3)["a"].tolist()
    [2.0, nan, 5.0]
    """
    channels = {name: Channel(*recording) for name, recording in recordings.items()}
    stray = stray_times([channel.times for channel in channels.values()], step * length)
    pairs = zip(channels.values(), stray, strict=True)
    known = [channel.times[np.isfinite(channel.times) & ~odd] for channel, odd in pairs]
    firsts = [times.min() for times in known if len(times)]
    if not firsts:
        return {name: np.full(length, np.nan) for name in recordings}
    first = min(firsts)
    if starts is not None:
        clock = int(starts[:2]) * 3600 + int(starts[3:]) * 60
        first -= (first - clock) % _DAY
    series = {}
    for (name, (times, values, until)), odd in zip(channels.items(), stray, strict=True):
        places = np.where(odd, np.nan, times - first) / step
        if until is not None:
            series[name] = _held(places, (until - first) / step, values, length)
        else:
            series[name] = (_middles if name in states else _means)(places, values, length)
    return series


def stray_times(times: Sequence[np.ndarray], span: float) -> list[np.ndarray]:
    """Bool (n,) of each channel: times that lie apart from the recording, such as 1970 of a clock that was not set.

    Taken together, the times of all channels are parted wherever ``span`` seconds or more, the length of a series,
    lie between two of them: no series holds samples of two parts.  A part is stray if it has fewer samples than a
    tenth of those of the largest part.  So a second visit is none, nor any time of a recording without such gaps.

    >>> stray_times([np.array([0.0, *np.arange(1e9, 1e9 + 20)])], 60)[0].nonzero()[0].tolist()
    [0]
    """
    together = np.sort(np.concatenate([np.zeros(0), *(each[np.isfinite(each)] for each in times)]))
    begins = np.flatnonzero(np.diff(together, prepend=-np.inf) >= span)
    sizes = np.diff(begins, append=len(together))
    if len(sizes) < 2:
        return [np.zeros(len(each), dtype=bool) for each in times]
    few = sizes < _FEW * sizes.max()
    found = []
    for each in times:
        part = np.searchsorted(together[begins], each, side="right") - 1
        found.append(np.isfinite(each) & few[np.clip(part, 0, None)])
    return found


def _means(places: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
    places, values = _inside(places, values, length)
    bins = places.astype(int)
    counts = np.bincount(bins, minlength=length)
    sums = np.bincount(bins, weights=values, minlength=length)
    return np.divide(sums, counts, out=np.full(length, np.nan), where=counts > 0)


def _middles(places: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
    """What holds in the middle of each span, as far as its own samples tell."""
    places, values = _inside(places, values, length)
    order = np.argsort(places, kind="stable")
    places, values = places[order], values[order]
    bins, series = places.astype(int), np.full(length, np.nan)
    series[bins[::-1]] = values[::-1]  # the first of each span, being written last
    early = places - bins <= 0.5
    series[bins[early]] = values[early]
    return series


def _inside(places: np.ndarray, values: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    kept = np.isfinite(values) & np.isfinite(places) & (places >= 0) & (places < length)
    return places[kept], values[kept]


def _held(begin: np.ndarray, end: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
    series, middles = np.full(length, np.nan), np.arange(length) + 0.5
    kept = np.isfinite(begin) & np.isfinite(end)
    for low, high, value in zip(begin[kept], end[kept], values[kept], strict=True):
        series[np.searchsorted(middles, low) : np.searchsorted(middles, high)] = value
    return series
