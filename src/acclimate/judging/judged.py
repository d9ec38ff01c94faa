"""A verdict: what was found, and how it is said."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from acclimate.judging.intervals import Interval, Settlement
from acclimate.report.presented import Presented
from acclimate.report.view import Cell, Line, Several, Table, View
from acclimate.report.wording import figure, gain_range, points, score, sentence, unit_of
from acclimate.report.wording import gain as gain_words

Word = Literal["helps", "hurts", "makes no difference", "not settled", "the same model"]

MEAN = "the mean"


def word_of_gain(interval: Interval, margin: float) -> Word:
    """Return the word for a gain: the first of those of `verdict.verdict` that holds.

    >>> word_of_gain(Interval(0.0, -0.02, 0.02), 0.01)
    'not settled'
    """
    if interval.low > 0:
        return "helps"
    if interval.high < 0:
        return "hurts"
    if -margin < interval.low and interval.high < margin:
        return "makes no difference"
    return "not settled"


class Constant(NamedTuple):
    """Always the same answer: the most frequent class, or the mean, and its score."""

    answer: str
    score: float

    @property
    def told(self) -> str:
        """The answer as a sentence has it: a class in quotes."""
        return self.answer if self.answer == MEAN else repr(self.answer)


class HarmedClass(NamedTuple):
    """A class whose recall falls: the fall, positive, and the two ends of its interval."""

    name: str
    fall: float
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class Verdict(Presented):
    """What was found when a candidate was held against a reference on the same target rows.

    Made by `verdict`; not meant to be made by hand. `print` shows it on one screen, a notebook as
    tables; ``to_frame()`` has one row.

    Attributes
    ----------
    word : {"helps", "hurts", "makes no difference", "not settled", "the same model"}
        The last where both sides are known to be one model, so that nothing was compared.
    gain : float
        Score of the candidate minus score of the reference, mean over draws; above 0 is better.
    low, high : float
        Ends of the interval for the gain.
    candidate_score, reference_score : float
        Mean over draws of the accuracy, R2 or other metric.
    score : str
        "accuracy", "R2" or what the metric is called. Where less is better, as in "log loss", the
        gain is that of the reference minus that of the candidate.
    margin : float
        Gains within it count as no difference, in units of the score.
    confidence : float
    draws, rows : int
        Label draws (or runs) and test rows compared.
    labels : int or None
        Training labels of each draw, where known.
    draws_vary : bool
        Whether the draws have different training labels, or only different seeds.
    settles_at : Settlement or None
        Sizes that are expected to settle a verdict that is not settled; None otherwise.
    harmed_classes : tuple of HarmedClass
        Classes whose recall falls by more than the margin, with evidence; worst first.
    covers : str
        What the interval covers, in words.
    folds : int or None
        Folds of the cross-fitting; None where test rows stand apart from all training labels.
    constant : Constant or None
        What always the same answer scores on these rows: the most frequent class, or the mean.
    """

    word: Word
    gain: float
    low: float
    high: float
    candidate_score: float
    reference_score: float
    score: str
    margin: float
    confidence: float
    draws: int
    rows: int
    labels: int | None
    draws_vary: bool
    settles_at: Settlement | None
    harmed_classes: tuple[HarmedClass, ...]
    covers: str
    folds: int | None = None
    constant: Constant | None = None

    @property
    def but(self) -> str:
        """What is said with "helps" where the candidate is no better than a constant; else empty.

        For example "and is still worse than always saying 'No' (81.4 %)".
        """
        same = self.constant
        if self.word != "helps" or same is None:
            return ""
        ahead = self.candidate_score - same.score
        ahead = -ahead if unit_of(self.score).lower else ahead
        if ahead > 0:
            return ""
        how = "still worse" if ahead < 0 else "no better"
        return f"and is {how} than always saying {same.told} ({score(same.score, self.score)})"

    @property
    def words(self) -> str:
        """The word, and with it what may not be left out."""
        return f"{self.word}, {self.but}" if self.but else self.word

    def sentence(self, reference: str = "the reference", candidate: str = "") -> str:
        """Say the verdict in plain words, in at most two short sentences.

        Parameters
        ----------
        reference : str, default "the reference"
            What to call the reference, for example "training from scratch".
        candidate : str, default ""
            What to call the candidate, for example "the committee". Empty leaves it out.

        Returns
        -------
        str
        """
        if self.word == "the same model":
            who = f"{candidate} and {reference}" if candidate else f"This and {reference}"
            return f"{sentence(who)} are the same model: there is nothing to compare."
        unit = unit_of(self.score)
        if self.gain == 0:
            size = f"level with {reference}"
        elif unit.kind == "plain":
            side = "better" if self.gain > 0 else "worse"
            size = f"{figure(abs(self.gain))} {unit.words} {side} than {reference}"
        else:
            side = "above" if self.gain > 0 else "below"
            size = f"{_points(abs(self.gain))} {unit.words} {side} {reference}"
        kind = "label draw" if self.draws_vary else "run"
        draws = f"{self.draws} {kind}" + ("s" if self.draws > 1 else "")
        only = "; covers test rows only" if self.draws == 1 else ""
        seen = f"{draws}, {self.rows} test rows{only}"
        if self.folds is not None:
            times = f", {self.draws} times" if self.draws > 1 else ""
            seen = f"{self.rows} labelled rows, cross-fitted in {self.folds} folds{times}"
        lead = sentence(f"{candidate} {self.words}" if candidate else self.words) + ":"
        if candidate and self.word == "not settled":
            lead = f"Not settled: {candidate} is"
        ends = f"{self._end(self.low)} to {self._end(self.high)}"
        first = f"{lead} {size} ({100 * self.confidence:g} % interval {ends}, {seen})."
        more = [part for part in (self._plan(kind), self._harm()) if part]
        if not more:
            return first
        second = "; ".join(more)
        return f"{first} {second[0].upper()}{second[1:]}."

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and the sentence as plain Python values, ready for JSON.

        Returns
        -------
        dict
            The attributes by name, ``but`` and ``sentence``.
        """
        fields = asdict(self)
        plan = self.settles_at
        if plan is not None:
            together = None if plan.together is None else list(plan.together)
            fields["settles_at"] = {"rows": plan.rows, "draws": plan.draws, "together": together}
        fields["harmed_classes"] = [harmed._asdict() for harmed in self.harmed_classes]
        fields["constant"] = None if self.constant is None else self.constant._asdict()
        fields["but"] = self.but
        fields["sentence"] = self.sentence()
        return fields

    def view(self) -> View:
        """Return what is shown: the word, the scores, what the interval covers, who loses."""
        words = unit_of(self.score).words
        size = f": {self._gain()} {words} against the reference"
        between = gain_range(self.low, self.high, self.score, plain=True)
        after = " points" if words.startswith("points") else ""
        seen = f"{self.rows:,} test rows" if self.folds is None else f"{self.rows:,} labelled rows"
        kind = "label draw" if self.draws_vary else "run"
        scores = (score(one, self.score, plain=True)
                  for one in (self.candidate_score, self.reference_score))  # fmt: skip
        lines = [
            f"{100 * self.confidence:g} % interval: {between}{after}. It covers {self.covers}.",
            f"{sentence(self.score)}: {' against '.join(scores)}, on {seen} and {self.draws} "
            f"{kind}{'s' if self.draws > 1 else ''}.",
            *([f"{sentence(self._plan(kind))}."] if self.settles_at else []),
        ]
        parts: list[Line | Several | Table] = [
            Line(size, self.word, sentence(self.words), strong=True), *map(Line, lines),
        ]  # fmt: skip
        if self.harmed_classes:
            rows = tuple(
                (
                    Cell(one.name), Cell(points(-one.fall, plain=True), "hurts", key=-one.fall,
                                         ends=(-one.fall, -one.high, -one.low)),
                    Cell(gain_range(-one.high, -one.low, plain=True)),
                )
                for one in self.harmed_classes
            )  # fmt: skip
            heads = ("class", ">recall", ">interval")
            parts.append(Table(heads, rows, "Classes whose recall falls, in points:", "classes"))
        return View(tuple(parts), "acclimate verdict")

    def _brief(self) -> str:
        between = gain_range(self.low, self.high, self.score, plain=True)
        words = unit_of(self.score).words
        unit = "points" if words.startswith("points") else words
        return f"{self.words}, {self._gain()} {unit} ({between})"

    def _gain(self) -> str:
        return gain_words(self.gain, self.score, plain=True)

    def _end(self, value: float) -> str:
        """Write an end of the interval."""
        if unit_of(self.score).kind == "plain":
            return gain_words(value, self.score, plain=True)
        return _points(value, "+")

    def _records(self) -> list[dict[str, Any]]:
        names = [one.name for one in self.harmed_classes]
        return [self.to_dict() | {"harmed_classes": names}]

    def _plan(self, kind: str) -> str:
        plan = self.settles_at
        if plan is None:
            return ""
        if plan.together is not None:
            draws, rows = plan.together
            return f"about {draws} {kind}s with {_about(rows)} labelled test rows would settle it"
        ways = []
        if plan.rows is not None:
            test = "" if self.folds is not None else "test "
            ways.append(f"{_about(plan.rows)} labelled {test}rows")
        if plan.draws is not None:
            ways.append(f"{plan.draws} {kind}s")
        return f"about {' or '.join(ways)} would settle it" if ways else "no size would settle it"

    def _harm(self) -> str:
        if not self.harmed_classes:
            return ""
        named = [f"{item.name} by {_points(item.fall)}" for item in self.harmed_classes[:3]]
        rest = len(self.harmed_classes) - len(named)
        more = f" and {rest} more" if rest else ""
        return f"recall falls for {', '.join(named)} points{more}"


def _points(value: float, sign: str = "") -> str:
    """Hundredths with one decimal, or two where one would hide that the value is not 0."""
    points = 100 * value
    digits = 1 if points == 0 or abs(points) >= 0.05 else 2
    return f"{round(points, digits) + 0.0:{sign}.{digits}f}"


def _about(count: int) -> str:
    """Two leading digits: more would claim a precision that a plan does not have."""
    step = 10 ** max(len(str(count)) - 2, 0)
    return str(-(-count // step) * step)
