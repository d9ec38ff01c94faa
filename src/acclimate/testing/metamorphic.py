"""How answers must change, or must not, when the data change in a known way."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import get_tags

from acclimate.domain import Domain
from acclimate.exceptions import InputError
from acclimate.testing.cases import Case, check, refused, require, same


@check(alters=True)
def a_far_away_target_changes_predictions(case: Case) -> None:
    """What was adapted answers otherwise than the source model, and than elsewhere."""
    d = case.data()
    source = case.make().fit(d.X, d.y)
    near, far = case.fitted(d), case.make().fit(d.X, d.y)
    far.adapt(case.domain(d.Xt + 6, d.yt))
    here = case.answers(near, d.Xn)
    for other, text in ((source, "the source model"), (far, "what is adapted to a far target")):
        differs = not np.allclose(case.answers(other, d.Xn), here, atol=1e-3)
        require(differs, f"what is adapted to a target answers as {text}")


@check(alters=False)
def the_reference_never_looks_at_the_target(case: Case) -> None:
    """A method that alters nothing answers as its source model."""
    d = case.data()
    far = case.make().fit(d.X, d.y, target=Domain(d.Xt + 6))
    require(same(far, case.make().fit(d.X, d.y), d.Xn), "a target changed the answers")
    require(far.adapted_ is False, "adapted_ is not False")


@check()
def permuted_rows_get_permuted_predictions(case: Case) -> None:
    """Rows are answered one by one."""
    d = case.data()
    model = case.fitted(d)
    order = np.random.default_rng(0).permutation(len(d.Xn))
    np.testing.assert_allclose(
        case.answers(model, d.Xn[order]), case.answers(model, d.Xn)[order], rtol=1e-5, atol=1e-6
    )


@check(network=False)
def the_order_of_training_rows_does_not_matter(case: Case) -> None:
    """Rows of a domain are a set."""
    d = case.data()
    rng = np.random.default_rng(0)
    s, t = rng.permutation(len(d.X)), rng.permutation(len(d.Xt))
    moved = case.make().fit(d.X[s], d.y[s], target=case.domain(d.Xt[t], d.yt[t]))
    np.testing.assert_allclose(
        case.answers(moved, d.Xn), case.answers(case.fitted(d), d.Xn), rtol=1e-3, atol=1e-4
    )


@check(task="classification")
def other_labels_in_the_same_order_change_nothing_else(case: Case) -> None:
    """Labels are names."""
    d = case.data()
    plain = case.fitted(d)
    for names in ((3, 7, 40), (-5, 0, 2)):
        called = np.array(names)
        model = case.make().fit(d.X, called[d.y], target=case.domain(d.Xt, called[d.yt]))
        equal = np.array_equal(model.predict(d.Xn), called[plain.predict(d.Xn)])
        require(equal, f"labels {names} are not answered as (0, 1, 2) are")
        if hasattr(plain, "predict_proba"):
            equal = np.array_equal(model.predict_proba(d.Xn), plain.predict_proba(d.Xn))
            require(equal, f"labels {names} have other probabilities than (0, 1, 2)")
        require(model.classes_.tolist() == sorted(names), f"classes_ is {model.classes_}")


@check(task="classification", network=False)
def permuted_labels_permute_predictions(case: Case) -> None:
    """No label is special."""
    d = case.data()
    called = np.array([2, 0, 1])
    model = case.make().fit(d.X, called[d.y], target=case.domain(d.Xt, called[d.yt]))
    plain = case.fitted(d)
    if hasattr(plain, "predict_proba"):
        np.testing.assert_allclose(
            model.predict_proba(d.Xn)[:, called], plain.predict_proba(d.Xn), atol=1e-3
        )


@check(task="classification")
def any_labels_work(case: Case) -> None:
    """Text, gaps and floats are labels, and answers are better than chance."""
    d = case.data()
    for names in (("well", "ill", "dead"), (9, 1, 4), (2.0, 0.0, 1.0)):
        called = np.array(names)
        model = case.make().fit(d.X, called[d.y], target=case.domain(d.Xt, called[d.yt]))
        require(np.array_equal(model.classes_, np.unique(called)), f"classes_ {model.classes_}")
        strange = set(model.predict(d.Xn).tolist()) - set(called.tolist())
        require(not strange, f"it answers {strange}, which no row is called")
        score = model.score(d.Xn, called[d.yn])
        require(score > 0.6, f"{score:.2f} of three well separated classes are right")
        if hasattr(model, "predict_proba"):
            proba = model.predict_proba(d.Xn)
            equal = np.array_equal(model.classes_[proba.argmax(1)], model.predict(d.Xn))
            require(equal, "the label is not the most probable class")
            np.testing.assert_allclose(proba.sum(1), 1.0, rtol=1e-9)


@check(task="classification")
def two_classes_work(case: Case) -> None:
    """Shapes of two classes are scikit-learn's."""
    d = case.data(classes=2)
    model = case.fitted(d)
    if hasattr(model, "predict_proba"):
        shape = model.predict_proba(d.Xn).shape
        require(shape == (len(d.Xn), 2), f"probabilities have shape {shape}")
    if hasattr(model, "decision_function"):
        scores = model.decision_function(d.Xn)
        require(scores.shape == (len(d.Xn),), f"scores have shape {scores.shape}")
        equal = np.array_equal(scores > 0, model.predict(d.Xn) == 1)
        require(equal, "scores above 0 are not the second class")


