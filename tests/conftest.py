"""What several test files share: the project's folder, a Chromium, and the book built from small runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Site:
    """A book that was built in ``folder``: its sources, its executed notebooks and its pages."""

    folder: Path

    @property
    def html(self) -> Path:
        return self.folder / "_build" / "html"

    @property
    def notebooks(self) -> list[Path]:
        return sorted((self.folder / "book" / "notebooks").glob("*.ipynb"))

    @property
    def pages(self) -> list[Path]:
        return sorted(page for page in self.html.rglob("*.html") if "_static" not in page.parts)


def study_of(folder: Path, **given: str) -> Path:
    """The study of real people, executed by papermill in a folder, with these parameters."""
    command = [sys.executable, "-m", "papermill", "--no-progress-bar"]
    command += [str(ROOT / "notebooks" / "02_real_cohort.ipynb"), "out.ipynb"]
    command += [part for key, value in given.items() for part in ("-p", key, value)]
    environment = {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "out.ipynb"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The notebooks executed with small parameters, and the book built from them, warnings being errors."""
    folder = tmp_path_factory.mktemp("site")
    skipped = shutil.ignore_patterns("notebooks", "__pycache__", ".ipynb_checkpoints")
    shutil.copytree(ROOT / "book", folder / "book", ignore=skipped)
    for name in ("notebooks", "data"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("_config.yml", "params.yml", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    _call(folder, sys.executable, "-m", "mmcrl", "run", "--profile", "test")
    book = "build book --config _config.yml --path-output . -W --keep-going -n --all"
    _call(folder, str(Path(sys.executable).with_name("jupyter-book")), *book.split())
    return Site(folder)


def _call(folder: Path, *command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. A machine without one skips; with CI=true it fails."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        report = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        report(f"none of {', '.join(CHROMIUMS)} is installed; `make test` as root installs one on Debian")
    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()
