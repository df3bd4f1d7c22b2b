"""Modality and Cohort: what they keep, what they refuse and how they say it."""

import numpy as np
import pandas as pd
import pytest

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 2))


def refused(text, make, *args, **kwargs):
    with pytest.raises(InputError) as error:
        make(*args, **kwargs)
    assert text in str(error.value)


def changed(values, row, column, value):
    values = np.array(values)
    values[row, column] = value
    return values


@pytest.mark.parametrize(("shape", "kind"), [((9, 2), "table"), ((9, 2, 5), "series"), ((9, 1, 4, 4), "image")])
def test_kind_follows_from_the_number_of_axes(shape, kind):
    assert Modality(RNG.normal(size=shape)).kind == kind


def test_values_are_a_copy_that_cannot_be_changed():
    given = A.copy()
    modality = Modality(given)
    given[0, 0] = 99
    assert modality.values[0, 0] == A[0, 0]
    with pytest.raises(ValueError, match="read-only"):
        modality.values[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        modality.take([0, 1]).values[0, 0] = 1


@pytest.mark.parametrize(
    ("dtype", "kept"), [(np.float32, np.float32), (np.float64, np.float64), (int, float), (bool, float)]
)
def test_float32_stays_and_everything_else_becomes_float64(dtype, kept):
    assert Modality(np.array([[0, 1], [1, 0]], dtype=dtype)).values.dtype == kept


def test_binary_columns_are_recognised():
    modality = Modality(np.column_stack([[0, 1, np.nan], [0, 1, 2]]))
    assert modality.column_kinds == ["binary", "numeric"]


def test_a_person_without_any_value_is_not_measured():
    values = changed(changed(A, 3, slice(None), np.nan), 4, 0, np.nan)
    assert np.flatnonzero(~Modality(values).measured).tolist() == [3]
    series = RNG.normal(size=(5, 2, 7))
    series[1] = np.nan
    assert Modality(series).measured.tolist() == [True, False, True, True, True]


def test_dataframes_bring_names_and_ids():
    ids = pd.Index([f"p{i}" for i in range(40)], name="person")
    cohort = Cohort({"a": pd.DataFrame(A, index=ids, columns=["x", "y", "z"]), "b": B})
    assert cohort["a"].names == ["x", "y", "z"] and cohort.ids.equals(ids)
    refused("index equal to the ids", Cohort, {"a": cohort["a"], "b": pd.DataFrame(B, index=ids[::-1])})
    refused("index equal to the ids", Cohort, {"a": cohort["a"]}, ids=np.arange(40))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.zeros(3), "2, 3 or 4 axes"),
        (np.zeros((3, 0)), "without an empty axis"),
        (np.array([["1", "2"]] * 3), "values: expected numbers"),
        (pd.DataFrame({"x": [1.0, 2.0], "dose": ["1", None]}), "dose: expected numbers, got text in 1 rows"),
        (pd.DataFrame({"dose": pd.Categorical(["1", None, "1"])}), "dose: expected numbers, got text in 2 rows"),
        (np.array([[1.0, "high"], [2.0, 3.0]], dtype=object), "text in 1 rows"),
        (pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2020-01-02"])}), "day: expected numbers"),
        (np.ones((2, 2)) * 1j, "values: expected numbers"),
        ([[1, 2], [3]], "rows of equal length"),
    ],
)
def test_values_that_are_no_numbers_are_refused(values, text):
    refused(text, Modality, values)


def test_kinds_are_checked():
    refused("kind: expected one of table", Modality, A, kind="sound")
    refused("for kind 'image', got shape (40, 3)", Modality, A, kind="image")
    way_out = "got shape (40, 28, 28); an axis for its one channel is added by values[:, None]"
    refused(way_out, Modality, np.zeros((40, 28, 28)), kind="image")
    refused("column_kinds: expected each one of", Modality, B, column_kinds=["numeric", "odd"])


@pytest.mark.parametrize("held", ["int64", "float32", "Int64", "bool"])
def test_categories_of_numbers_are_numbers(held):
    values = pd.Series([1, 0, 1, None], dtype="float").astype("Int64").astype(object)
    known = pd.Index([0, 1]).astype(held)
    frame = pd.DataFrame({"grade": pd.Categorical(values.where(values.notna(), None), categories=known)})
    found = Modality(frame).values
    np.testing.assert_array_equal(found[:, 0], [1, 0, 1, np.nan])
    assert found.dtype == (np.float32 if held == "float32" else np.float64)


@pytest.mark.parametrize("name", ["", " x", "x\n", "<b>", "a" * 81])
def test_unsafe_column_names_are_refused(name):
    refused("names: expected", Modality, B, names=["fine", name])


def test_lengths_and_repeats_of_names_are_checked():
    refused("names: expected no name twice", Modality, B, names=["x", "x"])
    for argument in ("names", "units", "descriptions", "column_kinds"):
        refused(f"{argument}: expected", Modality, B, **{argument: ["numeric"]})
        refused(f"{argument}: expected", Modality, B, **{argument: "ab"})


