"""`Committee`: several methods that answer together."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from acclimate.adapter import Adapted, Adapter, sharing_more
from acclimate.base.words import source_models
from acclimate.catalogue import Row
from acclimate.domain import Domain
from acclimate.exceptions import InputError
from acclimate.maths.class_shares import log_scores
from acclimate.settings import SHARE, TRANSFORMER, Constraints
from acclimate.shares import Limits
from acclimate.validation import Rows
from acclimate.workers import spread

if TYPE_CHECKING:
    from acclimate.base.source_only import SourceOnly

Floats = NDArray[np.float64]
EVEN = 0.25  # part of even class shares, where nothing is known of the target's
_NAMED = 3  # members that the summary names


class Committee(Adapter):
    """Answer with the weighted mean of several methods.

    Use it with few target labels, when the best of many methods cannot be told from its neighbours:
    a mean of what did well is safer than a pick. `compare` makes one and chooses the weights. Use
    it without any target label, too: ``Committee()`` is what to take where nothing is known. Do not
    use it where one model must be explained, or where an answer has to come fast: it takes as long
    as all of its members together.

    The answer is ``sum_k w_k p_k / sum_k w_k`` over the members' class probabilities, and the same
    for values. For rows of a target, class probabilities P_ic then become ``P_ic q_c / p_c``, each
    row scaled to a sum of 1, with p the source's class shares and ``q = (1 - e) p + e / C`` for the
    ``even`` part e of C classes: other shares are likely there, and which is not known. With
    ``class_shares``, of the target or else of this, q is what these say.

    Parameters
    ----------
    members : sequence of (str, Adapter), default=None
        Names and methods, each with its base model and preprocessing, for one task. None means
        `SourceOnly` on five models of classes: logistic regression with C = 1 and 0.1, discriminant
        analysis with shrinkage, extra trees, and boosting of 60 small trees. `source_members` gives
        them for values, too. Of the five, discriminant analysis is left out where rows have weights
        or are sparse.
    weights : sequence of float, at least 0, default=None
        One a member, with a sum above 0. None weighs all the same.
    even : float in [0, 1], default=None
        Part of even class shares that answers for target rows move to. None means 0.25 with
        ``members=None``, else 0.
    class_shares : mapping from label, or its name, to float or pair of float, default=None
        Shares that answers for target rows move to where the target says none; see `Domain`. Only
        where no member sees target labels.
    preprocess : transformer, default=None
        Fitted on the source, in front of the members' own.
    random_state : int, RandomState instance or None, default=None
        Seeds the members that have no seed of their own.

    Attributes
    ----------
    source_model_ : Voices
        The members after stage one.
    target_model_ : Voices or None
        The members after stage two.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        Labels.

    Raises
    ------
    InputError
        There are no members, weights do not fit, or a member gives no probabilities.

    References
    ----------
    Caruana et al., "Ensemble selection from libraries of models", doi:10.1145/1015330.1015432, on
    means of many models. Littlestone and Warmuth, "The weighted majority algorithm",
    doi:10.1006/inco.1994.1009, on weights that fall exponentially with the loss.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Committee, Domain, Pooled, TargetOnly
    >>> X, Xt = np.linspace(-1, 1, 50)[:, None], np.linspace(-1, 1, 20)[:, None]
    >>> both = Committee([("pooled", Pooled()), ("alone", TargetOnly())], weights=[3, 1])
    >>> model = both.fit(X, X[:, 0] > 0, target=Domain(Xt, Xt[:, 0] > 0.3))
    >>> model.predict([[-0.5], [0.9]])
    array([False,  True])
    """

    _reads_frames = True

    def __init__(
        self,
        members: Sequence[tuple[str, Any]] | None = None,
        *,
        weights: Sequence[float] | None = None,
        even: float | None = None,
        class_shares: Mapping[Any, Any] | None = None,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        self.members = members
        self.weights = weights
        self.even = even
        self.class_shares = class_shares
        self.preprocess = preprocess
        self.random_state = random_state

    row = Row(needs_source=False, several_sources=True)  # members hold what they need
    estimator = None  # each member has its own
    _parameter_constraints: ClassVar[Constraints] = {
        "even": [SHARE, None],
        "preprocess": [TRANSFORMER, None],
        "random_state": ["random_state"],
    }

    def _limits_of(
        self, target: Domain, rows: Rows, classes: NDArray[Any] | None, names: Any
    ) -> Limits | None:
        if target.class_shares is None and self.class_shares is not None:
            target = replace(target, class_shares=self.class_shares)
        return super()._limits_of(target, rows, classes, names)

    def _even_part(self) -> float:
        return float(self.even if self.even is not None else EVEN if self.members is None else 0)

    def summary(self) -> str:
        """Return one or two plain sentences on what was fitted, the heaviest members first."""
        check_is_fitted(self, "source_model_")
        voices = self.target_model_ if self.adapted_ else self.source_model_
        pairs = zip((name for name, _ in voices.members), voices.weights, strict=True)
        heaviest = sorted(pairs, key=lambda pair: -pair[1])
        told = ", ".join(f"{name} {100 * w:.0f} %" for name, w in heaviest[:_NAMED])
        more = len(heaviest) - _NAMED
        told += f" and {more} more" if more > 0 else ""
        where = f" {self.target_name_!r}" if self.adapted_ and self.target_name_ else ""
        state = f"adapted to the target{where}" if self.adapted_ else "not adapted to any target"
        return f"Committee of {told}: {state}.{self._answers_so()}"

    def _methods(self) -> list[tuple[str, Any]]:
        if self.members is not None:
            for pair in self.members:
                if not isinstance(pair, tuple | list) or len(pair) != 2:
                    raise InputError(
                        f'members must be pairs such as ("all rows", Pooled()), got {pair!r}'
                    )
            for name, method in self.members:
                if not isinstance(method, Adapter):
                    raise InputError(
                        f"member {name!r} must be a method such as Pooled(...), got "
                        f"{type(method).__name__}; base models go into its estimator"
                    )
            return [(str(name), method) for name, method in self.members]
        return source_members("classification")

    def _base(self) -> Any:
        methods = self._methods()
        return methods[0][1]._base() if methods else self._default_estimator()

    def _takes_raw(self, X: Any, step: Any) -> bool:
        if step is not None:
            return True
        return any(one._takes_raw(X, one.preprocess) for _, one in self._methods())

    def _sees_target_labels(self) -> bool:
        return any(method._sees_target_labels() for _, method in self._methods())

    def _fit_source(self, source: Rows, seed: int) -> Any:
        shares: list[float] = []
        names: list[str] = []
        waiting: list[tuple[Any]] = []
        for (name, method), share in zip(self._methods(), self._shares(), strict=True):
            if self.members is None and not _reads(method._base(), source):
                continue
            shares.append(share)
            one = clone(method)
            if one.random_state is None:
                one.set_params(random_state=seed)
            names.append(name)
            waiting.append((one,))
        with sharing_more():
            members = spread(_fitted, waiting, common=(source,))
        fitted = list(zip(names, members, strict=True))
        for name, one in fitted:
            if not self._regression() and not hasattr(one, "predict_proba"):
                raise InputError(
                    f"a committee takes the mean of probabilities, and member {name!r} on "
                    f"{type(one._base()).__name__} gives no probabilities; choose another base"
                )
        return Voices(fitted, tuple(share / sum(shares) for share in shares), "source")

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        # adapt writes attributes of its method and changes none of what it finds there
        copies = [(copy.copy(one),) for _, one in model.members]
        members = spread(_adapted, copies, common=(target,))
        adapted = [(name, one) for (name, _), one in zip(model.members, members, strict=True)]
        both = (Voices(adapted, model.weights, side) for side in ("target", "source"))
        return Adapted(*both)

    def _shares(self) -> tuple[float, ...]:
        methods = self._methods()
        if not methods:
            raise InputError("Committee needs a member or more, got members=[]")
        given = [1.0] * len(methods) if self.weights is None else list(self.weights)
        try:
            values = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.array([np.nan])
        if len(given) != len(methods) or not np.isfinite(values).all() or (values < 0).any():
            raise InputError(
                f"weights must be {len(methods)} numbers of at least 0, one a member, got "
                f"{self.weights!r}"
            )
        if not values.sum() > 0:
            raise InputError(f"weights must have a sum above 0, got {self.weights!r}")
        return tuple((values / values.sum()).tolist())


def source_members(
    task: str, preprocess: Mapping[str, Any] | None = None
) -> list[tuple[str, SourceOnly]]:
    """Return the members of the committee to take where nothing is known of the target.

    Parameters
    ----------
    task : {"classification", "regression"}
    preprocess : mapping from str to transformer, default=None
        By name of a member.

    Examples
    --------
    >>> [name for name, _ in source_members("classification")]
    ['logistic', 'logistic, C 0.1', 'lda', 'trees', 'boosting']
    """
    from acclimate.base.source_only import SourceOnly

    steps = preprocess or {}
    return [
        (name, SourceOnly(base, preprocess=steps.get(name)))
        for name, base in source_models(task).items()
    ]


def _reads(base: Any, rows: Rows) -> bool:
    """Tell whether a base model takes weights, and sparse rows, where there are some."""
    weighs = rows.weight is None or has_fit_parameter(base, "sample_weight")
    return weighs and (not hasattr(rows.X, "tocsr") or get_tags(base).input_tags.sparse)


class Voices:
    """Fitted methods that answer together for rows of one domain.

    Parameters
    ----------
    members : list of (str, Adapter)
        Fitted.
    weights : tuple of float
        Their shares.
    domain : {"target", "source"}
        Which rows they are asked about.
    """

    def __init__(
        self, members: list[tuple[str, Any]], weights: tuple[float, ...], domain: str
    ) -> None:
        self.members = members
        self.weights = weights
        self.domain = domain
        known = [one.classes_ for _, one in members if hasattr(one, "classes_")]
        if known:
            self.classes_ = np.unique(np.concatenate(known))

    def values(self, X: Any) -> Floats:
        """Return the mean, shape (m,) or (m, n_classes)."""
        total: Any = 0.0
        for (_, one), weight in zip(self.members, self.weights, strict=True):
            if not hasattr(self, "classes_"):
                said = np.asarray(one.predict(X, domain=self.domain), dtype=np.float64)
            else:
                own = np.asarray(one.predict_proba(X, domain=self.domain), dtype=np.float64)
                said = np.zeros((len(own), len(self.classes_)))
                said[:, np.searchsorted(self.classes_, one.classes_)] = own
            total = total + weight * said
        mean: Floats = total
        return mean

    def predict(self, X: Any) -> Any:
        """Return labels or values, shape (m,)."""
        values = self.values(X)
        return values if values.ndim == 1 else self.classes_[values.argmax(axis=1)]

    def __getattr__(self, name: str) -> Any:
        if "classes_" in self.__dict__:
            if name == "predict_proba":
                return self.values
            if name == "decision_function":
                return lambda X: log_scores(self.values(X))
        raise AttributeError(name)


def _fitted(source: Rows, method: Any) -> Any:
    return method.fit(
        source.X, source.y, domains=source.domains if _several(method) else None,
        sample_weight=source.weight, class_names=source.class_names,
    )  # fmt: skip


def _adapted(target: Rows, method: Any) -> Any:
    return method.adapt(_domain(target, method))


def _several(method: Any) -> bool:
    return bool(method._row().several_sources)


def _domain(target: Rows, method: Any) -> Domain:
    """Return the target for a member, with labels where it may see some."""
    if target.y is None or not method._sees_target_labels():
        return Domain(target.X, class_names=target.class_names)
    if target.labelled is None:
        return Domain(
            target.X, target.y, sample_weight=target.weight, class_names=target.class_names
        )
    n = target.X.shape[0]
    labels = np.resize(target.y[:1], n)
    labels[target.labelled] = target.y
    known = np.zeros(n, dtype=bool)
    known[target.labelled] = True
    return Domain(
        target.X, labels, labelled=known, sample_weight=target.weight,
        class_names=target.class_names,
    )  # fmt: skip
