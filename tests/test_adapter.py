"""`Adapter` with scikit-learn around it: searches, routing, preprocessing, data frames."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags

from acclimate import Domain, SourceOnly, TargetOnly, load, save
from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.exceptions import AcclimateError, InputError, TransferWarning
from acclimate.validation import Rows

Toy = Callable[..., SimpleNamespace]


class Recorder(TargetOnly):
    """Writes down the sizes of what reaches it."""

    seen: ClassVar[list[dict[str, Any]]] = []

    def _fit_source(self, source: Rows, seed: int) -> Any:
        self.seen.append({"n": len(source.X), "ids": source.domains})
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        self.seen[-1]["m"] = len(target.X)
        return super()._adapt(model, source, target, seed)


@pytest.fixture
def seen() -> Iterator[list[dict[str, Any]]]:
    Recorder.seen.clear()
    yield Recorder.seen
    Recorder.seen.clear()


class TestSearch:
    @pytest.mark.parametrize("routing", [False, True])
    @pytest.mark.parametrize("m", [45, 60], ids=["other size", "as many rows as X"])
    @pytest.mark.filterwarnings("ignore:this cross-validation scores")
    def test_a_domain_arrives_whole(
        self, toy: Toy, seen: list[dict[str, Any]], routing: bool, m: int
    ) -> None:
        d = toy(n=60, m=m)
        target = Domain(d.Xt, d.yt)
        ids = np.arange(60) % 2
        with sklearn.config_context(enable_metadata_routing=routing):
            search = GridSearchCV(
                Recorder(LogisticRegression()), {"estimator__C": [0.1, 10.0]}, cv=3
            )
            search.fit(d.X, d.y, target=target, domains=ids)
        assert [call["n"] for call in seen] == [40] * 6 + [60]
        assert {call["m"] for call in seen} == {m}
        assert all(len(call["ids"]) == call["n"] for call in seen), "domains are sliced with X"
        assert search.best_estimator_.adapted_
        direct = TargetOnly(LogisticRegression(C=search.best_params_["estimator__C"]))
        direct.fit(d.X, d.y, target=target)
        assert np.array_equal(search.predict(d.Xn), direct.predict(d.Xn))

    def test_source_scores_of_an_adapted_model_warn(self, toy: Toy) -> None:
        d = toy()
        search = GridSearchCV(TargetOnly(), {"estimator": [LogisticRegression()]}, cv=2)
        with pytest.warns(TransferWarning, match="held-out \\*source\\* rows"):
            search.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        with pytest.warns(TransferWarning):
            cross_val_score(
                SourceOnly(), d.X, d.y, cv=2, params={"target": Domain(d.Xt)}, error_score="raise"
            )

    def test_a_source_model_does_not_warn(self, toy: Toy) -> None:
        d = toy()
        GridSearchCV(SourceOnly(LogisticRegression()), {"estimator__C": [1.0]}, cv=2).fit(d.X, d.y)

    def test_a_scorer_that_reads_the_target_does_not_warn(self, toy: Toy) -> None:
        d = toy()

        class TargetScorer:
            scores_target = True

            def __call__(self, model: Any, X: Any, y: Any) -> float:
                return float(model.score(d.Xt, d.yt))

        search = GridSearchCV(
            SourceOnly(LogisticRegression()), {"estimator__C": [1.0]}, cv=2, scoring=TargetScorer()
        )
        search.fit(d.X, d.y, target=Domain(d.Xt))

    def test_a_direct_fit_does_not_warn(self, toy: Toy) -> None:
        d = toy()
        SourceOnly().fit(d.X, d.y, target=Domain(d.Xt))


class Counter(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A scaler that writes down what it was fitted on."""

    fits: ClassVar[list[Any]] = []

    def fit(self, X: Any, y: Any = None) -> Counter:
        self.fits.append(np.array(X))
        self.mean_ = np.mean(X, axis=0)
        return self

    def transform(self, X: Any) -> Any:
        return X - self.mean_


