"""`FineTune`: what becomes of the head, what moves, and that the chain works on real data."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

from acclimate import Domain, FineTune, NeuralClassifier, NeuralRegressor, datasets
from acclimate.exceptions import DataNotFoundError, InputError, TransferWarning
from acclimate.transfer.strategies import pull, squared_distance

Toy = Callable[..., SimpleNamespace]


def network(cls: Any = NeuralClassifier, **changes: Any) -> Any:
    settings = {
        "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 60, "batch_size": 32,
        "learning_rate": 0.03, "precision": "float32",
    }  # fmt: skip
    return cls(**(settings | changes))


def tuner(estimator: Any = None, **settings: Any) -> FineTune:
    return FineTune(network() if estimator is None else estimator, random_state=0, **settings)


def module() -> nn.Sequential:
    """Return a network with weights, running statistics and a counter: all that could move."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def state(part: nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in part.state_dict().items()}


TEXT = np.array(["dead", "ill", "well"])


class TestHead:
    """Which output layer the target starts from."""

    @pytest.mark.parametrize("base", ["network", "linear"])
    def test_equal_text_labels_copy(self, toy: Toy, base: str) -> None:
        d = toy()
        model = tuner(None if base == "network" else LogisticRegression())
        model.fit(d.X, TEXT[d.y], target=Domain(d.Xt, TEXT[d.yt]))
        assert model.copied_head_ is True
        assert model.classes_.tolist() == TEXT.tolist()

    def test_equal_integers_do_not(self, toy: Toy) -> None:
        d = toy()
        model = tuner().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        assert model.copied_head_ is False

    def test_other_text_labels_do_not(self, toy: Toy) -> None:
        d = toy()
        other = np.array(["cat", "dog", "eel"])
        model = tuner().fit(d.X, TEXT[d.y], target=Domain(d.Xt, other[d.yt]))
        assert model.copied_head_ is False
        assert model.classes_.tolist() == ["cat", "dog", "eel"]

    def test_fewer_text_labels_do_and_the_others_stay_known(self, toy: Toy) -> None:
        d = toy()
        rows = d.yt < 2
        model = tuner().fit(d.X, TEXT[d.y], target=Domain(d.Xt[rows], TEXT[d.yt[rows]]))
        assert model.copied_head_ is True
        assert model.predict_proba(d.Xn).shape == (len(d.Xn), 3)
        of_source = model.predict_proba(d.Xn, domain="source")
        np.testing.assert_allclose(model.predict_proba(d.Xn)[:, 2], of_source[:, 2])

    @pytest.mark.parametrize("base", ["network", "logistic", "svm"])
    @pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1)], ids=str)
    def test_names_on_both_sides_put_classes_together(
        self, toy: Toy, base: str, order: tuple[int, ...]
    ) -> None:
        """Label ``order[i]`` on the target means what ``i`` means on the source."""
        d = toy()
        estimator = {"network": network(), "logistic": LogisticRegression(), "svm": SVC()}[base]
        called = np.array(order)
        theirs = {order[i]: name for i, name in enumerate(TEXT.tolist())}
        target = Domain(d.Xt, called[d.yt], class_names=theirs)
        # so weak a learner that what it knows is what was copied
        model = tuner(estimator, strength=1e9 if base != "network" else None, rate=1e-9,
                      strategy="full" if base == "network" else "auto")  # fmt: skip
        model.fit(d.X, d.y, class_names=TEXT.tolist(), target=target)
        assert model.copied_head_ is True
        assert model.classes_.tolist() == [0, 1, 2]
        word = "decision_function" if base == "svm" else "predict_proba"
        after = getattr(model, word)(d.X)
        before = getattr(model, word)(d.X, domain="source")
        if base == "network":
            np.testing.assert_allclose(after[:, called], before, atol=1e-4)
        assert np.mean(model.predict(d.X) == called[model.predict(d.X, domain="source")]) > 0.95
        assert np.mean(model.classes_[after.argmax(1)] == model.predict(d.X)) > 0.95

    def test_other_names_make_a_new_head(self, toy: Toy) -> None:
        d = toy()
        target = Domain(d.Xt, d.yt, class_names=["cat", "dog", "eel"])
        model = tuner().fit(d.X, d.y, class_names=TEXT.tolist(), target=target)
        assert model.copied_head_ is False

    def test_names_on_one_side_make_a_new_head(self, toy: Toy) -> None:
        d = toy()
        model = tuner().fit(d.X, d.y, class_names=TEXT.tolist(), target=Domain(d.Xt, d.yt))
        assert model.copied_head_ is False

    def test_named_classes_that_do_not_occur_keep_their_column(self, toy: Toy) -> None:
        d = toy()
        rows = d.yt < 2
        names = TEXT.tolist()
        target = Domain(d.Xt[rows], d.yt[rows], class_names=names)
        model = tuner().fit(d.X, d.y, class_names=names, target=target)
        assert model.copied_head_ is True
        assert model.classes_.tolist() == [0, 1, 2]
        assert model.predict_proba(d.Xn).shape == (len(d.Xn), 3)

    def test_a_binary_head_with_turned_names(self, toy: Toy) -> None:
        d = toy(classes=2)
        model = tuner(LogisticRegression(), strength=1e9)
        target = Domain(d.Xt, 1 - d.yt, class_names=["ill", "well"])
        model.fit(d.X, d.y, class_names=["well", "ill"], target=target)
        before = model.predict_proba(d.Xn, domain="source")
        assert model.copied_head_ is True
        assert np.array_equal(model.decision_function(d.Xn) > 0, model.predict(d.Xn) == 1)
        assert np.corrcoef(model.predict_proba(d.Xn)[:, 0], before[:, 1])[0, 1] > 0.9

    def test_copying_integers_warns(self, toy: Toy) -> None:
        d = toy()
        with pytest.warns(TransferWarning, match="equal integers mean equal classes") as caught:
            model = tuner(head="copy").fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        assert model.copied_head_ is True
        assert len(caught) == 1

    def test_copying_text_is_quiet(self, toy: Toy) -> None:
        d = toy()
        model = tuner(head="copy").fit(d.X, TEXT[d.y], target=Domain(d.Xt, TEXT[d.yt]))
        assert model.copied_head_ is True

    def test_copying_meets_an_unknown_label(self, toy: Toy) -> None:
        d = toy()
        model = tuner(head="copy").fit(d.X, d.y)
        with pytest.raises(InputError, match=r"classes \[0, 1, 2\], but the target has 7; use"):
            model.adapt(Domain(d.Xt, np.array([0, 1, 7])[d.yt]))

    def test_a_new_head_is_new(self, toy: Toy) -> None:
        d = toy()
        labels = TEXT[d.y], TEXT[d.yt]
        new = tuner(head="new", rate=1e-9, strategy="full")
        new.fit(d.X, labels[0], target=Domain(d.Xt, labels[1]))
        old, fresh = (m.network_.head.weight for m in (new.source_model_, new.target_model_))
        assert new.copied_head_ is False
        assert torch.abs(old - fresh).max() > 0.05
        body = state(new.source_model_.network_.body), state(new.target_model_.network_.body)
        assert body[0].keys() == body[1].keys()

    def test_a_new_head_on_a_linear_model_warns(self, toy: Toy) -> None:
        d = toy()
        model = tuner(LogisticRegression())
        with pytest.warns(TransferWarning, match="nothing is taken from the source"):
            model.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
        alone = LogisticRegression().fit(d.Xt, d.yt)
        assert np.array_equal(model.predict(d.Xn), alone.predict(d.Xn))

    def test_a_regression_copies(self, toy: Toy) -> None:
        d = toy(classes=None)
        base = network(NeuralRegressor)
        target = Domain(d.Xt, d.yt)
        assert tuner(base).fit(d.X, d.y, target=target).copied_head_ is True
        assert tuner(base, head="new").fit(d.X, d.y, target=target).copied_head_ is False


