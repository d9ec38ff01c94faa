"""Files that are broken, altered, newer or hostile, and disks that are full."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from skops import io as skops_io

import acclimate
from acclimate import NeuralClassifier, SourceOnly
from acclimate.exceptions import DataNotFoundError, InputError, IntegrityError, OutputError
from acclimate.persistence import container, read_card


class Stranger(TransformerMixin, BaseEstimator):
    """A third party's transformer."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


@pytest.fixture(scope="module")
def path(toy, tmp_path_factory):
    model = SourceOnly(LogisticRegression(), random_state=0).fit(toy.X, toy.y)
    return model.save(tmp_path_factory.mktemp("good") / "m.acclimate")


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {n: archive.read(n) for n in archive.namelist() if n != container.MANIFEST}


def rewrite(path, folder, **changes):
    """Write a file whose checksums are right, as an attacker would."""
    goal = folder / "evil.acclimate"
    with goal.open("wb") as stream:
        container.write(stream, {**members(path), **changes})
    return goal


def raw(path, folder, change):
    """Write a ZIP archive after ``change(archive, name, data)`` wrote each member its own way."""
    goal = folder / "raw.acclimate"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(goal, "w") as new:
        for name in old.namelist():
            change(new, name, old.read(name))
    return goal


def refused(path, match, error=IntegrityError, **given):
    with pytest.raises(error, match=match) as caught:
        acclimate.load(path, **given)
    assert path.name in str(caught.value)


def test_a_truncated_file_is_refused(path, tmp_path):
    data = path.read_bytes()
    cut = tmp_path / "cut"
    for size in (0, 10, len(data) // 2, len(data) - 1):
        cut.write_bytes(data[:size])
        refused(cut, "only a part|altered|truncated")


def test_one_altered_byte_is_noticed_or_without_effect(path, tmp_path, toy):
    data = bytearray(path.read_bytes())
    expected = acclimate.load(path).predict_proba(toy.X)
    altered = tmp_path / "altered"
    noticed = 0
    for place in np.linspace(0, len(data) - 1, 150).astype(int):
        data[place] ^= 0x20
        altered.write_bytes(data)
        data[place] ^= 0x20
        try:
            again = acclimate.load(altered).predict_proba(toy.X)
        except (IntegrityError, InputError):
            noticed += 1
        else:  # a date in the archive, for example
            np.testing.assert_array_equal(again, expected)
    assert noticed > 100


def test_a_newer_schema_is_refused(path, tmp_path):
    def newer(archive, name, data):
        if name == container.MANIFEST:
            data = json.dumps({**json.loads(data), "schema": 99}).encode()
        archive.writestr(name, data)

    goal = raw(path, tmp_path, newer)
    refused(goal, "newer acclimate: schema version 99")
    with pytest.raises(IntegrityError, match="newer"):
        read_card(goal)


def test_other_files_are_refused(tmp_path):
    refused(tmp_path / "none", "no model file", DataNotFoundError)
    other = tmp_path / "other"
    other.write_bytes(pickle.dumps([1, 2]))
    refused(other, "not an acclimate model")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a", "b")
    refused(other, "not an acclimate model")
    folder = tmp_path / "folder"
    folder.mkdir()
    refused(folder, "cannot read", InputError)


def test_paths_links_compression_and_sizes_are_refused(path, tmp_path):
    def climb(archive, name, data):
        archive.writestr(f"../{name}", data)

    def link(archive, name, data):
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, data)

    def squeeze(archive, name, data):
        archive.writestr(name, data, zipfile.ZIP_DEFLATED)

    def extra(archive, name, data):
        archive.writestr(name, data)
        archive.writestr(f"{name}.py", data)

    refused(raw(path, tmp_path, climb), "leads to another folder")
    refused(raw(path, tmp_path, link), "is a link")
    refused(raw(path, tmp_path, squeeze), "is compressed")
    refused(raw(path, tmp_path, extra), r"\.py', which is no part")
    data = path.read_bytes()
    at = data.rindex(b"PK\x01\x02") + 20  # compressed and real size in the last directory entry
    huge = tmp_path / "huge"
    huge.write_bytes(data[:at] + (2**31).to_bytes(4, "little") * 2 + data[at + 8 :])
    refused(huge, "declares 2147483648 bytes")


def test_a_compressed_archive_inside_is_refused(path, tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 10**6)
    refused(rewrite(path, tmp_path, **{"estimators.skops": bomb.getvalue()}), "is compressed")


@pytest.mark.parametrize(
    "name", ["os.system", "acclimate.cli.main", "acclimate.validation.Rows", "subprocess.Popen"]
)
def test_unknown_classes_in_the_structure_are_refused(path, tmp_path, name):
    node = {"is": "object", "id": 0, "class": name, "state": {"is": "dict", "items": []}}
    goal = rewrite(path, tmp_path, **{"model.json": json.dumps({"model": node}).encode()})
    refused(goal, f"names the class '{name}'")
    goal = rewrite(
        path,
        tmp_path,
        **{"model.json": json.dumps({"model": {**node, "is": "estimator"}}).encode()},
    )
    refused(goal, name, InputError)


