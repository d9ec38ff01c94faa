"""A cached file is whole and checked, or it is not believed."""

from __future__ import annotations

import gzip
import json
import os
import struct

import numpy as np
import pytest

from acclimate.datasets import _idx_images, data_home
from acclimate.datasets._types import DatasetInfo
from acclimate.datasets.cache import fingerprint, read_set, write_set
from acclimate.datasets.recipe import Carrier, Entry, Recipe, obtain
from acclimate.exceptions import DataNotFoundError, IntegrityError, OutputError
from acclimate.files import atomic

ARRAYS = {
    "X_train": np.arange(4 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(4, 28, 28),
    "y_train": np.array([3, 1, 2, 0], np.uint8),
    "X_test": np.full((2, 28, 28), 7, np.uint8),
    "y_test": np.array([1, 0], np.uint8),
}
DIGESTS = {name: fingerprint(array) for name, array in ARRAYS.items()}


class CountingSource:
    """Count the fetches; hand the folder over."""

    label = "counting source"

    def __init__(self):
        self.fetches = 0

    def fetch(self, folder):
        self.fetches += 1
        return folder


def entry(read=lambda path: dict(ARRAYS)):
    source = CountingSource()
    recipe = Recipe(
        key="toy",
        digests=DIGESTS,
        split="none",
        loose=_idx_images.read_folder,
        carriers=(Carrier(source, "toy-*.whl", read),),
    )
    info = DatasetInfo("toy", "Toy", "image", "classification", 6, "none", "none", "here")
    return Entry(info, (recipe,), lambda arrays, recipe: arrays), source


def idx_bytes(array):
    header = struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape)
    return header + array.tobytes()


def test_fetched_once_then_mapped(hidden, tmp_path):
    row, source = entry()
    obtain(row, tmp_path)
    arrays, _ = obtain(row, tmp_path)
    assert source.fetches == 1
    assert all(isinstance(a, np.memmap) for a in arrays.values())
    np.testing.assert_array_equal(arrays["X_train"], ARRAYS["X_train"])


def truncate(folder):
    path = folder / "X_train.npy"
    path.write_bytes(path.read_bytes()[:-1])


def change_header(folder):
    path = folder / "X_train.npy"
    path.write_bytes(path.read_bytes().replace(b"(4, 28, 28)", b"(28, 4, 28)"))


def remove_array(folder):
    (folder / "y_test.npy").unlink()


def break_manifest(folder):
    (folder / "manifest.json").write_text("{")


def empty_manifest(folder):
    (folder / "manifest.json").write_text("[]")


def other_checksum(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["arrays"]["X_test"]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "damage",
    [truncate, change_header, remove_array, break_manifest, empty_manifest, other_checksum],
)
def test_damaged_cache_is_rebuilt(hidden, tmp_path, damage):
    row, source = entry()
    obtain(row, tmp_path)
    damage(tmp_path / "datasets" / "toy")
    assert read_set(tmp_path / "datasets" / "toy", DIGESTS) is None
    arrays, _ = obtain(row, tmp_path)
    assert source.fetches == 2
    np.testing.assert_array_equal(arrays["X_train"], ARRAYS["X_train"])


@pytest.mark.parametrize("fail_at", [0, 1, 4])
def test_interrupted_write_leaves_nothing_believed(tmp_path, monkeypatch, fail_at):
    real, calls = os.replace, []

    def replace(source, target):
        if len(calls) == fail_at:
            raise KeyboardInterrupt
        calls.append(target)
        real(source, target)

    monkeypatch.setattr("acclimate.datasets.cache.os.replace", replace)
    with pytest.raises(KeyboardInterrupt):
        write_set(tmp_path, dict(ARRAYS), DIGESTS, "test")
    assert read_set(tmp_path, DIGESTS) is None
    assert not list(tmp_path.glob(".*.part"))


