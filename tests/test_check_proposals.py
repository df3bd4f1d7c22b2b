"""The proposals of `check`: each, once pasted, mends what it is for; none tells a value that few people have."""

import tomllib

import numpy as np
import pandas as pd
import pytest

from mmcrl.check import check_manifest
from mmcrl.checking.draft import toml
from mmcrl.checking.spread import codes, shared, span
from mmcrl.errors import InputError
from mmcrl.manifest import load_cohort

N = 300
IDS = 81_000 + np.arange(N)


def people():
    rng, i = np.random.default_rng(0), np.arange(N)
    return pd.DataFrame(
        {
            "person": IDS,
            "age": rng.integers(30, 80, N),
            "sex": np.where(i % 2, "F", "M"),
            "glucose": np.round(rng.normal(5, 0.5, N), 2),
            "iron": np.round(rng.normal(20, 4, N), 1),
            "crp": np.round(np.exp(1.2 * rng.normal(size=N)), 3),
            "snore": rng.choice(["Never", "Often", "Always"], N),
            "smoker": rng.integers(0, 2, N),
        }
    ).astype(object)


def manifest():
    return {
        "name": "clinic",
        "source": {"path": "people.csv", "id": "person"},
        "tiers": [["who"], ["blood", "habits"]],
        "modality": {
            "who": {
                "kind": "observed",
                "columns": {
                    "age": {"variable": "age", "range": [18, 110]},
                    "female": {"variable": "sex", "kind": "binary", "levels": {"M": 0, "F": 1}},
                },
            },
            "blood": {
                "columns": {
                    "glucose": {"variable": "glucose", "range": [1, 30]},
                    "iron": {"variable": "iron", "range": [0, 100]},
                    "crp": {"variable": "crp", "range": [0.0001, 2000], "transform": "log"},
                }
            },
            "habits": {
                "columns": {
                    "snoring": {
                        "variable": "snore",
                        "kind": "ordinal",
                        "levels": {"Never": 0, "Often": 1, "Always": 2},
                    },
                    "smoker": {"variable": "smoker", "kind": "binary"},
                }
            },
        },
    }


def write(folder, raw, frame):
    frame.to_csv(folder / "people.csv", index=False)
    return rewrite(folder, raw)


def rewrite(folder, raw):
    path = folder / "clinic.toml"
    path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in raw.items()))
    assert tomllib.loads(path.read_text()) == raw
    return path


def column(raw, name):
    modality, key = name.split(".")
    return raw["modality"][modality]["columns"][key]


def spoilt(**changes):
    return people().assign(**changes)


def some(name, rows, value):
    frame = people()
    frame.loc[: rows - 1, name] = value
    return frame


def test_a_good_manifest_has_nothing_proposed(tmp_path):
    report = check_manifest(write(tmp_path, manifest(), people()))
    assert report.problems == [] and report.proposals == ""