def test_unknown_layers_and_kinds_are_refused(path, tmp_path):
    for node, match in (
        ({"is": "layer", "class": "torch.nn.init", "arguments": []}, "names the layer"),
        ({"is": "layer", "class": "os.system", "arguments": []}, "names the layer 'os.system'"),
        ({"is": "pickle"}, "names the kind 'pickle'"),
        ({"no": 1}, "not valid"),
        ([1], "holds a list"),
        ({"is": "array", "shape": [10**12], "order": "C", "stored": "a0"}, "not valid"),
        ({"is": "array", "shape": [1], "dtype": "<U500000000", "text": [""]}, "not valid"),
        ({"is": "torch dtype", "name": "load"}, "not valid"),
    ):
        goal = rewrite(path, tmp_path, **{"model.json": json.dumps({"model": node}).encode()})
        refused(goal, match)
    deep = b'{"model": ' + b"[" * 10**5 + b"]" * 10**5 + b"}"
    refused(rewrite(path, tmp_path, **{"model.json": deep}), "not valid")
    refused(rewrite(path, tmp_path, **{"arrays.safetensors": b"\xff" * 64}), "arrays.safetensors")


def test_unknown_types_in_skops_are_refused_by_name(path, tmp_path, toy):
    for evil in (os.system, [subprocess.Popen]):
        goal = rewrite(path, tmp_path, **{"estimators.skops": skops_io.dumps([evil])})
        refused(goal, r"posix\.system|Popen", InputError)
    model = SourceOnly(LogisticRegression(), preprocess=Stranger()).fit(toy.X, toy.y)
    good = model.save(tmp_path / "m")
    name = f"{Stranger.__module__}.Stranger"
    refused(good, name.replace(".", r"\."), InputError)
    loaded = acclimate.load(good, trusted=[name])
    np.testing.assert_array_equal(loaded.predict(toy.X), model.predict(toy.X))


def test_trees_that_point_outside_are_refused(tmp_path, toy):
    for estimator, column, value in (
        (DecisionTreeClassifier(), "left_child", 10**6),
        (DecisionTreeClassifier(), "feature", 50),
        (DecisionTreeClassifier(), "right_child", 0),
    ):
        model = SourceOnly(estimator).fit(toy.X, toy.y)
        tree = model.source_model_.tree_
        state = tree.__getstate__()
        state["nodes"][column][0] = value
        tree.__setstate__(state)
        refused(model.save(tmp_path / "m"), "a tree in .* (points outside|reads a column)")
    for column, value in (("left", 10**6), ("feature_idx", 9)):
        model = SourceOnly(HistGradientBoostingClassifier(max_iter=2)).fit(toy.X, toy.y)
        model.source_model_._predictors[0][0].nodes[column][0] = value
        refused(model.save(tmp_path / "m"), "a tree in .* (points outside|reads a column)")


def test_pickle_is_never_used(path, toy, tmp_path, monkeypatch):
    model = SourceOnly(NeuralClassifier(hidden=(4,), min_steps=5, epochs=1)).fit(toy.X, toy.y)

    def never(*_, **__):
        raise AssertionError("pickle")

    for name in ("load", "loads", "dump", "dumps", "Pickler", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    acclimate.load(model.save(tmp_path / "network"))
    loaded = acclimate.load(path)
    loaded.save(tmp_path / "again")
    assert not any(data.startswith(b"\x80") for data in members(path).values())
    with pytest.raises(AssertionError, match="pickle"):
        pickle.loads(b"")  # the trap is set


def test_a_full_disk_leaves_the_old_file(path, tmp_path, toy, monkeypatch):
    goal = tmp_path / "m.acclimate"
    model = acclimate.load(path)
    model.save(goal)
    before = goal.read_bytes()
    real = zipfile.ZipFile.writestr
    count = [0]

    def full(self, info, data, *more):
        name = getattr(info, "filename", info)
        if name == "arrays.safetensors" and self.filename is not None:
            count[0] += 1
            self.fp.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, info, data, *more)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OutputError, match=r"m\.acclimate.*No space left.*unchanged"):
        model.save(goal)
    assert count == [1]
    assert goal.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.acclimate"]


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError as error:
        pytest.skip(f"no mount here: {error}")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts a tmpfs, as Linux does")
def test_a_disk_that_is_really_full(path, small_disk):
    goal = small_disk / "m.acclimate"
    model = acclimate.load(path)
    model.save(goal)
    before = goal.read_bytes()
    model.big_ = np.random.default_rng(0).normal(size=10**5)
    with pytest.raises(OutputError, match="unchanged"):
        model.save(goal)
    assert goal.read_bytes() == before
    assert os.listdir(small_disk) == ["m.acclimate"]
    assert acclimate.load(goal).get_params().keys() == model.get_params().keys()