def test_interrupted_stream_keeps_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def interrupted():
        with atomic(path) as stream:
            stream.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_wrong_content_is_never_stored(tmp_path):
    wrong = {**ARRAYS, "y_test": np.array([1, 1], np.uint8)}
    with pytest.raises(IntegrityError, match=r"y_test \(2,\): SHA-256"):
        write_set(tmp_path / "toy", wrong, DIGESTS, "test")
    assert not (tmp_path / "toy").exists()


def test_shape_and_type_count_in_the_fingerprint():
    array = np.arange(6, dtype=np.uint8)
    assert len({fingerprint(a) for a in (array, array.reshape(2, 3), array.astype(float))}) == 3


def test_unwritable_home_names_the_way_out(hidden, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(OutputError, match="ACCLIMATE_HOME"):
        obtain(entry()[0], blocked)
    assert blocked.read_text() == "not a folder"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("sub", ["", "toy"])
@pytest.mark.parametrize("dotted", [False, True])
def test_named_folder_comes_first(hidden, tmp_path, monkeypatch, zipped, sub, dotted):
    folder = tmp_path / "mine" / sub
    folder.mkdir(parents=True)
    for name, stem in _idx_images.FILES.items():
        data = idx_bytes(ARRAYS[name])
        stem = stem.replace("-idx", ".idx") if dotted else stem
        path = folder / (stem + ".gz" if zipped else stem)
        path.write_bytes(gzip.compress(data) if zipped else data)
    paths = os.pathsep.join([str(tmp_path / "nowhere"), str(tmp_path / "mine")])
    monkeypatch.setenv("ACCLIMATE_DATA", paths)
    row, source = entry()
    arrays, _ = obtain(row, tmp_path / "home")
    assert source.fetches == 0
    np.testing.assert_array_equal(arrays["X_test"], ARRAYS["X_test"])


def test_named_folder_may_hold_the_archive_or_a_cached_set(hidden, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "toy-1.whl").write_bytes(b"")
    monkeypatch.setenv("ACCLIMATE_DATA", str(mine))
    row, source = entry()
    obtain(row, tmp_path / "home", offline=True)
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path / "home" / "datasets"))
    obtain(row, tmp_path / "second", offline=True)
    assert source.fetches == 0


def test_system_folder_is_used_and_can_be_hidden(hidden, tmp_path, monkeypatch):
    for name, stem in _idx_images.FILES.items():
        (tmp_path / stem).write_bytes(idx_bytes(ARRAYS[name]))
    row, _ = entry()
    with pytest.raises(DataNotFoundError):
        obtain(row, tmp_path / "home", offline=True)
    monkeypatch.setenv("ACCLIMATE_SYSTEM_DATA", str(tmp_path))
    obtain(row, tmp_path / "home", offline=True)


def test_missing_everywhere_is_one_clear_error(hidden, tmp_path, monkeypatch):
    def unreachable(path):
        raise DataNotFoundError("no route to host")

    row, _ = entry(unreachable)
    monkeypatch.setenv("ACCLIMATE_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataNotFoundError) as caught:
        obtain(row, tmp_path / "home")
    text = str(caught.value)
    assert "ACCLIMATE_DATA" in text
    assert str(tmp_path / "mine") in text
    assert "counting source: no route to host" in text
    assert "What to do" in text
    assert not (tmp_path / "home").exists()


def test_wrong_download_is_refused(hidden, tmp_path):
    row, _ = entry(lambda path: {**ARRAYS, "y_train": ARRAYS["y_train"][::-1].copy()})
    with pytest.raises(DataNotFoundError, match=r"not used: y_train.*SHA-256"):
        obtain(row, tmp_path)


def test_data_home_order(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("ACCLIMATE_HOME", raising=False)
    assert data_home() == tmp_path / "xdg" / "acclimate"
    monkeypatch.setenv("ACCLIMATE_HOME", str(tmp_path / "home"))
    assert data_home() == tmp_path / "home"
    assert data_home(tmp_path) == tmp_path