# Each: what is done to the manifest's column, the table, the column, what the proposal holds
PROBLEMS = {
    "a code outside the range": ({}, some("glucose", 25, 777), "blood.glucose", {"missing": [777]}),
    "many beyond the range": ({"range": [1, 5]}, people(), "blood.glucose", {"range": [1, 8]}),
    "a key": ({"rnage": [1, 30], "range": None}, people(), "blood.glucose", {"range": [1, 30]}),
    "a range upside down": ({"range": [30, 1]}, people(), "blood.glucose", {"range": [1, 30]}),
    "a range as text": ({"range": "0-100"}, people(), "blood.glucose", {"range": [0, 100]}),
    "the ends as texts": ({"range": ["0", "100"]}, people(), "blood.glucose", {"range": [0, 100]}),
    "no range at all": ({"range": True}, people(), "blood.glucose", {"range": [2, 8]}),
    "ends of which one is none": ({"range": ["low", 30]}, people(), "blood.glucose", {"range": [2, 8]}),
    "a logarithm of 0": ({"range": [0, 2000]}, people(), "blood.crp", {"transform": "log1p"}),
    "a logarithm without range": ({"range": None}, people(), "blood.crp", {"transform": "log"}),
    "a logarithm of weights": ({"range": None, "transform": "log"}, people(), "blood.iron", {"transform": "log"}),
    "a logarithm by another name": ({"transform": "ln"}, people(), "blood.crp", {"transform": "log"}),
    "a root of weights": ({"range": None, "transform": "sqrt"}, people(), "blood.iron", {"transform": "sqrt"}),
    "and without a range": ({"transform": "ln", "range": None}, people(), "blood.crp", {"transform": "log"}),
    "a variable": ({"variable": "Glucos"}, people(), "blood.glucose", {"variable": "glucose"}),
    "no variable": ({"variable": None}, people(), "blood.glucose", {"variable": "glucose"}),
    "a missing code as number": ({"missing": 777}, some("glucose", 25, 777), "blood.glucose", {"missing": [777]}),
    "words for nothing": ({}, some("glucose", 25, "refused"), "blood.glucose", {"missing": ["refused"]}),
    "words in capitals": ({}, some("snore", 25, "NEVER"), "habits.snoring", {}),
    "no levels": ({"levels": None}, people(), "who.female", {"levels": {"M": 0, "F": 1}}),
    "1 and 2": ({}, spoilt(smoker=1 + people()["smoker"]), "habits.smoker", {"levels": {"1": 0, "2": 1}}),
    "words beside numbers": (
        {},
        spoilt(smoker=np.resize(["no", "yes", "0", "1", "yes"], N)),
        "habits.smoker",
        {"levels": {"no": 0, "yes": 1, "0": 0, "1": 1}},
    ),
    "a kind": ({"kind": "ordinals"}, people(), "habits.snoring", {"kind": "ordinal"}),
    "clock times": ({}, spoilt(glucose=[f"{h % 24:02}:15" for h in range(N)]), "blood.glucose", {"kind": "time"}),
}


def changed(where, changes):
    """The manifest with these keys of a column changed; None takes a key away."""
    raw = manifest()
    spec = column(raw, where) | changes
    column(raw, where).clear()
    column(raw, where).update({key: value for key, value in spec.items() if value is not None})
    return raw


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_proposal_pasted_makes_the_check_pass(tmp_path, name):
    changes, frame, where, expected = PROBLEMS[name]
    raw = changed(where, changes)
    if name == "clock times":
        column(raw, where).pop("range")
    report = check_manifest(write(tmp_path, raw, frame))
    assert report.problems and report.mended, report
    assert column(report.proposed, where).items() >= expected.items()
    line = next(text for text in report.proposals.splitlines() if text.startswith(f"{where.split('.')[1]} = "))
    assert tomllib.loads(line)[where.split(".")[1]] == column(report.proposed, where)  # the line alone, as pasted
    again = check_manifest(rewrite(tmp_path, report.proposed))
    assert again.problems == [], again
    load_cohort(tmp_path / "clinic.toml")


def test_what_no_range_mends_is_told(tmp_path):
    endless = check_manifest(write(tmp_path, manifest(), some("iron", 25, np.inf)))
    assert "infinite values" in endless.proposals and "[0, 100]" not in endless.proposals and not endless.mended
    iron = people()["iron"].astype(float)
    mixed = check_manifest(write(tmp_path, manifest(), spoilt(iron=iron.where(np.arange(N) % 3 > 0, 10 * iron))))
    assert "33 % lie outside the stated one: in another unit?" in mixed.proposals


def test_a_transform_that_is_not_defined_is_not_proposed(tmp_path):
    below = spoilt(iron=np.random.default_rng(0).normal(0, 2, N).round(2))
    report = check_manifest(write(tmp_path, changed("blood.iron", {"range": None, "transform": "sqrt"}), below))
    assert "sqrt needs a range on which it is defined" in report.proposals
    assert 'transform = "sqrt"' not in report.proposals


def test_a_transform_is_not_lost_where_its_range_cannot_be_looked_for(tmp_path):
    raw = changed("blood.crp", {"transform": "log", "range": None})
    raw["source"]["path"] = "nobody.parquet"
    (tmp_path / "another.csv").write_text("a,b\n1,2\n")
    report = check_manifest(write(tmp_path, raw, people()))
    assert 'transform = "log"' in report.proposals and "give it one" in report.proposals


