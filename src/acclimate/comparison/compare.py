"""`compare`: which method is best for this target, and does it really help?

Longer than other files: each setting of `compare` is described here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.answers import row_scores
from acclimate.comparison.bases import (
    ALIGNED,
    LEAST_CLASSES,
    SOURCE_COMMITTEE,
    TABLES,
    aligned,
    default_estimators,
    source_committee,
    strong_estimators,
    table_preprocess,
)
from acclimate.comparison.candidates import (
    STANDARDS,
    TARGET_ONLY,
    Candidate,
    Excluded,
    Need,
    choose,
    describe,
)
from acclimate.comparison.design import Design, fits_of, make_design
from acclimate.comparison.encoded import behind, encoded, front_for, in_table
from acclimate.comparison.few import (
    few_words,
    fitted_everywhere,
    judgeable,
    judged_by,
    unsettled,
)
from acclimate.comparison.joined import joining
from acclimate.comparison.labelled import WithLabels
from acclimate.comparison.last_fit import last_rows, refit
from acclimate.comparison.problem import Problem, check_problem
from acclimate.comparison.result import Comparison
from acclimate.comparison.spreading import METHODS as SPREADING
from acclimate.comparison.spreading import (
    SPREAD,
    alike,
    few_among,
    spread_labels,
    spreading,
    spreads_labels,
)
from acclimate.comparison.summary import from_estimate, from_labels
from acclimate.comparison.thinning import MOST_ROWS, rows_within, thin
from acclimate.comparison.trials import shared
from acclimate.comparison.trials.cluster import count_workers, engine_for
from acclimate.comparison.trials.records import Job
from acclimate.comparison.trials.runner import Limits, OnTrial, Trials, begun
from acclimate.comparison.trials.store import Store
from acclimate.comparison.trials.versions import ALLOWED, versions_of_all
from acclimate.comparison.tuned import tuned
from acclimate.comparison.unlabelled import WithoutLabels
from acclimate.comparison.weighed import COMMITTEE
from acclimate.domain import Domain
from acclimate.exceptions import InputError
from acclimate.files import temporary_folder
from acclimate.folds import row_keys
from acclimate.judging.intervals import check_confidence
from acclimate.preprocessing.one_scale import OneScale
from acclimate.report.compared import Compared
from acclimate.report.compared_parts import Sample
from acclimate.report.thumbnails import with_thumbnails
from acclimate.workers import working

if TYPE_CHECKING:
    from acclimate.adapter import Adapter


def compare(
    source: Domain | tuple[Any, Any],
    target: Domain,
    *,
    estimator: Any = None,
    task: str | None = None,
    preprocess: Any = "auto",
    encoder: Any = "auto",
    methods: Sequence[str] | None = None,
    candidates: Mapping[str, Adapter] | None = None,
    networks: bool = False,
    domains: Any = None,
    groups: Any = None,
    label_weights: Any = None,
    budget: float | None = None,
    trials: int | None = None,
    folds: int = 5,
    repeats: int | None = None,
    margin: float = 0.01,
    metric: Any = None,
    positive: Any = None,
    threshold: str | None = None,
    committee: bool | None = None,
    confidence: float = 0.95,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | Any = None,
    allow_versions: str = "same",
    n_jobs: int | None = None,
    random_state: int = 0,
    progress: OnTrial | None = None,
) -> Comparison:
    """Try the methods that fit the data, recommend one or none, and say how sure that is.

    Use it to decide whether to transfer, and how. Do not use it where a method is settled and only
    its settings are open: a grid search with our splitter is cheaper.

    *With target labels*, the labels are laid out in folds before any fit. Each candidate is trained
    without a fold, the candidates are weighed (or one is picked) inside the training part, and the
    committee is judged on the fold. So no label weighs, chooses or trains what it judges. The
    verdict is on weighing and fitting together, against the constant answer, the source alone, the
    target alone, both pooled, and the best of these as it would have been picked. Candidates that
    are clearly behind in all folds stop early.

    *Without target labels*, candidates are ranked by validators and the gain is an estimate, which
    the result says. That ranking is no recommendation: with ``estimator`` and ``methods`` None, a
    `Committee` of source models is, which seldom does harm; behind an encoder, with more than three
    classes, `MEDA` is, each domain scaled by itself; and where labels are few, rows without one ten
    times as many, and nothing shows that the domains differ, `PoissonLearning` times the linear
    model is, and nothing that aligns is tried. The result asks for the share of a class,
    ``Domain(..., class_shares=)``, and says which rows to label first.

    "Do not transfer" is recommended whenever nothing is shown to beat the reference.

    Parameters
    ----------
    source : Domain or pair (X, y)
        Labelled rows.
    target : Domain
        Rows with labels for all, some or none of them; without any, ``class_shares`` say more than
        all that can be estimated. With labels, and ``estimator`` and ``methods`` left open, they
        move the committee of source models that takes part; what labels train stays as it is.
    estimator : estimator or mapping from name to estimator, default=None
        Base models. None means logistic or ridge regression, and a network where allowed; with
        target labels and ``methods=None`` the strong ones that ``committee`` names.
    task : {"classification", "regression"} or None, default=None
        What the labels are. None decides by the base models, and without any by the source's
        labels: numbers with fractions, or more than 20 different whole numbers, are a regression.
    preprocess : transformer, "auto" or None, default="auto"
        Part of every candidate. "auto" scales the columns of plain arrays of numbers, and features
        of an encoder by one number (`OneScale`).
    encoder : str, transformer or None, default="auto"
        For pictures, and columns of text in a frame: what makes features of them, once for all
        candidates: a word or file of `acclimate.transfer.encoders`, or a transformer. Texts are
        read by "minilm" and "wordllama" (extra ``text``); the other columns stay. "auto" leaves
        texts to TF-IDF, and for pictures takes "efficientnet-lite0" where it is installed (extra
        ``vision``) and neither preprocessing, candidates of your own nor networks are given. None
        leaves pictures as they are.
    methods : sequence of str, default=None
        Names in the catalogue. None means all that fit. The baselines always take part.
    candidates : mapping from name to Adapter, default=None
        Methods with settings and base models of your own, not fitted. They take part beside those
        of the catalogue. A `TargetOnly` or `SourceOnly` of your own joins that reference.
    networks : bool, default=False
        Whether methods and base models that need torch take part. `FixMatch` and its kin only where
        at least ten times as many rows have no label as have one, and at most 1000 have one.
    domains : array-like of shape (n,), default=None
        Which source each row comes from, where there are several.
    groups : array-like of shape (m,) or str, default=None
        A group for each target row, or the column that holds it. Harm is shown for each.
    label_weights : array-like of shape (k,) or (m,), default=None
        Importance weights, above 0, of the labelled rows or of all: those that an earlier run gave
        with the rows to label. Such rows are no plain sample, and unweighted scores on them would
        be wrong. None means that the labelled rows are a plain sample.
    budget : float, default=None
        Seconds of wall time, above 0, the last fit included. Cheap candidates come first, then dear
        ones, thinned by successive halving. Large tables are tried on a sample of their rows;
        `Comparison.best_model` then fits on as many rows as the time allows. None means no limit.
    trials : int, default=None
        Most trials that are run. `SourceOnly` and `TargetOnly` run in any case, and count.
    folds : int, default=5
        Folds of the labelled rows, at least 3.
    repeats : int, default=None
        How often folds are laid out, at least 1. More make the choice steadier; the interval takes
        no credit for them. None means 1 for a committee and 3 for a single model.
    margin : float in [0, 1), default=0.01
        Gains within it count as no difference; 0.01 is one point. For MAE and RMSE it is a share
        of the standard deviation of the labels, for other metrics in units of the metric.
    metric : str, callable or None, default=None
        With target labels: what picks and what the verdicts are by. "accuracy",
        "balanced_accuracy", "f1", "precision", "recall", "auc", "average_precision", "log_loss",
        "brier"; "r2", "mae", "rmse"; the name of any scorer of scikit-learn; or a scorer of your
        own, ``scorer(estimator, X, y)``, whose estimator answers from cross-fitted answers and
        whose X is positions. None means accuracy or R2. A gain above 0 is better in each.
        Candidates without probabilities are left out where the metric needs them. A committee is
        weighed by log loss or squared error in any case.
    positive : label, default=None
        The class that F1, precision, recall, AUC and average precision are of. None means the rarer
        of two among the known target labels; with more than two classes, the mean over the classes.
    threshold : {"tuned"} or None, default=None
        With labels of two classes and a metric of answers (accuracy, balanced accuracy, F1,
        precision, recall, a scorer of predictions): "tuned" answers the positive class from the
        probability on at which the metric is best. It is chosen for each candidate, each reference
        and the committee alike, for a fold on the labels of the others; labels too few to settle
        anything tune nothing. `Comparison.best_model` has the one of all labels, which
        ``details.threshold`` tells; see `Adapter.with_threshold`. Candidates without probabilities
        answer as they do, and there is no curve by labels. None means a probability of a half.
    committee : bool or None, default=None
        With target labels: weigh the candidates by their loss on held-out labels and let at most
        ten answer together. Where ``estimator`` and ``methods`` are None, it tries the standards of
        the few-label case on linear models, boosting, extra trees and a forest, and a network where
        allowed. The weights come from the log loss or the squared error. False picks one model, and
        the result says what that costs. None means True.
    confidence : float in (0, 1), default=0.95
        Of the verdict's interval.
    store : path-like, default=None
        File that every trial is written to as it ends. One that exists is gone on with: trials with
        equal data, settings, seed and versions are not run again. None means a temporary file.
    executor : concurrent.futures.Executor or dask.distributed.Client, default=None
        Runs the trials. None means processes on this machine, one thread each. A Dask client and
        its ``get_executor()`` do the same: the data travel once to a worker that needs them. The
        members of a committee are fitted there, too, where it is still open when the model is.
    allow_versions : {"same", "differ"}, default="same"
        Whether workers may run another acclimate, scikit-learn, numpy, scipy or torch. With
        "differ" the store says of each trial what made it, and goes on with what others made.
    n_jobs : int, default=None
        Local processes; None means one a core, 1 runs everything in this process.
    random_state : int, default=0
        Seeds folds and candidates.
    progress : callable, default=None
        Called as ``progress(done, planned, trial)`` after each trial.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        A value cannot be used; the message shows it. Or a worker runs another version.
    AcclimateError
        The cluster or the executor is gone. What had ended is in ``store``.
    DomainTypeError
        The target is no `Domain`.

    Notes
    -----
    The interval is that of `judging.crossfitted.cross_fitted_interval`. How often the words are
    wrong was simulated in ``benchmarks/choose_calibration.py``.
    Fewer than 8 labels, or fewer than two classes with 3 of them, are "not settled", and the first
    line says why: they are held out one at a time, or in folds, and what cannot be fitted without
    any of these is left out. One label judges nothing: the result is then an estimate.
    The final candidate is picked on all labels and fitted on all labels. The verdict is on folds
    with (folds - 1) / folds of them, so it is on the safe side where more labels help.
    Ctrl-C leaves a store that the next call goes on with.

    References
    ----------
    Varma and Simon, "Bias in error estimation when using cross-validation for model selection",
    doi:10.1186/1471-2105-7-91, on nested cross-validation.
    Nadeau and Bengio, "Inference for the generalization error", doi:10.1023/A:1024068626366.
    Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter
    optimization", arXiv:1502.07943, on successive halving.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, compare
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(200, 2)), rng.normal(size=(60, 2)) + [3.0, 0.0]
    >>> y, yt = (X[:, 0] > 0).astype(int), (Xt[:, 0] > 3).astype(int)
    >>> found = compare((X, y), Domain(Xt, yt), methods=["CORAL"], repeats=1, n_jobs=1)
    >>> found.recommendation.candidate, found.estimate
    ('Committee', False)
    """
    started = begun()
    check_confidence(confidence)
    if budget is not None and not budget > 0:
        raise InputError(f"budget must be above 0 seconds or None, got {budget!r}")
    if trials is not None and trials < 1:
        raise InputError(f"trials must be at least 1 or None, got {trials!r}")
    if allow_versions not in ALLOWED:
        raise InputError(f"allow_versions must be one of {ALLOWED}, got {allow_versions!r}")
    if not 0 <= margin < 1:
        raise InputError(f"margin must lie in [0, 1), where 0.01 is one point, got {margin!r}")
    estimators = _named(estimator)
    problem = check_problem(
        source, target, estimators=estimators, domains=domains, groups=groups, margin=margin,
        confidence=confidence, label_weights=label_weights, task=task, metric=metric,
        positive=positive,
    )  # fmt: skip
    problem, few = judgeable(tuned(problem, threshold))
    own, joined = dict(candidates or {}), {}
    preprocess, texts = in_table(problem, encoder, preprocess, own=bool(own))
    front = front_for(
        problem, None if texts else encoder, estimators, preprocess, own=bool(own),
        networks=networks,
    )  # fmt: skip
    pictures, problem = problem, encoded(problem, front)
    weighs = committee is not False
    if repeats is None:
        repeats = 1 if weighs else 3
    images = len(problem.source.X.shape) > 2
    need = Need(
        problem.task, problem.labelled or bool(few), problem.source_ids is not None,
        problem.own_classes, images, networks,
        few_among(problem.labels, problem.target_rows - len(problem.known)),
        hasattr(problem.source.X, "columns"),
    )  # fmt: skip
    lean = False
    if estimators is None:
        lean = need.labels and not images and methods is None
        given = strong_estimators if lean else default_estimators
        estimators = given(need, front is not None or texts > 0)
        methods = STANDARDS if lean else methods
    if isinstance(preprocess, str):
        preprocess = _auto(preprocess, problem, front)
    told = problem.labelled or few or methods or estimator is not None
    if not (told or images):
        many = problem.classes is not None and len(problem.classes) >= LEAST_CLASSES
        if front is not None and many and need.few_labels and alike(problem, random_state):
            own[SPREAD] = spreading(estimators["linear"], preprocess, multiply=True)
            methods, lean = SPREADING, True  # nothing is to be aligned
        elif front is not None and many:  # features of an encoder align
            own[ALIGNED] = aligned(estimators["linear"], problem.source.X)
        else:
            own[SOURCE_COMMITTEE] = source_committee(problem.task, problem.source.X, preprocess)
    elif (
        lean and problem.labelled and need.task == "classification" and front is None and not texts
    ):
        own |= (joined := joining(problem, preprocess))
    elif lean and front is not None and spreads_labels(problem):
        own |= spread_labels(estimators["linear"], preprocess)
    if problem.class_shares is not None and not joined:
        raise InputError(
            "class_shares of a target with labels move a committee of source models, which takes "
            "part only on tables, with estimator and methods left open and without new classes; "
            "what labels train has the shares from them. Leave out class_shares, or the labels"
        )
    if hasattr(problem.source.X, "columns") and type(preprocess).__name__ in TABLES:
        preprocess = table_preprocess(problem.source.X, estimators, preprocess)
    tried, excluded = choose(
        need, estimators, preprocess, random_state, methods, own, variants=problem.labelled,
        lean=lean,
    )  # fmt: skip
    tried, silent = _answering(problem, tried)
    excluded = [*excluded, *silent]
    whole = problem
    if problem.labelled and not images:
        fits = fits_of(folds) * sum(one.uses_labels for one in tried)
        workers = count_workers(executor, n_jobs)
        rows = rows_within(budget, workers, problem.columns + texts, fits)
        problem = thin(problem, rows, random_state, MOST_ROWS)
    larger = whole.labels / problem.labels
    design = None
    if problem.labelled:
        key = None
        if isinstance(problem.target.X, np.ndarray) and problem.target.X.ndim == 2:
            key = row_keys(problem.target.X[problem.known], random_state)
        design = make_design(
            problem.known_labels, problem.known, classify=problem.task != "regression",
            folds=folds, repeats=repeats, seed=random_state, key=key,
            weights=problem.label_weights,
        )  # fmt: skip
        if design.few:
            few = few_words(problem)
            problem, undefined = judged_by(problem, design)
            few += undefined
    if few:
        tried, left_out = fitted_everywhere(tried, design)
        excluded += left_out
    settings = {
        "task": problem.task, "estimators": describe(estimators),
        "preprocess": describe(preprocess), "encoder": describe(front),
        "methods": None if methods is None else list(methods),
        "committee": committee,
        "candidates": describe(own), "networks": networks, "budget": budget, "trials": trials,
        "folds": folds, "repeats": repeats, "margin": margin, "confidence": confidence,
        "metric": problem.measure.key, "positive": describe(positive), "threshold": threshold,
        "seed": random_state,
        "class_shares": describe(problem.class_shares or problem.target.class_shares),
    }  # fmt: skip
    with temporary_folder() as folder:
        files = folder / "data"
        files.mkdir()
        place = shared.write(problem.values(), files)
        inputs = [shared.fingerprint(v) for k, v in problem.values().items() if k != "target_y"]
        path = folder / "trials.sqlite" if store is None else Path(store)
        kept_back = 0.0 if budget is None else 0.1 * budget
        limits = Limits(budget, trials, kept_back, started=started)
        mixed = allow_versions == "differ"
        engine = engine_for(place, executor, n_jobs, None if mixed else versions_of_all(tried))
        with Store(path) as kept, engine as pool:
            kept.set_meta("settings", settings)
            if design is not None:
                kept.set_meta("parts", (kept.meta("parts") or {}) | _parts(design))
            run = Trials(
                kept, pool, shared.combined(*inputs), random_state, limits, problem.names,
                _scorer(problem), progress, lasting=store is not None, mixed=mixed,
                class_shares=problem.target.class_shares,
            )  # fmt: skip
            if design is not None:
                judged = WithLabels(run, problem, tried, design, weighs, candidates or (), larger)
                judged.run()
                details = from_labels(judged, excluded, judged.judge())
            else:
                guessed = WithoutLabels(run, problem, tried)
                guessed.run()
                details = from_estimate(guessed, excluded, guessed.judge())
            details = unsettled(details, few) if few else details
            details = with_thumbnails(details, pictures.target.X)
            if store is not None:
                details = replace(details, store=replace(details.store, path=str(path)))
            members = {one.candidate: one.weight for one in details.members}
            if details.recommendation.candidate != COMMITTEE:
                members = {str(details.recommendation.candidate): 1.0}
            used = [behind(front, c) for c in tried if c.name in members]
            last, model = pictures, None
            if problem is not whole:
                seconds = sum(r.seconds or 0.0 for r in details.table if r.candidate in members)
                last, model = last_rows(
                    pictures, problem, used, members, seconds, limits, random_state
                )
                sample = Sample(
                    whole.source_rows, problem.source_rows, last.source_rows,
                    len(whole.known), len(problem.known), len(last.known),
                )  # fmt: skip
                details = replace(details, budget=replace(details.budget, sample=sample))
            plain = details.with_limits_said().to_dict()
            kept.set_meta("comparison", plain)
    # the same value as the store gives: without numbers that JSON cannot hold
    found = Compared.from_dict(plain)
    said = found.threshold

    def again() -> Adapter:
        with working(executor, mixed=mixed):
            fitted = refit(last, used, members) if model is None else model
        return fitted if said is None else fitted.with_threshold(said.value, problem.positive)

    return Comparison(found, again, lambda: pictures)


def _named(estimator: Any) -> dict[str, Any] | None:
    if estimator is None:
        return None
    if isinstance(estimator, Mapping):
        if not estimator:
            raise InputError("estimator is an empty mapping; name at least one, or pass None")
        return {str(name): one for name, one in estimator.items()}
    return {type(estimator).__name__: estimator}


def _auto(word: str, problem: Problem, front: Any) -> Any:
    """Return a scaler for plain arrays of numbers, and one for an encoder's features, else None."""
    if word != "auto":
        raise InputError(f'preprocess must be a transformer, "auto" or None, got {word!r}')
    X = problem.source.X
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "biuf":
        return None
    if front is not None:
        return OneScale()
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def _parts(design: Design) -> dict[str, Any]:
    """Return repeat and folds that are left out, by the fingerprint of the rows in these."""
    return {
        shared.fingerprint(design.known[design.left_out(repeat, out)]): [repeat, list(out)]
        for repeat, out in design.parts(pooled=True)
    }


