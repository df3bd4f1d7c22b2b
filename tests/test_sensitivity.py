"""Sensitivity: what would overturn a link does overturn it, and no small group of people is told."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, InputError, Modality
from mmcrl.evidence import correlation_of, pair_evidence, partial_correlation
from mmcrl.knowledge import Knowledge
from mmcrl.links import confidence_of, link_table
from mmcrl.sensitivity import (
    Measured,
    adjusted_correlation,
    claim_limit,
    covariate_table,
    hidden_table,
    needed_cause,
    observed_strata,
    stratum_table,
    weight_table,
)

N = 8_000
SMALLEST = 0.005


def framed(**columns: np.ndarray) -> pd.DataFrame:
    """Latents m.0, one per modality."""
    return pd.DataFrame({(name, 0): values for name, values in columns.items()})


def standard(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / x.std()


def residual(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """y without what x explains, standardised."""
    x = np.column_stack([np.ones(len(y)), x])
    return standard(y - x @ np.linalg.lstsq(x, y, rcond=None)[0])


@pytest.fixture(scope="module")
def linked() -> pd.DataFrame:
    """k acts on i and j, and i on j as well."""
    rng = np.random.default_rng(5)
    k = rng.normal(size=N)
    i = 0.6 * k + rng.normal(size=N)
    j = 0.5 * k + 0.4 * i + rng.normal(size=N)
    return framed(i=standard(i), j=standard(j), k=k)


def given_k(latents: pd.DataFrame) -> tuple[pd.DataFrame, Measured]:
    """The link of i and j, and the sets, that of i and j being k."""
    links = link_table(latents.to_numpy(), [f"{m}.{n}" for m, n in latents.columns])
    pair = [{a, b} == {"i.0", "j.0"} for a, b in zip(links["source"], links["target"], strict=True)]
    measured = Measured.of(latents)
    assert measured.set_of("j.0", "i.0") == (2,)
    return links[pair], measured


# A hidden common cause


@pytest.mark.parametrize("sign", [1, -1])
def test_a_hidden_cause_of_just_that_strength_overturns_the_link(linked: pd.DataFrame, sign: int) -> None:
    latents = linked.copy()
    latents[("j", 0)] *= sign
    links, measured = given_k(latents)
    found = hidden_table(links, measured).iloc[0]
    z, r = latents.to_numpy(), found["cause"]
    rho = correlation_of(links["evidence"].iloc[0])
    assert r == pytest.approx(np.sqrt((rho - correlation_of(SMALLEST)) / (1 - correlation_of(SMALLEST))))

    # U: of correlation r with what k leaves of i, and +-r with what it leaves of j; the rest of it is noise
    a, b = residual(z[:, 0], z[:, 2]), residual(z[:, 1], z[:, 2])
    noise = residual(np.random.default_rng(1).normal(size=N), np.column_stack([a, b, z[:, 2]]))
    weight = r / (1 + abs(np.corrcoef(a, b)[0, 1]))
    common = weight * (a + sign * b)
    u = common + np.sqrt(1 - common.var()) * noise
    assert np.corrcoef(u, a)[0, 1] == pytest.approx(r, abs=1e-6)
    assert np.corrcoef(u, b)[0, 1] == pytest.approx(sign * r, abs=1e-6)

    left, error, _ = pair_evidence(np.column_stack([z, u]), 0, 1, [2, 3])
    assert links["evidence"].iloc[0] > 10 * SMALLEST
    assert left == pytest.approx(SMALLEST, abs=3 * error)
    weaker = weight / 2 * (a + sign * b)
    u = weaker + np.sqrt(1 - weaker.var()) * noise
    assert pair_evidence(np.column_stack([z, u]), 0, 1, [2, 3])[0] > 5 * SMALLEST


@pytest.mark.parametrize("r", [0.3, 0.6])
def test_a_world_that_a_hidden_cause_made_has_just_that_cause_as_what_is_needed(r: float) -> None:
    """No link between i and j, only U; its correlation with both ends is r."""
    rng = np.random.default_rng(2)
    u = rng.normal(size=50_000)
    i, j = (r * u + np.sqrt(1 - r**2) * rng.normal(size=len(u)) for _ in range(2))
    rho = np.corrcoef(i, j)[0, 1]
    assert needed_cause(rho) == pytest.approx(r, abs=0.015)
    assert adjusted_correlation(rho, r, r) == pytest.approx(0, abs=0.02)


def test_what_is_left_is_the_partial_correlation(linked: pd.DataFrame) -> None:
    c = np.corrcoef(linked.to_numpy().T)
    expected = -np.linalg.inv(c)[0, 1] / np.sqrt(np.linalg.inv(c)[0, 0] * np.linalg.inv(c)[1, 1])
    assert adjusted_correlation(c[0, 1], c[0, 2], c[1, 2]) == pytest.approx(expected)
    with pytest.raises(InputError, match="three variables"):
        adjusted_correlation(-0.9, 0.9, 0.9)


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.8])
def test_the_robustness_value_lies_between_the_two_shares(rho: float) -> None:
    """Of Cinelli and Hazlett: U of needed_cause explains rho of the source and rho / (1 + rho) of the target."""
    r = needed_cause(rho)
    source, target = r**2, adjusted_correlation(r, rho, r) ** 2  # the target and U, the source held fixed
    f2 = rho**2 / (1 - rho**2)
    assert (source, target) == pytest.approx((rho, rho / (1 + rho)))
    assert target * source / (1 - source) == pytest.approx(f2)  # their bias formula: the link vanishes
    assert target < (np.sqrt(f2**2 + 4 * f2) - f2) / 2 < source


def test_the_measured_yardstick_is_a_latent_of_another_modality_that_both_ends_go_with(linked: pd.DataFrame) -> None:
    latents = linked.copy()
    latents[("i", 1)] = latents[("i", 0)] + 0.1 * np.random.default_rng(0).normal(size=N)  # a sibling does not count
    measured = Measured.of(latents[["i", "j", "k"]])
    links = pd.DataFrame(
        {"source": ["i.0"], "target": ["j.0"], "evidence": [0.1], "evidence_se": [0.01], "least": [SMALLEST]}
    )
    found = hidden_table(links, measured).iloc[0]
    assert found["strongest"] == "k.0"
    i, j, k = (measured.place(name) for name in ("i.0", "j.0", "k.0"))
    rest = [other for other in measured.set_of("i.0", "j.0") if other != k]
    assert found["strongest_cause"] == pytest.approx(
        min(abs(partial_correlation(measured.z, end, k, rest)) for end in (i, j))
    )
    assert 0 < found["cause_low"] < found["cause"] < 1
    latents.insert(0, ("h", 0), np.where(np.arange(N) < 15, 1.0, np.nan))  # of fifteen people nothing can be said
    assert hidden_table(links, Measured.of(latents[["h", "i", "j", "k"]])).iloc[0]["strongest"] == "k.0"
    apart = latents[["h", "i", "j", "k"]].copy()  # nobody has both h and j, and h is nearly i
    apart.loc[: N // 2 - 1, ("j", 0)] = np.nan
    apart[("h", 0)] = np.where(np.arange(N) < N // 2, apart[("i", 0)], np.nan)
    assert hidden_table(links, Measured.of(apart)).iloc[0]["strongest"] == "k.0"
    alone = hidden_table(links, Measured.of(latents[["i", "j"]])).iloc[0]
    assert alone["strongest"] is None
    assert np.isnan(alone["strongest_cause"])


def test_a_weaker_cause_overturns_a_link_of_which_more_is_asked(linked: pd.DataFrame) -> None:
    links, measured = given_k(linked)
    evidence = links["evidence"].iloc[0]
    more = hidden_table(links.assign(least=evidence / 2), measured).iloc[0]
    assert 0 < more["cause"] < hidden_table(links, measured).iloc[0]["cause"]
    assert hidden_table(links.assign(least=evidence), measured).iloc[0]["cause"] == 0


def test_no_hidden_cause_is_needed_below_the_smallest_effect() -> None:
    assert needed_cause(0.05, 0.1) == 0
    for wrong in (1.0, -1.5, np.nan):
        with pytest.raises(InputError, match="rho"):
            needed_cause(wrong)
    with pytest.raises(InputError, match="least"):
        needed_cause(0.5, -0.1)


# How much a link may be asked to be worth


@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_beyond_its_limit_a_link_is_not_claimed(confidence: float) -> None:
    limit = claim_limit(0.08, 0.01, confidence)
    assert confidence_of(0.08, 0.01, limit * 0.99) > confidence > confidence_of(0.08, 0.01, limit * 1.01)
    assert claim_limit(-0.01, 0.01) == 0


# The sets, and the covariates


def test_the_sets_are_those_of_the_link_table(linked: pd.DataFrame) -> None:
    """The evidence that is measured with them is the table's, also with knowledge."""
    latents = linked.copy()
    latents[("late", 0)] = latents[("j", 0)] + np.random.default_rng(0).normal(size=N)
    names = [f"{m}.{n}" for m, n in latents.columns]
    known = Knowledge(tiers=[["k"], ["i", "j"], ["late"]])
    measured, links = Measured.of(latents, known), link_table(latents.to_numpy(), names, known)
    for (_, _, (i, j, given)), evidence in zip(measured.pairs(links), links["evidence"], strict=True):
        assert pair_evidence(measured.z, i, j, given)[0] == evidence
    with pytest.raises(InputError, match="nobody"):
        measured.place("nobody.0")