class TestWhatMoves:
    def fitted(self, toy: Toy, strategy: str, **settings: Any) -> FineTune:
        d = toy()
        base = network(network=module())
        target = Domain(d.Xt, TEXT[d.yt])
        return tuner(base, strategy=strategy, **settings).fit(d.X, TEXT[d.y], target=target)

    @pytest.mark.parametrize("head", ["copy", "new"])
    def test_frozen_is_frozen(self, toy: Toy, head: str) -> None:
        model = self.fitted(toy, "head", head=head)
        source, target = model.source_model_.network_, model.target_model_.network_
        assert any("running_mean" in name for name in state(source.body))
        assert state(target.body) == state(source.body)
        assert state(target.head) != state(source.head)

    @pytest.mark.parametrize("strategy", ["auto", "full", "lp-ft", "l2-sp"])
    def test_other_strategies_move_the_body(self, toy: Toy, strategy: str) -> None:
        model = self.fitted(toy, strategy)
        source, target = state(model.source_model_.network_), state(model.target_model_.network_)
        assert all(source[name] != target[name] for name in source if "num_batches" not in name)

    @pytest.mark.parametrize(("head", "same", "not_same"), [
        ("copy", "lp-ft", "full"), ("new", "full", "lp-ft"),
    ])  # fmt: skip
    def test_auto_follows_the_head(self, toy: Toy, head: str, same: str, not_same: str) -> None:
        d = toy()
        auto, named = self.fitted(toy, "auto", head=head), self.fitted(toy, same, head=head)
        other = self.fitted(toy, not_same, head=head)
        assert np.array_equal(auto.predict_proba(d.Xn), named.predict_proba(d.Xn))
        assert not np.array_equal(auto.predict_proba(d.Xn), other.predict_proba(d.Xn))

    @pytest.mark.parametrize("strategy", ["full", "head", "lp-ft", "l2-sp"])
    def test_adapting_leaves_the_source_model_alone(self, toy: Toy, strategy: str) -> None:
        d = toy()
        base = network(network=module())
        model = tuner(base, strategy=strategy).fit(d.X, TEXT[d.y])
        before = copy.deepcopy(state(model.source_model_.network_))
        answers = model.predict_proba(d.X, domain="source")
        model.adapt(Domain(d.Xt, TEXT[d.yt]))
        assert state(model.source_model_.network_) == before
        assert np.array_equal(model.predict_proba(d.X, domain="source"), answers)
        shared = {p.data_ptr() for p in model.source_model_.network_.parameters()}
        assert not shared & {p.data_ptr() for p in model.target_model_.network_.parameters()}

    def test_every_parameter_still_trains_afterwards(self, toy: Toy) -> None:
        model = self.fitted(toy, "head")
        assert all(p.requires_grad for p in model.target_model_.network_.parameters())

    @pytest.mark.parametrize("strategy", ["full", "head", "lp-ft"])
    def test_fine_tuning_helps_on_a_turned_target(self, toy: Toy, strategy: str) -> None:
        d = toy()
        turned, new = d.Xt * [-1, 1, 1, 1], d.Xn * [-1, 1, 1, 1]
        model = tuner(strategy=strategy).fit(d.X, TEXT[d.y])
        before = model.score(new, TEXT[d.yn])
        after = model.adapt(Domain(turned, TEXT[d.yt])).score(new, TEXT[d.yn])
        assert after > before + 0.1

    def test_a_smaller_rate_moves_less(self, toy: Toy) -> None:
        def moved(model: FineTune) -> float:
            pairs = zip(
                model.source_model_.network_.parameters(),
                model.target_model_.network_.parameters(), strict=True,
            )  # fmt: skip
            return sum(float((a - b).square().sum().detach()) for a, b in pairs)

        far, near = (self.fitted(toy, "full", rate=rate) for rate in (1.0, 0.01))
        assert moved(near) < 0.05 * moved(far)