@check()
def unequal_sizes_work(case: Case) -> None:
    """Either domain may be much the smaller."""
    for n, m in ((90, 12), (12, 90), (30, 31)):
        d = case.data(n=n, m=m)
        finite = np.isfinite(_numbers(case.answers(case.fitted(d), d.Xn))).all()
        require(finite, f"{n} rows there and {m} here give answers that are not finite")


@check()
def constant_features_work(case: Case) -> None:
    """Features without variance do no harm."""
    d = case.data()
    d.X[:, 3], d.Xt[:, 3], d.Xn[:, 3] = 1.0, 1.0, 1.0
    d.X[:, 2], d.Xt[:, 2], d.Xn[:, 2] = 0.0, 2.0, 2.0  # constant in each domain, and not equal
    model = case.fitted(d)
    require(np.isfinite(_numbers(case.answers(model, d.Xn))).all(), "answers are not finite")


@check()
def lists_and_integers_work(case: Case) -> None:
    """What is an array to numpy is one here."""
    d = case.data()
    X, Xt = np.round(d.X * 10), np.round(d.Xt * 10)
    floats = case.make().fit(X, d.y, target=case.domain(Xt, d.yt))
    whole = case.make().fit(
        X.astype(np.int64), d.y.tolist(), target=case.domain(Xt.astype(int).tolist(), d.yt.tolist())
    )
    np.testing.assert_allclose(
        case.answers(whole, Xt), case.answers(floats, Xt), rtol=1e-6, atol=1e-9
    )


@check()
def nan_and_infinity_are_errors(case: Case) -> None:
    """Numbers that are none are refused in both domains and in new rows."""
    d = case.data()
    for value in (np.nan, np.inf):
        bad, bad_target = d.X.copy(), d.Xt.copy()
        bad[3, 1] = bad_target[3, 1] = value
        with refused(ValueError, r"NaN|infinity"):
            case.make().fit(bad, d.y)
        model = case.make().fit(d.X, d.y)
        with refused(ValueError, r"NaN|infinity"):
            model.adapt(case.domain(bad_target, d.yt))
        with refused(ValueError, r"NaN|infinity"):
            model.predict(bad_target)