def test_of_a_covariate_of_few_people_nothing_is_said() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=N)
    few = np.where(np.arange(N) < 30, rng.normal(size=N), np.nan)
    measured = Measured.of(framed(who=few, a=a, b=a + rng.normal(size=N)))
    row = covariate_table(pd.DataFrame({"source": ["a.0"], "target": ["b.0"]}), measured, ["who"]).iloc[0]
    assert np.isnan(row["adjusted"]) and row["sign_adjusted"] == 0
    assert row["unadjusted"] > 10 * SMALLEST


def test_a_link_that_a_covariate_explains_is_there_without_it_only() -> None:
    rng = np.random.default_rng(4)
    age = rng.normal(size=N)
    latents = framed(who=age, a=0.8 * age + rng.normal(size=N), b=0.8 * age + rng.normal(size=N))
    measured = Measured.of(latents)
    links = pd.DataFrame({"source": ["a.0", "who.0"], "target": ["b.0", "a.0"]})
    table = covariate_table(links, measured, ["who"])
    between, end = table.iloc[0], table.iloc[1]
    assert between["given"] == ["who.0"]
    assert between["adjusted"] < SMALLEST < 10 * SMALLEST < between["unadjusted"]
    assert between["sign_unadjusted"] == 1
    assert np.isnan(end["adjusted"])
    assert covariate_table(links, measured, ["who.0"]).equals(table)
    with pytest.raises(InputError, match="covariates"):
        covariate_table(links, measured, ["whom"])


