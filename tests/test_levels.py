"""Levels: the likelihood of binary, ordinal and categorical columns, and whole levels wherever people are drawn."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from scipy.special import expit, log_softmax

from mmcrl import Cohort, Modality, MultimodalCRL, simulate
from mmcrl.decoding import _fit_levels, fit_decoders
from mmcrl.drawing import drawn_levels, redrawn_levels
from mmcrl.kinds.levels import Levels
from mmcrl.plan import plan_blocks
from mmcrl.tensors import People, people_of
from mmcrl.training import deterministic, network_of

KINDS = [*["numeric"] * 8, "binary", "ordinal", "categorical"]
NAMES = [*[f"n{i}" for i in range(8)], "ill", "grade", "type"]
ILL, GRADE, TYPE = 8, 9, 10
QUICK = {"seed": 0, "starts": 1, "steps": 150, "width": 48}


def cohort_of(world: simulate.World, missing: float = 0.1, kinds: list[str] | None = None) -> Cohort:
    """Numbers, a binary, an ordinal and a categorical column of modality a, cells missing at random."""
    rng, z = np.random.default_rng(5), world.latents["a"].to_numpy()
    ill = rng.random(len(z)) < expit(3 * z[:, 0] - 1.5)
    grade = 1 + np.digitize(2 * z[:, 1] + rng.logistic(size=len(z)), [-1.0, 1.0, 3.0])
    kind = (2 * z @ [[1.0, -1.0, 0.0], [0.0, 0.5, -1.0]] + rng.gumbel(size=(len(z), 3))).argmax(1)
    values = np.column_stack([world.cohort["a"].values[:, :8], ill, grade, np.array([3.0, 5.0, 9.0])[kind]])
    values[rng.random(values.shape) < missing] = np.nan
    a = Modality(values, names=NAMES, column_kinds=KINDS if kinds is None else kinds)
    return Cohort({"a": a, "b": world.cohort["b"]}, tiers=[["a"], ["b"]])


@pytest.fixture(scope="module")
def fitted():
    train, held = cohort_of(simulate.case(1, n=3_500, seed=1)).split(0.25, seed=0)
    return train, held, MultimodalCRL(2, **QUICK).fit(train, progress=False)


def told(model: MultimodalCRL, cohort: Cohort) -> pd.DataFrame:
    return model.loadings(cohort).query("modality == 'a'").drop_duplicates("column").set_index("column")


# The likelihood itself


def test_the_log_likelihood_is_that_of_scipy():
    with deterministic("float64"):
        torch.manual_seed(1)
        levels = Levels(KINDS[7:], [[], [0.0, 1.0], [1.0, 2.0, 4.0, 7.0], [3.0, 5.0, 9.0]], 2)
        for base in levels.base:
            torch.nn.init.normal_(base)
        codes = torch.randn(6, 2)
        logs = [log.detach().numpy() for log in levels.log_probabilities(codes)]
        score = levels.network(codes).detach().numpy()
    binary, ordinal, categorical = (base.detach().numpy() for base in levels.base)
    for x in (0, 1):
        assert logs[0][:, x] == pytest.approx(stats.bernoulli.logpmf(x, expit(score[:, 0] - binary[0])))
    thresholds = ordinal[0] + np.cumsum([0.0, *np.log1p(np.exp(ordinal[1:]))])
    below = stats.logistic.cdf(thresholds - score[:, 1:2])
    shares = np.diff(np.column_stack([np.zeros(6), below, np.ones(6)]), axis=1)
    assert logs[1] == pytest.approx(np.log(shares))
    assert logs[2] == pytest.approx(log_softmax(score[:, 2:] + categorical, axis=1))


def test_far_from_every_threshold_the_log_likelihood_is_finite_and_has_a_gradient():
    levels = Levels(["ordinal"], [[0.0, 1.0, 2.0]], 1)
    levels.start(torch.tensor([[0], [1], [2]]))
    with torch.no_grad():
        levels.network[-1].bias.fill_(60.0)
    log = levels.log_probabilities(torch.zeros(1, 1))[0]
    log[0, 0].backward()
    assert log.isfinite().all() and log[0, 0] < -50
    assert levels.network[-1].bias.grad.item() == pytest.approx(-1.0, abs=1e-3)


def test_at_first_every_level_has_its_share_of_the_people():
    levels = Levels(["binary", "ordinal", "categorical"], [[0.0, 1.0], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]], 2)
    rng = np.random.default_rng(0)
    drawn = np.column_stack([rng.choice(k, 4_000, p=p) for k, p in ((2, [0.8, 0.2]), (3, [0.5, 0.1, 0.4]))])
    values = np.column_stack([drawn, drawn[:, 1] + 1]).astype(float)
    levels.start(levels.indices(values))
    shares = [log.exp()[0].detach().numpy() for log in levels.log_probabilities(torch.randn(1, 2))]
    for column, share in zip(values.T, shares, strict=True):
        assert share == pytest.approx(np.unique(column, return_counts=True)[1] / 4_000, abs=1e-3)


def test_a_missing_cell_has_no_term_and_no_gradient():
    levels = Levels(["binary", "ordinal"], [[0.0, 1.0], [1.0, 2.0, 3.0]], 2)
    values = np.array([[1.0, np.nan], [np.nan, 7.0], [0.0, 2.0]])  # 7 is no level
    cells = levels.indices(values)
    assert cells.tolist() == [[1, -1], [-1, -1], [0, 1]]
    codes = torch.randn(3, 2, requires_grad=True)
    terms = levels.log_likelihood(codes, cells)
    assert ((terms == 0) == (cells < 0)).all()
    terms.sum().backward()
    assert (codes.grad[1] == 0).all() and (codes.grad[[0, 2]] != 0).any(1).all()


def test_levels_are_met_in_either_precision():
    """Of the same people, once in single and once in double precision, and of a model fitted on either."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 1))
    grade = np.array([0.1, 0.2, 0.7])[np.digitize(z[:, 0] + 0.3 * rng.normal(size=300), [-0.5, 0.5])]
    table = np.column_stack([z + 0.3 * rng.normal(size=(300, 3)), grade])
    kinds = [*["numeric"] * 3, "ordinal"]
    single, double = (
        Cohort({"a": Modality(table.astype(dtype), column_kinds=kinds), "b": z + rng.normal(size=(300, 3))})
        for dtype in (np.float32, np.float64)
    )
    known = single["a"].values[:, 3].astype(float)
    levels = Levels(["ordinal"], [np.unique(known).tolist()], 1)
    assert torch.equal(levels.indices(known[:, None]), levels.indices(grade[:, None]))
    for fit, met in ((single, double), (double, single)):
        model = MultimodalCRL(1, seed=0, starts=1, steps=20, width=16).fit(fit, progress=False)
        likelihoods = [told(model, cohort).loc["c3", "log_likelihood"] for cohort in (fit, met)]
        assert likelihoods[1] == pytest.approx(likelihoods[0], abs=0.01)
        action = {"a.0": 1.0}
        moved = model.counterfactual(met, action, allow_undirected=True).columns["a"]["c3"]
        assert moved.notna().all()


