"""Distances between hand-made graphs."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import InputError, metrics

CHAIN = pd.DataFrame([[0, 0, 0], [1, 0, 0], [0, 1, 0]], index=["a.0", "a.1", "b.0"], columns=["a.0", "a.1", "b.0"])


def test_shd_counts_missing_extra_and_reversed_once_each():
    def changed(**entries: int) -> pd.DataFrame:
        other = CHAIN.copy()
        for cell, value in entries.items():
            other.iloc[int(cell[1]), int(cell[2])] = value
        return other

    assert metrics.shd(CHAIN, CHAIN) == 0
    assert metrics.shd(CHAIN, changed(e10=0)) == 1
    assert metrics.shd(CHAIN, changed(e20=1)) == 1
    assert metrics.shd(CHAIN, changed(e10=0, e01=1)) == 1
    assert metrics.shd(CHAIN, CHAIN.T) == 2
    assert metrics.shd(CHAIN, CHAIN.T, skeleton=True) == 0
    assert metrics.shd(CHAIN, changed(e01=1)) == 1
    assert metrics.shd(CHAIN, changed(e01=1), skeleton=True) == 0


def test_shd_by_scope_and_in_any_order_of_labels():
    empty = CHAIN * 0
    assert metrics.shd(CHAIN, empty, scope="within") == 1
    assert metrics.shd(CHAIN, empty, scope="cross") == 1
    shuffled = CHAIN.loc[["b.0", "a.0", "a.1"], ["b.0", "a.0", "a.1"]]
    assert metrics.shd(CHAIN, shuffled) == 0


def test_links_of_latents_that_the_estimate_lacks_count_as_missed():
    assert metrics.shd(CHAIN, CHAIN.loc[["a.1", "a.0"], ["a.1", "a.0"]]) == 1
    assert metrics.shd(CHAIN, metrics.align(CHAIN, {"b.0": "b.0"})) == 2


def test_align_undoes_the_permutation_that_the_matching_found():
    names = ["a.0", "a.1", "b.0"]
    seen = pd.DataFrame(0, index=[*names, "b.1"], columns=[*names, "b.1"])
    seen.loc["b.0", "a.1"] = 1
    truth = pd.DataFrame(0, index=names, columns=names)
    truth.loc["b.0", "a.0"] = 1
    aligned = metrics.align(seen, {"a.0": "a.1", "a.1": "a.0", "b.0": "b.0"})
    assert metrics.shd(truth, seen.loc[names, names]) == 2
    assert metrics.shd(truth, aligned) == 0
    with pytest.raises(InputError, match=r"c\.0"):
        metrics.align(seen, {"a.0": "c.0"})


def test_numbers_booleans_and_arrays_are_the_same_to_shd():
    assert metrics.shd(CHAIN.to_numpy(), CHAIN.T.to_numpy(dtype=bool)) == 2
    assert metrics.shd(CHAIN.astype(float), CHAIN.astype(bool)) == 0


def test_wrong_adjacencies_are_named():
    with pytest.raises(InputError, match="entries 0 or 1"):
        metrics.shd(CHAIN, CHAIN * 0.5)
    with pytest.raises(InputError, match="entries 0 or 1"):
        metrics.shd(CHAIN.where(CHAIN == 0), CHAIN)
    with pytest.raises(InputError, match=r"as `align` gives them, got 'c\.0'"):
        metrics.shd(CHAIN, CHAIN.rename(index={"a.0": "c.0"}, columns={"a.0": "c.0"}))
    with pytest.raises(InputError, match=r"a table whose labels are names of the truth.*got ndarray"):
        metrics.shd(CHAIN, CHAIN.to_numpy())
    with pytest.raises(InputError, match=r"an array, without labels.*got DataFrame"):
        metrics.shd(CHAIN.to_numpy(), CHAIN)
    with pytest.raises(InputError, match=r"shape \(3, 3\), got \(2, 2\)"):
        metrics.shd(CHAIN.to_numpy(), np.zeros((2, 2)))
    with pytest.raises(InputError, match="unique"):
        metrics.shd(CHAIN.set_axis(["a"] * 3).set_axis(["a"] * 3, axis=1), CHAIN)
    with pytest.raises(InputError, match="square"):
        metrics.shd(np.zeros((2, 3)), CHAIN)
    with pytest.raises(InputError, match="square"):
        metrics.shd(np.zeros(3), CHAIN)
    with pytest.raises(InputError, match="all, cross or within"):
        metrics.shd(CHAIN, CHAIN, scope="some")
    with pytest.raises(InputError, match=r"modality\.number"):
        metrics.shd(CHAIN.to_numpy(), CHAIN.to_numpy(), scope="cross")
