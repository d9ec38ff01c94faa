"""`Adapter`: what every method on rows is. Stage one learns the source, stage two adapts it.

Longer than other files: half of it is the contract in words, where every method finds it.
"""

from __future__ import annotations

import copy
import os
import sys
import warnings
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from acclimate import validation as door
from acclimate.catalogue import Row, methods, row_of
from acclimate.domain import Domain
from acclimate.exceptions import AcclimateError, InputError, TransferWarning
from acclimate.maths.at_threshold import codes_at, told_at
from acclimate.maths.class_shares import (
    SOFT,
    full_shares,
    log_scores,
    moved,
    shares_of,
    towards_even,
)
from acclimate.preprocessing.steps import by_domain, fit_on_both, fit_step, for_target
from acclimate.refusing import as_input_error
from acclimate.settings import ESTIMATOR, TRANSFORMER, Constraints, check_settings, drawn_seed
from acclimate.shares import Limits, check_class_shares
from acclimate.validation import Rows


@dataclass(frozen=True)
class Adapted:
    """What stage two hands back.

    Parameters
    ----------
    target : estimator
        Predicts rows of the target.
    source : estimator, default=None
        Predicts rows of the source after adaptation; None means the stage-one model still does.
    """

    target: Any
    source: Any = None


def _offers(name: str) -> Any:
    """Availability test for `available_if`: does the model that answers have this method?"""

    def check(self: Adapter) -> bool:
        model = getattr(self, "target_model_", None) or getattr(self, "source_model_", None)
        return hasattr(self._base() if model is None else model, name)

    return check