def test_what_stands_in_a_missing_cell_changes_no_decoder():
    cohort = cohort_of(simulate.case(1, n=400, seed=2), missing=0.2)
    absent = torch.from_numpy(np.isnan(cohort["a"].values))

    def decoders(shift: float) -> dict[str, torch.Tensor]:
        with deterministic("float32"):
            torch.manual_seed(0)
            network = network_of(plan_blocks(cohort, 2), 16, torch.device("cpu"))
            codec = network.codecs[0]
            for m, codec in enumerate(network.codecs):
                codec.fit_scale(cohort[cohort.names[m]].values)
            with torch.no_grad():
                network.codecs[0].encoder[0].weight[:, 1:] = 0  # codes know the first column alone ...
            people = people_of(network.codecs, cohort)
            moved = absent.clone()
            moved[:, 0] = False  # ... whose filled cells stay
            features = [people.features[0] + shift * moved, people.features[1]]
            fit_decoders(network.eval(), cohort, People(features, people.measured, people.seen), 0)
        state = network.state_dict()
        return {name: weight for name, weight in state.items() if ".decoder." in name or ".levels." in name}

    plain, shifted = decoders(0.0), decoders(100.0)
    assert {name.split(".")[2] for name in plain} == {"decoder", "levels"}
    assert all(torch.equal(plain[name], shifted[name]) for name in plain)


# The fitted likelihood


