"""Stage one from a pretrained encoder: a source that has no labels."""

from __future__ import annotations

from typing import Any

from acclimate.adapter import Adapter
from acclimate.base.words import is_network
from acclimate.exceptions import InputError
from acclimate.settings import drawn_seed


def begin_from(method: Adapter, encoder: Any) -> None:
    """Put a method into the state that `fit` leaves, with an encoder in place of a source model.

    Parameters
    ----------
    method : Adapter
        Trains a network, and needs neither source rows nor source labels to adapt.
    encoder : Encoder
        From `acclimate.pretrain`. It is not changed.

    Raises
    ------
    InputError
        It is no encoder, the base model is no network, or there is preprocessing.
    """
    if not hasattr(encoder, "started"):
        raise InputError(
            f"begin takes an Encoder, as acclimate.pretrain returns one, got "
            f"{type(encoder).__name__}"
        )
    base = method._base()
    if not is_network(base):
        raise InputError(
            f"an encoder is the body of a network, and the base model is a "
            f"{type(base).__name__}; use NeuralClassifier or NeuralRegressor, or give its features "
            f"to any model with preprocess=encoder"
        )
    if method.preprocess is not None:
        raise InputError("an encoder reads rows as it was pretrained on them; leave out preprocess")
    method.seed_, again = drawn_seed(method.random_state)
    method.preprocess_ = encoder.preprocess_
    method._source = method._raw_source = None
    model = encoder.started(base, method._stage_seed(1))
    method.source_model_ = model
    for name in ("n_features_in_", "feature_names_in_", "row_shape_"):
        if hasattr(method, name):
            delattr(method, name)
        if hasattr(encoder, name):
            setattr(method, name, getattr(encoder, name))
    method.source_class_names_ = method.source_shares_ = None
    learnt = getattr(encoder, "trained_on_", {})
    rows = sum(one["rows"] for one in learnt.values() if isinstance(one, dict))
    method.trained_on_ = {
        "source": {
            "rows": rows, "features": encoder.n_features_in_, "classes": None, "class_names": None,
            "pretrained": learnt.get("pretrained", "with labels"),
        },
        "random_state": again,
    }  # fmt: skip
    method._reset_to_stage_one()
    method.rows_held_ = {}
