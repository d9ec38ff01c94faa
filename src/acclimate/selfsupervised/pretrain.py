"""`pretrain`: a network learns from rows without labels, of the source, the target or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from torch import Tensor, nn

from acclimate.arrays import task_of
from acclimate.base.neural import NeuralClassifier
from acclimate.catalogue import methods
from acclimate.domain import Domain
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.selfsupervised.encoder import Encoder, encoder_within
from acclimate.selfsupervised.pretext import Pretext, Start
from acclimate.settings import check_settings, drawn_seed
from acclimate.training import loop, norm
from acclimate.training.batch import Data, endless
from acclimate.training.device import find_device, seeded
from acclimate.training.dropout import Dropout
from acclimate.training.inference import infer
from acclimate.training.network import Network
from acclimate.training.progress import Progress
from acclimate.training.terms import Phase, Term
from acclimate.transferability.probes import knn_probe, linear_probe
from acclimate.validation import check_mask, check_target, check_target_labels, count, take

Scorer = Callable[[], dict[str, float]]
LEAST_SCORED = 20
NEIGHBORS = 10
STATISTICS = 5000  # most rows of a domain that batch norm's statistics are estimated on


def pretrain(
    X: Any,
    y: Any = None,
    *,
    target: Domain | None = None,
    method: Any = "auto",
    network: Any = "auto",
    hidden: Sequence[int] = (128,),
    epochs: int = 20,
    min_steps: int | str = "auto",
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    schedule: str = "cosine",
    score_rows: int = 1000,
    device: str = "auto",
    verbose: bool | str = "auto",
    checkpoint: str | None = None,
    preprocess: Any = None,
    random_state: Any = None,
) -> Encoder:
    """Train a network on rows without labels, for every method to start from.

    Use it where there are many rows and few labels. Do not use it where there are labels enough to
    train all weights, nor take it for free: whether it helped, a comparison with the same network
    from scratch says, and `rank` shows its features beside those of random weights.

    Minimises what ``method`` says; with a target, the mean over both domains, each by itself.

    Parameters
    ----------
    X : array-like or data frame of shape (n, ...), or Domain
        Rows: images, uint8 or not, or a table. Of the source, of the target, or of any other place.
        A `Domain` brings its labels, of which some may be unknown.
    y : array-like of shape (n,), default=None
        Labels, to score the features by after each epoch, and for nothing else.
    target : Domain, default=None
        Rows of a second domain. Where it has labels, its rows are those that are scored.
    method : {"auto", "SimCLR", "VICReg", "BarlowTwins", "Rotation", "MaskedAutoencoder", "SCARF"} \
            or object of one, default="auto"
        What to learn without labels. "auto" is `SimCLR` for images and `SCARF` for tables.
    network : str, nn.Module, callable or fitted model, default="auto"
        The network whose body is trained, as for `NeuralClassifier`; "auto" is "cnn-norm" for
        images and "tabular" for tables. An `Encoder`, a fitted network or a method that was fitted
        with one is gone on from: a source's labels first, then the target's rows.
    hidden : sequence of int, default=(128,)
        Units of the dense hidden layers of networks by name.
    epochs : int, default=20
        Passes over the rows, of the domain that has more; at least 1.
    min_steps : int or "auto", default="auto"
        Fewest optimiser steps, at least 0. "auto" is 1000, and fewer for few images of more than
        32 x 32 pixels; see `NeuralClassifier`.
    batch_size : int, default=256
        Rows of each domain a step, at least 1.
    learning_rate : float, default=1e-3
        Peak rate of Adam, above 0.
    schedule : {"linear", "cosine", "constant", "inverse"}, default="cosine"
        How the rate falls after the warm-up.
    score_rows : int, default=1000
        Most labelled rows that are scored, at least 20.
    device : str, default="auto"
        "auto" uses a GPU where there is one.
    verbose : bool or "auto", default="auto"
        "auto" shows a progress bar at a terminal, after two seconds.
    checkpoint : str, default=None
        File name under which a run keeps its state between epochs; see `NeuralClassifier`.
    preprocess : transformer, default=None
        Fitted on ``X`` and part of the encoder, such as `acclimate.tables.MixedPreprocessor` for
        tables with gaps, dates or texts.
    random_state : int, RandomState instance or None, default=None
        Seeds weights, batches and changes.

    Returns
    -------
    Encoder
        Saved with `save`. ``history_`` has each epoch's loss and, with labels, "knn" (10 nearest by
        cross-validation) and "probe" (a linear model): accuracies, or R2.

    Raises
    ------
    InputError
        A value cannot be used; the message shows it.
    DomainTypeError
        ``target`` is not a `Domain`.

    Notes
    -----
    No epoch is chosen: the weights are those of the last. Dropout stands still while pretraining,
    and afterwards batch norm's statistics are estimated again, on the rows as they are. Rows stay
    in the type they came in, so that pixels take a byte each.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, FineTune, pretrain
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 6))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> encoder = pretrain(X, y, hidden=(16,), min_steps=30, random_state=0)
    >>> sorted(encoder.history_.epochs[-1])
    ['knn', 'loss', 'probe', 'step']
    >>> model = FineTune(strategy="head", random_state=0).begin(encoder)
    >>> model.adapt(Domain(X[:20], y[:20])).predict(X).shape
    (80,)
    """
    if target is not None:
        target = check_target(target)
    if score_rows < LEAST_SCORED:
        raise InputError(f"score_rows must be at least {LEAST_SCORED}, got {score_rows!r}")
    first = X if isinstance(X, Domain) else Domain(X, y)
    if first is X and y is not None:
        raise InputError("the Domain has the labels; leave y out")
    X = first.X
    images = not hasattr(X, "columns") and np.ndim(X) > 2
    way = way_of(method, images=images)
    given = encoder_within(network)
    if given is None and isinstance(network, str) and network == "auto":
        network = "cnn-norm" if images else "tabular"
    seed, again = drawn_seed(random_state)
    model = NeuralClassifier(
        network if given is None else given, hidden=hidden, epochs=epochs, min_steps=min_steps,
        batch_size=batch_size, learning_rate=learning_rate, schedule=schedule, device=device,
        verbose=verbose, checkpoint=checkpoint, random_state=seed,
    )  # fmt: skip
    check_settings(model)
    step, names = None, getattr(X, "columns", None)
    others = [] if target is None else [target.X]
    if given is not None and given.preprocess_ is not None:
        if preprocess is not None:
            raise InputError("the encoder to go on from has its preprocessing; leave it out")
        step = given.preprocess_
    elif preprocess is not None:
        step = clone(preprocess).fit(X)
    if step is not None:
        X, *others = (step.transform(one) for one in (X, *others))
    rows = {"source": model._check_rows(X, reset=True)}
    if target is not None:
        rows["target"] = model._check_rows(others[0])
    for name, one in rows.items():
        if count(one) < 2:
            raise InputError(f"the {name} has 1 row; pretraining compares rows, and needs 2")
    model.start(rows["source"], np.arange(2), np.arange(2))  # of two classes, which mean nothing
    scorer = None
    labelled = target if target is not None and target.y is not None else None
    if labelled is not None:
        scorer = _scorer(model, rows["target"], labelled, score_rows)
    elif first.y is not None:
        scorer = _scorer(model, rows["source"], first, score_rows)
    start_scores = {} if scorer is None else scorer()
    _train(model, way, list(rows.values()), scorer)
    del model.classes_
    if given is not None:  # its settings say how rows are read; the body is its own by now
        model.set_params(network=given.model.network, hidden=given.model.hidden)
    encoder = Encoder(model)
    encoder.preprocess_ = step
    if names is not None:
        encoder.feature_names_in_ = np.asarray(names, dtype=object)
    encoder.method_, encoder.history_ = repr(way), model.history_
    encoder.start_scores_ = start_scores
    encoder.trained_on_ = {
        name: {"rows": count(one), "features": model.n_features_in_, "classes": None}
        for name, one in rows.items()
    } | {"pretrained": repr(way), "random_state": again}
    encoder.rows_held_ = {}
    return encoder


def way_of(method: Any, *, images: bool) -> Pretext:
    """Return a way of pretraining by its word, checked.

    Parameters
    ----------
    method : str or Pretext
        A name of ``methods(kind="pretrain")``, whatever its case; "auto"; or settings of one.
    images : bool
        Whether rows are images, which "auto" asks.

    Examples
    --------
    >>> way_of("auto", images=False), way_of("vicreg", images=True)
    (SCARF(), VICReg())
    """
    known = {row.name.lower(): row for row in methods(kind="pretrain")}
    if isinstance(method, str):
        word = ("simclr" if images else "scarf") if method == "auto" else method.lower()
        if word not in known:
            names = ", ".join(row.name for row in known.values())
            raise InputError(f"there is no way to pretrain called {method!r}; choose of {names}")
        method = known[word].load()()
    if not isinstance(method, Pretext):
        raise InputError(
            f"method must be a name or an object of a way to pretrain, such as SimCLR(), got "
            f"{method!r}"
        )
    check_settings(method)
    return method


def _scorer(model: Any, X: Any, labelled: Domain, most: int) -> Scorer:
    """Return what scores the features of labelled rows: nearest neighbours and a linear probe."""
    task = task_of(_known(labelled, count(X)))[0]
    regression = task == "regression"
    y, index = check_target_labels(labelled, count(X), regression=regression)
    places = np.arange(count(X)) if index is None else index
    picked = np.sort(np.random.default_rng(model.seed_).permutation(len(y))[:most])
    y, x = y[picked], model.tensor(take(X, places[picked]))
    parts = few_label_folds(y, classify=not regression, seed=model.seed_)

    def score() -> dict[str, float]:
        z = infer(model.network_, x)[0].numpy()
        unit = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)
        near = knn_probe(unit, y, neighbors=NEIGHBORS, task=task, parts=parts)
        return {"knn": near.score, "probe": linear_probe(z, y, task=task, parts=parts).score}

    return score


def _known(labelled: Domain, n: int) -> Any:
    """Return the labels that are known, as `task_of` reads them."""
    y = labelled.y.to_numpy() if hasattr(labelled.y, "to_numpy") else np.asarray(labelled.y)
    index = check_mask(labelled.labelled, n)
    return y if index is None else y[index]


def _train(model: Any, way: Pretext, rows: Sequence[Any], scorer: Scorer | None) -> None:
    """Train the body of a model's network in place, and leave its history."""
    body = model.network_.body
    where = find_device(model.device)
    sides = [replace(model.data(one, None), domain=i) for i, one in enumerate(rows)]
    sides.sort(key=len, reverse=True)  # an epoch is a pass over the first
    start = Start(tuple(sides[0].x.shape[1:]), infer(model.network_, sides[0].x[:2])[0].shape[1])
    with seeded(model.seed_, where):
        task = way.task(start)
    net = Network(body, task.head.to(where))
    still = [m for m in body.modules() if isinstance(m, Dropout | nn.modules.dropout._DropoutNd)]

    def loss(s: Any, t: Any) -> Tensor:
        found = [task.loss(one) for one in (s, t) if one is not None]
        return torch.stack(found).mean()

    def score(_: nn.Module, epochs: list[dict[str, float]]) -> None:
        if scorer is not None:
            epochs[-1].update(scorer())

    settings = model.settings(len(sides[0]))
    model.history_ = loop.train(
        net, [Phase([Term("loss", loss)], [net])], sides[0], sides[1] if len(sides) > 1 else None,
        settings=settings, seed=model.seed_, forward=task.forward, views=task.views,
        sampler=_full, watch=score, frozen=still, checkpoint=model.checkpoint,
        progress=Progress(settings.steps, type(way).__name__, model.verbose),
    )  # fmt: skip
    model.n_iter_ = int(model.history_.epochs[-1]["step"])
    few = [side.x[:: max(1, -(-len(side) // STATISTICS))] for side in sides]
    norm.reestimate(body, torch.cat(few), precision=settings.precision)
    model.network_.eval()


def _full(data: Data, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    return endless(len(data), size, generator, data.x.device)
