"""Another device than the processor: the same estimator, and what it learned goes anywhere. Skipped without one."""

import numpy as np
import pytest
import torch

from mmcrl import Cohort, Modality, MultimodalCRL, metrics, simulate
from mmcrl.simulate.suite import parts, suite

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
QUICK = {"starts": 1, "steps": 20, "width": 16, "device": "cuda"}


def mixed_columns():
    z = simulate.case(1, n=600, seed=0).latents.to_numpy()
    known = [z[:, 0] > 0, np.digitize(z[:, 1], [-1, 0, 1]), z[:, 0] + z[:, 1], z[:, 1]]
    levels = np.column_stack(known).astype(float)
    levels[::7, 2] = np.nan
    kinds = ["binary", "ordinal", "numeric", "numeric"]
    other = z[:, 2:] @ np.random.default_rng(0).random((2, 5))
    return Cohort({"a": Modality(levels, column_kinds=kinds), "b": other})


def pictures_on_disk(folder):
    cohort = simulate.variant_mnist(300, source="digits", size=12).cohort
    np.save(folder / "digit.npy", cohort["digit"].values)
    on_disk = Modality(np.load(folder / "digit.npy", mmap_mode="r"), kind="image")
    return Cohort({"digit": on_disk, "item": cohort["item"]})


COHORTS = {
    "tables": lambda folder: simulate.case(1, n=600, seed=0).cohort,
    "columns of several kinds": lambda folder: mixed_columns(),
    "modalities missing": lambda folder: simulate.case(3, n=800, seed=0, missing=0.3).cohort,
    "images": lambda folder: simulate.variant_mnist(300, source="digits", size=12).cohort,
    "images on disk": pictures_on_disk,
    "images and series": lambda folder: simulate.phenotype(n=300, size=32, hours=0.5).cohort,
}


@pytest.mark.parametrize("kind", COHORTS)
def test_every_kind_is_fitted_saved_and_loaded_where_there_is_no_gpu(kind, tmp_path):
    cohort = COHORTS[kind](tmp_path)
    model = MultimodalCRL(None if "kinds" not in kind else 2, **QUICK).fit(cohort, progress=False)
    latents = model.transform(cohort)
    assert np.isfinite(latents.to_numpy()[latents.notna().to_numpy()]).all() and latents.notna().any().all()
    model.save(tmp_path / "model")
    here = MultimodalCRL.load(tmp_path / "model")
    assert here.device.type == "cpu"
    np.testing.assert_allclose(here.transform(cohort), latents, atol=2e-2)
    assert here.links().equals(model.links())
    assert len(model.sample(20).latents) == 20


@pytest.mark.parametrize("options", [{"folds": 2}, {"n_latents": "auto"}, {"dtype": "float64"}])
def test_folds_counting_and_precision_work_there(options):
    model = MultimodalCRL(**{"n_latents": 2, **QUICK, **options}).fit(simulate.case(1, n=600).cohort, progress=False)
    assert np.isfinite(model.links()["evidence"]).all()


def test_shared_latents_are_found_there():
    train, held_out = parts(world := suite("shared-2", 10_000, 10))
    model = MultimodalCRL(2, n_shared=1, seed=10, device="cuda", starts=1, steps=400).fit(train, progress=False)
    assert metrics.mcc(world.latents.loc[held_out.ids], model.transform(held_out)) > 0.9


def test_an_interrupted_fit_goes_on_there(tmp_path):
    cohort = simulate.case(1, n=600).cohort
    whole = MultimodalCRL(2, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    again = MultimodalCRL(2, **QUICK).fit(cohort, progress=False, checkpoint=tmp_path)
    assert again.report["held_out_losses"] == whole.report["held_out_losses"]
    assert again.transform(cohort).equals(whole.transform(cohort))


def test_latents_are_as_good_as_those_of_the_processor():
    train, held_out = parts(world := suite("case-1", 6000, 20))
    truth = world.latents.loc[held_out.ids]
    found = {
        device: MultimodalCRL(2, 20, device=device, starts=1).fit(train, progress=False).transform(held_out)
        for device in ("cpu", "cuda")
    }
    scores = {device: metrics.mcc(truth, latents) for device, latents in found.items()}
    assert min(scores.values()) > 0.97 and abs(scores["cpu"] - scores["cuda"]) < 0.02
