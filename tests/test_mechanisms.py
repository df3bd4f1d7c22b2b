"""Mechanisms: the flow's mathematics in float64, gradients that reach the graph, an adjacency that is learned."""

import numpy as np
import pytest
import torch

from mmcrl import InputError
from mmcrl.flows import LogisticMixture
from mmcrl.likelihood import fit_mechanisms, log_likelihood
from mmcrl.mechanisms import Mechanisms
from mmcrl.training import deterministic

FULL = np.tril(np.ones((4, 4), dtype=bool), -1)


@pytest.fixture
def mechanisms() -> Mechanisms:
    torch.manual_seed(0)
    made = Mechanisms(FULL).double()
    with torch.no_grad():
        made.w3.mul_(20)  # far from the start, where all mechanisms are alike
    return made


@pytest.fixture
def z() -> torch.Tensor:
    return torch.randn(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_log_det_equals_autograds(mechanisms, z):
    mechanisms.eval()
    for row in z[:5]:
        jacobian = torch.autograd.functional.jacobian(lambda x: mechanisms(x[None])[0][0], row)
        assert torch.allclose(torch.linalg.slogdet(jacobian)[1], mechanisms(row[None])[1].sum(), atol=1e-10)


def test_log_density_is_that_of_the_noise_and_the_log_det(mechanisms, z):
    mechanisms.eval()
    eps, log_det = mechanisms(z)
    of_noise = torch.nn.functional.logsigmoid(eps) + torch.nn.functional.logsigmoid(-eps)
    assert torch.allclose(mechanisms.log_density(z), of_noise + log_det, atol=1e-10)


def test_every_density_integrates_to_one(mechanisms, z):
    mechanisms.eval()
    grid = torch.linspace(-60, 60, 12_001, dtype=torch.float64)
    for i in range(4):
        rows = z[:1].repeat(len(grid), 1)
        rows[:, i] = grid
        total = torch.trapezoid(mechanisms.log_density(rows)[:, i].exp(), grid)
        assert total.item() == pytest.approx(1, abs=1e-6)


def test_inverse_after_forward_is_the_identity(mechanisms, z):
    mechanisms.eval()
    eps = mechanisms(z)[0]
    for i in range(4):
        assert torch.allclose(mechanisms.inverse(eps[:, i], z, i), z[:, i], rtol=1e-11, atol=1e-11)


def test_noise_is_reproduced_from_the_inverse_in_far_tails(mechanisms, z):
    mechanisms.eval()
    far = 30 * z
    eps = mechanisms(far)[0]
    for i in range(4):
        back = far.clone()
        back[:, i] = mechanisms.inverse(eps[:, i], far, i)
        assert torch.allclose(mechanisms(back)[0][:, i], eps[:, i], rtol=1e-9, atol=1e-9)


def test_the_inverse_holds_where_the_density_is_nearly_zero():
    spikes = LogisticMixture(
        torch.log(torch.tensor([0.5, 0.5], dtype=torch.float64)),
        torch.tensor([-1.0, 1.0], dtype=torch.float64),
        torch.tensor([0.05, 0.05], dtype=torch.float64),
    )
    z = torch.linspace(-3, 3, 601, dtype=torch.float64)
    eps, log_slope = spikes.forward(z)
    assert (eps.diff() > 0).all()
    back = spikes.inverse(eps)
    assert ((back - z).abs() * log_slope.exp().clamp(max=1) < 1e-12).all()  # what rounding of eps leaves open
    assert torch.allclose(spikes.forward(back)[0], eps, atol=1e-10)


def test_the_likelihoods_gradient_reaches_every_allowed_logit(mechanisms, z):
    mechanisms.train()
    torch.manual_seed(2)
    mechanisms.log_density(z).sum().backward()
    assert (mechanisms.logits.grad[mechanisms.real].abs() > 1e-6).all()
    assert (mechanisms.logits.grad[~mechanisms.real] == 0).all()


@pytest.mark.parametrize("logit", [-4.0, 4.0])
def test_the_gradient_does_not_die_at_the_ends_of_a_gate(mechanisms, logit):
    mechanisms.train()
    torch.manual_seed(2)
    with torch.no_grad():
        mechanisms.logits.fill_(10 * logit)
    mechanisms.keep_gates_alive()
    assert (mechanisms.logits == logit).all()
    z = torch.randn(512, 4, dtype=torch.float64)  # a batch
    mechanisms.log_density(z).sum().backward()
    assert (mechanisms.logits.grad[mechanisms.real].abs() > 1e-9).all()


def test_each_parent_has_its_own_input(mechanisms, z):
    """Were parents averaged, swapping two of them would change nothing."""
    mechanisms.eval()
    swapped = z[:, [1, 0, 2, 3]]
    assert ((mechanisms.log_density(z) - mechanisms.log_density(swapped))[:, 3].abs() > 1e-6).all()


def test_a_shut_gate_hides_its_parent_even_a_missing_one(mechanisms, z):
    mechanisms.eval()
    with torch.no_grad():
        mechanisms.logits[3, 0] = -1
    before = mechanisms.log_density(z)
    changed = z.clone()
    changed[:, 0] = torch.nan
    after = mechanisms.log_density(changed)
    assert torch.equal(before[:, 3], after[:, 3])
    assert after[:, :3].isnan().all()
    assert mechanisms.adjacency()[3].tolist() == [0, 1, 1, 0]


def test_the_penalty_is_the_expected_number_of_open_gates(mechanisms):
    torch.manual_seed(3)
    open_gates = (mechanisms._drawn_gates(100_000) > 0).double().mean(0).sum()
    assert mechanisms.penalty().item() == pytest.approx(open_gates.item(), abs=0.02)


def collider(n: int, seed: int) -> np.ndarray:
    """0 -> 2 <- 1, and 3 that touches nothing; 1 moves only the spread of 2."""
    rng = np.random.default_rng(seed)
    z = rng.laplace(size=(n, 4))
    z[:, 2] = np.abs(z[:, 0]) + np.exp(0.6 * np.tanh(z[:, 1])) * rng.normal(size=n)
    return (z - z.mean(0)) / z.std(0)


@pytest.fixture(scope="module")
def learned():
    with deterministic():
        return fit_mechanisms(collider(3000, 0), collider(1000, 1), FULL, steps=1000, penalty=0.005, seed=0)


def test_the_adjacency_is_learned_from_the_likelihood(learned):
    """Both parents of 2, found by the even location and by the scale alone, and none of the four false ones."""
    assert {(j, i) for i, j in np.argwhere(learned.adjacency())} == {(0, 2), (1, 2)}


def test_the_noise_is_independent_of_the_parents_and_standard_logistic(learned):
    z = torch.from_numpy(collider(4000, 2))
    eps = learned(z)[0].numpy()
    assert np.abs(eps.mean(0)).max() < 0.15
    assert eps.std(0) == pytest.approx(np.pi / np.sqrt(3), rel=0.06)
    for j in (0, 1):
        for f in (np.abs, np.square, np.asarray):
            assert abs(np.corrcoef(f(z[:, j].numpy()), f(eps[:, 2]))[0, 1]) < 0.07


def test_the_likelihood_beats_independence_by_the_mutual_information(learned):
    with deterministic():
        apart = fit_mechanisms(
            collider(3000, 0), collider(1000, 1), np.zeros((4, 4), bool), steps=400, penalty=0.005, seed=0
        )
    fresh = collider(4000, 3)
    assert log_likelihood(learned, fresh) > log_likelihood(apart, fresh) + 0.1


def test_people_without_a_parent_do_not_bend_its_mechanism():
    z = collider(3000, 4)
    z[:1500, 0] = np.nan
    with deterministic():
        fitted = fit_mechanisms(z, z, FULL, steps=300, penalty=0.005, seed=0)
    assert np.isfinite(log_likelihood(fitted, z))
    assert fitted.adjacency()[2, 0] == 1


@pytest.mark.parametrize(
    ("allowed", "message"), [(np.ones((2, 2), bool), "acyclic"), (np.ones((2, 3), bool), "square matrix")]
)
def test_graphs_without_a_likelihood_are_refused(allowed, message):
    with pytest.raises(InputError, match=message):
        Mechanisms(allowed)
