"""Pick inside the folds, judge outside them: what the labels say of tables of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison import measures
from acclimate.comparison.answers import Answers, assemble, choose_in_folds, row_scores
from acclimate.comparison.candidates import SOURCE_ONLY, TARGET_ONLY
from acclimate.comparison.design import Design
from acclimate.comparison.problem import Problem
from acclimate.judging.crossfitted import first_level
from acclimate.judging.judged import Verdict
from acclimate.judging.verdict import verdict
from acclimate.report.compared import CandidateRow
from acclimate.report.compared_parts import Calibrated, Gain, Judged, Part
from acclimate.report.plain import structured

ERRORS = 1.0  # standard errors within which candidates are level, see `refits.pick`
_WORDS = {SOURCE_ONLY: "source only", TARGET_ONLY: "target only"}
Table = tuple[NDArray[Any], NDArray[Any] | None]  # answers (R, m), probabilities (R, m, k)


@dataclass(frozen=True, eq=False)
class Judge:
    """Holds the tables of a comparison against the labels. It runs nothing.

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
    """

    problem: Problem
    design: Design
    done: Mapping[str, Answers]
    variants: Mapping[str, Sequence[str]]
    allowed: Mapping[tuple[int, int], Sequence[str]] | None = None

    @cached_property
    def choices(self) -> dict[tuple[int, int], str]:
        """What is picked in each fold, on the labels of the others."""
        return choose_in_folds(self.design, self.done, ERRORS, self.allowed)

    @cached_property
    def picked(self) -> Table:
        """What the picked candidates answer, each for its fold."""
        return assemble(self.design, self.done, self.choices)

    @cached_property
    def references(self) -> dict[str, Table]:
        """What each reference answers; among its variants is picked in the same way."""
        found = {}
        for method, names in self.variants.items():
            mine = {name: self.done[name] for name in names}
            if mine:
                choices = choose_in_folds(self.design, mine, ERRORS)
                found[method] = assemble(self.design, mine, choices)
        return found

    @cached_property
    def final(self) -> str:
        """What is picked on all labels, to be fitted. The verdict is not about these scores."""
        design, names = self.design, list(self.done)
        table = [
            design.weigh(
                row_scores(self.done[name].outer, design.labels, design.classify)
            ).mean(axis=0)
            for name in names
        ]  # fmt: skip
        return names[first_level(np.array(table), ERRORS)]

    @cached_property
    def names(self) -> dict[Any, str]:
        """What the labels are called."""
        return {x: self.problem.name_of(x) for x in np.unique(self.design.labels).tolist()}

    def verdict(self, candidate: NDArray[Any], reference: NDArray[Any]) -> Verdict:
        """Return the verdict on answers of shape (R, m) against others."""
        design, problem = self.design, self.problem
        return verdict(
            design.labels, candidate, reference, task=problem.task,
            class_names=self.names if design.classify else None, margin=problem.margin,
            confidence=problem.confidence, labels=design.training_labels, folds=design.folds,
            weights=design.weights,
        )  # fmt: skip

    @cached_property
    def against(self) -> dict[str, Verdict]:
        """Return the verdict on picking, against each reference."""
        return {
            method: self.verdict(self.picked[0], side[0])
            for method, side in self.references.items()
        }

    def verdicts(self) -> tuple[Judged, ...]:
        """Return the same as records with a sentence."""
        return tuple(
            replace(
                structured(Judged, said.to_dict()), candidate="chosen", reference=method,
                sentence=said.sentence(_WORDS[method]),
            )
            for method, said in self.against.items()
        )  # fmt: skip

    def each(self) -> dict[str, CandidateRow]:
        """Return score and verdicts of each candidate alone, without regard to the choice."""
        rows = {}
        for name, one in self.done.items():
            score, low, high = measures.score_interval(
                self.design, one.outer, self.problem.confidence
            )
            rows[name] = CandidateRow(
                name, score=score, score_low=low, score_high=high,
                against_target_only=self._gain(one, TARGET_ONLY),
                against_source_only=self._gain(one, SOURCE_ONLY),
            )  # fmt: skip
        return rows

    def _gain(self, answers: Answers, method: str) -> Gain | None:
        if method not in self.references:
            return None
        said = self.verdict(answers.outer, self.references[method][0])
        return Gain(said.word, said.gain, said.low, said.high)

    def classes(self) -> tuple[Part, ...]:
        """Return the harm to each class; none in a regression."""
        return self._by_part(self.design.labels, self.names) if self.design.classify else ()

    def groups(self) -> tuple[Part, ...]:
        """Return the harm to each group of the user's."""
        groups = self.problem.groups
        return () if groups is None else self._by_part(groups[self.design.known], {})

    def _by_part(self, parts: NDArray[Any], names: dict[Any, str]) -> tuple[Part, ...]:
        return measures.by_part(
            self.design, self.picked[0], self.references[TARGET_ONLY][0], parts, names,
            self.problem.margin, self.problem.confidence,
        )  # fmt: skip

    def calibration(self) -> tuple[Calibrated, ...]:
        """Return what the probabilities of the reference and of what was picked are worth."""
        if self.problem.classes is None:
            return ()
        sides = (
            ("reference", TARGET_ONLY, self.references[TARGET_ONLY][1]),
            ("chosen", self.final, self.picked[1]),
        )
        return tuple(
            measures.calibration(self.design, proba, self.problem.classes, who, name)
            for who, name, proba in sides
            if proba is not None
        )
