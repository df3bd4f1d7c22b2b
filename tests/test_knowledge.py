"""Knowledge: what is known goes over what is found, and a contradiction is refused before anything is trained."""

import itertools

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, InputError, MultimodalCRL, simulate
from mmcrl.adjacency import graph_of, matrix_of
from mmcrl.directions import Arrow, allowed_parents, working_directions
from mmcrl.knowledge import Knowledge
from mmcrl.links import link_table
from mmcrl.scm import StructuralModel
from mmcrl.search import separating_sets
from mmcrl.training import deterministic

NAMES = ["a.0", "a.1", "b.0", "b.1", "c.0"]


def latents(n: int = 2000) -> np.ndarray:
    """a.0 -> b.0 -> c.0 and a.1 -> b.1."""
    rng = np.random.default_rng(0)
    a0, a1, e, f, g = rng.laplace(size=(5, n))
    b0 = a0 + 0.7 * e
    return np.column_stack([a0, a1, b0, a1 + 0.7 * f, b0 + 0.7 * g])


def rows(**known: object) -> dict[frozenset[str], pd.Series]:
    table = link_table(latents(), NAMES, Knowledge(**known))
    return {frozenset((row["source"], row["target"])): row for _, row in table.iterrows()}


def ends(row: pd.Series) -> tuple[str, str, str, str]:
    return row["source"], row["target"], row["direction"], row["rests_on"]


def test_a_forbidden_way_turns_every_link_of_the_modalities():
    found = rows(forbidden=[("a", "b")])
    for a, b in itertools.product(("a.0", "a.1"), ("b.0", "b.1")):
        assert ends(found[frozenset((a, b))]) == (b, a, "directed", "forbidden")
    assert found[frozenset(("a.0", "b.0"))]["confidence"] > 0.9  # the link itself is measured


def test_a_single_latent_can_be_meant():
    found = rows(forbidden=[("a.0", "b.0")])
    assert ends(found[frozenset(("a.0", "b.0"))]) == ("b.0", "a.0", "directed", "forbidden")
    assert found[frozenset(("a.1", "b.1"))]["rests_on"] == "none"


@pytest.mark.parametrize("confidence", [0.0, 0.5])
def test_forbidden_both_ways_is_no_link_in_any_form(confidence):
    known = Knowledge(forbidden=[("a", "b"), ("b", "a")])
    table = link_table(latents(), NAMES, known)
    row = table[table["source"].eq("a.0") & table["target"].eq("b.0")].iloc[0]
    assert row["confidence"] == 0 and ends(row)[2:] == ("undirected", "forbidden") and row["evidence"] > 0.2
    matrix, graph = matrix_of(table, NAMES, confidence), graph_of(table, NAMES, confidence)
    assert not matrix.loc[["a.0", "a.1"], ["b.0", "b.1"]].to_numpy().any()
    assert not matrix.loc[["b.0", "b.1"], ["a.0", "a.1"]].to_numpy().any()
    assert not any({s[0], t[0]} == {"a", "b"} for s, t in graph.edges)
    assert matrix.loc["c.0", "b.0"] == 1


def test_a_required_link_is_the_pair_of_greatest_evidence():
    found = rows(required=[("c", "a")])
    evidence = {a: found[frozenset(("c.0", a))]["evidence"] for a in ("a.0", "a.1")}
    best = max(evidence, key=lambda a: evidence[a])
    assert found[frozenset(("c.0", best))]["confidence"] == 1.0
    assert ends(found[frozenset(("c.0", best))]) == ("c.0", best, "directed", "required")
    assert all(row["target"] != "c.0" for pair, row in found.items() if {x[0] for x in pair} == {"a", "c"})
    other = ({"a.0", "a.1"} - {best}).pop()
    assert found[frozenset(("c.0", other))]["confidence"] < 0.5


def test_a_requirement_is_fulfilled_by_a_pair_that_is_not_forbidden():
    found = rows(required=[("b", "a")], forbidden=[("b.0", "a")])
    assert ends(found[frozenset(("b.1", "a.1"))]) == ("b.1", "a.1", "directed", "required")
    assert found[frozenset(("b.0", "a.0"))]["confidence"] == 0  # one way forbidden, the other against the requirement


def test_required_both_ways_stays_undirected():
    found = rows(required=[("a.0", "b.0"), ("b.0", "a.0")], acyclic=False)
    row = found[frozenset(("a.0", "b.0"))]
    assert ends(row)[2:] == ("undirected", "required") and row["confidence"] == 1.0


def test_without_acyclicity_only_knowledge_directs():
    rng = np.random.default_rng(1)
    a, b = rng.laplace(size=(2, 2000))
    z = np.column_stack([a, b, a + b + 0.5 * rng.laplace(size=2000)])
    names = ["a.0", "b.0", "c.0"]
    assert set(link_table(z, names)["rests_on"]) == {"collider", "none"}
    table = link_table(z, names, Knowledge([["a"], ["b"]], acyclic=False))
    assert sorted(table["rests_on"]) == ["none", "none", "tier"]