class TestPreprocess:
    def test_it_is_fitted_on_the_source_alone(self, toy: Toy) -> None:
        d = toy()
        Counter.fits.clear()
        given = Counter()
        model = TargetOnly(preprocess=given).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        assert len(Counter.fits) == 1
        assert np.array_equal(Counter.fits[0], d.X)
        assert not hasattr(given, "mean_"), "the user's transformer stays unfitted"
        np.testing.assert_allclose(model.preprocess_.mean_, d.X.mean(0))

    def test_it_is_applied_to_both_domains(self, toy: Toy) -> None:
        d = toy()
        scaler = StandardScaler().fit(d.X)
        inside = TargetOnly(KNeighborsClassifier(3), preprocess=StandardScaler())
        inside.fit(d.X * 1.0, d.y, target=Domain(d.Xt, d.yt))
        outside = TargetOnly(KNeighborsClassifier(3)).fit(
            scaler.transform(d.X), d.y, target=Domain(scaler.transform(d.Xt), d.yt)
        )
        for domain in ("target", "source"):
            assert np.array_equal(
                inside.predict_proba(d.Xn, domain=domain),
                outside.predict_proba(scaler.transform(d.Xn), domain=domain),
            )

    def test_frames_of_text_become_numbers(self) -> None:
        import pandas as pd

        rng = np.random.default_rng(0)
        frame = pd.DataFrame({"sex": np.where(rng.random(60) < 0.5, "f", "m"),
                              "age": rng.normal(size=60)})  # fmt: skip
        y = (frame["sex"] == "f").to_numpy().astype(int)
        columns = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["sex"]), (StandardScaler(), ["age"])
        )
        model = TargetOnly(preprocess=columns).fit(frame, y, target=Domain(frame[:40], 1 - y[:40]))
        assert model.score(frame, 1 - y) == 1.0
        assert model.score(frame, y, domain="source") == 1.0


class TestFrames:
    @pytest.mark.parametrize("preprocess", [None, StandardScaler()], ids=["plain", "preprocess"])
    def test_columns_are_matched_by_name(self, toy: Toy, preprocess: Any) -> None:
        import pandas as pd

        d, names = toy(), ["a", "b", "c", "d"]
        X, Xt, Xn = (pd.DataFrame(rows, columns=names) for rows in (d.X, d.Xt, d.Xn))
        other = ["c", "a", "d", "b"]
        make = TargetOnly(preprocess=preprocess)
        plain = clone(make).fit(X, d.y, target=Domain(Xt, d.yt))
        mixed = clone(make).fit(X, d.y, target=Domain(Xt[other], d.yt))
        more = clone(make).fit(X, d.y, target=Domain(Xt.assign(e=0.0), d.yt))
        assert np.array_equal(mixed.predict_proba(Xn), plain.predict_proba(Xn))
        assert np.array_equal(plain.predict_proba(Xn[other]), plain.predict_proba(Xn))
        assert np.array_equal(more.predict_proba(Xn), plain.predict_proba(Xn))

    def test_a_missing_column_is_named(self, toy: Toy) -> None:
        import pandas as pd

        d = toy()
        X, Xt = (pd.DataFrame(rows, columns=["a", "b", "c", "d"]) for rows in (d.X, d.Xt))
        model = SourceOnly().fit(X, d.y)
        with pytest.raises(InputError, match="Missing column: 'b'"):
            model.adapt(Domain(Xt.drop(columns="b")))
        with pytest.raises(InputError, match="Missing column: 'c'"):
            model.predict(Xt.drop(columns="c"))


