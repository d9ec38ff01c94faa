"""The trials of a comparison with labels as a race: what is clearly behind stops early."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from acclimate.comparison.answers import Answers
from acclimate.comparison.bench import DesignedBench
from acclimate.comparison.candidates import Candidate
from acclimate.comparison.design import LeftOut
from acclimate.comparison.trials.records import Job
from acclimate.comparison.weighed import loss_unit
from acclimate.judging.racing import clearly_behind, clearly_worse

Cell = tuple[int, int]
_SHARE = {"first": 0.4, "second": 0.5, "third": 1.0}  # of the time left, for each lap
BEHIND = "clearly behind on the first folds"


class Race:
    """Runs candidates that use labels, one repeat of the folds after the other, in three laps.

    In a repeat with K folds there is a model for each pair of folds that are left out, whose scores
    choose, and one for each single fold, whose answers are judged. The first lap is a circle of
    pairs, in which each fold meets two others; the second the other pairs; the third the single
    folds. After the first and the second lap each fold drops what is clearly behind in it, by the
    rows of the other folds alone, from models that saw neither the fold nor these rows. A candidate
    runs on while any fold keeps it, and in a fold only what that fold kept can be weighed.

    Where time is short, a variant of each reference is run through first, and a fold takes its
    candidates in the order of its own losses, as far as they were finished: its own labels have no
    part in that.

    Parameters
    ----------
    bench : DesignedBench
        Runs the trials and reads the tables.
    candidates : sequence of Candidate
        All that use labels, in the order they are trusted.
    groups : mapping from str to list of str
        Names of the variants of each reference: of each, the best go on, however far behind.
    beside : mapping from (repeat, fold) to list of str
        Names that take part in a fold without a race: they use no labels, or have run theirs.
    start : mapping from (repeat, fold) to list of str, default=None
        Names that a fold begins with; None means all.

    Attributes
    ----------
    allowed : dict from (repeat, fold) to list of str
        What can be weighed or picked in a fold.
    """

    def __init__(
        self,
        bench: DesignedBench,
        candidates: Sequence[Candidate],
        groups: Mapping[str, Sequence[str]],
        beside: Mapping[Cell, Sequence[str]],
        start: Mapping[Cell, Sequence[str]] | None = None,
    ) -> None:
        self.bench, self.groups, self.beside = bench, groups, beside
        self.candidates = {c.name: c for c in candidates}
        self.start = None if start is None else {
            cell: [name for name in names if name in self.candidates]  # others see no labels
            for cell, names in start.items()
        }  # fmt: skip
        self.allowed: dict[Cell, list[str]] = {}

    def run(self) -> int:
        """Run the repeats that the limits allow; return how many were finished, at least 1."""
        limits, finished = self.bench.trials.limits, 0
        for r in range(self.bench.design.repeats):
            before = limits.left()
            self._repeat(r)
            cells = [(r, i) for i in range(self.bench.design.folds)]
            if r and not all(self._refers(cell) for cell in cells):  # it was cut short
                for cell in cells:
                    self.allowed.pop(cell)
                break
            finished = r + 1
            spent = before - limits.left() if limits.seconds is not None else 0.0
            if limits.reached() or spent > limits.left():
                break
        return finished

    def _repeat(self, r: int) -> None:
        design = self.bench.design
        parts = [part for part in design.parts(pooled=True) if part[0] == r]
        pairs = [part for part in parts if len(part[1]) == 2]
        near = [p for p in pairs if (p[1][1] - p[1][0]) % design.folds in (1, design.folds - 1)]
        far = [part for part in pairs if part not in near]
        alive = {
            (r, i): list(self.candidates if self.start is None else self.start[r, i])
            for i in range(design.folds)
        }
        if not r and self.bench.trials.limits.seconds is not None:
            self._stop_too_slow(parts)
            first = self._firsts(n for n in self.candidates if n not in self.bench.stopped)
            mine = [c for name, c in self.candidates.items() if name in first]
            self.bench.trials.run(job for c in mine for job in self._jobs(c, parts))
        self._lap("first", near, list(self.candidates))
        tables = self._drop(alive, near)
        self.bench.keep_back(sorted(self._seconds(c) for c in self.candidates.values()))
        self._lap("second", far, self._order(alive, tables))
        tables = self._drop(alive, pairs)
        self._lap("third", [p for p in parts if len(p[1]) == 1], self._order(alive, tables))
        if not r:
            self._finish_references(parts)
        for cell, names in alive.items():
            self.allowed[cell] = [
                *self.beside[cell], *self._finished(cell, names, tables, parts)
            ]  # fmt: skip

    def _stop_too_slow(self, parts: Sequence[LeftOut]) -> None:
        """Stop what cannot be run through in the time that is left, before it takes any of it."""
        limits = self.bench.trials.limits
        room = limits.left() * self.bench.trials.pool.workers
        for name, c in self.candidates.items():
            jobs = self._jobs(c, parts)
            left = sum(self.bench.result(job) is None for job in jobs)
            seconds = self.bench.foreseen(c)
            if seconds and seconds * left > max(room, 0.0):
                self.bench.stopped[name] = (
                    f"{left} fits of {seconds:.3g} s or more each do not go into the budget"
                )

    def _firsts(self, names: Iterable[str]) -> set[str]:
        """Return the first name of each reference."""
        listed = list(names)
        found = (next((n for n in listed if n in group), None) for group in self.groups.values())
        return {name for name in found if name is not None}

    def _finish_references(self, parts: Sequence[LeftOut]) -> None:
        """Run the cheapest variant of a reference that has none, whatever time is left."""
        for group in self.groups.values():
            mine = [c for name, c in self.candidates.items() if name in group]
            able = [c for c in mine if not self._failed(c.name)]
            if able and not any(self._complete(c.name, parts) for c in able):
                cheapest = min(able, key=self._seconds)
                self.bench.trials.run(self._jobs(cheapest, parts), limited=False)

    def _lap(self, lap: str, parts: Sequence[LeftOut], names: Sequence[str]) -> None:
        """Run some parts of the design for these candidates, while they can be afforded."""
        bench = self.bench
        going = [
            self.candidates[name]
            for name in names if not self._failed(name) and name not in self.bench.stopped
        ]  # fmt: skip
        if lap == "first" and bench.trials.limits.seconds is not None:
            bench.trials.run(self._jobs(c, parts[:1])[0] for c in going if parts)
            going = sorted(going, key=self._seconds)
            first = self._firsts([c.name for c in going])
            going.sort(key=lambda c: c.name not in first)  # the cheapest of each reference
        bench.trials.run(self._affordable(going, parts, _SHARE[lap]))

    def _affordable(
        self, going: Sequence[Candidate], parts: Sequence[LeftOut], share: float
    ) -> Iterator[Job]:
        limits = self.bench.trials.limits
        room = limits.left() * share * self.bench.trials.pool.workers
        for c in going:
            todo = [job for job in self._jobs(c, parts) if self.bench.result(job) is None]
            if limits.seconds is not None:
                each = self._seconds(c)  # infinite where there was no time for its first trial
                if not np.isfinite(each) or each * len(todo) > room:
                    continue
                room -= each * len(todo)
            if not limits.affords(0.0, len(todo)):
                continue
            for job in todo:
                if self._failed(c.name):
                    break  # so would the others
                yield job

    def _jobs(self, c: Candidate, parts: Iterable[LeftOut]) -> list[Job]:
        every = self.bench.jobs_by_part(c)
        return [every[part] for part in parts if part in every]

    def _failed(self, name: str) -> bool:
        found = (self.bench.result(job) for job in self.bench.jobs(self.candidates[name]))
        return any(one is not None and not one.done for one in found)

    def _seconds(self, c: Candidate) -> float:
        """Return what a trial of this candidate costs, without its source model; the median."""
        found = [self.bench.result(job) for job in self.bench.jobs(c)]
        both = [(one.spent, one.record.seconds) for one in found if one is not None]
        known = [one for spent, seconds in both if (one := spent or seconds)]
        return float(np.median(known)) if known else float("inf")

    def _complete(self, name: str, parts: Iterable[LeftOut]) -> bool:
        jobs = self._jobs(self.candidates[name], parts)
        return all(self.bench.arrays(job) is not None for job in jobs)

    def _drop(self, alive: dict[Cell, list[str]], parts: Sequence[LeftOut]) -> dict[str, Answers]:
        """Drop in each fold what is clearly behind there; return the tables so far."""
        bench, design = self.bench, self.bench.design
        ran = [name for name in self.candidates if self._complete(name, parts)]
        tables = {name: bench.partial(name) for name in ran}
        found = {name: one for name, one in tables.items() if one is not None}
        for name in {name for names in self.beside.values() for name in names}:
            if (one := bench.partial(name)) is not None:
                found[name] = one
        for (r, i), names in alive.items():
            mine = [name for name in (*names, *self.beside[r, i]) if name in found]
            if not mine:
                continue
            rest = int((design.fold_of[r] != i).sum())
            if bench.weighs:
                losses = np.array([found[name].inner_loss[r, i] for name in mine])
                unit = loss_unit(design, design.fold_of[r] != i)
                out = clearly_behind(losses / unit, rest)
            else:  # picked by their scores, of which those of a metric come later
                out = clearly_worse(np.array([found[name].inner[r, i] for name in mine]))
                out &= bench.problem.metric is None
            dropped = {name for name, gone in zip(mine, out, strict=True) if gone}
            for group in self.groups.values():
                dropped -= self._best_of(group, found, (r, i))
            dropped -= bench.asked
            alive[r, i] = [name for name in names if name not in dropped]
        for name in self.candidates:
            if name in found and not any(name in names for names in alive.values()):
                bench.stopped[name] = BEHIND
        return found

    def _best_of(self, group: Sequence[str], found: Mapping[str, Answers], cell: Cell) -> set[str]:
        """Return the variants of a reference that may be its best in a fold."""
        mine = [name for name in group if name in found]
        if not mine or self.bench.problem.metric is not None:
            return set(mine)
        worse = clearly_worse(np.array([found[name].inner[cell] for name in mine]))
        return {name for name, one in zip(mine, worse, strict=True) if not one}

    def _ranked(self, names: Iterable[str], found: Mapping[str, Answers], cell: Cell) -> list[str]:
        """Return names in the order of their loss inside a fold, then of their score there."""

        def key(name: str) -> tuple[float, float]:
            if name not in found or np.isnan(found[name].inner_loss[cell]).all():
                return np.inf, np.inf  # nothing is known of it
            loss, score = found[name].inner_loss[cell], found[name].inner[cell]
            return float(np.nanmean(loss)), -float(np.nanmean(score))

        return sorted(names, key=key)

    def _refers(self, cell: Cell) -> bool:
        """Tell whether a fold has something of each reference that the first repeat has."""
        first = self.allowed[0, 0]
        return all(
            not any(name in first for name in group)
            or any(name in self.allowed[cell] for name in group)
            for group in self.groups.values()
        )

    def _order(
        self, alive: Mapping[Cell, Sequence[str]], found: Mapping[str, Answers]
    ) -> list[str]:
        """Return what any fold keeps: the best of each reference, then by the best place."""
        place: dict[str, tuple[int, int]] = {}
        for cell, names in alive.items():
            ranked = self._ranked(names, found, cell)
            first = self._firsts(ranked)
            for rank, name in enumerate(ranked):
                mine = (0 if name in first else 1, rank)
                place[name] = min(place.get(name, mine), mine)
        return sorted(place, key=place.__getitem__)

    def _finished(
        self,
        cell: Cell,
        names: Sequence[str],
        found: Mapping[str, Answers],
        parts: Sequence[LeftOut],
    ) -> list[str]:
        """Return what a fold may use: in the order of its own losses, as far as all is there."""
        i = cell[1]
        needed = [part for part in parts if len(part[1]) == 2 or part[1] == (i,)]
        ranked = [n for n in self._ranked(names, found, cell) if not self._failed(n)]
        kept = _prefix(ranked, lambda name: self._complete(name, needed))
        for group in self.groups.values():
            mine = [name for name in ranked if name in group]
            best = _prefix(mine, lambda m: self._complete(m, needed))
            best = best or [n for n in group if n in self.candidates and self._complete(n, needed)]
            kept += [name for name in best if name not in kept]
        return [name for name in self.candidates if name in kept]


def _prefix(names: Sequence[str], holds: Callable[[str], bool]) -> list[str]:
    kept: list[str] = []
    for name in names:
        if not holds(name):
            break
        kept.append(name)
    return kept
