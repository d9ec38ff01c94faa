"""Which source, encoder or layer is worth most for a labelled target, and is it worth anything?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.arrays import task_of
from acclimate.diagnosis import encoding, summaries, two_sample
from acclimate.domain import Domain
from acclimate.exceptions import InputError
from acclimate.folds import Fold, row_keys
from acclimate.natives import as_rows
from acclimate.transferability import criteria as scoring
from acclimate.transferability.probes import ProbeScore, linear_probe, probe_folds
from acclimate.transferability.ranked import FOLDS, RANDOM_BODIES, REPEATS, ROWS, Ranked, Ranking
from acclimate.workers import spread, working

__all__ = ["Ranked", "Ranking", "rank"]

SCORES = ("logme", "h_score", "transrate", "gbc", "parc", "leep")
REGRESSION = ("logme",)


def rank(
    candidates: Mapping[str, Any],
    X: Any = None,
    y: Any = None,
    *,
    task: str | None = None,
    layers: bool = False,
    scores: Sequence[str] = ("logme",),
    folds: int = FOLDS,
    repeats: int = REPEATS,
    random_bodies: int = RANDOM_BODIES,
    rows: int = ROWS,
    confidence: float = 0.95,
    random_state: int = 0,
    executor: Any = None,
) -> Ranking:
    """Rank sources, encoders or layers for a labelled target, each beside a random body.

    Use it with a few dozen labels or more, before anything is fine-tuned: a source that probes no
    better than a body of the same shape with random weights is useless for this target. Do not use
    it to foretell the accuracy after fine-tuning; nor the first probe as an estimate of its own
    worth, since the best of many looks better than it is.

    Each candidate becomes a matrix of features of the target rows, and is ordered by a linear probe
    on held-out rows. Transferability scores stand beside it, never alone.

    Parameters
    ----------
    candidates : mapping from str to candidate
        By name, one of:

        - a matrix of features of the target rows, shape (n, d);
        - an ``nn.Module`` that returns features (a body), or a fitted `NeuralClassifier` or
          `NeuralRegressor`, or a method that was fitted with one: its body is taken;
        - a fitted scikit-learn transformer or classifier: what it transforms to, else the
          probabilities or decision values it gives; of a `FrozenBody` the network is taken, as in
          ``rank({"lite0": FrozenBody().fit(X)}, X, y)``; of a `TextEncoder` the random body is the
          same model with random weights;
        - a function from ``X`` to features;
        - a labelled `Domain` of source rows: a `NeuralClassifier` (or regressor) is trained on it.
    X : array-like or data frame of shape (n, ...), or Domain, default=None
        The labelled target rows. A `Domain` brings its labels. None where all candidates are
        matrices; there is no random body then.
    y : array-like of shape (n,)
        Labels or values of the target rows.
    task : {"classification", "regression"} or None, default=None
        What the labels are. None takes numbers with fractions, and more than 20 different whole
        numbers, for a regression.
    layers : bool, default=False
        Whether to rank each layer of a network as a candidate of its own.
    scores : sequence of str, default=("logme",)
        Transferability scores to show: "logme", "h_score", "transrate" (of standardised features),
        "gbc", "parc"; "leep" where the candidate gives probabilities of source classes. Only
        "logme" for a regression.
    folds, repeats : int, default=5 and 2
        Folds of the probes, and how often to split anew.
    random_bodies : int, default=3
        Random bodies whose probes are averaged, at least 1.
    rows : int, default=2000
        Rows to sample where there are more labelled ones, at least 20. Which ones depends on their
        values, not on their order.
    confidence : float in (0, 1), default=0.95
        Confidence of the intervals.
    random_state : int, default=0
        Seeds folds, samples and random bodies.
    executor : concurrent.futures.Executor or dask.distributed.Client, default=None
        Runs the candidates, one a job. None runs them here. The result is the same.

    Returns
    -------
    Ranking
        ``sentence()``, ``table()`` for rich, and ``to_dict()``.

    Raises
    ------
    InputError
        There are no candidates or no labels, or a candidate cannot be used; the message names it.
    AcclimateError
        The cluster or the executor is gone.

    Notes
    -----
    A random body is the same network with weights drawn anew. For candidates that are no network it
    is one random layer of ReLU units of the same width on the standardised inputs. The interval of
    the gain is that of `nadeau_bengio_interval` on the paired folds; it does not cover the draw of
    the random bodies beyond their average.

    References
    ----------
    Agostinelli and others, "How stable are transferability metrics evaluations?",
    arXiv:2204.01403, for why no score stands alone.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import rank
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 20))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> result = rank({"products": lambda X: X[:, :1] * X[:, 1:], "first": X[:, :1]}, X, y)
    >>> result.best.name, result.best.useless, result.candidates[1].useless
    ('products', False, True)
    """
    if not candidates:
        raise InputError("candidates is empty; name at least one")
    if rows < 20 or random_bodies < 1:
        raise InputError(
            f"rows must be at least 20 and random_bodies at least 1, got {rows!r} and "
            f"{random_bodies!r}"
        )
    unknown = [name for name in scores if name not in SCORES]
    if unknown:
        raise InputError(f"unknown scores {unknown}; choose among {list(SCORES)}")
    X, labels, known = _target(candidates, X, y)
    kind = task_of(labels, task)[0]
    plain = None if X is None else _numbers(X)
    keys = _keys(next(iter(candidates.values()))[known] if X is None else X, random_state)
    if len(labels) > rows:
        picked = encoding.sampling_order(keys)[:rows]
        labels, keys, known = labels[picked], keys[picked], known[picked]
        X = None if X is None else _take(X, picked)
        plain = None if plain is None else plain[picked]
    parts = probe_folds(keys, labels, kind, folds, repeats, random_state)
    judge = _Judge(labels, kind, parts, confidence, tuple(scores), random_bodies, random_state)
    with working(executor):
        judged = spread(_judged, list(candidates.items()), common=(judge, X, plain, known, layers))
    ordered = tuple(sorted((one for few in judged for one in few), key=lambda c: -c.probe.score))
    inputs = None if plain is None else judge.probe(plain)
    return Ranking(ordered, inputs, kind, len(labels), confidence)


@dataclass(frozen=True)
class _Judge:
    """Probes and scores features of one target."""

    labels: NDArray[Any]
    task: str
    parts: list[Fold]
    confidence: float
    scores: tuple[str, ...]
    bodies: int
    seed: int

    def probe(self, features: Any) -> ProbeScore:
        return linear_probe(
            features, self.labels, task=self.task, parts=self.parts, confidence=self.confidence
        )

    def candidate(
        self,
        name: str,
        candidate: Any,
        X: Any,
        plain: NDArray[Any] | None,
        known: NDArray[np.intp],
        layers: bool,
    ) -> list[Ranked]:
        """Return one row, or one for each layer."""
        if isinstance(candidate, Domain):
            candidate = self._trained(candidate)
        if isinstance(candidate, np.ndarray):
            return [self._row(name, candidate[known], self._random(plain, candidate.shape[-1]))]
        if X is None:
            raise InputError(f"a {type(candidate).__name__} needs X, the target rows to run on")
        module = _network(candidate)
        probabilities = _probabilities(candidate, X) if "leep" in self.scores else None
        if module is None:
            features = _outputs(candidate, X)
            twin = getattr(candidate, "random_twin", None)
            if twin is None:
                random = self._random(plain, features.shape[-1])
            else:
                seeds = (self.seed + 1 + i for i in range(self.bodies))
                others = [self.probe(_outputs(twin(seed), X)) for seed in seeds]
                random = _average(others, self.confidence)
            return [self._row(name, features, random, probabilities)]
        from acclimate.training import features as bodies

        inputs = np.asarray(_preprocessed(candidate, X))
        twins = [bodies.random_twin(module, self.seed + 1 + i) for i in range(self.bodies)]
        if not layers:
            found = bodies.body_features(module, inputs)
            others = [self.probe(bodies.body_features(twin, inputs)) for twin in twins]
            return [self._row(name, found, _average(others, self.confidence), probabilities)]
        rows = []
        every = bodies.layer_features(module, inputs)
        of_twins = [bodies.layer_features(twin, inputs) for twin in twins]
        for layer, features in every.items():
            random = _average([self.probe(twin[layer]) for twin in of_twins], self.confidence)
            rows.append(self._row(f"{name}: {layer}", features, random))
        return rows

    def _trained(self, source: Domain) -> Any:
        """Return a network trained on a source."""
        if source.y is None:
            raise InputError("a source needs labels: pass Domain(X_source, y_source)")
        from acclimate.base.neural import NeuralClassifier, NeuralRegressor

        Xs, ys = np.asarray(as_rows(source.X)), np.asarray(source.y)
        if source.labelled is not None:
            Xs, ys = Xs[np.asarray(source.labelled)], ys[np.asarray(source.labelled)]
        regress = task_of(ys)[0] == "regression"
        model = (NeuralRegressor if regress else NeuralClassifier)(
            random_state=self.seed, verbose=False
        )
        return model.fit(Xs, ys)

    def _random(self, plain: NDArray[Any] | None, width: int) -> ProbeScore | None:
        """Return the probe of random ReLU units on the inputs, the mean of several draws."""
        if plain is None:
            return None
        others = []
        for i in range(self.bodies):
            rng = np.random.default_rng([self.seed, i])
            W = rng.normal(size=(plain.shape[1], width)) / np.sqrt(plain.shape[1])
            others.append(self.probe(np.maximum(plain @ W + 0.1 * rng.normal(size=width), 0.0)))
        return _average(others, self.confidence)

    def _row(
        self,
        name: str,
        features: NDArray[Any],
        random: ProbeScore | None,
        probabilities: NDArray[Any] | None = None,
    ) -> Ranked:
        probe = self.probe(features)
        found = {s: self._score(s, features) for s in self.scores if s != "leep"}
        if probabilities is not None and self.task == "classification":
            found["leep"] = scoring.leep(probabilities, self.labels)
        found = {s: value for s, value in found.items() if value is not None}
        width = int(features.shape[1])
        if random is None:
            return Ranked(name, width, probe, None, None, None, None, None, found)  # type: ignore[arg-type]
        gain, low, high = probe.above(random, self.confidence)
        return Ranked(name, width, probe, random, gain, low, high, low <= 0, found)  # type: ignore[arg-type]

    def _score(self, name: str, features: NDArray[Any]) -> float | None:
        if self.task == "regression":
            if name not in REGRESSION:
                return None
            return scoring.logme(features, self.labels, task="regression")
        if name == "transrate":
            deviation = features.std(axis=0)
            features = features / np.where(deviation > 0, deviation, 1.0)
        value: float = getattr(scoring, name)(features, self.labels)
        return value


def _judged(
    judge: _Judge, X: Any, plain: Any, known: Any, layers: bool, name: str, candidate: Any
) -> list[Ranked]:
    try:
        return judge.candidate(str(name), candidate, X, plain, known, layers)
    except InputError as error:
        raise InputError(f"candidate {name!r}: {error}") from error


def _average(probes: list[ProbeScore], confidence: float) -> ProbeScore:
    """Return a probe whose folds are the means of several."""
    from acclimate.judging.intervals import nadeau_bengio_interval

    first = probes[0]
    folds = np.mean([probe.folds for probe in probes], axis=0)
    score, low, high = nadeau_bengio_interval(folds, first.n_train, first.n_test, confidence)
    return replace(first, score=score, low=low, high=high, folds=tuple(folds.tolist()))


def _target(
    candidates: Mapping[str, Any], X: Any, y: Any
) -> tuple[Any, NDArray[Any], NDArray[np.intp]]:
    """Return labelled rows, their labels, and their places among the rows that were given."""
    labelled = None
    if isinstance(X, Domain):
        if y is not None:
            raise InputError("the Domain has the labels; leave y out")
        X, y, labelled = X.X, X.y, X.labelled
    if y is None:
        raise InputError("ranking needs labels of the target: rank(candidates, X, y)")
    y = np.asarray(y)
    if y.ndim != 1:
        raise InputError(f"y must have shape (n,), got {y.shape}")
    if X is None and not all(isinstance(c, np.ndarray) for c in candidates.values()):
        odd = next(name for name, c in candidates.items() if not isinstance(c, np.ndarray))
        raise InputError(f"candidate {odd!r} is no matrix of features, so X is needed")
    X = as_rows(X)
    if X is not None and not hasattr(X, "iloc"):
        X = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
    sizes = {"X": None if X is None else len(X)}
    sizes |= {name: len(c) for name, c in candidates.items() if isinstance(c, np.ndarray)}
    for name, size in sizes.items():
        if size is not None and size != len(y):
            raise InputError(f"{name} has {size} rows and y has {len(y)}; they must be equal")
    known = np.arange(len(y)) if labelled is None else np.flatnonzero(np.asarray(labelled))
    return None if X is None else _take(X, known), y[known], known


def _numbers(X: Any) -> NDArray[Any]:
    """Return the inputs as standardised numbers, shape (n, d)."""
    if not hasattr(X, "iloc") and X.ndim > 2:
        X = X.reshape(len(X), -1)
    columns = summaries.as_columns(X)[1]
    found = encoding.encode(columns, columns).source
    return two_sample.standardise(found, found[:0])[0]


def _keys(X: Any, seed: int) -> NDArray[np.uint64]:
    """Return one number a row that depends on its values alone, shape (n,)."""
    if not hasattr(X, "iloc") and X.dtype.kind in "biuf":
        return row_keys(X.reshape(len(X), -1), seed)
    return encoding.exact_keys(summaries.as_columns(X)[1])


def _take(X: Any, rows: NDArray[np.intp]) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def _inner(candidate: Any) -> Any:
    """Return the estimator inside a fitted method, else the candidate."""
    return getattr(candidate, "target_model_", None) or getattr(
        candidate, "source_model_", candidate
    )


def _network(candidate: Any) -> Any:
    """Return the network of a candidate, or None."""
    torch = sys.modules.get("torch")  # whoever has a network has imported it
    if torch is not None and isinstance(candidate, torch.nn.Module):
        return candidate
    return getattr(_inner(candidate), "network_", None)


def _preprocessed(candidate: Any, X: Any) -> Any:
    step = getattr(candidate, "preprocess_", None)
    X = X if step is None else step.transform(X)
    give = getattr(_inner(candidate), "numbers", None)  # a network that reads columns
    return X if give is None else give(X)


def _probabilities(candidate: Any, X: Any) -> NDArray[Any] | None:
    give = getattr(candidate, "predict_proba", None)
    return None if give is None else np.asarray(give(X))


def _outputs(candidate: Any, X: Any) -> NDArray[Any]:
    """Return what a candidate that is no network makes of rows, shape (n, d)."""
    for name in ("transform", "predict_proba", "decision_function"):
        if hasattr(candidate, name):
            made = getattr(candidate, name)(X)
            break
    else:
        if not callable(candidate):
            raise InputError(
                f"{type(candidate).__name__} is no features, network, fitted model, function or "
                f"Domain"
            )
        made = candidate(X)
    made = made.toarray() if hasattr(made, "toarray") else np.asarray(made)
    if made.ndim == 0 or len(made) != len(X):
        raise InputError(f"it gave shape {made.shape} for {len(X)} rows")
    flat: NDArray[Any] = made.reshape(len(made), -1)
    return flat
