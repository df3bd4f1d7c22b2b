"""The proof: what a point measures, what the tables tell, and pages with and without their tables."""

import mmap
import shutil
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from mmcrl import InputError
from mmcrl.proof import by_world, published_numbers, study
from mmcrl.proof.bench import cost
from mmcrl.proof.encoding import shape_of, step_cost
from mmcrl.proof.pcs import GRAPHS, compare_graphs
from mmcrl.proof.points import claims, measure, training_options
from mmcrl.proof.study import Study
from mmcrl.proof.tables import exponent, start_choices, summary
from mmcrl.proof.trust import BINS
from mmcrl.proof.usage import watched
from mmcrl.runner import results
from mmcrl.runner.execute import execute
from mmcrl.runner.glue import glued
from mmcrl.runner.planner import Planner
from mmcrl.runner.project import Project

SWEEPS = [
    "cases",
    "rings",
    "shared",
    "limits",
    "baselines",
    "variant",
    "variant-more",
    "sparsity",
    "people",
    "missing",
    "auto",
    "graphs",
    "bench",
    "encoders",
    "disk",
]
SWEEPS += ["trust-latents", "trust-steps", "trust"]
PAGES = sorted(  # those that read tables of what is measured on synthetic worlds
    path.stem
    for path in (ROOT / "notebooks").glob("*.ipynb")
    if "study(" in path.read_text(encoding="utf-8") and path.stem[:2] not in ("01", "02", "15", "16")
)


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(Project(ROOT))


# What a point measures


def test_the_estimator_is_scored_on_people_it_has_not_seen() -> None:
    found = measure("case-1", seed=11, n_people=600, ceiling=True, starts=1, steps=10)
    assert found["n_train"] == 600 and found["n_truths"] == 4 and found["n_missed"] == 0
    assert 0 <= found["mcc"] <= 1 and found["floor_mean"] < found["floor_q95"] and found["ceiling_mcc"] > 0.8
    verdicts = ("n_component_sound", "n_component_off", "n_doubted_off", "n_doubted_sound")
    assert sum(found[name] for name in verdicts) == 4 and 0 <= found["undecided"] <= 1
    assert found["n_latents_right"] == found["n_modalities"] == 2 and found["start_gap"] >= 0
    assert found["shd_cross"] >= 0 and found["seconds"] > 0 and found["peak_mb"] > 50


def test_other_methods_claim_no_graph() -> None:
    found = measure("case-1", "FastICA", seed=11, n_people=300)
    assert "shd_cross" not in found and "start_gap" not in found and found["r2"] > 0.2


def test_all_numbers_of_a_point_can_be_glued() -> None:
    found = measure("sparsity", "PCA", 10, 300, 4 / 9) | cost("PCA", 300, 2)
    assert all(type(value) in (int, float) for value in found.values())


def test_a_point_refuses_what_it_does_not_know() -> None:
    for wrong in (
        {"world": "case-9"},
        {"world": "case-1", "method": "UMAP"},
        {"world": "case-1", "n_latents": "two"},
    ):
        with pytest.raises(InputError):
            measure(**wrong, n_people=100)  # type: ignore[arg-type]


def test_claims_count_directed_links_between_modalities() -> None:
    names = ["a.0", "b.0", "c.0", "c.1"]
    true = pd.DataFrame(0, index=names, columns=names)
    true.loc["c.0", ["a.0", "b.0"]] = 1  # a collider: both are decidable
    true.loc["c.1", "c.0"] = 1  # within a modality: not counted
    said = true.copy()
    said.loc["b.0", "c.0"] = 1  # undirected
    said.loc["c.1", "a.0"] = 1  # wrong
    expected = {"n_claimed": 2, "n_claimed_right": 1, "n_identifiable": 2, "n_identifiable_claimed": 1}
    assert claims(true, said) == expected
    assert claims(true, said.drop(index="a.0", columns="a.0"))["n_claimed"] == 0, "a latent that was not found"
    true.loc["a.0", "c.0"] = 1
    assert np.isnan(claims(true, said)["n_identifiable"]), "a cycle"


def test_graphs_are_compared_on_the_same_latents() -> None:
    found = compare_graphs("case-1", 11, 600, starts=1, steps=10)
    for graph in GRAPHS:
        assert found[f"{graph}_right"] <= found[f"{graph}_claimed"]
        assert found[f"{graph}_decided"] <= found["n_identifiable"]
    assert found["true_pc_cross"] <= 1


