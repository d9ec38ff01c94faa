"""A comparison without target labels: rank by validators, estimate, and say what to label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.answers import aligned
from acclimate.comparison.bases import ALIGNED, SOURCE_COMMITTEE
from acclimate.comparison.bench import Bench
from acclimate.comparison.candidates import SOURCE_ONLY, Candidate
from acclimate.comparison.halving import KEPT, RUNGS, thinned
from acclimate.comparison.problem import Problem
from acclimate.comparison.spreading import SPREAD
from acclimate.comparison.trials.records import Job
from acclimate.comparison.trials.runner import Trials
from acclimate.exceptions import AcclimateError
from acclimate.folds import few_label_folds
from acclimate.judging.active import disagreement, draw_rows, rows_to_label
from acclimate.maths.class_shares import shares_of
from acclimate.report.compared import RowsToLabel
from acclimate.report.compared_parts import Estimated
from acclimate.shares import share_question
from acclimate.validation import take
from acclimate.validators.candidate import Evidence
from acclimate.validators.estimates import estimate_accuracy
from acclimate.validators.known_errors import MEAN, accuracy_between, gain_error
from acclimate.validators.panel import PanelRanking, score_candidates

MOST_ROWS = 20_000  # target rows that are predicted for the validators
MOST_FEATURES = 512  # beyond, density ratios on the inputs mean nothing
# what is recommended without labels, whatever ranks first
DEFAULTS = (SOURCE_COMMITTEE, ALIGNED, SPREAD)
_WORTH = 0.03  # a gain that labels should be able to show


@dataclass
class Guess:
    """What can be said without labels; made by `WithoutLabels.judge`."""

    chosen: str
    reference: str
    ranking: PanelRanking
    estimated: Estimated
    to_label: RowsToLabel


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Which rows the validators look at.

    Parameters
    ----------
    train, held : ndarray of shape (n1,) and (n2,)
        Source rows to fit on, and those held out.
    answer : ndarray of shape (q,) or None
        Target rows to predict; None for all.
    """

    train: NDArray[np.intp]
    held: NDArray[np.intp]
    answer: NDArray[np.intp] | None


def hold_out(problem: Problem, seed: int) -> HeldOut:
    """Hold a fifth of the source rows out, stratified by class."""
    parts = few_label_folds(
        problem.source.y, classify=problem.task == "classification", folds=5, seed=seed
    )
    train, held = (np.sort(part) for part in parts[0])
    answer = None
    if problem.target_rows > MOST_ROWS:
        rng = np.random.default_rng(seed)
        answer = np.sort(rng.choice(problem.target_rows, MOST_ROWS, replace=False))
    return HeldOut(train, held, answer)