@pytest.mark.parametrize("name", ["", "a.b", "../a", "a b", "1a", "<a>", 3, "a" * 41])
def test_unsafe_modality_names_are_refused(name):
    refused("modalities: expected names", Cohort, {name: A})


def test_structure_of_a_cohort_is_checked():
    refused("at least one modality", Cohort, {})
    refused("at least one modality", Cohort, [A])
    refused('cohort["b"]: expected 40 people as in cohort["a"], got 39', Cohort, {"a": A, "b": B[1:]})
    refused("ids: expected each id once, got 1 repeats", Cohort, {"a": A}, ids=[0, *range(39)])
    refused("ids: expected an id for everyone, got 1 missing", Cohort, {"a": A}, ids=[None, *range(39)])
    refused("ids: expected 40, one per person, got 3", Cohort, {"a": A}, ids=[1, 2, 3])
    refused('cohort["a"].values: expected 2, 3 or 4 axes', Cohort, {"a": A[:, 0]})


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (changed(A, slice(None), 1, 7.0), "y: expected values that vary, got a constant"),
        (changed(A, slice(None), 1, np.nan), "y: expected at least one value"),
        (changed(A, 5, 1, -np.inf), "y: expected finite numbers, NaN where missing, got infinite values"),
    ],
)
def test_columns_nothing_can_be_learned_from_are_refused_by_name(values, text):
    refused(f'cohort["blood"].{text}', Cohort, {"blood": Modality(values, names=["x", "y", "z"])})


def test_a_constant_channel_is_refused_and_a_false_binary_too():
    series = RNG.normal(size=(6, 2, 5))
    series[:, 1] = 3
    refused('cohort["s"].c1: expected values that vary', Cohort, {"s": series})
    refused("0 and 1 only", Cohort, {"a": Modality(B, column_kinds=["binary", "numeric"])})


def test_tiers_are_checked():
    parts = {"a": A, "b": B}
    assert Cohort(parts, tiers=[["a"], ["b"]]).tiers == [["a"], ["b"]]
    refused("tiers: expected modalities among a, b, got 'c'", Cohort, parts, tiers=[["a"], ["c"]])
    refused("tiers: expected each modality at most once", Cohort, parts, tiers=[["a"], ["b", "a"]])
    refused("tiers: expected a list of lists", Cohort, parts, tiers=["a", "b"])


def test_known_links_point_to_columns_and_have_a_sign():
    def known(source, sign):
        return pd.DataFrame([(source, "b.c1", sign, "x")], columns=["source", "target", "sign", "rests_on"])

    assert len(Cohort({"a": A, "b": B}, known=known("a.c0", -1)).known) == 1
    refused("known: expected ends that are modality.column", Cohort, {"a": A, "b": B}, known=known("a.q", 1))
    refused("known: expected signs +1, -1 or 0", Cohort, {"a": A, "b": B}, known=known("a.c0", 2))
    refused("n_latents: expected modalities among a, got 'z'", Cohort, {"a": A}, n_latents={"z": 1})


def test_split_parts_people_and_is_repeatable():
    cohort = Cohort({"a": A, "b": B})
    train, held_out = cohort.split(0.25, seed=3)
    assert (len(train), len(held_out)) == (30, 10)
    assert sorted([*train.ids, *held_out.ids]) == list(range(40))
    assert np.array_equal(held_out["b"].values, B[held_out.ids])
    assert cohort.split(0.25, seed=3)[1].ids.equals(held_out.ids)
    assert not cohort.split(0.25, seed=4)[1].ids.equals(held_out.ids)
    for fraction in (0, 1, -1, 0.001):
        refused("fraction: expected", cohort.split, fraction)


def test_take_keeps_columns_that_became_constant_until_they_are_checked():
    values = np.column_stack([A[:, 0], np.arange(40) < 20])
    part = Cohort({"a": values}).take(np.arange(20))
    refused("values that vary", part.check)
    mask = np.arange(40) % 2 == 0
    assert Cohort({"a": A}).take(mask).ids.tolist() == list(range(0, 40, 2))


@pytest.mark.parametrize("index", [[0, 0], [40], [-1], [0.5], [[0, 1]], [True, False]])
def test_take_refuses_positions_that_are_none(index):
    refused("index: expected positions in 0..39", Cohort({"a": A}).take, index)


def test_shuffled_permutes_one_modality_among_people():
    cohort = Cohort({"a": A, "b": B})
    control = cohort.shuffled("b", seed=1)
    assert np.array_equal(control["a"].values, A) and not np.array_equal(control["b"].values, B)
    assert np.array_equal(np.sort(control["b"].values, axis=0), np.sort(B, axis=0))
    assert {tuple(row) for row in control["b"].values} == {tuple(row) for row in B}
    assert np.array_equal(cohort.shuffled("b", seed=1)["b"].values, control["b"].values)
    refused("modality: expected modalities among a, b, got 'c'", cohort.shuffled, "c")