def test_a_constant_and_an_empty_column_are_left_out(tmp_path):
    raw = manifest()
    raw["known"] = [{"source": "who.age", "target": "blood.iron", "sign": 1, "rests_on": "a book"}]
    report = check_manifest(write(tmp_path, raw, spoilt(iron=3, crp=None)))
    assert len(report.problems) == 2 and "never varies: leave it out" in report.proposals
    assert list(report.proposed["modality"]["blood"]["columns"]) == ["glucose"] and report.proposed["known"] == []
    assert check_manifest(rewrite(tmp_path, report.proposed)).problems == []


def test_names_that_point_to_nothing(tmp_path):
    raw = manifest()
    raw["tiers"], raw["people"] = [["whoo"], ["blod", "zzz"]], {"require": ["whi"]}
    raw["source"] = {"path": "poeple.csv", "id": "Person"}
    report = check_manifest(write(tmp_path, raw, people()))
    assert len(report.problems) == 6 and report.mended
    assert report.proposed["tiers"] == [["who"], ["blood"]] and report.proposed["people"] == {"require": ["who"]}
    assert report.proposed["source"] == {"path": "people.csv", "id": "person"}
    assert check_manifest(rewrite(tmp_path, report.proposed)).problems == []


def test_names_that_cannot_be_and_tiers_that_repeat_hide_nothing(tmp_path):
    raw = manifest()
    blood = raw["modality"]["la b"] = raw["modality"].pop("blood")
    blood["columns"]["fe<x>"] = blood["columns"].pop("iron")
    raw["tiers"], raw["people"] = [["who", "la b"], ["who", "zzz", "habits"]], {"require": ["la b"]}
    raw["known"] = [{"source": "who.age", "target": "la b.fe<x>", "sign": 1, "rests_on": "a book"}]
    report = check_manifest(write(tmp_path, raw, some("glucose", 25, 777)))
    told = "\n".join(report.problems)
    for place in ("'la b'", "'fe<x>'", "'who' more than once", "'zzz'", "la_b.glucose"):
        assert place in told
    assert len(report.problems) == 5 and report.mended
    proposed = report.proposed
    assert proposed["tiers"] == [["who", "la_b"], ["habits"]] and proposed["people"] == {"require": ["la_b"]}
    assert proposed["known"][0]["target"] == "la_b.fex" and "fex" in proposed["modality"]["la_b"]["columns"]
    for line in ('fex = { variable = "iron"', 'require = ["la_b"]', 'target = "la_b.fex"', "call it 'la_b'"):
        assert line in report.proposals
    assert check_manifest(rewrite(tmp_path, proposed)).problems == []


WRONGLY_TYPED = [
    'people = "who"',
    'people = ["who"]',
    'people = { require = "blood" }',
    "people = { require = 3 }",
    "tiers = [1, 2]",
    "tiers = nan",
    'tiers = ["who"]',
    'tiers = "who"',
    'known = ""',
    "known = 3",
    "known = [1]",
    "known = { sign = 1 }",
    'include = "x"',
    "include = [[1]]",
]


@pytest.mark.parametrize("line", WRONGLY_TYPED)
def test_a_part_that_is_wrongly_typed_hides_nothing(tmp_path, line):
    raw = manifest()
    del raw["tiers"]
    raw["modality"]["blood"]["columns"]["copper"] = "copper"
    raw["modality"]["la b"] = raw["modality"].pop("habits")
    path = write(tmp_path, raw, some("glucose", 25, 777))
    path.write_text(f"{line}\n{path.read_text()}")
    report = check_manifest(path)
    told = "\n".join(report.problems)
    for place in (f"manifest {line.split()[0]}", "blood.columns.copper", "'la b'", "blood.glucose"):
        assert place in told
    tomllib.loads(report.proposals)
    assert "missing = [777]" in report.proposals


def test_a_key_is_renamed_only_if_what_stands_there_could_be_the_values(tmp_path):
    raw = manifest()
    raw["colour"], raw["abuot"], raw["knowm"] = "x", {"a": 1}, "x"
    raw["poeple"] = {"require": ["who"], "min_modalities": "many"}
    report = check_manifest(write(tmp_path, raw, people()))
    assert [problem.split(":")[0] for problem in report.problems] == [
        *(f"manifest {key}" for key in ("colour", "abuot", "knowm", "poeple")),
        "manifest people.min_modalities",
    ]
    for key in ("colour", "abuot", "knowm"):
        assert f"{key!r} is no key: delete it" in report.proposals
    assert tomllib.loads(report.proposals)["people"] == {"require": ["who"]} and report.mended


