"""What `rank` found: candidates by the linear probe, each beside a random body."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from acclimate.report.presented import Presented
from acclimate.report.screen import rich_table
from acclimate.report.view import Cell, Line, Several, Table, View
from acclimate.transferability.probes import ProbeScore

# How bodies are probed, by `rank` and by `compare`.
ROWS = 2000  # labelled target rows, at most
FOLDS, REPEATS = 5, 2
RANDOM_BODIES = 3  # whose probes are averaged


@dataclass(frozen=True)
class Ranked:
    """One candidate, and what a random body of the same shape is worth.

    Attributes
    ----------
    name : str
    width : int
        Number of features.
    probe : ProbeScore
        Linear probe: accuracy or R2 on held-out rows, with its interval.
    random : ProbeScore or None
        The same probe on random bodies of the same shape (or random features of the same width);
        None where no inputs were given to run them on.
    gain, low, high : float or None
        How far the probe is above that of the random body, with its paired interval.
    useless : bool or None
        Whether the interval reaches 0 or below.
    scores : dict
        Transferability scores by name.
    """

    name: str
    width: int
    probe: ProbeScore
    random: ProbeScore | None
    gain: float | None
    low: float | None
    high: float | None
    useless: bool | None
    scores: dict[str, float]

    def sentence(self) -> str:
        """Say what the candidate is worth."""
        probe = self.probe
        lead = f"{self.name!r} probes at {probe.score:.3f} ({probe.low:.3f} to {probe.high:.3f})"
        if self.gain is None:
            return f"{lead}. It was not held against a random body: no inputs were given."
        size = f"{abs(self.gain):.3f} {'above' if self.gain > 0 else 'below'} a random body"
        interval = f"({self.low:+.3f} to {self.high:+.3f})"
        if self.useless:
            return (
                f"{lead}. Useless here: that is {size} {interval}, so nothing that it learned is "
                f"seen to help."
            )
        return f"{lead}, {size} {interval}."


@dataclass(frozen=True, repr=False)
class Ranking(Presented):
    """Candidates by the linear probe, best first. Made by `rank`.

    `print` shows it on one screen, a notebook as tables; ``to_frame()`` has a row a candidate.

    Attributes
    ----------
    candidates : tuple of Ranked
        Best probe first.
    inputs : ProbeScore or None
        The same probe on the inputs themselves.
    task : {"classification", "regression"}
    rows : int
        Labelled target rows that were used.
    confidence : float
    """

    candidates: tuple[Ranked, ...]
    inputs: ProbeScore | None
    task: str
    rows: int
    confidence: float

    @property
    def best(self) -> Ranked:
        """The candidate with the best probe."""
        return self.candidates[0]

    def sentence(self) -> str:
        """Say which candidate comes first, whether it is worth anything, and which are useless."""
        first = self.best
        parts = [first.sentence()]
        if self.inputs is not None and self.inputs.score >= first.probe.score:
            parts.append(
                f"The inputs themselves probe no worse, at {self.inputs.score:.3f}: no candidate "
                f"is needed."
            )
        close = [c.name for c in self.candidates[1:] if first.probe.above(c.probe).low <= 0]
        if close:
            parts.append(f"Not told apart from it: {_listed(close)}.")
        useless = [c.name for c in self.candidates[1:] if c.useless]
        if useless:
            parts.append(f"No better than a random body: {_listed(useless)}.")
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        fields = asdict(self)
        for plain, row in zip(fields["candidates"], self.candidates, strict=True):
            plain["sentence"] = row.sentence()
        return fields | {"sentence": self.sentence()}

    def table(self) -> Any:
        """Return the ranking as a rich table."""
        return rich_table(self._probes())

    def view(self) -> View:
        """Return what is shown: what comes first, what that is worth, and each candidate."""
        first = self.best
        if first.useless:
            headline = Line(f": {first.name} comes first, and a random body does as well",
                            "useless", "Useless here", strong=True)  # fmt: skip
        else:
            headline = Line(f"{first.name} probes best, at {first.probe.score:.3f}", strong=True)
        parts: list[Line | Several | Table] = [headline, Line(self.sentence()), self._probes()]
        names = list(dict.fromkeys(name for c in self.candidates for name in c.scores))
        rows = tuple(
            (
                Cell(c.name), Cell(str(c.width), key=c.width),
                *(_figure(c.scores.get(name)) for name in names),
            )
            for c in self.candidates
        )  # fmt: skip
        heads = ("candidate", ">width", *(f">{name}" for name in names))
        parts.append(Table(heads, rows, "Width and transferability scores:", "candidates"))
        return View(tuple(parts), "acclimate rank")

    def _brief(self) -> str:
        first = self.best
        return f"{first.name!r} first of {len(self.candidates)}, probe {first.probe.score:.3f}"

    def _records(self) -> list[dict[str, Any]]:
        return [_without_folds(asdict(c)) for c in self.candidates]

    def _probes(self) -> Table:
        measure = "accuracy" if self.task == "classification" else "R2"
        rows = [
            (
                Cell(f"{c.name} (useless)" if c.useless else c.name), *_score(c.probe),
                _figure(None if c.random is None else c.random.score),
                Cell("" if c.gain is None else f"{c.gain:+.3f}", key=c.gain),
                Cell("" if c.gain is None else f"{c.low:+.3f} to {c.high:+.3f}"),
            )
            for c in self.candidates
        ]  # fmt: skip
        if self.inputs is not None:
            blank = Cell("")
            own = Cell("the inputs themselves")
            rows.append((own, *_score(self.inputs), blank, blank, blank))
        title = f"Linear probe ({measure}, {self.rows} rows), and how far above a random body:"
        heads = ("candidate", ">probe", ">interval", ">random", ">gain", ">interval")
        return Table(heads, tuple(rows), title, "candidates")


def _score(probe: ProbeScore) -> tuple[Cell, Cell]:
    return Cell(f"{probe.score:.3f}", key=probe.score), Cell(f"{probe.low:.3f} to {probe.high:.3f}")


def _figure(value: float | None) -> Cell:
    return Cell("" if value is None else f"{value:.3f}", key=value)


def _without_folds(row: dict[str, Any]) -> dict[str, Any]:
    """Leave the score of each fold out of both probes."""
    for key in ("probe", "random"):
        if row[key] is not None:
            row[key] = {name: row[key][name] for name in ("score", "low", "high")}
    return row


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
