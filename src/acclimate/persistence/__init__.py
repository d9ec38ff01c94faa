"""Save and load: one file, nothing in it that runs, and a word on rows that are in it."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acclimate._version import __version__
from acclimate.exceptions import (
    AcclimateError,
    DomainTypeError,
    InputError,
    IntegrityError,
    RowsWarning,
    TransferWarning,
)
from acclimate.files import output
from acclimate.persistence import container
from acclimate.persistence.decode import Decoder
from acclimate.persistence.encode import Encoder, check_plain
from acclimate.persistence.foreign import load as load_foreign
from acclimate.persistence.held import count_rows, words
from acclimate.persistence.invariants import check
from acclimate.persistence.names import is_ours, is_own
from acclimate.persistence.switches import switch_off
from acclimate.persistence.tensors import from_bytes
from acclimate.persistence.walk import walk

_LIBRARIES = ("numpy", "scipy", "sklearn", "skops", "safetensors", "torch")


def save(
    model: Any,
    path: str | os.PathLike[str],
    *,
    card: Mapping[str, Any] | None = None,
    extras: Mapping[str, Any] | None = None,
    rows: str = "warn",
) -> Path:
    """Write a model into one file that loads anywhere, without the rows that it was fitted on.

    Use it to keep a model, or to adapt it where the source may not go. Kernel machines, nearest
    neighbours, Gaussian processes and some maps predict with rows that they were fitted on; these
    are part of such a model and are written, with a warning that says how many. Do not rely on a
    file between versions of scikit-learn: it is read, with a warning.

    The file holds structure as JSON, arrays as safetensors, scikit-learn's parts as skops writes
    them, and a model card. There is no pickle in it. It is written completely or not at all.

    Parameters
    ----------
    model : Adapter or estimator of acclimate
        Fitted or not.
    path : path-like
        The file. ``.acclimate`` is the usual ending.
    card : mapping, default=None
        Entries for the model card, such as scores and a verdict: text, numbers, lists and dicts.
    extras : mapping, default=None
        Anything else that JSON can hold, to be found again as ``extras_``.
    rows : {"warn", "refuse"}, default="warn"
        What to do where the model keeps rows of the source or the target.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        Part of the model cannot be saved; the message names the attribute and the way out. Or the
        model keeps rows, and ``rows="refuse"``.
    OutputError
        The file cannot be written. What was there before is unchanged.

    Warns
    -----
    RowsWarning
        The model keeps rows, and the file holds them. The card says it, too (``rows``).

    Notes
    -----
    Of a network of your own class, weights and buffers are written, not the code: the class is
    given to `load`. Layers of torch.nn need nothing. Of a method of your own, and of a map that it
    made as an object of a class of yours, attributes are written; both classes are given to `load`.

    Examples
    --------
    >>> import tempfile, os, numpy as np, acclimate
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> model = acclimate.SourceOnly().fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = acclimate.save(model, os.path.join(folder, "m.acclimate"), card={"title": "toy"})
    ...     again = acclimate.load(path)
    >>> again.predict(X), again.card_["title"]
    (array([0, 0, 1, 1]), 'toy')
    """
    known = is_ours(type(model)) or is_own(type(model))
    if not known or not hasattr(model, "get_params"):
        raise DomainTypeError(
            f"save writes models of acclimate, got {type(model).__name__}; wrap an estimator in "
            f"SourceOnly, or keep it with its own library"
        )
    if rows not in ("warn", "refuse"):
        raise InputError(f"rows must be 'warn' or 'refuse', got {rows!r}")
    held = held_by(model)
    if held and rows == "refuse":
        raise InputError(
            f"the model {words(held)}, and rows='refuse' lets no file hold any. Choose an "
            f"estimator and a method that keep none, such as logistic regression or a network, or "
            f"save with rows='warn'"
        )
    encoder = Encoder()
    node = encoder.node(model, "")
    structure = {"model": node} | ({"own": sorted(encoder.own)} if encoder.own else {})
    members = {"model.json": json.dumps(structure, allow_nan=False).encode()}
    members["arrays.safetensors"] = encoder.arrays.to_bytes()
    if encoder.foreign:
        members["estimators.skops"] = encoder.foreign_bytes()
    full = {**card_of(model), "rows": held, **check_plain(dict(card or {}), "card")}
    members["card.json"] = json.dumps(full, indent=1, allow_nan=False).encode()
    extra = check_plain(dict(extras or {}), "extras")
    members["extras.json"] = json.dumps(extra, allow_nan=False).encode()
    with output(path) as stream:
        container.write(stream, members)
    if held:
        warnings.warn(
            f"{path} {words(held)}: {type(model).__name__} predicts with rows that it was fitted "
            f"on. save(..., rows='refuse') writes no such file",
            RowsWarning,
            stacklevel=2,
        )
    return Path(path)


def held_by(model: Any) -> dict[str, int]:
    """Return how many rows of the source and the target a fitted model keeps, where there are any.

    Parameters
    ----------
    model : estimator
        A fitted model. What a method saw at `fit` and `adapt` was compared then; of another
        estimator, what is known to keep rows counts as rows of the source.

    Returns
    -------
    dict of str to int
        By domain.
    """
    known = getattr(model, "rows_held_", None)
    return count_rows(vars(model), {}) if known is None else dict(known)


def load(
    path: str | os.PathLike[str],
    *,
    modules: Sequence[Any] = (),
    trusted: Collection[str] = (),
    partial: bool = False,
) -> Any:
    """Read a model that `save` wrote. Nothing in the file is executed.

    Use it for files from anyone, as long as ``modules`` and ``trusted`` name only what you know.
    Do not use it for pickle or joblib files; they are refused.

    Parameters
    ----------
    path : path-like
        The file.
    modules : sequence of class, callable or nn.Module, default=()
        The classes of your own that occur in the file. A method and its map: the classes. A
        network: a class or a callable that needs no arguments, or a module, which is copied.
        Classes are compared by their qualified names.
    trusted : collection of str, default=()
        Qualified names of types of other libraries that may be built. scikit-learn's need no
        mention.
    partial : bool, default=False
        Where saved weights do not fit a module of your own: False refuses, True takes those that
        fit and warns with a table of loaded, new and skipped weights.

    Returns
    -------
    estimator
        The model, with the file's card as ``card_`` and its extras as ``extras_``. Predictions and
        adaptation are the same as before, to the bit, on the same machine and versions.

    Raises
    ------
    DataNotFoundError
        There is no such file.
    IntegrityError
        The file is truncated, altered, hostile or newer than this acclimate, or saved weights do
        not fit.
    InputError
        The file holds classes that were neither given nor trusted; the message names them.

    Warns
    -----
    TransferWarning
        With ``partial=True``, weights were left out.

    Examples
    --------
    >>> import acclimate
    >>> acclimate.load("nowhere.acclimate")
    Traceback (most recent call last):
    ...
    acclimate.exceptions.DataNotFoundError: there is no model file 'nowhere.acclimate'
    """
    names = [trusted] if isinstance(trusted, str) else list(trusted)
    given = list(modules) if isinstance(modules, Sequence) else [modules]
    with container.opened(path) as file, _named(file.path):
        foreign: list[Any] = []
        if "estimators.skops" in file.rows:
            data = file.read("estimators.skops")
            container.check_nested(data, f"{file.path}: estimators.skops")
            foreign = load_foreign(data, names, file.budget)
        arrays = from_bytes(file.read("arrays.safetensors"), f"{file.path}: arrays.safetensors")
        decoder = Decoder(arrays, foreign, given, names, partial, file.budget)
        structure = file.json("model.json")
        decoder.check_given(structure.get("own", []))
        model = decoder.value(structure["model"])
        if not hasattr(model, "get_params"):
            raise IntegrityError(f"it holds a {type(model).__name__}, not a model")
        parts = list(walk(model, ""))
        check(parts)
        switch_off(parts)
        model.card_ = file.json("card.json")
        model.extras_ = file.json("extras.json")
    for text in decoder.warnings:
        warnings.warn(f"{file.path}: {text}", TransferWarning, stacklevel=2)
    return model


def read_card(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the model card of a file, and read no more than that.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict
        What the model is, what it was trained on, versions, and what was given to `save`.

    Raises
    ------
    DataNotFoundError
        There is no such file.
    IntegrityError
        The file is not a model, or its card was altered.
    """
    with container.opened(path) as file:
        card = file.json("card.json")
        if not isinstance(card, dict):
            raise IntegrityError(f"{file.path}: card.json is not a model card")
        return card


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Put the file's name in front of what is wrong with it."""
    try:
        yield
    except (InputError, IntegrityError) as error:
        text = str(error)
        raise type(error)(text if text.startswith(path) else f"{path}: {text}") from error
    except AcclimateError:
        raise
    except Exception as error:  # what a crafted file makes any part of the reading do
        raise IntegrityError(
            f"{path} is not valid ({type(error).__name__}: {error}). Take a fresh copy of the file"
        ) from error


def card_of(model: Any) -> dict[str, Any]:
    """Return what can be said about a model without being told."""
    base: Any = getattr(model, "source_model_", None)
    if base is None:
        base = getattr(model, "estimator", None)
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        if name in sys.modules:
            versions[name] = str(sys.modules[name].__version__)
    members = {}
    if hasattr(base, "members") and hasattr(base, "weights"):  # a committee
        names = [str(name) for name, _ in base.members]
        members = {"members": dict(zip(names, map(float, base.weights), strict=True))}
    threshold = model.threshold_words() if hasattr(model, "threshold_words") else ""
    return {
        "acclimate": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "method": type(model).__name__,
        "estimator": None if base is None else type(base).__name__,
        **members,
        **({"threshold": threshold} if threshold else {}),
        "adapted": bool(getattr(model, "adapted_", False)),
        "trained_on": getattr(model, "trained_on_", None),
        "versions": versions,
    }