@pytest.mark.parametrize("key", ["modalty", "colmuns"])
def test_what_holds_columns_is_told_by_its_name_alone(tmp_path, key):
    raw = changed("blood.glucose", {"range": [30, 1]})
    if key == "modalty":
        raw["modalty"] = raw.pop("modality")
    else:
        raw["modality"]["blood"] = {"colmuns": raw["modality"]["blood"]["columns"]}
    report = check_manifest(write(tmp_path, raw, people()))
    assert f"{key!r} is no key" in report.proposals and report.mended
    pasted = tomllib.loads(report.proposals)
    assert pasted["modality"] == {"blood": {"columns": {"glucose": {"variable": "glucose", "range": [1, 30]}}}}


def test_a_column_that_stands_twice_is_told_so(tmp_path):
    frame = people().assign(second=1.0).rename(columns={"second": "iron"})
    raw = changed("blood.glucose", {"variable": "Glucose"})
    report = check_manifest(write(tmp_path, raw, frame))
    assert "the table has 2 columns 'iron': give each its name" in report.proposals and not report.mended
    assert "has no 'iron'" not in report.proposals and report.proposed["source"]["id"] == "person"
    assert column(report.proposed, "blood.glucose")["variable"] == "glucose"
    report = check_manifest(
        write(tmp_path, manifest(), people().assign(again=IDS).rename(columns={"again": "person"}))
    )
    assert "# id: the table has 2 columns 'person'" in report.proposals


def test_weights_of_another_name_are_told(tmp_path):
    raw = manifest()
    raw["people"] = {"weights": "wieght"}
    report = check_manifest(write(tmp_path, raw, people().assign(weight=1 + np.arange(N))))
    assert report.proposed["people"] == {"weights": "weight"} and report.mended


