"""What is given wrongly or is rare: refused by name before anything is learned, or worked with as it should be."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from mmcrl import Cohort, InputError, Modality, MultimodalCRL, simulate
from mmcrl.baselines import SupervisedCeiling
from mmcrl.cards import link_cards
from mmcrl.ondisk import member
from mmcrl.simulate.glyphs import load_glyphs
from mmcrl.simulate.variant import depict

N = 60
TABLE = np.random.default_rng(0).normal(size=(N, 3))


@pytest.fixture(scope="module")
def people() -> Cohort:
    return Cohort({"a": TABLE, "b": TABLE @ np.ones((3, 2)) + np.random.default_rng(1).normal(size=(N, 2))})


@pytest.fixture(scope="module")
def fitted(people: Cohort) -> MultimodalCRL:
    return MultimodalCRL(1, starts=1, steps=3, jobs=1).fit(people, progress=False)


def refused(call: Any, argument: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(argument)}: expected"):
        call()


# Values


def test_a_channel_that_few_of_many_people_have_is_learned_from_those(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of those whom the scale is learned from has it, unless they are looked for."""
    monkeypatch.setattr("mmcrl.tensors._SCALED_ON", (20, 10**6))
    rng = np.random.default_rng(2)
    pictures = 7 + 2 * rng.normal(size=(400, 2, 4, 5))
    pictures[:, 1] += 90
    have = np.isin(np.arange(400), rng.choice(np.arange(1, 400, 2), 40, replace=False))
    pictures[~have, 1] = np.nan
    cohort = Cohort({"picture": pictures, "table": rng.normal(size=(400, 3))})
    model = MultimodalCRL(1, starts=1, steps=3, jobs=1).fit(cohort, progress=False)
    drawn = model.sample(20).columns["picture"]
    assert np.isfinite(drawn).all()
    assert drawn[:, 1].mean() == pytest.approx(97, abs=1) and drawn[:, 0].mean() == pytest.approx(7, abs=1)


@pytest.mark.parametrize("factor", [1e-25, 1e30])
def test_numbers_whose_squares_a_computer_loses_are_refused(factor: float) -> None:
    nights = np.random.default_rng(3).normal(size=(N, 1, 50))
    refused(lambda: Cohort({"night": (nights * factor).astype(np.float32)}), 'cohort["night"].c0')
    Cohort({"night": nights * factor})  # double precision holds them
    refused(lambda: Cohort({"table": TABLE * factor**7}), 'cohort["table"].c0')


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_true_and_false_with_a_missing_cell_are_a_binary_column(missing: object) -> None:
    column = pd.Series([True, False, missing, True] * 5, dtype=object)
    found = Modality(pd.DataFrame({"ill": column, "age": range(20)}))
    assert found.column_kinds[0] == "binary"
    assert np.isnan(found.values[2::4, 0]).all() and found.values[:2, 0].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"values": TABLE, "kind": ["table"]}, "kind"),
        ({"values": TABLE, "names": 5}, "names"),
        ({"values": TABLE, "units": 5}, "units"),
        ({"values": TABLE, "names": (name for name in "abc")}, "names"),
        ({"values": torch.zeros(N, 3, requires_grad=True)}, "values"),
    ],
)
def test_a_modality_that_is_described_wrongly_is_refused(given: dict[str, Any], argument: str) -> None:
    refused(lambda: Modality(**given), argument)


@pytest.mark.parametrize("ids", [5, "abc", [{}] * N, [[1, 2]] * N])
def test_ids_that_are_none_are_refused(ids: object) -> None:
    refused(lambda: Cohort({"a": TABLE}, ids=ids), "ids")


@pytest.mark.parametrize("fraction", ["a", None])
def test_a_share_that_is_none_is_refused(people: Cohort, fraction: Any) -> None:
    refused(lambda: people.split(fraction), "fraction")


@pytest.mark.parametrize("seed", [-1, "a", 0.5])
def test_a_seed_that_is_none_is_refused(people: Cohort, seed: Any) -> None:
    refused(lambda: people.split(0.2, seed), "seed")
    refused(lambda: people.shuffled("a", seed), "seed")


# Models


def test_nobody_has_no_latents_and_no_loadings(fitted: MultimodalCRL, people: Cohort) -> None:
    nobody = people.take([])
    assert fitted.transform(nobody, impute=True).shape == (0, 2)
    assert fitted.loadings(nobody)["r2"].isna().all()