def _answering(
    problem: Problem, candidates: Sequence[Candidate]
) -> tuple[list[Candidate], list[Excluded]]:
    """Leave out by name what gives no probabilities, where the metric needs them."""
    metric = problem.measure
    if not metric.proba:
        return list(candidates), []
    able = [c for c in candidates if hasattr(c.model, "predict_proba")]
    reason = f"it gives no probabilities, which {metric.title} needs"
    alone = [c for c in candidates if c.row.name == TARGET_ONLY]
    if alone and not any(c in able for c in alone):
        raise InputError(
            f"{metric.title} needs probabilities, and {TARGET_ONLY} gives none on these base "
            f"models; take one with predict_proba, or another metric"
        )
    return able, [Excluded(c.name, reason) for c in candidates if c not in able]


def _scorer(problem: Problem) -> Any:
    """Return what gives the scores that the store shows for a trial."""
    known, labels = problem.target.labelled, problem.target.y

    def score(job: Job, arrays: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        if known is None or "answers" not in arrays:
            return {}
        rows = np.arange(len(known)) if job.spec.answer is None else job.spec.answer
        mine = known[rows]
        if not mine.any():
            return {}
        each = row_scores(arrays["answers"][mine], labels[rows[mine]], problem.task != "regression")
        name = "accuracy" if problem.task != "regression" else "minus_squared_error"
        return {name: float(each.mean()), "rows": int(mine.sum())}

    return score
