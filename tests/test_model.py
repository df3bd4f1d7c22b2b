"""Model: the contract, recovery of a known world, refusals, storage."""

import inspect
import json
import os

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, metrics, simulate
from mmcrl.storage import digest

QUICK = {"starts": 1, "steps": 30, "width": 16}


@pytest.fixture(scope="module")
def recovered():
    """Case 1 on 4,000 people, and 1,000 whom fit has not seen."""
    world = simulate.case(1, n=5000, seed=7)
    train, held = world.cohort.split(0.2, seed=0)
    model = MultimodalCRL(n_latents=2, seed=0, starts=1, steps=700).fit(train, progress=False)
    return world, held, model


@pytest.fixture(scope="module")
def quick():
    world = simulate.case(1, n=600, seed=0)
    return world, MultimodalCRL(n_latents=2, seed=0, **QUICK).fit(world.cohort, progress=False)


def test_case_1_is_recovered_on_unseen_people(recovered):
    world, held, model = recovered
    scores = metrics.score(world.latents.loc[held.ids], model.transform(held))
    assert scores["mcc"] >= 0.95
    assert scores["r2"] >= 0.95
    assert scores["angle_worst"] <= 15


def test_the_links_of_case_1_are_found_and_no_other(recovered):
    world, held, model = recovered
    matching = metrics.match(world.latents.loc[held.ids], model.transform(held))
    estimated = metrics.align(model.adjacency(0.5), matching)
    assert metrics.shd(world.adjacency, estimated, skeleton=True) == 0


def test_the_sign_of_a_link_follows_the_latents(recovered):
    _, held, model = recovered
    estimate = model.transform(held)
    for link in model.links().query("confidence > 0.5").itertuples():
        (a, i), (b, j) = (name.split(".") for name in (link.source, link.target))
        correlation = estimate[(a, int(i))].corr(estimate[(b, int(j))], method="spearman")
        assert np.sign(correlation) == link.sign


def test_fit_cannot_see_a_truth():
    assert list(inspect.signature(MultimodalCRL.fit).parameters) == ["self", "cohort", "progress", "checkpoint"]
    assert not hasattr(simulate.case(1, n=60).cohort, "latents")


def test_the_tables_have_the_contract_shape(quick):
    world, model = quick
    z = model.transform(world.cohort)
    assert z.index.equals(world.cohort.ids)
    pd.testing.assert_index_equal(z.columns, world.latents.columns)
    links = model.links()
    assert list(links.columns[:5]) == ["source", "target", "strength", "confidence", "direction"]
    assert links["confidence"].between(0, 1).all() and links["strength"].is_monotonic_decreasing
    assert set(links["direction"]) <= {"directed", "undirected"}
    assert len(links) == 6 and set(links["scope"]) == {"cross", "within"}


def test_links_say_how_sure_they_are_and_what_they_come_to(recovered):
    _, _, model = recovered
    links = model.links()
    assert (links["evidence_low"] < links["evidence"]).all() and (links["evidence"] < links["evidence_high"]).all()
    told = links["confidence"] >= 0.5
    assert told.any() and links.loc[told, "effect"].notna().all() and links.loc[~told, "effect"].isna().all()
    assert links.loc[told, "effect"].between(links.loc[told, "effect_low"], links.loc[told, "effect_high"]).all()
    of_target = [
        on.split(".")[0] == target.split(".")[0] for on, target in links.loc[told, ["effect_on", "target"]].values
    ]
    assert all(of_target) and (links.loc[~told, "effect_on"] == "").all()


def test_graph_and_adjacency_agree(recovered):
    _, _, model = recovered
    graph, adjacency = model.graph(0.5), model.adjacency(0.5)
    assert isinstance(graph, nx.DiGraph) and set(graph.nodes) == set(adjacency.index)
    assert {(s, t) for s, t in graph.edges} == {
        (s, t) for t in adjacency.index for s in adjacency.columns if adjacency.loc[t, s]
    }
    assert all(data["direction"] == "undirected" for *_, data in graph.edges(data=True))