def test_memory_is_that_of_the_work() -> None:
    with watched() as idle:
        pass
    with watched() as used, mmap.mmap(-1, 40 * 2**20) as block:  # never what the process has freed before
        block[::4096] = b"1" * (len(block) // 4096)
    assert used.added_mb > 35 and idle.added_mb < 20


@pytest.mark.parametrize("method", ["mmcrl", "FastICA", "PC", "MCL"])
def test_every_method_of_the_bench_runs(method: str) -> None:
    options = training_options(steps=0 if method in ("FastICA", "PC") else 5, starts=int(method == "mmcrl"))
    found = cost(method, 300, 3, n_columns=8, **options)
    assert found["seconds"] > 0 and (found["n_rows"], found["n_columns"]) == (300, 24)


@pytest.mark.parametrize(("kind", "size"), [("table", "10"), ("image", "3x4x5"), ("series", "2x50")])
def test_a_step_is_timed_for_every_kind(kind: str, size: str) -> None:
    found = step_cost(kind, size, batch=16)
    assert found["seconds"] > 0 and found["step_mb"] >= 0 and found["weights"] > 1_000
    assert found["numbers"] == np.prod(shape_of(size)) and found["batch"] == 16
    assert found["held_kb"] * 1024 == pytest.approx(found["numbers"] * (4 if kind == "table" else 2), abs=6)
    assert all(type(value) in (int, float) for value in found.values())
    for wrong in ("3xx5", "0x4", "large"):
        with pytest.raises(InputError, match="size"):
            shape_of(wrong)


# What the tables tell


def test_every_sweep_of_the_proof_is_planned(planner: Planner) -> None:
    sizes = {name: len(planner.points(name)) for name in SWEEPS}
    assert (
        sizes["cases"] == 45
        and sizes["shared"] == 15
        and sizes["people"] == 8
        and sizes["missing"] == 6
        and sizes["auto"] == 10
        and sizes["sparsity"] == 12
    )
    seeds = {
        job.parameters["seed"]
        for name in SWEEPS
        if name not in ("bench", "encoders", "disk")
        for job in planner.points(name)
    }
    assert min(seeds) >= 10, "fresh ones"


def test_a_table_tells_the_median_and_the_worst() -> None:
    rows = {"world": ["x"] * 3, "mcc": [0.9, 0.8, 0.99], "floor_mean": 0.7, "floor_q95": 0.85, "r2": 0.9}
    rows |= {"angle_median": [1.0, 2, 3], "angle_worst": [4.0, 5, 30], "seconds": 10.0, "peak_mb": 300.0}
    table = pd.DataFrame(rows).assign(start_gap=[0.0, 0.01, 0.1])
    told = summary(table, "world").loc["x"]
    assert (told["MCC"], told["above it"], told["angle (°)"]) == ("0.900 (0.800)", "2 of 3", "2.0 (30.0)")
    assert told["floor (95 %)"] == "0.700 (0.850)"
    assert told["ceiling"] == told["SHD"] == "–"
    assert start_choices(table).loc["x"].tolist() == ["0.010", "0.100", "2 of 3"]
    more = pd.concat([table, table.head(1).assign(start_gap=np.nan)], ignore_index=True)
    assert start_choices(more).loc["x"].tolist() == ["0.010", "0.100", "2 of 3"], "one start has no gap"
    published = pd.DataFrame({"world": ["x"], "mcc": [0.5], "r2": [0.6]})
    assert by_world(table, published).loc["x", "published MCC"] == "0.50"
    assert np.isnan(exponent(table.assign(n=1), "n", "seconds"))


def test_published_numbers_have_sources() -> None:
    table = published_numbers(Project(ROOT), None)
    assert table["source"].str.contains("arXiv").all() and not table.duplicated(["world", "method"]).any()
    assert published_numbers(Project(ROOT))["world"].is_unique
    assert table[["mcc", "r2"]].stack().between(0, 1).all()


# The pages


def made_up(planner: Planner, sweep: str) -> list[dict[str, Any]]:
    """A row for every point, with numbers that mean nothing."""
    rng = np.random.default_rng(0)
    measures = ["evidence", "learned", "pc", "pc_default", "true_pc", "true_pc_default"]
    counts = [
        f"{graph}_{m}" for graph in measures for m in ("cross", "within", "class", "claimed", "right", "decided")
    ]
    counts += ["n_component_sound", "n_component_off", "n_doubted_off", "n_doubted_sound", "n_claimed", "n_missed"]
    counts += [
        "n_claimed_right",
        "n_identifiable",
        "n_identifiable_claimed",
        "shd_cross",
        "shd_within",
        "n_links",
        "n_truths",
    ]
    shares = ["mcc", "mcc_less_siblings", "r2", "floor_mean", "floor_q95", "ceiling_mcc", "undecided", "start_gap"]
    rows = []
    for job in planner.points(sweep):
        row = {**dict.fromkeys(counts, 1), **{name: float(rng.uniform()) for name in shares}}
        row |= {"angle_median": 0.03, "angle_worst": 0.09, "seconds": 7123.0, "peak_mb": 50123.0, "added_mb": 9012.0}
        row |= {"n_train": 10000, "n_latents_found": 2.0, "n_latents_right": 3, "n_modalities": 3, "n_columns": 60}
        row |= {f"{name}{scope}": 0.04 for name in ("fdr", "fdr_sd", "power") for scope in ("", "_cross", "_within")}
        row |= {"held_kb": 4.6, "step_mb": 0.5, "numbers": 2352, "weights": 317413, "batch": 128}
        row |= {"size": 128, "n_unseen": 400, "pictures_gb": 2.46, "fit_seconds": 601.0, "n_cross_links": 1}
        row |= {"n_worlds": 3, "n_null": 90, "null_0.05": 0.01}
        for k in range(BINS):
            row |= {f"pairs_{k}": 20, f"right_{k}": 2 * k, f"confidence_{k}": 2.0 * k + 1}
        rows.append({**job.varied, **{key: value for key, value in row.items() if key not in job.varied}})
    return rows


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Planner:
    """A project in which every sweep has a table."""
    folder = tmp_path_factory.mktemp("computed")
    for name in ("notebooks", "data", "mmcrl"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("results", "__pycache__"))
    for name in ("params.yml", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    made = Planner(Project(folder))
    for sweep in SWEEPS:
        points = made.points(sweep)
        facts = {"points": [job.parameters for job in points], "inputs": made.sweep_inputs(sweep)}
        results.write(made.project, made, sweep, made_up(made, sweep), seconds=[1.0] * len(points), **facts)
    return made


def pictures(notebook: str) -> list[str]:
    outputs = [o for cell in nbformat.reads(notebook, 4).cells for o in cell.get("outputs", [])]
    return [o["data"]["image/svg+xml"] for o in outputs if "image/svg+xml" in o.get("data", {})]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_tells_its_table(computed: Planner, page: str, tmp_path: Path) -> None:
    done = execute(computed.run(page, "test").task)
    assert done.failure is None
    assert pictures(done.notebook)
    (tmp_path / "page.ipynb").write_text(done.notebook, encoding="utf-8")
    told = glued(tmp_path / "page.ipynb")
    assert "nothing has changed since" in str(told["origin"])
    assert not [key for key, value in told.items() if value == "–"], "a number that the table does not give"
    outputs = [o for cell in nbformat.reads(done.notebook, 4).cells for o in cell.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "stream"]


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "params.yml").write_text("runs: {}")
    missing = study("cases", Project(tmp_path))
    assert not missing and missing.say(len, "d") == "–" and missing.where(world="x").table is None
    assert (
        "python -m mmcrl run cases" in missing.origin
        and "python -m mmcrl run cases" in missing.tell(by_world).iloc[0, 0]
    )
    assert "python -m mmcrl run cases" in missing.draw(by_world).texts[0].get_text()


def test_rows_that_are_not_there_are_said() -> None:
    table = Study("cases", pd.DataFrame({"world": ["a", "b"], "seed": [1, 2]}), "from somewhere")
    assert table.where(world=["a", "c"], seed=1).say(len, "d") == "1"
    none = table.where(world=["c", "d"], seed=1)
    assert none.table is None and none.origin == "The table cases has no row of world c or d, seed 1."


def test_tables_that_stand_beside_each_other_are_one_and_tell_both_origins() -> None:
    first, second = (
        Study(name, pd.DataFrame({"seed": [seed]}), f"from {name}") for name, seed in (("a", 1), ("b", 2))
    )
    both = first.beside(second)
    assert both.table["seed"].tolist() == [1, 2] and both.origin == "from a from b"
    missing = Study("c", None, "not computed yet")
    assert first.beside(missing) is first and missing.beside(first) is first
    assert not missing.beside(Study("d", None, "nor this"))


# The workers


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sweep", "at", "settings"),
    [
        ("baselines", 0, {"n_people": "300"}),
        ("cases", 0, {"n_people": "600", "starts": "1", "steps": "10", "ceiling": "false"}),
        ("graphs", 0, {"n_people": "600", "starts": "1", "steps": "10"}),
        ("bench", 0, {"n_columns": "6", "starts": "1", "steps": "5"}),
        ("trust-latents", 0, {"n_worlds": "1"}),
        ("trust", 0, {"n_people": "600", "starts": "1", "steps": "10"}),
        ("phenotype", 0, {"n_people": "400", "starts": "1", "steps": "5"}),
        ("encoders", 0, {"batch": "8"}),
        ("eyes", 0, {"n_people": "400", "steps": "5"}),
        ("disk", 0, {"n_people": "700", "size": "32", "steps": "5"}),
    ],
)
def test_a_worker_glues_numbers(
    planner: Planner, sweep: str, at: int, settings: dict[str, str], tmp_path: Path
) -> None:
    done = execute(planner.points(sweep, settings)[at].task)
    assert done.failure is None
    (tmp_path / "point.ipynb").write_text(done.notebook, encoding="utf-8")
    found = glued(tmp_path / "point.ipynb")
    glues = {"baselines": "mcc", "cases": "start_gap", "graphs": "pc_cross", "bench": "seconds"}
    glues |= {"trust-latents": "fdr", "trust": "mcc", "phenotype": "n_found", "encoders": "step_mb"}
    glues |= {"eyes": "r2 eye.0", "disk": "peak_mb"}
    assert glues[sweep] in found
