"""`RULSIF`: weights relative to a mixture of both domains, which bounds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from acclimate.reweighting.ratio import Array, RatioAdapter
from acclimate.reweighting.ulsif import RIDGES, fit_ratio
from acclimate.settings import COUNT, POSITIVE, SHARE_BELOW_1, Constraints, Each


class RULSIF(RatioAdapter):
    """Weigh source rows by p_target(x) / (alpha p_target(x) + (1 - alpha) p_source(x)).

    Use it where `ULSIF` gives a few rows most of the weight: the relative ratio is at most
    ``1 / alpha``, and so is estimated with less variance. Do not use it where the shift is mild and
    rows are many: the relative ratio is not the one that corrects the shift, and `ULSIF` then is
    closer. Nor with many features, where kernels on distances say little.

    Fits ``r(x) = sum_l theta_l exp(-||x - c_l||^2 / (2 width^2))`` with target rows as centres by
    minimising ``alpha/2 mean_target r^2 + (1 - alpha)/2 mean_source r^2 - mean_target r +
    ridge/2 ||theta||^2``.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    alpha : float in [0, 1), default=0.1
        Share of the target in the mixture. 0 is `ULSIF`; more is smoother.
    widths : sequence of float, default=None
        Widths to try, above 0, in units of the inputs. None is a quarter to four times the median
        distance.
    ridges : sequence of float, default=(0.001, 0.01, 0.1, 1.0, 10.0)
        Penalties to try, above 0.
    centres : int, default=100
        Most target rows that serve as centres, at least 1.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    weights_ : ndarray of shape (n,)
        Weights of the source rows, 1 on average. Only after a target was given.
    weight_report_ : WeightReport
        Effective rows and tail of the weights.
    choice_ : Choice
        Width and penalty with the least leave-one-out loss.
    source_similarity_ : dict
        Similarity of each of several sources; see `acclimate.sources.source_similarity`.
    source_model_, target_model_ : estimator
        The model before and after weighting.

    Raises
    ------
    InputError
        A setting is out of range, a domain has one row, or all weights are 0.

    Notes
    -----
    Deviations from the paper: leave-one-out in closed form in place of cross-validation, negative
    coefficients are cut to 0, and weights are scaled to 1 on average.

    References
    ----------
    Yamada, Suzuki, Kanamori, Hachiya and Sugiyama, "Relative density-ratio estimation for robust
    distribution comparison", arXiv:1106.4729.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import RULSIF, ULSIF, Domain
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(300, 1)), rng.normal(size=(200, 1)) * 0.5 + 1
    >>> y = (X[:, 0] > 1).astype(int)
    >>> even = RULSIF(alpha=0.5, random_state=0).fit(X, y, target=Domain(Xt)).weight_report_
    >>> even.share > ULSIF(random_state=0).fit(X, y, target=Domain(Xt)).weight_report_.share
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **RatioAdapter._parameter_constraints,
        "alpha": [SHARE_BELOW_1],
        "widths": [Each(POSITIVE, least=1), None],
        "ridges": [Each(POSITIVE, least=1)],
        "centres": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        alpha: float = 0.1,
        widths: Sequence[float] | None = None,
        ridges: Sequence[float] = RIDGES,
        centres: int = 100,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.alpha = alpha
        self.widths = widths
        self.ridges = ridges
        self.centres = centres

    def _ratio(self, X: Array, Xt: Array, counts: Array, seed: int) -> Array:
        w, self.choice_ = fit_ratio(
            X, Xt, self.alpha, self.widths, self.ridges, self.centres, seed, counts
        )
        return w