def test_an_effect_of_both_ends_is_never_conditioned_on():
    z = latents()
    barred = np.zeros((5, 5), dtype=bool)
    assert separating_sets(z)[0, 4] == (2,)
    barred[[0, 4], 2] = True  # b.0 causes neither a.0 nor c.0
    assert 2 not in separating_sets(z, barred)[0, 4]


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"forbidden": [("a", "d")]}, "'d'"),
        ({"required": [("a.7", "b")]}, "'a.7'"),
        ({"required": [("b", "a")], "tiers": [["a"], ["b"]]}, "required"),
        ({"required": [("a", "b.0")], "forbidden": [("a", "b")]}, "required"),
        ({"required": [("a", "b"), ("b", "a")]}, "required"),
        ({"required": [("a.0", "b.0"), ("b", "c"), ("c", "a")]}, "no cycle"),
        ({"required": [("b", "c"), ("c", "a")], "tiers": [["a"], ["b"]]}, "no cycle"),
        ({"required": [("a", "a")]}, "required"),
    ],
)
def test_contradictions_and_unknown_names_are_refused(known, message):
    with pytest.raises(InputError, match=message):
        Knowledge(**known).limits(NAMES)


def test_what_is_no_contradiction_is_accepted():
    Knowledge(required=[("a.0", "b.0"), ("b.1", "a.1")]).limits(NAMES)
    Knowledge(required=[("a", "b"), ("b", "c"), ("c", "a")], acyclic=False).limits(NAMES)
    Knowledge(forbidden=[("a", "b"), ("b", "a")], tiers=[["a"], ["b"]]).limits(NAMES)


@pytest.mark.parametrize("given", ["a", ["ab"], [("a", "b", "c")], [("a", 1)], 3])
def test_what_is_no_pair_is_refused(given):
    with pytest.raises(InputError, match="pairs of names"):
        MultimodalCRL(2, forbidden=given)
    with pytest.raises(InputError, match="acyclic"):
        MultimodalCRL(2, acyclic=given)


def test_working_directions_break_what_was_found_before_what_is_known():
    """Found: a -> b -> c.  Known: c -> a, so one of the two found has to be turned."""
    names = ["a.0", "b.0", "c.0"]
    found = [("a.0", "b.0", "directed"), ("b.0", "c.0", "directed"), ("c.0", "a.0", "directed")]
    table = pd.DataFrame(found, columns=["source", "target", "direction"]).assign(confidence=1.0)
    barred = Knowledge(forbidden=[("a", "c")]).limits(names).barred
    arrows = working_directions(table, names, barred=barred)
    assert Arrow("c.0", "a.0", True) in arrows
    assert [arrow.decided for arrow in arrows].count(False) == 1


def test_known_ways_that_form_a_cycle_leave_a_link_out_and_in_doubt():
    names = ["a.0", "b.0", "c.0"]
    known = Knowledge(forbidden=[("b", "a"), ("c", "b"), ("a", "c")], acyclic=False)
    barred = known.limits(names).barred
    rng = np.random.default_rng(0)
    z = rng.multivariate_normal(np.zeros(3), np.full((3, 3), 0.5) + 0.5 * np.eye(3), size=3000)
    links = link_table(z, names, known)
    assert set(links["rests_on"]) == {"forbidden"} and (links["direction"] == "directed").all()
    with deterministic():
        model = StructuralModel.fit(z[:2000], z[2000:], names, links, barred=barred, steps=20)
    assert not (model.adjacency.to_numpy() & barred).any()
    doubtful = [arrow for arrow in model.arrows if not arrow.decided]
    assert len(doubtful) == 1
    assert model.doubtful({doubtful[0].source: 1.0}) == doubtful
    again = StructuralModel.restored(names, model.arrows, model.mechanisms.state_dict())
    assert np.array_equal(again.sample(20), model.sample(20))


def test_no_mechanism_goes_a_barred_way():
    arrows = [Arrow("a.0", "c.0", True), Arrow("b.0", "c.0", True)]
    barred = Knowledge(forbidden=[("b.0", "c")]).limits(NAMES).barred
    allowed = allowed_parents(arrows, NAMES, np.ones((500, 5), dtype=bool), barred)
    assert np.argwhere(allowed).tolist() == [[4, 0]]


@pytest.fixture(scope="module")
def fitted() -> tuple[Cohort, MultimodalCRL]:
    cohort = simulate.case(3, n=800, seed=0).cohort
    known = {"forbidden": [("a", "b"), ("c", "d"), ("d", "c")], "required": [("b", "c.0")]}
    return cohort, MultimodalCRL(2, starts=1, steps=30, width=16, **known).fit(cohort, progress=False)


def test_a_fitted_model_obeys_everywhere(fitted):
    _, model = fitted
    matrix, structure = model.adjacency(0.0), model.structure.adjacency
    for table in (matrix, structure, nx.to_pandas_adjacency(model.graph(0.0)).T):
        for source, target in (("a", "b"), ("c", "d"), ("d", "c")):
            assert not table.loc[table.index.str[0] == target, table.columns.str[0] == source].to_numpy().any()
    sure = model.links().query("rests_on == 'required' and confidence == 1")
    assert list(sure["target"]) == ["c.0"] and sure["source"].iloc[0].startswith("b.")


def test_knowledge_is_saved_with_the_model(fitted, tmp_path):
    _, model = fitted
    model.save(tmp_path / "model")
    assert MultimodalCRL.load(tmp_path / "model").knowledge == model.knowledge
    assert model.knowledge.required == (("b", "c.0"),)


def test_fit_refuses_a_contradiction_before_it_trains(fitted):
    cohort, _ = fitted
    model = MultimodalCRL(2, steps=10**9, required=[("b", "a")])
    tiered = Cohort(cohort.modalities, ids=cohort.ids, tiers=[["a"], ["b"]])
    with pytest.raises(InputError, match="required"):
        model.fit(tiered, progress=False)
