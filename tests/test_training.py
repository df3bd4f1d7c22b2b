"""Training: starts side by side, interrupted fits that go on, early stopping, floating-point types."""

import dataclasses
import itertools
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mmcrl import Cohort, InputError, MultimodalCRL, parallel, simulate, training
from mmcrl.descent import evaluate, learning_rate_at, stalled
from mmcrl.plan import plan_blocks
from mmcrl.settings import Settings
from mmcrl.training import deterministic, network_of, parallel_jobs, tensors_of

QUICK = {"starts": 2, "most_starts": None, "steps": 40, "width": 16}


@pytest.fixture(scope="module")
def cohort():
    return simulate.case(1, n=600, seed=0).cohort


@pytest.fixture(scope="module")
def whole(cohort):
    return MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False)


def same(first: MultimodalCRL, second: MultimodalCRL, cohort) -> None:
    """Bit for bit."""
    pd.testing.assert_frame_equal(first.history, second.history, check_exact=True)
    assert first.report["held_out_losses"] == second.report["held_out_losses"]
    assert first.transform(cohort).equals(second.transform(cohort))
    assert first.links().equals(second.links())


def identical(first: MultimodalCRL, second: MultimodalCRL, cohort) -> None:
    """Bit for bit, what follows the contrast too."""
    same(first, second, cohort)
    assert first.identifiability().equals(second.identifiability())
    assert first.loadings(cohort).equals(second.loadings(cohort))
    assert {k: v for k, v in first.report.items() if k != "seconds"} == {
        k: v for k, v in second.report.items() if k != "seconds"
    }
    assert first.structure.arrows == second.structure.arrows
    mine, theirs = (model.sample(20, 3) for model in (first, second))
    assert mine.latents.equals(theirs.latents) and all(
        mine.columns[m].equals(theirs.columns[m]) for m in cohort.names
    )


def interrupted(monkeypatch, model: MultimodalCRL, cohort, folder: Path, after: int) -> None:
    """Fit until the progress bar is told of the evaluation after this many, and press Ctrl-C there."""
    told = []

    class Bar(training.tqdm):
        def set_postfix(self, *args, **kwargs):
            told.append(kwargs)
            if len(told) > after:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training, "tqdm", Bar)
        model.fit(cohort, progress=False, checkpoint=folder)


# Side by side


def test_starts_side_by_side_give_the_same_bits_as_one_after_the_other(cohort, whole):
    same(whole, MultimodalCRL(2, jobs=2, **QUICK).fit(cohort, progress=False), cohort)


def test_further_starts_follow_until_two_agree(monkeypatch, cohort, whole, tmp_path):
    def fitted(tolerance: float, starts: int, folder: Path | None = None) -> MultimodalCRL:
        monkeypatch.setattr(training, "_SAME", tolerance)
        model = MultimodalCRL(2, jobs=1, **{**QUICK, "starts": starts, "most_starts": 3})
        return model.fit(cohort, progress=False, checkpoint=folder)

    assert fitted(np.inf, 2).report["held_out_losses"] == whole.report["held_out_losses"], "two that agree are enough"
    further = fitted(0.0, 2, tmp_path)
    assert further.report["held_out_losses"][:2] == whole.report["held_out_losses"]
    assert len(further.report["held_out_losses"]) == len(further.starts(cohort)) == 3
    assert sorted(path.name[:7] for path in tmp_path.glob("start-*")) == ["start-0", "start-1", "start-2"]
    same(further, fitted(0.0, 3), cohort)
    assert len(fitted(0.0, 1).report["held_out_losses"]) == 1, "one start has no other to agree with"
    same(further, fitted(0.0, 2, tmp_path), cohort)
    assert len(fitted(0.0, 4).report["held_out_losses"]) == 4, "never fewer than were asked for"


def test_as_many_starts_run_at_once_as_there_are_cores_and_a_limit_is_obeyed(monkeypatch):
    cpu, settings = torch.device("cpu"), Settings(starts=3, steps=1000)
    monkeypatch.setattr(training, "cores", lambda: 2)
    assert parallel_jobs(settings.starts, settings, cpu) == 2
    assert parallel_jobs(settings.starts, settings, torch.device("cuda")) == 1
    assert parallel_jobs(3, dataclasses.replace(settings, jobs=8), cpu) == 3
    assert parallel_jobs(3, dataclasses.replace(settings, steps=20), cpu) == 1
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert parallel.cores() == 1


