"""Evidence: known dependence is measured, explained dependence is not."""

import itertools

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import norm

from mmcrl.densities import normal_scores
from mmcrl.evidence import enough, pair_evidence, partial_correlation
from mmcrl.knowledge import Knowledge
from mmcrl.links import confidence_of, link_table
from mmcrl.search import separating_sets
from mmcrl.significance import allowance

N = 4000


def linear_gaussian(seed: int = 0) -> np.ndarray:
    """Chain 0 -> 1 -> 2 and an independent 3."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=N)
    b = 0.8 * a + 0.6 * rng.normal(size=N)
    c = 0.8 * b + 0.6 * rng.normal(size=N)
    return np.column_stack([a, b, c, rng.normal(size=N)])


def test_normal_scores_are_invariant_to_monotone_maps():
    z = linear_gaussian()
    assert np.allclose(normal_scores(z), normal_scores(np.exp(z)))


def test_evidence_is_the_mutual_information_of_a_gaussian_pair():
    delta, error, sign = pair_evidence(linear_gaussian(), 0, 1, [])
    exact = -0.5 * np.log(1 - 0.8**2)
    assert delta == pytest.approx(exact, abs=3 * error + 0.01)
    assert sign == 1


def test_evidence_vanishes_given_the_separating_latent():
    z = linear_gaussian()
    assert pair_evidence(z, 0, 2, [])[0] > 0.2
    assert abs(pair_evidence(z, 0, 2, [1])[0]) < 0.005


@pytest.mark.parametrize(("n", "given"), [(1_000, 0), (2_500, 3)])
def test_evidence_is_neither_flattered_nor_charged_for_its_regressors(n, given):
    """Cross-fitted alone it would be .003 too low, measured on those who were fitted .002 too high."""
    exact = 0.0114
    rho, found = np.sqrt(1 - np.exp(-2 * exact)), []
    for seed in range(30):
        z = np.random.default_rng(seed).normal(size=(n, 2 + given))
        z[:, 1] = rho * z[:, 0] + np.sqrt(1 - rho**2) * z[:, 1]
        found.append(pair_evidence(z, 0, 1, range(2, 2 + given))[:2])
    delta, error = np.array(found).T
    assert delta.mean() == pytest.approx(exact, abs=0.002)
    assert 0.75 < error.mean() / delta.std(ddof=1) < 1.4
    assert (np.abs(delta - exact) < 1.96 * error).mean() > 0.85


def drawn(n, share, rng):
    """People of whom this share are of a group in which the two go together; in the others they do not."""
    group = rng.random(n) < share
    a = rng.normal(size=n)
    b = np.where(group, 0.6 * a, -0.2 * a) + np.where(group, 0.8, np.sqrt(0.96)) * rng.normal(size=n)
    return np.column_stack([a, b]), group


def test_weights_bring_back_the_population():
    rng = np.random.default_rng(8)
    even, _ = drawn(N, 0.5, rng)
    few, group = drawn(N, 0.1, rng)
    weights = np.where(group, 0.5 / 0.1, 0.5 / 0.9)
    true, error, sign = pair_evidence(even, 0, 1, [])
    plain, weighted = pair_evidence(few, 0, 1, []), pair_evidence(few, 0, 1, [], weights=weights)
    assert (plain[2], weighted[2], sign) == (-1, 1, 1)
    assert abs(weighted[0] - true) < 3 * np.hypot(error, weighted[1])
    assert plain[0] < true - 3 * np.hypot(error, plain[1]), "unweighted, it is another population's"
    assert pair_evidence(few, 0, 1, [], weights=7 * weights) == pytest.approx(weighted), "their sum says nothing"
    assert pair_evidence(few, 0, 1, [], weights=np.ones(N)) == pytest.approx(plain)


def test_the_weighted_standard_error_is_the_spread_over_samples():
    found = []
    for seed in range(60):
        z, group = drawn(800, 0.1, np.random.default_rng(seed))
        found.append(pair_evidence(z, 0, 1, [], weights=np.where(group, 0.5 / 0.1, 0.5 / 0.9))[:2])
    delta, error = np.array(found).T
    assert 0.75 < error.mean() / delta.std(ddof=1) < 1.3


def thresholds(seed: int, link: float = 0.0) -> np.ndarray:
    """0 and 1 owe something to one threshold of 2 and 3 at once; 1 owes to 0 too where there is a link."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 2 * N))
    first, second = 2.0 * ((a > 0) & (b > 0)) + rng.laplace(size=(2, 2 * N))
    return np.column_stack([first, second + link * first, a, b])


