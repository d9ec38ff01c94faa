"""Whatever goes in, a right answer or a documented error comes out, in bounded time.

Data are drawn by hypothesis, the same each time: few rows, constant and repeated columns, units
that are powers of ten apart, types of numbers, containers.
"""

from __future__ import annotations

import time
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from acclimate import Domain
from acclimate.catalogue import CATALOGUE
from acclimate.exceptions import AcclimateError
from acclimate.testing.quick import quick_method

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

CASES = [
    (row, task)
    for row in CATALOGUE
    if row.kind == "tabular" and not row.network
    for task in row.tasks
]
NETWORKS = [
    (row, task) for row in CATALOGUE if row.kind == "tabular" and row.network for task in row.tasks
]
SECONDS = 60.0  # of one fit and its answers, on a busy machine; most take a hundredth
PLAIN = {
    "derandomize": True, "deadline": None, "database": None,
    "suppress_health_check": list(HealthCheck),
}  # fmt: skip
CONTAINERS = {
    "array": np.asarray,
    "list": lambda X: np.asarray(X).tolist(),
    "frame": lambda X: pd.DataFrame(np.asarray(X), columns=[f"c{j}" for j in range(X.shape[1])]),
    "columns first": np.asfortranarray,
    "every other": lambda X: np.repeat(np.asarray(X), 2, axis=0)[::2],
}


def name(one):
    return f"{one[0].name}-{one[1]}"


@st.composite
def rows(draw, task):
    """Return two domains and new rows, of one drawn kind."""
    n, m, d = draw(st.integers(4, 40)), draw(st.integers(2, 30)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    dtype = draw(st.sampled_from([np.float64, np.float64, np.float32, np.int64]))
    most = 2 if dtype == np.float32 else 8  # of which single precision keeps the least column
    unit = 10.0 ** np.array(draw(st.lists(st.integers(-most, most), min_size=d, max_size=d)))
    moved = draw(st.sampled_from([0.0, 1.0, 50.0]))
    kind = draw(st.sampled_from(["plain", "plain", "constant", "repeated", "same rows", "whole"]))

    def make(count, shift):
        X = rng.normal(size=(count, d)) + shift
        if kind == "constant":
            X[:, 0] = 1.0
        elif kind == "repeated":
            X[:, -1] = X[:, 0]
        elif kind == "same rows":
            X[count // 2 :] = X[0]
        return np.round(20 * X) if kind == "whole" else X * unit

    X, Xt, Xn = make(n, 0.0), make(m, moved), make(7, moved)
    k = draw(st.integers(2, 3))
    y = rng.normal(size=n) if task == "regression" else np.arange(n) % k
    yt = rng.normal(size=m) if task == "regression" else np.arange(m) % k
    if kind == "whole" or dtype != np.int64:
        X, Xt, Xn = X.astype(dtype), Xt.astype(dtype), Xn.astype(dtype)
    return SimpleNamespace(X=X, y=y, Xt=Xt, yt=yt, Xn=Xn, kind=kind)


def target(row, d, X=None, y=None):
    X, y = d.Xt if X is None else X, d.yt if y is None else y
    return Domain(X, y if row.target_labels == "required" else None)


def answered(row, task, d, **other):
    """Return a fitted method, or None where the error is a documented one."""
    started = time.process_time()
    told = None
    try:
        model = quick_method(row, task)
        aim = other.get("target", target(row, d))
        model.fit(other.get("X", d.X), other.get("y", d.y), target=aim)
        said = model.predict(other.get("Xn", d.Xn))
    except AcclimateError as error:
        told = str(error)
    assert time.process_time() - started < SECONDS
    if told is not None:
        assert len(told) > 20
        return None, None
    return model, said


def check_right(model, said, task, d):
    assert said.shape == (len(d.Xn),)
    if task == "regression":
        assert np.isfinite(said.astype(np.float64)).all()
        return
    assert set(said.tolist()) <= set(np.unique(d.y).tolist())
    if hasattr(model, "predict_proba"):
        p = model.predict_proba(d.Xn)
        assert p.shape == (len(d.Xn), len(model.classes_))
        assert p.min() >= 0
        np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("one", CASES, ids=name)
def test_any_rows_give_an_answer_or_a_documented_error(one):
    row, task = one

    @settings(max_examples=12, **PLAIN)
    @given(rows(task))
    def holds(d):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, said = answered(row, task, d)
            assume(model is not None)
            check_right(model, said, task, d)
            order = np.random.default_rng(0).permutation(len(d.Xn))
            again = model.predict(d.Xn[order])
            if task == "regression":
                scale = max(float(np.abs(said).max()), 1e-12)
                atol = 1e-6 if d.X.dtype != np.float32 else 1e-3  # terms may cancel
                np.testing.assert_allclose(again / scale, said[order] / scale, atol=atol)
            else:
                np.testing.assert_array_equal(again, said[order])

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("one", NETWORKS, ids=name)
def test_any_rows_give_networks_an_answer_or_a_documented_error(one):
    row, task = one

    @settings(max_examples=3, **PLAIN)
    @given(rows(task))
    def holds(d):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, said = answered(row, task, d)
            assume(model is not None)
            check_right(model, said, task, d)

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("one", CASES, ids=name)
def test_containers_and_withheld_labels_make_no_difference(one):
    row, task = one

    @settings(max_examples=6, **PLAIN)
    @given(rows(task), st.sampled_from(sorted(CONTAINERS)), st.integers(0, 99))
    def holds(d, container, seed):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, said = answered(row, task, d)
            assume(model is not None)
            put = CONTAINERS[container]
            _, other = answered(
                row, task, d, X=put(d.X), Xn=put(d.Xn), target=target(row, d, put(d.Xt))
            )
            assert other is not None, f"refused as {container}"
            near(other, said, task)
            if row.target_labels != "required":
                shuffled = np.random.default_rng(seed).permutation(d.yt)
                _, other = answered(row, task, d, target=Domain(d.Xt, shuffled))
                np.testing.assert_array_equal(other, said)

    holds()


def near(other, said, task):
    if task == "regression":
        scale = max(float(np.abs(said).max()), 1e-12)
        np.testing.assert_allclose(other / scale, said / scale, atol=1e-4)
    else:  # of rows in double, or in another order of memory, a tie may fall on the other side
        assert (np.asarray(other) == np.asarray(said)).mean() >= 6 / 7


@pytest.mark.slow
@pytest.mark.parametrize("one", CASES, ids=name)
def test_units_make_no_difference_behind_a_scaler(one):
    row, task = one

    @settings(max_examples=4, **PLAIN)
    @given(rows(task), st.lists(st.integers(-12, 12), min_size=5, max_size=5))
    def holds(d, powers):
        assume(d.kind != "whole")
        unit = 2.0 ** np.array(powers[: d.X.shape[1]])  # exact in floating point
        X, Xt, Xn = (one.astype(np.float64) for one in (d.X, d.Xt, d.Xn))
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for factor in (1.0, unit):
                try:
                    model = quick_method(row, task).set_params(preprocess=StandardScaler())
                    model.fit(X * factor, d.y, target=target(row, d, Xt * factor))
                    found.append(model.predict(Xn * factor))
                except AcclimateError:
                    found.append(None)
        assert (found[0] is None) == (found[1] is None)
        if found[0] is not None:
            np.testing.assert_array_equal(found[0], found[1])

    holds()