def test_everything_that_is_told_arrives_in_order_and_an_error_ends_all():
    def count(last, tell):
        for step in range(1, last + 1):
            tell(step, step / 3)
        if last == 7:
            raise InputError("step", "less", "7")
        return last

    heard = []
    run = partial(parallel.run_all, jobs=2, report=lambda *row: heard.append(row))
    assert run([partial(count, 5), partial(count, 3)]) == [5, 3]
    for number, last in ((0, 5), (1, 3)):
        assert [row[1:] for row in heard if row[0] == number] == [(s, s / 3) for s in range(1, last + 1)]
    with pytest.raises(InputError, match="step: expected less, got 7"):
        run([partial(count, 5), partial(count, 7)])


def test_the_bar_shows_the_held_out_loss_of_every_start(cohort, capsys, whole):
    MultimodalCRL(2, jobs=1, **QUICK).fit(cohort)
    shown = capsys.readouterr().err
    last = whole.history.groupby("start")["held_out_loss"].last()
    assert f"held_out={last[0]:.3f} {last[1]:.3f}" in shown and "80/80" in shown


# Interrupted fits


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("after", [3, 27])
def test_an_interrupted_fit_goes_on_with_the_same_bits(monkeypatch, tmp_path, cohort, whole, jobs, after):
    interrupted(monkeypatch, MultimodalCRL(2, jobs=jobs, **QUICK), cohort, tmp_path, after)
    begun = torch.get_rng_state()
    resumed = MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    assert torch.equal(begun, torch.get_rng_state())
    same(whole, resumed, cohort)


def test_a_finished_fit_trains_no_step_again(monkeypatch, tmp_path, cohort, whole):
    MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    monkeypatch.setattr("mmcrl.descent.learning_rate_at", lambda *_: pytest.fail("a step"))
    same(whole, MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path), cohort)


def test_a_checkpoint_of_another_fit_is_refused(tmp_path, cohort):
    MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    for model, people in (
        (MultimodalCRL(2, seed=1, **QUICK), cohort),
        (MultimodalCRL(2, penalty=0.2, **QUICK), cohort),
        (MultimodalCRL({"a": 2, "b": 1}, **QUICK), cohort),
        (MultimodalCRL(2, **QUICK), cohort.shuffled("a")),
    ):
        with pytest.raises(InputError, match="checkpoint: expected a folder of the same fit"):
            model.fit(people, progress=False, checkpoint=tmp_path)


@pytest.mark.parametrize("harm", ["truncated", "flipped", "history", "empty"])
def test_a_damaged_checkpoint_is_refused(tmp_path, cohort, harm):
    MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    path = tmp_path / "start-1.safetensors"
    blob = path.read_bytes()
    if harm == "history":
        with safe_open(path, framework="pt") as file:
            header, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        record = json.loads(header["record"])
        record["history"][0][2] = 0.0
        save_file(tensors, path, metadata={**header, "record": json.dumps(record)})
    else:
        middle = len(blob) // 2
        flipped = blob[:middle] + bytes([blob[middle] ^ 1]) + blob[middle + 1 :]
        path.write_bytes({"truncated": blob[:middle], "flipped": flipped, "empty": b""}[harm])
    with pytest.raises(InputError, match=r"checkpoint: expected start-1.safetensors as it was written"):
        MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)


def test_a_checkpoint_holds_no_person_and_leaves_nothing_aside(tmp_path, cohort):
    MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    names = sorted(p.name.removesuffix(".safetensors") for p in tmp_path.iterdir())
    assert names[:2] == ["decoder-0", "decoder-1"] and names[2].startswith("mechanisms-")
    assert names[3:] == ["private-0", "private-1", *(f"profile-{i}" for i in range(3)), "signs", "start-0", "start-1"]
    for path in tmp_path.iterdir():
        with safe_open(path, framework="pt") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
        assert max(max(shape, default=1) for name, shape in shapes.items() if name != "generator") < 100, path.name
    with pytest.raises(InputError, match="checkpoint: expected a folder"):
        MultimodalCRL(2, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path / "start-0.safetensors")


