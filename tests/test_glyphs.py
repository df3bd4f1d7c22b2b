"""Where glyphs come from: local files that are whole, a download with its checksum, or what scikit-learn embeds."""

import gzip
import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from mmcrl import InputError, simulate
from mmcrl.fetch import CATALOGUE, FOLDER, Remote, data_folder, fetch
from mmcrl.simulate.glyphs import load_glyphs, read_idx

LOCAL = ROOT.parent / "shared" / "data"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def idx(images: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([images.ndim]) + struct.pack(f">{images.ndim}I", *images.shape) + images.tobytes()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data with 50 glyphs each, bars that stand and bars that lie."""
    bars = np.zeros((50, 28, 28), dtype=np.uint8)
    bars[:, 4:24, 12:16] = np.arange(50, 250, 4, dtype=np.uint8)[:, None, None]
    for remote, images in zip(CATALOGUE["mnist"], (bars, bars.swapaxes(1, 2)), strict=True):
        (tmp_path / remote.path).parent.mkdir()
        (tmp_path / remote.path).write_bytes(gzip.compress(idx(images)))
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("source", ["auto", "mnist"])
def test_a_local_folder_is_read(folder: Path, source: str, offline: None) -> None:
    world = simulate.variant_mnist(100, source=source, size=28)
    assert world.settings["source"] == "mnist" and "mnist" in world.cohort.name
    digit, item = world.cohort["digit"].values.max(1), world.cohort["item"].values[:, 0]
    upright = (digit.max(2) > 0).sum(1), (digit.max(1) > 0).sum(1)
    assert np.median(upright[0]) >= 18 and np.median(upright[1]) <= 8
    assert np.median((item.max(2) > 0).sum(1)) <= 8


def test_without_a_folder_and_a_network_the_embedded_digits_are_drawn_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    world = simulate.variant_mnist(100)
    assert world.settings["source"] == "digits" and "digits" in world.cohort.name
    assert not list(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="fetch mnist"):
        simulate.variant_mnist(100, source="mnist")
    monkeypatch.setenv(FOLDER, str(tmp_path / "none"))
    with pytest.raises(InputError, match=FOLDER):
        simulate.variant_mnist(100)


def test_one_file_of_two_is_not_enough(folder: Path) -> None:
    (folder / CATALOGUE["mnist"][1].path).unlink()
    with pytest.raises(InputError, match="fashion_mnist"):
        simulate.variant_mnist(100)


def damaged() -> dict[str, tuple[bytes, str]]:
    images = np.random.default_rng(0).integers(0, 255, (20, 28, 28), dtype=np.uint8)
    whole, packed = idx(images), gzip.compress(idx(images))
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0xFF
    return {
        "no gzip": (whole, "a whole gzip file"),
        "nothing": (b"", "an idx file"),
        "cut off": (packed[:-200], "a whole gzip file"),
        "a bit flipped": (bytes(flipped), "a whole gzip file"),
        "another magic number": (gzip.compress(b"\0\0\x0d" + whole[3:]), "begins 00 00 08"),
        "no axes": (gzip.compress(b"\0\0\x08\0"), "begins 00 00 08"),
        "half a header": (gzip.compress(whole[:9]), "3 lengths of axes"),
        "too large": (gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12), "a gigabyte at most"),
        "too short": (gzip.compress(whole[:-1]), "15680 bytes, as its header tells, got 15679"),
        "too long": (gzip.compress(whole + b"\0"), "got more"),
        "labels": (gzip.compress(idx(images[:, 0, 0])), "square images"),
        "oblong": (gzip.compress(idx(images[:, 1:])), "square images"),
    }


@pytest.mark.parametrize("fault", damaged())
def test_damaged_files_are_refused(folder: Path, fault: str) -> None:
    content, message = damaged()[fault]
    (folder / CATALOGUE["mnist"][0].path).write_bytes(content)
    with pytest.raises(InputError, match=f"^mnist/train-images-idx3-ubyte.gz: .*{message}"):
        load_glyphs("mnist")


def test_reads_the_published_images() -> None:
    path = LOCAL / CATALOGUE["mnist"][0].path
    if not path.exists():
        pytest.skip("no MNIST in ../shared/data")
    images = read_idx(path)
    assert images.shape == (60_000, 28, 28)
    published = "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"  # of the unpacked file
    assert hashlib.sha256(idx(images)).hexdigest() == published


# Download


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """The address of a server on this machine that has a file ``there.gz``."""
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "there.gz").write_bytes(b"a file")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = HTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(tmp_path / "mirror")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_download_is_taken_over_only_with_its_checksum(
    mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv(FOLDER, str(home))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    right = hashlib.sha256(b"a file").hexdigest()
    wrong = Remote("toys/wrong.gz", f"{mirror}/there.gz", right[::-1])
    for remote in (wrong, Remote("toys/gone.gz", f"{mirror}/gone.gz", right)):
        with pytest.raises(InputError, match=f"{remote.path}.*sha256"):
            fetch("toys", {"toys": (remote,)})
        assert not [path for path in home.rglob("*") if path.is_file()]
    there = {"toys": (Remote("toys/there.gz", f"{mirror}/there.gz", right),)}
    for _ in range(2):
        assert fetch("toys", there) == [home / "toys" / "there.gz"]
        assert (home / "toys" / "there.gz").read_bytes() == b"a file"
    unverified = Remote("toys/unverified.gz", f"{mirror}/there.gz", None)
    assert fetch("toys", {"toys": (unverified,)})[0].read_bytes() == b"a file"


def test_what_is_there_is_left_alone_though_it_be_another_file_and_nothing_is_asked(
    folder: Path, offline: None
) -> None:
    before = [(folder / remote.path).read_bytes() for remote in CATALOGUE["mnist"]]
    with pytest.raises(InputError, match=r"mnist/train-images.*sha256, got another one"):
        fetch("mnist")
    assert [(folder / remote.path).read_bytes() for remote in CATALOGUE["mnist"]] == before
    mine = tuple(
        remote._replace(sha256=hashlib.sha256(content).hexdigest())
        for remote, content in zip(CATALOGUE["mnist"], before, strict=True)
    )
    assert fetch("mnist", {"mnist": mine}) == [folder / remote.path for remote in mine]
    assert data_folder() == folder
    with pytest.raises(InputError, match="name: expected one of mnist"):
        fetch("cifar")


def test_every_file_of_the_catalogue_has_a_checksum_and_an_encrypted_address() -> None:
    for remote in CATALOGUE["mnist"]:
        assert len(bytes.fromhex(remote.sha256)) == 32
        assert remote.url.startswith("https://") and remote.url.endswith(Path(remote.path).name)
