"""`BDA`: balanced distribution adaptation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acclimate.mapping.gaps import class_gaps, estimate_balance, mean_gap
from acclimate.mapping.pseudo_labels import PseudoLabelAdapter
from acclimate.settings import COUNT, SHARE, Constraints

Array = NDArray[np.floating[Any]]


class BDA(PseudoLabelAdapter):
    """Find features in which domains and classes have equal means, with a balance between the two.

    Use it instead of `JDA` when one of the two matters more: a balance near 0 for domains that are
    far apart, near 1 for classes that moved in different ways. Do not use it when a model of the
    source is wrong for most target rows, since classes are then pulled onto other classes. Nor,
    unless ``weighted``, when the shares of the classes differ much.

    Minimises ``tr(W' (K M K + mu I) W)`` subject to ``W' K H K W = I``, where K is the kernel of
    all n + m rows, H centres, and ``M = (1 - balance) M_0 + balance sum_c M_c``. The term of M_0 is
    the squared distance of the domains' means, and that of M_c the squared distance of the means of
    class c, by labels in the source and by pseudo-labels in the target. With ``weighted``, each
    mean counts by the root of the class's share in its domain. The rest is as in `JDA`.

    Parameters
    ----------
    estimator : classifier, default=None
        The base model, which gives the pseudo-labels, too. None means
        ``LogisticRegression(max_iter=1000)``.
    balance : float in [0, 1], default=None
        Share of the classes. None estimates it in each round, from how well linear classifiers of
        the features tell the domains apart, as a whole and within each class.
    weighted : bool, default=False
        Whether classes count by their shares (W-BDA).
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
        Strength of the penalty on W, above 0. The paper's mu is ``balance`` here.
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
    balance_ : float
        The balance of the last round. Only after a target was given.
    objective_ : float
        The minimum for the last pseudo-labels.
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
    rows, as those of `TCA` were. ``mu`` goes with the square of the kernel's spread; see `JDA`.

    The first round aligns the domains' means alone, whatever the balance. With a balance of 0.5
    this is `JDA` with twice the penalty. The paper gives no rule for the balance; the estimate is
    that of `MEDA`. It and the penalty were chosen on simulated shifts of optdigits and pendigits.
    See the notes of `JDA`, which hold here, too.

    References
    ----------
    Wang, Chen, Hao, Feng and Shen, "Balanced distribution adaptation for transfer learning",
    doi:10.1109/ICDM.2017.150.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import BDA, Domain
    >>> y = np.arange(200) % 2
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) + 6 * y[:, None] * [1, 0]
    >>> model = BDA(kernel="linear", n_components=1).fit(X, y, target=Domain(X + [1.0, 9.0]))
    >>> model.predict([[7.0, 9.0], [1.0, 9.0]])
    array([1, 0])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **PseudoLabelAdapter._parameter_constraints,
        "balance": [SHARE, None],
        "weighted": ["boolean"],
        "rounds": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        balance: float | None = None,
        weighted: bool = False,
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
        self.balance = balance
        self.weighted = weighted
        self.rounds = rounds

    def _gaps(self, Z: Array, codes: NDArray[np.intp], n: int) -> Array:
        b = estimate_balance(Z, codes, n) if self.balance is None else float(self.balance)
        self.balance_ = b
        return balanced(b, codes, n, weighted=self.weighted, times=self._times(codes))


def balanced(
    balance: float, codes: NDArray[np.intp], n: int, *, weighted: bool = False, times: int = 1
) -> Array:
    """Return the factor of ``(1 - balance) times M_0 + balance sum_c M_c``, shape (N, r)."""
    whole = mean_gap(n, len(codes) - n) * np.sqrt(times * (1.0 - balance))
    return np.hstack([whole, class_gaps(codes, n, weighted=weighted) * np.sqrt(balance)])
