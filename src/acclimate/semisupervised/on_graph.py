"""What methods on a graph share: nodes of both domains, scores on them, answers for new rows."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from acclimate.adapter import Adapted, Adapter, fit_model, once
from acclimate.arrays import as_matrix
from acclimate.catalogue import Row
from acclimate.classes import Match, match_classes
from acclimate.exceptions import InputError
from acclimate.semisupervised.knn_graph import Array, carried, merged, neighbour_weights
from acclimate.settings import COUNT, Constraints
from acclimate.validation import Rows, stack


class GraphAdapter(Adapter):
    """Spread labels over a graph of the nearest neighbours among the rows of both domains.

    A subclass writes `_scores`. Rows that are equal are one node; where one of them is labelled in
    the source, that is the node's label, and else the target's, where it may be seen. A row that no
    label reaches is answered by the base model.
    """

    _cautious = Row(family="semisupervised", tasks=("classification",), keeps_rows=True)

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "n_neighbors": [COUNT],
        "n_components": [COUNT, None],
        "multiply": ["boolean"],
        "use_target_labels": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_neighbors: int = 10,
        n_components: int | None = 140,
        multiply: bool = False,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.n_neighbors = n_neighbors
        self.n_components = n_components
        self.multiply = multiply
        self.use_target_labels = use_target_labels

    @abstractmethod
    def _scores(self, W: csr_array, Y: Array) -> Array:
        """Return scores of the classes at the nodes, at least 0, shape (N, c).

        A node that no label reaches has 0 everywhere.

        Parameters
        ----------
        W : sparse array of shape (N, N)
            Symmetric weights of the graph.
        Y : ndarray of shape (N, c)
            How many labels of each class each node has.
        """

    def _fit_source(self, source: Rows, seed: int) -> Any:
        base = self._base()
        if self._regression():
            raise InputError(
                f"{type(self).__name__} is about classes, and {type(base).__name__} is a regressor"
            )
        if self.multiply and not hasattr(base, "predict_proba"):
            raise InputError(
                f"multiply=True needs predict_proba, and {type(base).__name__} has none"
            )
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if source is None:  # the door lets nobody in without source rows
            raise InputError(f"{type(self).__name__} needs the source rows")
        match = Match()
        if target.y is not None:
            name, names = type(self).__name__, self.source_class_names_
            match = match_classes(name, model.classes_, names, target)
            target = Rows(target.X, match.to_source(target.labels), target.labelled)
            model = fit_model(self._base(), _labelled(source, target), seed)
        n, classes = len(source.labels), self.source_model_.classes_
        graph = once(
            (source.X, target.X), ("graph", self.n_neighbors, self.n_components, seed),
            lambda: make_graph(
                _flat(source.X), _flat(target.X), self.n_neighbors, self.n_components, seed
            ),
        )  # fmt: skip
        node = graph.node
        Y = node_labels(source, target, node[:n], node[n:], graph.W.shape[0], classes)
        scores = self._scores(graph.W, Y)
        on_graph = OnGraph(graph.step, graph.finder, scores, model, classes, self.multiply)
        answers = on_graph.answers(on_graph.scores[node[n:]], target.X)
        self.labels_ = classes[answers.argmax(axis=1)]
        return Adapted(match.to_target(on_graph))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess is not None
        return tags


@dataclass(frozen=True)
class Graph:
    """The graph of the rows of both domains.

    Parameters
    ----------
    node : integer ndarray of shape (n + m,)
        Node of each row, the source's first.
    step : PCA or None
        What the nodes went through.
    finder : NearestNeighbors
        Fitted on the nodes.
    W : sparse array of shape (N, N)
        Symmetric weights.
    """

    node: NDArray[np.intp]
    step: Any
    finder: Any
    W: csr_array


def make_graph(X: Array, Xt: Array, n_neighbors: int, n_components: int | None, seed: int) -> Graph:
    """Return the graph of the rows of both domains.

    Parameters
    ----------
    X, Xt : ndarrays of shapes (n, d) and (m, d)
        Rows.
    n_neighbors : int
        Neighbours of each node; at most all others are used.
    n_components : int or None
        Principal components to search in, where there are more features and nodes.
    seed : int
        Seeds the components.
    """
    rows = np.concatenate([X, Xt])
    first, node = merged(rows, seed)
    rows, step = rows[first], None
    if n_components is not None and min(rows.shape) > n_components:
        step = PCA(n_components, random_state=seed).fit(rows)
        rows = step.transform(rows)
    finder = NearestNeighbors(n_neighbors=max(1, min(n_neighbors, len(rows) - 1))).fit(rows)
    # neighbours of the nodes, each without itself; where all rows are equal there is one node
    W = neighbour_weights(*finder.kneighbors()) if len(rows) > 1 else csr_array((1, 1))
    return Graph(node, step, finder, W)


def _flat(X: Any) -> Array:
    """Return rows as a matrix; each image becomes one row of pixels."""
    return as_matrix(X.reshape(len(X), -1) if getattr(X, "ndim", 2) > 2 else X)


def _labelled(source: Rows, target: Rows) -> Rows:
    """Return the rows of both domains with a known label."""
    weight = source.weight
    if weight is not None:
        weight = np.append(weight, np.full(len(target.labels), source.unit))
    X = stack(source.X, target.labelled_X)
    return Rows(X, np.concatenate([source.labels, target.labels]), None, weight)


def node_labels(
    source: Rows,
    target: Rows,
    ours: NDArray[np.intp],
    theirs: NDArray[np.intp],
    N: int,
    classes: NDArray[Any],
) -> Array:
    """Return how many labels of each class each node has, shape (N, c).

    Parameters
    ----------
    source, target : Rows
        Their labels count; those of the target at nodes that the source does not label.
    ours, theirs : integer ndarrays of shapes (n,) and (m,)
        Nodes of the rows.
    N : int
        Number of nodes.
    classes : ndarray of shape (c,)
        The labels, sorted.
    """
    Y = np.zeros((N, len(classes)))
    np.add.at(Y, (ours, np.searchsorted(classes, source.labels)), source.counts)
    if target.y is not None:
        nodes = theirs if target.labelled is None else theirs[target.labelled]
        new = Y.sum(axis=1)[nodes] == 0
        np.add.at(Y, (nodes[new], np.searchsorted(classes, target.y[new])), 1.0)
    return Y


class OnGraph:
    """Scores at the nodes of a graph, carried to new rows by their nearest nodes.

    Parameters
    ----------
    step : PCA or None
        What the nodes went through.
    finder : NearestNeighbors
        Fitted on the nodes.
    scores : ndarray of shape (N, c)
        Scores of the nodes, at least 0.
    model : fitted classifier
        Answers rows that no label reaches.
    classes : ndarray of shape (c,)
        Labels, sorted.
    multiply : bool
        Whether shares of the scores are multiplied by the model's probabilities.
    """

    def __init__(
        self,
        step: Any,
        finder: Any,
        scores: Array,
        model: Any,
        classes: NDArray[Any],
        multiply: bool,
    ) -> None:
        self.step = step
        self.finder = finder
        self.scores = scores
        self.model = model
        self.classes_ = classes
        self.multiply = multiply

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the labels with the highest share, shape (m,)."""
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> Array:
        """Return shares of the classes, shape (m, c)."""
        Z = _flat(X)
        if self.step is not None:
            Z = self.step.transform(Z)
        distance, found = self.finder.kneighbors(Z)
        return self.answers(carried(distance, found, self.scores), X)

    def decision_function(self, X: Any) -> Array:
        """Return the shares, shape (m, c); of two classes what the second has more, shape (m,)."""
        shares = self.predict_proba(X)
        return shares[:, 1] - shares[:, 0] if shares.shape[1] == 2 else shares

    def answers(self, scores: Array, X: Any) -> Array:
        """Return shares of the classes for scores of rows X, both of length m."""
        if self.multiply:
            return multiplied(scores, np.asarray(self.model.predict_proba(X), dtype=np.float64))
        total = scores.sum(axis=1)
        shares: Array = scores / np.where(total > 0, total, 1.0)[:, None]
        lost = np.flatnonzero(total == 0)
        if len(lost):
            rows = X.iloc[lost] if hasattr(X, "iloc") else X[lost]
            shares[lost] = self._model_says(rows)
        return shares

    def _model_says(self, X: Any) -> Array:
        """Return the model's probabilities, or 1 for its label where it has none."""
        if hasattr(self.model, "predict_proba"):
            proba: Array = self.model.predict_proba(X)
            return proba
        codes = np.searchsorted(self.classes_, self.model.predict(X))
        sure: Array = np.eye(len(self.classes_))[codes]
        return sure


def multiplied(scores: Array, proba: Array) -> Array:
    """Return shares of scores times probabilities, scaled to sum to 1; both of shape (m, c).

    Where the scores leave nothing, or are 0, the probabilities stand alone.

    >>> multiplied(np.array([[2.0, 2.0], [0.0, 0.0]]), np.array([[0.8, 0.2], [0.1, 0.9]]))
    array([[0.8, 0.2],
           [0.1, 0.9]])
    """
    total = scores.sum(axis=1, keepdims=True)
    product = scores / np.where(total > 0, total, 1.0) * proba
    left = product.sum(axis=1, keepdims=True)
    shares: Array = np.where(left > 0, product / np.where(left > 0, left, 1.0), proba)
    return shares
