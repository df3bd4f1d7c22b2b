"""Kinds: what a modality can be, and the codec of each kind.

A kind is one class, a `Codec`, and one line in `KINDS`; cohorts, estimator and pages then work with it.  The codecs
are imported when they are asked for, so that a cohort can be made without loading torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from mmcrl.errors import InputError

if TYPE_CHECKING:
    from mmcrl.kinds.backbones import ResNetCodec
    from mmcrl.kinds.codec import Codec
    from mmcrl.kinds.images import ImageCodec
    from mmcrl.kinds.series import SeriesCodec
    from mmcrl.kinds.sides import SidesCodec
    from mmcrl.kinds.tables import ObservedCodec, TableCodec
    from mmcrl.kinds.tones import TonedCodec

__all__ = [
    "KINDS",
    "Codec",
    "ImageCodec",
    "Kind",
    "ObservedCodec",
    "ResNetCodec",
    "SeriesCodec",
    "SidesCodec",
    "TableCodec",
    "TonedCodec",
    "codec_for",
]


class Kind(NamedTuple):
    """The axes of a kind's values, people first, its codec, a class or ``module:class``, and how many sides it shows.

    Of a kind that shows several sides of a body the channels come in so many groups of the same size.
    """

    axes: str
    codec: type[Codec] | str
    sides: int = 1

    @property
    def n_axes(self) -> int:
        """2 for tables, 3 for series, 4 for images."""
        return self.axes.count(",") + 1


KINDS: dict[str, Kind] = {
    "table": Kind("(n, columns)", "mmcrl.kinds.tables:TableCodec"),
    "observed": Kind("(n, columns)", "mmcrl.kinds.tables:ObservedCodec"),
    "series": Kind("(n, channels, time)", "mmcrl.kinds.series:SeriesCodec"),
    "image": Kind("(n, channels, height, width)", "mmcrl.kinds.images:ImageCodec"),
    "image-toned": Kind("(n, channels, height, width)", "mmcrl.kinds.tones:TonedCodec"),
    "image-sides": Kind("(n, channels, height, width)", "mmcrl.kinds.sides:SidesCodec", 2),
    "image-resnet18": Kind("(n, channels, height, width)", "mmcrl.kinds.backbones:ResNetCodec"),
}

_HOME = {
    "Codec": "mmcrl.kinds.codec",
    "ImageCodec": "mmcrl.kinds.images",
    "ObservedCodec": "mmcrl.kinds.tables",
    "ResNetCodec": "mmcrl.kinds.backbones",
    "SeriesCodec": "mmcrl.kinds.series",
    "SidesCodec": "mmcrl.kinds.sides",
    "TableCodec": "mmcrl.kinds.tables",
    "TonedCodec": "mmcrl.kinds.tones",
}


def codec_for(kind: str) -> type[Codec]:
    """The codec of a kind.

    Raises
    ------
    InputError : for a kind that is not registered, and one whose codec cannot be imported or is none.

    >>> codec_for("table").__name__
    'TableCodec'
    """
    if kind not in KINDS:
        raise InputError("kind", f"one of {', '.join(KINDS)}", repr(kind))
    codec = found = KINDS[kind].codec
    try:
        if isinstance(codec, str):
            module, _, name = codec.partition(":")
            found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError("kind", f"module:class of the codec of {kind}", f"{codec!r}: {error}") from error
    from mmcrl.kinds.codec import Codec  # loads torch

    if not (isinstance(found, type) and issubclass(found, Codec)):
        raise InputError("kind", f"a Codec as the codec of {kind}", repr(codec))
    return found


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'mmcrl.kinds' has no attribute {name!r}")
