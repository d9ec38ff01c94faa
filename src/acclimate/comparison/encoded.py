"""Pictures and texts as features: the encoder of a comparison, and of what it recommends.

Pictures are encoded in front of it, once. Texts are encoded in each candidate's preprocessing of
the table that they are in, from features that were made and kept before.
"""

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
            raise InputError(
                f"an encoder reads pictures, or a column of texts in a frame, and the rows have "
                f"the shape {shape}"
            )
        return None
    from sklearn.base import clone

    from acclimate.transfer.encoders import default_encoder, reads_texts, word_of

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
    found = _transformer(encoder)
    if reads_texts(found):
        raise InputError(f"{word_of(found)} reads texts, and the rows have the shape {shape}")
    return clone(found).fit(problem.source.X)


def in_table(problem: Problem, encoder: Any, preprocess: Any, *, own: bool) -> tuple[Any, int]:
    """Return the preprocessing of a table whose texts an encoder reads, and how many features.

    The features of both domains are made here, so that no candidate makes them again. Without an
    encoder, and for rows that are no frame, the preprocessing is the given one, and there are none.

    Parameters
    ----------
    problem : Problem
    encoder, preprocess, own
        As in `front_for`.
    """
    table = hasattr(problem.source.X, "columns")
    if not table or encoder is None or (isinstance(encoder, str) and encoder == "auto"):
        return preprocess, 0
    from sklearn.base import clone

    from acclimate.tables import TabularPreprocessor
    from acclimate.transfer.encoders import TEXTS, reads_texts, text_settings

    found = _transformer(encoder)
    if own:
        raise InputError(
            "candidates of your own read tables as they come; put the encoder into their "
            "preprocess=TabularPreprocessor(encoder=...), and leave encoder out"
        )
    if isinstance(encoder, str) and not reads_texts(found):
        raise InputError(
            f"{encoder} reads pictures, and these rows are a table; of texts read "
            f"{' and '.join(TEXTS)}"
        )
    step = TabularPreprocessor() if preprocess is None or preprocess == "auto" else preprocess
    if not isinstance(step, TabularPreprocessor):
        raise InputError(
            f"with encoder, preprocess of a table must be a TabularPreprocessor, got "
            f"{type(step).__name__}"
        )
    settings = text_settings(found, problem.source.X, step.text)
    step = clone(step).set_params(**settings)
    fitted = clone(step).fit(problem.source.X)
    width = sum(fitted.text_features(one.X).shape[1] for one in (problem.source, problem.target))
    return step, width // 2


def _transformer(encoder: Any) -> Any:
    """Return the encoder of a word or a file, or what was given, if it can be one."""
    from acclimate.transfer.encoders import encoder_of

    found = encoder_of(encoder) if isinstance(encoder, str) else encoder
    if not hasattr(found, "transform"):
        raise InputError(
            f'encoder must be "auto", a word, a file, a transformer or None, got {encoder!r}'
        )
    return found


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
