"""Readers give the numbers and refuse everything else."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

from acclimate.datasets.formats import read_array_pickle, read_idx, read_members, read_tree
from acclimate.datasets.hdf5 import read_hdf5
from acclimate.datasets.places import SourceArchive, Wheel, download
from acclimate.exceptions import DataNotFoundError, IntegrityError

from .conftest import SHARED


class Hostile:
    """Ask the reader to run a command."""

    def __reduce__(self):
        return os.system, ("touch hostile",)


@pytest.mark.parametrize("payload", [Hostile(), (np.zeros(2), Hostile()), [eval], {"a": np.load}])
def test_hostile_pickle_is_refused(payload, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IntegrityError, match="only arrays are allowed"):
        read_array_pickle(pickle.dumps(payload))
    assert not (tmp_path / "hostile").exists()


def test_object_arrays_hide_nothing():
    with pytest.raises(IntegrityError):
        read_array_pickle(pickle.dumps(np.array([Hostile()], dtype=object)))


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_pickles_of_both_numpy_generations(module):
    data = pickle.dumps((np.arange(6.0).reshape(2, 3), np.array([1, 2])), protocol=3)
    data = data.replace(b"numpy._core.multiarray", module)
    pair = read_array_pickle(data)
    np.testing.assert_array_equal(pair[0], np.arange(6.0).reshape(2, 3))


def test_damaged_pickle():
    with pytest.raises(IntegrityError, match="cannot be read"):
        read_array_pickle(pickle.dumps(np.arange(100))[:-20])


def test_idx_refuses_truncation_and_other_types():
    good = b"\x00\x00\x08\x01\x00\x00\x00\x03abc"
    assert read_idx(good).tolist() == [97, 98, 99]
    for bad in (good[:-1], good + b"d", b"\x00\x00\x0d" + good[3:], b"", b"\x1f\x8bxxxx"):
        with pytest.raises(IntegrityError):
            read_idx(bad)


def debian(files):
    """Build a Debian package by hand: an ar archive around a tar."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:xz") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo("./" + name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    out = b"!<arch>\n"
    for name, data in (("debian-binary", b"2.0\n"), ("data.tar.xz", inner.getvalue())):
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data
        out += b"\n" * (len(data) % 2)
    return out


def test_members_of_each_archive_kind(tmp_path):
    files = {"a/data/table.csv": b"1,2", "a/notdata/other.csv": b"no"}
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as box:
        for name, data in files.items():
            box.writestr(name, data)
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    (tmp_path / "x.deb").write_bytes(debian(files))
    for name in ("x.whl", "x.tar.gz", "x.deb"):
        found = read_members(tmp_path / name, ["data/table.csv"])
        assert found == {"data/table.csv": b"1,2"}
        with pytest.raises(IntegrityError, match=r"missing\.csv"):
            read_members(tmp_path / name, ["missing.csv"])
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(IntegrityError):
            read_members(tmp_path / name, ["data/table.csv"])


def test_hdf5_of_usps():
    if not (SHARED / "usps.h5").is_file():
        pytest.skip("usps.h5 is not here")
    data = (SHARED / "usps.h5").read_bytes()
    X, y = read_hdf5(data, "train/data"), read_hdf5(data, "train/target")
    assert X.shape == (7291, 256)
    assert X.dtype == np.float32
    assert y.dtype == np.int32
    # The first digit of the published text file: a six whose eighth value is -0.631 in [-1, 1].
    np.testing.assert_allclose(2 * X[0, 7:10] - 1, [-0.631, 0.862, -0.167], atol=1e-6)
    assert y[:4].tolist() == [6, 5, 4, 7]
    for bad, path in ((data, "train/none"), (data[:5000], "train/data"), (b"no", "train/data")):
        with pytest.raises(IntegrityError):
            read_hdf5(bad, path)


def test_download_checks_and_leaves_no_half(tmp_path):
    (tmp_path / "in").write_bytes(b"abc")
    address = (tmp_path / "in").as_uri()
    good = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert download(address, tmp_path / "out", good).read_bytes() == b"abc"
    with pytest.raises(IntegrityError, match="expected 0000"):
        download(address, tmp_path / "bad", "0" * 64)
    with pytest.raises(DataNotFoundError):
        download((tmp_path / "none").as_uri(), tmp_path / "bad")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Give pip a folder with one source archive whose set-up code must not run."""
    folder = tmp_path / "index"
    folder.mkdir()
    code = f"open({str(tmp_path / 'ran')!r}, 'w')".encode()
    with tarfile.open(folder / "toy-1.0.tar.gz", "w:gz") as tar:
        for name, data in {"toy-1.0/setup.py": code, "toy-1.0/data.csv": b"1"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    return folder


def test_source_archive_is_fetched_but_never_run(index, tmp_path):
    import hashlib

    sha = hashlib.sha256((index / "toy-1.0.tar.gz").read_bytes()).hexdigest()
    out = tmp_path / "out"
    out.mkdir()
    path = SourceArchive("toy", "1.0", sha).fetch(out)
    assert read_members(path, ["data.csv"]) == {"data.csv": b"1"}
    assert not (tmp_path / "ran").exists()


def test_an_archive_inside_an_archive_is_read_in_memory(tmp_path):
    with tarfile.open(tmp_path / "in.tar.gz", "w:gz") as tar:
        entry = tarfile.TarInfo("deep/table.csv")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"1,2"))
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as box:
        box.write(tmp_path / "in.tar.gz", "a/in.tar.gz")
    inner = read_members(tmp_path / "out.zip", ["in.tar.gz"])["in.tar.gz"]
    (tmp_path / "in.tar.gz").unlink()
    found = read_members(tmp_path / "in.tar.gz", ["table.csv"], data=inner)
    assert found == {"table.csv": b"1,2"}
    assert SourceArchive("toy", "1.0", "0" * 64, ending=".zip").pattern == "toy-1.0.zip"


def test_packages_that_are_not_there(index, tmp_path):
    with pytest.raises(DataNotFoundError, match="pip"):
        SourceArchive("toy", "2.0", "0" * 64).fetch(tmp_path)
    with pytest.raises(DataNotFoundError):
        Wheel("toy", "1.0").fetch(tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ending", [".zip", ".tar.xz"])
def test_a_tree_of_files(ending, tmp_path):
    held = {"a/b/one.png": b"1", "a/b/c/two.png": b"2", "a/b/three.txt": b"3", "b/four.png": b"4"}
    archive = tmp_path / f"box{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(archive, "w") as box:
            for name, data in held.items():
                box.writestr(name, data)
    else:
        with tarfile.open(archive, "w:xz") as tar:
            for name, data in held.items():
                entry = tarfile.TarInfo(f"./{name}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    assert read_tree(archive, "a/b", [".png"]) == {"c/two.png": b"2", "one.png": b"1"}
    with pytest.raises(IntegrityError, match="'a/d'"):
        read_tree(archive, "a/d", [".png"])