class TestL2SP:
    def test_the_penalty_against_numpy(self) -> None:
        rng = np.random.default_rng(0)
        shapes = [(3, 4), (4,), (2, 3, 5)]
        now, then = ([rng.normal(size=s) for s in shapes] for _ in range(2))
        expected = sum(((a - b) ** 2).sum() for a, b in zip(now, then, strict=True))
        found = squared_distance([torch.from_numpy(a) for a in now],
                                 [torch.from_numpy(b) for b in then])  # fmt: skip
        assert float(found) == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("copied", [True, False], ids=["copied", "new head"])
    def test_the_term_pulls_to_where_the_weights_are(self, copied: bool) -> None:
        net = network(network=module()).start(np.zeros((3, 4)), np.arange(3)).network_
        term = pull(net, copied, 0.5)
        head = sum(float(p.detach().square().sum()) for p in net.head.parameters())
        body = sum(p.numel() for p in net.body.parameters())
        at_start = 0.0 if copied else 0.25 * head
        assert float(term.loss(None, None).detach()) == pytest.approx(at_start, rel=1e-5)
        with torch.no_grad():
            for p in net.body.parameters():
                p.add_(0.1)
        expected = at_start + 0.25 * body * 0.01
        assert float(term.loss(None, None).detach()) == pytest.approx(expected, rel=1e-4)

    def test_a_strong_pull_stays_near(self, toy: Toy) -> None:
        d = toy()

        def distance(strength: float) -> float:
            model = tuner(network(optimizer="sgd"), strategy="l2-sp", strength=strength)
            model.fit(d.X, TEXT[d.y], target=Domain(d.Xt * [-1, 1, 1, 1], TEXT[d.yt]))
            pairs = zip(
                model.source_model_.network_.parameters(),
                model.target_model_.network_.parameters(), strict=True,
            )  # fmt: skip
            return sum(float((a - b).square().sum().detach()) for a, b in pairs)

        assert distance(10.0) < 0.2 * distance(1e-6)


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            (
                {"strategy": "thawed"},
                r"strategy must be one of \"auto\".* \"lora\".*, got 'thawed'",
            ),
            ({"head": "old"}, "head must be"),
            ({"strength": 0.0}, "strength must be above 0 or None, got 0.0"),
            ({"strength": float("nan")}, "strength must be above 0 or None, got nan"),
            ({"rate": -1.0}, "rate must be above 0, got -1.0"),
        ],
        ids=["strategy", "head", "strength", "nan", "rate"],
    )
    def test_wrong_ones_are_named(self, toy: Toy, settings: Any, words: str) -> None:
        d = toy()
        with pytest.raises(InputError, match=words):
            tuner(**settings).fit(d.X, d.y)

    def test_strategies_are_for_networks(self, toy: Toy) -> None:
        d = toy()
        with pytest.raises(InputError, match=r"\['auto'\] for LogisticRegression, got 'head'"):
            tuner(LogisticRegression(), strategy="head").fit(d.X, d.y)


