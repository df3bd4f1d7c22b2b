"""Neural baselines: the protocol, and the mathematics of each loss."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from mmcrl import Cohort, InputError, Modality, metrics, simulate
from mmcrl.baselines import MCL, Baseline, BetaVAE, CausalVAE, GroupedContrast, PublishedLoss
from mmcrl.baselines.causal_vae import CausalNetwork, acyclicity, kl_labels
from mmcrl.baselines.gaussian import GaussianEncoder, kl_standard
from mmcrl.baselines.grouped import GroupedNetwork
from mmcrl.baselines.multimodal import info_nce
from mmcrl.baselines.neural import Network
from mmcrl.baselines.published import PublishedNetwork
from mmcrl.kinds import Codec, TableCodec, codec_for
from mmcrl.tensors import People

FEW = {"steps": 20, "width": 16}


@pytest.fixture(autouse=True)
def double():
    """Mathematics in double precision, and the same random numbers in every test."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def cohort() -> Cohort:
    """Table without seven people and one cell, another table, and one observed column."""
    rng = np.random.default_rng(2)
    table = rng.normal(size=(300, 5))
    table[:7], table[10, 1] = np.nan, np.nan
    age = Modality(rng.uniform(20, 80, size=(300, 1)), kind="observed")
    return Cohort({"table": table, "other": rng.normal(size=(300, 4)), "age": age}, ids=[f"p{i}" for i in range(300)])


def truth_like(cohort: Cohort) -> pd.DataFrame:
    columns = [("table", 0), ("table", 1), ("other", 0), ("other", 1), ("age", 0)]
    values = np.random.default_rng(1).normal(size=(len(cohort), 5))
    return pd.DataFrame(values, index=cohort.ids, columns=pd.MultiIndex.from_tuples(columns))


METHODS: dict[str, Callable[[Cohort], Baseline]] = {
    "BetaVAE": lambda cohort: BetaVAE(2, seed=3, **FEW),
    "CausalVAE": lambda cohort: CausalVAE(truth_like(cohort), seed=3, **FEW),
    "MCL": lambda cohort: MCL(2, seed=3, **FEW),
    "GroupedContrast": lambda cohort: GroupedContrast(2, seed=3, **FEW),
    "PublishedLoss": lambda cohort: PublishedLoss(2, seed=3, **FEW),
}


@pytest.mark.parametrize("name", METHODS)
def test_protocol_missing_people_and_determinism(name: str, cohort: Cohort):
    fitted = METHODS[name](cohort).fit(cohort)
    found = fitted.transform(cohort)
    assert found.index.equals(cohort.ids)
    assert list(found.columns) == list(truth_like(cohort).columns)
    assert found.columns.names == ["modality", "latent"]
    assert found["table"].isna().any(axis=1).tolist() == [True] * 7 + [False] * 293
    assert found.drop(columns="table").notna().all(axis=None)
    assert (found.std() > 0).all()
    assert abs(np.corrcoef(found[("age", 0)], cohort["age"].values[:, 0])[0, 1]) == pytest.approx(1)
    assert fitted.hyper_parameters["steps"] == 20
    assert name in repr(fitted)
    torch.manual_seed(99)
    pd.testing.assert_frame_equal(found, METHODS[name](cohort).fit(cohort).transform(cohort))


@pytest.mark.parametrize("name", METHODS)
def test_pictures_with_gaps_and_on_disk_go_through_every_method(name: str, cohort: Cohort, tmp_path: Path):
    rng = np.random.default_rng(4)
    bright = rng.normal(size=(300, 2))
    pictures = (bright[:, :, None, None] + 0.3 * rng.normal(size=(300, 2, 6, 5))).astype(np.float32)
    pictures[:7], pictures[20, 0, :2] = np.nan, np.nan
    np.save(tmp_path / "pictures.npy", pictures)
    stored = np.load(tmp_path / "pictures.npy", mmap_mode="r")
    there = {key: cohort[key] for key in ("other", "age")}
    found = [
        METHODS[name](both).fit(both).transform(both)
        for both in (Cohort({"table": values, **there}, ids=cohort.ids) for values in (pictures, stored))
    ]
    assert found[0]["table"].isna().any(axis=1).tolist() == [True] * 7 + [False] * 293
    assert (found[0].std() > 0).all()
    pd.testing.assert_frame_equal(*found)


