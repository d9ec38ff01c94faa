"""Sparse rows, at the door and from a preprocessing, give the answers of full ones or a way out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import OneHotEncoder

from acclimate import Domain
from acclimate.exceptions import InputError


def counted(case: Any) -> SimpleNamespace:
    """Return rows of few numbers above 0, as counts of words are."""
    d = case.data(n=72, m=60)
    for name in ("X", "Xt", "Xn"):
        rows = getattr(d, name)
        setattr(d, name, np.maximum(np.round(np.hstack([rows, -rows])), 0.0))
    return d


def target(case: Any, X: Any, d: SimpleNamespace) -> Domain:
    if case.row.target_labels == "ignored":
        return Domain(X)
    return Domain(X, d.yt, labelled=np.arange(60) < 30)


def fitted(case: Any, d: SimpleNamespace, kind: Any, **settings: Any) -> Any:
    return case.make(**settings).fit(kind(d.X), d.y, target=target(case, kind(d.Xt), d))


def agree(case: Any, one: Any, other: Any, sparse: Any, full: Any) -> None:
    word = "predict" if case.regression else "predict_proba"
    for side in ("target", "source"):
        a, b = getattr(one, word)(sparse, domain=side), getattr(other, word)(full, domain=side)
        np.testing.assert_allclose(np.asarray(a).ravel(), np.asarray(b).ravel(), atol=2e-3)


@pytest.mark.rows(network=False)
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix, sp.coo_array])
def test_sparse_rows_are_answered_as_full_ones(case: Any, kind: Any) -> None:
    d = counted(case)
    agree(case, fitted(case, d, kind), fitted(case, d, np.asarray), kind(d.Xn), d.Xn)


@pytest.mark.rows(network=False)
def test_a_preprocessing_may_return_sparse_rows(case: Any) -> None:
    d = counted(case)
    steps = [OneHotEncoder(sparse_output=s, handle_unknown="ignore") for s in (True, False)]
    one, other = (fitted(case, d, np.asarray, preprocess=step) for step in steps)
    agree(case, one, other, d.Xn, d.Xn)


@pytest.mark.rows(network=True)
def test_networks_say_what_to_do_with_sparse_rows(case: Any) -> None:
    d = counted(case)
    words = r"reads no sparse rows; .*preprocess=TruncatedSVD\(100\)"
    with pytest.raises(InputError, match=words):
        fitted(case, d, sp.csr_array)
    with pytest.raises(InputError, match=words):
        fitted(case, d, np.asarray, preprocess=OneHotEncoder(handle_unknown="ignore"))


def test_truncated_svd_works_everywhere(case: Any) -> None:
    d = counted(case)
    step = TruncatedSVD(4, algorithm="arpack", random_state=0)
    model = fitted(case, d, sp.csr_array, preprocess=step)
    answers = model.predict(sp.csr_array(d.Xn))
    if case.regression:
        assert np.isfinite(answers).all()
    else:
        assert np.mean(answers == d.yn) > 0.5


def test_too_many_cells_are_refused_with_a_way_out() -> None:
    from acclimate import CORAL, KMM

    X = sp.random_array((3000, 100_000), density=1e-5, random_state=0, format="csr")
    for method in (CORAL(), KMM()):
        with pytest.raises(InputError, match=r"3000 x 100000 .*preprocess=TruncatedSVD\(100\)"):
            method.fit(X, np.arange(3000) % 2, target=Domain(X))
