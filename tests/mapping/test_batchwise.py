"""Fitting on batches ends where fitting on all rows ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression, SGDClassifier, SGDRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from acclimate import CORAL, Domain, LinearMonge, SubspaceAlignment, load, tables
from acclimate.exceptions import AcclimateError, InputError

Make = Callable[..., Any]
METHODS: list[Any] = [CORAL, LinearMonge, SubspaceAlignment]


def data(n: int = 400, m: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y, yt = rng.integers(3, size=n), rng.integers(3, size=m)
    centres = 3 * rng.normal(size=(3, 5))
    X, Xt = centres[y] + rng.normal(size=(n, 5)), centres[yt] + rng.normal(size=(m, 5))
    return X, y * 10, Xt @ (np.eye(5) + 0.3 * rng.normal(size=(5, 5))) + 100.0, yt * 10


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [7, 128, 1000])
def test_batches_end_in_the_state_of_all_rows(method: Make, size: int) -> None:
    X, y, Xt, yt = data()
    whole = method(GaussianNB(var_smoothing=0.0)).fit(X, y, target=Domain(Xt))
    parts = method(GaussianNB(var_smoothing=0.0)).fit_batches(
        tables.batches(X, y, batch_rows=size), tables.batches(Xt, batch_rows=size)
    )
    for domain, rows in (("target", Xt), ("source", X)):
        # axes may be turned round, which changes no product of two rows
        a, b = whole.transform(rows, domain=domain), parts.transform(rows, domain=domain)
        if method is SubspaceAlignment:
            a, b = a @ a.T, b @ b.T
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(
            parts.predict_proba(rows, domain=domain), whole.predict_proba(rows, domain=domain),
            atol=1e-8,
        )  # fmt: skip
    if method is not SubspaceAlignment:
        np.testing.assert_allclose(parts.map_matrix_, whole.map_matrix_, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(parts.source_model_.theta_, whole.source_model_.theta_, rtol=1e-10)
    assert parts.score(Xt, yt) > 0.9 > parts.source_model_.score(Xt, yt)
    assert parts.trained_on_["source"]["rows"] == 400
    assert parts.trained_on_["target"]["rows"] == 300
    assert parts.classes_.tolist() == whole.classes_.tolist() == [0, 10, 20]
    assert parts.adapted_


def test_the_model_learns_the_mapped_batches_in_their_order() -> None:
    X, y, Xt, _ = data()
    model = CORAL(SGDClassifier(loss="log_loss", random_state=3), random_state=0)
    source = tables.batches(X, y, batch_rows=50)
    model.fit_batches(source, [Xt])
    own = SGDClassifier(loss="log_loss", random_state=3)
    for rows, labels in source:
        own.partial_fit(model.transform(rows, domain="source"), labels, classes=[0, 10, 20])
    np.testing.assert_array_equal(model.target_model_.model.coef_, own.coef_)
    np.testing.assert_array_equal(model.predict(Xt), own.predict(Xt))
    again = CORAL(SGDClassifier(loss="log_loss", random_state=3), random_state=0)
    np.testing.assert_array_equal(again.fit_batches(source, [Xt]).predict(Xt), model.predict(Xt))


def test_files_frames_arrow_and_memory_maps_are_the_same(tmp_path: Path) -> None:
    X, y, Xt, _ = data()
    names = list("abcde")
    frame, frame_t = pd.DataFrame(X, columns=names), pd.DataFrame(Xt, columns=names)
    table = pa.Table.from_pandas(frame.assign(y=y), preserve_index=False)
    parquet.write_table(table, tmp_path / "source.parquet", row_group_size=90)
    frame_t[names[::-1]].to_parquet(tmp_path / "target.parquet")  # columns in another order
    frame.assign(y=y).to_csv(tmp_path / "source.csv", index=False)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")

    def fitted(source: Any, target: Any) -> np.ndarray:
        model = CORAL(GaussianNB(var_smoothing=0.0)).fit_batches(source, target)
        named = hasattr(model, "feature_names_in_")
        return np.asarray(model.predict_proba(frame_t if named else Xt))

    expected = fitted([(X, y)], [Xt])
    for source, batches in (
        (tables.batches(tmp_path / "source.parquet", label="y", batch_rows=64),
         tables.batches(tmp_path / "target.parquet", batch_rows=64)),
        (tables.batches(tmp_path / "source.csv", label="y"),
         tables.batches(tmp_path / "target.parquet")),
        ([(frame[:150], y[:150]), (frame[150:], y[150:])], [frame_t]),
        (tables.batches(mapped, y, batch_rows=33), [Xt[:0], Xt]),
    ):  # fmt: skip
        np.testing.assert_allclose(fitted(source, batches), expected, atol=1e-9)


def test_a_frame_is_answered_by_name_afterwards() -> None:
    X, y, Xt, _ = data()
    frame = pd.DataFrame(X, columns=list("abcde"))
    target = pd.DataFrame(Xt, columns=list("abcde"))
    model = CORAL(GaussianNB()).fit_batches([(frame, y)], [target])
    np.testing.assert_array_equal(model.predict(target[list("edcba")]), model.predict(target))
    with pytest.raises(InputError, match="lacks the column 'e'"):
        CORAL(GaussianNB()).fit_batches([(frame, y)], [target.drop(columns="e")])


def test_preprocessing_learns_from_the_source_alone() -> None:
    X, y, Xt, _ = data()
    model = CORAL(GaussianNB(), preprocess=StandardScaler())
    model.fit_batches(tables.batches(X, y, batch_rows=90), [Xt])
    whole = CORAL(GaussianNB(), preprocess=StandardScaler()).fit(X, y, target=Domain(Xt))
    assert model.preprocess_ is not None
    np.testing.assert_allclose(model.preprocess_.mean_, X.mean(0), rtol=1e-10)
    np.testing.assert_allclose(model.map_matrix_, whole.map_matrix_, rtol=1e-8, atol=1e-10)


def test_regression_works() -> None:
    X, _, Xt, _ = data()
    model = LinearMonge(SGDRegressor(random_state=0)).fit_batches(
        tables.batches(X, X[:, 0], batch_rows=20), [Xt]
    )
    assert model.adapted_
    assert np.isfinite(model.predict(Xt)).all()


def test_a_model_from_batches_is_saved_and_loaded(tmp_path: Path) -> None:
    X, y, Xt, _ = data()
    model = CORAL(SGDClassifier(loss="log_loss"), random_state=0).fit_batches([(X, y)], [Xt])
    path = model.save(tmp_path / "m.acclimate")
    np.testing.assert_array_equal(load(path).predict(Xt), model.predict(Xt))
    with pytest.raises(AcclimateError, match="fitted on batches has none"):
        model.adapt(Domain(Xt))


def test_wrong_batches_are_errors() -> None:
    X, y, Xt, _ = data()

    def pairs() -> Iterator[Any]:
        yield X, y

    class Shrinking:
        """Loses rows from one pass to the next."""

        left = 400

        def __iter__(self) -> Iterator[Any]:
            rows, self.left = self.left, self.left - 10
            return iter([(X[:rows], y[:rows])])

    make = CORAL(GaussianNB())
    with pytest.raises(InputError, match=r"read more than once.*got generator"):
        make.fit_batches(pairs(), [Xt])
    with pytest.raises(InputError, match="400 rows in the first pass and 390 in the second"):
        make.fit_batches(Shrinking(), [Xt])
    with pytest.raises(InputError, match="must be a pair"):
        make.fit_batches([X], [Xt])  # type: ignore[list-item]
    with pytest.raises(InputError, match="has no partial_fit"):
        CORAL(LogisticRegression()).fit_batches([(X, y)], [Xt])
    with pytest.raises(InputError, match="1 class"):
        make.fit_batches([(X, np.zeros(400))], [Xt])
    with pytest.raises(InputError, match="4 features, the first one had 5"):
        make.fit_batches([(X, y)], [Xt[:, :4]])
    with pytest.raises(InputError, match="NaN or infinity"):
        make.fit_batches([(X, y)], [np.where(Xt > 100, np.nan, Xt)])
    with pytest.raises(InputError, match="target has n_samples=0"):
        make.fit_batches([(X, y)], [])
