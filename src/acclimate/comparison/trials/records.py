"""What travels between the judge and the workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.comparison.candidates import Candidate
from acclimate.comparison.trials.store import Record, Status


@dataclass(frozen=True)
class Spec:
    """What a trial does.

    Parameters
    ----------
    key : str
        Of the trial in the store.
    candidate : str
        Name in the comparison.
    model : Adapter
        Not fitted; its seed is set.
    stage_one : str
        Equal for trials that have the same source model.
    train : ndarray of shape (k,) or None
        Target rows whose labels are known to this trial; None where it gets no labels.
    answer : ndarray of shape (q,) or None
        Target rows to predict; None for all.
    source : ndarray of shape (s,) or None
        Source rows to fit on; None for all.
    held : ndarray of shape (h,) or None
        Source rows to predict with ``domain="source"``.
    several : bool
        Whether the method takes the ids of several sources.
    reverse : bool
        Whether the way back is run, too: from the target's predicted labels to the held rows.
    names : pair of (mapping from label to str or None)
        What the labels of the source and of the target mean.
    probe : ndarray of shape (k,) or None
        Labelled target rows on which the body of the source network is probed. Such a trial does
        nothing else.
    picture : bool
        Whether points of both domains are kept, to be drawn; see `seen.take_pictures`.
    class_shares : mapping or None
        What is said of the target's class shares; see `Domain`.
    """

    key: str
    candidate: str
    model: Any
    stage_one: str
    train: NDArray[np.intp] | None = None
    answer: NDArray[np.intp] | None = None
    source: NDArray[np.intp] | None = None
    held: NDArray[np.intp] | None = None
    several: bool = False
    reverse: bool = False
    names: tuple[Any, Any] = (None, None)
    probe: NDArray[np.intp] | None = None
    picture: bool = False
    class_shares: Any = None


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Parameters
    ----------
    key : str
        Of the trial.
    status : {"done", "failed", "memory", "crashed"}
    arrays : mapping from str to ndarray
        ``answers`` for the target rows asked for; ``proba`` and ``classes`` where the model gives
        probabilities; ``held_answers``, ``held_proba`` and ``reverse`` for source rows. Those of
        `seen.table` where a body is probed, and of `seen.take_pictures`.
    seconds, peak_bytes : float and int or None
        Time of both stages with predictions, and growth of the process.
    error : str or None
    training : mapping or None
        What `seen.of_model` says of the network that was trained.
    versions : mapping from str to str
        What the process runs that computed it; empty where it died.
    spent : float or None
        Seconds without the source model, which is fitted once for many trials.
    """

    key: str
    status: Status
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    seconds: float | None = None
    peak_bytes: int | None = None
    error: str | None = None
    training: Mapping[str, Any] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    spent: float | None = None


@dataclass(frozen=True, eq=False)
class Job:
    """A trial that is wanted.

    Parameters
    ----------
    candidate : Candidate
    spec : Spec
        What a worker is told.
    config : mapping
        Plain values that decide the result.
    """

    candidate: Candidate
    spec: Spec
    config: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Result:
    """What is known of a trial that ended, now or in an earlier run.

    Parameters
    ----------
    record : Record
    arrays : mapping from str to ndarray
    spent : float or None
        See `Outcome`; None where it comes from a store.
    """

    record: Record
    arrays: Mapping[str, NDArray[Any]]
    spent: float | None = None

    @property
    def done(self) -> bool:
        """Whether it gave answers."""
        return self.record.status == "done"
