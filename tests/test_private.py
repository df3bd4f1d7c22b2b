"""Private variation: planted dimensions are found, likelihoods are those of scipy, draws have the covariance."""

import numpy as np
import pytest
import torch
from scipy import stats

from mmcrl import Cohort, MultimodalCRL, simulate
from mmcrl.factors import Factors, choose, principal
from mmcrl.private import pairwise_covariance, principal_root
from mmcrl.restricted import likeliest, most_factors

F, D, N = 12, 2, 2_000
NONE = np.empty((0, F))


def world(k: int, n: int = N, d: int = D, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Residuals (n, F) of people whose d latents are read the best linear way; covariance of u, W and B."""
    rng = np.random.default_rng([seed, k])
    w, v, psi = rng.normal(size=(d, F)), rng.normal(size=(k, F)), rng.uniform(0.3, 0.8, F)
    c = v.T @ v + np.diag(psi)
    x = rng.normal(size=(n, d)) @ w + rng.normal(size=(n, k)) @ v + rng.normal(size=(n, F)) * np.sqrt(psi)
    b = np.linalg.solve(w @ np.linalg.solve(c, w.T), np.linalg.solve(c, w.T).T) if d else w
    return x - x @ b.T @ w, c, w, b


def chosen(k: int, d: int, gaps: float = 0.0) -> Factors:
    residuals, _, w, b = world(k, d=d)
    residuals[np.random.default_rng(1).random(residuals.shape) < gaps] = np.nan
    train, held = residuals[: N * 3 // 4], residuals[N * 3 // 4 :]
    covariance = pairwise_covariance(train)
    candidates = ((lambda k=k: likeliest(covariance, w, b, k)) for k in range(most_factors(F) - d + 1))
    return choose(candidates, torch.from_numpy(held))[0]


# The number of dimensions


@pytest.mark.parametrize("d", [0, D])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_as_many_dimensions_are_chosen_as_were_planted(k, d):
    assert chosen(k, d).dimensions == k


def test_missing_cells_change_neither_the_number_nor_the_covariance():
    whole, gappy = chosen(2, 0), chosen(2, 0, gaps=0.2)
    assert gappy.dimensions == whole.dimensions == 2
    assert torch.allclose(gappy.covariance, whole.covariance, atol=0.15 * float(whole.covariance.max()))


def test_without_regard_to_what_is_read_as_latents_there_would_be_more():
    residuals, _, w, b = world(0, d=D)
    covariance, held = pairwise_covariance(residuals[:1_500]), torch.from_numpy(residuals[1_500:])
    blind, _ = choose(((lambda k=k: likeliest(covariance, NONE, NONE, k)) for k in range(8)), held)
    aware, _ = choose(((lambda k=k: likeliest(covariance, w, b, k)) for k in range(6)), held)
    assert blind.dimensions >= 3 and aware.dimensions == 0


def test_the_search_ends_after_three_in_a_row_that_are_no_better():
    residuals, *_ = world(1, d=0)
    covariance, asked = pairwise_covariance(residuals[:1_500]), []

    def candidate(k: int) -> Factors:
        asked.append(k)
        return likeliest(covariance, NONE, NONE, min(k, 1))

    _, tried = choose(((lambda k=k: candidate(k)) for k in range(9)), torch.from_numpy(residuals[1_500:]))
    assert asked == [0, 1, 2, 3, 4] and [k for k, _ in tried] == [0, 1, 1, 1, 1]


# Likelihood


def test_the_log_density_is_that_of_scipy_and_of_those_columns_a_person_has():
    residuals, *_ = world(2, d=0)
    found = likeliest(pairwise_covariance(residuals), NONE, NONE, 2)
    whole = stats.multivariate_normal(np.zeros(F), found.covariance.numpy())
    assert np.allclose(found.log_density(torch.from_numpy(residuals[:50])), whole.logpdf(residuals[:50]))
    residuals[::2, 3:5] = residuals[1, 7] = residuals[3] = np.nan
    got = found.log_density(torch.from_numpy(residuals[:4]))
    for value, row in zip(got[:3], residuals[:3], strict=True):
        o = ~np.isnan(row)
        part = stats.multivariate_normal(np.zeros(o.sum()), found.covariance.numpy()[np.ix_(o, o)])
        assert float(value) == pytest.approx(part.logpdf(row[o]))
    assert float(got[3]) == 0, "nothing was measured"


def test_the_restricted_log_density_is_that_of_the_contrasts_that_the_latents_leave_out():
    residuals, _, w, b = world(2)
    a = np.linalg.svd(w)[2][D:]  # a w.T = 0
    gaps = []
    for k in (0, 2):
        found = likeliest(pairwise_covariance(residuals), w, b, k)
        c = (found.loadings.T @ found.loadings + found.noise.square().diag()).numpy()
        scale = np.diag(found.along.numpy()[0] / w[0])  # the found W is w, column by column, up to this
        kept = a @ np.linalg.inv(scale)
        of_contrasts = stats.multivariate_normal(np.zeros(F - D), kept @ c @ kept.T).logpdf(residuals[:40] @ kept.T)
        jacobian = 0.5 * np.linalg.slogdet(kept @ kept.T)[1] - 0.5 * np.linalg.slogdet(found.along @ found.along.T)[1]
        gaps.append(found.log_density(torch.from_numpy(residuals[:40])).numpy() - of_contrasts - jacobian)
    assert np.allclose(gaps, 0, atol=1e-3)


def test_no_other_noise_is_likelier():
    residuals, _, w, b = world(1)
    covariance = pairwise_covariance(residuals)
    found = likeliest(covariance, w, b, 1)
    everybody = torch.from_numpy(residuals)
    best = found.log_density(everybody).mean()
    for seed in range(10):
        rng = np.random.default_rng(seed)
        for size in (0.02, 0.2):
            other = Factors(
                found.loadings + size * torch.from_numpy(rng.normal(size=(1, F))),
                found.noise * torch.from_numpy(np.exp(size * rng.normal(size=F))),
                found.along,
                found.read,
            )
            assert other.log_density(everybody).mean() < best + 1e-4


# Draws


@pytest.mark.parametrize("d", [0, D])
def test_draws_have_the_covariance_of_the_people_and_nothing_is_read_of_them(d):
    residuals, _, w, b = world(2, d=d)
    covariance = pairwise_covariance(residuals)
    found = likeliest(covariance, w, b, 2)
    assert np.allclose(found.covariance.diagonal(), np.diag(covariance)), "every column its maximum-likelihood spread"
    assert np.abs(found.covariance.numpy() - covariance).max() < 0.02 * np.diag(covariance).max()
    if not d:
        assert torch.allclose(found.covariance, found.loadings.T @ found.loadings + found.noise.square().diag())
    drawn = found.draw(np.random.default_rng(0), 100_000)
    assert np.abs(np.cov(drawn.T) - found.covariance.numpy()).max() < 0.03 * np.diag(covariance).max()
    assert torch.allclose(drawn @ found.read.T, torch.zeros(1, dtype=torch.float64), atol=1e-6)


def test_columns_that_do_not_vary_stay_still():
    covariance = np.diag([0.0, 2.0, 1.0])
    found = likeliest(covariance, np.empty((0, 3)), np.empty((0, 3)), 0)
    assert found.spread.tolist() == pytest.approx([0, 2**0.5, 1])
    assert (found.draw(np.random.default_rng(0), 5)[:, 0] == 0).all()
    assert found.log_density(torch.zeros(2, 3, dtype=torch.float64)).isfinite().all()
    still = likeliest(np.zeros((2, 2)), np.ones((1, 2)), np.ones((1, 2)), 0)
    assert (still.draw(np.random.default_rng(0), 3) == 0).all() and (still.spread == 0).all()


@pytest.mark.parametrize("k", [0, 3])
def test_principal_factors_keep_the_variance_of_every_place(k):
    rng = np.random.default_rng(0)
    residuals = torch.from_numpy(rng.normal(size=(300, 3)) @ rng.normal(size=(3, 50)) + rng.normal(size=(300, 50)))
    variance = residuals.square().mean(0)
    found = principal(principal_root(residuals, 8), variance, k)
    assert found.dimensions == k and torch.allclose(found.spread**2, variance)
    like = stats.multivariate_normal(np.zeros(50), found.covariance.numpy()).logpdf(residuals[:5])
    assert np.allclose(found.log_density(residuals[:5]), like)


def test_the_bound_on_the_number_of_factors_is_ledermanns():
    for f in range(1, 60):
        k = most_factors(f)
        assert (f - k) ** 2 <= f + k and (k == 0 or (f - k + 1) ** 2 > f + k - 1)


# Models


def linear(p: int, n: int = 1_600) -> Cohort:
    z = simulate.numeric(2, 2, n=n, seed=3).latents
    rng, values = np.random.default_rng([p, 9]), {}
    for name in ("a", "b"):
        own = rng.normal(size=(n, p)) @ rng.normal(size=(p, 10)) + 0.7 * rng.normal(size=(n, 10))
        values[name] = z[name].to_numpy() @ rng.normal(size=(2, 10)) + own
    return Cohort.from_arrays(values)


@pytest.fixture(scope="module")
def fitted():
    cohort = linear(2)
    return cohort, MultimodalCRL(2, starts=1, steps=250, width=32, jobs=1).fit(cohort, progress=False)


def test_a_model_finds_the_private_dimensions_of_a_linear_world(fitted):
    _, model = fitted
    assert all(2 <= k <= 3 for k in model.private_dimensions.values())
    for name, tried in model.report["private_tried"].items():
        losses = dict(tried)
        assert losses[0] > losses[1] > losses[2] and model.private_dimensions[name] in losses


def test_sampled_columns_vary_together_as_the_real_ones(fitted):
    cohort, model = fitted
    columns = model.sample(4_000).columns
    for name in cohort.names:
        assert np.abs(columns[name].std().to_numpy() / cohort[name].values.std(0) - 1).max() < 0.1
        assert np.abs(np.corrcoef(columns[name].T) - np.corrcoef(cohort[name].values.T)).max() < 0.2


def test_private_dimensions_are_saved_and_loaded(fitted, tmp_path):
    _, model = fitted
    model.save(tmp_path / "model")
    loaded = MultimodalCRL.load(tmp_path / "model")
    assert loaded.private_dimensions == model.private_dimensions and loaded.report == model.report
    assert loaded.sample(30, 2).columns["b"].equals(model.sample(30, 2).columns["b"])


def test_a_model_that_was_saved_with_a_root_alone_is_loaded(fitted, tmp_path, monkeypatch):
    _, model = fitted
    roots = [torch.linalg.cholesky(of.covariance + 1e-9 * torch.eye(10)).T for of in model._fitted.private]
    with monkeypatch.context() as patch:
        patch.setattr("mmcrl.saving._private_tensors", lambda shows: {f"private.{m}": r for m, r in enumerate(roots)})
        model.save(tmp_path / "model")
    loaded = MultimodalCRL.load(tmp_path / "model")
    assert loaded.private_dimensions == {"a": 10, "b": 10}
    drawn = loaded.sample(2_000).columns["a"]
    assert np.allclose(drawn.std(), model.sample(2_000).columns["a"].std(), rtol=0.1)
    assert np.allclose(loaded._fitted.spread(0), model._fitted.spread(0), rtol=1e-6)