def test_a_beta_vae_of_pictures_keeps_what_varies_most_in_them():
    rng = np.random.default_rng(0)
    bright, across = rng.normal(size=(2, 600))
    pictures = bright[:, None, None] + across[:, None, None] * np.linspace(-1, 1, 6)
    pictures = (pictures[:, None] + 0.2 * rng.normal(size=(600, 1, 6, 6))).astype(np.float32)
    both = Cohort({"eye": pictures, "table": rng.normal(size=(600, 3))})
    found = BetaVAE(2, seed=0, steps=200, width=32).fit(both).transform(both)
    truth = pd.DataFrame({("eye", 0): bright, ("eye", 1): across}, index=both.ids)
    assert metrics.r2(truth, found[["eye"]]) > 0.9


@pytest.mark.parametrize("name", METHODS)
def test_unfitted_and_unlike_cohorts_are_refused(name: str, cohort: Cohort):
    with pytest.raises(InputError, match="call fit first"):
        METHODS[name](cohort).transform(cohort)
    narrow = Cohort({**cohort.modalities, "table": cohort["table"].values[:, :3]}, ids=cohort.ids)
    with pytest.raises(InputError, match="columns that were fitted"):
        METHODS[name](cohort).fit(cohort).transform(narrow)


@pytest.mark.parametrize("name", METHODS)
def test_training_lowers_the_held_out_loss(name: str):
    world = simulate.case(1, n=600, seed=5)
    own = {"latents": world.latents} if name == "CausalVAE" else {"n_latents": 2}
    method = {m.__name__: m for m in (BetaVAE, CausalVAE, MCL, GroupedContrast, PublishedLoss)}[name]
    losses = [method(**own, seed=1, steps=steps, width=32).fit(world.cohort).held_out_loss for steps in (1, 150)]
    assert losses[1] < losses[0]


def test_tuning_keeps_the_rate_with_the_lowest_held_out_loss(cohort: Cohort):
    tuned = MCL(2, seed=3, tune=True, **FEW)
    assert tuned.hyper_parameters["learning_rate"] == (1e-3, 3e-3, 1e-2), "those to choose from"
    tuned.fit(cohort)
    single = {rate: MCL(2, seed=3, learning_rate=rate, **FEW).fit(cohort) for rate in (1e-3, 3e-3, 1e-2)}
    best = min(single, key=lambda rate: single[rate].held_out_loss)
    assert tuned.hyper_parameters["learning_rate"] == best
    pd.testing.assert_frame_equal(tuned.transform(cohort), single[best].transform(cohort))


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="steps"):
        BetaVAE(2, steps=0)


def test_kl_equals_torch_distributions():
    mean, log_sd = torch.randn(6, 3), torch.randn(6, 3)
    expected = kl_divergence(Normal(mean, log_sd.exp()), Normal(0.0, 1.0))
    assert torch.allclose(kl_standard(mean, log_sd), expected)


def test_kl_to_labels_is_that_of_the_transformed_gaussian():
    adjacency, mean, log_sd, labels = 0.4 * torch.randn(3, 3), torch.randn(1, 3), torch.randn(1, 3), torch.randn(1, 3)
    adjacency.fill_diagonal_(0)
    mixing = torch.linalg.inv(torch.eye(3) - adjacency)
    covariance = mixing @ torch.diag((2 * log_sd[0]).exp()) @ mixing.T
    q = MultivariateNormal(mixing @ mean[0], covariance)
    expected = kl_divergence(q, MultivariateNormal(labels[0], torch.eye(3)))
    found = kl_labels(mean, log_sd, adjacency, labels, torch.ones(1, 3))
    assert found.item() == pytest.approx(expected.item())