def test_the_same_seed_gives_the_same_bits_and_leaves_the_callers_randomness_alone(quick):
    world, model = quick
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    again = MultimodalCRL(n_latents=2, seed=0, **QUICK).fit(world.cohort, progress=False)
    assert torch.equal(before, torch.random.get_rng_state())
    assert again.transform(world.cohort).equals(model.transform(world.cohort))
    assert again.links().equals(model.links())
    other = MultimodalCRL(n_latents=2, seed=1, **QUICK).fit(world.cohort, progress=False)
    assert not other.transform(world.cohort).equals(model.transform(world.cohort))


def test_the_kept_start_has_the_lowest_held_out_loss():
    world = simulate.case(1, n=600, seed=0)
    model = MultimodalCRL(2, starts=3, most_starts=None, steps=20, width=16).fit(world.cohort, progress=False)
    losses = model.report["held_out_losses"]
    assert model.report["chosen_start"] == int(np.argmin(losses))
    best = model.history.query("step > 10").groupby("start")["held_out_loss"].min()
    assert best.to_numpy() == pytest.approx(losses)


def test_tiers_are_obeyed_and_decide_directions():
    world = simulate.case(1, n=2000, seed=1)
    for tiers, earlier in ([["b"], ["a"]], "b"), ([["a"], ["b"]], "a"):
        cohort = Cohort(world.cohort.modalities, ids=world.cohort.ids, tiers=tiers)
        links = MultimodalCRL(2, starts=1, steps=60).fit(cohort, progress=False).links().query("scope == 'cross'")
        assert links["source"].str.startswith(f"{earlier}.").all()
        assert (links["direction"] == "directed").all()


def test_observed_columns_are_their_own_latents():
    world = simulate.case(1, n=600, seed=0)
    age = world.latents[("a", 0)].to_numpy()[:, None] * 10 + 50
    cohort = Cohort({"who": Modality(age, kind="observed", names=["age"]), "b": world.cohort["b"]})
    model = MultimodalCRL(n_latents=2, **QUICK).fit(cohort, progress=False)
    z = model.transform(cohort)[("who", 0)]
    assert z.corr(pd.Series(age[:, 0])) == pytest.approx(1.0)
    loadings = model.loadings(cohort).set_index(["latent", "column"])
    assert loadings.loc[("who.0", "age"), "loading"] == pytest.approx(1.0)
    assert loadings.loc[("who.0", "age"), "r2"] == pytest.approx(1.0)


def test_an_observed_column_is_unknown_of_those_who_lack_it_alone():
    world, rng = simulate.case(1, n=600, seed=0), np.random.default_rng(0)
    age = world.latents[("a", 0)].to_numpy() * 10 + 50
    who = np.column_stack([age, age / 2 + rng.normal(size=600), rng.random(600) < 0.5]).astype(float)
    who[:60, 0] = np.nan
    observed = Modality(who, "observed", ["age", "height", "female"])
    cohort = Cohort({"who": observed, "a": world.cohort["a"], "b": world.cohort["b"]})
    model = MultimodalCRL(2, folds=3, **QUICK).fit(cohort, progress=False)
    z = model.transform(cohort)
    np.testing.assert_array_equal(z["who"].isna(), np.isnan(who))
    assert z.drop(columns=("who", 0)).notna().all(axis=None)
    assert z.corr().loc[("who", 0), ("who", 1)] == pytest.approx(pd.DataFrame(who).corr().loc[0, 1])
    assert model.transform(cohort, impute=True).notna().all(axis=None)
    shown = model.loadings(cohort).set_index(["latent", "column"])
    assert (
        shown.loc[[(f"who.{i}", c) for i, c in enumerate(observed.names)], ["loading", "r2"]].min(axis=None) > 0.999
    )
    moved = model.counterfactual(cohort, {"who.1": 1.0}, allow_undirected=True).columns["who"]
    np.testing.assert_array_equal(moved.drop(columns="age").isna(), np.isnan(who[:, 1:]))
    assert model.sample(50).columns["who"].notna().all(axis=None)


def test_latents_point_up_along_their_strongest_column(quick):
    world, model = quick
    loadings = model.loadings(world.cohort)
    strongest = loadings.loc[loadings.groupby("latent")["loading"].apply(lambda s: s.abs().idxmax())]
    assert (strongest["loading"] > 0).all()


