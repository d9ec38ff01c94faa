"""skada's and POT's side of `unshifted.py`: every method that has its like here, with its defaults.

Runs in the environment of the peers and imports nothing of acclimate. Each .npz file of the folder
holds X, y and Xt. One line of JSON is printed a method and file: the labels predicted for Xt, or
why there are none.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from accuracy_peer import MASK, OURS, gammas, make, run

OF_POT = {
    "OTMapping": "SinkhornTransport",
    "LinearMonge": "LinearTransport",
    "JCPOT": "JCPOTTransport",
}


def of_skada(name: str, arrays: Any, base: Any) -> dict[str, Any]:
    """Return the labels that a method of skada predicts for Xt."""
    import numpy as np

    X, y, Xt = (arrays[k] for k in ("X", "y", "Xt"))
    model = make(name, gammas(X, Xt), base)
    domain = np.repeat([1, -2], [len(X), len(Xt)])
    if name == "JCPOTLabelProp":
        domain[: len(X)] = 1 + np.arange(len(X)) % 2  # it is about several sources
    model.fit(
        np.concatenate([X, Xt]), np.concatenate([y, np.full(len(Xt), MASK)]), sample_domain=domain
    )
    # DASVM hands what it is given to the base model, which knows no domain
    known = {} if name == "DASVMClassifier" else {"sample_domain": np.full(len(Xt), -2)}
    return {"predicted": np.asarray(model.predict(Xt, **known)).tolist()}


def of_pot(name: str, arrays: Any, base: Any) -> dict[str, Any]:
    """Return the labels of a model of the rows that a transport of POT carries."""
    import numpy as np
    import ot

    X, y, Xt = (arrays[k] for k in ("X", "y", "Xt"))
    plan = getattr(ot.da, name)()
    if name == "JCPOTTransport":
        halves = np.arange(len(X)) % 2
        plan.fit(Xs=[X[halves == i] for i in (0, 1)], ys=[y[halves == i] for i in (0, 1)], Xt=Xt)
        labels = plan.transform_labels(ys=[y[halves == i] for i in (0, 1)])
        if not np.isfinite(labels).all():
            raise ValueError("the labels are not finite")
        return {"predicted": np.unique(y)[labels.argmax(1)].tolist()}
    plan.fit(Xs=X, ys=y, Xt=Xt)
    return {"predicted": base.fit(plan.transform(Xs=X), y).predict(Xt).tolist()}


def main() -> None:
    """Go over all files and methods."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=60, help="processor seconds a method")
    args = parser.parse_args()
    for file in sorted(args.folder.glob("*.npz")):
        arrays = dict(np.load(file))
        for ours in OURS:
            for peer, name, job in (
                ("skada", OURS.get(ours), of_skada), ("POT", OF_POT.get(ours), of_pot),
            ):  # fmt: skip
                if name is not None:
                    base = LogisticRegression(C=0.1, max_iter=500)
                    found = run(lambda: job(name, arrays, base), args.limit)  # noqa: B023
                    line = {"case": file.stem, "method": ours, "peer": peer}
                    print(json.dumps(line | found), flush=True)


if __name__ == "__main__":
    main()