@pytest.mark.parametrize("seed", range(3))
def test_a_threshold_of_two_others_is_no_evidence(seed):
    delta, error, _ = pair_evidence(thresholds(seed), 0, 1, [2, 3], weights=np.ones(2 * N))
    assert delta < 0.003
    assert pair_evidence(thresholds(seed), 0, 1, [2, 3])[:2] == pytest.approx((delta, error))
    table = link_table(thresholds(seed), ["x.0", "y.0", "a.0", "b.0"])
    linked = {frozenset(pair) for *pair, sure in table[["source", "target", "confidence"]].to_numpy() if sure > 0.5}
    assert linked == {frozenset(pair) for pair in itertools.product(["x.0", "y.0"], ["a.0", "b.0"])}


def test_a_link_is_found_beside_a_threshold_of_two_others():
    delta, error, sign = pair_evidence(thresholds(0, link=0.3), 0, 1, [2, 3])
    assert delta - 3 * error > 0.005
    assert sign == 1


@pytest.mark.parametrize("seed", range(4))
def test_what_a_blurred_sibling_leaves_of_a_weak_link_is_none(seed):
    """y.0 acts on x.0; y.1 owes something to y.0, of which not all is known."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=N)
    x, sibling = 0.8 * y + 0.6 * rng.normal(size=(2, N))
    blurred = np.column_stack([x, y + 0.3 * rng.normal(size=N), sibling])
    table = link_table(blurred, ["x.0", "y.0", "y.1"]).set_index(["source", "target"])
    weak = table.loc[("x.0", "y.1")]
    assert weak["evidence"] - 1.96 * weak["evidence_se"] > 0, "it does leave something"
    assert weak["confidence"] < 0.5 < table.loc[("x.0", "y.0"), "confidence"]


def test_search_finds_the_separating_set_of_a_chain():
    sets = separating_sets(linear_gaussian())
    assert sets[0, 2] == (1,)
    assert sets[0, 3] == ()


def test_a_collider_is_not_conditioned_on_when_its_tier_is_later():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=N), rng.normal(size=N)
    z = np.column_stack([a, b, a + b + 0.3 * rng.normal(size=N)])
    table = link_table(z, ["x.0", "y.0", "z.0"], Knowledge([["x", "y"], ["z"]])).set_index(["source", "target"])
    assert table.loc[("x.0", "y.0"), "confidence"] < 0.05
    assert table.loc[("x.0", "z.0"), "confidence"] > 0.99
    assert table.loc[("x.0", "z.0"), "direction"] == "directed"
    assert table.loc[("x.0", "y.0"), "direction"] == "undirected"


@pytest.mark.parametrize("shape", ["square", "scale"])
def test_dependence_without_correlation_is_seen(shape):
    rng = np.random.default_rng(2)
    a = rng.normal(size=N)
    b = a**2 + rng.normal(size=N) if shape == "square" else np.exp(0.7 * a) * rng.normal(size=N)
    assert pair_evidence(np.column_stack([a, b]), 0, 1, [])[0] > 0.05


def test_two_blends_of_one_latent_do_not_explain_each_others_links_away():
    """x drives c; c.0 and c.1 are both c with a little noise, so each screens x off from the other."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=N)
    c = 0.7 * x + 0.7 * rng.normal(size=N)
    z = np.column_stack([x, c + 0.2 * rng.normal(size=N), c + 0.25 * rng.normal(size=N)])
    table = link_table(z, ["x.0", "c.0", "c.1"]).set_index(["source", "target"])
    assert table.loc[("x.0", "c.0"), "confidence"] > 0.99
    assert table.loc[("c.0", "c.1"), "confidence"] > 0.99


def test_sign_is_that_of_the_partial_association():
    rng = np.random.default_rng(3)
    confounder = rng.normal(size=N)
    a = confounder + rng.normal(size=N)
    z = np.column_stack([a, 2 * confounder - 0.5 * a + 0.5 * rng.normal(size=N), confounder])
    assert pair_evidence(z, 0, 1, [])[2] == 1
    assert pair_evidence(z, 0, 1, [2])[2] == -1