def test_likelihoods_beat_least_squares_on_people_held_out(fitted):
    train, held, model = fitted
    shows, values = model._fitted, held["a"].values
    z, fit = model.transform(held).to_numpy(), model.transform(train).to_numpy()
    guess = shows.restored(0, shows.decoded(0, z))
    found = told(model, held)["log_likelihood"]
    seen = ~np.isnan(values[:, ILL])
    clipped = np.clip(guess[seen, ILL], 0.01, 0.99)
    least_squares = stats.bernoulli.logpmf(values[seen, ILL], clipped).mean()
    assert found["ill"] > least_squares + 0.01
    residual = train["a"].values[:, GRADE] - shows.restored(0, shows.decoded(0, fit))[:, GRADE]
    edges = np.array([-np.inf, 1.5, 2.5, 3.5, np.inf])
    below = stats.norm.cdf(edges - guess[:, GRADE, None], scale=np.nanstd(residual))
    seen = ~np.isnan(values[:, GRADE])
    mass = np.diff(below, axis=1)[seen, values[seen, GRADE].astype(int) - 1]
    assert found["grade"] > np.log(mass).mean() + 0.01
    share = pd.Series(train["a"].values[:, TYPE]).value_counts(normalize=True)
    assert found["type"] > (share * np.log(share)).sum() + 0.2  # better than not to know the latents


def test_the_log_likelihood_of_a_number_is_gaussian_in_its_unit(fitted):
    train, held, model = fitted
    shows = model._fitted
    residual = [
        cohort["a"].values[:, 0] - shows.expected(0, model.transform(cohort).to_numpy())[:, 0]
        for cohort in (train, held)
    ]
    spread = np.sqrt(np.nanmean(residual[0] ** 2))
    assert told(model, held).loc["n0", "log_likelihood"] == pytest.approx(
        np.nanmean(stats.norm.logpdf(residual[1], scale=spread)), abs=1e-3
    )


def test_expected_values_stay_in_their_units(fitted):
    _, held, model = fitted
    z = model.transform(held).to_numpy()
    expected, chances = model._fitted.expected(0, z), model._fitted.probabilities(0, z)
    assert set(chances) == {ILL, GRADE, TYPE}
    assert np.allclose(expected[:, ILL], chances[ILL][:, 1])
    assert np.allclose(expected[:, GRADE], chances[GRADE] @ [1, 2, 3, 4]) and expected[:, GRADE].std() > 0.3
    assert told(model, held).loc[["ill", "grade", "type"], "r2"].between(0.15, 0.9).all()


def test_kinds_of_columns_change_no_latent_and_no_link():
    """Links rest on the contrast; a likelihood changes what is told of its own column."""
    world = simulate.case(1, n=400, seed=2)
    few = {**QUICK, "steps": 20, "width": 16}
    named, values = cohort_of(world), cohort_of(world)["a"].values.copy()
    values[:, TYPE] = pd.Series(values[:, TYPE]).map({3.0: 3.0, 5.0: 4.0, 9.0: 5.0})
    plainly = Modality(values, names=NAMES, column_kinds=["numeric"] * len(KINDS))
    cohorts = [named, Cohort({"a": plainly, "b": named["b"]}, tiers=[["a"], ["b"]])]
    levels, numbers = (MultimodalCRL(2, **few).fit(cohort, progress=False) for cohort in cohorts)
    assert levels.transform(cohorts[0]).equals(numbers.transform(cohorts[1]))
    assert levels.links().equals(numbers.links())
    mine, theirs = told(levels, cohorts[0]), told(numbers, cohorts[1])
    assert mine.iloc[:8].equals(theirs.iloc[:8]) and not mine["r2"].iloc[8:].eq(theirs["r2"].iloc[8:]).any()
    drawn, plain = (model.sample(50).columns["a"] for model in (levels, numbers))
    assert drawn.iloc[:, :8].equals(plain.iloc[:, :8]) and not plain["ill"].isin([0, 1]).any()


