"""Structural model: acting is not seeing, only descendants respond, and a counterfactual keeps the person."""

import numpy as np
import pandas as pd
import pytest
import torch

from mmcrl import InputError
from mmcrl.scm import StructuralModel
from mmcrl.training import deterministic

NAMES = ["u.0", "x.0", "y.0", "w.0"]
EFFECT = 0.5  # of x on y; seen together, they look far stronger


def confounded(n: int, seed: int) -> np.ndarray:
    """u -> x, u -> y, x -> y, and w apart: E[y | do(x)] = .5 x, though E[y | x] = .5 x + .6 E[u | x]."""
    rng = np.random.default_rng(seed)
    u, e, f, w = rng.laplace(size=(4, n)) / np.sqrt(2)
    x = 0.8 * u + 0.6 * e
    y = EFFECT * x + 0.6 * u + 0.4 * f
    return np.column_stack([u, x, y, w])


def table(direction: str = "directed") -> pd.DataFrame:
    pairs = [("u.0", "x.0", "directed"), ("u.0", "y.0", "directed"), ("x.0", "y.0", direction)]
    return pd.DataFrame(pairs, columns=["source", "target", "direction"]).assign(confidence=1.0)


@pytest.fixture(scope="module")
def model() -> StructuralModel:
    with deterministic():
        return StructuralModel.fit(confounded(4000, 0), confounded(1500, 1), NAMES, table(), steps=800)


def test_acting_is_not_seeing(model):
    seen = confounded(20_000, 2)
    slope = np.polyfit(seen[:, 1], seen[:, 2], 1)[0]
    up, down = (model.sample(4000, 0, {"x.0": value})[:, 2].mean() for value in (1.0, -1.0))
    assert (up - down) / 2 == pytest.approx(EFFECT, abs=0.1)
    assert slope > EFFECT + 0.35  # what a model of p(y | x) alone would say


def test_an_action_changes_its_descendants_and_nothing_else(model):
    plain, acted = model.sample(500, 3), model.sample(500, 3, {"x.0": 1.5})
    assert (acted[:, 1] == 1.5).all()
    assert np.array_equal(plain[:, [0, 3]], acted[:, [0, 3]])
    assert (plain[:, 2] != acted[:, 2]).all()
    assert model.descendants({"x.0": 0}) == {"y.0"} and model.descendants({"u.0": 0}) == {"x.0", "y.0"}
    assert model.descendants({"u.0": 0, "x.0": 0}) == {"y.0"} and model.descendants({"w.0": 0}) == set()


def test_samples_have_the_moments_of_the_people(model):
    people, drawn = confounded(20_000, 4), model.sample(8000, 1)
    assert drawn.mean(0) == pytest.approx(people.mean(0), abs=0.06)
    assert drawn.std(0) == pytest.approx(people.std(0), rel=0.06)
    assert np.abs(np.corrcoef(drawn.T) - np.corrcoef(people.T)).max() < 0.05


def test_a_counterfactual_without_an_action_is_the_fact(model):
    z = confounded(300, 5)
    assert np.array_equal(model.counterfactual(z, {}), z)


def test_setting_what_was_the_case_gives_what_was_the_case(model):
    z = confounded(1, 6)
    assert model.counterfactual(z, {"x.0": z[0, 1]}) == pytest.approx(z, abs=1e-8)


def test_a_counterfactual_keeps_everyones_own_noise(model):
    """In this world the true one is known: y + .5 (1 - x)."""
    z = confounded(1000, 7)
    changed = model.counterfactual(z, {"x.0": 1.0})
    assert np.array_equal(changed[:, [0, 3]], z[:, [0, 3]])
    near = np.abs(z[:, 1]) < 2
    truth = z[:, 2] + EFFECT * (1 - z[:, 1])
    assert np.abs(changed[near, 2] - truth[near]).mean() < 0.15


def test_what_was_not_measured_stays_unknown(model):
    z = confounded(6, 8)
    z[0, 0] = z[1, 2] = z[2, 3] = np.nan  # a parent of y, y itself, something apart
    changed = model.counterfactual(z, {"x.0": 1.0})
    assert np.isnan(changed[0, [0, 2]]).all() and np.isnan(changed[1, 2]) and np.isnan(changed[2, 3])
    assert np.isnan(changed).sum() == 4


def test_the_noise_gives_the_latents_back(model):
    z = confounded(200, 9)
    eps = model.abduct(z)
    empty = torch.full((200, 4), torch.nan, dtype=torch.float64)
    back = model._predict(empty, torch.from_numpy(eps), {}, set(NAMES))
    assert back == pytest.approx(z, abs=1e-8)


def test_a_restored_model_gives_the_same_answers(model):
    again = StructuralModel.restored(NAMES, model.arrows, model.mechanisms.state_dict())
    assert np.array_equal(again.sample(50, 0, {"x.0": 1.0}), model.sample(50, 0, {"x.0": 1.0}))
    assert again.adjacency.equals(model.adjacency)


def test_an_undirected_link_makes_the_effect_doubtful(model):
    assert model.doubtful({"u.0": 1.0}) == []
    with deterministic():
        unsure = StructuralModel.fit(confounded(400, 0), confounded(200, 1), NAMES, table("undirected"), steps=20)
    assert [(a.source, a.target) for a in unsure.doubtful({"x.0": 1.0})] == [("x.0", "y.0")]
    assert unsure.doubtful({"w.0": 1.0}) == []


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"z.0": 1.0}, "'z.0'"),
        ({"x.0": "high"}, "'high'"),
        ({"x.0": np.inf}, "inf"),
        ({"x.0": True}, "True"),
        (["x.0"], "a dict"),
    ],
)
def test_wrong_actions_are_refused(model, action, message):
    with pytest.raises(InputError, match=message):
        model.sample(5, 0, action)
