"""The suite of worlds, the directions that data can decide, and the baselines by name."""

import itertools

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from mmcrl import InputError
from mmcrl.baselines import METHODS, named, pc_graph
from mmcrl.equivalence import compelled, cpdag
from mmcrl.fetch import CATALOGUE, data_folder
from mmcrl.simulate.suite import HELD_OUT, WORLDS, parts, suite

VALUES = {"sparsity": 4 / 9, "people": 300, "latents": 4, "modalities": 3}


def graph(matrix: object) -> pd.DataFrame:
    values = np.asarray(matrix)
    names = [f"{chr(97 + i)}.0" for i in range(len(values))]
    return pd.DataFrame(values, index=names, columns=names)


# The worlds


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_holds_out_people(name: str) -> None:
    if name == "variant-mnist" and not all((data_folder() / each.path).is_file() for each in CATALOGUE["mnist"]):
        pytest.skip("needs the files of MNIST: MMCRL_DATA, or python -m mmcrl fetch mnist")
    world = suite(name, 300, seed=11, value=VALUES.get(name))
    train, held_out = parts(world)
    assert (len(train), len(held_out)) == (300, HELD_OUT)
    assert not set(train.ids) & set(held_out.ids)
    assert set(world.latents.index) == set(train.ids) | set(held_out.ids)
    own = [name for name in dict.fromkeys(world.latents.columns.get_level_values(0)) if name != "shared"]
    assert sorted(world.cohort.names) == own


def test_the_order_of_modalities_tells_nothing() -> None:
    orders = [tuple(suite("case-3", 20, seed).cohort.names) for seed in range(40)]
    assert len(set(orders)) > 12
    assert all(20 > sum(order[0] == name for order in orders) > 2 for name in "abcd")
    assert suite("case-3", 20, 5).cohort.names == list(orders[5])


@pytest.mark.parametrize("links", [3, 4, 5, 6])
def test_sparsity_is_the_share_of_the_possible_links(links: int) -> None:
    adjacency = suite("sparsity", 50, 12, links / 9).adjacency.to_numpy()
    assert adjacency.sum() == links
    assert ((adjacency + adjacency.T).sum(0) > 0).all()


@pytest.mark.parametrize(("name", "value"), [("case-4", None), ("sparsity", None), ("people", 0)])
def test_a_world_that_is_not_there_is_refused(name: str, value: float | None) -> None:
    with pytest.raises(InputError):
        suite(name, 50, 0, value)


# What directions can be decided


def colliders(adjacency: np.ndarray) -> set[tuple[int, int, int]]:
    linked = adjacency | adjacency.T
    triples = itertools.product(range(len(adjacency)), itertools.combinations(range(len(adjacency)), 2))
    return {(k, i, j) for k, (i, j) in triples if adjacency[k, i] and adjacency[k, j] and not linked[i, j]}


def equivalent(adjacency: np.ndarray) -> list[np.ndarray]:
    """Every acyclic graph with the same links and the same unshielded colliders, by trying all."""
    pairs = np.argwhere(np.triu(adjacency | adjacency.T))
    found = []
    for turned in itertools.product([False, True], repeat=len(pairs)):
        other = np.zeros_like(adjacency)
        for (i, j), turn in zip(pairs, turned, strict=True):
            other[(i, j) if turn else (j, i)] = True
        acyclic = nx.is_directed_acyclic_graph(nx.from_numpy_array(other.T.astype(int), create_using=nx.DiGraph))
        if acyclic and colliders(other) == colliders(adjacency):
            found.append(other)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_compelled_edges_are_those_of_all_equivalent_graphs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(5)
    adjacency = np.tril(rng.random((5, 5)) < rng.uniform(0.3, 0.9), -1)[np.ix_(order, order)]
    everywhere = np.all(equivalent(adjacency), axis=0)
    somewhere = np.any(equivalent(adjacency), axis=0)
    assert (compelled(graph(adjacency.astype(int))).to_numpy() == everywhere).all()
    assert (cpdag(graph(adjacency.astype(int))).to_numpy() == somewhere).all()


def test_a_cycle_has_no_equivalence_class() -> None:
    with pytest.raises(InputError, match="an acyclic graph"):
        compelled(graph([[0, 1], [1, 0]]))


# PC


def chained(n: int = 4000) -> pd.DataFrame:
    """a.0 -> b.0 <- c.0, b.0 -> d.0: every edge is compelled."""
    rng = np.random.default_rng(0)
    a, c, e, f = rng.normal(size=(4, n))
    b = a + c + 0.5 * e
    columns = pd.MultiIndex.from_tuples([(name, 0) for name in "abcd"])
    return pd.DataFrame(np.column_stack([a, b, c, b + 0.7 * f]), columns=columns)


def test_pc_tells_rows_targets_and_columns_sources() -> None:
    found = pc_graph(chained())
    truth = graph([[0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]])
    assert list(found.index) == list(found.columns) == ["a.0", "b.0", "c.0", "d.0"]
    assert (found.to_numpy() == truth.to_numpy()).all()
    pair = pc_graph(chained()[[("a", 0), ("b", 0)]])
    assert pair.to_numpy().tolist() == [[0, 1], [1, 0]], "undirected fills both entries"


def test_pc_passes_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from causallearn.search.ConstraintBased import PC

    given: list[dict[str, object]] = []
    real = PC.pc
    monkeypatch.setattr(PC, "pc", lambda *args, **options: given.append(options) or real(*args, **options))
    pc_graph(chained(200))
    pc_graph(chained(200), uc_priority=2)
    assert [options["uc_priority"] for options in given] == [3, 2]
    assert given[0]["indep_test"] == "fisherz" and given[0]["stable"] is True and given[0]["uc_rule"] == 0


def test_pc_refuses_what_it_cannot_use() -> None:
    for wrong in ({"alpha": 0.0}, {"uc_priority": 5}):
        with pytest.raises(InputError):
            pc_graph(chained(200), **wrong)
    with pytest.raises(InputError, match="20 people"):
        few = chained(200)
        few.iloc[10:] = np.nan
        pc_graph(few)


# The baselines by name


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_the_same_protocol(name: str) -> None:
    world = suite("case-1", 200, 3)
    train, held_out = parts(world)
    truth = world.latents.loc[train.ids]
    method = named(name, world.n_latents, 0, truth, steps=3).fit(train)
    assert method.transform(held_out).shape == (HELD_OUT, 4)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="FastICA"):
        named("UMAP", 2, 0, pd.DataFrame())
