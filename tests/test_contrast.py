"""Contrast: the mathematics of the critic."""

import math

import numpy as np
import pytest
import torch

from mmcrl.contrast import Contrast
from mmcrl.kinds import TableCodec, codec_for
from mmcrl.networks import ScalarFeatures

SIZES = (2, 3, 1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield Contrast([TableCodec((5,), k, 16) for k in SIZES]).double()
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def people():
    torch.manual_seed(1)
    return [torch.randn(40, 5, dtype=torch.float64) for _ in SIZES], torch.ones(40, len(SIZES), dtype=torch.bool)


def test_a_scalar_feature_depends_on_its_own_scalar_alone():
    torch.manual_seed(0)
    phi = ScalarFeatures(4, features=3).double()
    z = torch.randn(1, 4, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: phi(x)[0], z)[:, :, 0]  # (4, 3, 4)
    for i in range(4):
        others = [j for j in range(4) if j != i]
        assert (jacobian[i][:, others] == 0).all()
        assert (jacobian[i][:, i] != 0).any()


def test_pair_weights_are_symmetric_and_vanish_within_a_modality(network):
    weights = network.pair_weights()
    assert torch.allclose(weights, weights.permute(1, 0, 3, 2))
    block = np.repeat(np.arange(3), SIZES)
    assert (weights[torch.from_numpy(block[:, None] == block[None])] == 0).all()


def test_the_loss_is_infonce_of_the_critic_written_out(network, people):
    features, measured = people
    z = network.latents(features, measured).detach()
    phi, weights = network.phi(z), network.pair_weights()
    expected = 0.0
    for m, mine in enumerate(network.members):
        scores = torch.zeros(40, 40, dtype=torch.float64)  # anchor a, candidate b
        for i in mine.tolist():
            for j in range(6):
                scores += torch.einsum("bs,st,at->ab", phi[:, i], weights[i, j], phi[:, j])
        scores += network.psi[m](z[:, mine]).T
        expected += -(scores.diagonal() - scores.logsumexp(1)).mean()
    loss, _ = network.loss(z, measured)
    assert loss.item() == pytest.approx(expected.item())


def test_an_uninformed_critic_scores_log_n_per_modality(network, people):
    features, measured = people
    with torch.no_grad():
        network.pair.zero_()
        for psi in network.psi:
            psi[-1].weight.zero_()
    loss, sizes = network.loss(network.latents(features, measured), measured)
    assert loss.item() == pytest.approx(3 * math.log(40))
    assert sizes.max().item() == pytest.approx(0, abs=2e-3)


def test_the_size_of_a_pair_is_its_terms_deviation_under_independence(network, people):
    features, measured = people
    z = network.latents(features, measured).detach()
    _, sizes = network.loss(z, measured)
    phi, weights = network.phi(z), network.pair_weights()
    centred = phi - phi.mean(0)
    term = torch.einsum("as,st,bt->ab", centred[:, 0], weights[0, 2], centred[:, 2])  # all pairs of people
    assert sizes[0, 2].item() == pytest.approx(math.sqrt((term**2).mean().item() + 1e-6), rel=1e-6)


def test_every_parameter_gets_a_gradient(network, people):
    features, measured = people
    loss, sizes = network.loss(network.latents(features, measured), measured)
    (loss + sizes.sum()).backward()
    for name, parameter in network.named_parameters():
        if "decoder" not in name:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_latents_are_standardised_over_the_people_measured(network, people):
    features, measured = people
    measured = measured.clone()
    measured[:15, 1] = False
    z = network.latents(features, measured)
    assert (z[:15, 2:5] == 0).all()
    seen = z[15:, 2:5]
    assert torch.allclose(seen.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(seen.std(0, unbiased=False), torch.ones(3, dtype=torch.float64), atol=1e-2)


def test_a_person_without_a_modality_does_not_change_its_loss(network, people):
    features, measured = people
    measured = measured.clone()
    measured[:10, 0] = False
    changed = [features[0].clone(), *features[1:]]
    changed[0][:10] += 100.0
    network.calibrate(features, measured)
    network.eval()
    before, _ = network.loss(network.latents(features, measured), measured)
    after, _ = network.loss(network.latents(changed, measured), measured)
    assert before.item() == after.item()


def test_calibration_gives_the_training_standardisation(network, people):
    features, measured = people
    trained = network.latents(features, measured)
    network.calibrate(features, measured)
    network.eval()
    assert torch.allclose(network.latents(features, measured), trained)


def test_a_missing_cell_takes_its_conditional_mean():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(20_000, 1))
    values = np.hstack([a, 0.9 * a + np.sqrt(0.19) * rng.normal(size=(20_000, 1))])
    codec = TableCodec((2,), 1, 8)
    codec.fit_scale(values)
    probe = np.array([[2.0, np.nan], [np.nan, np.nan], [2.0, 1.0]])
    filled = codec.prepare(probe).numpy()
    assert filled[0, 1] == pytest.approx(0.95 * 0.9 * 2.0, abs=0.05)
    assert (filled[1] == 0).all()
    assert codec.restore(codec.prepare(values[:50])) == pytest.approx(values[:50], abs=1e-5)


def test_observed_columns_are_never_mixed():
    codec = codec_for("observed")((2,), 2, 8)
    x = torch.randn(7, 2)
    assert torch.equal(codec.encode(x), x)
    assert torch.equal(codec.decode(x), x)
