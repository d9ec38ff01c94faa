"""How each side fits a method: `SIDES[side][method](X, y, Xt, yt, w)` returns a function that
predicts the target rows.

Every side gets the same base model, `RidgeClassifier`, whose fit is short and exact, the same
kernel width `w`, the same number of components and the same grids. A method that a side does not
have is not in its table. Runs in every environment; each side imports what it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

COMPONENTS = 30
LABELLED = 200  # target rows whose labels the methods get that need some
WIDTHS = (0.5, 1.0, 2.0)  # in units of the median distance
RIDGES = (0.01, 0.1, 1.0)
EPSILON = 0.02  # of Sinkhorn, in units of the middle cost: ours the mean, theirs the median
Predict = Callable[[], Any]
Fit = Callable[..., Predict]


def base() -> Any:
    """Return the base model."""
    from sklearn.linear_model import RidgeClassifier

    return RidgeClassifier()


# --- acclimate --------------------------------------------------------------------------------


def _ours(name: str, settings: Callable[[float, int], dict[str, Any]], labels: bool = False) -> Fit:
    def fit(X: Any, y: Any, Xt: Any, yt: Any, w: float) -> Predict:
        import acclimate

        model = getattr(acclimate, name)(base(), random_state=0, **settings(w, X.shape[1]))
        target = acclimate.Domain(Xt)
        if labels:
            import numpy as np

            target = acclimate.Domain(Xt, yt, labelled=np.arange(len(Xt)) < LABELLED)
        model.fit(X, y, target=target)
        fit.model = model  # type: ignore[attr-defined]
        return lambda: model.predict(Xt)

    return fit


def _none(w: float, d: int) -> dict[str, Any]:
    return {}


ACCLIMATE: dict[str, Fit] = {
    "source only": _ours("SourceOnly", _none),
    "CORAL": _ours("CORAL", _none),
    "subspace alignment": _ours("SubspaceAlignment", lambda w, d: {"n_components": COMPONENTS}),
    "linear Monge": _ours("LinearMonge", _none),
    "TCA rbf": _ours("TCA", lambda w, d: {"n_components": COMPONENTS, "mu": 1.0, "gamma": 1.0 / d}),
    "TCA linear": _ours(
        "TCA", lambda w, d: {"n_components": COMPONENTS, "mu": 1.0, "kernel": "linear"}
    ),
    "TJM": _ours("TJM", lambda w, d: {"n_components": COMPONENTS}),
    "KMM": _ours("KMM", lambda w, d: {"width": w, "n_landmarks": None}),
    "KMM, landmarks": _ours("KMM", lambda w, d: {"width": w, "n_landmarks": 500}),
    "KLIEP": _ours("KLIEP", lambda w, d: {"widths": [f * w for f in WIDTHS]}),
    "uLSIF": _ours("ULSIF", lambda w, d: {"widths": [w], "ridges": RIDGES}),
    "RuLSIF": _ours("RULSIF", lambda w, d: {"widths": [w], "ridges": RIDGES}),
    "discriminator": _ours("DomainDiscriminator", _none),
    "nearest neighbours": _ours("NearestNeighborWeights", _none),
    "label shift": _ours("LabelShift", _none),
    "OT, exact": _ours("OTMapping", lambda w, d: {"regularisation": "none"}),
    "OT, entropic": _ours(
        "OTMapping",
        lambda w, d: {"regularisation": "entropic", "epsilon": EPSILON, "max_rows": 10**9},
    ),
    "OT, entropic, default": _ours("OTMapping", lambda w, d: {"regularisation": "entropic"}),
    "JDOT": _ours("JDOT", _none),
    "feature augmentation": _ours("FeatureAugmentation", _none, labels=True),
    "TrAdaBoost": _ours("TrAdaBoost", _none, labels=True),
}
# methods that are another setting of ours, and the method that peers have
SAME = {"KMM, landmarks": "KMM", "OT, entropic, default": "OT, entropic"}
# the catalogue row behind each method; those that are not in the catalogue are not run
ROWS = {
    "source only": "SourceOnly", "CORAL": "CORAL", "subspace alignment": "SubspaceAlignment",
    "linear Monge": "LinearMonge", "TCA rbf": "TCA", "TCA linear": "TCA", "TJM": "TJM",
    "KMM": "KMM", "KMM, landmarks": "KMM", "KLIEP": "KLIEP", "uLSIF": "ULSIF", "RuLSIF": "RULSIF",
    "discriminator": "DomainDiscriminator", "nearest neighbours": "NearestNeighborWeights",
    "label shift": "LabelShift", "OT, exact": "OTMapping", "OT, entropic": "OTMapping",
    "OT, entropic, default": "OTMapping",
    "JDOT": "JDOT", "feature augmentation": "FeatureAugmentation", "TrAdaBoost": "TrAdaBoost",
}  # fmt: skip


# --- skada ------------------------------------------------------------------------------------


def _skada(make: Callable[[Any, float], Any], weighs: bool = False) -> Fit:
    def fit(X: Any, y: Any, Xt: Any, yt: Any, w: float) -> Predict:
        import numpy as np
        import skada

        model = base()
        if weighs:
            model = model.set_fit_request(sample_weight=True)
        pipe = skada.make_da_pipeline(make(skada, w), model)
        both = np.concatenate([X, Xt])
        # skada marks rows without a label by -1
        labels = np.concatenate([y, np.full(len(Xt), -1)])
        domain = np.repeat([1, -2], [len(X), len(Xt)])
        pipe.fit(both, labels, sample_domain=domain)
        return lambda: pipe.predict(Xt, sample_domain=np.full(len(Xt), -2))

    return fit


def _gamma(w: float) -> float:
    return 0.5 / w**2


def _jdot(X: Any, y: Any, Xt: Any, yt: Any, w: float) -> Predict:
    import numpy as np
    from skada import JDOTClassifier
    from sklearn.linear_model import LogisticRegression

    both = np.concatenate([X, Xt])
    labels = np.concatenate([y, np.full(len(Xt), -1)])
    domain = np.repeat([1, -2], [len(X), len(Xt)])
    model = JDOTClassifier(LogisticRegression().set_fit_request(sample_weight=True))
    model.fit(both, labels, sample_domain=domain)
    return lambda: model.predict(Xt)


SKADA: dict[str, Fit] = {
    "CORAL": _skada(lambda s, w: s.CORALAdapter()),
    "subspace alignment": _skada(lambda s, w: s.SubspaceAlignmentAdapter(n_components=COMPONENTS)),
    "linear Monge": _skada(lambda s, w: s.LinearOTMappingAdapter()),
    "TCA rbf": _skada(
        lambda s, w: s.TransferComponentAnalysisAdapter(n_components=COMPONENTS, mu=1.0)
    ),
    "TCA linear": _skada(
        lambda s, w: s.TransferComponentAnalysisAdapter(
            kernel="linear", n_components=COMPONENTS, mu=1.0
        )
    ),
    "TJM": _skada(lambda s, w: s.TransferJointMatchingAdapter(n_components=COMPONENTS)),
    "KMM": _skada(lambda s, w: s.KMMReweightAdapter(gamma=_gamma(w)), weighs=True),
    "KLIEP": _skada(
        lambda s, w: s.KLIEPReweightAdapter(gamma=[_gamma(f * w) for f in WIDTHS]), weighs=True
    ),
    "uLSIF": _skada(lambda s, w: s.DensityReweightAdapter(), weighs=True),
    "discriminator": _skada(lambda s, w: s.DiscriminatorReweightAdapter(), weighs=True),
    "nearest neighbours": _skada(lambda s, w: s.NearestNeighborReweightAdapter(), weighs=True),
    "label shift": _skada(lambda s, w: s.MMDTarSReweightAdapter(gamma=_gamma(w)), weighs=True),
    "OT, exact": _skada(lambda s, w: s.OTMappingAdapter(norm="max")),
    "OT, entropic": _skada(lambda s, w: s.EntropicOTMappingAdapter(reg_e=EPSILON, norm="median")),
    "JDOT": _jdot,
}


# --- ADAPT ------------------------------------------------------------------------------------


def _adapt(
    name: str, settings: Callable[[float, int], dict[str, Any]], package: str, labels: bool = False
) -> Fit:
    def fit(X: Any, y: Any, Xt: Any, yt: Any, w: float) -> Predict:
        import importlib

        cls = getattr(importlib.import_module(f"adapt.{package}"), name)
        model = cls(
            estimator=base(), Xt=Xt, verbose=0, random_state=0, copy=False,
            **settings(w, X.shape[1]),
        )  # fmt: skip
        if labels:
            model.fit(X, y, Xt=Xt[:LABELLED], yt=yt[:LABELLED])
        else:
            model.fit(X, y)
        if package == "feature_based":
            return lambda: model.predict(Xt, domain="tgt")
        return lambda: model.predict(Xt)

    return fit


ADAPT: dict[str, Fit] = {
    "CORAL": _adapt("CORAL", _none, "feature_based"),
    "subspace alignment": _adapt("SA", lambda w, d: {"n_components": COMPONENTS}, "feature_based"),
    "TCA rbf": _adapt(
        "TCA",
        lambda w, d: {"n_components": COMPONENTS, "mu": 1.0, "gamma": 1.0 / d},
        "feature_based",
    ),
    "TCA linear": _adapt(
        "TCA",
        lambda w, d: {"n_components": COMPONENTS, "mu": 1.0, "kernel": "linear"},
        "feature_based",
    ),
    "KMM": _adapt("KMM", lambda w, d: {"gamma": _gamma(w), "max_size": 10**9}, "instance_based"),
    "KLIEP": _adapt(
        "KLIEP", lambda w, d: {"gamma": [_gamma(f * w) for f in WIDTHS]}, "instance_based"
    ),
    "uLSIF": _adapt(
        "ULSIF", lambda w, d: {"gamma": _gamma(w), "lambdas": list(RIDGES)}, "instance_based"
    ),
    "RuLSIF": _adapt(
        "RULSIF", lambda w, d: {"gamma": _gamma(w), "lambdas": list(RIDGES)}, "instance_based"
    ),
    "discriminator": _adapt("IWC", _none, "instance_based"),
    "nearest neighbours": _adapt(
        "NearestNeighborsWeighting", lambda w, d: {"n_neighbors": 1}, "instance_based"
    ),
    "feature augmentation": _adapt("FA", _none, "feature_based", labels=True),
    "TrAdaBoost": _adapt("TrAdaBoost", _none, "instance_based", labels=True),
}


# --- POT --------------------------------------------------------------------------------------


def _pot(make: Callable[[Any], Any]) -> Fit:
    def fit(X: Any, y: Any, Xt: Any, yt: Any, w: float) -> Predict:
        import ot

        plan = make(ot.da)
        plan.fit(Xs=X, ys=None, Xt=Xt)
        model = base().fit(plan.transform(Xs=X), y)
        return lambda: model.predict(Xt)

    return fit


POT: dict[str, Fit] = {
    "linear Monge": _pot(lambda da: da.LinearTransport()),
    "OT, exact": _pot(lambda da: da.EMDTransport(norm="max", max_iter=10**7)),
    "OT, entropic": _pot(lambda da: da.SinkhornTransport(reg_e=EPSILON, norm="median")),
}

SIDES: dict[str, dict[str, Fit]] = {
    "acclimate": ACCLIMATE, "skada": SKADA, "ADAPT": ADAPT, "POT": POT,
}  # fmt: skip
METHODS = tuple(ACCLIMATE)