@check(network=False)
def nan_works_where_the_estimator_accepts_it(case: Case) -> None:
    """Gaps reach base models that read them, or are refused by name."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    trees = HistGradientBoostingRegressor if case.regression else HistGradientBoostingClassifier
    model = case.make(estimator=trees(max_iter=5, min_samples_leaf=2))
    d = case.data()
    d.X[3, 1] = d.Xt[3, 1] = np.nan
    if get_tags(model).input_tags.allow_nan:
        model.fit(d.X, d.y, target=case.domain(d.Xt, d.yt))
        require(np.isfinite(_numbers(case.answers(model, d.Xt))).all(), "answers are not finite")
    else:
        with refused(ValueError, "NaN"):
            model.fit(d.X, d.y, target=case.domain(d.Xt, d.yt))


@check(task="classification")
def one_class_is_an_error(case: Case) -> None:
    """There is nothing to tell apart."""
    d = case.data()
    with refused(InputError, r"source labels have 1 class, \[4\]"):
        case.make().fit(d.X, np.full(len(d.X), 4))
    with refused(InputError, "1 class"):
        case.make().fit(d.X[:1], d.y[:1])


@check(task="classification", target_labels="required")
def one_class_in_the_target_is_an_error(case: Case) -> None:
    """Nor is there in a target of one class, but where source rows train, too: they know more."""
    d = case.data()
    if case.row.needs_source:
        fitted = case.make().fit(d.X, d.y, target=Domain(d.Xt, np.zeros_like(d.yt)))
        require(
            set(fitted.predict(d.Xn).tolist()) <= set(np.unique(d.y).tolist()),
            "it says unknown labels",
        )
        require(len(fitted.classes_) == len(np.unique(d.y)), "a class of the source is lost")
        return
    with refused(InputError, r"target labels have 1 class, \[0\]"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt, np.zeros_like(d.yt)))
    with refused(InputError, "target labels have 1 class"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt[:1], d.yt[:1]))


@check()
def no_rows_are_an_error(case: Case) -> None:
    """Empty domains are refused, and so are empty questions."""
    d = case.data()
    with refused(ValueError, "0 sample"):
        case.make().fit(d.X[:0], d.y[:0])
    with refused(ValueError, "0 sample"):
        case.make().fit(d.X, d.y, target=case.domain(d.Xt[:0], d.yt[:0]))
    with refused(ValueError, "0 sample"):
        case.fitted(d).predict(d.Xn[:0])


@check(target_labels="required")
def a_target_without_a_known_label_is_an_error(case: Case) -> None:
    """A mask of nothing is a mistake."""
    d = case.data()
    none = np.zeros(len(d.yt), dtype=bool)
    with refused(ValueError, "marks none"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=none))


@check(target_labels=("ignored", "optional"))
def withheld_target_labels_change_nothing(case: Case) -> None:
    """The firewall: labels that were not asked for never reach the method."""
    if case.method._sees_target_labels():  # made with use_target_labels=True
        return
    d = case.data()
    shuffled = np.random.default_rng(2).permutation(d.yt)
    given = case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    for target in (Domain(d.Xt, shuffled), Domain(d.Xt)):
        require(
            same(given, case.make().fit(d.X, d.y, target=target), d.Xn),
            "labels of the target change the answers of a method that does not see them",
        )


@check(target_labels="required")
def unknown_target_labels_change_nothing(case: Case) -> None:
    """Labels that the mask hides are never read; those that it shows are used."""
    d = case.data()
    known = np.arange(len(d.yt)) < 24
    wrong = np.where(known, d.yt, np.roll(d.yt, 1))
    first = case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=known))
    second = case.make().fit(d.X, d.y, target=Domain(d.Xt, wrong, labelled=known))
    require(same(first, second, d.Xn), "labels that are not known change the answers")
    require(not same(first, case.fitted(d), d.Xn), "further labels change nothing")


@check(several_sources=True)
def several_sources_are_accepted(case: Case) -> None:
    """One id a row tells sources apart."""
    d = case.data()
    ids = np.where(np.arange(len(d.X)) % 2, "Oslo", "Lima")
    model = case.make().fit(d.X, d.y, domains=ids, target=case.domain(d.Xt, d.yt))
    require(np.isfinite(_numbers(case.answers(model, d.Xn))).all(), "answers are not finite")
    with refused(InputError, "one id a row"):
        case.make().fit(d.X, d.y, domains=ids[:-1])


@check(several_sources=False)
def one_source_methods_refuse_several(case: Case) -> None:
    """Ids that would be left unread are refused."""
    d = case.data()
    with refused(InputError, "takes one source"):
        case.make().fit(d.X, d.y, domains=np.arange(len(d.X)) % 2)


@check(own_classes=True, task="classification")
def a_target_may_have_classes_of_its_own(case: Case) -> None:
    """Target rows get the target's labels, source rows the source's."""
    d = case.data()
    model = case.make().fit(d.X, d.y, target=Domain(d.Xt, np.array(["p", "q", "r"])[d.yt]))
    require(model.classes_.tolist() == ["p", "q", "r"], f"classes_ is {model.classes_}")
    require(set(model.predict(d.Xn).tolist()) <= {"p", "q", "r"}, "target rows have other labels")
    there = set(model.predict(d.Xn, domain="source").tolist())
    require(there <= {0, 1, 2}, "source rows have other labels")


def _numbers(answers: Any) -> Any:
    """Return answers that can be tested for being finite; labels of text always are."""
    return answers if np.asarray(answers).dtype.kind in "fiub" else np.zeros(1)
