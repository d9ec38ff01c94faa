"""What a class says of itself, or not, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

import acclimate
from acclimate import CORAL, Adapter, Domain, diagnose
from acclimate.adapter import Adapted
from acclimate.catalogue import Row, find, row_of
from acclimate.comparison.candidates import Need, choose
from acclimate.comparison.own_code import code_mark
from acclimate.deep import DeepAdapter
from acclimate.exceptions import InputError
from acclimate.templates import MapAdapter, WeighAdapter
from acclimate.testing import CheckFailed, check_method


@dataclass
class Shift:
    by: Any

    def __call__(self, X: Any) -> Any:
        return X - self.by


class Centred(MapAdapter):
    def _align(self, source: Any, target: Any, seed: int) -> Any:
        return Shift(source.X.mean(0)), Shift(target.X.mean(0))


class Even(WeighAdapter):
    def _weights(self, source: Any, target: Any, seed: int) -> Any:
        return np.ones(len(source.X))


class Memory(Adapter):
    """Knows by heart the rows whose labels it was given, and guesses 0 for all others."""

    row = Row(target_labels="required", tasks=("classification",), needs_source=False)

    def _adapt(self, model: Any, source: Any, target: Any, seed: int) -> Adapted:
        known = {tuple(row): y for row, y in zip(target.labelled_X.tolist(), target.y, strict=True)}
        return Adapted(ByHeart(known, model.classes_))


class ByHeart:
    def __init__(self, known: dict[tuple[float, ...], Any], classes: Any) -> None:
        self.known, self.classes_ = known, classes

    def predict(self, X: Any) -> Any:
        return np.array([self.known.get(tuple(row), self.classes_[0]) for row in X.tolist()])


class Switched(Memory):
    row = Row(target_labels="optional")

    def __init__(self, estimator: Any = None, *, use_target_labels: bool = False,
                 preprocess: Any = None, random_state: Any = None) -> None:  # fmt: skip
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.use_target_labels = use_target_labels

    def _adapt(self, model: Any, source: Any, target: Any, seed: int) -> Adapted:
        self.seen_ = target.y
        return Adapted(model)


class FarCORAL(CORAL):
    pass


def test_a_class_that_says_nothing_has_cautious_defaults() -> None:
    plain = Row("Centred", __name__, family="mapping")
    assert row_of(Centred) == Centred._row() == plain
    assert (plain.kind, plain.tasks) == ("tabular", ("classification", "regression"))
    assert (plain.target_labels, plain.needs_source) == ("ignored", True)
    assert row_of(Even).family == "reweighting"
    assert row_of(type("Net", (DeepAdapter,), {})).network


def test_a_subclass_is_what_its_parent_is_and_a_namesake_is_not() -> None:
    assert row_of(FarCORAL) is find("CORAL")
    assert row_of(type("More", (Memory,), {})) == row_of(Memory)
    assert row_of(Memory).target_labels == "required"
    namesake = type("CORAL", (MapAdapter,), {"_align": Centred._align})
    assert row_of(namesake).target_labels == "ignored"
    with pytest.raises(InputError, match="is called CORAL, as is another method"):
        choose(Need("classification", False), {}, None, 0, [], {"mine": namesake()})
    with pytest.raises(InputError, match=r"Wrong.row must be a Row.*got 'required'"):
        row_of(type("Wrong", (MapAdapter,), {"row": "required"}))


def test_labels_reach_what_asks_for_them(toy: Any) -> None:
    d = toy()
    target = Domain(d.Xt, d.yt, labelled=np.arange(len(d.yt)) < 20)
    model = Memory().fit(d.X, d.y, target=target)
    assert model.score(d.Xt[:20], d.yt[:20]) == 1.0
    with pytest.raises(InputError, match="Memory needs target labels"):
        Memory().fit(d.X, d.y, target=Domain(d.Xt))
    assert Switched().fit(d.X, d.y, target=target).seen_ is None
    seen = Switched(use_target_labels=True).fit(d.X, d.y, target=target).seen_
    np.testing.assert_array_equal(seen, d.yt[:20])
    closed = type("Closed", (Switched,), {"row": Row()})(use_target_labels=True)
    assert closed.fit(d.X, d.y, target=target).seen_ is None


@pytest.mark.slow
def test_labels_that_a_method_gets_never_judge_it() -> None:
    rng = np.random.default_rng(0)
    X, Xt, y = rng.normal(size=(80, 3)), rng.normal(size=(60, 3)), np.arange(80) % 2
    yt = (np.arange(60) % 4 == 0).astype(int)  # a quarter; who guesses 0 is right in 45 of 60
    found = acclimate.compare(
        (X, y), Domain(Xt, yt), methods=[], candidates={"heart": Memory()}, preprocess=None,
        repeats=1, n_jobs=1,
    )  # fmt: skip
    row = found.to_frame().set_index("candidate").loc["heart"]
    assert row["status"] == "done"
    assert row["score"] == pytest.approx(45 / 60)


def test_candidates_of_the_users_own_come_after_the_catalogue() -> None:
    own = {"mine": Centred(), "coral": FarCORAL()}
    names = [c.name for c in choose(
        Need("classification", True), {"linear": CORAL()._base()}, None, 0, ["CORAL", "GFK"], own
    )[0]]  # fmt: skip
    assert names == ["CORAL", "CORAL + labels", "coral", "GFK", "GFK + labels", "mine",
                     "SourceOnly", "TargetOnly"]  # fmt: skip
    with pytest.raises(InputError, match="it needs target labels"):
        choose(Need("classification", False), {}, None, 0, [], {"m": Memory()})
    with pytest.raises(InputError, match="it does no regression"):
        choose(Need("regression", True), {}, None, 0, [], {"m": Memory()})


def test_advice_speaks_of_own_methods(toy: Any) -> None:
    d = toy(n=300, m=300)
    found = diagnose(Domain(d.X, d.y), Domain(9 * d.Xt + 5))
    assert found.advice_on(Centred()).family == found.advice_on(CORAL).family == "mapping"
    assert found.advice_on(find("DANN")).family == "invariant"
    assert found.advice_on(Memory) is None


def test_own_classes_survive_a_file_where_they_are_given(toy: Any, tmp_path: Any) -> None:
    d = toy()
    model = Centred(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    path = model.save(tmp_path / "m.acclimate")
    loaded = acclimate.load(path, modules=[Centred, Shift])
    assert type(loaded) is Centred
    np.testing.assert_array_equal(loaded.predict_proba(d.Xn), model.predict_proba(d.Xn))
    with pytest.raises(InputError, match=r"Centred', '.*Shift'.*modules=\[Centred, Shift\]"):
        acclimate.load(path)
    with pytest.raises(InputError, match=r"Shift'.*given were \['.*Centred'\]"):
        acclimate.load(path, modules=[Centred])
    memory = Memory().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    model = FarCORAL(random_state=0).fit(d.X, d.y, target=Domain(d.Xt))
    loaded = acclimate.load(model.save(tmp_path / "f.acclimate"), modules=[FarCORAL])
    np.testing.assert_array_equal(loaded.predict(d.Xn), model.predict(d.Xn))
    loaded = acclimate.load(memory.save(tmp_path / "n.acclimate"), modules=[Memory, ByHeart])
    np.testing.assert_array_equal(loaded.predict(d.Xt), d.yt)


def test_a_map_that_is_a_lambda_is_refused_with_the_way_out(toy: Any, tmp_path: Any) -> None:
    d = toy()
    sloppy = type("Sloppy", (MapAdapter,), {"_align": lambda *_: (lambda X: X, lambda X: X)})
    model = sloppy().fit(d.X, d.y, target=Domain(d.Xt))
    with pytest.raises(InputError, match="a map as an object of a class with __call__"):
        model.save(tmp_path / "m.acclimate")


def test_check_method_names_the_checks_that_fail() -> None:
    skip = ["sklearn_checks_with_target", "sklearn_checks_without_target"]
    idle = type("Idle", (MapAdapter,), {"__module__": __name__, "_align": lambda *_: (Same(),) * 2})
    with pytest.raises(CheckFailed, match="- a_far_away_target_changes_predictions") as caught:
        check_method(idle(), skip=skip)
    assert "Idle fails 2 of" in str(caught.value)  # the one, for both tasks
    with pytest.raises(InputError, match="made and not fitted, such as CORAL"):
        check_method(Centred)
    with pytest.raises(InputError, match=r"skip names \['nothing'\]"):
        check_method(Centred(), skip=["nothing"])
    pictures = type("Pictures", (Centred,), {"row": Row(kind="image")})
    with pytest.raises(InputError, match="no checks for methods of the kind 'image'"):
        check_method(pictures())


class Same:
    def __call__(self, X: Any) -> Any:
        return X


OFFSET = 1.0


def moved(text: str) -> Any:
    names = {"MapAdapter": MapAdapter, "__name__": "cell", "OFFSET": OFFSET}
    exec(text, names)
    return names["Mine"]


def test_code_that_was_rewritten_is_another_method() -> None:
    text = (
        "def helper(X):\n    return X + OFFSET\n"
        "class Mine(MapAdapter):\n"
        "    def _align(self, source, target, seed):\n"
        "        'why'\n        return helper, {1, 2}\n"
    )
    mark = code_mark(moved(text))
    assert mark == code_mark(moved("# a comment\n" + text.replace("'why'", "'for'")))
    others = (("X + OFFSET", "X - OFFSET"), ("{1, 2}", "{1, 3}"), ("OFFSET", "1.5"))
    assert len({mark, *(code_mark(moved(text.replace(*pair))) for pair in others)}) == 4
    assert code_mark(CORAL) is None
    assert code_mark(type(DummyClassifier())) is None


def test_the_mark_of_the_code_decides_what_a_store_knows() -> None:
    need = Need("classification", False)
    (found,) = [c for c in choose(need, {}, None, 0, [], {"m": Centred()})[0] if c.name == "m"]
    assert found.config["code"] == code_mark(Centred)