def test_what_numbers_stand_for_levels_changes_no_latent():
    world = simulate.case(1, n=400, seed=2)
    few, named = {**QUICK, "steps": 20, "width": 16}, cohort_of(world)
    values = named["a"].values.copy()
    values[:, GRADE] = pd.Series(values[:, GRADE]).map({1.0: 1.0, 2.0: 1.5, 3.0: 7.0, 4.0: 9_999.0})
    values[:, TYPE] = pd.Series(values[:, TYPE]).map({3.0: 3.0, 5.0: 88.0, 9.0: 1e12})
    coded = Cohort({"a": Modality(values, names=NAMES, column_kinds=KINDS), "b": named["b"]}, tiers=[["a"], ["b"]])
    first, second = (MultimodalCRL(2, **few).fit(cohort, progress=False) for cohort in (named, coded))
    assert first.transform(named).equals(second.transform(coded)) and first.links().equals(second.links())
    assert set(second.sample(50).columns["a"]["type"]) <= {3, 88, 1e12}
    values[:, GRADE] += 1e15
    far = Cohort({"a": Modality(values, names=NAMES, column_kinds=KINDS), "b": named["b"]}, tiers=[["a"], ["b"]])
    shifted = MultimodalCRL(2, **few).fit(far, progress=False).transform(far)
    np.testing.assert_allclose(shifted, first.transform(named), atol=1e-3)
    codec, whole = first._fitted.network.codecs[0], named["a"].values
    whole = whole[~np.isnan(whole).any(1)]
    np.testing.assert_allclose(codec.restore(codec.prepare(whole)), whole, atol=1e-5)


@pytest.mark.parametrize("noise", [0.15, 0.3, 1.0])
def test_ordered_levels_are_told_as_sharply_as_they_are(noise):
    """Held out, as well as by the probabilities that made them; far thresholds were once not reached."""
    rng, ends = np.random.default_rng(0), np.array([-1.0, 0.0, 1.0])
    z = rng.normal(size=4_000)
    x = np.digitize(z + noise * rng.normal(size=len(z)), ends)
    below = stats.norm.cdf((ends - z[:, None]) / noise)
    true = np.diff(np.column_stack([np.zeros(len(z)), below, np.ones(len(z))]))
    with deterministic():
        levels, codes = Levels(["ordinal"], [[0.0, 1.0, 2.0, 3.0]], 1), torch.from_numpy(z).float()[:, None]
        _fit_levels(levels, codes[:3_000], x[:3_000, None].astype(float), 0)
        mine = levels.log_probabilities(codes[3_000:])[0].exp().detach().numpy()
    rows, there = np.arange(1_000), x[3_000:]
    best = np.log(true[3_000:][rows, there]).mean()
    assert np.log(mine[rows, there]).mean() > best - 0.02
    assert mine.mean(0) == pytest.approx(np.bincount(there, minlength=4) / 1_000, abs=0.03)


# People who are drawn


def test_sampled_levels_are_whole_with_the_right_mean_given_the_latent(fitted):
    train, _, model = fitted
    latents, columns = model.sample(6_000, seed=1)
    drawn, real = columns["a"], pd.DataFrame(train["a"].values, columns=NAMES)
    for name, known in (("ill", {0, 1}), ("grade", {1, 2, 3, 4}), ("type", {3, 5, 9})):
        assert set(drawn[name]) == known
    strongest = model.loadings(train).query("column == 'ill'").set_index("latent")["loading"].abs().idxmax()
    column = ("a", int(strongest.split(".")[1]))
    edges = [-np.inf, -1, -0.3, 0.3, 1, np.inf]
    mine = drawn["ill"].groupby(np.digitize(latents[column], edges)).mean()
    theirs = real["ill"].groupby(np.digitize(model.transform(train)[column], edges)).mean()
    assert mine.to_numpy() == pytest.approx(theirs.to_numpy(), abs=0.08) and np.ptp(theirs) > 0.4
    chances = model._fitted.probabilities(0, latents.to_numpy())[GRADE]
    for k in range(4):
        assert (drawn["grade"] == k + 1).mean() == pytest.approx(chances[:, k].mean(), abs=0.025)
        assert (drawn["grade"] == k + 1).mean() == pytest.approx((real["grade"].dropna() == k + 1).mean(), abs=0.03)
    again = model.sample(6_000, seed=1).columns["a"]
    assert again.equals(drawn) and not model.sample(6_000, seed=2).columns["a"]["ill"].equals(drawn["ill"])


