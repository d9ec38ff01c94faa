"""How answers must change, or must not, when the data change in a known way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils import get_tags

from acclimate import Domain
from acclimate.exceptions import InputError


def answers(model: Any, case: Any, X: Any) -> Any:
    return model.predict(X) if case.regression else model.predict_proba(X)


@pytest.mark.rows(alters=True)
def test_a_far_away_target_changes_predictions(case: Any) -> None:
    d = case.data()
    source = case.make().fit(d.X, d.y)
    near, far = case.fitted(d), case.make().fit(d.X, d.y)
    far.adapt(case.domain(d.Xt + 6, d.yt))
    assert not np.allclose(answers(near, case, d.Xn), answers(source, case, d.Xn), atol=1e-3)
    assert not np.allclose(answers(far, case, d.Xn), answers(near, case, d.Xn), atol=1e-3)


@pytest.mark.rows(alters=False)
def test_the_reference_never_looks_at_the_target(case: Any, same: Any) -> None:
    d = case.data()
    far = case.make().fit(d.X, d.y, target=Domain(d.Xt + 6))
    assert same(far, case.make().fit(d.X, d.y), d.Xn)
    assert far.adapted_ is False


def test_permuted_rows_get_permuted_predictions(case: Any) -> None:
    d = case.data()
    model = case.fitted(d)
    order = np.random.default_rng(0).permutation(len(d.Xn))
    np.testing.assert_allclose(
        answers(model, case, d.Xn[order]), answers(model, case, d.Xn)[order], rtol=1e-5, atol=1e-6
    )


@pytest.mark.rows(network=False)
def test_the_order_of_training_rows_does_not_matter(case: Any) -> None:
    d = case.data()
    rng = np.random.default_rng(0)
    s, t = rng.permutation(len(d.X)), rng.permutation(len(d.Xt))
    moved = case.make().fit(d.X[s], d.y[s], target=case.domain(d.Xt[t], d.yt[t]))
    np.testing.assert_allclose(
        answers(moved, case, d.Xn), answers(case.fitted(d), case, d.Xn), rtol=1e-3, atol=1e-4
    )


@pytest.mark.rows(task="classification")
@pytest.mark.parametrize("names", [(3, 7, 40), (-5, 0, 2)], ids=str)
def test_other_labels_in_the_same_order_change_nothing_else(case: Any, names: Any) -> None:
    d = case.data()
    called = np.array(names)
    model = case.make().fit(d.X, called[d.y], target=case.domain(d.Xt, called[d.yt]))
    plain = case.fitted(d)
    assert np.array_equal(model.predict(d.Xn), called[plain.predict(d.Xn)])
    assert np.array_equal(model.predict_proba(d.Xn), plain.predict_proba(d.Xn))
    assert model.classes_.tolist() == sorted(names)


@pytest.mark.rows(task="classification", network=False)
def test_permuted_labels_permute_predictions(case: Any) -> None:
    d = case.data()
    called = np.array([2, 0, 1])
    model = case.make().fit(d.X, called[d.y], target=case.domain(d.Xt, called[d.yt]))
    plain = case.fitted(d)
    np.testing.assert_allclose(
        model.predict_proba(d.Xn)[:, called], plain.predict_proba(d.Xn), atol=1e-3
    )


@pytest.mark.rows(task="classification")
@pytest.mark.parametrize(
    "names", [("well", "ill", "dead"), (9, 1, 4), (2.0, 0.0, 1.0)], ids=["text", "gaps", "float"]
)
def test_any_labels_work(case: Any, names: Any) -> None:
    d = case.data()
    called = np.array(names)
    model = case.make().fit(d.X, called[d.y], target=case.domain(d.Xt, called[d.yt]))
    assert np.array_equal(model.classes_, np.unique(called))
    assert set(model.predict(d.Xn).tolist()) <= set(called.tolist())
    assert model.score(d.Xn, called[d.yn]) > 0.6
    proba = model.predict_proba(d.Xn)
    assert np.array_equal(model.classes_[proba.argmax(1)], model.predict(d.Xn))
    np.testing.assert_allclose(proba.sum(1), 1.0, rtol=1e-9)


@pytest.mark.rows(task="classification")
def test_two_classes_work(case: Any) -> None:
    d = case.data(classes=2)
    model = case.fitted(d)
    assert model.predict_proba(d.Xn).shape == (len(d.Xn), 2)
    scores = model.decision_function(d.Xn)
    assert scores.shape == (len(d.Xn),)
    assert np.array_equal(scores > 0, model.predict(d.Xn) == 1)


@pytest.mark.parametrize("sizes", [(90, 12), (12, 90), (30, 31)], ids=str)
def test_unequal_sizes_work(case: Any, sizes: tuple[int, int]) -> None:
    d = case.data(n=sizes[0], m=sizes[1])
    assert np.isfinite(answers(case.fitted(d), case, d.Xn)).all()


def test_constant_features_work(case: Any) -> None:
    d = case.data()
    d.X[:, 3], d.Xt[:, 3], d.Xn[:, 3] = 1.0, 1.0, 1.0
    d.X[:, 2], d.Xt[:, 2], d.Xn[:, 2] = 0.0, 2.0, 2.0  # constant in each domain, and not equal
    model = case.fitted(d)
    assert np.isfinite(answers(model, case, d.Xn)).all()


def test_lists_and_integers_work(case: Any, same: Any) -> None:
    d = case.data()
    X, Xt = np.round(d.X * 10), np.round(d.Xt * 10)
    floats = case.make().fit(X, d.y, target=case.domain(Xt, d.yt))
    whole = case.make().fit(
        X.astype(np.int64), d.y.tolist(), target=case.domain(Xt.astype(int).tolist(), d.yt.tolist())
    )
    np.testing.assert_allclose(
        answers(whole, case, Xt), answers(floats, case, Xt), rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_errors(case: Any, value: float) -> None:
    d = case.data()
    bad, bad_target = d.X.copy(), d.Xt.copy()
    bad[3, 1] = bad_target[3, 1] = value
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        case.make().fit(bad, d.y)
    model = case.make().fit(d.X, d.y)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.adapt(case.domain(bad_target, d.yt))
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.predict(bad_target)


@pytest.mark.rows(network=False)
def test_nan_works_where_the_estimator_accepts_it(case: Any) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    trees = HistGradientBoostingRegressor if case.regression else HistGradientBoostingClassifier
    model = case.make(estimator=trees(max_iter=5, min_samples_leaf=2))
    d = case.data()
    d.X[3, 1] = d.Xt[3, 1] = np.nan
    if get_tags(model).input_tags.allow_nan:
        model.fit(d.X, d.y, target=case.domain(d.Xt, d.yt))
        assert np.isfinite(answers(model, case, d.Xt)).all()
    else:
        with pytest.raises(ValueError, match="NaN"):
            model.fit(d.X, d.y, target=case.domain(d.Xt, d.yt))


@pytest.mark.rows(task="classification")
def test_one_class_is_an_error(case: Any) -> None:
    d = case.data()
    with pytest.raises(InputError, match=r"source labels have 1 class, \[4\]"):
        case.make().fit(d.X, np.full(len(d.X), 4))
    with pytest.raises(InputError, match="1 class"):
        case.make().fit(d.X[:1], d.y[:1])


@pytest.mark.rows(task="classification", target_labels="required")
def test_one_class_in_the_target_is_an_error(case: Any) -> None:
    d = case.data()
    with pytest.raises(InputError, match=r"target labels have 1 class, \[0\]"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt, np.zeros_like(d.yt)))
    with pytest.raises(InputError, match="target labels have 1 class"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt[:1], d.yt[:1]))


def test_no_rows_are_an_error(case: Any) -> None:
    d = case.data()
    with pytest.raises(ValueError, match="0 sample"):
        case.make().fit(d.X[:0], d.y[:0])
    with pytest.raises(ValueError, match="0 sample"):
        case.make().fit(d.X, d.y, target=case.domain(d.Xt[:0], d.yt[:0]))
    with pytest.raises(ValueError, match="0 sample"):
        case.fitted(d).predict(d.Xn[:0])


@pytest.mark.rows(target_labels="required")
def test_a_target_without_a_known_label_is_an_error(case: Any) -> None:
    d = case.data()
    none = np.zeros(len(d.yt), dtype=bool)
    with pytest.raises(ValueError, match="marks none"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=none))


@pytest.mark.rows(target_labels=("ignored", "optional"))
def test_withheld_target_labels_change_nothing(case: Any, same: Any) -> None:
    d = case.data()
    shuffled = np.random.default_rng(2).permutation(d.yt)
    given = case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    assert same(given, case.make().fit(d.X, d.y, target=Domain(d.Xt, shuffled)), d.Xn)
    assert same(given, case.make().fit(d.X, d.y, target=Domain(d.Xt)), d.Xn)


@pytest.mark.rows(target_labels="required")
def test_unknown_target_labels_change_nothing(case: Any, same: Any) -> None:
    d = case.data()
    known = np.arange(len(d.yt)) < 24
    wrong = np.where(known, d.yt, np.roll(d.yt, 1))
    first = case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=known))
    second = case.make().fit(d.X, d.y, target=Domain(d.Xt, wrong, labelled=known))
    assert same(first, second, d.Xn)
    assert not same(first, case.fitted(d), d.Xn)


@pytest.mark.rows(several_sources=True)
def test_several_sources_are_accepted(case: Any) -> None:
    d = case.data()
    ids = np.where(np.arange(len(d.X)) % 2, "Oslo", "Lima")
    model = case.make().fit(d.X, d.y, domains=ids, target=case.domain(d.Xt, d.yt))
    assert np.isfinite(answers(model, case, d.Xn)).all()
    with pytest.raises(InputError, match="one id a row"):
        case.make().fit(d.X, d.y, domains=ids[:-1])


@pytest.mark.rows(several_sources=False)
def test_one_source_methods_refuse_several(case: Any) -> None:
    d = case.data()
    with pytest.raises(InputError, match="takes one source"):
        case.make().fit(d.X, d.y, domains=np.arange(len(d.X)) % 2)


@pytest.mark.rows(own_classes=True, task="classification")
def test_a_target_may_have_classes_of_its_own(case: Any) -> None:
    d = case.data()
    model = case.make().fit(d.X, d.y, target=Domain(d.Xt, np.array(["p", "q", "r"])[d.yt]))
    assert model.classes_.tolist() == ["p", "q", "r"]
    assert set(model.predict(d.Xn).tolist()) <= {"p", "q", "r"}
    assert set(model.predict(d.Xn, domain="source").tolist()) <= {0, 1, 2}