def test_people_without_a_modality_have_no_latents_there_and_help_elsewhere():
    world = simulate.case(3, n=800, seed=0)
    modalities = {k: m.values.copy() for k, m in world.cohort.modalities.items()}
    modalities["b"][:200] = np.nan
    cohort = Cohort.from_arrays(modalities)
    z = MultimodalCRL(n_latents=2, **QUICK).fit(cohort, progress=False).transform(cohort)
    assert z["b"].iloc[:200].isna().all().all()
    assert z["b"].iloc[200:].notna().all().all()
    assert z[["a", "c", "d"]].notna().all().all()


def test_save_and_load_give_the_same_model(quick, tmp_path):
    world, model = quick
    model.save(tmp_path / "model")
    loaded = MultimodalCRL.load(tmp_path / "model")
    assert loaded.transform(world.cohort).equals(model.transform(world.cohort))
    pd.testing.assert_frame_equal(loaded.links(), model.links())
    pd.testing.assert_frame_equal(loaded.history, model.history)
    assert loaded.report == model.report and loaded.settings == model.settings
    model.save(tmp_path / "model")  # over an earlier model


def test_a_saved_model_holds_no_person(quick, tmp_path):
    _, model = quick
    model.save(tmp_path / "model")
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["model.json", "weights.safetensors"]
    assert (
        max(tensor.shape[0] for tensor in model._representation.network.state_dict().values() if tensor.dim()) < 100
    )


@pytest.mark.parametrize("file", ["model.json", "weights.safetensors"])
@pytest.mark.parametrize("harm", ["truncated", "a byte short", "a byte long", "changed", "missing"])
def test_a_harmed_folder_is_refused(quick, tmp_path, file, harm):
    _, model = quick
    model.save(tmp_path / "model")
    path = tmp_path / "model" / file
    blob = path.read_bytes()
    if harm == "truncated":
        path.write_bytes(blob[: len(blob) // 2])
    elif harm == "a byte short":
        path.write_bytes(blob[:-1])
    elif harm == "a byte long":
        path.write_bytes(blob + b" ")
    elif harm == "changed":
        middle = len(blob) // 2
        path.write_bytes(blob[:middle] + bytes([blob[middle] ^ 1]) + blob[middle + 1 :])
    else:
        path.unlink()
    with pytest.raises(InputError, match="folder"):
        MultimodalCRL.load(tmp_path / "model")


def test_a_changed_value_of_the_description_is_refused(quick, tmp_path):
    _, model = quick
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    record = json.loads(path.read_text())
    record["model"]["links"][0]["confidence"] = 1.0
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match="changed"):
        MultimodalCRL.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda record: record["model"].pop("links"), "KeyError: 'links'"),
        (lambda record: record["model"]["settings"].update(width=7), "RuntimeError"),
        (lambda record: record["model"]["settings"].update(epochs=1), "'epochs'"),
        (lambda record: record.update(model=[]), "TypeError"),
        (lambda record: record.pop("model"), "KeyError: 'n_latents'"),
        (lambda record: record.pop("format"), "format None"),
        (lambda record: record.pop("weights_sha256"), "changed or truncated"),
    ],
)
def test_a_description_that_was_changed_and_sealed_again_is_refused(quick, tmp_path, change, told):
    _, model = quick
    model.save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    record = json.loads(path.read_text())
    del record["sha256"]
    change(record)
    path.write_text(json.dumps({**record, "sha256": digest(record)}, indent=1) + "\n")
    with pytest.raises(InputError, match=f"folder: expected .*{told}"):
        MultimodalCRL.load(tmp_path / "model")


def test_saving_never_overwrites_other_files(quick, tmp_path):
    _, model = quick
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="folder"):
        model.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def arrays(n: int = 400, **changes: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=(n, 4)), "b": rng.normal(size=(n, 4)), **changes}