def test_a_modality_of_noise_leaves_the_others_as_they_are_and_goes_with_none():
    rng = np.random.default_rng(0)
    cohort = Cohort({"a": rng.normal(size=(5_000, 3))}, tiers=[["a"]])
    control = cohort.with_noise(2, seed=1)
    noise = control["noise"].values
    assert control["a"] is cohort["a"] and cohort.names == ["a"] and control.tiers == [["a"]]
    assert noise.shape == (5_000, 2) and np.allclose([noise.mean(), noise.std()], [0, 1], atol=0.03)
    assert np.abs(np.corrcoef(cohort["a"].values.T, noise.T)[:3, 3:]).max() < 0.05
    assert np.array_equal(cohort.with_noise(2, seed=1)["noise"].values, noise)
    assert not np.array_equal(cohort.with_noise(2, seed=2)["noise"].values, noise)
    refused("name: expected one that no modality has, got 'noise'", control.with_noise)
    refused("n_columns", cohort.with_noise, 0)


def test_without_drops_what_was_known_about_the_modality():
    known = pd.DataFrame([("a.c0", "b.c0", 1, "x")], columns=["source", "target", "sign", "rests_on"])
    cohort = Cohort({"a": A, "b": B}, tiers=[["a"], ["b"]], known=known, n_latents={"a": 1, "b": 1})
    left = cohort.without("b")
    assert (left.names, left.tiers, left.n_latents, len(left.known)) == (["a"], [["a"]], {"a": 1}, 0)
    assert cohort.names == ["a", "b"] and len(cohort.known) == 1
    refused("not the only one", left.without, "a")
    refused("modality: expected modalities among a", left.__getitem__, "b")


def test_summary_counts_people_and_missing_values():
    values = changed(changed(A, 0, slice(None), np.nan), 1, 0, np.nan)
    row = Cohort({"a": values}).summary().loc["a"]
    assert (row["kind"], row["columns"], row["people"]) == ("table", 3, 39)
    assert row["missing"] == pytest.approx(1 / (39 * 3))


@pytest.mark.parametrize(
    ("weights", "text"),
    [(np.ones(39), "shape (39,)"), (np.r_[0, np.ones(39)], "0 or below"), (["x"] * 40, "got list")],
)
def test_weights_are_a_number_above_0_of_everyone(weights, text):
    refused("weights", Cohort, {"a": A}, weights=weights)
    refused(text, Cohort, {"a": A}, weights=weights)


def test_tables_whose_indexes_name_different_people_are_not_paired():
    table = pd.DataFrame({"x": np.arange(6.0), "y": np.arange(6.0) ** 2})
    for other in (table.sample(frac=1, random_state=0), table.rename(index=lambda i: i + 1)):
        with pytest.raises(InputError, match="another index"):
            Cohort({"a": table, "b": other})
        with pytest.raises(InputError, match="another index"):
            Cohort({"b": other, "a": table})
    named = table.rename(index=lambda i: f"person {i}")
    assert list(Cohort({"a": table, "b": named}).ids) == list(named.index), "a count names nobody"
    assert list(Cohort({"a": table, "b": table}, ids=range(1, 7)).ids) == [1, 2, 3, 4, 5, 6]


def test_ids_of_more_than_one_axis_are_refused_by_name():
    table = pd.DataFrame({"x": np.arange(4.0), "y": np.arange(4.0) ** 2})
    visits = table.set_index(pd.MultiIndex.from_product([[1, 2], [1, 2]], names=["person", "visit"]))
    with pytest.raises(InputError, match="ids: expected one id per person, got an index of 2 levels"):
        Cohort({"a": visits})
    with pytest.raises(InputError, match="ids: expected one id per person"):
        Cohort({"a": table}, ids=np.ones((4, 2)))


def test_what_is_masked_was_not_measured():
    values = np.ma.masked_greater(np.array([[1.0, 2.0], [3.0, -9999.0], [2.0, 7.0]]), 5)
    np.testing.assert_array_equal(Modality(values).values, [[1, 2], [3, -9999], [2, np.nan]])
    np.testing.assert_array_equal(Modality(values.astype(int)).values, [[1, 2], [3, -9999], [2, np.nan]])


def test_people_whom_a_model_is_applied_to_may_be_one_and_lack_a_modality():
    one = Cohort.from_arrays({"a": [[1.0, 2.0]], "b": [[np.nan, np.nan]]}, learnable=False)
    assert len(one) == 1 and not one["b"].measured.any()
    with pytest.raises(InputError, match="infinite"):
        Cohort({"a": [[1.0, np.inf]]}, learnable=False)
    with pytest.raises(InputError, match=r"at least 2 people, or Cohort\(..., learnable=False\)"):
        Cohort.from_arrays({"a": [[1.0, 2.0]]})
    with pytest.raises(InputError, match=r'cohort\["b"\]: expected .*, or Cohort\(..., learnable=False\)'):
        Cohort.from_arrays({"a": np.eye(3), "b": np.full((3, 2), np.nan)})


def test_longer_numbers_than_torch_knows_are_read_as_doubles():
    images = np.random.default_rng(0).normal(size=(5, 1, 6, 6)).astype(np.longdouble)
    assert Modality(images).values.dtype == np.float64 == Modality(images[:, 0, 0]).values.dtype
