"""Settings of the estimator: one frozen record, with the reason beside each default."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch

from mmcrl.errors import InputError

__all__ = ["Settings", "check_device"]


@dataclass(frozen=True)
class Settings:
    """How `MultimodalCRL` is trained.

    Raises
    ------
    InputError : for a value outside its range, or of another type.

    >>> Settings(starts=3).starts
    3
    """

    starts: int = 2  # random starts, the best held-out loss kept; one in twelve is caught in a mixed solution
    most_starts: int | None = 6  # go on to so many while no two agree on the best loss; one start, or None: no more
    steps: int = 1000  # of a start, and of the mechanisms; the held-out loss is flat after 800 in the paper's cases
    batch: int | None = None  # people told apart at once; None: a 14th of the training people, 128 to 512
    learning_rate: float = 3e-3  # decayed by a cosine to 2 %
    penalty: float = 0.1  # on the size of every pair's term; 0.3 removes true links
    weight_decay: float = 1e-2  # keeps small cohorts from being memorised; harmless in large ones
    width: int = 96  # hidden units of encoders and decoders
    held_out: float = 0.25  # share of people for stopping, choosing among starts, and evidence
    folds: int = 1  # 1: evidence from the held-out people; 4: from everybody, at four times the training
    patience: int = 6  # evaluations (20 a start) after the penalty's ramp without a better one that end a start
    jobs: int | None = None  # starts side by side, with the same bits for any number; None: as many as cores
    dtype: str = "float32"  # of weights and features; float64 takes twice the time
    smallest_effect: float = 0.005  # nats per person that count as a link; a correlation of 0.1

    def __post_init__(self) -> None:
        for name in ("starts", "steps", "width", "folds", "patience"):
            _number(name, getattr(self, name), 1, math.inf, whole=True)
        for name, least in (("batch", 2), ("jobs", 1), ("most_starts", 1)):
            if getattr(self, name) is not None:
                _number(name, getattr(self, name), least, math.inf, whole=True)
        if self.dtype not in ("float32", "float64"):
            raise InputError("dtype", "float32 or float64", repr(self.dtype))
        for name in ("penalty", "weight_decay", "smallest_effect"):
            _number(name, getattr(self, name), 0, math.inf)
        _number("learning_rate", self.learning_rate, 1e-9, 1)
        _number("held_out", self.held_out, 0.05, 0.5)

    def batch_for(self, n: int) -> int:
        """People in a batch when n train: too few batches an epoch let the critic learn people by heart."""
        return min(n, self.batch or min(512, max(128, n // 14)))

    @classmethod
    def of(cls, given: dict[str, Any]) -> Settings:
        """From keywords; an unknown one is refused by name."""
        known = [f.name for f in fields(cls)]
        for name in given:
            if name not in known:
                raise InputError("settings", f"names among {', '.join(known)}", repr(name))
        return cls(
            **{name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_device(device: torch.device) -> None:
    """Refuse a device on which torch cannot compute here.

    Raises
    ------
    InputError : naming the device and the reason.

    >>> check_device(torch.device("cpu"))
    """
    try:
        torch.zeros(1, device=device).item()
    except (AssertionError, RuntimeError, NotImplementedError) as error:  # torch without CUDA asserts
        expected = "a device that torch can use here, such as cpu"
        raise InputError("device", expected, f"{device}: {error}".splitlines()[0]) from None


def _number(name: str, value: object, low: float, high: float, whole: bool = False) -> None:
    number = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
    if not number or not (low <= value <= high and math.isfinite(value)):  # type: ignore[operator, arg-type]
        kind = "a whole number" if whole else "a number"
        span = f"of at least {low}" if math.isinf(high) else f"from {low} to {high}"
        raise InputError(name, f"{kind} {span}", repr(value))