@pytest.mark.parametrize(
    ("n_latents", "cohort", "message"),
    [
        (2, arrays(60), "at least 80 people"),
        (5, arrays(), "at most 4 for a"),
        (0, arrays(), "n_latents"),
        (True, arrays(), "n_latents"),
        ({"a": 2, "c": 2}, arrays(), "'c'"),
        ({"a": "two"}, arrays(), "'two'"),
        (2, {"a": arrays()["a"]}, "at least 2 modalities"),
        (2, arrays(b=np.where(np.arange(400)[:, None] < 30, arrays()["b"], np.nan)), "30 people"),
    ],
)
def test_what_cannot_be_fitted_is_refused(n_latents, cohort, message):
    with pytest.raises(InputError, match=message):
        MultimodalCRL(n_latents, **QUICK).fit(Cohort.from_arrays(cohort), progress=False)


@pytest.mark.parametrize("n_latents", [0, -1, 1.5, True, "x", {"a": 0}, [2, 2]])
def test_numbers_that_no_modality_could_have_are_refused_at_once(n_latents):
    with pytest.raises(InputError, match="n_latents: expected a whole number of at least 1"):
        MultimodalCRL(n_latents)


def test_a_subset_with_a_constant_column_is_refused_by_fit():
    values = arrays()
    values["a"][:200, 0] = 1.0
    cohort = Cohort.from_arrays(values).take(np.arange(200))
    with pytest.raises(InputError, match="constant"):
        MultimodalCRL(2, **QUICK).fit(cohort, progress=False)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"device": "abacus"}, "device"),
        ({"starts": 0}, "starts"),
        ({"most_starts": 0}, "most_starts"),
        ({"held_out": 0.9}, "held_out"),
        ({"penalty": "much"}, "penalty"),
        ({"epochs": 3}, "epochs"),
    ],
)
def test_wrong_settings_are_named(arguments, name):
    with pytest.raises(InputError, match=name):
        MultimodalCRL(2, **arguments)


def test_use_before_fit_and_other_columns_are_refused(quick):
    world, model = quick
    with pytest.raises(InputError, match="call fit first"):
        MultimodalCRL(2).links()
    with pytest.raises(InputError, match="cohort"):
        model.transform(Cohort.from_arrays(arrays()))
    with pytest.raises(InputError, match="confidence"):
        model.graph(confidence=1.5)
    with pytest.raises(InputError, match="a Cohort"):
        MultimodalCRL(2).fit(world.latents)


def test_arguments_stay_as_given_until_fit():
    model = MultimodalCRL({"a": 2}, seed=3, steps=10)
    assert model.n_latents == {"a": 2} and model.seed == 3 and model.settings.steps == 10


def test_modalities_of_different_people_are_refused():
    world = simulate.numeric(2, 2, n=800, seed=0, missing=0.5)
    assert not (world.cohort["a"].measured & world.cohort["b"].measured).any()
    with pytest.raises(InputError, match=r'cohort\["a"\]: expected at least 40 people, .* another .*, got 0 people'):
        MultimodalCRL(2, **QUICK).fit(world.cohort, progress=False)


@pytest.mark.parametrize(("side", "words"), [(0, "to train on"), (1, "held out")])
def test_a_modality_that_one_side_of_the_split_lacks_is_refused(side, words):
    cohort = simulate.case(1, n=400, seed=0).cohort
    values = cohort["a"].values.copy()
    values[cohort.split(0.25, 0)[side].ids] = np.nan
    without = Cohort({"a": values, "b": cohort["b"]})
    with pytest.raises(InputError, match=rf'cohort\["a"\]: expected at least 5 people {words}, .*, got 0 people'):
        MultimodalCRL(2, **QUICK).fit(without, progress=False)


@pytest.mark.parametrize("large", [False, True])
def test_a_column_that_only_people_held_out_have_is_refused(large):
    cohort = simulate.case(1, n=400, seed=0).cohort
    values = np.random.default_rng(0).normal(size=(400, 2, 6, 6) if large else (400, 2))
    values[cohort.split(0.25, 0)[0].ids, 1] = np.nan
    with pytest.raises(InputError, match=r'cohort\["x"\].c1: expected at least one value among the 300 people'):
        MultimodalCRL(2, **QUICK).fit(Cohort({"x": values, "b": cohort["b"]}), progress=False)


