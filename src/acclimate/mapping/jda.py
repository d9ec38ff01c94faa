"""`JDA`: joint distribution adaptation, solved exactly."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acclimate.mapping.gaps import class_gaps, mean_gap
from acclimate.mapping.pseudo_labels import PseudoLabelAdapter
from acclimate.settings import COUNT, Constraints

Array = NDArray[np.floating[Any]]


class JDA(PseudoLabelAdapter):
    """Find features of high variance in which the domains, and each class, have nearly equal means.

    Use it when the shift depends on the class, and a model of the source is right for most target
    rows, so that pseudo-labels of the target are. Do not use it when they are mostly wrong, since
    classes are then pulled onto other classes, nor when the shares of the classes differ much.

    Minimises ``tr(W' (K M K + mu I) W)`` subject to ``W' K H K W = I``, where K is the kernel of
    all n + m rows, H centres, and ``M = M_0 + sum_c M_c``: ``tr(W' K M_0 K W)`` is the squared
    distance of the domains' means, and M_c does the same for the rows of class c, by labels in the
    source and by pseudo-labels in the target. M has a rank of at most 1 + n_classes, and neither it
    nor H is ever a matrix. Pseudo-labels come from a model of the mapped source rows; then the
    problem is solved again, until they stay.
    Features are ``k(x, rows) W sqrt(n + m)`` less their mean. With s
    above 0 the inputs stand beside them: a kernel of both is a mean with the shares s and 1 - s.

    Parameters
    ----------
    estimator : classifier, default=None
        The base model, which gives the pseudo-labels, too. None means
        ``LogisticRegression(max_iter=1000)``.
    n_components : int, default=30
        Number k of features, at least 1. Fewer are kept where the kernel has a lower rank. None
        keeps those whose eigenvalue is at least a hundredth of the largest, at most 30.
    kernel : {"rbf", "linear"} or callable, default="rbf"
        A callable takes rows of shapes (n, d) and (m, d) and returns a matrix of shape (n, m),
        positive semi-definite where the rows are the same.
    gamma : float, default=None
        For "rbf", inverse squared width, above 0. None is a hundredth over the median squared
        distance among at most 1000 rows: a wide kernel, which is nearly linear.
    mu : float, default=1e-5
        Strength of the penalty on W, above 0. Smaller values care more for equal means.
    rounds : int, default=10
        Most rounds of pseudo-labels, at least 1.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share s of the inputs in what the model sees. 0 is the paper's features alone, 1 the inputs.
        "auto" is 0 where the domains plainly differ, 1 where they do no more than two draws of one
        domain would; see `acclimate.mapping.shrunk.shrinkage_of`.
    as_published : bool, default=False
        Whether details that the paper's text leaves open follow published code: M_0 counts as often
        as there are classes, M is scaled to a Frobenius norm of 1, columns of W have length 1, so
        that the first features vary most, and features are ``k(x, rows) W`` itself.
    n_landmarks : int, default=500
        Above 5000 rows, "rbf" and callables are expanded in this many rows drawn at random
        (Nystrom), at least 1. A linear kernel is always exact.
    approximation : {"landmarks", "fourier"}, default="landmarks"
        What stands for the kernel above 5000 rows. "fourier", for "rbf" alone, is ``n_landmarks``
        random cosines and sines; a saved model then holds no rows.
    use_target_labels : bool, default=False
        Whether labelled target rows keep their labels instead of pseudo-labels, and join the mapped
        source rows when the model is fitted.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the model, the landmarks and the rows of the median.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Mapped or None
        The model of the mapped source rows, behind the map.
    objective_ : float
        The minimum for the last pseudo-labels. Only after a target was given.
    pseudo_labels_ : ndarray of shape (m,)
        The labels of the target rows that the last M was made of, as the source calls them.
    n_rounds_ : int
        Rounds of pseudo-labels.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    n_components_ : int
        Number of features.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, the base model is a regressor, or the kernel does not vary over the
        rows.

    Notes
    -----
    Width and number of features were chosen on shifts of optdigits, pendigits, wine and simulated
    rows, as those of `TCA` were. ``mu`` goes with the square of the kernel's spread: the default is
    a ten-thousandth of what suits a width of the median distance. A larger one hides the terms of
    the classes, and `TCA` remains.

    As in the paper, the first round aligns the domains' means alone. A class without a
    pseudo-labelled target row has no M_c; code that is often cited pulls its source mean to zero
    instead. The paper leaves features at variance 1 / (n + m), labels with the nearest neighbour,
    and has a penalty of 1; the one here was chosen on simulated shifts of optdigits and pendigits.
    Weights of the source rows reach the model, not the map. Rows are put in an order of their own
    first, so that pseudo-labels do not depend on the order given. They depend on what classes are
    called no more than the base model does. A saved model holds the rows that the kernel is
    expanded in; with a linear kernel and no more features than rows, only a matrix.

    References
    ----------
    Long, Wang, Ding, Sun and Yu, "Transfer feature learning with joint distribution adaptation",
    doi:10.1109/ICCV.2013.274.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import JDA, Domain
    >>> y = np.arange(200) % 2
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) + 6 * y[:, None] * [1, 0]
    >>> model = JDA(kernel="linear", n_components=1).fit(X, y, target=Domain(X + [1.0, 9.0]))
    >>> model.predict([[7.0, 9.0], [1.0, 9.0]])
    array([1, 0])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **PseudoLabelAdapter._parameter_constraints,
        "rounds": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = 30,
        kernel: Any = "rbf",
        gamma: float | None = None,
        mu: float = 1e-5,
        shrinkage: float | str = "auto",
        as_published: bool = False,
        rounds: int = 10,
        n_landmarks: int = 500,
        approximation: str = "landmarks",
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, n_components=n_components, kernel=kernel, gamma=gamma, mu=mu,
            shrinkage=shrinkage, as_published=as_published, n_landmarks=n_landmarks,
            approximation=approximation, use_target_labels=use_target_labels,
            preprocess=preprocess, random_state=random_state,
        )  # fmt: skip
        self.rounds = rounds

    def _gaps(self, Z: Array, codes: NDArray[np.intp], n: int) -> Array:
        times = self._times(codes)
        return np.hstack([np.sqrt(times) * mean_gap(n, len(codes) - n), class_gaps(codes, n)])
