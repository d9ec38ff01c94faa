"""What a comparison found, as records: what a terminal, a page and MLflow show, and JSON keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from acclimate.exceptions import InputError
from acclimate.report.compared_answers import AnswersShown, Importances, NamedRows
from acclimate.report.compared_parts import (
    BodyProbed,
    Budget,
    Calibrated,
    Choice,
    CurvePoint,
    DomainFacts,
    Estimated,
    Gain,
    HowJudged,
    Judged,
    Member,
    NotTried,
    Part,
    Picture,
    Run,
    StoreFile,
    Threshold,
    Trained,
    TrialCounts,
)
from acclimate.report.plain import OPTIONAL, json_safe, structured

SCHEMA = 1
KIND = "comparison"


@dataclass(frozen=True)
class Recommendation:
    """What to do. Attributes are None where nothing is recommended yet.

    Attributes
    ----------
    action : {"transfer", "not settled", "do not transfer"} or None
        "not settled" where a committee was asked for and what is recommended was not shown to beat
        the references, where the best of these is another than `TargetOnly`, and where labels are
        too few to tell.
    candidate, method, estimator : str or None
        What to use, with its method and base model.
    reason : str or None
    too_few : str or None
        Why labels are too few to settle anything.
    """

    action: str | None = None
    candidate: str | None = None
    method: str | None = None
    estimator: str | None = None
    reason: str | None = None
    too_few: str | None = field(default=None, metadata=OPTIONAL)

    def headline(self) -> str:
        """Say what to do, in a few words.

        Examples
        --------
        >>> Recommendation("transfer", "CORAL").headline()
        'Use CORAL'
        >>> Recommendation("do not transfer", "TargetOnly").headline()
        'Do not transfer: use TargetOnly'
        >>> Recommendation("not settled", "CORAL", too_few="3 labels are too few").headline()
        'Not settled, since 3 labels are too few: use CORAL'
        """
        if self.too_few:
            return f"Not settled, since {self.too_few}: use {self.candidate}"
        if self.action == "do not transfer":
            return f"Do not transfer{f': use {self.candidate}' if self.candidate else ''}"
        return f"Use {self.candidate}" if self.candidate else "No recommendation yet"


@dataclass(frozen=True)
class CandidateRow:
    """One candidate: its scores, verdicts and costs.

    Attributes
    ----------
    candidate, method, estimator, family : str
    uses_target_labels : bool
    status : {"done", "failed", "stopped"}
    reason : str or None
        Why it did not finish.
    score, score_low, score_high : float or None
        Accuracy, R2 or another metric on labelled target rows, with its interval.
    balanced_accuracy, auc : float or None
        Beside it where most labelled target rows are of one class.
    against_target_only, against_source_only : Gain or None
        On this candidate alone, without regard to the choice.
    rank_score : float or None
        Value of the validator, without labels.
    seconds : float or None
        Median over its fits.
    peak_mb : float or None
        Largest growth of a process.
    pareto : bool
        Nothing beats it in score, seconds and memory at once.
    chosen_share : float or None
        Share of the folds that picked it.
    recommended, is_reference : bool
    threshold : float or None
        Where thresholds are tuned, the one on all labels: from this probability of the positive
        class on its final model says it.
    """

    candidate: str = ""
    method: str = ""
    estimator: str | None = None
    family: str | None = None
    uses_target_labels: bool = False
    status: str = ""
    reason: str | None = None
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    balanced_accuracy: float | None = None
    auc: float | None = None
    against_target_only: Gain | None = None
    against_source_only: Gain | None = None
    rank_score: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None
    pareto: bool = False
    chosen_share: float | None = None
    recommended: bool = False
    is_reference: bool = False
    threshold: float | None = field(default=None, metadata=OPTIONAL)

    def against(self, method: str) -> Gain | None:
        """Return the gain over "TargetOnly" or "SourceOnly"; None for the reference itself."""
        if self.method == method:
            return None
        return self.against_target_only if method == "TargetOnly" else self.against_source_only


@dataclass(frozen=True)
class RowsToLabel(NamedRows):
    """Target rows to label first.

    Attributes
    ----------
    weights : tuple of float
        The ``label_weights`` that belong to their labels.
    why : str
    candidates : tuple of str
        Whom the labels tell apart.
    """

    weights: tuple[float, ...] = ()
    why: str = ""
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """Everything that a comparison found.

    Attributes
    ----------
    schema, kind, version : int, str, str
        The version of the keys in JSON; "comparison"; the version of acclimate.
    task, score : str
        "classification" or "regression"; "accuracy", "R2" or another metric.
    score_note : str or None
        Which class the score is of, where it is of one.
    uneven : str or None
        What to know where most labelled target rows are of one class.
    task_reason : str or None
        Why it is that task.
    margin, confidence, seed : float, float, int
    estimate : bool
        There were no target labels, so that everything is an estimate.
    source, target : DomainFacts
    design : HowJudged
    reference : str
        The method that gains are told against.
    recommendation : Recommendation
    sentence : str
        The recommendation with its evidence.
    verdicts : tuple of Judged
        On what the folds picked, against each reference. None without labels.
    table : tuple of CandidateRow
        Best first.
    choices : tuple of Choice
        What was picked in each fold, or the heaviest member of the fold's committee.
    members : tuple of Member
        Of the committee, the heaviest first, also where a reference is recommended in its place;
        empty where one model was picked.
    threshold : Threshold or None
        Of the recommended model, where one was asked for.
    classes, groups : tuple of Part
    calibration : tuple of Calibrated
    label_curve : tuple of CurvePoint
    bodies : tuple of BodyProbed
    pareto : tuple of str
        Candidates that nothing beats in score, seconds and memory at once; always the same answer,
        which costs nothing, takes part.
    constant : float or None
        The score of always the same answer, with labels.
    answers : AnswersShown or None
        Confusion, curves or residuals, and the rows that are missed, with labels.
    importance : Importances or None
        Where it was asked for.
    excluded : tuple of NotTried
    trials, budget, store, run : TrialCounts, Budget, StoreFile, Run
    estimated, to_label : Estimated or None, RowsToLabel or None
        Without labels.
    training, features : tuple of Trained, tuple of Picture
    unfinished : str or None
        Why this is not the whole run.
    """

    schema: int = SCHEMA
    kind: str = KIND
    version: str | None = None
    task: str | None = None
    task_reason: str | None = None
    score: str = "accuracy"
    score_note: str | None = None
    uneven: str | None = None
    margin: float = 0.01
    confidence: float = 0.95
    seed: int | None = None
    estimate: bool = False
    source: DomainFacts | None = None
    target: DomainFacts | None = None
    design: HowJudged = field(default_factory=HowJudged)
    reference: str | None = None
    recommendation: Recommendation = field(default_factory=Recommendation)
    sentence: str = ""
    verdicts: tuple[Judged, ...] = ()
    table: tuple[CandidateRow, ...] = ()
    choices: tuple[Choice, ...] = ()
    members: tuple[Member, ...] = ()
    threshold: Threshold | None = field(default=None, metadata=OPTIONAL)
    classes: tuple[Part, ...] = ()
    groups: tuple[Part, ...] = ()
    calibration: tuple[Calibrated, ...] = ()
    label_curve: tuple[CurvePoint, ...] = ()
    bodies: tuple[BodyProbed, ...] = ()
    pareto: tuple[str, ...] = ()
    constant: float | None = None
    answers: AnswersShown | None = None
    importance: Importances | None = field(default=None, metadata=OPTIONAL)
    excluded: tuple[NotTried, ...] = ()
    trials: TrialCounts | None = None
    budget: Budget = field(default_factory=Budget)
    estimated: Estimated | None = None
    to_label: RowsToLabel | None = None
    store: StoreFile = field(default_factory=StoreFile)
    training: tuple[Trained, ...] = ()
    features: tuple[Picture, ...] = ()
    run: Run = field(default_factory=Run)
    unfinished: str | None = field(default=None, metadata=OPTIONAL)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        plain: dict[str, Any] = json_safe(self)
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave, also of older versions.

        Raises
        ------
        InputError
            It is no comparison, or one of a later version.

        Examples
        --------
        >>> found = Compared.from_dict({"schema": 1, "kind": "comparison", "table": None})
        >>> found.table, Compared.from_dict(found.to_dict()) == found
        ((), True)
        """
        if not isinstance(values, Mapping):
            raise InputError(
                f"a comparison is a mapping, got {type(values).__name__}: {values!r:.80}"
            )
        schema, kind = values.get("schema"), values.get("kind")
        if kind != KIND or not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
            raise InputError(
                f"kind {kind!r}, schema {schema!r} is no comparison that this version reads "
                f"(schema {SCHEMA}). Run acclimate compare again to write a new one"
            )
        return structured(cls, values)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the score, and from where on a class is said."""
        said = self.threshold.sentence if self.threshold is not None else None
        return tuple(note for note in (self.uneven, self.score_note, said) if note)

    @property
    def guessed_task(self) -> str:
        """What was taken for the task and why, where nobody said it; else empty."""
        if not (self.task_reason or "").startswith("the labels"):
            return ""
        return f"{self.task}, since {self.task_reason}"

    @property
    def base_score(self) -> str:
        """What classes and groups are told by, whatever the metric."""
        return "R2" if self.task == "regression" else "accuracy"

    @property
    def within(self) -> str:
        """What there was no time for, in words; empty where nothing is left out."""
        told, one = [], self.budget.sample
        if one is not None and (one.source_tried, one.labels_tried) != (
            one.source_rows,
            one.labels,
        ):
            told.append(f"chosen on {one.source_tried:,} of {one.source_rows:,} source rows")
            if one.labels_tried < one.labels:
                told[-1] += f" and {one.labels_tried:,} of {one.labels:,} labels"
            if one.source_fitted < one.source_rows:
                told.append(f"fitted on {one.source_fitted:,} of them, as the time allows")
        own = [row for row in self.table if row.method != "Committee"]
        late = [row for row in own if "budget" in (row.reason or "")]
        if len(late) * 2 > len(own):
            told.append(f"{len(own) - len(late)} of {len(own)} candidates finished in the time")
        return "; ".join(told)

    def with_limits_said(self) -> Self:
        """Return the same with `within` in the sentence, behind what to do."""
        head = self.recommendation.headline()
        if not self.within or not self.sentence.startswith(head):
            return self
        rest = self.sentence.removeprefix(head)
        return replace(self, sentence=f"{head} ({self.within}){rest}")

    @property
    def answers_together(self) -> bool:
        """Whether the committee of the members is what is recommended."""
        return len(self.members) > 1 and self.recommendation.method == "Committee"

    def gains(self) -> tuple[Judged | Estimated, ...]:
        """Return the verdicts; without labels the estimate alone."""
        if self.verdicts or self.estimated is None:
            return self.verdicts
        return (self.estimated,)

    def against(self, gain: Judged | Estimated) -> str:
        """Return the reference of a verdict or of the estimate."""
        return gain.reference if isinstance(gain, Judged) else self.reference or "SourceOnly"