# Groups of people


def test_a_link_that_turns_in_a_group_is_seen_to_turn() -> None:
    rng = np.random.default_rng(6)
    female = (np.arange(N) % 2).astype(float)
    a = rng.normal(size=N)
    latents = framed(who=female, a=a, b=np.where(female == 1, -0.6, 0.6) * a + rng.normal(size=N))
    people = Cohort({"who": Modality(female[:, None], kind="observed", names=["female"])})
    links = pd.DataFrame({"source": ["a.0", "who.0"], "target": ["b.0", "a.0"]})
    table = stratum_table(links, Measured.of(latents), observed_strata(people), people.ids)
    assert table["source"].unique().tolist() == ["a.0"]  # nobody is divided by an end of the link
    assert table["stratum"].tolist() == ["no", "yes"]
    assert table["sign"].tolist() == [1, -1]
    assert (table["evidence"] > 0.05).all()
    assert table["people"].tolist() == [N / 2, N / 2]


def test_small_groups_are_not_told_and_cannot_be_worked_out() -> None:
    rng = np.random.default_rng(7)
    n = 500
    latents = framed(a=rng.normal(size=n), b=rng.normal(size=n))
    sizes = {"few": 9, "some": 60, "many": n - 69}
    group = pd.Series(np.repeat(list(sizes), list(sizes.values())), name="group")
    links = pd.DataFrame({"source": ["a.0"], "target": ["b.0"]})
    measured, ids = Measured.of(latents), pd.RangeIndex(n)
    table = stratum_table(links, measured, {"group": group}, ids).set_index("stratum")
    assert table["people"].isna().to_dict() == {"few": True, "some": True, "many": False}
    assert table["evidence"].isna().to_dict() == {"few": True, "some": True, "many": False}
    assert stratum_table(links, measured, {"group": group}, ids, minimum=100)["people"].isna().sum() == 2
    with pytest.raises(InputError, match="minimum"):
        stratum_table(links, measured, {"group": group}, ids, minimum=0)
    with pytest.raises(InputError, match="strata group"):
        stratum_table(links, measured, {"group": group[:-1]}, ids)