class TestFirewall:
    def test_a_method_sees_labels_only_where_it_may(self, toy: Toy) -> None:
        seen: list[Any] = []

        class Curious(Adapter):
            def __init__(self, estimator: Any = None, *, random_state: Any = None) -> None:
                super().__init__(estimator, random_state=random_state)

            def _adapt(self, model: Any, source: Any, target: Rows, seed: int) -> Adapted:
                seen.append((target.y, target.labelled))
                return Adapted(model)

        d = toy()
        mask = np.arange(len(d.yt)) < 5
        Curious().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=mask))
        assert seen == [(None, None)]

    def test_known_labels_arrive_with_their_positions(self, toy: Toy) -> None:
        seen: list[Rows] = []

        class Reader(TargetOnly):
            def _adapt(self, model: Any, source: Any, target: Rows, seed: int) -> Adapted:
                seen.append(target)
                return super()._adapt(model, source, target, seed)

        d = toy()
        mask = np.arange(len(d.yt)) % 2 != 0
        Reader().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=mask))
        assert np.array_equal(seen[0].labels, d.yt[mask])
        assert np.array_equal(seen[0].labelled_X, d.Xt[mask])
        assert len(seen[0].X) == len(d.Xt)


class TestDomainOfNewRows:
    def test_source_rows_are_answered_by_the_source_model(self, toy: Toy) -> None:
        d = toy()
        model = TargetOnly().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        source = LogisticRegression(max_iter=1000).fit(d.X, d.y)
        target = LogisticRegression(max_iter=1000).fit(d.Xt, d.yt)
        assert np.array_equal(model.predict_proba(d.Xn), target.predict_proba(d.Xn))
        assert np.array_equal(
            model.predict_proba(d.Xn, domain="source"), source.predict_proba(d.Xn)
        )

    def test_a_method_may_change_both_sides(self, toy: Toy) -> None:
        class Swap(TargetOnly):
            def _adapt(self, model: Any, source: Any, target: Rows, seed: int) -> Adapted:
                return Adapted(model, fit_model(self._base(), target, seed))

        d = toy()
        swapped = Swap().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        straight = TargetOnly().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        for one, other in (("source", "target"), ("target", "source")):
            assert np.array_equal(
                swapped.predict_proba(d.Xn, domain=one), straight.predict_proba(d.Xn, domain=other)
            )

    @pytest.mark.parametrize("word", ["predict", "predict_proba", "decision_function"])
    def test_another_word_is_an_error(self, toy: Toy, word: str) -> None:
        d = toy()
        model = SourceOnly().fit(d.X, d.y)
        with pytest.raises(InputError, match='must be "target" or "source", got \'both\''):
            getattr(model, word)(d.Xn, domain="both")

    def test_score_is_accuracy_or_r2(self, toy: Toy) -> None:
        from sklearn.metrics import accuracy_score, r2_score

        d, r = toy(), toy(classes=None)
        model = SourceOnly().fit(d.X, d.y)
        weight = np.arange(len(d.yn)) + 1.0
        expected = accuracy_score(d.yn, model.predict(d.Xn), sample_weight=weight)
        assert model.score(d.Xn, d.yn, weight) == pytest.approx(expected)
        ridge = SourceOnly(Ridge()).fit(r.X, r.y)
        assert ridge.score(r.Xn, r.yn) == pytest.approx(r2_score(r.yn, ridge.predict(r.Xn)))


class TestDelegation:
    def test_methods_are_those_of_the_estimator(self, toy: Toy) -> None:
        assert not hasattr(SourceOnly(SVC()), "predict_proba")
        assert hasattr(SourceOnly(SVC()), "decision_function")
        assert hasattr(SourceOnly(KNeighborsClassifier()), "predict_proba")
        assert not hasattr(SourceOnly(KNeighborsClassifier()), "decision_function")
        d = toy()
        fitted = SourceOnly(SVC()).fit(d.X, d.y)
        with pytest.raises(AttributeError):
            fitted.predict_proba(d.X)

    def test_tags_are_those_of_the_estimator(self) -> None:
        assert get_tags(SourceOnly(Ridge())).estimator_type == "regressor"
        assert get_tags(SourceOnly(LogisticRegression())).estimator_type == "classifier"
        assert get_tags(SourceOnly(LogisticRegression())).input_tags.sparse
        assert not get_tags(SourceOnly(KNeighborsClassifier())).input_tags.allow_nan

    def test_an_estimator_without_weights_refuses_them(self, toy: Toy) -> None:
        d = toy()
        with pytest.raises(InputError, match="KNeighborsClassifier does not take sample_weight"):
            SourceOnly(KNeighborsClassifier()).fit(d.X, d.y, sample_weight=np.ones(len(d.X)))

    def test_free_random_states_are_seeded_and_chosen_ones_stay(self, toy: Toy) -> None:
        d = toy()
        free = SourceOnly(SGDClassifier(), random_state=1).fit(d.X, d.y)
        again = SourceOnly(SGDClassifier(), random_state=1).fit(d.X, d.y)
        chosen = SourceOnly(SGDClassifier(random_state=5), random_state=1).fit(d.X, d.y)
        assert np.array_equal(free.source_model_.coef_, again.source_model_.coef_)
        assert chosen.source_model_.random_state == 5
        assert free.estimator.random_state is None

    def test_a_fitted_model_survives_pickle(self, toy: Toy) -> None:
        d = toy()
        model = TargetOnly().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        again = pickle.loads(pickle.dumps(model))
        assert np.array_equal(again.predict_proba(d.Xn), model.predict_proba(d.Xn))