def test_latents_that_are_none_are_not_decoded(fitted: MultimodalCRL, people: Cohort) -> None:
    latents = fitted.transform(people)
    twice = pd.concat([latents, latents], axis=1)
    for wrong in (twice, latents.astype(str) + "x", latents.mask(latents > 0, np.inf), latents.to_numpy()):
        refused(lambda wrong=wrong: fitted.decode(wrong), "latents")


def test_cards_are_of_one_scope_or_the_other(fitted: MultimodalCRL, people: Cohort) -> None:
    refused(lambda: link_cards(fitted, people, scope="all"), "scope")


@pytest.mark.parametrize("latents", [2, None, "truth", TABLE, pd.DataFrame(TABLE)])
def test_a_ceiling_without_a_table_of_the_truth_is_refused(latents: Any) -> None:
    refused(lambda: SupervisedCeiling(latents), "latents")


# Paths


def test_a_model_is_saved_behind_a_link_which_stays(fitted: MultimodalCRL, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for _ in range(2):
        fitted.save(tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert sorted(os.listdir(tmp_path / "real")) == ["model.json", "weights.safetensors"]
    assert MultimodalCRL.load(tmp_path / "link").links().equals(fitted.links())


def test_a_model_is_not_saved_where_the_program_works_or_no_folder_can_be(
    fitted: MultimodalCRL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for wrong in (".", tmp_path, "file/x", "/proc/x", None, 3):
        refused(lambda wrong=wrong: fitted.save(wrong), "folder")
    assert os.listdir() == ["file"]
    fitted.save("model/")
    assert sorted(os.listdir()) == ["file", "model"]


def test_what_is_no_path_or_no_model_is_not_loaded(people: Cohort, tmp_path: Path) -> None:
    refused(lambda: MultimodalCRL.load(None), "folder")
    (tmp_path / "weights.safetensors").touch()
    (tmp_path / "model.json").write_text("[" * 100_000 + "]" * 100_000)
    refused(lambda: MultimodalCRL.load(tmp_path), "folder")
    refused(lambda: MultimodalCRL(1, steps=3).fit(people, checkpoint=5, progress=False), "checkpoint")
    refused(lambda: member(None, "x"), "path")


def test_arrays_of_an_archive_have_the_names_that_numpy_gives_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{"train/x": np.zeros((5, 1)), "test/x": np.ones((5, 1))})
    assert member(tmp_path / "a.npz", "train/x").max() == 0 and member(tmp_path / "a.npz", "test/x").min() == 1
    refused(lambda: member(tmp_path / "a.npz", "x"), "name")


# Simulated worlds


def test_pictures_are_drawn_of_tables_and_lists_and_wrong_numbers_refused() -> None:
    glyphs = load_glyphs("digits")
    z = np.random.default_rng(4).normal(size=(5, 4))
    drawn = depict(z, np.arange(5), glyphs, size=12)
    again = depict(pd.DataFrame(z), list(range(5)), glyphs, size=12)
    assert all(np.array_equal(one, other) for one, other in zip(drawn, again, strict=True))
    for who in (-np.arange(5), np.arange(5.0), np.zeros((5, 1), int)):
        refused(lambda who=who: depict(z, who, glyphs, size=12), "who")
    for wrong in (z[:, :3], z * np.nan, z.astype(str)):
        refused(lambda wrong=wrong: depict(wrong, np.arange(5), glyphs, size=12), "latents")
    refused(lambda: depict(z, np.arange(5), glyphs, seed=-1, size=12), "seed")


def test_a_phenotype_cohort_of_too_few_people_says_so() -> None:
    with pytest.raises(InputError, match=r"^n: expected enough .* share of 0.9 is missing, got 100 .*constant"):
        for seed in range(8):
            simulate.phenotype(100, seed, size=32, hours=0.5, missing=0.9)


def test_links_known_that_are_no_table_are_refused() -> None:
    refused(lambda: Cohort({"a": TABLE}, known=[("a.c0", "a.c1", 1)]), "known")  # type: ignore[arg-type]
    refused(lambda: Cohort({"a": TABLE}, codebook={"modality": ["a"]}), "codebook")  # type: ignore[arg-type]
