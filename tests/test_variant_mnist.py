"""Variant MNIST: the graph is in the latents, the latents are in the pictures, and nothing else is."""

from functools import partial

import networkx as nx
import numpy as np
import pytest

from mmcrl import InputError, simulate
from mmcrl.simulate import World
from mmcrl.simulate.canvas import lit, long_side, place, resized, rgb
from mmcrl.simulate.glyphs import Glyphs, load_glyphs
from mmcrl.simulate.variant import LATENTS, depict

RIGHT, CLEAR, DOWN, GREY = range(4)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate.variant_mnist(3000, seed=1, source="digits", size=16)


@pytest.fixture(scope="module")
def glyphs() -> Glyphs:
    return load_glyphs("digits")


def explained(target: np.ndarray, *regressors: np.ndarray) -> float:
    """Share of the target that a quadratic regression explains."""
    x = np.column_stack([np.ones(len(target)), *regressors, *(r**2 for r in regressors)])
    residual = target - x @ np.linalg.lstsq(x, target, rcond=None)[0]
    return float(1 - residual.var() / target.var())


def centre(images: np.ndarray, axis: int) -> np.ndarray:
    """Centre of mass of images (n, channels, height, width) along an axis, from the middle of the canvas."""
    mass = images.astype(float).sum(axis=tuple({1, 2, 3} - {axis}))
    at = np.arange(mass.shape[1]) - (mass.shape[1] - 1) / 2
    return np.asarray((mass * at).sum(1) / mass.sum(1))


def brightness(images: np.ndarray) -> np.ndarray:
    """Mean brightness of what is drawn, of the channel that is brightest."""
    images = images.astype(float)
    return np.asarray(((images**2).sum((2, 3)) / np.maximum(images.sum((2, 3)), 1e-9)).max(1))


# The graph


def test_the_graph_is_the_papers(world: World) -> None:
    links = {("digit.0", "digit.1"), ("digit.0", "item.0"), ("item.0", "item.1")}
    exported = world.adjacency
    assert {(s, t) for t in exported.index for s in exported.columns if exported.loc[t, s]} == links
    assert nx.is_directed_acyclic_graph(nx.from_numpy_array(exported.to_numpy().T, create_using=nx.DiGraph))
    assert list(exported.index) == [f"{name}.{i}" for name, i in world.latents.columns] == list(LATENTS)
    assert world.n_latents == {"digit": 2, "item": 2} == world.cohort.n_latents


def test_links_are_dependences_and_all_else_is_independent_given_the_causes(world: World) -> None:
    eps = np.random.default_rng(0).laplace(size=(20_000, 4)) / np.sqrt(2)
    z = world.mechanisms.solve(eps).T
    links = world.adjacency.to_numpy().astype(bool)
    for target, source in np.argwhere(links):
        assert explained(z[target], z[source]) > 0.6
    noise = world.mechanisms.noise_of(z.T).T
    for i in range(4):
        for j in set(range(i)) - set(np.flatnonzero(links[i])):
            curved = [noise[i], np.abs(noise[i] - 0.3), z[j], np.tanh(z[j] + 0.7)]
            assert np.abs(np.corrcoef(curved)[:2, 2:]).max() < 0.04, (i, j)


def test_noise_moves_descendants_only(world: World) -> None:
    eps = world.mechanisms.noise_of(world.latents.to_numpy())
    descendants = {
        RIGHT: {RIGHT, CLEAR, DOWN, GREY},
        CLEAR: {CLEAR},
        DOWN: {DOWN, GREY},
        GREY: {GREY},
    }
    assert np.allclose(world.mechanisms.solve(eps), world.latents)
    for latent, expected in descendants.items():
        pushed = eps.copy()
        pushed[:, latent] += 0.5
        moved = np.abs(world.mechanisms.solve(pushed) - world.latents.to_numpy()).max(0) > 1e-6
        assert set(np.flatnonzero(moved)) == expected


def test_every_mechanism_has_noise_and_latents_are_standardised() -> None:
    world = simulate.variant_mnist(20_000, source="digits", size=8)
    z = world.latents.to_numpy()
    assert np.abs(z.mean(0)).max() < 0.05
    assert np.abs(z.std(0) - 1).max() < 0.05
    for target, source in ((CLEAR, RIGHT), (DOWN, RIGHT), (GREY, DOWN)):
        assert 0.6 < explained(z[:, target], z[:, source]) < 0.85
    colours, counts = np.unique(world.cohort["digit"].values.sum((2, 3)).argmax(1), return_counts=True)
    assert list(colours) == [0, 1, 2] and np.abs(counts / len(z) - 1 / 3).max() < 0.02


# The pictures


def test_positions_are_the_centres_of_mass(world: World) -> None:
    z = np.tanh(world.latents.to_numpy() / 3) * 16 / 4
    digit, item = world.cohort["digit"].values, world.cohort["item"].values
    assert digit.shape == (3000, 3, 16, 26) and item.shape == (3000, 1, 26, 16)
    assert digit.dtype == item.dtype == np.float32
    assert min(digit.min(), item.min()) >= 0 and max(digit.max(), item.max()) <= 1
    assert np.abs(centre(digit, 3) - z[:, RIGHT]).max() < 0.02
    assert np.abs(centre(item, 2) - z[:, DOWN]).max() < 0.02


