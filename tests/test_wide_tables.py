"""Wide tables, such as embeddings: people are not learned by heart, and some may have no embedding at all."""

import numpy as np
import pandas as pd
import pytest

from mmcrl import Cohort, MultimodalCRL, metrics
from mmcrl.kinds.tables import TableCodec


def people(n: int, seed: int) -> tuple[Cohort, np.ndarray]:
    """Two latents behind 512 columns of an embedding, a fifth of the people without it, and behind 8 of blood."""
    fixed, rng = np.random.default_rng(0), np.random.default_rng(seed)
    maps = fixed.normal(size=(2, 512)), fixed.normal(size=(2, 8))
    z = rng.normal(size=(n, 2))
    scan = np.tanh(z @ maps[0]) + 0.3 * rng.normal(size=(n, 512))
    scan[rng.random(n) < 0.2] = np.nan
    blood = (0.9 * z + 0.4 * rng.normal(size=(n, 2))) @ maps[1] + 0.2 * rng.normal(size=(n, 8))
    return Cohort({"scan": scan, "blood": blood}), z


@pytest.mark.slow
def test_an_embedding_is_read_by_what_its_columns_have_in_common() -> None:
    (cohort, _), (unseen, z) = people(2_500, seed=1), people(800, seed=2)
    model = MultimodalCRL(2, starts=1, steps=450, jobs=1).fit(cohort, progress=False)
    scan = model.transform(unseen)[["scan"]]
    has = unseen["scan"].measured
    assert scan[~has].isna().all(axis=None) and scan[has].notna().all(axis=None)
    truth = pd.DataFrame(z, index=scan.index, columns=scan.columns)
    assert metrics.r2(truth[has], scan[has]) > 0.95


def test_only_directions_beyond_chance_are_read() -> None:
    cohort, _ = people(1_000, seed=3)
    values = cohort["scan"].values[cohort["scan"].measured]
    codec = TableCodec((512,), 2, 16)
    codec.fit_scale(values)
    common = codec.common.numpy()
    np.testing.assert_allclose(common @ common, common, atol=1e-9)
    assert 2 <= round(np.trace(common)) <= 12
    noise = np.random.default_rng(0).normal(size=(1_000, 100))
    alone = TableCodec((100,), 2, 16)
    alone.fit_scale(noise)
    assert 2 <= round(np.trace(alone.common.numpy())) <= 4, "nothing but chance: as many as there are latents, or few"


def test_a_table_that_is_not_wide_is_read_as_it_is() -> None:
    assert "common" not in dict(TableCodec((64,), 2, 16).named_buffers())


def test_missing_cells_of_a_wide_table_take_the_mean_that_the_others_lead_to_expect() -> None:
    """As a regression on the very columns that a person has, each person lacking other ones."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 80)) + rng.normal(size=(500, 80))
    codec = TableCodec((80,), 2, 8)
    codec.fit_scale(values)
    gaps = np.where(rng.random((40, 80)) < 0.1, np.nan, values[:40])
    features, correlation = codec.prepare(gaps).double().numpy(), codec.correlation.numpy()
    for person, cells in zip(features, gaps, strict=True):
        lacks = np.isnan(cells)
        known = np.linalg.solve(correlation[np.ix_(~lacks, ~lacks)], person[~lacks])
        assert lacks.any() and person[lacks] == pytest.approx(correlation[np.ix_(lacks, ~lacks)] @ known, abs=1e-5)