@pytest.mark.parametrize(("separator", "told"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_separator_is_told(tmp_path, separator, told):
    path = write(tmp_path, manifest(), people())
    people().rename(columns={"sex": "sex\r(F or M)"}).to_csv(tmp_path / "people.csv", sep=separator, index=False)
    assert f"divided by {told}: a .csv file has commas" in check_manifest(path).proposals


@pytest.mark.parametrize(("encoding", "told"), [("latin-1", "Latin-1"), ("utf-16", "UTF-16")])
@pytest.mark.parametrize("name", ["snore", "Größe"])
def test_another_encoding_is_told(tmp_path, encoding, told, name):
    path, frame = write(tmp_path, manifest(), people()), people().assign(Größe=1)
    frame["snore"] = frame["snore"].replace("Never", "não" if name == "snore" else "Never")
    frame = frame if name == "Größe" else frame.drop(columns="Größe")
    frame.to_csv(tmp_path / "people.csv", encoding=encoding, index=False)
    report = check_manifest(path)
    assert told in report.proposals and "write it in UTF-8" in report.proposals
    frame.to_csv(tmp_path / "people.csv", encoding="utf-8-sig", index=False)
    assert "UTF-8" not in check_manifest(path).proposals


def test_a_safe_name_is_one_that_no_other_has(tmp_path):
    raw = manifest()
    raw["modality"]["2 blood"], raw["modality"]["m_2_blood"] = raw["modality"]["blood"], raw["modality"].pop("habits")
    del raw["modality"]["blood"], raw["tiers"]
    report = check_manifest(write(tmp_path, raw, people()))
    assert list(report.proposed["modality"]) == ["who", "m_2_blood_2", "m_2_blood"] and report.mended


def test_what_a_cohort_refuses_at_last_is_a_problem_too(tmp_path, monkeypatch):
    def refuse(*of_it, **more):
        raise InputError("tiers", "something", "else")

    monkeypatch.setattr("mmcrl.manifest.Cohort", refuse)
    report = check_manifest(write(tmp_path, manifest(), people()))
    assert report.problems == ["tiers: expected something, got else"] and not report.mended


def test_weights_and_columns_nothing_can_be_learned_from_are_told_together(tmp_path):
    raw = manifest()
    raw["people"] = {"weights": "smoker"}
    told = "\n".join(check_manifest(write(tmp_path, raw, spoilt(iron=3))).problems)
    assert "manifest people.weights" in told and '"blood"].iron' in told


def test_ids_that_repeat_by_visit(tmp_path):
    first = people().assign(visit="baseline", site="A")
    later = people().iloc[:90].assign(visit="follow-up", site="A")
    report = check_manifest(write(tmp_path, manifest(), pd.concat([first, later])))
    assert report.proposed["include"] == [{"variable": "visit", "among": ["baseline"]}] and report.mended
    assert "90 repeated" in report.problems[0]
    assert len(load_cohort(rewrite(tmp_path, report.proposed))) == N


def test_ids_that_repeat_for_no_reason(tmp_path):
    twice = check_manifest(write(tmp_path, manifest(), pd.concat([people(), people().iloc[:90]])))
    assert not twice.mended and "stand in the table twice" in twice.proposals
    other = people().iloc[:90].assign(age=50)
    assert "no column tells" in check_manifest(write(tmp_path, manifest(), pd.concat([people(), other]))).proposals


def test_problems_are_listed_behind_repeated_and_missing_ids(tmp_path):
    frame = some("glucose", 25, 777).assign(iron=7.5)
    frame.loc[30:60, "smoker"] = "yes"
    frame.loc[80, "person"], frame.loc[90:93, "person"] = frame.loc[81, "person"], None
    raw = manifest()
    raw["disclosure"] = {"minimum": 20}
    report = check_manifest(write(tmp_path, raw, frame))
    told = "\n".join(report.problems)
    for place in ("<20 missing", "<20 repeated", "blood.glucose", '"blood"].iron', "habits.smoker"):
        assert place in told
    assert len(report.problems) == 5 and not report.mended and "include" not in report.proposed
    assert len(report.cohort) == N - 5, "the first row of each"
    for proposal in ("keep one row of each", "rows without one", "missing = [777]", "never varies"):
        assert proposal in report.proposals
    frame["person"] = IDS
    assert check_manifest(write(tmp_path, report.proposed, frame)).problems == []


@pytest.mark.parametrize("ends", [[1, 30], None])
def test_a_code_is_told_in_a_column_with_text_too(tmp_path, ends):
    frame = some("glucose", 25, 777)
    frame.loc[30, "glucose"] = "Jane Smith"
    raw = changed("blood.glucose", {"range": ends})
    report = check_manifest(write(tmp_path, raw, frame))
    assert len(report.problems) == (2 if ends else 1) and "<10 rows" in report.problems[0] and not report.mended
    assert "mend them in the table" in report.proposals and "missing = [777]" in report.proposals
    assert "Jane" not in str(report)
    frame.loc[:, "glucose"] = frame["glucose"].where(np.arange(N) % 25 != 0, 888.25)  # 12 people, in place of one 777
    raw["disclosure"] = {"minimum": 30}
    few = str(check_manifest(write(tmp_path, raw, frame)))
    assert "777" not in few and "888" not in few


def test_problems_of_all_stages_are_listed_at_once(tmp_path):
    raw, frame = manifest(), some("glucose", 25, 777)
    raw["people"] = {"requires": ["who"]}  # the form
    raw["tiers"] = [["whoo"]]  # a name
    column(raw, "blood.crp")["variable"] = "CPR"  # the table
    frame["iron"] = 7.5  # nothing to learn from
    frame.loc[30:60, "smoker"] = "yes"  # text
    report = check_manifest(write(tmp_path, raw, frame))
    told = "\n".join(report.problems)
    for place in ("people.requires", "manifest tiers", "'CPR'", "blood.glucose", '"blood"].iron', "habits.smoker"):
        assert place in told
    assert len(report.problems) == 6


# Warnings: the cohort loads, and says so

WARNINGS = {
    "a code": ({"range": [1, 2000]}, some("glucose", 25, 999), "blood.glucose", {"missing": [999]}),
    "no range": ({"range": None}, people(), "blood.glucose", {"range": [2, 8]}),
    "skewed": ({"range": None, "transform": None}, people(), "blood.crp", {"transform": "log"}),
    "skewed above 0": ({"transform": None, "range": [0.0001, 2000]}, people(), "blood.crp", {"transform": "log"}),
    "two values": ({"kind": None}, people(), "habits.smoker", {"kind": "binary"}),
    "few values": ({"range": [0, 9]}, spoilt(glucose=np.arange(N) % 5), "blood.glucose", {"kind": "ordinal"}),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_a_warning_does_not_fail_and_its_proposal_loads(tmp_path, name):
    changes, frame, where, expected = WARNINGS[name]
    raw = changed(where, changes)
    report = check_manifest(write(tmp_path, raw, frame))
    assert report.problems == [] and not report.summary.empty
    assert column(report.proposed, where).items() >= expected.items()
    again = check_manifest(rewrite(tmp_path, report.proposed))
    assert again.problems == [] and again.proposals == "", again


def test_few_people_per_latent_few_measured_doubles_and_ids(tmp_path):
    raw, frame = manifest(), people()
    raw["modality"]["blood"]["n_latents"] = 40
    raw["modality"]["blood"]["columns"]["iron_too"] = {"variable": "iron_mg", "range": [0, 1000]}
    raw["modality"]["blood"]["columns"]["number"] = {"variable": "person", "range": [0, 1e6]}
    frame["iron_mg"] = frame["iron"].astype(float) * 5.6
    frame.loc[8:, ["snore", "smoker"]] = None
    frame.loc[:, "glucose"] = frame["glucose"].where(np.arange(N) % 3 == 0)
    report = check_manifest(write(tmp_path, raw, frame))
    assert len(report.problems) == 1 and "at most 5 for blood" in report.problems[0]
    assert report.proposed["modality"]["blood"]["n_latents"] == 4  # one a column that is kept
    for text in ("says the same as blood.iron", "equals the id", "fewer than 20 people", "67 % of those"):
        assert text in report.proposals
    assert "number" not in report.proposed["modality"]["blood"]["columns"]


# Nobody is told


def test_values_that_few_people_have_are_never_told(tmp_path):
    raw, frame = manifest(), people()
    frame.loc[:8, "glucose"] = 777.25  # nine people
    frame.loc[0, "iron"] = 431.7  # one
    frame.loc[:3, "snore"] = "Qxyzzy"  # four
    for name in ("blood.iron", "blood.crp"):
        column(raw, name).pop("range")
    column(raw, "blood.crp").pop("transform")
    text = str(check_manifest(write(tmp_path, raw, frame)))
    assert "<10 values outside" in text and "fewer than 10 people lie far from all others" in text
    for told in ("777", "431", "Qxyzzy", "[9 ", " 9 values", " 4 rows"):
        assert told not in text
    assert not any(str(person) in text for person in IDS)
    extremes = [frame["crp"].max(), frame["crp"].min(), frame["glucose"][9:].max(), frame["iron"][1:].max()]
    assert not any(str(value) in text for value in extremes)


def test_the_manifests_minimum_counts(tmp_path):
    raw, frame = manifest(), some("glucose", 25, 777)
    raw["disclosure"] = {"minimum": 30}
    frame.loc[5:, ["snore", "smoker"]] = None
    frame.loc[:20, ["age", "sex"]] = None
    text = str(check_manifest(write(tmp_path, raw, frame)))
    assert "<30 values outside" in text and "777" not in text
    frame["glucose"] = people()["glucose"]
    summary = check_manifest(write(tmp_path, raw, frame)).summary
    assert summary.loc["habits", "people"] == "<30" and summary.loc["who", "people"] == "all but <30"


def test_a_span_does_not_move_with_the_extremes():
    values = np.random.default_rng(1).normal(size=500)
    moved = values.copy()
    moved[np.argsort(values)[-9:]] += 1000
    assert span(values, 10) == span(moved, 10) and span(values[:19], 10) is None
    assert shared(np.array([1.0] * 10 + [2.0] * 9), 10) == [1.0]
    assert codes(np.r_[values, [999.0] * 10, [-9.0] * 12], 10) == [-9.0, 999.0]
    assert codes(np.r_[values, [999.0] * 9], 10) == [] and codes(np.arange(100.0) % 9, 5) == []