def test_people_without_a_latent_are_left_out():
    z = linear_gaussian()
    z[: N // 2, 0] = np.nan
    delta, *_ = pair_evidence(z, 0, 1, [])
    assert delta == pytest.approx(-0.5 * np.log(1 - 0.8**2), abs=0.06)


@pytest.mark.parametrize("seed", range(5))
def test_independent_latents_give_no_confident_link(seed):
    z = np.random.default_rng(seed).standard_t(df=4, size=(1000, 8))
    names = [f"m{i}.0" for i in range(8)]
    table = link_table(z, names)
    assert len(table) == 28
    assert table["confidence"].max() < 0.5


def test_strength_is_the_correlation_of_a_gaussian_pair_and_orders_the_table():
    table = link_table(linear_gaussian(), ["a.0", "b.0", "c.0", "c.1"])
    assert table["strength"].is_monotonic_decreasing
    assert table.loc[0, "strength"] == pytest.approx(0.8, abs=0.05) or table.loc[0, "strength"] > 0.5
    assert set(table["scope"]) == {"cross", "within"}


def test_confidence_is_the_posterior_found_by_integration():
    smallest, prior, typical = 0.005, 0.2, 0.1
    grid = np.linspace(0, 2, 400_001)
    for evidence, error in ((0.02, 0.01), (0.005, 0.004), (-0.01, 0.01), (0.3, 0.05)):
        likelihood = np.exp(-0.5 * ((evidence - grid) / error) ** 2)
        slab = likelihood * np.exp(-grid / typical) / typical
        step = grid[1] - grid[0]
        spike = np.exp(-0.5 * (evidence / error) ** 2)
        total = prior * slab.sum() * step + (1 - prior) * spike
        exact = prior * slab[grid > smallest].sum() * step / total
        assert confidence_of(evidence, error, smallest) == pytest.approx(exact, abs=1e-3)


def test_more_people_make_a_weak_link_surer_and_a_chance_one_less_sure():
    assert confidence_of(0.02, 0.005, 0.005) > confidence_of(0.02, 0.015, 0.005)
    assert confidence_of(0.0, 0.002, 0.005) < confidence_of(0.0, 0.02, 0.005)


def test_a_few_outlying_people_do_not_make_a_link():
    rng = np.random.default_rng(4)
    z = rng.normal(size=(1000, 2))
    z[:3] = [[8, -9], [9, 8], [-8, 9]]
    delta, error, _ = pair_evidence(z, 0, 1, [])
    assert confidence_of(delta, error, 0.005) < 0.2


def rare(n: int, slope: float, share: float = 0.13, seed: int = 0) -> tuple[np.ndarray, float]:
    """A finding that this share of people have, the likelier the larger a is, and what the two know of each other."""
    rng = np.random.default_rng(seed)
    risk = lambda a: norm.cdf(slope * a + norm.ppf(share) * np.hypot(1, slope))  # noqa: E731
    a, grid = rng.normal(size=n), np.linspace(-8, 8, 4001)
    has = (rng.random(n) < risk(a)).astype(float)
    entropy = lambda p: -xlogy(p, p) - xlogy(1 - p, 1 - p)  # noqa: E731
    weight = norm.pdf(grid) / norm.pdf(grid).sum()
    return np.column_stack([a, has]), entropy(share) - weight @ entropy(risk(grid))


@pytest.mark.parametrize("slope", [0.0, 0.35, 0.8])
def test_what_few_people_have_is_worth_no_more_than_it_tells(slope):
    """On the value that most people share a density can be as high as one likes: it gave ten times what there is."""
    z, exact = rare(N, slope)
    delta, error, sign = pair_evidence(z, 0, 1, [])
    assert exact / 3 - 3 * error < delta < exact + 3 * error
    assert error < 0.01 and (slope == 0 or sign == 1)


def test_what_few_people_have_shows_no_link_with_what_acts_by_way_of_another():
    """Two latents of one cause, each known to all, and a finding that the cause alone makes likelier."""
    z, _ = rare(N, 0.8)
    other = 0.5 * z[:, 0] + np.sqrt(0.75) * np.random.default_rng(7).normal(size=N)
    table = link_table(np.column_stack([z, other]), ["a.0", "b.0", "c.0"]).set_index(["source", "target"])
    assert table.loc[("a.0", "b.0"), "confidence"] > 0.99 and table.loc[("a.0", "c.0"), "confidence"] > 0.99
    assert table.loc[("b.0", "c.0"), "confidence"] < 0.1


@pytest.mark.parametrize("together", [0, 1, 2, 19])
def test_of_pairs_that_hardly_anybody_has_nothing_is_said(together):
    z = np.random.default_rng(0).normal(size=(400, 3))
    z[:200, 0], z[200 + together :, 1:] = np.nan, np.nan
    assert pair_evidence(z, 0, 1, [2]) == (0.0, 0.1, 0.0)
    assert np.isnan(partial_correlation(z, 0, 1, [2])) and allowance(z, 0, 1, [2]) == 0
    table = link_table(z, ["a.0", "b.0", "b.1"]).set_index(["source", "target"])
    assert table.loc[("a.0", "b.0"), "confidence"] < 0.2 and table.loc[("a.0", "b.0"), "p_value"] == 0.5


# Who was measured


def test_a_set_is_weighed_among_the_people_who_have_all_of_it():
    """k causes both ends, either known of a fifth: zeros in place of the others hid that k explains it."""
    rng = np.random.default_rng(3)
    k = rng.normal(size=50_000)
    i, j = 0.58 * k + np.sqrt(1 - 0.58**2) * rng.normal(size=(2, len(k)))
    i[rng.random(len(k)) > 0.2] = j[rng.random(len(k)) > 0.2] = np.nan
    assert separating_sets(np.column_stack([i, j, k]))[0, 1] == (2,)


def test_what_few_have_does_not_hide_a_link():
    """i -> j, and k another effect of i, known of one person in twenty."""
    rng = np.random.default_rng(0)
    i = rng.normal(size=10_000)
    j, k = 0.25 * i + rng.normal(size=len(i)), 2.0 * i + 0.5 * rng.normal(size=len(i))
    k[rng.random(len(i)) > 0.05] = np.nan
    z = np.column_stack([i, j, k])
    assert separating_sets(z)[0, 1] == ()
    row = link_table(z, ["a.0", "b.0", "c.0"]).set_index(["source", "target"]).loc[("a.0", "b.0")]
    assert row["confidence"] > 0.99


def test_a_latent_measured_in_one_group_has_links_with_all_but_the_group():
    rng = np.random.default_rng(1)
    man = np.repeat([1.0, 0.0], 400)
    prostate = np.where(man, rng.normal(size=800), np.nan)
    blood = np.where(man, 0.8 * np.nan_to_num(prostate), -0.5) + 0.6 * rng.normal(size=800)
    z = np.column_stack([man, prostate, blood])
    links = link_table(z, ["who.0", "prostate.0", "blood.0"]).set_index(["source", "target"])
    assert links.loc[("prostate.0", "blood.0"), "confidence"] > 0.99
    assert links["evidence_se"].notna().all()
    assert pair_evidence(z, 0, 1, []) == (0.0, 0.1, 0.0)
    assert np.isnan(partial_correlation(z, 0, 1, []))
    assert pair_evidence(z, 1, 2, [0]) == pair_evidence(z, 1, 2, [])
    assert allowance(z, 1, 2, [0]) == 0.0


def test_enough_people_are_ten_per_regressor():
    """The larger density is one given 4 latents: 1 + 12 + 6 regressors."""
    z = np.zeros((191, 5))
    z[0, 2] = np.nan
    assert enough(z, 0, 1, [2, 3, 4])
    z[1, 4] = np.nan
    assert not enough(z, 0, 1, [2, 3, 4])


# Signs


@pytest.mark.parametrize(("copy", "sign"), [(lambda x: x, 1), (lambda x: -x, -1), (np.exp, 1)])
def test_one_and_the_same_latent_twice_has_its_sign(copy, sign):
    x = np.random.default_rng(0).normal(size=500)
    assert pair_evidence(np.column_stack([x, copy(x)]), 0, 1, [])[2] == sign


def test_a_link_that_goes_neither_up_nor_down_has_no_sign():
    signs = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        u = rng.normal(size=1_000)
        delta, error, sign = pair_evidence(np.column_stack([u, u**2 + rng.normal(size=1_000)]), 0, 1, [])
        assert delta > 5 * error
        signs.append(sign)
    assert np.mean(np.array(signs) == 0) >= 0.9
