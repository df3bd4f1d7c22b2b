"""Generative: sampled people look like the real ones, and actions do what they do in the true world."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, metrics, simulate

SEED = 7


@pytest.fixture(scope="module")
def fitted():
    """Case 1, modality a known to come first; 1,000 people whom fit has not seen."""
    world = simulate.case(1, n=5000, seed=SEED)
    cohort = Cohort(world.cohort.modalities, ids=world.cohort.ids, tiers=[["a"], ["b"]])
    train, held = cohort.split(0.2, seed=0)
    model = MultimodalCRL(n_latents=2, seed=0, starts=1, steps=700).fit(train, progress=False)
    return world, held, model


@pytest.fixture(scope="module")
def pairs(fitted):
    """For each true cause in a: its estimate, its effect's estimate, and the names of the true two."""
    world, held, model = fitted
    named = metrics.match(world.latents.loc[held.ids], model.transform(held))
    links = [(s, t) for t in world.adjacency.index for s in world.adjacency.columns if world.adjacency.loc[t, s]]
    return [(named[s], named[t], s, t) for s, t in links]


def column(name: str) -> tuple[str, int]:
    modality, number = name.rsplit(".", 1)
    return modality, int(number)


def true_response(world: simulate.World, source: str, target: str, values: np.ndarray) -> np.ndarray:
    """E[target | do(source = value)] by the world's own equation; no other parent, noise of mean 0."""
    j, i = (list(world.adjacency.index).index(name) for name in (source, target))
    z = np.zeros((len(values), len(world.adjacency)))
    z[:, j] = values
    return world.mechanisms.apply(z, np.zeros_like(z))[:, i]


def test_acting_on_a_cause_moves_its_effect_as_in_the_true_world(fitted, pairs):
    world, held, model = fitted
    estimate, truth = model.transform(held), world.latents.loc[held.ids]
    for cause, effect, true_cause, true_effect in pairs:
        to_truth = np.polyfit(estimate[column(cause)], truth[column(true_cause)], 3)
        to_estimate = np.polyfit(truth[column(true_effect)], estimate[column(effect)], 3)
        values = np.array([-1.0, 1.0])
        expected = np.polyval(
            to_estimate, true_response(world, true_cause, true_effect, np.polyval(to_truth, values))
        )
        found = np.array([model.intervene({cause: v}, 4000).latents[column(effect)].mean() for v in values])
        assert np.sign(found[1] - found[0]) == np.sign(expected[1] - expected[0])
        assert found == pytest.approx(expected, abs=0.2)


def test_acting_on_an_effect_leaves_its_cause_alone(fitted, pairs):
    _, _, model = fitted
    plain = model.sample(200, 1)
    for cause, effect, *_ in pairs:
        acted = model.intervene({effect: 2.0}, 200, 1)
        assert acted.latents[column(cause)].equals(plain.latents[column(cause)])
        assert (acted.latents[column(effect)] == 2.0).all()
        assert acted.columns["a"].equals(plain.columns["a"]) and not acted.columns["b"].equals(plain.columns["b"])


def test_sampled_people_have_the_moments_of_the_people_fitted(fitted, pairs):
    """Closely so for pairs with a link; links below the smallest effect, a correlation of .1, are left out."""
    world, _, model = fitted
    people = world.cohort.split(0.2, seed=0)[0]
    latents, columns = model.sample(4000, 0)
    real = model.transform(people)
    assert latents.columns.equals(real.columns)
    assert np.abs(latents.mean() - real.mean()).max() < 0.12
    assert np.abs(latents.std() / real.std() - 1).max() < 0.12
    difference = (latents.corr() - real.corr()).abs()
    assert difference.to_numpy().max() < 0.2
    assert max(difference.loc[column(cause), column(effect)] for cause, effect, *_ in pairs) < 0.06
    for name in people.names:
        values = people[name].values
        assert list(columns[name].columns) == people[name].names
        assert np.abs(columns[name].std().to_numpy() / values.std(0) - 1).max() < 0.1
        assert np.abs(np.corrcoef(columns[name].T) - np.corrcoef(values.T)).max() < 0.2


