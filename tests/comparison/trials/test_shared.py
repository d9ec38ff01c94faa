"""Data that travel once: equal content is one fingerprint, and arrays are mapped, not copied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from acclimate.comparison.trials import shared
from acclimate.comparison.trials.shared import DataMissing, Shared


def test_a_fingerprint_is_that_of_the_content() -> None:
    x = np.arange(12.0).reshape(3, 4)
    assert shared.fingerprint(x) == shared.fingerprint(np.asfortranarray(x))
    others = [x + 1, x.astype(np.float32), x.reshape(4, 3), np.array(["a"]), None]
    assert len({shared.fingerprint(one) for one in [x, *others]}) == 6
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    assert shared.fingerprint(frame) == shared.fingerprint(frame.copy())
    assert shared.fingerprint(frame) != shared.fingerprint(frame.rename(columns={"a": "c"}))


def test_values_come_back_and_arrays_are_mapped(tmp_path: Path) -> None:
    values = {
        "a": np.arange(6).reshape(2, 3), "words": np.array(["x", "yy"]), "none": None,
        "frame": pd.DataFrame({"a": [1, 2]}), "sparse": sparse.csr_array(np.eye(3)),
    }  # fmt: skip
    place = shared.write(values, tmp_path)
    back = shared.read(place)
    assert isinstance(back["a"], np.memmap)
    assert not back["a"].flags.writeable
    np.testing.assert_array_equal(back["a"], values["a"])
    np.testing.assert_array_equal(back["words"], values["words"])
    pd.testing.assert_frame_equal(back["frame"], values["frame"])
    np.testing.assert_array_equal(back["sparse"].toarray(), np.eye(3))
    assert "none" not in back
    assert shared.read(place) is back


def test_files_make_a_whole_copy_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, copies = tmp_path / "here", tmp_path / "copies"
    here.mkdir()
    copies.mkdir()
    monkeypatch.setattr(shared, "_private", lambda: copies)
    place = shared.write({"a": np.arange(3)}, here)
    far = Shared("/not/here", place.name)
    shared._open.clear()
    with pytest.raises(DataMissing):
        shared.read(far)
    files = shared.as_files(place)
    for _ in range(2):
        shared._open.clear()
        np.testing.assert_array_equal(shared.read(far, files)["a"], np.arange(3))
    shared._keep(files, copies / place.name)  # a second worker of that machine
    assert [path.name for path in copies.iterdir()] == [place.name]
