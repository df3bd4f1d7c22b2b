"""Checkpoints, saved models and what the runner says hold no person: no id, no row as bytes or as text."""

import logging
import re
from pathlib import Path

import numpy as np
import pytest
from tiny_project import make_project, run_in

from mmcrl import Cohort, MultimodalCRL
from mmcrl.disclosure import madeup

N = 120
IDS = np.arange(710_001, 710_001 + N)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    rng = np.random.default_rng(3)
    z = rng.normal(size=(N, 1))
    return Cohort({name: z + rng.normal(size=(N, 4)) for name in ("a", "b")}, ids=IDS, name="clinic")


def traces(cohort: Cohort) -> dict[str, list[bytes]]:
    """Of every person and modality three values in a row: as they are and standardised, as bytes and as text."""
    found: dict[str, list[bytes]] = {"bytes": [], "text": [f"{person}".encode() for person in cohort.ids]}
    for modality in cohort.modalities.values():
        standard = (modality.values - modality.values.mean(0)) / modality.values.std(0)
        for values in (modality.values, standard):
            for row in values[:, :3]:
                found["bytes"] += [row.astype(kind).tobytes() for kind in (np.float64, np.float32, np.float16)]
                found["text"] += [f"{value:.6g}".encode() for value in row[:1]]
    return found


def held(blob: bytes, cohort: Cohort) -> list[bytes]:
    known = traces(cohort)
    words = set(re.findall(rb"-?\d+(?:\.\d+)?", blob))
    rounded = {f"{float(word):.6g}".encode() for word in words if b"." in word}
    return [row for row in known["bytes"] if row in blob] + [
        text for text in known["text"] if text in words | rounded
    ]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_search_finds_a_row(cohort: Cohort) -> None:
    row, other = cohort["a"].values[5], cohort["b"].values[7]
    assert held(b"head" + row.astype(np.float32).tobytes(), cohort) == [row[:3].astype(np.float32).tobytes()]
    assert held(b"\x00" + other.tobytes() + b"\x01", cohort) == [other[:3].tobytes()]
    assert held(f'{{"first": [{float(row[0])!r}], "of": {IDS[3]}}}'.encode(), cohort)
    assert held(b'{"n": 120, "loss": 0.25}', cohort) == []


def test_checkpoints_and_models_hold_no_row(
    cohort: Cohort, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    model = MultimodalCRL(1, seed=0, starts=1, steps=20, width=16)
    model.fit(cohort, progress=True, checkpoint=tmp_path / "unfinished")
    model.save(tmp_path / "model")
    written = files(tmp_path)
    assert len(written) >= 3
    for name, blob in written.items():
        assert held(blob, cohort) == [], name
    said = capfd.readouterr()
    assert held((said.out + said.err + caplog.text).encode(), cohort) == []


def test_what_the_runner_says_and_keeps_of_a_failure_holds_no_row(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    table = madeup.measured(madeup.people(300)).reset_index()
    cohort = Cohort({"a": table[["height", "weight", "waist", "age"]].to_numpy()}, ids=table["SEQN"].to_numpy())
    code = "import pandas as pd\nfrom mmcrl import Cohort\ntable = pd.read_csv('people.csv', index_col=0)\n"
    code += "people = Cohort({'a': table})\nraise ValueError(table.iloc[5].tolist())"
    project = make_project(tmp_path, code)
    for path in (project.root / "mmcrl").iterdir():
        path.unlink()
    (project.root / "mmcrl").rmdir()
    table.set_index("SEQN")[["height", "weight", "waist", "age"]].to_csv(tmp_path / "people.csv")
    before = files(tmp_path)
    assert run_in(project) == ["tiny"]
    said = capfd.readouterr()
    text = (said.out + said.err + caplog.text).encode()
    assert b"the disclosure guard" in text and held(text, cohort) == []
    for name in files(tmp_path).keys() - before.keys():
        assert held((tmp_path / name).read_bytes(), cohort) == [], name