def test_the_columns_come_in_their_units():
    world = simulate.case(1, n=600, seed=0)
    plain, scaled = world.cohort["a"].values, 50 + 10 * world.cohort["a"].values.astype(float)
    columns = []
    for values in (plain, scaled):
        cohort = Cohort.from_arrays({"a": values, "b": world.cohort["b"].values})
        model = MultimodalCRL(2, starts=1, steps=30, width=16).fit(cohort, progress=False)
        columns.append(model.sample(300).columns["a"])
    assert columns[1].to_numpy() == pytest.approx(50 + 10 * columns[0].to_numpy(), abs=0.05)


def test_the_same_seed_draws_the_same_people(fitted):
    _, _, model = fitted
    assert model.sample(50, 4).latents.equals(model.sample(50, 4).latents)
    assert not model.sample(50, 4).latents.equals(model.sample(50, 5).latents)
    assert model.sample(50, 4).columns["b"].equals(model.intervene({}, 50, 4).columns["b"])


def test_a_counterfactual_without_an_action_is_the_fact(fitted):
    _, held, model = fitted
    latents, columns = model.counterfactual(held, {})
    pd.testing.assert_frame_equal(latents, model.transform(held), check_exact=True)
    for name in held.names:
        assert np.array_equal(columns[name].to_numpy(), held[name].values)


def test_the_encoder_sees_the_counterfactual_in_the_columns(fitted, pairs):
    _, held, model = fitted
    cause, effect, *_ = pairs[0]
    latents, columns = model.counterfactual(held, {cause: 1.0})
    factual = model.transform(held)
    moved = [name for name in factual.columns if not latents[name].equals(factual[name])]
    assert set(moved) == {column(cause), column(effect)}
    seen_again = model.transform(Cohort(columns))
    assert seen_again[column(cause)].mean() == pytest.approx(1.0, abs=0.25)
    assert seen_again[column(effect)].corr(latents[column(effect)]) > 0.8


def test_people_without_a_modality_have_no_counterfactual_there(fitted, pairs):
    _, held, model = fitted
    values = held["a"].values.copy()
    values[:10] = np.nan
    values[10, 0] = np.nan
    cohort = Cohort({"a": Modality(values, names=held["a"].names), "b": held["b"]})
    cause, effect, *_ = pairs[0]
    latents, columns = model.counterfactual(cohort, {cause: 1.0})
    assert latents[column(effect)].iloc[:10].isna().all() and latents[column(effect)].iloc[10:].notna().all()
    assert columns["a"].iloc[:10].isna().all().all() and columns["b"].iloc[:10].isna().all().all()
    assert columns["a"].iloc[10].isna().sum() == 1


def test_an_effect_along_an_undirected_link_is_refused_unless_accepted():
    world = simulate.case(1, n=2000, seed=SEED)  # no tiers, no direction
    model = MultimodalCRL(2, starts=1, steps=60).fit(world.cohort, progress=False)
    assert (model.links()["direction"] == "undirected").all()
    source = model.structure.arrows[0].source
    with pytest.raises(InputError, match=f"undirected links: .*{source}.*"):
        model.intervene({source: 1.0})
    with pytest.raises(InputError, match="allow_undirected"):
        model.counterfactual(world.cohort, {source: 1.0})
    assert (model.intervene({source: 1.0}, 20, allow_undirected=True).latents[column(source)] == 1.0).all()


def test_a_loaded_model_gives_the_same_answers(fitted, pairs, tmp_path):
    _, held, model = fitted
    model.save(tmp_path / "model")
    loaded = MultimodalCRL.load(tmp_path / "model")
    cause = pairs[0][0]
    for ask in (lambda m: m.intervene({cause: 1.0}, 100, 2), lambda m: m.counterfactual(held, {cause: -1.0})):
        mine, theirs = ask(model), ask(loaded)
        assert theirs.latents.equals(mine.latents)
        assert all(theirs.columns[name].equals(mine.columns[name]) for name in held.names)
    assert loaded.structure.arrows == model.structure.arrows


@pytest.mark.parametrize(("n", "seed", "message"), [(0, 0, "n: "), (2.5, 0, "n: "), (5, -1, "seed: ")])
def test_wrong_counts_are_refused(fitted, n, seed, message):
    with pytest.raises(InputError, match=message):
        fitted[2].sample(n, seed)


def test_nothing_is_drawn_before_fit():
    for ask in (lambda m: m.sample(3), lambda m: m.intervene({}), lambda m: m.counterfactual(None, {})):
        with pytest.raises(InputError, match="call fit first"):
            ask(MultimodalCRL(2))