class WithoutLabels(Bench):
    """A comparison that validators judge.

    Parameters
    ----------
    trials, problem, candidates : Trials, Problem and sequence of Candidate
        See `Bench`.
    """

    def __init__(self, trials: Trials, problem: Problem, candidates: Sequence[Candidate]) -> None:
        super().__init__(trials, problem, candidates)
        self.rows = hold_out(problem, trials.seed)
        self._jobs = {c.name: self.job(c) for c in candidates}

    def job(self, candidate: Candidate, share: float = 1.0) -> Job:
        """Return the trial of a candidate, on a share of the source's training rows."""
        rows = self.rows.train
        if share < 1:
            order = np.random.default_rng(self.trials.seed).permutation(rows)
            rows = np.sort(order[: int(np.ceil(share * len(rows)))])
        return self.trials.job(
            candidate, answer=self.rows.answer, source=rows, held=self.rows.held,
            reverse=not candidate.dear, picture=share == 1,
        )  # fmt: skip

    def jobs(self, candidate: Candidate) -> list[Job]:
        """Return the trial of a candidate on all its rows."""
        return [self._jobs[candidate.name]]

    def run(self) -> None:
        """Run every trial that the limits allow: what answers, then what is cheap, then the dear.

        Where there is a limit and there are several dear candidates, these are tried on a ninth and
        on a third of the source rows and steps first, and the better third goes on.
        """
        jobs = self._jobs
        first = [c for c in self.candidates if c.baseline or c.name in DEFAULTS]
        self.trials.run((jobs[c.name] for c in first), limited=False)
        self.trials.run(jobs[c.name] for c in self.candidates if not c.dear)
        dear = [c for c in self.candidates if c.dear and not c.baseline]
        if self.halves(dear):
            dear = self._halve(dear)
        self.trials.run(jobs[c.name] for c in dear)
        for c in self.candidates:
            if self.result(jobs[c.name]) is None:
                self.stopped.setdefault(c.name, "the budget was spent before the trial")

    def _halve(self, dear: list[Candidate]) -> list[Candidate]:
        """Drop dear candidates on few source rows."""
        for rung in RUNGS:
            small = {c.name: self.job(thinned(c, rung), rung) for c in dear}
            self.trials.run(small.values())
            known = self._evidence(small)
            if not known:
                break
            kept = score_candidates(known).names[: int(np.ceil(KEPT * len(known)))]
            for c in dear:
                if c.name not in kept:
                    self.stopped[c.name] = (
                        f"not among the better third on {rung:.0%} of the source rows"
                    )
            dear = [c for c in dear if c.name in kept]
        return dear

    def _evidence(self, jobs: Mapping[str, Job]) -> dict[str, Evidence]:
        """Return what is known of each candidate that gave answers, by its name."""
        known = {name: self.arrays(job) for name, job in jobs.items()}
        same = {
            "source_labels": self.problem.source.y[self.rows.held],
            **_features(self.problem, self.rows),
        }
        return {
            name: Evidence(
                reverse_labels=arrays.get("reverse"), **same, **_sides(arrays, self.problem.classes)
            )
            for name, arrays in known.items()
            if arrays is not None
        }

    def judge(self) -> Guess:
        """Rank the candidates, estimate the gain of the first, and choose rows to label.

        Raises
        ------
        AcclimateError
            The source model could not be fitted, so there is nothing to compare with.
        """
        known = self._evidence(self._jobs)
        sources = [c.name for c in self.candidates if c.row.name == SOURCE_ONLY]
        if not any(name in known for name in sources):
            result = self.result(self._jobs[sources[0]])
            error = "it did not finish" if result is None else result.record.error
            raise AcclimateError(
                f"{sources[0]} could not be fitted, so there is nothing to compare with: {error}. "
                f"Choose another estimator or preprocess"
            )
        ranking = score_candidates(known)
        best = next((name for name in DEFAULTS if name in ranking.names), ranking.best)
        reference = next(name for name in ranking.names if name in sources)  # the best of its kind
        estimated = _estimated(self.problem, known, ranking, best, reference)
        near = [name for name in ranking.names if name not in (best, reference)]
        compared = [best, reference] if best != reference else [reference, *near[:1]]
        return Guess(best, reference, ranking, estimated, self._to_label(compared, estimated))

    def _to_label(self, compared: list[str], estimated: Estimated) -> RowsToLabel:
        """Return which rows to label to learn whether the first candidate beats the reference.

        The candidates are fitted on all source rows for it, as they would be once there are labels.
        So the next run finds these trials in the store.
        """
        problem, trials = self.problem, self.trials
        tried = {c.name: c for c in self.candidates}
        jobs = [trials.job(tried[name]) for name in compared]
        trials.run(jobs, limited=False)
        found = [self.arrays(job) for job in jobs]
        answers = [arrays["answers"] for arrays in found if arrays is not None]
        scores = disagreement(np.array(answers)) if answers else np.zeros(problem.target_rows)
        share = float((scores > 0).mean())
        gain = max(abs(estimated.gain or 0.0), _WORTH)
        count = rows_to_label(share, gain, problem.margin, problem.confidence)
        count = min(count, len(scores))
        strata = answers[0] if answers and problem.task == "classification" else None
        draw = draw_rows(scores, count, strata=strata, random_state=trials.seed)
        return RowsToLabel(
            rows=count,
            positions=tuple(int(row) for row in draw.positions),
            weights=tuple(float(weight) for weight in draw.weights),
            why=(
                f"{', '.join(compared)} disagree on {100 * share:.0f} % of the target rows, and "
                f"only those tell them apart. So these rows are no plain sample: pass their "
                f"weights as label_weights with the labels."
            ),
            candidates=tuple(compared),
        )