def test_acyclicity_is_zero_exactly_for_graphs_without_a_cycle():
    order = torch.randperm(5)
    acyclic = torch.randn(5, 5).tril(-1)[order][:, order]
    assert acyclicity(acyclic).item() == pytest.approx(0, abs=1e-9)
    for cycle in ([0, 1], [0, 2, 4], [4, 3, 2, 1, 0]):
        matrix = torch.zeros(5, 5)
        for source, target in zip(cycle, cycle[1:] + cycle[:1], strict=True):
            matrix[target, source] = 0.5
        assert acyclicity(matrix).item() > 1e-6
    assert acyclicity(torch.tensor([[0.0, 1.0], [1.0, 0.0]])).item() == pytest.approx(2 * math.cosh(1) - 2)


def tables(sizes: tuple[int, ...] = (2, 2)) -> list[Codec]:
    return [TableCodec((4,), k, 8) for k in sizes]


def people_of(n: int = 30, modalities: int = 2, d: int = 4) -> People:
    measured = torch.ones(n, modalities, dtype=torch.bool)
    return People([torch.randn(n, 4) for _ in range(modalities)], measured, measured, torch.randn(n, d))


def test_causal_layer_solves_the_linear_model_and_every_part_of_the_loss_learns():
    network = CausalNetwork(tables(), [4, 4], 8)
    network.matrix.data = 0.3 * torch.randn(4, 4)
    eps = torch.randn(7, 4)
    z = network.causal_layer(eps)
    assert torch.allclose(z, z @ network.adjacency().T + eps)
    assert torch.equal(torch.diag(network.adjacency()), torch.zeros(4))
    network.loss(people_of()).backward()
    off = ~torch.eye(4, dtype=torch.bool)
    assert network.matrix.grad is not None
    assert (network.matrix.grad[off] != 0).all()
    assert all(p.grad is not None for p in network.parameters() if p.requires_grad and p.ndim and _used(network, p))


def _used(network: Network, parameter: torch.Tensor) -> bool:
    return all(parameter is not p for p in network.codecs.parameters())


def test_causal_vae_says_that_it_needs_labels(cohort: Cohort):
    baseline = CausalVAE(truth_like(cohort), **FEW)
    assert "needs labels" in repr(baseline)
    assert "Needs labels" in str(CausalVAE.__doc__)
    with pytest.raises(InputError, match="everybody with other"):
        CausalVAE(truth_like(cohort)[["other", "age"]][20:], **FEW).fit(cohort.without("table"))


def test_mcl_loss_is_info_nce_written_out():
    a, b, tau = torch.randn(5, 2), torch.randn(5, 2), 0.7
    total = 0.0
    for first, second in ((a, b), (b, a)):
        for i in range(5):
            scores = [math.exp(-float(((first[i] - second[j]) ** 2).sum()) / tau) for j in range(5)]
            total -= math.log(scores[i] / sum(scores)) / 5 / 2
    assert info_nce(a, b, tau).item() == pytest.approx(total)


def test_mcl_of_three_modalities_is_the_sum_over_pairs():
    network, people = MCL(2)._network(tables((2, 3, 2)), [4, 4, 4]), people_of(modalities=3, d=7)
    codes = network.latents(people)
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = torch.stack([info_nce(codes[m][:, :2], codes[n][:, :2], 1.0) for m, n in pairs]).sum()
    assert network.loss(people).item() == pytest.approx(expected.item())


def test_grouped_regression_is_a_sum_over_pairs_of_components():
    network, people = GroupedNetwork(tables()), people_of()
    h = torch.cat(network.codes(people), 1).detach()
    terms = network.pair_terms(h)
    weight, slope = -torch.nn.functional.softplus(network.weight), 0.5 * (network.slope + network.slope.T)
    psi = network.curve(h)[:, :, 0]
    for i, j in ((0, 2), (3, 1)):
        written = weight[i, j] * (slope[i, j] * h[:, j] - slope[i, j].abs() * psi[:, i]).abs()
        assert torch.allclose(terms[:, i, j], written)
    assert (terms <= 0).all()
    assert torch.equal(terms[:, :2, :2], torch.zeros(30, 2, 2))
    single = sum(net(h[:, 2 * m : 2 * m + 2])[:, 0] for m, net in enumerate(network.single))
    total = network.regression(list(h.split(2, 1)), people.measured)
    assert torch.allclose(total, terms.sum((1, 2)) + single + network.bias)


