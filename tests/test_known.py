"""Known links against hand-made found ones."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort
from mmcrl.errors import InputError
from mmcrl.known import between_columns, compare

LOADINGS = pd.DataFrame(
    [
        ("demographics", "demographics.0", "age", 1.0),
        ("demographics", "demographics.0", "female", 0.35),
        ("demographics", "demographics.1", "age", 0.35),
        ("demographics", "demographics.1", "female", 1.0),
        ("body", "body.0", "bmi", -0.9),
        ("body", "body.1", "bmi", 0.4),
        ("blood", "blood.0", "hba1c", 0.8),
        ("blood", "blood.1", "hba1c", 0.1),
    ],
    columns=["modality", "latent", "column", "loading"],
)


def links(*rows):
    columns = ["source", "target", "direction", "sign", "confidence", "evidence"]
    return pd.DataFrame(rows, columns=columns)


def known(source, target, sign):
    return pd.DataFrame([(source, target, sign, "a book")], columns=["source", "target", "sign", "rests_on"])


def test_a_link_without_a_sign_has_that_of_its_effect_on_the_column():
    found = links(("body.0", "blood.0", "directed", 0, 0.9, 0.1))
    told = ["source", "target", "column", "effect", "low", "high"]
    on_target = [
        ("body.0", "blood.0", "blood.other", 0.9, 0.8, 1.0),
        ("body.0", "blood.0", "blood.hba1c", -0.2, -0.3, -0.1),
    ]
    effects = pd.DataFrame(on_target, columns=told)
    ends = known("body.bmi", "blood.hba1c", 1)
    assert compare(found, LOADINGS, ends).iloc[0]["sign"] == 0
    row = compare(found, LOADINGS, ends, effects=effects).iloc[0]
    assert row["sign"] == 1 and row["right_sign"]  # bmi falls with body.0, and hba1c as well
    unclear = effects.assign(high=0.1)
    assert not compare(found, LOADINGS, ends, effects=unclear).iloc[0]["right_sign"]
    back = pd.DataFrame([("blood.0", "body.0", "body.bmi", 0.2, 0.1, 0.3)], columns=told)
    assert compare(found, LOADINGS, ends, effects=back).iloc[0]["sign"] == 1  # loading .8 of hba1c times +
    signed = links(("body.0", "blood.0", "directed", 1, 0.9, 0.1))
    assert compare(signed, LOADINGS, ends, effects=effects).iloc[0]["sign"] == -1


def test_sign_is_the_product_of_loadings_and_link():
    found = links(("body.0", "blood.0", "directed", -1, 0.9, 0.2))
    row = compare(found, LOADINGS, known("body.bmi", "blood.hba1c", 1)).iloc[0]
    assert row["found"] and row["right_sign"] and row["sign"] == 1
    assert (row["latent_source"], row["latent_target"]) == ("body.0", "blood.0")
    assert (row["direction"], row["confidence"], row["evidence"]) == ("expected", 0.9, 0.2)
    assert not compare(found, LOADINGS, known("body.bmi", "blood.hba1c", -1)).iloc[0]["right_sign"]


def test_a_link_found_the_other_way_round_is_told():
    row = compare(
        links(("blood.0", "body.0", "directed", 1, 0.9, 0.2)), LOADINGS, known("body.bmi", "blood.hba1c", 1)
    ).iloc[0]
    assert (row["direction"], row["sign"]) == ("reversed", -1)
    assert (row["latent_source"], row["latent_target"]) == ("body.0", "blood.0")


def test_undirected_links_count_from_either_side():
    for ends in [("body.0", "blood.0"), ("blood.0", "body.0")]:
        row = compare(links((*ends, "undirected", -1, 0.9, 0.2)), LOADINGS, known("body.bmi", "blood.hba1c", 1)).iloc[
            0
        ]
        assert row["direction"] == "undirected" and row["right_sign"]


def test_weak_loadings_carry_nothing():
    found = links(("body.0", "blood.1", "directed", 1, 1.0, 9.0))
    row = compare(found, LOADINGS, known("body.bmi", "blood.hba1c", 1)).iloc[0]
    assert not row["found"] and row["sign"] == 0 and row["latent_source"] is None
    assert compare(found, LOADINGS, known("body.bmi", "blood.hba1c", 1), loading=0.05).iloc[0]["found"]


def test_an_observed_column_is_carried_by_itself_alone():
    found = links(("demographics.1", "blood.0", "directed", 1, 1.0, 9.0))
    assert not compare(found, LOADINGS, known("demographics.age", "blood.hba1c", 1)).iloc[0]["found"]
    assert compare(found, LOADINGS, known("demographics.female", "blood.hba1c", 1)).iloc[0]["right_sign"]


def test_the_link_that_carries_most_is_taken():
    found = links(
        ("body.1", "blood.0", "directed", -1, 1.0, 5.0),
        ("body.0", "blood.0", "directed", -1, 0.8, 1.0),
    )
    row = compare(found, LOADINGS, known("body.bmi", "blood.hba1c", 1)).iloc[0]
    assert row["latent_source"] == "body.0" and row["right_sign"]


def test_below_the_confidence_nothing_is_found_but_the_candidate_is_shown():
    found = links(("body.0", "blood.0", "directed", -1, 0.4, 0.0))
    row = compare(found, LOADINGS, known("body.bmi", "blood.hba1c", 1)).iloc[0]
    assert not row["found"] and not row["right_sign"] and row["confidence"] == 0.4 and row["sign"] == 1


def test_no_links_and_no_known_links_give_whole_tables():
    assert not compare(links(), LOADINGS, known("body.bmi", "blood.hba1c", 1))["found"].any()
    assert compare(links(), LOADINGS, known("body.bmi", "blood.hba1c", 1).iloc[:0]).empty


def test_a_table_without_its_columns_is_named():
    with pytest.raises(InputError, match=r"loadings: .*none called loading"):
        compare(links(), LOADINGS.drop(columns="loading"), known("body.bmi", "blood.hba1c", 1))


@pytest.mark.parametrize(("sure", "right"), [(0.9, False), (0.2, True)])
def test_a_pair_known_to_be_unlinked_is_right_where_nothing_is_found(sure, right):
    found = links(("body.0", "blood.0", "undirected", 1, sure, 0.2))
    row = compare(found, LOADINGS, known("body.bmi", "blood.hba1c", 0)).iloc[0]
    assert row["found"] != right and row["right_sign"] == right and row["expected_sign"] == 0
    assert compare(found.iloc[:0], LOADINGS, known("body.bmi", "blood.hba1c", 0)).iloc[0]["right_sign"]


def test_what_two_columns_share_says_whether_a_cohort_can_show_their_link():
    """Correlations .4, .1 and 0: -log(1 - rho^2) / 2 nats, .087, .005 (the smallest effect itself) and none."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=4_000)
    ends = pd.DataFrame({f"y{rho}": rho * x + np.sqrt(1 - rho**2) * rng.normal(size=len(x)) for rho in (0.4, 0.1, 0)})
    asked = pd.concat([known("a.x", f"b.{name}", 1) for name in ends])
    told = between_columns(Cohort({"a": pd.DataFrame({"x": x}), "b": ends}, known=asked))
    assert told["evidence"].to_numpy() == pytest.approx([0.087, 0.005, 0], abs=0.01)
    assert told["confidence"].iloc[0] > 0.99 and (told["confidence"].iloc[1:] < 0.5).all()