class Adapter(BaseEstimator, ABC):  # type: ignore[misc]
    """Base class of every method that is fitted on rows of a source and, later, of a target.

    `fit` runs stage one, the source model. With a target it goes on to stage two, the adaptation.
    `adapt` runs stage two alone and always starts from the stage-one state, so that
    ``adapt(a)`` then ``adapt(b)`` equals ``adapt(b)``. A subclass writes one method, `_adapt`.

    What the catalogue says of a built-in method a class of your own says as ``row``, for example
    ``row = Row(target_labels="required", tasks=("regression",))`` with `acclimate.catalogue.Row`.
    Without one: rows, both tasks, target labels ignored, needs source rows. Gaps and sparse rows
    are kept from it, unless its ``__sklearn_tags__`` says that it reads them.

    The firewall: unless the row says that target labels are *required*, or *optional* and the
    method was made with ``use_target_labels=True``, they are removed here, before the method runs.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model f_theta. None means the default of the method.
    preprocess : transformer, default=None
        Fitted on the source rows in stage one and applied to every row of both domains;
        `EachDomain` fits one on each domain by itself. A transformer in front, in a pipeline, would
        never see the target.
    random_state : int, RandomState instance or None, default=None
        Makes a fit reproducible to the bit on one machine and thread count.

    Attributes
    ----------
    source_model_ : estimator
        The stage-one model.
    target_model_ : estimator or None
        The model after stage two; None before.
    adapted_ : bool
        Whether stage two has run.
    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the columns of `predict_proba`. After stage two, the target's.
    threshold_ : dict or None
        ``positive``, a class, and ``value``: from this probability on it is answered; see
        `with_threshold`.
    class_ratio_ : ndarray of shape (n_classes,) or None
        What probabilities of target rows are multiplied by, before each row gets the sum 1; None
        where they stay.
    trained_on_ : dict
        Numbers of rows, features and classes of the source and, after stage two, of the target;
        and the ``random_state`` that gives this model again, also where it was None.
    """

    row: ClassVar[Row]  # what a class says of itself; read it with `row_of`
    _cautious: ClassVar[Row] = Row()  # what is taken to hold where it says nothing
    _not_saved: ClassVar[tuple[str, ...]] = ("_source", "_raw_source", "_share_limits")
    class_ratio_: NDArray[np.float64] | None
    threshold_: dict[str, Any] | None
    _share_limits: Limits | None
    # whether a frame may reach a base model that reads categories: not where rows are calculated on
    _reads_frames: ClassVar[bool] = False
    # whether stage two fits a copy of the preprocessing on the rows of both domains
    _fits_preprocess_on_both: ClassVar[bool] = False
    _weighs_target: ClassVar[bool] = False  # whether labelled target rows may have weights
    _moves_answers: ClassVar[bool] = True  # whether given class shares move the answers
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"target": True, "domains": True}

    _parameter_constraints: ClassVar[Constraints] = {
        "estimator": [ESTIMATOR, None],
        "preprocess": [TRANSFORMER, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self, estimator: Any = None, *, preprocess: Any = None, random_state: Any = None
    ) -> None:
        self.estimator = estimator
        self.preprocess = preprocess
        self.random_state = random_state

    # --- what a method writes ---------------------------------------------------------------

    def _default_estimator(self) -> Any:
        """Return the base model to use where the user gave none."""
        return default_classifier()

    def _fit_source(self, source: Rows, seed: int) -> Any:
        """Stage one: return a model fitted on the source rows."""
        base = self._base()
        return once((source.X, source.y, source.weight), (base, seed),
                    lambda: fit_model(base, source, seed))  # fmt: skip

    @abstractmethod
    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        """Stage two: return the adapted model. ``model`` and ``source`` must not change."""

    def _even_part(self) -> float:
        """Return the part of even shares that answers go to where none are given; 0 is no move."""
        return 0.0

    def _learned_shares(self) -> NDArray[np.float64] | None:
        """Return the class shares that the adapted model learned from, None in a regression."""
        return getattr(self, "source_shares_", None)  # a file of an earlier version has none

    # --- public door ------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        target: Domain | None = None,
        domains: Any = None,
        sample_weight: Any = None,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
    ) -> Self:
        """Learn the source and, where a target is given, adapt to it.

        Parameters
        ----------
        X : array-like or data frame of shape (n, ...)
            Source inputs.
        y : array-like of shape (n,)
            Source labels or target values.
        target : Domain, default=None
            The target. Without it, stage one alone runs.
        domains : array-like of shape (n,), default=None
            Which source each row comes from, where there are several.
        sample_weight : array-like of shape (n,), default=None
            Weights of the source rows, at least 0. A row of weight 3 counts as three rows, one of
            weight 0 not at all.
        class_names : sequence of str or mapping from label to str, default=None
            What the source labels mean; see `Domain`.

        Returns
        -------
        self : Adapter
            The fitted method.

        Raises
        ------
        InputError
            A value cannot be used; the message shows it.
        DomainTypeError
            ``target`` is not a `Domain`.
        """
        if target is not None:
            target = door.check_target(target)
            _warn_of_source_scores()
        check_settings(self)
        row = self._row()
        regression = self._regression()
        tags = get_tags(self)
        raw, nan = self._takes_raw(X, self.preprocess), tags.input_tags.allow_nan
        checked = door.check_inputs(
            self, X, reset=True, raw=raw, finite=not nan, sparse=tags.input_tags.sparse
        )
        X = once((X,), ("inputs", raw, nan), lambda: checked)  # the same object for the same rows
        labels = door.check_labels(self, y, regression=regression, n=door.count(X))
        y = once((y,), ("labels", regression), lambda: labels)
        names = door.check_class_names(class_names)
        door.check_named(y, names, "source")
        weight = door.check_weight(sample_weight, X)
        if weight is not None:
            self._check_takes_weights()
        ids = door.check_ids(domains, door.count(X))
        if ids is not None and not row.several_sources:
            raise InputError(f"{row.name} takes one source; leave out domains to pool the rows")
        given = None
        if weight is not None and not weight.all():  # a row of weight 0 is not there
            door.check_each_source(weight, ids)
            given, kept = weight > 0, np.flatnonzero(weight)
            X, y, weight = door.take(X, kept), y[kept], weight[kept]
            ids = None if ids is None else ids[kept]
        if not regression:
            door.check_two_classes(y, "source")
        if target is not None:  # a wrong target must not cost a fit of the source
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # adapt says it again
                known = None if regression else np.unique(y)
                self._limits_of(target, self._check_target_rows(target, known), known, names)
        self.seed_, again = drawn_seed(self.random_state)
        self.preprocess_ = None
        given_X, self._raw_source = X, None
        if self.preprocess is not None:
            each = by_domain(self.preprocess)
            self._raw_source = X if self._on_both() and not each else None
            plain = Rows(X, y, None, weight, ids if each else None)
            seed = self._stage_seed(0)
            self.preprocess_, X = once(
                (X, y, weight, plain.domains),
                (self.preprocess, seed),
                lambda: self._prepared(plain, seed),
            )
        source = Rows(X, y, None, weight, ids, names, given)
        self.source_model_ = self._fit_source(source, self._stage_seed(1))
        self.source_class_names_ = names
        self.source_shares_ = None if regression else shares_of(y, weight)
        classes = None if regression else np.unique(y).tolist()
        self.trained_on_: dict[str, Any] = {
            "source": self._described(X, classes, names), "random_state": again,
        }  # fmt: skip
        self._source = source if row.needs_source else None
        self._reset_to_stage_one()
        self.rows_held_ = self._rows_kept({"source": (given_X, X)})
        return self if target is None else self.adapt(target)

    def adapt(self, target: Domain) -> Self:
        """Adapt the fitted source model to a target. Changes self and returns it.

        Where the target comes with ``class_shares``, answers for its rows are moved to them: class
        probabilities P_ik become ``P_ik q_k / p_k``, each row scaled to a sum of 1, with p the
        shares that the model learned from and ``q = .98 s + .02 / K``, s the given shares. A range
        moves to its nearest end, and only where the mean probability lies outside it. Classes that
        are not named share the rest as in the source. With two classes shares known to ten points
        help; with ten classes only exact shares that the predicted ones are then near.

        Parameters
        ----------
        target : Domain
            The target's inputs, with labels where the method uses them.

        Returns
        -------
        self : Adapter
            The adapted method. Earlier targets leave no trace.

        Raises
        ------
        InputError
            The target's rows cannot be used, or needed labels are missing.
        DomainTypeError
            ``target`` is not a `Domain`.
        """
        check_is_fitted(self, "source_model_")
        check_settings(self)
        listed = self.trained_on_["source"]["classes"]
        known = None if listed is None else np.asarray(listed)
        rows = self._check_target_rows(door.check_target(target), known)
        limits = self._limits_of(target, rows, known, getattr(self, "source_class_names_", None))
        row = self._row()
        if self._source is None and row.needs_source:
            able = [r.name for r in methods() if not r.needs_source and r.alters]
            raise AcclimateError(
                f"{row.name} needs the source rows to adapt, and a model that was loaded or "
                f"fitted on batches has none. "
                f"Methods that can: {', '.join(able)}"
            )
        step, source = self.preprocess_, self._source
        given_X = rows.X
        if self._raw_source is not None and source is not None:
            first, raw, weight, seed = source, self._raw_source, source.weight, self._stage_seed(0)
            step, ours, theirs = once(
                (raw, given_X, weight), ("both", self.preprocess, seed),
                lambda: fit_on_both(clone(self.preprocess), first, raw, given_X, seed),
            )  # fmt: skip
            source, rows = replace(source, X=ours), replace(rows, X=theirs)
        elif step is not None:
            if by_domain(step):
                fitted, weight = step, rows.weight
                step = once((fitted, given_X, weight), ("each",),
                            lambda: for_target(fitted, given_X, weight))  # fmt: skip
            rows = replace(
                rows, X=once((step, given_X), ("target",), lambda: step.transform(given_X))
            )
        self._reset_to_stage_one()
        self._preprocess_after = step
        self._share_limits = limits
        adapted = self._adapt(self.source_model_, source, rows, self._stage_seed(2))
        self.target_model_ = adapted.target
        self._source_after = adapted.source
        self.adapted_ = row.alters
        self.target_name_ = target.name
        if hasattr(adapted.target, "classes_"):
            self.classes_ = adapted.target.classes_
        self.class_ratio_ = self._share_ratio(rows)
        classes = None if rows.y is None or self._regression() else np.unique(rows.y).tolist()
        self.trained_on_["target"] = {
            "name": target.name,
            "labelled": 0 if rows.y is None else len(rows.y),
            **self._described(rows.X, classes, rows.class_names),
        }
        if target.class_shares is not None:
            self.trained_on_["target"]["class_shares"] = {
                str(label): np.asarray(share).tolist()
                for label, share in target.class_shares.items()
            }
        seen = {"source": () if source is None else (self._raw_source, source.X)}
        held = self._rows_kept({**seen, "target": (given_X, rows.X)})
        first = getattr(self, "rows_held_", {}).get("source", 0)  # stage one's rows stay
        held["source"] = max(held.get("source", 0), first)
        self.rows_held_ = {name: n for name, n in sorted(held.items()) if n}
        return self

    def predict(self, X: Any, *, domain: str = "target") -> Any:
        """Return labels or values for rows of one domain, shape (m,).

        Parameters
        ----------
        X : array-like or data frame of shape (m, ...)
            Inputs, seen before or not.
        domain : {"target", "source"}, default="target"
            Which domain the rows come from.
        """
        return self._answer(X, domain, "predict")

    @available_if(_offers("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any, *, domain: str = "target") -> Any:
        """Return class probabilities, shape (m, n_classes), columns in the order of ``classes_``.

        Parameters
        ----------
        X : array-like or data frame of shape (m, ...)
            Inputs, seen before or not.
        domain : {"target", "source"}, default="target"
            Which domain the rows come from.
        """
        return self._answer(X, domain, "predict_proba")

    @available_if(_offers("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any, *, domain: str = "target") -> Any:
        """Return the model's scores, shape (m,) or (m, n_classes).

        Parameters
        ----------
        X : array-like or data frame of shape (m, ...)
            Inputs, seen before or not.
        domain : {"target", "source"}, default="target"
            Which domain the rows come from.
        """
        return self._answer(X, domain, "decision_function")

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, domain: str = "target") -> float:
        """Return accuracy for a classifier, R2 for a regressor.

        Inside an ordinary cross-validation the scored rows are *source* rows, which picks models
        that are good on the source. `fit` warns there.

        Parameters
        ----------
        X : array-like or data frame of shape (m, ...)
            Inputs.
        y : array-like of shape (m,)
            True labels or values.
        sample_weight : array-like of shape (m,), default=None
            Weights of the rows.
        domain : {"target", "source"}, default="target"
            Which domain the rows come from.
        """
        predicted = self.predict(X, domain=domain)
        metric = r2_score if self._regression() else accuracy_score
        return float(metric(y, predicted, sample_weight=sample_weight))

    def with_threshold(self, value: float, positive: Any) -> Self:
        """Return a copy that answers a class from some probability on, for rows of the target.

        Use it where the classes of two are uneven or an error of one kind costs more; `compare`
        with ``threshold="tuned"`` chooses the value. Do not use it to mend wrong probabilities:
        `predict_proba` and `decision_function` stay as they are, and so do answers for rows of the
        source. `fit` and `adapt` forget the threshold.

        Parameters
        ----------
        value : float in (0, 1)
            From this probability on `predict` answers ``positive``, below it the other class.
        positive : label
            One of the two classes.

        Returns
        -------
        Adapter
            Shares what was learned with this one.

        Raises
        ------
        InputError
            There are no probabilities, or another number of classes than two; or the value or the
            class cannot be.

        Examples
        --------
        >>> import numpy as np
        >>> from acclimate import Domain, SourceOnly
        >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> model = SourceOnly().fit(X, ["no", "no", "yes", "yes"], target=Domain(X))
        >>> model.with_threshold(0.8, "yes").predict(X)
        array(['no', 'no', 'no', 'yes'], dtype='<U3')
        """
        check_is_fitted(self, "source_model_")
        if not hasattr(self, "predict_proba"):
            raise InputError(
                f"a threshold is on a probability, and {type(self).__name__} on "
                f"{type(self._base()).__name__} gives none; choose another base model"
            )
        classes = self.classes_.tolist()
        if len(classes) != 2 or positive not in classes:
            raise InputError(f"positive must be one of two classes, got {positive!r} of {classes}")
        number = isinstance(value, float | np.floating) and 0 < value < 1
        if not number:
            raise InputError(f"the threshold must lie between 0 and 1, got {value!r}")
        made = copy.copy(self)
        made.threshold_ = {"positive": classes[classes.index(positive)], "value": float(value)}
        return made

    def threshold_words(self) -> str:
        """Say from which probability on a class is answered; empty without a threshold."""
        found = getattr(self, "threshold_", None)  # a file of an earlier version has none
        if found is None:
            return ""
        names = getattr(self, "source_class_names_", None) or {}
        positive = found["positive"]
        return told_at(str(names.get(positive, positive)), found["value"])

    def summary(self) -> str:
        """Return one or two plain sentences on what was fitted."""
        check_is_fitted(self, "source_model_")
        name = type(self).__name__
        base = type(self.source_model_).__name__
        if self.adapted_:
            where = f" {self.target_name_!r}" if self.target_name_ else ""
            return f"{name} on {base}: adapted to the target{where}.{self._answers_so()}"
        told = f"{name} on {base}: source model only, not adapted to any target."
        return told + self._answers_so()

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        card: Mapping[str, Any] | None = None,
        extras: Mapping[str, Any] | None = None,
        rows: str = "warn",
    ) -> Path:
        """Write both stages into one file; see `acclimate.save`.

        Parameters
        ----------
        path : path-like
            The file. ``.acclimate`` is the usual ending.
        card : mapping, default=None
            Entries for the model card, such as scores and a verdict.
        extras : mapping, default=None
            Anything else that JSON can hold.
        rows : {"warn", "refuse"}, default="warn"
            What to do where the model keeps rows that it was fitted on.

        Returns
        -------
        pathlib.Path
            The file written.
        """
        from acclimate.persistence import save

        return save(self, path, card=card, extras=extras, rows=rows)

    # --- inside -----------------------------------------------------------------------------

    @classmethod
    def _row(cls) -> Row:
        """Return what is known of this class, from the catalogue or from what it declares."""
        return row_of(cls)

    def _answers_so(self) -> str:
        """Return the sentence of a summary on the threshold, behind a space; empty without one."""
        told = self.threshold_words()
        return f" It {told}." if told else ""

    def _base(self) -> Any:
        return self._default_estimator() if self.estimator is None else self.estimator

    def _takes_raw(self, X: Any, step: Any) -> bool:
        """Tell whether inputs pass as they are: something behind the door reads their columns."""
        if step is not None:
            return True
        frame = self._reads_frames and hasattr(X, "columns")
        return frame and bool(get_tags(self._base()).input_tags.categorical)

    def _prepared(self, rows: Rows, seed: int) -> tuple[Any, Any]:
        """Return the preprocessing fitted on the source, and the rows behind it."""
        step = clone(self.preprocess)
        return step, fit_step(step, rows, seed)

    def _on_both(self) -> bool:
        """Tell whether stage two fits the preprocessing anew, on the rows of both domains."""
        return self._fits_preprocess_on_both

    def _check_takes_weights(self) -> None:
        if not has_fit_parameter(self._base(), "sample_weight"):
            raise InputError(
                f"{type(self._base()).__name__} does not take sample_weight; "
                f"choose an estimator that does, or resample the rows"
            )

    def _regression(self) -> bool:
        return bool(is_regressor(self._base()))

    def _stage_seed(self, stage: int) -> int:
        """Derive a stage's own random stream, so that fit(target) equals fit then adapt."""
        return int(np.random.SeedSequence([self.seed_, stage]).generate_state(1)[0] >> 1)

    def _sees_target_labels(self) -> bool:
        rule = self._row().target_labels
        return rule == "required" or (
            rule == "optional" and bool(getattr(self, "use_target_labels", False))
        )

    def _reset_to_stage_one(self) -> None:
        self.adapted_ = False
        self.target_model_ = None
        self._source_after = None
        self._preprocess_after = self.preprocess_
        self.target_name_ = None
        self.class_ratio_ = None
        self.threshold_ = None
        self._share_limits = None
        # a copy of this method has the same value, and may have another target
        self.trained_on_ = {key: one for key, one in self.trained_on_.items() if key != "target"}
        if hasattr(self.source_model_, "classes_"):
            self.classes_ = self.source_model_.classes_

    def _rows_kept(self, domains: Mapping[str, Any]) -> dict[str, int]:
        """Return how many rows of each domain are found in what was learned; none in a trial."""
        if only_tried():
            return {}
        from acclimate.persistence.held import count_rows

        left = {name for cls in type(self).__mro__ for name in getattr(cls, "_not_saved", ())}
        learned = {name: value for name, value in vars(self).items() if name not in left}
        if domains.get("source"):
            return count_rows(learned, domains)
        return count_rows(learned, domains, "target", (self.source_model_, self.preprocess_))

    def _described(
        self, X: Any, classes: list[Any] | None, names: Mapping[Any, str] | None
    ) -> dict[str, Any]:
        """Return what a model card says of the rows of one domain."""
        shape = getattr(self, "row_shape_", ())
        return ({"shape": list(shape)} if len(shape) > 1 else {}) | {
            "rows": door.count(X),
            "features": getattr(self, "n_features_in_", None),
            "classes": classes,
            "class_names": None if names is None else list(names.values()),
        }

    def _check_target_rows(self, target: Domain, classes: NDArray[Any] | None) -> Rows:
        """Check a target and return what the method may see of it: the firewall on labels.

        ``classes`` are the source's labels, None in a regression.
        """
        tags = get_tags(self)
        raw, nan = self._takes_raw(target.X, self.preprocess), tags.input_tags.allow_nan
        checked = door.check_inputs(
            self, target.X, reset=False, raw=raw, finite=not nan, sparse=tags.input_tags.sparse
        )
        X = once((target.X,), ("target inputs", raw, nan), lambda: checked)
        n = door.count(X)
        if self.preprocess is None and hasattr(self._base(), "copy_fitted"):  # a network
            door.check_single(X, "the target's rows")
        weight = door.check_weight(target.sample_weight, X)
        if weight is not None and not self._weighs_target:
            raise InputError(
                f"{type(self).__name__} takes no weights of target rows; TargetOnly, FineTune, "
                f"ParameterTransfer and JointObjective do. Leave out sample_weight of the target"
            )
        if not self._sees_target_labels():
            return Rows(X, class_names=door.check_class_names(target.class_names))
        if target.y is None:
            raise InputError(
                f"{type(self).__name__} needs target labels: pass Domain(X_target, y_target). "
                f"Methods that need none, as in CORAL().fit(X, y, target=Domain(X_target)): "
                + ", ".join(r.name for r in methods() if r.target_labels != "required" and r.alters)
                + ". Those that adapt(Domain(X_target)) without the source's rows: "
                + ", ".join(r.name for r in methods() if _adapts_alone(r))
            )
        regression = self._regression()
        y, index = door.check_target_labels(
            target, n, regression=regression, classes=classes, estimator=self
        )
        if weight is not None:
            self._check_takes_weights()
            index, y = door.check_counted(index, y, weight)
        names = door.check_class_names(target.class_names)
        door.check_named(y, names, "target")
        row = self._row()
        if not regression and row.target_labels == "required" and not row.needs_source:
            door.check_two_classes(y, "target")  # what pools has the others from the source
        return Rows(X, y, index, weight, None, names)

    def _answer(self, X: Any, domain: str, method: str) -> Any:
        check_is_fitted(self, "source_model_")
        side = door.check_domain_word(domain)
        tags = get_tags(self)
        raw, nan = self._takes_raw(X, self.preprocess_), tags.input_tags.allow_nan
        checked = door.check_inputs(
            self, X, reset=False, raw=raw, finite=not nan, sparse=tags.input_tags.sparse
        )
        X = once((X,), ("asked", raw, nan), lambda: checked)
        after = self.target_model_ if side == "target" else self._source_after
        # a file of an earlier version knows one preprocessing only
        later = getattr(self, "_preprocess_after", self.preprocess_)
        apart = side == "source" and by_domain(self.preprocess_)
        step = self.preprocess_ if after is None or apart else later
        if step is not None:
            X = once((step, checked := X), ("asked",), lambda: step.transform(checked))
        model = self.source_model_ if after is None else after
        # a file of an earlier version has neither
        ratio, cut = getattr(self, "class_ratio_", None), getattr(self, "threshold_", None)
        cut = cut if method == "predict" else None
        if side == "source" or method == "transform" or (ratio is None and cut is None):
            return getattr(model, method)(X)
        proba = model.predict_proba(X)
        proba = proba if ratio is None else moved(proba, ratio)
        if cut is not None:
            code = self.classes_.tolist().index(cut["positive"])
            return self.classes_[codes_at(proba, code, cut["value"])]
        if method == "predict":
            return self.classes_[proba.argmax(axis=1)]
        return proba if method == "predict_proba" else log_scores(proba)

    def _limits_of(
        self, target: Domain, rows: Rows, classes: NDArray[Any] | None, names: Any
    ) -> Limits | None:
        """Return what is said of the target's class shares, checked; None where nothing is."""
        if target.class_shares is None:
            return None
        if classes is None:
            raise InputError("class_shares are for classes, and this is a regression")
        if rows.y is not None:
            raise InputError(
                f"{type(self).__name__} learns from target labels, and class_shares are for "
                f"targets without; leave out one of them"
            )
        if self._moves_answers and not hasattr(self._base(), "predict_proba"):
            self._refuse_shares()
        names = door.check_class_names(target.class_names or names)
        return check_class_shares(target.class_shares, classes, names)

    def _with_shares(
        self,
        class_shares: Mapping[Any, Any],
        mean: Callable[[Self], NDArray[np.float64]] | None = None,
    ) -> Self:
        """Return a copy whose answers for target rows are moved to class shares.

        A range moves to its nearest end. For it, ``mean`` returns the mean probabilities of all
        rows, by a copy that moves nothing.
        """
        known, name = self._learned_shares(), type(self).__name__
        if known is None or not self._moves_answers or not hasattr(self, "predict_proba"):
            raise InputError(f"the answers of this {name} cannot be moved to other class shares")
        if self.trained_on_.get("target", {}).get("labelled"):
            raise InputError(f"this {name} learned the class shares of its target from labels")
        if told := self.threshold_words():
            raise InputError(
                f"this {name} {told}, which was chosen at other class shares; leave out these, or "
                f"adapt again, which forgets the threshold"
            )
        names = door.check_class_names(getattr(self, "source_class_names_", None))
        limits = check_class_shares(class_shares, np.asarray(self.source_model_.classes_), names)
        made = copy.copy(self)
        made.class_ratio_ = None
        implied = known
        if not limits.exact:
            if mean is None:
                raise InputError(
                    "a range needs all rows at once: give one file, adapt to them, or give one "
                    "number"
                )
            implied = mean(made)
        found = full_shares(limits.low, limits.high, known, implied)
        made.class_ratio_ = None if found is None else towards_even(found, SOFT) / known
        return made

    def _share_ratio(self, target: Rows) -> NDArray[np.float64] | None:
        """Return what probabilities of target rows are multiplied by; None where they stay."""
        even = 0.0 if self._regression() else self._even_part()
        known = self._learned_shares()
        if known is None and self._share_limits is not None:
            raise InputError(
                f"this {type(self).__name__} does not know the class shares of its source; fit it "
                f"on rows, with this version"
            )
        if known is None or not (even or self._share_limits) or not self._moves_answers:
            return None
        if self._share_limits is None:
            return towards_even(known, even) / known
        if not hasattr(self.target_model_, "predict_proba"):
            self._refuse_shares()
        implied = known
        if not self._share_limits.exact:
            implied = np.asarray(self.target_model_.predict_proba(target.X)).mean(axis=0)
        found = full_shares(self._share_limits.low, self._share_limits.high, known, implied)
        return None if found is None else towards_even(found, SOFT) / known

    def _refuse_shares(self) -> NoReturn:
        raise InputError(
            f"class_shares move probabilities, and {type(self).__name__} on "
            f"{type(self._base()).__name__} gives none; choose another base model or method"
        )

    def _html_repr(self) -> str:
        """Return what notebooks show: scikit-learn's diagram, and the summary."""
        from html import escape

        from sklearn.utils import estimator_html_repr

        words = f"{type(self).__name__} on {type(self._base()).__name__}: not fitted."
        if hasattr(self, "source_model_"):
            words = self.summary()
        return f"{estimator_html_repr(self)}<p>{escape(words)}</p>"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "source_model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        base = get_tags(self._base())
        tags.estimator_type = base.estimator_type
        tags.classifier_tags = base.classifier_tags
        tags.regressor_tags = base.regressor_tags
        tags.target_tags.required = True
        tags.input_tags.allow_nan = base.input_tags.allow_nan or self.preprocess is not None
        tags.input_tags.sparse = base.input_tags.sparse
        tags.non_deterministic = base.non_deterministic
        if not self._row().module.startswith("acclimate."):  # what an own class calculates on rows
            tags.input_tags.allow_nan = self.preprocess is not None
            tags.input_tags.sparse = False
        return tags


class Shared:
    """What several methods learn alike from the same source rows; see `sharing`.

    Parameters
    ----------
    most : int, default=32
        Fits that are kept, the latest used.
    saved : bool, default=True
        Whether a method may be saved, so that the rows it holds are counted.
    """

    def __init__(self, most: int = 32, *, saved: bool = True) -> None:
        self.most, self.saved = most, saved
        self.kept: OrderedDict[Any, tuple[Any, Any]] = OrderedDict()


_SHARED: ContextVar[Shared | None] = ContextVar("shared", default=None)


@contextmanager
def sharing(shared: Shared) -> Iterator[Shared]:
    """Fit each preprocessing and each source model once, for all methods fitted inside.

    Methods with equal base models, preprocessing and seeds learn the same from the same source
    rows, and stage two changes none of it; so do preprocessing steps that read the rows of both
    domains. Rows are the same where they are the same objects.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import CORAL, SourceOnly
    >>> from acclimate.adapter import Shared, sharing
    >>> X, y = np.array([[0.0], [1.0]] * 4), np.array([0, 1] * 4)
    >>> with sharing(Shared()):
    ...     one, two = CORAL(random_state=0).fit(X, y), SourceOnly(random_state=0).fit(X, y)
    >>> one.source_model_ is two.source_model_
    True
    """
    before = _SHARED.set(shared)
    try:
        yield shared
    finally:
        _SHARED.reset(before)


def sharing_more() -> AbstractContextManager[Shared]:
    """Return `sharing` that goes on where it is on already, for a method that fits several."""
    return sharing(_SHARED.get() or Shared())


def only_tried() -> bool:
    """Tell whether a method is fitted to be tried on a target, and neither kept nor saved."""
    shared = _SHARED.get()
    return shared is not None and not shared.saved


def once(rows: tuple[Any, ...], settings: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Return what ``make`` gives, made once for these rows and settings inside `sharing`.

    Parameters
    ----------
    rows : tuple of object
        Told apart by identity; they are kept alive with the result.
    settings : tuple of object
        Told apart by content.
    make : callable
        Makes the result.
    """
    shared = _SHARED.get()
    if shared is None:
        return make()
    import joblib

    key = (*(id(part) for part in rows), joblib.hash(settings))
    if key not in shared.kept:
        shared.kept[key] = (rows, make())
    shared.kept.move_to_end(key)
    while len(shared.kept) > shared.most:
        shared.kept.popitem(last=False)
    return shared.kept[key][1]


def seeded(estimator: Any, seed: int) -> Any:
    """Return a clone of ``estimator`` with its free random states seeded."""
    model = clone(estimator)
    free = {
        key: seed
        for key, value in sorted(model.get_params(deep=True).items())
        if value is None and (key == "random_state" or key.endswith("__random_state"))
    }
    return model.set_params(**free)


def fit_model(estimator: Any, rows: Rows, seed: int) -> Any:
    """Return a clone of ``estimator`` fitted on labelled rows, its free random states seeded."""
    weight = rows.labelled_weight
    extra = {} if weight is None else {"sample_weight": weight}
    with as_input_error(rows.labelled_X, type(estimator).__name__, only=ValueError):
        return seeded(estimator, seed).fit(rows.labelled_X, rows.y, **extra)


def _adapts_alone(row: Row) -> bool:
    """Tell whether a method adapts with neither source rows nor target labels."""
    return row.alters and not row.needs_source and row.target_labels != "required"


def _scores_target(scorer: Any) -> bool:
    """Say whether a scorer, or each of several, looks at the target."""
    several = scorer if isinstance(scorer, dict) else getattr(scorer, "_scorers", None)
    each = list(several.values()) if several else [scorer]
    return all(getattr(one, "scores_target", False) for one in each)


def _warn_of_source_scores() -> None:
    """Warn where scikit-learn's cross-validation will score an adapted model on source folds."""
    frame = sys._getframe(2)  # the caller of fit; a pipeline or a subclass stands in between
    for _ in range(8):
        if frame is None or frame.f_code.co_name == "_fit_and_score":
            break
        frame = frame.f_back  # type: ignore[assignment]
    else:
        return
    if frame is None or _scores_target(frame.f_locals.get("scorer")):
        return
    warnings.warn(
        "this cross-validation scores an adapted model on held-out *source* rows. It ranks models "
        "by how well they do on the source, not on the target.",
        TransferWarning,
        stacklevel=3,
    )


def default_classifier() -> Any:
    """Return the base model of every shallow method: logistic regression, 1000 iterations."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)
