"""Parts of what a comparison found: gains, scores by part, calibration, training, costs, the run.

In every record here and in `report.compared` each field has a default, which also stands for one
that is missing or None in JSON, so that results of older versions and parts of one can be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from acclimate.report.plain import OPTIONAL


@dataclass(frozen=True)
class Always:
    """Always the same answer, and its score; see `judging.judged.Constant`."""

    answer: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Gain:
    """A gain with its interval, as fractions, and the word for it; None where it is not known.

    ``but`` is said with the word "helps" where the candidate is no better than a constant.
    """

    word: str = ""
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    but: str = field(default="", kw_only=True)

    @property
    def words(self) -> str:
        """The word, and with it what may not be left out."""
        return f"{self.word}, {self.but}" if self.but else self.word


@dataclass(frozen=True)
class Harm:
    """A class whose recall falls: the fall, positive, and the ends of its interval."""

    name: str = ""
    fall: float = 0.0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Settles:
    """Sizes that are expected to settle a verdict; see `judging.intervals.Settlement`."""

    rows: int | None = None
    draws: int | None = None
    together: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Judged(Gain):
    """The verdict on what the folds picked, against a reference; see `judging.judged.Verdict`."""

    candidate: str = "chosen"
    reference: str = ""
    sentence: str = ""
    candidate_score: float | None = None
    reference_score: float | None = None
    score: str = "accuracy"
    margin: float = 0.01
    confidence: float = 0.95
    draws: int | None = None
    rows: int | None = None
    labels: int | None = None
    draws_vary: bool = True
    settles_at: Settles | None = None
    harmed_classes: tuple[Harm, ...] = ()
    covers: str | None = None
    folds: int | None = None
    constant: Always | None = None


@dataclass(frozen=True)
class Estimated(Gain):
    """The estimate without labels: the gain of the first candidate, and what ranked them.

    ``between`` holds two ends for each accuracy: ``confidence`` of such estimates are off by less.
    """

    validator: str | None = None
    accuracy: dict[str, float | None] = field(default_factory=dict)
    error: float | None = None
    sentence: str = ""
    validators: Any = None
    note: str | None = None
    between: dict[str, tuple[float, float]] = field(default_factory=dict)
    confidence: float = 0.95


@dataclass(frozen=True)
class DomainFacts:
    """The rows of a domain. ``sources`` is of the source alone, the last two of the target."""

    name: str | None = None
    rows: int | None = None
    features: int | None = None
    classes: tuple[str, ...] | None = None
    sources: int | None = None
    labelled: int | None = None
    class_counts: dict[str, int] | None = None


@dataclass(frozen=True)
class HowJudged:
    """The folds, and in words how the choice and the interval are made."""

    folds: int | None = None
    repeats: int | None = None
    choice: str | None = None
    interval: str | None = None


@dataclass(frozen=True)
class Choice:
    """What was picked for a fold."""

    repeat: int = 0
    fold: int = 0
    candidate: str = ""


@dataclass(frozen=True)
class Member:
    """A member of the committee that is recommended, with its share."""

    candidate: str = ""
    weight: float = 0.0


@dataclass(frozen=True)
class Threshold:
    """From which probability the recommended model says a class, chosen on all labels."""

    positive: str = ""
    value: float = 0.5
    sentence: str = ""


@dataclass(frozen=True)
class Part:
    """The score of a class or a group: what the folds picked, against the reference."""

    name: str = ""
    rows: int | None = None
    reference: float | None = None
    candidate: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    harmed: bool = False

    @property
    def word(self) -> str:
        """The word for the gain; a harmed part loses more than the margin."""
        if self.harmed:
            return "hurts"
        if self.low is None or self.high is None:
            return "not settled"
        return "helps" if self.low > 0 else "hurts" if self.high < 0 else "not settled"


@dataclass(frozen=True)
class Bin:
    """Predictions of about one confidence, and how often they are right."""

    confidence: float | None = None
    accuracy: float | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Calibrated:
    """The calibration of a model, as it is and after temperature scaling."""

    who: str = ""
    candidate: str = ""
    rows: int | None = None
    ece: float | None = None
    ece_scaled: float | None = None
    temperature: float | None = None
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True)
class CurvePoint:
    """The score of a candidate with so many target labels to train on."""

    candidate: str = ""
    labels: int | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    sources_only: bool = False


@dataclass(frozen=True)
class BodyProbed:
    """What the body of a source network is worth beside random ones."""

    candidate: str = ""
    probe: float | None = None
    random: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    useless: bool = False
    rows: int | None = None
    width: int | None = None
    sentence: str = ""


@dataclass(frozen=True)
class NotTried:
    """A method of the catalogue that was not tried, and why."""

    method: str = ""
    reason: str = ""


@dataclass(frozen=True)
class TrialCounts:
    """How many fits there were, and their seconds together."""

    planned: int | None = None
    done: int = 0
    failed: int = 0
    reused: int = 0
    seconds: float | None = None


@dataclass(frozen=True)
class Sample:
    """Rows of a table too large for its time: all, those tried on, those of the last fit."""

    source_rows: int = 0
    source_tried: int = 0
    source_fitted: int = 0
    labels: int = 0
    labels_tried: int = 0
    labels_fitted: int = 0


@dataclass(frozen=True)
class Budget:
    """The limits of a run, which candidates they stopped, and the rows that there was time for."""

    seconds: float | None = None
    trials: int | None = None
    spent: bool = False
    stopped: tuple[str, ...] = ()
    sample: Sample | None = None


@dataclass(frozen=True)
class StoreFile:
    """Where the trials are kept."""

    path: str | None = None
    schema: int | None = None


@dataclass(frozen=True)
class Trained:
    """How a candidate's network trained: figures of each epoch, and whose weights were kept."""

    candidate: str = ""
    fits: int = 1
    epochs: tuple[dict[str, float | None], ...] = ()
    best_epoch: int | None = None
    stopped: str | None = None
    note: str | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Picture:
    """Rows of both domains in two dimensions of a feature space; a None has no place."""

    candidate: str = ""
    stage: str | None = None
    title: str = "Features"
    width: int | None = None
    share: float | None = None
    predicted_by: str = "the model"
    source: tuple[tuple[float | None, ...], ...] = ()
    target: tuple[tuple[float | None, ...], ...] = ()
    source_classes: tuple[str, ...] | None = None
    target_classes: tuple[str, ...] | None = None
    note: str | None = field(default=None, metadata=OPTIONAL)
    x_label: str | None = field(default=None, metadata=OPTIONAL)
    y_label: str | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Run:
    """What a second run needs to be the same. The last three are known to the command line."""

    settings: dict[str, Any] | None = None
    versions: dict[str, str] = field(default_factory=dict)
    data: str | None = None
    command: str | None = field(default=None, metadata=OPTIONAL)
    created: str | None = field(default=None, metadata=OPTIONAL)
    files: dict[str, Any] | None = field(default=None, metadata=OPTIONAL)
