"""Pick inside the folds, judge outside them: what the labels say of tables of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison import measured, measures
from acclimate.comparison.answers import Answers, assemble, choose_in_folds, row_scores
from acclimate.comparison.candidates import POOLED, SOURCE_ONLY, TARGET_ONLY
from acclimate.comparison.design import Design
from acclimate.comparison.measured import Table
from acclimate.comparison.problem import Problem
from acclimate.comparison.shown_answers import Side, shown_answers
from acclimate.comparison.tuned import blend_by_threshold, by_threshold, final_threshold
from acclimate.comparison.weighed import (
    COMMITTEE,
    CONSTANT,
    always,
    blend,
    final_weights,
    weights_in_folds,
)
from acclimate.exceptions import InputError
from acclimate.judging.crossfitted import first_level
from acclimate.judging.judged import Verdict
from acclimate.judging.verdict import same_model, verdict
from acclimate.report.compared import CandidateRow
from acclimate.report.compared_answers import AnswersShown
from acclimate.report.compared_parts import Calibrated, Gain, Judged, Part
from acclimate.report.plain import structured

ERRORS = 1.0  # standard errors within which candidates are level, see `refits.pick`
BEST = "best reference"
CALLED = {
    SOURCE_ONLY: "source only", TARGET_ONLY: "target only", POOLED: "all rows pooled",
    CONSTANT: "always the same answer", BEST: "the reference picked in each fold",
}  # fmt: skip
Picks = dict[tuple[int, int], str]  # by repeat and fold


@dataclass(frozen=True, eq=False)
class Judge:
    """Holds the tables of a comparison against the labels. It runs nothing.

    Picks and verdicts are by the problem's metric. The committee is weighed by log loss or squared
    error whatever the metric is: its weights need a proper loss that is a sum over rows.

    Parameters
    ----------
    problem : Problem
    design : Design
    done : mapping from str to Answers
        Tables of the candidates that finished, in the order they are trusted.
    variants : mapping from str to list of str
        Those of each reference that finished, by the reference's method.
    allowed : mapping from (repeat, fold) to names, default=None
        Only these can be picked in a fold.
    committee : bool, default=False
        Whether the candidates are weighed, and not one picked.
    mute : mapping from str to list of str, default={}
        Classes of the source that a candidate cannot say, since no labelled target row shows them.
        No labelled row can count that against it, so it is not picked where others are able.
    prior : mapping from str to float, default=None
        Mass of each candidate before any label, where candidates are weighed.
    """

    problem: Problem
    design: Design
    done: Mapping[str, Answers]
    variants: Mapping[str, Sequence[str]]
    allowed: Mapping[tuple[int, int], Sequence[str]] | None = None
    committee: bool = False
    mute: Mapping[str, Sequence[str]] = field(default_factory=dict)
    prior: Mapping[str, float] | None = None

    @cached_property
    def able(self) -> dict[str, Answers]:
        """The tables of what may be recommended."""
        found = {name: one for name, one in self.tables.items() if name not in self.mute}
        return found or self.tables

    @cached_property
    def tables(self) -> dict[str, Answers]:
        """The tables that the metric can judge, scored by it."""
        done = dict(self.done)
        if self.problem.tuned:
            done = {n: by_threshold(self.problem, self.design, one) for n, one in done.items()}
        if self.problem.metric is None:
            return done
        found = measured.with_probabilities(done, self.problem.measure)
        alone = self.variants.get(TARGET_ONLY, ())
        if alone and not any(name in found for name in alone):
            raise InputError(
                f"{self.problem.measure.title} needs probabilities, and {TARGET_ONLY} gives none; "
                f"take a base model with predict_proba, or another metric"
            )
        return {
            name: measured.rescored(self.problem, self.design, one) for name, one in found.items()
        }

    @cached_property
    def whole(self) -> list[str]:
        """Names of those that answered in every fold, and may be recommended."""
        return [name for name, one in self.able.items() if one.whole]

    @cached_property
    def weights(self) -> dict[tuple[int, int], dict[str, float]]:
        """What each candidate weighs in each fold, on the labels of the others."""
        if self.weighs:
            return weights_in_folds(self.design, self.able, self.allowed, self.prior)
        return {cell: {name: 1.0} for cell, name in self.choices.items()}

    @cached_property
    def weighs(self) -> bool:
        """Whether there is a committee: in every fold something has a loss to weigh by."""
        if not self.committee:
            return False
        found = weights_in_folds(self.design, self.able, self.allowed, self.prior)
        return all(found.values()) and bool(final_weights(self.design, self.able, self.prior))

    @cached_property
    def members(self) -> dict[str, float]:
        """The members of the committee that will be fitted, with their weights; empty for one."""
        return final_weights(self.design, self.able, self.prior) if self.weighs else {}

    @cached_property
    def choices(self) -> dict[tuple[int, int], str]:
        """What is picked in each fold, on the labels of the others."""
        return choose_in_folds(self.design, self.able, ERRORS, self.allowed)

    @cached_property
    def picked(self) -> Table:
        """What is recommended answers: the committee, or in each fold what was picked."""
        if self.weighs:
            return self._blend(self.weights)
        return assemble(self.design, self.tables, self.choices)

    def _blend(self, weights: Mapping[tuple[int, int], Mapping[str, float]]) -> Table:
        """Return what a committee with these weights answers."""
        found = blend(self.design, self.tables, weights, self.problem.classes)
        if not self.problem.tuned:
            return found
        return blend_by_threshold(self.problem, self.design, self.tables, weights, found)

    @cached_property
    def references(self) -> dict[str, Table]:
        """What each reference answers; among its variants is picked in the same way."""
        found = {
            method: assemble(self.design, *one) for method, one in self._reference_picks.items()
        }
        if CONSTANT in found:
            found[CONSTANT] = measured.without_order(self.problem, found[CONSTANT])
        return found

    @cached_property
    def _reference_picks(self) -> dict[str, tuple[Mapping[str, Answers], Picks]]:
        """The tables of each reference, and which of them is picked in each fold."""
        found: dict[str, tuple[Mapping[str, Answers], Picks]] = {}
        groups = {
            method: {name: self.tables[name] for name in names if name in self.tables}
            for method, names in self.variants.items()
        }
        if self.committee:
            same = always(self.design, self.problem.classes)
            if self.problem.metric is not None:
                same = measured.rescored(self.problem, self.design, same)
            groups[CONSTANT] = {CONSTANT: same}
            groups[BEST] = {name: one for mine in groups.values() for name, one in mine.items()}
        for method, mine in groups.items():
            if mine:  # the best is the best: to prefer one among the level would make it easier
                errors = 0.0 if method == BEST else ERRORS
                found[method] = mine, choose_in_folds(self.design, mine, errors, self.allowed)
        return found

    @cached_property
    def fallback(self) -> str:
        """The best reference on all labels; always the same answer is no fallback."""
        tables = self.tables
        names = [n for names in self.variants.values() for n in names if n in tables]
        names = [name for name in names if tables[name].whole] or names
        names = [name for name in names if name in self.able] or names
        if self.design.few:  # what is level with few labels: what was learnt from many rows first
            names = names[::-1]
        return names[first_level(self._scores(names), 0.0)]

    @cached_property
    def constant(self) -> float:
        """The score of always the same answer; NaN where the metric is not defined for it."""
        same = always(self.design, self.problem.classes)
        table = measured.without_order(self.problem, (same.outer, same.proba))
        try:
            return measured.score_of(self.problem, self.design, table)[0]
        except InputError:
            return float("nan")

    @cached_property
    def final(self) -> str:
        """What is picked on all labels, to be fitted. The verdict is not about these scores."""
        if self.weighs:
            return COMMITTEE
        return self.whole[first_level(self._scores(self.whole), ERRORS)]

    def _scores(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the cross-fitted score of each labelled row, shape (names, m)."""
        design, problem = self.design, self.problem
        if problem.metric is not None:
            metric = problem.measure
            found = []
            for name in names:
                one = self.tables[name]
                lines = measured.scored_lines(problem, design, (one.outer, one.proba))
                parts = metric.sign * metric.contributions(lines)
                found.append((design.weigh(parts) if metric.by_rows else parts).mean(axis=0))
            return np.array(found)
        return np.array([
            design.weigh(row_scores(self.done[name].outer, design.labels, design.classify)).mean(0)
            for name in names
        ])  # fmt: skip

    @cached_property
    def names(self) -> dict[Any, str]:
        """What the labels are called."""
        return {x: self.problem.name_of(x) for x in np.unique(self.design.labels).tolist()}

    @property
    def reference(self) -> str:
        """What gains are told against: with too few labels there may be no model of them alone."""
        return TARGET_ONLY if TARGET_ONLY in self.references else SOURCE_ONLY

    @property
    def called(self) -> str:
        """What is judged, in words."""
        return "the committee" if self.weighs else "what the folds picked"

    def verdict(self, candidate: Table, reference: Table) -> Verdict:
        """Return the verdict on a table of answers against another."""
        design, problem = self.design, self.problem
        said = verdict(
            design.labels, candidate[0], reference[0], task=problem.task,
            class_names=self.names if design.classify else None, margin=problem.margin,
            confidence=problem.confidence, labels=design.training_labels, folds=design.folds,
            weights=design.weights, metric=problem.metric, positive=problem.positive,
            candidate_proba=candidate[1], reference_proba=reference[1], classes=problem.classes,
            fold_of=design.fold_of,
        )  # fmt: skip
        if design.few:  # whatever the interval says of so few rows
            said = replace(said, word="not settled", settles_at=None, harmed_classes=())
        return said

    @cached_property
    def together(self) -> Verdict | None:
        """The verdict on a committee against the pick, where one model was asked for."""
        if self.committee or self.design.few:
            return None
        weights = weights_in_folds(self.design, self.able, self.allowed, self.prior)
        if not all(weights.values()):
            return None
        return self.verdict(self._blend(weights), self.picked)

    @cached_property
    def against(self) -> dict[str, Verdict]:
        """Return the verdict on picking, against each reference."""
        found = {}
        for method, side in self.references.items():
            said = self.verdict(self.picked, side)
            picks = self._reference_picks[method][1]
            same = all(one == {picks[cell]: 1.0} for cell, one in self.weights.items())
            found[method] = same_model(said) if same else said
        return found

    def verdicts(self) -> tuple[Judged, ...]:
        """Return the same as records with a sentence."""
        return tuple(
            replace(
                structured(Judged, said.to_dict()), candidate="chosen", reference=method,
                sentence=said.sentence(CALLED[method], self.called),
            )
            for method, said in self.against.items()
        )  # fmt: skip

    def each(self) -> dict[str, CandidateRow]:
        """Return score and verdicts of each candidate alone, without regard to the choice."""
        rows = {}
        answers = {n: (one.outer, one.proba) for n, one in self.tables.items() if one.whole}
        if self.weighs:
            answers[COMMITTEE] = self.picked
        for name, table in answers.items():
            score, low, high = measured.score_of(self.problem, self.design, table)
            rows[name] = CandidateRow(
                name, score=score, score_low=low, score_high=high,
                threshold=final_threshold(self.problem, self.design, table),
                against_target_only=self._gain(table, TARGET_ONLY),
                against_source_only=self._gain(table, SOURCE_ONLY),
                **measured.beside(self.problem, self.design, table),
            )  # fmt: skip
        return rows

    def _gain(self, table: Table, method: str) -> Gain | None:
        if method not in self.references:
            return None
        said = self.verdict(table, self.references[method])
        return Gain(said.word, said.gain, said.low, said.high, but=said.but)

    def classes(self) -> tuple[Part, ...]:
        """Return the harm to each class; none in a regression."""
        return self._by_part(self.design.labels, self.names) if self.design.classify else ()

    def groups(self) -> tuple[Part, ...]:
        """Return the harm to each group of the user's."""
        groups = self.problem.groups
        return () if groups is None else self._by_part(groups[self.design.known], {})

    def _by_part(self, parts: NDArray[Any], names: dict[Any, str]) -> tuple[Part, ...]:
        if self.design.few:
            return ()
        return measures.by_part(
            self.design, self.picked[0], self.references[self.reference][0], parts, names,
            self.problem.margin, self.problem.confidence,
        )  # fmt: skip

    def calibration(self) -> tuple[Calibrated, ...]:
        """Return what the probabilities of the reference and of what was picked are worth."""
        if self.problem.classes is None or self.design.few:
            return ()
        sides = (
            ("reference", self.reference, self.references[self.reference][1]),
            ("chosen", self.final, self.picked[1]),
        )
        return tuple(
            measures.calibration(self.design, proba, self.problem.classes, who, name)
            for who, name, proba in sides
            if proba is not None
        )

    def answers(self) -> AnswersShown:
        """Return what the answers of what was picked look like, beside the best reference's."""
        best, sign = BEST, self.problem.measure.sign
        if BEST not in self.references:
            best = max(
                self.references,
                key=lambda name: (
                    sign * measured.score_of(self.problem, self.design, self.references[name])[0]
                ),
            )
        classes = self.problem.classes
        called = {x: self.problem.name_of(x) for x in ([] if classes is None else classes.tolist())}
        picked = Side("chosen", self.final, *self.picked)
        other = Side("reference", best, *self.references[best])
        design, place = self.design, self.problem.place
        if place is not None:  # rows are named by where they stand in the whole table
            design = replace(design, known=place[design.known])
        return shown_answers(design, (picked, other), classes, called, self.problem.positive)
