"""What a method keeps of the rows that it saw is counted, by the bytes of its file."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from acclimate.persistence import held_by


@pytest.mark.rows
def test_no_row_is_in_a_file_that_is_not_counted(case, tmp_path):
    data = case.data()
    model = case.fitted(data)
    with zipfile.ZipFile(model.save(tmp_path / "m")) as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    for part in [part for part in parts if part.startswith(b"PK")]:
        with zipfile.ZipFile(io.BytesIO(part)) as inner:
            parts += [inner.read(name) for name in inner.namelist()]
    written = b"".join(parts)
    held = held_by(model)
    for name, rows in (("source", data.X), ("target", data.Xt)):
        table = np.asarray(rows)
        if table.dtype.kind == "f" and table.ndim > 1:
            table = np.ascontiguousarray(table.reshape(len(table), -1))
            varied = table[(table != table[:, :1]).any(axis=1)]
            assert sum(row.tobytes() in written for row in varied) <= held.get(name, 0)


@pytest.mark.rows
def test_the_row_says_whether_it_keeps_rows(case):
    """Its base model here is linear and keeps none."""
    if case.row.network:
        return
    assert bool(held_by(case.fitted(case.data()))) == case.row.keeps_rows
