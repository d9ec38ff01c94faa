"""From the words of the command line to a method: catalogue, base estimators and settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from acclimate.base import words
from acclimate.catalogue import Row, find, methods
from acclimate.exceptions import InputError

ESTIMATORS = words.MODELS
_FITTED_ON = {"paired": "pairs of two modalities", "pretrain": "rows without labels"}


def complete_method(incomplete: str) -> list[tuple[str, str]]:
    """Return the methods that start so, each with what it asks of the target."""
    return [
        (row.name, f"target labels {row.target_labels}")
        for row in methods(kind="tabular")
        if row.name.lower().startswith(incomplete.lower())
    ]


def complete_estimator(incomplete: str) -> list[str]:
    """Return the base estimators that start so."""
    return [name for name in ESTIMATORS if name.startswith(incomplete)]


def method_row(name: str, task: str) -> Row:
    """Return a method's catalogue row, with the close match where there is none of that name."""
    row = find(name)
    if row is None:
        from acclimate.tables.labels import meant

        names = [row.name for row in methods(kind="tabular")]
        raise InputError(
            f"there is no method {name!r}{meant(name, names) or '.'} There are {', '.join(names)}"
        )
    if row.kind not in ("tabular", "image"):
        raise InputError(
            f"{name} is fitted on {_FITTED_ON[row.kind]}, for which there is no command; use it in "
            f"Python: from acclimate import {name}"
        )
    if task not in row.tasks:
        raise InputError(f"{row.name} does no {task}; it does {', '.join(row.tasks)}")
    return row


def estimator(name: str | None, task: str, *, images: bool) -> tuple[str, Any]:
    """Return a base estimator and its name; None is the default for the task and the inputs."""
    if name is None:
        name = "cnn" if images else words.ONE[task]
    if name not in ESTIMATORS:
        from acclimate.tables.labels import meant

        raise InputError(
            f"there is no estimator {name!r}{meant(name, ESTIMATORS) or '.'} "
            f"There are {', '.join(ESTIMATORS)}"
        )
    if task not in ESTIMATORS[name]:
        fitting = [one for one, kinds in ESTIMATORS.items() if task in kinds]
        raise InputError(f"{name} does no {task}; choose one of {', '.join(fitting)}, or --task")
    return name, words.estimator(name, task)


def network_for(row: Row, *, images: bool) -> str | None:
    """Return the word of the network that a method trains by default; None where any model does.

    Parameters
    ----------
    row : Row
        The method.
    images : bool
        Whether inputs are pictures.
    """
    if not row.network or row.family == "transfer":
        return None
    return ("cnn" if images else "mlp") + ("-norm" if row.base == "batch norm" else "")


def augmented(base: Any, words: str | None) -> dict[str, Any]:
    """Return the setting of a method that lets its network see changed pictures; nothing for None.

    Raises
    ------
    InputError
        The base model trains no network, which alone sees pictures change.
    """
    if words is None:
        return {}
    if "augment" not in base.get_params():
        raise InputError(
            f"--augment {words} is for networks, which see each picture changed anew, and the base "
            f"model is {type(base).__name__}; add --estimator cnn"
        )
    return {"estimator__augment": words}


def encoder(
    word: str | None, X: Any, names: Sequence[str], *, networks: bool = False, sounds: bool = False
) -> Any:
    """Return the encoder for inputs, not fitted; None where they are read as they are.

    Parameters
    ----------
    word : str or None
        What the user asked for. None is the default for pictures, unless networks are wanted.
    X : data frame or ndarray of shape (n, ...)
        Inputs.
    names : sequence of str
        Base estimators that the user named.
    networks : bool, default=False
        Whether the user asked for networks.
    sounds : bool, default=False
        Whether the inputs are pictures of sounds.

    Raises
    ------
    InputError
        There is no such encoder, or it reads pictures and the inputs are a table, or texts and they
        are pictures.
    """
    from acclimate.cli.rows import is_image
    from acclimate.columns import warn_of

    if word is None and not is_image(X):
        return None
    from acclimate.transfer.encoders import (
        HOW_TO_GET,
        TEXTS,
        default_encoder,
        encoder_of,
        installed,
        reads_texts,
    )

    if word is not None:
        found = encoder_of(word)
        if reads_texts(found) == is_image(X):
            raise InputError(
                f"--encoder {word} reads texts, and these are pictures" if is_image(X) else
                f"--encoder {word} reads pictures, and these rows are a table; of texts read "
                f"{' and '.join(TEXTS)}"
            )  # fmt: skip
        return found
    if networks or any(name in words.NETWORKS for name in names):
        return None
    if not sounds and not installed():
        warn_of([HOW_TO_GET])
    return default_encoder(tuple(X.shape[1:]), sounds=sounds)


def parse_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Return ``name=value`` pairs as a mapping; values are read as TOML, else as text.

    Examples
    --------
    >>> parse_settings(["strategy=l2-sp", "strength=0.5", "strengths=[1, 2]", "alpha=none"])
    {'strategy': 'l2-sp', 'strength': 0.5, 'strengths': [1, 2], 'alpha': None}
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--set takes name=value, got {pair!r}")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = None if text.strip().lower() == "none" else text
        settings[name.strip()] = value
    return settings


def build(
    row: Row, base: Any, preprocess: Any, seed: int | None, settings: Mapping[str, Any]
) -> Any:
    """Return a method with its settings, not fitted.

    Raises
    ------
    InputError
        A setting is unknown, or not what it may be.
    """
    return apply_settings(row.load()(base, preprocess=preprocess, random_state=seed), settings)


def apply_settings(model: Any, settings: Mapping[str, Any]) -> Any:
    """Change settings of a method and return it.

    Raises
    ------
    InputError
        A setting is unknown, and the message names the close match; or its value is not what it
        may be.
    """
    known = [name for name in model.get_params() if name not in ("estimator", "preprocess")]
    for name in settings:
        if name not in known:
            from acclimate.tables.labels import meant

            plain = [one for one in known if "__" not in one]
            raise InputError(
                f"{type(model).__name__} has no setting {name!r}{meant(name, known) or '.'} It has "
                f"{', '.join(plain)}, and estimator__NAME for its {type(model.estimator).__name__}"
            )
    from acclimate.settings import check_settings

    model.set_params(**settings)
    check_settings(model)
    return model
