"""`PoissonLearning`: few labels, each a source of heat on the graph of all rows."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, diags_array

from acclimate.semisupervised.knn_graph import Array, degrees, solved
from acclimate.semisupervised.on_graph import GraphAdapter
from acclimate.settings import POSITIVE, Constraints


class PoissonLearning(GraphAdapter):
    """Spread very few labels over the graph of all rows, each label a source and a sink.

    Use it where labels are few, some to some hundred a class, rows without one are many, and rows
    that are near each other mostly are of one class: on images with ``preprocess=HOG()``, or on
    features of a trained network. Pass the labelled rows as source and all rows as target. Do not
    use it where neighbours are of different classes, as in most tables, or where some classes are
    much rarer than others; see ``unit_columns``.

    Solves ``((1 + ridge) D - W) U = B``. W holds the weights of the graph: ``exp(-4 d^2 / d_k^2)``
    for the k nearest neighbours at the distances d, the farthest of them at d_k, averaged with its
    transpose. D is diagonal with the sums of its rows. B holds at each labelled row the one-hot
    label minus the mean of all of these, and 0 elsewhere. A row's class is that of the largest u.

    Parameters
    ----------
    estimator : classifier, default=None
        The source model, which also answers rows that no label reaches. None means
        ``LogisticRegression(max_iter=1000)``.
    ridge : float, default=0.03
        Share of the degrees that holds U back to 0, above 0.
    unit_columns : bool, default=True
        Whether each class's column of U is scaled to norm 1 before classes are compared. Classes
        then take up about as much of the graph whatever their share of the labels. It supposes that
        they have about equal shares of the rows: a class with a hundredth of them is given too
        many. With False, the share of the labels decides along with the graph.
    n_neighbors : int, default=10
        Neighbours of each row, k, at least 1.
    n_components : int or None, default=140
        Principal components in which neighbours are searched, at least 1, where there are more
        features. None searches in all.
    multiply : bool, default=False
        Whether shares of U are multiplied by the probabilities of the base model, fitted on the
        labelled rows. Worth a try where that model is about as good; see Notes.
    use_target_labels : bool, default=False
        Whether labels in the `Domain` count as the source's do.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains. Neighbours depend on the scale of features.
    random_state : int, RandomState instance or None, default=None
        Seeds the base model and, for many features, the principal components.

    Attributes
    ----------
    source_model_ : estimator
        The base model on the labelled rows.
    target_model_ : OnGraph or None
        U at the rows of both domains; new rows get the mean of their neighbours.
    labels_ : ndarray of shape (m,)
        The label of each target row. Only after a target was given.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, the base model is a regressor, or it has no ``predict_proba`` and
        ``multiply`` asks for it.

    Warns
    -----
    ConvergenceWarning
        The system is not solved after 10000 steps.

    Notes
    -----
    Rows that are equal are one node, so rows that stand in both domains do no harm; a label in the
    `Domain` counts where the source has none for the same row. Memory is linear in the rows. The
    search for neighbours is exact and takes time with the square of the rows above 15 features.
    Deviations from the paper: the ridge, which has the solution forget labels far away and makes it
    unique; unit columns in place of a prior of class shares; principal components; and new rows,
    which the paper does not answer. Probabilities are U, 0 where it is below, over their sum; with
    two classes, whose columns are each other's negative, ``1 / (1 + exp(-v / s))`` for the
    difference v of the two and its root mean square s over all nodes. They are not calibrated. A
    saved model holds rows of both domains, after preprocessing.

    With 100 labels of Fashion-MNIST among its 60000 training images, ``preprocess=HOG()`` and one
    draw of the labels, 80.1 % of the test images are right, after 33 CPU seconds from pixels on;
    logistic regression on the same labels and features has 75.7 %, and `LabelSpreading` 77.9 %
    (``python benchmarks/label_efficiency.py --quick``). Where the rarest class has a twentieth of
    the rows of the commonest, over three draws, ``unit_columns=True`` is behind False in accuracy,
    81.9 to 83.7 %, and ahead in mean recall, 71.5 to 68.8 % (``--tail --labels 100 --draws 3``).
    With 1000 labels the graph has 84.0 %, logistic regression 84.6 %, and ``multiply=True`` 85.6 %
    (``--labels 1000 --draws 1``).

    References
    ----------
    Calder, Cook, Thorpe and Slepčev, "Poisson learning: graph based semi-supervised learning at
    very low label rates", arXiv:2006.11184.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, PoissonLearning
    >>> turn = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    >>> rings = np.concatenate([r * np.column_stack([np.cos(turn), np.sin(turn)]) for r in (1, 3)])
    >>> model = PoissonLearning().fit(rings[[0, 100]], [0, 1], target=Domain(rings))
    >>> model = PoissonLearning().fit(rings[[0, 100]], [0, 1], target=Domain(rings))
    >>> truth = np.repeat([0, 1], 100)
    >>> model.score(rings, truth), model.score(rings, truth, domain="source")
    (1.0, 0.635)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **GraphAdapter._parameter_constraints,
        "ridge": [POSITIVE],
        "unit_columns": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        ridge: float = 0.03,
        unit_columns: bool = True,
        n_neighbors: int = 10,
        n_components: int | None = 140,
        multiply: bool = False,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, n_neighbors=n_neighbors, n_components=n_components, multiply=multiply,
            use_target_labels=use_target_labels, preprocess=preprocess, random_state=random_state,
        )  # fmt: skip
        self.ridge = ridge
        self.unit_columns = unit_columns

    def _scores(self, W: csr_array, Y: Array) -> Array:
        U = poisson_scores(W, Y, self.ridge)
        if self.unit_columns:
            size = np.linalg.norm(U, axis=0)
            U = U / np.where(size > 0, size, 1.0)
        return at_least_zero(U)


def poisson_scores(W: csr_array, Y: Array, ridge: float) -> Array:
    """Return U of ``((1 + ridge) D - W) U = B``, shape (N, c); see `PoissonLearning`.

    Parameters
    ----------
    W : sparse array of shape (N, N)
        Symmetric weights of the graph.
    Y : ndarray of shape (N, c)
        How many labels of each class each node has.
    ridge : float
        Above 0.
    """
    count = Y.sum(axis=1, keepdims=True)
    B = Y - count * (Y.sum(axis=0) / Y.sum())
    degree = degrees(W)
    degree = np.where(degree > 0, degree, 1.0)  # a node alone is its own
    return solved(csr_array(diags_array((1.0 + ridge) * degree) - W), B)


def at_least_zero(U: Array) -> Array:
    """Return scores of classes that are at least 0, and 0 where U is, shape (N, c).

    >>> at_least_zero(np.array([[0.5, -0.1, -0.4], [0.0, 0.0, 0.0]]))
    array([[0.5, 0. , 0. ],
           [0. , 0. , 0. ]])
    >>> at_least_zero(np.array([[1.0, -1.0], [-1.0, 1.0]])).round(2)
    array([[0.73, 0.27],
           [0.27, 0.73]])
    """
    if U.shape[1] > 2:
        return np.maximum(U, 0.0)
    v = U[:, 1] - U[:, 0]
    size = np.sqrt(np.mean(v**2)) or 1.0
    second = 1.0 / (1.0 + np.exp(-np.clip(v / size, -500.0, 500.0)))
    reached = np.abs(U).sum(axis=1, keepdims=True) > 0
    return np.where(reached, np.column_stack([1.0 - second, second]), 0.0)
