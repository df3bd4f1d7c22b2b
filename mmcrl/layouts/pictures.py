"""Pictures: an image file becomes channels of numbers from 0 (black) to 1 (white), in a stated size."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from mmcrl.errors import InputError
from mmcrl.layouts.layout import BulkFile

__all__ = ["read_picture"]

_COLOURS = {"red": 0, "green": 1, "blue": 2}
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # grey of a colour, ITU-R BT.601


def read_picture(file: BulkFile, colours: Sequence[str], height: int, width: int) -> np.ndarray:
    """Values (colours, height, width) of a PNG, JPEG or DICOM file.

    The whole picture is brought to that size, each value the mean of the pixels it covers; its proportions are not
    kept.  It stands as viewers show it, turned or mirrored as its EXIF orientation says.  ``grey`` is the luma
    .299 R + .587 G + .114 B; of a picture without colours every colour is its grey.

    Raises
    ------
    InputError : for a damaged file, another form, and a DICOM file of several frames.
    """
    suffix = file.path.suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg", ".dcm"):
        raise InputError(file.told, "a .png, .jpg or .dcm file", f"a {suffix or 'nameless'} file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = _dicom(file) if suffix == ".dcm" else _plain(file)
    except InputError:
        raise
    except Exception as error:  # decoders raise whatever their format's faults make them raise
        raise InputError(file.told, "a complete picture", type(error).__name__) from None
    if pixels.ndim not in (2, 3):
        raise InputError(file.told, "one picture of rows and columns", f"{pixels.ndim} axes")
    return np.stack([_resized(_in_colour(pixels, colour), height, width) for colour in colours])


def _in_colour(pixels: np.ndarray, colour: str) -> np.ndarray:
    if pixels.ndim == 2:
        return pixels
    return pixels[..., :3] @ _LUMA if colour == "grey" else pixels[..., _COLOURS[colour]]


def _resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    scaled = Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(scaled, dtype=np.float32)


def _plain(file: BulkFile) -> np.ndarray:
    with Image.open(file.path, formats=["PNG", "JPEG"]) as image:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        deep = image.mode.startswith("I")  # 16 bits a pixel
        plain = image if deep or image.mode in ("L", "RGB") else image.convert("RGB")
        return np.asarray(plain, dtype=np.float32) / (65_535 if deep else 255)


def _dicom(file: BulkFile) -> np.ndarray:
    from pydicom import dcmread
    from pydicom.pixels import pixel_array

    opened = dcmread(file.path)
    if int(opened.get("NumberOfFrames") or 1) > 1:
        raise InputError(file.told, "a DICOM file of one frame", "several")
    pixels = pixel_array(opened).astype(np.float32) / (2.0 ** int(opened.BitsStored) - 1)
    return 1 - pixels if opened.PhotometricInterpretation == "MONOCHROME1" else pixels