class TestErrors:
    def test_not_fitted(self, toy: Toy) -> None:
        d = toy()
        with pytest.raises(sklearn.exceptions.NotFittedError):
            SourceOnly().predict(d.X)
        with pytest.raises(sklearn.exceptions.NotFittedError):
            SourceOnly().adapt(Domain(d.Xt))
        with pytest.raises(sklearn.exceptions.NotFittedError):
            SourceOnly().summary()

    def test_a_method_that_lost_its_source_rows_names_those_that_can(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import dataclasses

        d = toy()
        row = TargetOnly._row()
        needy = dataclasses.replace(row, needs_source=True)
        monkeypatch.setattr(TargetOnly, "_row", classmethod(lambda cls: needy))
        model = TargetOnly().fit(d.X, d.y)
        model._source = None
        with pytest.raises(
            AcclimateError, match=r"needs the source rows .*Methods that can: .*Fine"
        ):
            model.adapt(Domain(d.Xt, d.yt))

    def test_source_rows_are_kept_only_where_they_are_needed(self, toy: Toy) -> None:
        d = toy()
        model = TargetOnly().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        held = [v for v in vars(model).values() if isinstance(v, Rows)]
        assert not held

    def test_a_label_without_a_name(self, toy: Toy) -> None:
        d = toy()
        with pytest.raises(InputError, match="the source has the label 2"):
            SourceOnly().fit(d.X, d.y, class_names=["a", "b"])
        model = TargetOnly().fit(d.X, d.y, class_names=["a", "b", "c"])
        with pytest.raises(InputError, match="the target has the label 2"):
            model.adapt(Domain(d.Xt, d.yt, class_names=["a", "b"]))

    def test_row_counts_differ(self, toy: Toy) -> None:
        d = toy()
        with pytest.raises(ValueError, match="60 rows but y has 59"):
            SourceOnly().fit(d.X, d.y[:-1])


def test_nothing_is_printed_and_nothing_warns(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    d = toy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TargetOnly().fit(d.X, d.y, target=Domain(d.Xt, d.yt)).predict(d.Xn)
    assert capsys.readouterr() == ("", "")


def test_a_seed_that_nobody_gave_is_recorded_and_gives_the_same_model(toy, tmp_path) -> None:
    d = toy(0)
    target = Domain(d.Xt)
    model = SourceOnly(RandomForestClassifier(n_estimators=5)).fit(d.X, d.y, target=target)
    save(model, tmp_path / "a.acclimate")
    drawn = load(tmp_path / "a.acclimate").card_["trained_on"]["random_state"]
    again = clone(model).set_params(random_state=drawn).fit(d.X, d.y, target=target)
    np.testing.assert_array_equal(again.predict_proba(d.Xt), model.predict_proba(d.Xt))
    assert again.trained_on_ == model.trained_on_
    other = clone(model).fit(d.X, d.y, target=target)
    assert other.trained_on_["random_state"] != drawn
    seven = clone(model).set_params(random_state=7).fit(d.X, d.y)
    assert seven.trained_on_["random_state"] == 7