def test_a_model_is_applied_to_a_single_person(tmp_path):
    world = simulate.case(1, n=600, seed=0)
    model = MultimodalCRL(2, **QUICK).fit(world.cohort, progress=False)
    somebody = {
        name: pd.DataFrame(modality.values[3:4], columns=modality.names)
        for name, modality in world.cohort.modalities.items()
    }
    one = model.transform(Cohort(somebody, learnable=False))
    np.testing.assert_allclose(one, model.transform(world.cohort).iloc[[3]], atol=1e-5)
    somebody["b"][:] = np.nan
    alone = Cohort(somebody, learnable=False)
    assert model.transform(alone)["b"].isna().all(axis=None)
    assert model.transform(alone, impute=True).notna().all(axis=None)
    with pytest.raises(InputError, match="cohort: expected a Cohort, got dict"):
        model.transform(somebody)


def test_modalities_come_in_any_order_and_one_that_is_absent_was_not_measured(quick):
    world, model = quick
    cohort, whole = world.cohort, model.transform(world.cohort)
    turned = Cohort({name: cohort[name] for name in reversed(cohort.names)}, ids=cohort.ids)
    assert model.transform(turned).equals(whole)
    assert model.loadings(turned).equals(model.loadings(cohort))
    kept, lost = cohort.names[0], cohort.names[1]
    part = cohort.without(lost)
    assert model.transform(part)[kept].equals(whole[kept]) and model.transform(part)[lost].isna().all(axis=None)
    assert model.transform(part, impute=True).notna().all(axis=None)
    action = {f"{kept}.0": 1.0}
    here, there = (model.counterfactual(people, action, allow_undirected=True) for people in (cohort, turned))
    assert all(here.columns[name].equals(there.columns[name]) for name in cohort.names)
    with pytest.raises(InputError, match=f"modalities among {', '.join(cohort.names)}, got 'noise'"):
        model.transform(cohort.with_noise())


def test_a_device_that_is_not_there_is_refused_by_fit(monkeypatch):
    model = MultimodalCRL(2, device="cuda", **QUICK)

    def absent(*arguments, **options):
        raise AssertionError("Torch not compiled with CUDA enabled")

    monkeypatch.setattr("mmcrl.settings.torch.zeros", absent)
    with pytest.raises(InputError, match=r"device: expected a device that torch can use here.*cuda: Torch not"):
        model.fit(simulate.case(1, n=300).cohort, progress=False)


def test_a_fit_that_fails_leaves_the_model_as_it_was(monkeypatch):
    world = simulate.case(1, n=600, seed=0)
    model = MultimodalCRL(2, **QUICK)

    def failing(*arguments, **options):
        raise RuntimeError("late")

    with monkeypatch.context() as patch:
        patch.setattr("mmcrl.findings.StructuralModel.fit", failing)
        with pytest.raises(RuntimeError):
            model.fit(world.cohort, progress=False)
    with pytest.raises(InputError, match="call fit first"):
        model.links()


def test_an_interrupted_save_leaves_the_earlier_model(monkeypatch, tmp_path):
    cohort = simulate.case(1, n=600, seed=0).cohort
    earlier, later = (MultimodalCRL(2, seed, **QUICK).fit(cohort, progress=False) for seed in (0, 1))
    earlier.save(tmp_path / "model")
    replace, calls = os.replace, []

    def interrupted(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("mmcrl.storage.os.replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            later.save(tmp_path / "model")
    assert MultimodalCRL.load(tmp_path / "model").links().equals(earlier.links())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    later.save(tmp_path / "model")
    assert MultimodalCRL.load(tmp_path / "model").links().equals(later.links())


def test_numbers_of_numpy_are_numbers(tmp_path):
    settings = {"starts": np.int64(1), "steps": np.int32(5), "penalty": np.float32(0.25), "width": np.int64(8)}
    model = MultimodalCRL(np.int64(2), np.int64(0), **settings).fit(simulate.case(1, n=300).cohort, progress=False)
    model.save(tmp_path / "model")
    assert len(model.graph(np.float32(0.5))) == 4
    with pytest.raises(InputError, match="penalty"):
        MultimodalCRL(2, penalty=np.inf)
