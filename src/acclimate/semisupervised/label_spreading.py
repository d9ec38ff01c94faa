"""`LabelSpreading`: every row takes on what its neighbours say, labelled rows hold to their own."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array

from acclimate.semisupervised.knn_graph import Array, degrees, solved
from acclimate.semisupervised.on_graph import GraphAdapter
from acclimate.settings import INNER_SHARE, Constraints


class LabelSpreading(GraphAdapter):
    """Spread labels over the graph of all rows until every row agrees with its neighbours.

    Use it where some rows are labelled, many are not, and rows that are near each other mostly are
    of one class; the shares of the classes may differ. Pass the labelled rows as source and all
    rows as target. Do not use it where neighbours are of different classes, or with labels of a
    handful of rows: `PoissonLearning` is made for these.

    Minimises ``alpha sum_ij W_ij ||f_i / sqrt(d_i) - f_j / sqrt(d_j)||^2 / 2 + (1 - alpha) sum_i
    ||f_i - y_i||^2``, whose solution is ``F = (1 - alpha) (I - alpha D^(-1/2) W D^(-1/2))^(-1) Y``.
    W holds the weights of the graph: ``exp(-4 d^2 / d_k^2)`` for the k nearest neighbours at the
    distances d, the farthest of them at d_k, averaged with its transpose; d_i are the sums of its
    rows. Y holds the one-hot labels, and 0 where there is none. A row's class is that of the
    largest f.

    Parameters
    ----------
    estimator : classifier, default=None
        The source model, which also answers rows that no label reaches. None means
        ``LogisticRegression(max_iter=1000)``.
    alpha : float in (0, 1), default=0.99
        How much a row listens to its neighbours, and not to its own label.
    n_neighbors : int, default=10
        Neighbours of each row, k, at least 1.
    n_components : int or None, default=140
        Principal components in which neighbours are searched, at least 1, where there are more
        features. None searches in all.
    multiply : bool, default=False
        Whether shares of F are multiplied by the probabilities of the base model, fitted on the
        labelled rows.
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
        F at the rows of both domains; new rows get the mean of their neighbours.
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
    `Domain` counts where the source has none for the same row. Memory is linear in the rows,
    unlike that of scikit-learn's class of this name with its default kernel. The search for
    neighbours is exact and takes time with the square of the rows above 15 features. Deviations
    from the paper: a sparse graph whose widths follow the neighbours, principal components, and new
    rows. Probabilities are F over the sum of its row. A saved model holds rows of both domains,
    after preprocessing.

    References
    ----------
    Zhou, Bousquet, Lal, Weston and Schölkopf, "Learning with local and global consistency",
    Advances in Neural Information Processing Systems 16, as in Calder et al., arXiv:2006.11184,
    which compares with it.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, LabelSpreading
    >>> turn = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    >>> rings = np.concatenate([r * np.column_stack([np.cos(turn), np.sin(turn)]) for r in (1, 3)])
    >>> model = LabelSpreading().fit(rings[[0, 100]], [0, 1], target=Domain(rings))
    >>> model = LabelSpreading().fit(rings[[0, 100]], [0, 1], target=Domain(rings))
    >>> truth = np.repeat([0, 1], 100)
    >>> model.score(rings, truth), model.score(rings, truth, domain="source")
    (1.0, 0.635)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **GraphAdapter._parameter_constraints,
        "alpha": [INNER_SHARE],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        alpha: float = 0.99,
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
        self.alpha = alpha

    def _scores(self, W: csr_array, Y: Array) -> Array:
        return np.maximum(spread_scores(W, Y, self.alpha), 0.0)  # below 0 by rounding alone


def spread_scores(W: csr_array, Y: Array, alpha: float) -> Array:
    """Return ``(1 - alpha) (I - alpha D^(-1/2) W D^(-1/2))^(-1) Y``, shape (N, c).

    Parameters
    ----------
    W : sparse array of shape (N, N)
        Symmetric weights of the graph.
    Y : ndarray of shape (N, c)
        How many labels of each class each node has.
    alpha : float in (0, 1)
        Weight of the neighbours.
    """
    degree = degrees(W)
    root = diags_array(1.0 / np.sqrt(np.where(degree > 0, degree, 1.0)))
    S = root @ W @ root
    return solved(csr_array(eye_array(len(degree)) - alpha * S), (1.0 - alpha) * Y)
