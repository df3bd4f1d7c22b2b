"""The simulated phenotype cohort: what is planted, what is not, and that people look like people."""

import networkx as nx
import numpy as np
import pytest

from mmcrl import InputError, simulate
from mmcrl.simulate.phenotyping.fundus import photograph
from mmcrl.simulate.phenotyping.graph import LATENTS, LINKS, adjacency, draw_eps, physiology
from mmcrl.simulate.phenotyping.nights import record
from mmcrl.simulate.phenotyping.stages import DEEP, LIGHT, REM, WAKE
from mmcrl.simulate.phenotyping.tables import table

SMALL = {"size": 32, "hours": 0.5}
PEOPLE = 6000


@pytest.fixture(scope="module")
def world():
    return simulate.phenotype(100, seed=1, **SMALL, missing=0.3)


@pytest.fixture(scope="module")
def latents():
    return physiology().solve(draw_eps(np.random.default_rng(3), 20_000))


def columns(name, latents):
    """A table of `PEOPLE` people by column, and the latents it shows (PEOPLE, k)."""
    own = latents[:, [i for i, latent in enumerate(LATENTS) if latent.startswith(name)]]
    draws = np.random.default_rng(4).normal(size=(PEOPLE, 40))
    values = table(name, draws, own[:PEOPLE], own, np.zeros(PEOPLE, dtype=bool))
    return dict(zip(values.names, values.values.T, strict=True)), own[:PEOPLE]


def r2(target, *regressors):
    """Share of the target that a quadratic regression explains."""
    x = np.column_stack([np.ones(len(target)), *regressors, *(r**2 for r in regressors)])
    residual = target - x @ np.linalg.lstsq(x, target, rcond=None)[0]
    return 1 - residual.var() / target.var()


def test_the_truth_is_exported_as_an_acyclic_graph(world):
    links = {(target, source) for source, target in ((link.source, link.target) for link in LINKS)}
    exported = world.adjacency
    assert {(t, s) for t in exported.index for s in exported.columns if exported.loc[t, s]} == links
    assert nx.is_directed_acyclic_graph(nx.from_numpy_array(exported.to_numpy().T, create_using=nx.DiGraph))
    planted = {
        ("eye.0", "demographics.0"),
        ("eye.1", "demographics.0"),
        ("oximetry.0", "night.0"),
        ("grip.0", "eye.0"),
    }
    assert planted <= links
    assert world.cohort.tiers is not None and world.cohort.tiers[0] == ["demographics"]
    assert not exported.filter(like="demographics", axis=0).to_numpy().any()
    assert list(exported.index) == [f"{name}.{i}" for name, i in world.latents.columns]


def test_no_link_lies_within_a_modality_and_no_latent_is_nested_in_a_sibling():
    names, links = list(LATENTS), adjacency()
    around = (links + links.T) > 0
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            if i != j and one.split(".")[0] == other.split(".")[0]:
                assert not links[i, j]
                assert (around[i] & ~around[j]).any()


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.source}-{link.target}")
def test_every_planted_link_is_in_the_data_with_its_sign(link, latents):
    names, links = list(LATENTS), adjacency()
    target, source = names.index(link.target), names.index(link.source)
    others = [j for j in np.flatnonzero(links[target]) if j != source]
    z = latents.T
    assert r2(z[target], z[source], *z[others]) - r2(z[target], *z[others]) > 0.03
    x = np.column_stack([np.ones(len(latents)), z[source], *z[others]])
    assert np.sign(np.linalg.lstsq(x, z[target], rcond=None)[0][1]) == np.sign(link.weight)


def test_what_is_not_linked_is_independent_given_the_causes(latents):
    links, noise = adjacency(), physiology().noise_of(latents)
    for i in range(len(links)):
        for j in range(i):
            if not links[i, j]:
                found = np.corrcoef(
                    [noise[:, i], np.abs(noise[:, i] - 0.3), latents[:, j], np.tanh(latents[:, j] + 0.7)]
                )
                assert np.abs(found[:2, 2:]).max() < 0.04, (i, j)


