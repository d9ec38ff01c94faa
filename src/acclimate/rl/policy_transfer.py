"""`PolicyTransfer`: what came of a policy that went on in another environment, and how it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.judging.intervals import Interval
from acclimate.report.charts import Point, Series, line_chart
from acclimate.report.figures import figure as drawn
from acclimate.report.presented import Presented
from acclimate.report.view import Cell, Line, Table, View
from acclimate.report.wording import count, figure, sentence
from acclimate.rl.efficiency import OverSeeds
from acclimate.rl.policy import Policy

Array = NDArray[np.floating[Any]]
_ROWS = 10  # of the table of the curve


@dataclass(frozen=True, repr=False)
class PolicyTransfer(Presented):
    """What `transfer_policy` found, over seeds.

    Made by `transfer_policy`; not meant to be made by hand. `print` shows it on one screen, a
    notebook as tables, ``report(path)`` as a page with the curve; ``to_frame()`` has a row for each
    policy.

    Attributes
    ----------
    source, target : str
        What the environments are called.
    source_steps, target_steps : int
        Steps in the source's environment before, and in the target's of each side. They are never
        added up.
    zero_shot_steps : int
        Steps in the target's environment that judging both sides before training took, all seeds
        together. They are in no other count.
    verdict : OverSeeds
        Of the mean return over all target steps: the transferred policies against those from
        scratch.
    zero_shot : OverSeeds
        Of the return before any target step: the source's policies, with the best action at each
        step, against untrained ones, which act at random.
    goal : float or None
        The return that `times_fewer` is of.
    times_fewer : Interval or None
        How many times fewer target steps the transferred policies take to the goal, a geometric
        mean. A seed that does not get there counts as if it did with the last step. None without a
        goal, or where no seed of either side gets there.
    to_goal : ndarray of shape (2, seeds)
        Target steps to the goal, transferred and from scratch; infinite where it is not reached.
    heads_kept : int
        Seeds that went on with the source's last layer of the actor; the others drew a new one.
    steps : ndarray of shape (g,)
        Target steps of the curves.
    curves : ndarray of shape (2, seeds, g)
        Mean return of the last 20 episodes of training, transferred and from scratch.
    policies, scratch : tuple of Policy
        One for each seed.
    one_source : bool
        Whether all seeds went on from one policy. The intervals then say nothing of how another
        source policy would do.
    confidence : float
    """

    source: str
    target: str
    source_steps: int
    target_steps: int
    zero_shot_steps: int
    verdict: OverSeeds
    zero_shot: OverSeeds
    goal: float | None
    times_fewer: Interval | None
    to_goal: Array
    heads_kept: int
    steps: Array
    curves: Array
    policies: tuple[Policy, ...] = field(repr=False)
    scratch: tuple[Policy, ...] = field(repr=False)
    one_source: bool
    confidence: float = 0.95

    @property
    def seeds(self) -> int:
        """How many seeds there were."""
        return len(self.policies)

    def sentence(self) -> str:
        """Say the verdict in plain words."""
        v = self.verdict
        side = "above" if v.gain >= 0 else "below"
        more = ""
        if v.seeds_to_settle is not None:
            more = f" About {count(v.seeds_to_settle)} seeds would settle it."
        return (
            f"{sentence(v.word)}: over {count(self.target_steps)} target steps the mean return is "
            f"{figure(v.candidate)}, {figure(abs(v.gain))} {side} training from scratch "
            f"({self._interval(v.low, v.high)}, {self.seeds} seeds).{more}"
        )

    def goal_sentence(self) -> str:
        """Say how many times fewer steps the goal takes; empty without one."""
        if self.goal is None:
            return ""
        reached = [int(np.isfinite(side).sum()) for side in self.to_goal]
        who = f"{reached[0]} of {self.seeds} seeds reach it, {reached[1]} from scratch"
        if self.times_fewer is None:
            return f"To a return of {figure(self.goal)}: {who}."
        times, low, high = self.times_fewer
        steps = np.minimum(self.to_goal, self.target_steps).mean(axis=1)
        cut = "" if min(reached) == self.seeds else "; the others count as if with the last step"
        return (
            f"To a return of {figure(self.goal)}: {times:.2f} times fewer target steps "
            f"({100 * self.confidence:g} % interval {low:.2f} to {high:.2f}), on average "
            f"{count(round(steps[0]))} in place of {count(round(steps[1]))}. {who}{cut}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the policies as plain values, ready for JSON."""
        times = self.times_fewer
        return {
            "source": self.source,
            "target": self.target,
            "seeds": self.seeds,
            "one_source": self.one_source,
            "confidence": self.confidence,
            "source_steps": self.source_steps,
            "target_steps": self.target_steps,
            "zero_shot_steps": self.zero_shot_steps,
            "verdict": self.verdict._asdict(),
            "zero_shot": self.zero_shot._asdict(),
            "heads_kept": self.heads_kept,
            "goal": self.goal,
            "times_fewer": None if times is None else times._asdict(),
            "to_goal": [[s if np.isfinite(s) else None for s in side] for side in self.to_goal],
            "steps": self.steps.tolist(),
            "curves": self.curves.tolist(),
            "sentence": self.sentence(),
        }

    def view(self) -> View:
        """Return what is shown: the word, the goal, zero-shot, what it covers, and the curve."""
        v, z = self.verdict, self.zero_shot
        what, _, rest = self.sentence().partition(": ")
        covers = "the training on the target; all seeds go on from one source policy"
        if not self.one_source:
            covers = "the training on the source and on the target"
        new = self.seeds - self.heads_kept
        head = f" {new} of {self.seeds} seeds went on with a new last layer." if new else ""
        lines = [
            Line(f": {rest}", v.word, what, strong=True),
            *([Line(self.goal_sentence())] if self.goal is not None else []),
            Line(
                f": {figure(z.candidate)} before any target step, against "
                f"{figure(z.reference)} of untrained policies "
                f"({self._interval(z.low, z.high)} for the difference).{head}",
                z.word, f"Zero-shot {z.word}",
            ),
            Line(f"The intervals cover {covers}."),
        ]  # fmt: skip
        return View((*lines, self._sides(), self._curve()), "acclimate policy transfer")

    def _sides(self) -> Table:
        first = ("transferred", "from scratch")
        goal = [] if self.goal is None else [f">to {figure(self.goal)}"]
        heads = ("policy", ">source steps", ">target steps", ">zero-shot", ">mean", ">last", *goal)
        rows = []
        for k, (name, before, mean) in enumerate(zip(
            first, (self.zero_shot[4], self.zero_shot[5]), (self.verdict[4], self.verdict[5]),
            strict=True,
        )):  # fmt: skip
            told = [figure(x) for x in (before, mean, float(self.curves[k, :, -1].mean()))]
            steps = count(0 if k else self.source_steps), count(self.target_steps)
            typical = float(np.median(self.to_goal[k]))
            ends = count(round(typical)) if np.isfinite(typical) else "not reached"
            cells = (name, *steps, *told, *([ends] if goal else []))
            rows.append(tuple(map(Cell, cells)))
        title = "Returns, and median steps to the goal:" if goal else "Returns:"
        return Table(heads, tuple(rows), title, "policies")

    def _curve(self) -> Table:
        heads = ("target steps", ">source steps", ">transferred", ">from scratch")
        means = self.curves.mean(axis=1)
        kept = np.unique(np.linspace(0, len(self.steps) - 1, _ROWS).round().astype(int))
        rows = tuple(
            tuple(map(Cell, (count(int(self.steps[i])), count(self.source_steps),
                             figure(means[0, i]), figure(means[1, i]))))
            for i in kept
        )  # fmt: skip
        return Table(heads, rows, "Mean return of the last 20 episodes of training:", "steps")

    def charts(self) -> Sequence[dict[str, Any]]:
        """Return the curve of both sides, with the range of the seeds."""
        lines = []
        for k, name in enumerate(("transferred", "from scratch")):
            side = self.curves[k]
            points = [Point(float(x), float(y), float(low), float(high))
                      for x, y, low, high in zip(self.steps, side.mean(0), side.min(0),
                                                 side.max(0), strict=True)]  # fmt: skip
            lines.append(Series(name, points, k, marked=False))
        note = (
            f"Mean return of the last 20 episodes of training, mean and range of {self.seeds} "
            f"seeds. The source took {count(self.source_steps)} steps before."
        )
        return (
            drawn(
                "Sample efficiency", note, lines, line_chart, chart_id="efficiency", series=lines,
                x_label="target steps", y_label="return",
            ),
        )  # fmt: skip

    def _interval(self, low: float, high: float) -> str:
        ends = [figure(abs(end)) for end in (low, high)]
        signs = ["-" if end < 0 else "+" for end in (low, high)]
        return f"{100 * self.confidence:g} % interval {signs[0]}{ends[0]} to {signs[1]}{ends[1]}"

    def _brief(self) -> str:
        v = self.verdict
        return f"{v.word}, {v.gain:+.3g} of mean return ({v.low:+.3g} to {v.high:+.3g})"

    def _records(self) -> list[dict[str, Any]]:
        said = self.to_dict()
        shared = {key: said[key] for key in ("source", "target", "target_steps")}
        return [
            {
                "policy": name, **shared, "seed": seed,
                "source_steps": 0 if k else self.source_steps,
                "mean_return": float(self.curves[k, seed].mean()),
                "last_return": float(self.curves[k, seed, -1]),
                "to_goal": said["to_goal"][k][seed],
            }
            for k, name in enumerate(("transferred", "from scratch"))
            for seed in range(self.seeds)
        ]  # fmt: skip
