"""`SelfTraining`: learn from one's own confident answers, where the labels say that it helps."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acclimate.adapter import Adapted, Adapter
from acclimate.classes import Match, match_classes
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.reweighting.ratio import Array
from acclimate.settings import COUNT, SEVERAL, SHARE_BELOW_1, Constraints
from acclimate.templates import fit_weighted
from acclimate.transfer.label_folds import row_key
from acclimate.validation import Rows, count, stack, take

Codes = NDArray[np.intp]


class SelfTraining(Adapter):
    """Label the rows that the model is sure of, fit it on them as well, and again.

    Use it with any classifier that gives probabilities, where it is right on most rows without a
    label that it is sure of. Do not use it where it is sure and wrong: errors then teach more
    errors. With few labels nobody can see that from the outside, so a guard looks first.

    In each of ``rounds`` rounds, the rows without a label whose most probable class has at least
    the probability ``threshold`` are given it, and the model is fitted anew on these and on the
    labelled rows. It ends early where the given labels stay. The guard does the same without a
    part of the labelled rows, in turn for each part, and compares on these with the model that was
    fitted on the rest of the labels alone. Where the accuracy gained is not above its standard
    error, the model of the labels alone is kept, and ``fell_back_`` and `summary` say so.

    Parameters
    ----------
    estimator : classifier, default=None
        The base model, with ``predict_proba``. None means ``LogisticRegression(max_iter=1000)``.
    threshold : float in [0, 1), default=0.9
        Least probability of a label that is given.
    rounds : int, default=5
        Most rounds, at least 1.
    guard : bool, default=True
        Whether to fall back where it does not help on the labels.
    folds : int, default=5
        Parts of the labelled rows for the guard, at least 2.
    repeats : int, default=1
        Times that the guard splits them anew, at least 1.
    use_target_labels : bool, default=False
        Whether labels in the `Domain` count. The guard then looks at these alone, since they are of
        the rows that are asked about.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the base model and the guard's parts.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source's labels alone.
    target_model_ : estimator or None
        The model that was kept.
    fell_back_ : bool
        Whether the guard kept the model of the labels alone. Only after a target was given.
    gain_ : float
        What self-training gained in accuracy on the guard's held-out rows; NaN where it did not
        look.
    gain_error_ : float
        Standard error of the gain.
    labels_ : ndarray of shape (m,)
        What the kept model answers for the target rows.
    given_ : boolean ndarray of shape (m,)
        Target rows whose label self-training gave; none where it fell back.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, or the base model is a regressor or has no ``predict_proba``.

    Notes
    -----
    Deviations from the paper, whose rounds add the surest rows for good: here each round labels all
    rows anew, so that a label once given can be taken back. The guard fits the base model
    ``folds * repeats * (rounds + 1)`` times at most. Differences of a row are averaged over the
    repeats; the standard error is that of their mean over rows. With a handful of labels it is
    wide, and falling back is the rule. It splits rows whatever they weigh. Where no part of the
    labels leaves two classes, nothing can be compared, and it falls back, too. A row that stands in
    both domains has its label, and may be given one once more.

    References
    ----------
    Yarowsky, "Unsupervised word sense disambiguation rivaling supervised methods",
    doi:10.3115/981658.981684.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, SelfTraining
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(300) % 2
    >>> X = rng.normal(size=(300, 2)) + [[4, 0]] * y[:, None]
    >>> model = SelfTraining(random_state=0).fit(X[:10], y[:10], target=Domain(X[10:]))
    >>> model.fell_back_, "Fell back to the model of the labels alone" in model.summary()
    (True, True)
    """

    _reads_frames = True

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "threshold": [SHARE_BELOW_1],
        "rounds": [COUNT],
        "guard": ["boolean"],
        "folds": [SEVERAL],
        "repeats": [COUNT],
        "use_target_labels": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        threshold: float = 0.9,
        rounds: int = 5,
        guard: bool = True,
        folds: int = 5,
        repeats: int = 1,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.threshold = threshold
        self.rounds = rounds
        self.guard = guard
        self.folds = folds
        self.repeats = repeats
        self.use_target_labels = use_target_labels

    def summary(self) -> str:
        """Return plain sentences on what was fitted, and on what the guard found."""
        said = super().summary()
        if not self.adapted_ or not self.guard:
            return said
        found = (
            "no held-out labels to compare on"
            if np.isnan(self.gain_)
            else f"that self-training gains {100 * self.gain_:+.1f} points on held-out labels, "
            f"standard error {100 * self.gain_error_:.1f}"
        )
        kept = "Fell back to the model of the labels alone: the" if self.fell_back_ else "The"
        return f"{said} {kept} guard found {found}."

    def _fit_source(self, source: Rows, seed: int) -> Any:
        base = self._base()
        if self._regression():
            raise InputError(
                f"SelfTraining is about classes, and {type(base).__name__} is a regressor"
            )
        if not hasattr(base, "predict_proba"):
            raise InputError(f"SelfTraining needs predict_proba, {type(base).__name__} has none")
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if source is None:  # the door lets nobody in without source rows
            raise InputError("SelfTraining needs the source rows")
        match, m = Match(), count(target.X)
        free = np.arange(m)  # target rows without a label
        labelled = Rows(source.X, source.labels, None, source.weight)
        judges = np.arange(len(source.labels))  # labelled rows that the guard holds out
        if target.y is not None:
            name, names = type(self).__name__, self.source_class_names_
            match = match_classes(name, model.classes_, names, target)
            free = np.setdiff1d(free, free if target.labelled is None else target.labelled)
            judges = len(judges) + np.arange(len(target.labels))
            labelled = joined(labelled, target.labelled_X, match.to_source(target.labels))
            model = fit_weighted(self._base(), labelled, seed)
        X = take(target.X, free)
        trained, given = self._trained(model, labelled, X, seed)
        self.gain_, self.gain_error_ = float("nan"), float("nan")
        if self.guard:
            self.gain_, self.gain_error_ = self._gain(labelled, judges, X, seed)
        self.fell_back_ = self.guard and not self.gain_ > self.gain_error_  # NaN is no gain
        kept = model if self.fell_back_ else trained
        self.given_ = np.zeros(m, dtype=bool)
        self.given_[free] = (given >= 0) & (not self.fell_back_)
        self.labels_ = kept.predict(target.X)
        return Adapted(match.to_target(kept))

    def _trained(self, model: Any, labelled: Rows, X: Any, seed: int) -> tuple[Any, Codes]:
        return self_trained(self._base(), model, labelled, X, self.threshold, self.rounds, seed)

    def _gain(
        self, labelled: Rows, judges: NDArray[np.intp], X: Any, seed: int
    ) -> tuple[float, float]:
        """Return mean and standard error of the accuracy gained on held-out labelled rows."""
        y, rows = labelled.labels, take(labelled.X, judges)
        parts = few_label_folds(
            y[judges], classify=True, folds=self.folds, repeats=self.repeats, seed=seed,
            key=row_key(rows, seed),
        )  # fmt: skip
        gained, times = np.zeros(len(judges)), np.zeros(len(judges))
        for _, held in parts:
            left = np.setdiff1d(np.arange(len(y)), judges[held])
            if len(np.unique(y[left])) < 2:
                continue
            weight = None if labelled.weight is None else labelled.weight[left]
            some = Rows(take(labelled.X, left), y[left], None, weight)
            alone = fit_weighted(self._base(), some, seed)
            trained, _ = self._trained(alone, some, X, seed)
            there = take(rows, held)
            right = [model.predict(there) == y[judges[held]] for model in (trained, alone)]
            gained[held] += right[0].astype(float) - right[1]
            times[held] += 1
        seen = times > 0
        weight = labelled.counts[judges][seen]
        return mean_and_error(gained[seen] / times[seen], weight)


def self_trained(
    estimator: Any,
    model: Any,
    labelled: Rows,
    X: Any,
    threshold: float,
    rounds: int,
    seed: int,
) -> tuple[Any, Codes]:
    """Return a model fitted on its own confident answers as well, and these; see `SelfTraining`.

    Parameters
    ----------
    estimator : classifier
        Base model, cloned.
    model : fitted classifier
        That of the labelled rows alone.
    labelled : Rows
        Rows with a label, all of them.
    X : array of shape (m, d)
        Rows without one.
    threshold : float
        Least probability of a label that is given.
    rounds : int
        Most rounds.
    seed : int
        Seeds the models.

    Returns
    -------
    model : fitted classifier
        The last one.
    given : integer ndarray of shape (m,)
        Place in ``model.classes_`` of the label that each row was given, -1 for none.
    """
    m = count(X) if X.shape[0] else 0
    given = np.full(m, -1, dtype=np.intp)
    for _ in range(rounds if m else 0):
        p = np.asarray(model.predict_proba(X))
        sure = np.where(p.max(axis=1) >= threshold, p.argmax(axis=1), -1)
        if np.array_equal(sure, given):
            break
        given = sure
        kept = np.flatnonzero(given >= 0)
        more = labelled
        if len(kept):
            more = joined(labelled, take(X, kept), model.classes_[given[kept]])
        model = fit_weighted(estimator, more, seed)
    return model, given


def joined(labelled: Rows, X: Any, y: NDArray[Any]) -> Rows:
    """Return labelled rows and further ones, each of which counts as one row."""
    weight = labelled.weight
    if weight is not None:
        weight = np.append(weight, np.full(len(y), labelled.unit))
    return Rows(stack(labelled.X, X), np.concatenate([labelled.labels, y]), None, weight)


def mean_and_error(values: Array, weight: Array) -> tuple[float, float]:
    """Return a weighted mean and its standard error; NaN where there are too few values.

    Parameters
    ----------
    values, weight : ndarrays of shape (n,)
        How many rows a value stands for is its weight.

    >>> mean_and_error(np.array([0.0, 1.0, 1.0, 0.0]), np.ones(4))
    (0.5, 0.28867513459481287)
    """
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    mean = float(np.average(values, weights=weight))
    spread = float(np.sqrt(((weight * (values - mean)) ** 2).sum())) / float(weight.sum())
    return mean, spread * float(np.sqrt(n / (n - 1)))
