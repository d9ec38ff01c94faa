"""Pictures as rows of features: the encoder in front of a comparison, and of what it recommends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from acclimate.base.words import is_network
from acclimate.comparison.candidates import Candidate
from acclimate.comparison.problem import Problem
from acclimate.exceptions import InputError


def front_for(
    problem: Problem, encoder: Any, estimators: Mapping[str, Any] | None, preprocess: Any,
    *, own: bool, networks: bool,
) -> Any:  # fmt: skip
    """Return the encoder in front, fitted on the source, or None.

    Parameters
    ----------
    problem : Problem
    encoder : transformer, str or None
        A word of `acclimate.transfer.encoders`, or a transformer that is not fitted. "auto" is the
        default one for pictures, where it is installed and the user chose neither preprocessing
        nor networks.
    estimators : mapping from str to estimator, or None
        The user's base models.
    preprocess : object
        As the user gave it.
    own, networks : bool
        Whether there are candidates of the user's own, and whether networks are allowed.
    """
    shape = tuple(problem.source.X.shape[1:])
    if encoder is None or len(shape) < 2:
        if encoder not in (None, "auto"):
            raise InputError(f"an encoder reads pictures, and the rows have the shape {shape}")
        return None
    from sklearn.base import clone

    from acclimate.transfer.encoders import default_encoder, encoder_of

    if isinstance(encoder, str) and encoder == "auto":
        chosen = isinstance(preprocess, str) and not own and not networks
        if not chosen or any(is_network(one) for one in (estimators or {}).values()):
            return None
        encoder = default_encoder(shape)
        if encoder is None:
            return None
    elif own:
        raise InputError(
            "candidates of your own read pictures as they come; put the encoder into their "
            "preprocess=, and leave encoder out"
        )
    elif isinstance(encoder, str):
        encoder = encoder_of(encoder)
    if not hasattr(encoder, "transform"):
        raise InputError(
            f'encoder must be "auto", a word, a file, a transformer or None, got {encoder!r}'
        )
    return clone(encoder).fit(problem.source.X)


def encoded(problem: Problem, front: Any) -> Problem:
    """Return a problem on features; it is the same where there is no encoder."""
    if front is None:
        return problem
    source, target = (
        replace(one, X=front.transform(one.X)) for one in (problem.source, problem.target)
    )
    return replace(problem, source=source, target=target)


def behind(front: Any, candidate: Candidate) -> Candidate:
    """Return a candidate that encodes pictures first, for the last fit."""
    if front is None:
        return candidate
    from sklearn.base import clone

    from acclimate.transfer.encoders import before

    model = clone(candidate.model)
    return replace(candidate, model=model.set_params(preprocess=before(front, model.preprocess)))
