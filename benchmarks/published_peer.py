"""skada's and POT's side of `published.py`: the same algorithms with the same settings.

Runs in the environment of the peers and imports nothing of acclimate. Each .npz file of the folder
holds X, y and Xt, the method, its key, and distances for widths and strengths. One line of JSON is
printed a file: the labels predicted for Xt, or why there are none.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from accuracy_peer import MASK, run

HALVES = 2


def of_skada(label: str, X: Any, y: Any, Xt: Any, width: float) -> Any:
    """Return the labels that a method of skada predicts for Xt."""
    import numpy as np
    import skada
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    weighed = LogisticRegression(max_iter=1000).set_fit_request(sample_weight=True)
    gamma = 0.5 / width**2
    adapters = {
        "SubspaceAlignment": lambda: skada.SubspaceAlignmentAdapter(n_components=30),
        "CORAL, means too": lambda: skada.CORALAdapter(reg=0.5),
        "KMM": lambda: skada.KMMReweightAdapter(gamma=gamma, max_iter=10000),
        "KLIEP": lambda: skada.KLIEPReweightAdapter(gamma=gamma, random_state=0),
        "NearestNeighborWeights": lambda: skada.NearestNeighborReweightAdapter(
            laplace_smoothing=True
        ),
    }
    known = {"sample_domain": np.full(len(Xt), -2)}
    if label == "JDOT":
        model = skada.JDOTClassifier(weighed, alpha=0.5)
    elif label.startswith("DASVM"):
        # it hands what it is given to the base model, which knows no domain
        model, known = skada.DASVMClassifier(SVC(), k=max(1, len(X) // 20)), {}
    else:
        maps = label in ("SubspaceAlignment", "CORAL, means too")
        model = skada.make_da_pipeline(
            adapters[label](), KNeighborsClassifier(1) if maps else weighed
        )
    model.fit(
        np.concatenate([X, Xt]),
        np.concatenate([y, np.full(len(Xt), MASK)]),
        sample_domain=np.repeat([1, -2], [len(X), len(Xt)]),
    )
    return model.predict(Xt, **known)


def of_pot(label: str, X: Any, y: Any, Xt: Any, cost: float, centred: float) -> Any:
    """Return the nearest neighbour's label among rows that a transport of POT carries."""
    import numpy as np
    import ot
    from sklearn.neighbors import KNeighborsClassifier

    if label == "JCPOT":
        halves = np.arange(len(X)) % HALVES
        parts = [halves == i for i in range(HALVES)]
        plan = ot.da.JCPOTTransport(reg_e=0.05 * cost, max_iter=1000)
        plan.fit(Xs=[X[part] for part in parts], ys=[y[part] for part in parts], Xt=Xt)
        # by mass; `transform_labels` weighs each source row alike, whatever mass its class has
        masses = sum(
            np.array([plan_k[y[part] == c].sum(0) for c in np.unique(y)])
            for plan_k, part in zip(plan.coupling_, parts, strict=True)
        )
        return np.unique(y)[masses.argmax(0)]
    plan = {
        "LinearMonge": lambda: ot.da.LinearTransport(),
        "OTMapping, exact": lambda: ot.da.EMDTransport(max_iter=10**7),
        "OTMapping, entropic": lambda: ot.da.SinkhornTransport(reg_e=0.05 * centred),
    }[label]()
    plan.fit(Xs=X, ys=y, Xt=Xt)
    return KNeighborsClassifier(1).fit(plan.transform(Xs=X), y).predict(Xt)


def predict(held: dict[str, Any]) -> dict[str, Any]:
    """Return the labels for the target of a file."""
    import numpy as np

    label, X, y, Xt = str(held["label"]), held["X"], held["y"], held["Xt"]
    if label in ("LinearMonge", "JCPOT") or label.startswith("OTMapping"):
        there = of_pot(label, X, y, Xt, float(held["cost"]), float(held["centred"]))
    else:
        there = of_skada(label, X, y, Xt, float(held["width"]))
    return {"predicted": np.asarray(there).tolist()}


def main() -> None:
    """Go over all files."""
    import numpy as np

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=100, help="processor seconds a file")
    args = parser.parse_args()
    for file in sorted(args.folder.glob("*.npz")):
        held = dict(np.load(file))
        found = run(lambda: predict(held), args.limit)  # noqa: B023
        print(json.dumps({"key": str(held["key"])} | found), flush=True)


if __name__ == "__main__":
    main()
