"""Routes: chains are told; known common causes, pairs with a link and pairs without anything are not."""

import numpy as np
import pandas as pd
import pytest

from mmcrl.errors import InputError
from mmcrl.knowledge import Knowledge
from mmcrl.known import compare
from mmcrl.links import link_table
from mmcrl.routes import route_table

N = 3_000
RNG = np.random.default_rng(0)


def noise():
    return RNG.normal(size=N)


def table(**columns):
    return pd.DataFrame({name.replace("_", "."): values for name, values in columns.items()})


def links(*ends, direction="directed"):
    rows = [(source, target, direction, "none", 1.0) for source, target in ends]
    return pd.DataFrame(rows, columns=["source", "target", "direction", "rests_on", "confidence"])


def test_a_chain_is_told_in_its_direction_alone_with_its_sign():
    a = noise()
    k = a + 0.5 * noise()
    z = table(a_0=a, k_0=k, b_0=0.5 * noise() - k)
    found = route_table(links(("a.0", "k.0"), ("k.0", "b.0")), z)
    row = found.iloc[0]
    assert len(found) == 1 and (row["source"], row["target"], row["through"], row["sign"]) == (
        "a.0",
        "b.0",
        "k.0",
        -1,
    )
    assert row["alone"] > 0.3 and abs(row["left"]) < 0.005


def test_a_known_common_cause_is_no_route_and_an_undirected_one_may_be_either_way():
    k = noise()
    z = table(a_0=k + 0.5 * noise(), k_0=k, b_0=k + 0.5 * noise())
    assert route_table(links(("k.0", "a.0"), ("k.0", "b.0")), z).empty
    open_ended = route_table(links(("k.0", "a.0"), ("k.0", "b.0"), direction="undirected"), z)
    assert set(zip(open_ended["source"], open_ended["target"], strict=True)) == {("a.0", "b.0"), ("b.0", "a.0")}


def test_two_ways_side_by_side_are_told_together():
    a = noise()
    k, m = a + 0.5 * noise(), a + 0.5 * noise()
    z = table(a_0=a, k_0=k, m_0=m, b_0=k + m + 0.5 * noise())
    found = route_table(links(("a.0", "k.0"), ("a.0", "m.0"), ("k.0", "b.0"), ("m.0", "b.0")), z)
    assert found[["source", "target", "through"]].values.tolist() == [["a.0", "b.0", "k.0, m.0"]]


def test_no_route_where_there_is_a_link_or_something_is_left_or_nothing_goes_together():
    a, b = noise(), noise()
    k = a + 0.5 * noise()
    chain = links(("a.0", "k.0"), ("k.0", "b.0"))
    direct = table(a_0=a, k_0=k, b_0=k + a + 0.5 * noise())
    assert route_table(chain, direct).empty  # the link of a and b was missed, and no k accounts for it
    assert route_table(pd.concat([chain, links(("a.0", "b.0"))]), direct).empty
    cancelled = table(a_0=a, k_0=k, b_0=b)
    assert route_table(chain, cancelled).empty
    with pytest.raises(InputError, match="confidence"):
        route_table(chain, direct, confidence=2)


def test_who_lacks_a_modality_is_left_out():
    a = noise()
    k = a + 0.5 * noise()
    z = table(a_0=a, k_0=np.where(RNG.random(N) < 0.3, np.nan, k), b_0=k + 0.5 * noise())
    assert len(route_table(links(("a.0", "k.0"), ("k.0", "b.0")), z)) == 1


def test_a_known_link_may_go_by_way_of_another_latent():
    sex = (RNG.random(N) < 0.5).astype(float)
    frame = 1.5 * sex + noise()
    z = table(who_0=sex, body_0=frame, lungs_0=frame + 0.5 * noise())
    found = link_table(z.to_numpy(), list(z), Knowledge(tiers=[["who"], ["body", "lungs"]]))
    columns = [("who", "who.0", "male", 1.0), ("lungs", "lungs.0", "fev1", -0.8), ("body", "body.0", "height", 0.9)]
    loadings = pd.DataFrame(columns, columns=["modality", "latent", "column", "loading"])
    known = pd.DataFrame(
        [("who.male", "lungs.fev1", -1, "a book"), ("who.male", "lungs.fev1", 1, "a wrong book")],
        columns=["source", "target", "sign", "rests_on"],
    )
    without = compare(found, loadings, known)
    assert not without["found"].any() and without["by_way_of"].isna().all() and not without["right_way"].any()
    told = compare(found, loadings, known, routes=route_table(found, z))
    assert told["by_way_of"].tolist() == ["body.0"] * 2 and told["right_way"].tolist() == [True, False]
    assert not told["right_sign"].any()  # a route is told beside the links found, not among them


def test_what_few_people_have_is_no_way():
    """a acts on b itself; k is known of fifteen people, of whom nothing can be said."""
    a = noise()
    k = a + noise()
    k[15:] = np.nan
    z = table(a_0=a, k_0=k, b_0=a + noise())
    assert route_table(links(("a.0", "k.0"), ("k.0", "b.0")), z).empty
