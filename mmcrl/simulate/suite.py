"""Suite: the synthetic worlds that the proof is run on, by name.

Every world has ``n`` people to learn from and `HELD_OUT` more whom no fit sees.  `mmcrl.simulate` lists modalities
causes first; here the cohort's order is drawn at random, so that the order tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from mmcrl.cohort import Cohort
from mmcrl.errors import InputError
from mmcrl.simulate import World, case, numeric, undecidable, variant_mnist

__all__ = ["HELD_OUT", "WORLDS", "parts", "suite"]

HELD_OUT = 2_500  # people of every world whom no fit sees
_POSSIBLE = 9  # cross-modal links between two modalities of three latents
_TRIES = 200


def _sparsity(n: int, seed: int, density: float) -> World:
    """Case 2's shape with this share of its possible links; every latent has one.

    Only a third and two thirds leave no latent nested in a sibling; at other shares some are.
    """
    free = round(density * _POSSIBLE) in (_POSSIBLE // 3, 2 * _POSSIBLE // 3)
    settings = {"graph": "random", "density": density, "nested": not free, "n_columns": 20}
    for drawn in range(seed, seed + 1000 * _TRIES, 1000):
        links = numeric(2, 3, 50, drawn, **settings).adjacency.to_numpy()  # type: ignore[arg-type]
        if ((links + links.T).sum(0) > 0).all():
            return numeric(2, 3, n, drawn, **settings)  # type: ignore[arg-type]
    raise InputError("value", "a density at which every latent can have a link", f"{density:g}")


def _of_size(modalities: int) -> Callable[[int, int, float], World]:
    return lambda n, seed, _: numeric(modalities, 2, n, seed, n_columns=30)


WORLDS: Mapping[str, Callable[[int, int, float], World]] = {
    "case-1": lambda n, seed, _: case(1, n, seed),
    "case-2": lambda n, seed, _: case(2, n, seed),
    "case-3": lambda n, seed, _: case(3, n, seed),
    "modalities-5": _of_size(5),
    "modalities-6": _of_size(6),
    "modalities-8": _of_size(8),
    "dense-5": lambda n, seed, _: numeric(5, 2, n, seed, n_columns=30, graph="dense"),
    "random-5": lambda n, seed, _: numeric(5, 2, n, seed, n_columns=30, graph="random"),
    "cyclic-within": lambda n, seed, _: numeric(4, 2, n, seed, n_columns=30, cycles="within"),
    "cyclic-across": lambda n, seed, _: numeric(4, 2, n, seed, n_columns=30, cycles="across"),
    "shared-2": lambda n, seed, _: numeric(2, 2, n, seed, n_columns=15, shared=1, shared_by=2),
    "shared-3": lambda n, seed, _: numeric(3, 2, n, seed, n_columns=20, shared=1, shared_by=3),
    "shared-linked": lambda n, seed, _: numeric(3, 2, n, seed, n_columns=20, shared=1, shared_by=2),
    "gaussian": lambda n, seed, _: undecidable(n=n, seed=seed),
    "gaussian-curved": lambda n, seed, _: case(1, n, seed, noise="gaussian", heteroscedasticity=0.0),
    "nested": lambda n, seed, _: numeric(2, 2, n, seed, graph="random", density=0.75, nested=True),
    "siblings": lambda n, seed, _: case(1, n, seed, within=0.6),
    "sparsity": _sparsity,
    "people": lambda n, seed, _: case(3, n, seed),
    "missing": lambda n, seed, value: case(3, n, seed, missing=value),
    "latents": lambda n, seed, value: numeric(3, int(value), n, seed, n_columns=20),
    "modalities": lambda n, seed, value: numeric(int(value), 2, n, seed, n_columns=30),
    "variant-mnist": lambda n, seed, _: variant_mnist(n, seed, "mnist"),
    "variant-digits": lambda n, seed, _: variant_mnist(n, seed, "digits"),
}
_NEED_A_VALUE = {
    "sparsity": "the share of the possible links",
    "people": "the number of people",
    "latents": "latents per modality",
    "modalities": "the number of modalities",
}


def suite(name: str, n: int = 10_000, seed: int = 0, value: float | None = None) -> World:
    """A world of the suite with ``n + HELD_OUT`` people; `parts` divides them.

    Parameters
    ----------
    name : one of `WORLDS`.
    n : people to learn from.
    seed : of the world, its people, and the order of its modalities.
    value : what the name leaves open: of ``sparsity`` the share of possible links in two modalities of three
        latents, of ``people`` the number n, of ``latents`` those per modality, of ``modalities`` their number, of
        ``missing`` the share of modalities that are missing (none when left out).

    Raises
    ------
    InputError : for an unknown name, a value that is missing where the name needs one, and ``variant-mnist`` without
        the files of MNIST.

    >>> suite("case-3", n=200, seed=1).cohort.names
    ['d', 'b', 'c', 'a']
    """
    if name not in WORLDS:
        raise InputError("name", f"one of {', '.join(WORLDS)}", repr(name))
    if name in _NEED_A_VALUE and (value is None or not value > 0):
        raise InputError("value", f"{_NEED_A_VALUE[name]} of {name}", repr(value))
    people = int(value) if name == "people" and value else n
    world = WORLDS[name](people + HELD_OUT, seed, value or 0.0)
    order = np.random.default_rng([seed, 7]).permutation(world.cohort.names)
    shuffled = {str(modality): world.cohort[str(modality)] for modality in order}
    return replace(world, cohort=Cohort(shuffled, ids=world.cohort.ids, name=f"{name}, seed {seed}"))


def parts(world: World) -> tuple[Cohort, Cohort]:
    """The people to learn from, and those held out."""
    at = np.arange(len(world.cohort))
    return world.cohort.take(at[:-HELD_OUT]), world.cohort.take(at[-HELD_OUT:])