def test_grouped_contrast_tells_nothing_about_independent_modalities():
    rng = np.random.default_rng(0)
    independent = Cohort({"a": rng.normal(size=(2000, 4)), "b": rng.normal(size=(2000, 4))})
    linked = simulate.case(1, n=2000, seed=0).cohort
    chance = 2 * math.log(2)
    losses = [GroupedContrast(2, steps=200, width=32).fit(c).held_out_loss for c in (independent, linked)]
    assert losses[0] > chance - 0.01
    assert losses[1] < chance - 0.2


def published() -> PublishedNetwork:
    return PublishedNetwork(tables(), [4, 4], 8, 1, 0.1, 0.01, 0.1)


def test_published_adjacency_gets_no_gradient_from_the_likelihood():
    network, people = published(), people_of()
    assert network.parents().sum() == 12
    network.fit_terms(people).backward()
    assert network.links.grad is None
    network.loss(people).backward()
    assert torch.equal(network.links.grad, torch.full((4, 4), 0.01))


def test_published_noise_lacks_the_determinant_of_its_network():
    network = published()
    z = torch.randn(1, 4)
    counted = torch.tanh(network.scale).sum()

    def eps(row: torch.Tensor) -> torch.Tensor:
        parents = network.parents()
        average = parents @ row / parents.sum(1)
        inputs = torch.stack([row, average], 1)
        found = torch.cat([f(inputs[i : i + 1])[:, 0] for i, f in enumerate(network.mechanisms)])
        return torch.tanh(network.scale).exp() * found + network.shift

    jacobian = torch.autograd.functional.jacobian(eps, z[0])
    assert network.noise_terms(z).sum().item() == pytest.approx(
        float(-Normal(0.0, 1.0).log_prob(eps(z[0])).sum() - counted)
    )
    assert abs(torch.linalg.slogdet(jacobian).logabsdet.item() - counted.item()) > 0.1


def test_published_parents_are_averaged():
    network = published()
    z = torch.randn(9, 4)
    swapped = z[:, [0, 2, 1, 3]]
    found, same = network.noise_terms(z)[:, 0], network.noise_terms(swapped)[:, 0]
    assert torch.allclose(found, same)
    assert not torch.allclose(found, network.noise_terms(z + torch.eye(4)[1])[:, 0])


def test_beta_vae_returns_the_latents_that_carry_most():
    world = simulate.case(1, n=600, seed=5)
    fitted = BetaVAE(1, seed=0, steps=300, width=32, extra=2).fit(world.cohort)
    network = fitted._fitted
    people = network.people(world.cohort.split(fitted.settings.held_out, 0)[0])
    for m, x in enumerate(people.features):
        nats = kl_standard(*network.encoders[m](x)).mean(0)
        assert network.chosen[m].tolist() == [int(nats.argmax())]


def test_every_view_of_a_picture_gives_means_to_a_variational_encoder():
    torch.manual_seed(0)
    for kind, n_views, n_out in (("image-toned", 2, 2), ("image-sides", 2, 3), ("image", 1, 3)):
        codec = codec_for(kind)((2, 8, 8), n_out, 16)
        encoder = GaussianEncoder(codec, 128, 16, n_out)
        mean, log_sd = encoder(torch.randn(5, 2, 8, 8))
        assert mean.shape == log_sd.shape == (5, n_out)
        own = encoder.net.codec
        heads = [own.encoder[-1], *([own.tone[-1]] if n_views > 1 else [])]
        for head, size in zip(heads, codec.views, strict=True):
            told = torch.autograd.grad(mean.square().sum(), head.weight, retain_graph=True)[0]
            assert (told != 0).any(1).sum() == size
        assert encoder.order.sort().values.tolist() == list(range(2 * n_out))
        assert n_views > 1 or encoder.order.tolist() == list(range(2 * n_out))