def test_people_without_a_latent_of_the_link_are_not_counted() -> None:
    rng = np.random.default_rng(8)
    a = rng.normal(size=400)
    latents = framed(a=np.where(np.arange(400) < 100, np.nan, a), b=rng.normal(size=400))
    group = pd.Series(np.where(np.arange(400) < 200, "first", "second"), name="group")
    links = pd.DataFrame({"source": ["a.0"], "target": ["b.0"]})
    table = stratum_table(links, Measured.of(latents), {"group": group}, pd.RangeIndex(400))
    assert table["people"].tolist() == [100, 200]
    assert table["evidence"].notna().all()


def test_groups_of_an_observed_column() -> None:
    who = pd.DataFrame({"age": np.arange(90.0), "female": np.arange(90) % 2.0, "stage": np.arange(90) % 3.0})
    who.loc[0, "stage"] = np.nan
    groups = observed_strata(Cohort({"who": Modality(who, kind="observed")}))
    assert groups["who.0"].value_counts().tolist() == [30, 30, 30]
    assert set(groups["who.1"]) == {"no", "yes"}
    assert groups["who.2"].dropna().unique().tolist() == ["1", "2", "0"]
    assert groups["who.2"].isna().sum() == 1


# What is given wrongly


def three() -> tuple[pd.DataFrame, Measured]:
    """A link among sixty people, and its sets."""
    z = np.random.default_rng(1).normal(size=(60, 2))
    links = pd.DataFrame(
        {"source": ["a.0"], "target": ["b.0"], "evidence": [0.1], "evidence_se": [0.01], "least": [SMALLEST]}
    )
    return links, Measured.of(framed(a=z[:, 0], b=z[:, 0] + z[:, 1]))


@pytest.mark.parametrize(
    "weights", [-np.ones(60), np.zeros(60), np.full(60, np.nan), np.ones(59), np.ones((60, 1)), 1.0, None, "many"]
)
def test_weights_that_a_cohort_refuses_are_refused(weights: object) -> None:
    with pytest.raises(InputError, match=r"^weights: expected"):
        weight_table(*three(), weights)


def test_weights_of_one_change_nothing() -> None:
    links, measured = three()
    i, j, given = next(measured.pairs(links))[2]
    found = weight_table(links, measured, np.ones(60, dtype=int)).iloc[0]
    assert found["weighted"] == pytest.approx(pair_evidence(measured.z, i, j, given)[0])


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ((0.05, -1), "error"),
        ((0.05, np.nan), "error"),
        ((0.05, np.inf), "error"),
        ((np.nan, 0.01), "evidence"),
        (("0.05", 0.01), "evidence"),
        ((True, 0.01), "evidence"),
        ((0.05, 0.01, 2), "confidence"),
        ((0.05, 0.01, -0.1), "confidence"),
        ((0.05, 0.01, np.nan), "confidence"),
    ],
)
def test_a_limit_of_no_numbers_is_refused(numbers: tuple[float, ...], name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: expected"):
        claim_limit(*numbers)


@pytest.mark.parametrize("place", range(3))
def test_correlations_that_are_no_numbers_are_refused(place: int) -> None:
    given = [0.1, 0.1, 0.1]
    given[place] = np.nan
    with pytest.raises(InputError, match="three variables"):
        adjusted_correlation(*given)


def test_links_without_their_columns_are_refused() -> None:
    links, measured = three()
    with pytest.raises(InputError, match=r"^links: expected the columns .* none called evidence$"):
        hidden_table(links.drop(columns="evidence"), measured)
    with pytest.raises(InputError, match=r"^links: .* none called source$"):
        covariate_table(links.drop(columns="source"), measured, ["a"])
    with pytest.raises(InputError, match=r"^strata a: expected a Series, got list"):
        stratum_table(links, measured, {"a": [1, 2]}, pd.RangeIndex(60))