def test_latents_are_standardised_and_solve_their_equations(world, latents):
    assert np.abs(latents.mean(0)).max() < 0.05
    assert np.abs(latents.std(0) - 1).max() < 0.05
    z = world.latents.to_numpy()
    assert np.abs(world.mechanisms.solve(world.mechanisms.noise_of(z)) - z).max() < 1e-9


@pytest.mark.parametrize("name", ["body", "blood", "oximetry", "grip"])
def test_tables_tell_their_latents(name, latents):
    values, own = columns(name, latents)
    logs = [np.log(np.maximum(column, 0.05)) for column in values.values()]
    assert min(r2(z, *values.values(), *logs) for z in own.T) > 0.9


def test_marginals_are_those_of_people(latents):
    woman = latents[:PEOPLE, 1] > 0
    body, grip = columns("body", latents)[0], columns("grip", latents)[0]
    blood, oximetry = columns("blood", latents)[0], columns("oximetry", latents)[0]
    ranges = [
        (body["bmi"].mean(), 28.5, 30.5),
        (body["height"][~woman].mean(), 171.5, 175.5),
        (body["height"][woman].mean(), 159, 163),
        (grip["hand_grip_left_1"][~woman].mean(), 39, 45),
        (grip["hand_grip_left_1"][woman].mean(), 26, 32),
        (blood["haemoglobin"][~woman].mean(), 14.2, 15.2),
        (blood["haemoglobin"][woman].mean(), 12.9, 13.9),
        (np.median(blood["hba1c"]), 5.4, 5.8),
        (np.median(oximetry["odi_2"]), 8, 10),
    ]
    for value, low, high in ranges:
        assert low < value < high
    assert np.allclose(body["weight"], body["bmi"] * (body["height"] / 100) ** 2, atol=0.06)
    assert min(column.min() for column in blood.values()) > 0
    assert all(column.min() >= 50 and column.max() <= 100 for k, column in oximetry.items() if "saturation" in k)
    conditions, burden = columns("conditions", latents)
    assert abs(conditions["diabetes"].mean() - 0.16) < 0.02
    assert set(np.unique(conditions["general_health"])) == {1, 2, 3, 4, 5}
    assert np.corrcoef(conditions["diabetes"], burden[:, 0])[0, 1] > 0.4
    assert abs(np.corrcoef(conditions["asthma"], burden[:, 0])[0, 1]) < 0.05


def test_age_and_sex_are_seen_as_they_are(world):
    age, sex = world.cohort["demographics"].values.T
    assert 40 <= age.min() < 45 and 65 < age.max() <= 70
    assert set(sex) == {0, 1}
    assert np.allclose(np.corrcoef(age, world.latents["demographics"][0])[0, 1], 1)
    assert ((world.latents["demographics"][1] > 0) == (sex == 1)).all()


def test_fundus_photographs_have_a_disc_on_the_nasal_side_of_a_round_field():
    images = photograph(np.random.default_rng(0), np.random.default_rng(1).normal(size=(20, 2)), 48)
    assert images.shape == (20, 6, 48, 48) and images.min() == 0 and images.max() <= 1
    assert (images[:, :, :4, :4] == 0).all()
    left, right = (np.median(images[:, channel].reshape(20, -1).argmax(1) % 48) for channel in (1, 4))
    assert left < 18 and right > 29  # the green of the disc
    red, green, blue = images[:, :3, 12:36, 12:36].mean(axis=(0, 2, 3))
    assert red > green > blue


def test_each_eye_latent_changes_what_it_should():
    def seen(z):
        return photograph(np.random.default_rng(0), np.tile(np.array(z, dtype=float), (10, 1)), 48)

    def vessels(images):
        green = images[:, 1::3]
        return np.abs(np.diff(green, axis=-1))[..., 8:40, 8:40].mean()

    young, old, cloudy = seen([-2, 0]), seen([2, 0]), seen([0, 2])
    assert old[:, 1::3].mean() > 1.01 * young[:, 1::3].mean()  # less blood
    assert abs(young[:, 2::3].mean() / old[:, 2::3].mean() - 1) < 0.1
    assert cloudy[:, 2::3].mean() < 0.8 * seen([0, -2])[:, 2::3].mean()
    assert vessels(cloudy) < 0.8 * vessels(seen([0, -2]))


