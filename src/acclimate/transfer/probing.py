"""Linear probes: how much a frozen body is worth, and whether it beats a random one."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from sklearn.base import clone
from torch import nn

from acclimate.training import loop
from acclimate.training.batch import Data, scaled
from acclimate.training.features import random_twin
from acclimate.training.network import Network
from acclimate.training.networks_pretrained import PRETRAINED
from acclimate.training.terms import Phase


def probe(
    estimator: Any,
    X: Any,
    y: NDArray[Any],
    steps: int,
    seed: int,
    weight: NDArray[Any] | None = None,
) -> None:
    """Train the head of a fitted network on features of its body, which does not move at all.

    The features are computed once, so a step costs what a linear model costs.

    Parameters
    ----------
    estimator : NeuralClassifier or NeuralRegressor
        Fitted; its head moves in place.
    X : ndarray of shape (m, ...)
        Labelled rows.
    y : ndarray of shape (m,)
        Their labels or values.
    steps : int
        Optimiser steps.
    seed : int
        Seeds the batches.
    weight : ndarray of shape (m,), default=None
        Weights of the rows.
    """
    net: Network = estimator.network_
    where = next(net.parameters()).device
    features, _ = estimator.infer(X)
    estimator._weigh_classes(y, weight)
    head = Network(nn.Identity(), net.head)
    data = Data(features.to(where), estimator._codes(y).to(where), scaled(weight, where))
    settings = estimator.settings(len(y), steps=steps, precision="float32", patience=None)
    estimator.history_ = loop.train(
        head, [Phase([estimator.task()], [head])], data, settings=settings, seed=seed
    )


def random_body_probe(estimator: Any, X: Any, y: NDArray[Any], seed: int) -> Any:
    """Fit a linear probe on a body of the same shape with random weights.

    A source whose body does not beat this is useless for the target, and the test is cheap.

    Parameters
    ----------
    estimator : NeuralClassifier or NeuralRegressor
        Names the network and the number of steps. It is not changed.
    X : ndarray of shape (m, ...)
        Labelled rows.
    y : ndarray of shape (m,)
        Their labels or values.
    seed : int
        Seeds the body and the batches.

    Returns
    -------
    NeuralClassifier or NeuralRegressor
        Fitted: random body, trained head.
    """
    model = clone(estimator).set_params(random_state=seed).start(X, y)
    if isinstance(model.network, nn.Module) or model.network in PRETRAINED:
        # it starts with weights that were learnt
        model.network_.body = random_twin(model.network_.body, seed)
    model.n_features_in_ = X.shape[1]
    probe(model, X, y, model.settings(len(y)).steps, seed)
    return model
