"""Fundus: photographs of the backs of both eyes, whose vessels and media follow two latents.

    image = media(eye.1) applied to [ground x texture x macula, disc over it] exp(-absorption x blood(eye.0))

Both eyes of a person show the same latents, so they are six channels of one modality: red, green, blue of the left
eye, then of the right.  As two modalities they would be copies of each other, and the only link worth finding would
be that between the copies.  Each eye has its own tree of vessels, disc, texture, aim and light; the colour of the
ground (the choroid's pigment) is the person's.  None of these depends on a latent.
Sources: vessels' absorption and reflex, Brinchmann-Hansen and Heier, Theoretical relations between light streak
characteristics and optical properties of retinal vessels (1986); the yellowing lens, van de Kraats and van Norren,
Optical density of the aging human ocular media (2007), 10.1364/JOSAA.24.001842.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from mmcrl.simulate.phenotyping.chance import bounded
from mmcrl.simulate.phenotyping.vessels import Vasculature, blood

__all__ = ["CHANNELS", "photograph"]

CHANNELS = [f"{side}_{colour}" for side in ("left", "right") for colour in ("red", "green", "blue")]

_FIELD = 0.97  # radius of the field of view
_DISC, _FOVEA = np.array([0.50, 0.04]), np.array([-0.20, -0.05])  # of a right eye
_DARK, _FAIR = np.array([0.56, 0.25, 0.10]), np.array([0.86, 0.47, 0.25])  # grounds rich and poor in pigment
_RIM, _CUP = np.array([0.97, 0.78, 0.50]), np.array([1.0, 0.93, 0.74])
_ARTERY, _VEIN = np.array([0.18, 0.62, 0.48]), np.array([0.50, 1.00, 0.66])  # absorption in red, green, blue
_YELLOW = np.array([0.02, 0.13, 0.60])  # absorption of an old lens
_VEIL = np.array([0.66, 0.52, 0.34])  # light that a cloudy lens scatters


def photograph(rng: np.random.Generator, z: np.ndarray, size: int) -> np.ndarray:
    """Images (m, 6, size, size) in [0, 1] of the people with these eye latents (m, 2)."""
    m = len(z)
    latents = np.repeat(bounded(z), 2, axis=0)  # left eye, right eye of each person
    private, pigment = rng.normal(size=(2 * m, 12)), np.repeat(rng.random(m), 2)
    eyes = _vasculature(latents[:, 0], private)
    texture = _texture(rng, 2 * m, size)
    image = _ground(eyes, texture, pigment, private, size)
    image *= _absorbed(blood(rng, eyes, size))
    image = _through_media(image, latents[:, 1], size)
    image += 0.006 * rng.standard_normal((2 * m, 1, size, size), dtype=np.float32)
    image = np.clip(image, 0, 1) * _mask(size)
    image[::2] = image[::2, :, :, ::-1]
    return image.reshape(m, 6, size, size)


def _vasculature(ageing: np.ndarray, private: np.ndarray) -> Vasculature:
    rotation = 0.07 * private[:, 0]
    turn = np.stack([np.cos(rotation), -np.sin(rotation), np.sin(rotation), np.cos(rotation)], -1).reshape(-1, 2, 2)
    aim = 0.025 * private[:, 1:3]
    return Vasculature(
        arteries=np.exp(-0.30 * ageing + 0.04 * private[:, 3]),
        veins=np.exp(-0.11 * ageing + 0.04 * private[:, 4]),
        winding=0.30 * np.exp(0.38 * ageing + 0.08 * private[:, 5]),
        density=0.5 - 0.23 * ageing + 0.03 * private[:, 6],
        wiring=np.exp(0.40 * ageing),
        disc=turn @ _DISC + aim,
        fovea=turn @ _FOVEA + aim,
        rotation=rotation,
    )


def _ground(
    eyes: Vasculature, texture: np.ndarray, pigment: np.ndarray, private: np.ndarray, size: int
) -> np.ndarray:
    """The retina without its vessels (m, 3, size, size)."""
    x, y = _grid(size)
    colour = _DARK + (_FAIR - _DARK) * pigment[:, None]
    light = np.exp(0.06 * private[:, 7, None, None]) * (1.06 - 0.34 * (x**2 + y**2))
    light = light * (1 + 0.06 * (private[:, 8, None, None] * x + private[:, 9, None, None] * y))
    streaks = 1 + (0.025 + 0.04 * pigment[:, None, None]) * texture
    image = (colour[:, :, None, None] * (light * streaks)[:, None]).astype(np.float32)
    macula = _distance(eyes.fovea, size)
    dark = 0.30 * np.exp(-((macula / 0.24) ** 2)) + 0.22 * np.exp(-((macula / 0.085) ** 2))
    image *= 1 - dark[:, None] * np.array([0.75, 1.0, 1.15])[:, None, None]
    image += (0.10 * np.exp(-((macula / 0.018) ** 2)))[:, None]
    radius = 0.142 * np.exp(0.06 * private[:, 10, None, None])
    edge = _distance(eyes.disc, size, stretch=0.94) / radius
    image *= 1 + 0.10 * _soft(edge - 1.35, 0.22)[:, None]
    cup_radius = np.clip(0.42 + 0.10 * private[:, 11, None, None], 0.2, 0.75)
    rim, cup = _soft(edge - 1, 0.075)[:, None], _soft(edge - cup_radius, 0.10)
    disc = _RIM[:, None, None] + (_CUP - _RIM)[:, None, None] * cup[:, None]
    image += rim * (disc * (0.75 + 0.25 * light[:, None]) - image)
    return image.astype(np.float32)


def _absorbed(maps: np.ndarray) -> np.ndarray:
    """Light left (m, 3, size, size) behind arteries and veins, their reflexes given back."""
    artery, vein, reflex = (np.minimum(maps[:, [layer]], 1.3) for layer in range(3))
    depth = artery * _ARTERY[:, None, None] + vein * _VEIN[:, None, None]
    return np.exp(-0.85 * depth + 0.20 * np.minimum(reflex, 1.6)).astype(np.float32)


def _through_media(image: np.ndarray, clouding: np.ndarray, size: int) -> np.ndarray:
    """The image through a lens that yellows, scatters and blurs the more the larger the latent."""
    share = (1 / (1 + np.exp(-0.9 * clouding)))[:, None, None, None]
    blurred = gaussian_filter(image, (0, 0, 0.022 * size, 0.022 * size))
    seen = image + 0.75 * share * (blurred - image)
    seen = seen + 0.46 * share * (0.85 * _VEIL[:, None, None] - seen)
    density = (0.55 + 0.32 * clouding)[:, None, None, None]
    return (seen * np.exp(-density * _YELLOW[:, None, None])).astype(np.float32)


def _texture(rng: np.random.Generator, m: int, size: int) -> np.ndarray:
    """Mottling of the choroid (m, size, size): coarse and fine random surfaces, the fine one in radial streaks."""
    total = np.zeros((m, size, size))
    for knots, weight in ((6, 0.7), (14, 0.7), (32, 0.8)):
        basis = _spline(knots, size)
        total += weight * (basis @ rng.normal(size=(m, knots, knots)) @ basis.T)
    return total


def _spline(knots: int, size: int) -> np.ndarray:
    """Cubic B-splines (size, knots) of unit energy: random coefficients give a smooth surface of any resolution."""
    place = (np.arange(size) + 0.5) / size * (knots - 1)
    distance = np.abs(place[:, None] - np.arange(knots))
    near, far = 4 - 6 * distance**2 + 3 * distance**3, np.maximum(2 - distance, 0) ** 3
    weights = np.where(distance < 1, near, far) / 6
    return weights / np.sqrt((weights**2).sum(1, keepdims=True))


def _soft(distance: np.ndarray, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(np.clip(distance / width, -30, 30)))


def _distance(centre: np.ndarray, size: int, stretch: float = 1.0) -> np.ndarray:
    x, y = _grid(size)
    return np.hypot((x - centre[:, 0, None, None]) / stretch, y - centre[:, 1, None, None])


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    at = (np.arange(size) + 0.5) / size * 2 - 1
    return at[None, :], -at[:, None]


def _mask(size: int) -> np.ndarray:
    """The round field of view, its edge one pixel wide."""
    x, y = _grid(size)
    return np.clip((_FIELD - np.hypot(x, y)) * size / 2 + 0.5, 0, 1).astype(np.float32)