def test_nights_are_nights():
    z = np.zeros((60, 2))
    z[20:40, 0], z[40:, 1] = 2, 2
    night = record(np.random.default_rng(0), z, 7, 0.0)
    saturation, heart, activity = night.signals.transpose(1, 0, 2)
    assert saturation.min() >= 50 and saturation.max() <= 100
    assert (np.median(saturation, axis=1) > 93).all() and (np.median(saturation, axis=1) < 99).all()
    assert 5 < np.median(night.ahi[:20]) < 14 and np.median(night.ahi[20:40]) > 30
    assert saturation[20:40].min(1).mean() < saturation[:20].min(1).mean() - 2
    assert 52 < heart[:40].mean() < 68 and heart[40:].mean() > heart[:20].mean() + 8
    assert heart[20:40].std(1).mean() > heart[:20].std(1).mean()  # cyclical variation
    assert (activity == 0).mean() > 0.8 and activity.max() > 20
    share = [(night.stages[:40] == stage).mean() for stage in (WAKE, REM, LIGHT, DEEP)]
    for value, low, high in zip(share, (0.02, 0.12, 0.5, 0.08), (0.15, 0.28, 0.75, 0.25), strict=True):
        assert low < value < high
    half = night.stages.shape[1] // 2
    assert (night.stages[:, :half] == DEEP).sum() > 2 * (night.stages[:, half:] == DEEP).sum()
    assert (night.stages[:, :half] == REM).sum() < (night.stages[:, half:] == REM).sum()


def test_gaps_have_their_share_and_recordings_end_early():
    signals = record(np.random.default_rng(0), np.zeros((400, 2)), 0.5, 0.05).signals
    lost = np.isnan(signals)
    assert (lost[:, 0] == lost[:, 1]).all()
    assert 0.07 < lost[:, 2].mean() < 0.13  # half of four times .05
    gaps = (lost[:, 0] & ~lost[:, 2]).mean() / (~lost[:, 2]).mean()
    assert 0.03 < gaps < 0.06
    ended = lost[:, 2]
    assert (np.diff(ended.astype(int), axis=1) >= 0).all()


def test_nobody_depends_on_how_many_there_are_and_the_seed_decides(world):
    more = simulate.phenotype(120, seed=1, **SMALL, missing=0.3)
    other = simulate.phenotype(100, seed=2, **SMALL, missing=0.3)
    assert more.latents.iloc[:100].equals(world.latents)
    assert not np.allclose(other.latents, world.latents)
    for name in world.cohort.names:
        assert np.array_equal(more.cohort[name].values[:100], world.cohort[name].values, equal_nan=True)
        assert not np.array_equal(other.cohort[name].values, world.cohort[name].values, equal_nan=True)


def test_modalities_are_missing_for_their_share_of_people(world):
    measured = np.column_stack([world.cohort[name].measured for name in world.cohort.names[1:]])
    assert world.cohort["demographics"].measured.all()
    assert 0.24 < 1 - measured.mean() < 0.36
    images = world.cohort["eye"]
    assert not np.isnan(images.values[images.measured]).any() and images.values.dtype == np.float32


def test_a_coarser_rate_shows_the_same_night():
    fine, coarse = (simulate.phenotype(100, size=32, hours=0.5, rate=rate).cohort["night"] for rate in (1.0, 0.05))
    assert fine.values.shape == (100, 3, 1800) and coarse.values.shape == (100, 3, 90)
    pooled = fine.values.reshape(100, 3, 90, 20).mean(-1) * np.array([1, 1, 20])[:, None]
    assert np.allclose(pooled, coarse.values, equal_nan=True, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"n": 99}, "n:"),
        ({"n": 200.0}, "n:"),
        ({"seed": -1}, "seed"),
        ({"size": 16}, "size"),
        ({"size": True}, "size"),
        ({"hours": 0}, "hours"),
        ({"hours": "8"}, "hours"),
        ({"rate": 2}, "rate"),
        ({"rate": 0.3}, "rate"),
        ({"missing": 1.0}, "missing"),
        ({"missing": float("nan")}, "missing"),
        ({"gaps": 0.5}, "gaps"),
    ],
)
def test_wrong_arguments_are_named(arguments, name):
    with pytest.raises(InputError, match=name):
        simulate.phenotype(**arguments)