# What follows the contrast

STAGES = {  # what is interrupted, at which call, and what was finished by then
    "decoder": ("mmcrl.decoding._descend", 2, {"decoder-0"}),
    "private": ("mmcrl.private.choose", 1, {"decoder-0", "decoder-1"}),
    "profile": ("mmcrl.profiles._profile", 3, {"signs", "profile-0", "profile-1"}),
    "mechanisms": ("mmcrl.scm.fit_mechanisms", 1, {"profile-2"}),
}


@pytest.mark.parametrize("stage", STAGES)
def test_what_follows_the_contrast_goes_on_with_the_same_bits(monkeypatch, tmp_path, cohort, whole, stage):
    where, at, finished = STAGES[stage]
    module, name = where.rsplit(".", 1)
    real, calls = getattr(sys.modules[module], name), []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(where, interrupted)
        MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    files = {path.name.removesuffix(".safetensors"): path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert finished <= set(files)
    resumed = MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    again = {path.name.removesuffix(".safetensors"): path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert all(again[name] == files[name] for name in finished), "read, not written again"
    identical(whole, resumed, cohort)


def test_a_fit_that_was_finished_fits_nothing_again(monkeypatch, tmp_path, cohort, whole):
    MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    for where, *_ in STAGES.values():
        monkeypatch.setattr(where, lambda *arguments, **options: pytest.fail("again"))
    identical(whole, MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path), cohort)


def test_other_knowledge_keeps_all_but_the_mechanisms(tmp_path, cohort):
    plain = MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    source, target = plain.links().loc[0, ["source", "target"]]
    told = {"required": [(source, target)]}
    known = MultimodalCRL(2, jobs=1, **told, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    alone = MultimodalCRL(2, jobs=1, **told, **QUICK).fit(cohort, progress=False)
    identical(known, alone, cohort)


@pytest.mark.parametrize("stage", ["decoder-1", "private-0", "profile-1", "signs", "mechanisms-*"])
def test_a_damaged_or_foreign_stage_is_refused(tmp_path, cohort, stage):
    MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    (path,) = tmp_path.glob(f"{stage}.safetensors")
    blob, (other,) = path.read_bytes(), tmp_path.glob("start-0.safetensors")
    path.write_bytes(blob[: len(blob) // 2])
    with pytest.raises(InputError, match=r"checkpoint: expected .* as it was written"):
        MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    path.write_bytes(other.read_bytes())  # whole, and not of this stage's network
    with pytest.raises(InputError, match="checkpoint: expected a folder of the same fit"):
        MultimodalCRL(2, jobs=1, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)


# Early stopping


def test_a_start_stops_when_patience_is_over_and_not_before_the_ramp_is():
    falling = [(step, 0.0, 10.0 - step) for step in range(1, 21)]
    assert not any(stalled(falling[:k], 20, 1) for k in range(21))
    rising = [(step, 0.0, float(step)) for step in range(1, 21)]
    stops = next(k for k in range(21) if stalled(rising[:k], 20, 4))
    assert stops == 15  # 11 is the best, 12 to 15 are not better


def test_patience_shortens_a_stalled_start_and_changes_no_evaluation_before(monkeypatch, cohort):
    histories = []
    for patience in (100, 2):
        rising = itertools.count()
        monkeypatch.setattr("mmcrl.descent.evaluate", lambda *args, rising=rising: evaluate(*args) + next(rising))
        model = MultimodalCRL(2, patience=patience, starts=1, steps=40, width=16).fit(cohort, progress=False)
        histories.append(model.history)
    long, short = histories
    assert (len(long), len(short)) == (20, 13)  # evaluation 11 is the first to compete, 12 and 13 are worse
    pd.testing.assert_frame_equal(short, long[:13], check_exact=True)
    assert model.report["held_out_losses"] == [short["held_out_loss"][10]]


# Types and schedule


def test_float64_is_trained_transformed_saved_and_loaded(cohort, whole, tmp_path):
    model = MultimodalCRL(2, jobs=1, dtype="float64", **QUICK).fit(cohort, progress=False)
    assert {p.dtype for p in model._representation.network.parameters()} == {torch.float64}
    assert torch.get_default_dtype() == torch.float32
    z = model.transform(cohort)
    assert (z.to_numpy() != z.to_numpy().astype(np.float32)).any()
    model.save(tmp_path / "model")
    loaded = MultimodalCRL.load(tmp_path / "model")
    assert loaded.transform(cohort).equals(z)
    assert loaded.loadings(cohort).equals(model.loadings(cohort))
    assert loaded.sample(20).columns["a"].equals(model.sample(20).columns["a"])
    assert {p.dtype for p in whole._representation.network.parameters()} == {torch.float32}


def test_the_type_is_given_back_after_an_error():
    with pytest.raises(KeyError), deterministic("float64"):
        assert torch.zeros(1).dtype == torch.float64
        raise KeyError
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize(
    "setting", [{"dtype": "float16"}, {"dtype": torch.float64}, {"jobs": 0}, {"jobs": 1.5}, {"patience": 0}]
)
def test_wrong_settings_are_named(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        MultimodalCRL(2, **setting)


def test_the_learning_rate_is_torchs_cosine():
    settings = Settings(steps=50)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 50, eta_min=0.02 * settings.learning_rate)
    for step in range(1, 51):
        assert learning_rate_at(step, settings) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        optimiser.step()
        schedule.step()


def test_values_are_prepared_once_for_all_starts(monkeypatch, cohort):
    blocks = plan_blocks(cohort, 2)
    kind = type(network_of(blocks, 8, torch.device("cpu")).codecs[0])
    calls, prepare, fit_scale = [], kind.prepare, kind.fit_scale
    monkeypatch.setattr(kind, "prepare", lambda self, v: (calls.append("prepare"), prepare(self, v))[1])
    monkeypatch.setattr(kind, "fit_scale", lambda self, v: (calls.append("scale"), fit_scale(self, v))[1])
    runs = training.train_starts(
        blocks, *cohort.split(0.25, 0), Settings(**QUICK, jobs=1), 0, torch.device("cpu"), False
    )
    assert (calls.count("prepare"), calls.count("scale")) == (4, 2)
    first, second = (run.network.codecs[0] for run in runs)
    assert torch.equal(first.correlation, second.correlation) and not torch.equal(first.correlation, torch.eye(15))
    assert not torch.equal(first.encoder[0].weight, second.encoder[0].weight)


@pytest.mark.parametrize("kind", ["table", "image"])
def test_the_order_in_which_people_are_listed_says_nothing(kind):
    """People are listed by their first latent, and the first two thirds lack a modality."""
    world = simulate.case(1, n=6_000, seed=0)
    people = world.cohort.take(np.argsort(world.latents.to_numpy()[:, 0]))
    other = people["b"].values.copy()
    other[:4_000] = np.nan
    listed = Cohort.from_arrays({"a": people["a"].values, "b": other if kind == "table" else other[:, None, None]})
    mixed = listed.take(np.random.default_rng(0).permutation(6_000))
    losses = []
    for people in (listed, mixed):
        train, held = people.split(0.25, 0)
        settings, blocks = Settings(starts=1, steps=40, width=16, jobs=1), plan_blocks(people, 2)
        with deterministic():
            run = training.train_starts(blocks, train, held, settings, 0, torch.device("cpu"), False)[0]
            codes = training.codes_of(run.network, tensors_of(run.network, train))
        assert np.abs(np.nanmean(codes, 0)).max() < 0.1 and np.abs(np.nanstd(codes, 0) - 1).max() < 0.1
        losses.append(run.held_out_loss)
    assert losses[0] == pytest.approx(losses[1], abs=0.3)


def test_the_kept_state_has_the_reported_loss(cohort):
    blocks, settings = plan_blocks(cohort, 2), Settings(**QUICK, jobs=1)
    groups = cohort.split(0.25, 0)
    with deterministic():
        run = training.train_starts(blocks, *groups, settings, 0, torch.device("cpu"), False)[0]
        people = [tensors_of(run.network, group) for group in groups]
        value = evaluate(run.network, *people, settings.batch_for(len(groups[0])), settings.penalty)
    assert value == run.held_out_loss