def test_acting_moves_levels_and_nothing_moves_without_an_action(fitted):
    _, held, model = fitted
    fact = model.counterfactual(held, {}).columns["a"]
    assert np.array_equal(fact.to_numpy(), held["a"].values, equal_nan=True)
    loading = model.loadings(held).query("column == 'ill'").set_index("latent")["loading"]
    cause = loading.abs().idxmax()
    action = {cause: 2.5 * float(np.sign(loading[cause]))}
    changed = model.counterfactual(held, action, seed=3, allow_undirected=True).columns["a"]
    assert changed["ill"].isna().equals(fact["ill"].isna()) and set(changed["ill"].dropna()) <= {0, 1}
    assert set(changed["grade"].dropna()) <= {1, 2, 3, 4}
    assert changed["ill"].mean() > fact["ill"].mean() + 0.3
    z = model.transform(held).to_numpy()
    after = model.structure.counterfactual(z, action)
    before, then = (model._fitted.probabilities(0, latents)[ILL][:, 1] for latents in (z, after))
    moved = (changed["ill"] - fact["ill"]).to_numpy()
    assert (moved[(then >= before) & ~np.isnan(moved)] >= 0).all()
    assert np.nanmean(changed["ill"]) == pytest.approx(then[fact["ill"].notna()].mean(), abs=0.05)
    assert changed.equals(model.counterfactual(held, action, seed=3, allow_undirected=True).columns["a"])
    assert not changed["ill"].equals(
        model.counterfactual(held, action, seed=4, allow_undirected=True).columns["a"]["ill"]
    )
    acted = model.intervene(action, 500, allow_undirected=True).columns["a"]
    assert set(acted["ill"]) <= {0, 1} and acted["ill"].mean() > model.sample(500).columns["a"]["ill"].mean() + 0.3


def test_a_level_is_drawn_by_rank_and_kept_where_nothing_changes():
    levels = np.array([0.0, 1.0, 5.0])
    chances = np.tile([0.2, 0.5, 0.3], (4, 1))
    assert drawn_levels(chances, levels, np.array([0.1, 0.3, 0.69, 0.71])).tolist() == [0, 1, 1, 5]
    values, luck = np.array([0.0, 1.0, 5.0, np.nan]), np.full(4, 0.999)
    assert np.array_equal(redrawn_levels(chances, chances, levels, values, luck), values, equal_nan=True)
    higher = np.tile([0.1, 0.1, 0.8], (4, 1))
    moved = redrawn_levels(chances, higher, levels, values, np.array([0.9, 0.5, 0.5, 0.5]))
    assert moved[:3].tolist() == [1, 5, 5] and np.isnan(moved[3])  # ranks .18, .45 and .85
    assert np.isnan(drawn_levels(np.full((1, 3), np.nan), levels, np.array([0.5]))).all()


def test_an_observed_binary_column_takes_its_nearest_level():
    world = simulate.case(1, n=800, seed=0)
    female = (world.latents[("a", 0)] > 0.5).to_numpy(float)[:, None]
    cohort = Cohort({"who": Modality(female, kind="observed", names=["female"]), "b": world.cohort["b"]})
    model = MultimodalCRL(2, starts=1, steps=60, width=16).fit(cohort, progress=False)
    drawn = model.sample(4_000).columns["who"]["female"]
    assert set(drawn) == {0, 1} and drawn.mean() == pytest.approx(female.mean(), abs=0.08)
    assert model.loadings(cohort).set_index("column").loc["female", "r2"] == pytest.approx(1.0)


def test_a_loaded_model_draws_and_tells_the_same(fitted, tmp_path):
    _, held, model = fitted
    model.save(tmp_path / "model")
    loaded = MultimodalCRL.load(tmp_path / "model")
    assert loaded.sample(40).columns["a"].equals(model.sample(40).columns["a"])
    assert loaded.loadings(held).equals(model.loadings(held))


def test_a_column_of_many_values_is_treated_as_numeric():
    rng = np.random.default_rng(0)
    values = np.column_stack([np.arange(200) % 21, np.arange(200) % 20, rng.normal(size=200)])
    many = Modality(values, column_kinds=["ordinal", "ordinal", "numeric"])
    block = plan_blocks(Cohort({"a": many, "b": rng.normal(size=(200, 3))}), 1)[0]
    assert [len(known) for known in block.levels] == [0, 20, 0]