def test_brightness_tells_transparency_and_grey(world: World) -> None:
    u = np.tanh(world.latents.to_numpy() / 3)
    digit, item = world.cohort["digit"].values, world.cohort["item"].values
    assert np.abs(brightness(digit) - (0.375 - 0.225 * u[:, CLEAR])).max() < 0.01
    assert np.abs(brightness(item) - (0.375 + 0.225 * u[:, GREY])).max() < 0.01


def test_colours_are_red_green_and_blue_and_no_latents_business(world: World) -> None:
    light = world.cohort["digit"].values.sum((2, 3))
    second = np.sort(light / light.max(1, keepdims=True), 1)[:, 1]
    assert (second <= 0.31).all() and second.std() > 0.05
    each = np.eye(3)[light.argmax(1)]
    for moment in (world.latents.to_numpy(), world.latents.to_numpy() ** 2):
        assert np.abs(np.corrcoef(each.T, moment.T)[:3, 3:]).max() < 0.06
    assert np.allclose(rgb(np.array([0, 1 / 3, 2 / 3, 1 / 6])), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])


def test_one_latent_moves_and_the_rest_stay(glyphs: Glyphs) -> None:
    seen = {"hue": None, "right": RIGHT, "clear": CLEAR, "down": DOWN, "grey": GREY}
    for latent in range(4):
        z = np.zeros((7, 4))
        z[:, latent] = np.linspace(-1.1, 1.1, 7)
        drawn = depict(z, np.full(7, 3), glyphs, size=24)
        red, green, blue = drawn.digit.sum((2, 3)).astype(float).T
        told = {
            "hue": np.unwrap(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)),
            "right": centre(drawn.digit, 3),
            "clear": -brightness(drawn.digit),
            "down": centre(drawn.item, 2),
            "grey": brightness(drawn.item),
        }
        for name, values in told.items():
            if seen[name] == latent:
                assert (np.diff(values) > 0).all(), name
            else:
                assert np.ptp(values) < 0.01, name


def test_glyphs_are_private_and_each_is_used_once_before_one_is_used_twice(glyphs: Glyphs) -> None:
    drawn = depict(np.zeros((899, 4)), np.arange(899), glyphs, size=8).digit.max(1)
    shapes = (drawn / drawn.max((1, 2), keepdims=True)).round(4)
    assert len(np.unique(shapes.reshape(899, -1), axis=0)) == len(np.unique(glyphs.digit, axis=0))
    again = depict(np.zeros((2, 4)), np.array([5, 5 + 899]), glyphs, size=8).digit.max(1)
    assert np.allclose(*again, atol=1e-6)
    other = depict(np.zeros((1, 4)), np.array([5]), glyphs, seed=1, size=8).digit.max(1)
    assert not np.allclose(other[0], again[0], atol=1e-3)


@pytest.mark.parametrize("size", [8, 24, 28, 64])
def test_a_shifted_glyph_keeps_its_light_and_its_centre(glyphs: Glyphs, size: int) -> None:
    offset = np.linspace(-size / 4, size / 4, 20)
    placed = place(resized(glyphs.digit[:20], size), offset)
    assert placed.shape == (20, size, long_side(size))
    assert np.abs(centre(placed[:, None], 3) - offset).max() < 1e-3
    assert np.allclose((placed**2).sum((1, 2)), placed.sum((1, 2)), rtol=1e-4)
    assert (lit(np.zeros((2, 3, 3), dtype=np.float32)) == 0).all()


# Who depends on what


def test_nobody_depends_on_how_many_there_are_and_the_seed_decides() -> None:
    make = partial(simulate.variant_mnist, source="digits", size=8)
    few, again, more, other = make(100, 1), make(100, 1), make(2500, 1), make(100, 2)
    assert few.latents.equals(again.latents) and more.latents.iloc[:100].equals(few.latents)
    assert not np.allclose(other.latents, few.latents)
    for name in ("digit", "item"):
        assert np.array_equal(few.cohort[name].values, again.cohort[name].values)
        assert np.array_equal(few.cohort[name].values, more.cohort[name].values[:100])
        assert not np.array_equal(few.cohort[name].values, other.cohort[name].values)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"n": 99}, "n:"),
        ({"n": 200.0}, "n:"),
        ({"seed": -1}, "seed"),
        ({"source": "cifar"}, "source"),
        ({"size": 7}, "size"),
        ({"size": True}, "size"),
        ({"strength": 1.0}, "strength"),
        ({"strength": "much"}, "strength"),
        ({"strength": float("nan")}, "strength"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, name: str) -> None:
    with pytest.raises(InputError, match=name):
        simulate.variant_mnist(**{"n": 100, "source": "digits", **arguments})


def test_latents_of_another_shape_are_refused(glyphs: Glyphs) -> None:
    with pytest.raises(InputError, match=r"latents: expected finite numbers of shape \(3, 4\)"):
        depict(np.zeros((3, 5)), np.arange(3), glyphs)
