"""Directions: a member of the equivalence class, and the links an intervention's answer rests on."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from mmcrl.directions import Arrow, allowed_parents, doubtful_links, working_directions

NAMES = ["a.0", "b.0", "c.0", "d.0"]


def table(*rows: tuple[str, str, str]) -> pd.DataFrame:
    links = pd.DataFrame(rows, columns=["source", "target", "direction"])
    return links.assign(confidence=1.0)


def arrows(*rows: tuple[str, str, str]) -> set[tuple[str, str]]:
    return {(a.source, a.target) for a in working_directions(table(*rows), NAMES)}


def test_a_decided_direction_is_kept_and_said_to_be_decided():
    rows = table(("b.0", "a.0", "directed"), ("b.0", "c.0", "undirected"))
    found = working_directions(rows, NAMES)
    assert found[0] == Arrow("b.0", "a.0", True)
    assert not found[1].decided


def test_a_chain_gets_no_new_collider():
    """a - b - c says a and c are independent given b, whatever the order of names."""
    for middle in range(3):
        ends = [NAMES[i] for i in range(3) if i != middle]
        found = arrows(*[(NAMES[middle], end, "undirected") for end in ends])
        assert sum(target == NAMES[middle] for _, target in found) <= 1


def test_a_known_collider_is_kept_and_orients_what_follows():
    found = arrows(("a.0", "c.0", "directed"), ("b.0", "c.0", "directed"), ("c.0", "d.0", "undirected"))
    assert found == {("a.0", "c.0"), ("b.0", "c.0"), ("c.0", "d.0")}


def test_the_choice_is_always_acyclic_and_in_the_class_of_random_graphs():
    """Take a DAG, forget all directions but those of its colliders: skeleton and colliders come back."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        order = rng.permutation(4)
        dag = {(NAMES[order[i]], NAMES[order[j]]) for i in range(4) for j in range(i + 1, 4) if rng.random() < 0.5}
        into = {(s, t) for s, t in dag if any(unshielded(s, t, other, dag) for other in NAMES)}
        rows = [(*sorted(x), "undirected") if x not in into else (*x, "directed") for x in sorted(dag)]
        found = arrows(*rows)
        assert nx.is_directed_acyclic_graph(nx.DiGraph(sorted(found)))
        assert {frozenset(x) for x in found} == {frozenset(x) for x in dag}
        assert {(s, t) for s, t in found if any(unshielded(s, t, other, found) for other in NAMES)} == into


def unshielded(source: str, target: str, other: str, graph: set[tuple[str, str]]) -> bool:
    married = {(source, other), (other, source)} & graph
    return other != source and (other, target) in graph and not married


def test_decided_links_in_a_cycle_lose_one_decision_and_no_more():
    rows = table(("a.0", "b.0", "directed"), ("b.0", "c.0", "directed"), ("c.0", "a.0", "directed"))
    found = working_directions(rows, NAMES)
    assert nx.is_directed_acyclic_graph(nx.DiGraph([(a.source, a.target) for a in found]))
    assert [a.decided for a in found].count(False) == 1


def test_links_that_are_not_confident_are_left_out():
    rows = table(("a.0", "b.0", "directed"), ("b.0", "c.0", "directed")).assign(confidence=[0.9, 0.2])
    assert [(a.source, a.target) for a in working_directions(rows, NAMES)] == [("a.0", "b.0")]


def test_a_parent_hardly_measured_together_is_left_out():
    measured = np.ones((1000, 4), dtype=bool)
    measured[:950, 1] = False
    chosen = [Arrow("a.0", "c.0", True), Arrow("b.0", "c.0", True)]
    assert allowed_parents(chosen, NAMES, measured)[2].tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("acted_on", "doubtful"),
    [
        (["a.0"], [("b.0", "c.0")]),  # a -> b - c
        (["b.0"], [("b.0", "c.0")]),
        (["c.0"], [("b.0", "c.0")]),
        (["d.0"], []),
        (["b.0", "c.0"], []),
    ],
)
def test_what_an_effect_depends_on_is_named(acted_on, doubtful):
    graph = [Arrow("a.0", "b.0", True), Arrow("b.0", "c.0", False), Arrow("d.0", "a.0", True)]
    if acted_on == ["d.0"]:
        graph = [Arrow("a.0", "d.0", True), Arrow("b.0", "c.0", False)]
    assert [(a.source, a.target) for a in doubtful_links(graph, acted_on)] == doubtful
