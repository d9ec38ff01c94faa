"""`TCA`: transfer component analysis, solved exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.mapping.expansion import ComponentsAdapter, Expansion
from acclimate.mapping.gaps import mean_gap
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]


class TCA(ComponentsAdapter):
    """Find features of high variance in which the domains have nearly equal means.

    Use it when the domains differ in some directions, linear or not, that the labels do not need.
    Do not use it when the shares of the classes differ much, since equal means then mix classes,
    or when the shift depends on the class.

    Minimises ``tr(W' (K L K + mu I) W)`` subject to ``W' K H K W = I``, where K is the kernel of
    all n + m rows, H centres and ``tr(W' K L K W)`` is the squared distance of the domains' means.
    L has rank one and H is a centring, so neither is ever a matrix. The problem is symmetric and
    definite. Features are ``k(x, rows) W sqrt(n + m)`` less their mean. With s
    above 0 the inputs stand beside them: a kernel of both is a mean with the shares s and 1 - s.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    n_components : int, default=30
        Number k of features, at least 1. Fewer are kept where the kernel has a lower rank. None
        keeps those whose eigenvalue is at least a hundredth of the largest, at most 30.
    kernel : {"rbf", "linear"} or callable, default="rbf"
        A callable takes rows of shapes (n, d) and (m, d) and returns a matrix of shape (n, m),
        positive semi-definite where the rows are the same.
    gamma : float, default=None
        For "rbf", inverse squared width, above 0. None is a hundredth over the median squared
        distance among at most 1000 rows: a wide kernel, which is nearly linear.
    mu : float, default=1e-4
        Strength of the penalty on W, above 0. Smaller values care more for equal means.
    shrinkage : float in [0, 1] or "auto", default="auto"
        Share s of the inputs in what the model sees. 0 is the paper's features alone, 1 the inputs.
        "auto" is 0 where the domains plainly differ, 1 where they do no more than two draws of one
        domain would; see `acclimate.mapping.shrunk.shrinkage_of`.
    as_published : bool, default=False
        Whether details that the paper's text leaves open follow published code: M is scaled to a
        Frobenius norm of 1, columns of W have
        length 1, so that the first features vary most, and features are ``k(x, rows) W`` itself.
    n_landmarks : int, default=500
        Above 5000 rows, "rbf" and callables are expanded in this many rows drawn at random
        (Nystrom), at least 1. A linear kernel is always exact.
    approximation : {"landmarks", "fourier"}, default="landmarks"
        What stands for the kernel above 5000 rows. "fourier", for "rbf" alone, is ``n_landmarks``
        random cosines and sines; a saved model then holds no rows. The kernel is wide, and its
        small eigenvalues drown in their noise, so landmarks come closer to the objective.
    use_target_labels : bool, default=False
        Whether labelled target rows join the mapped source rows when the model is fitted.
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
        The minimum. Only after a target was given.
    shrinkage_ : float
        Share s in use. Only after a target was given.
    n_components_ : int
        Number of features. Only after a target was given.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, or the kernel does not vary over the rows.

    Notes
    -----
    Width and number of features were chosen on shifts of optdigits, pendigits, wine and simulated
    rows, three draws each (``benchmarks/shallow_defaults.py``). With the median distance as width,
    the model was worse than the source's on average. A wide kernel keeps what is linear, and with
    enough features its squares. ``mu`` goes with the square of the kernel's spread: the default is
    a ten-thousandth of what suits a width of the median distance. A larger one hides the means, and
    what remains is a kernel PCA of both domains.

    The paper leaves the features at variance 1 / (n + m), and at means that a wide kernel makes
    large; mean 0 and variance 1 keep the meaning of the model's penalty. New rows are mapped by the
    same expansion. Weights of the source rows reach the model; for the map, a row is taken
    as often as it weighs. A saved model holds the
    rows that the kernel is expanded in; with a linear kernel and no more features than rows, only a
    matrix.

    References
    ----------
    Pan, Tsang, Kwok and Yang, "Domain adaptation via transfer component analysis",
    doi:10.1109/TNN.2010.2091281.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import TCA, Domain
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) * [2.0, 0.5]
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = TCA(kernel="linear", n_components=1).fit(X, y, target=Domain(X + [0.0, 9.0]))
    >>> model.predict([[2.0, 9.0], [-2.0, 9.0]])
    array([1, 0])
    """

    _found = ()

    def _solve(self, rows: Expansion, source: Rows, target: Rows, seed: int) -> tuple[Array, float]:
        E = mean_gap(len(source.X), len(target.X))
        P, roots, _ = self._find(rows, E)
        k = self._held(roots)
        return P[:, :k], float((1.0 / roots[:k]).sum())