def digits(shift: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Return real handwritten digits as source, and others, shifted, as target and as new rows."""
    data = datasets.optdigits()
    X = np.asarray(data.X_train[:1300], dtype=np.float64) / 16
    new = np.asarray(data.X_test[:600], dtype=np.float64) / 16
    labels = np.array([f"digit {i}" for i in range(10)])
    y, y_new = labels[data.y_train[:1300]], labels[data.y_test[:600]]
    return X[:1000], y[:1000], shift(X[1000:]), y[1000:], shift(new), y_new


def negatives() -> tuple[Any, ...]:
    return digits(lambda X: 1 - X)


def faint() -> tuple[Any, ...]:
    """Return a pale pen on grey paper, for networks.

    On negatives a copied head starts from so large a loss that a short run with all weights moving
    ends below training from scratch. That is a property of the method, not of the chain.
    """
    return digits(lambda X: 0.3 + 0.5 * X)


def pictures() -> tuple[Any, ...]:
    X, y, Xt, yt, Xn, yn = faint()

    def enlarged(rows: Any) -> Any:
        return np.kron(rows.reshape(-1, 8, 8), np.ones((1, 2, 2)))  # the CNN needs 10 x 10

    return enlarged(X), y, enlarged(Xt), yt, enlarged(Xn), yn


def wines() -> tuple[Any, ...]:
    """Grades of white wines as source, of red wines as target."""
    data = datasets.wine()
    X, y = data.domain_rows("white")
    Xt, yt = data.domain_rows("red")
    rows = np.random.default_rng(0).permutation(len(Xt))
    near, new = rows[:200], rows[200:]
    return X[:1500], y[:1500], Xt.iloc[near], yt[near], Xt.iloc[new], yt[new]


CHAINS = {
    "logistic regression": (LogisticRegression(max_iter=1000), negatives, None),
    "svm": (SVC(), negatives, None),
    "mlp": (network(hidden=(64,), min_steps=300, learning_rate=4e-3), faint, None),
    "cnn": (
        network(network="cnn", hidden=(32,), min_steps=200, learning_rate=4e-3),
        pictures,
        None,
    ),
    "ridge": (Ridge(), wines, StandardScaler()),
}


@pytest.mark.parametrize("name", CHAINS)
def test_source_fine_tune_evaluate_on_real_data(name: str) -> None:
    estimator, load, preprocess = CHAINS[name]
    try:
        X, y, Xt, yt, Xn, yn = load()
    except DataNotFoundError as error:
        pytest.skip(f"the data cannot be had here: {error}")
    model = tuner(estimator, preprocess=preprocess).fit(X, y)
    before = model.score(Xn, yn)
    model.adapt(Domain(Xt, yt, name="target"))
    after = model.score(Xn, yn)
    assert model.adapted_
    assert model.copied_head_
    assert after > before + 0.05
    assert after > (0.2 if name == "ridge" else 0.75)
    assert model.score(Xn, yn, domain="source") == before
    assert np.isfinite(before)


def test_a_pipeline_as_estimator_names_what_to_do(toy: Toy) -> None:
    d = toy()
    model = tuner(make_pipeline(StandardScaler(), LogisticRegression()))
    with pytest.raises(InputError, match="FineTune cannot start Pipeline"):
        model.fit(d.X, TEXT[d.y], target=Domain(d.Xt, TEXT[d.yt]))