def why_default(bench: WithoutLabels) -> str:
    """Return what is recommended without labels, and why."""
    if any(c.name == ALIGNED for c in bench.candidates):
        return (
            "nothing tells without labels which candidate is best; on features of an encoder, with "
            "many classes, each domain scaled by itself and then aligned was better than the "
            "source model as it is on every task tried, with even shares of the classes and with "
            "a long tail (docs/pictures.md)"
        )
    if any(c.name == SPREAD for c in bench.candidates):
        return (
            "labels are few, rows without one many, and nothing shows that the domains differ, so "
            "labels are spread over a graph of all rows, and its shares multiplied by the linear "
            "model's probabilities (docs/choosing.md)"
        )
    members = [name for name, _ in next(
        c.model for c in bench.candidates if c.name == SOURCE_COMMITTEE
    ).members]  # fmt: skip
    moved = ""
    if bench.problem.task == "classification":
        moved = ", moved to " + (
            "the class shares that were given" if bench.problem.target.class_shares
            else "more even class shares"
        )  # fmt: skip
    return (
        f"nothing tells without labels which candidate is best, so models of the source answer "
        f"together ({'; '.join(members)}){moved}"
    )


def asked(bench: WithoutLabels) -> list[str]:
    """Return the question for the class shares, where they are open."""
    problem = bench.problem
    if problem.classes is None or problem.target.class_shares is not None:
        return []
    names = [problem.name_of(label) for label in problem.classes.tolist()]
    return [share_question(names, shares_of(problem.source.y))]


def _estimated(
    problem: Problem, known: Mapping[str, Evidence], ranking: PanelRanking, best: str,
    reference: str,
) -> Estimated:  # fmt: skip
    """Return the estimate of the gain, and how far such estimates are known to be off."""
    accuracy: dict[str, float | None] = dict.fromkeys(known)
    between: dict[str, tuple[float, float]] = {}
    classify = problem.task == "classification"
    level = problem.confidence
    if classify:
        for name, one in known.items():
            guess = float(np.mean(list(estimate_accuracy(one).values())))
            accuracy[name], between[name] = guess, accuracy_between(guess, level)
    chosen, base = accuracy.get(best), accuracy.get(reference)
    gain = low = high = None
    word = "not settled"
    off = gain_error(level)
    if chosen is not None and base is not None:
        gain = 0.0 if best == reference else chosen - base
        low, high = gain - off, gain + off
        if best == reference:
            low = high = 0.0
        word = (
            "helps" if low > 0 else "hurts" if high < 0
            else "makes no difference" if -problem.margin < low and high < problem.margin
            else "not settled"
        )  # fmt: skip
    leading = ", ".join(sorted(ranking.used, key=lambda name: -ranking.used[name])[:3])
    if gain is None:
        sentence = (
            f"Estimate without target labels: {ranking.best} ranks first of {len(known)}; how far "
            f"above {reference} cannot be told."
        )
    else:
        sentence = (
            f"Estimate without target labels: {best} would be {100 * gain:+.1f} points "
            f"against {reference}; such estimates are off by {100 * MEAN:.0f} points on average, "
            f"{100 * level:g} % of them by at most {100 * off:.0f}."
        )
    return Estimated(
        word, gain, low, high, validator=f"weighted ranks ({leading})", accuracy=accuracy,
        error=MEAN if classify else None, sentence=sentence, validators=ranking.values,
        note="No estimate without labels sees that labels mean something else in the target.",
        between=between, confidence=level,
    )  # fmt: skip


def _features(problem: Problem, rows: HeldOut) -> dict[str, Any]:
    """Return scaled inputs of the held-out and of the target rows, where they are few numbers."""
    X, Xt = problem.source.X, problem.target.X
    plain = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "biuf"
    if not plain or X.shape[1] > MOST_FEATURES:
        return {}
    source = take(X, rows.held).astype(np.float64)
    target = np.asarray(Xt if rows.answer is None else take(Xt, rows.answer), dtype=np.float64)
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        return {}
    scale = source.std(axis=0)
    scale[scale == 0] = 1.0
    centre = source.mean(axis=0)
    return {
        "source_features": (source - centre) / scale,
        "target_features": (target - centre) / scale,
    }


def _sides(arrays: Mapping[str, NDArray[Any]], classes: NDArray[Any] | None) -> dict[str, Any]:
    """Return what a trial answered for both domains: values, or probabilities of all classes."""
    if classes is None:
        return {"source_proba": arrays["held_answers"], "target_proba": arrays["answers"]}
    if "proba" in arrays:
        source, target = (
            aligned(arrays[name], arrays["classes"], classes) for name in ("held_proba", "proba")
        )
    else:
        source, target = (_one_hot(arrays[name], classes) for name in ("held_answers", "answers"))
    return {"source_proba": source, "target_proba": target, "classes": classes}


def _one_hot(answers: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.float64]:
    """Return certainty for what a model without probabilities predicts, shape (m, k)."""
    proba: NDArray[np.float64] = (answers[:, None] == classes).astype(np.float64)
    return proba
