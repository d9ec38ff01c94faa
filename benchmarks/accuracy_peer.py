"""skada's side of `accuracy_shallow.py`: every shallow method that it has, with its defaults.

Runs in the environment of the peers and imports nothing of acclimate. Each .npz file of the folder
holds X, y, held, y_held and Xt: source rows to fit on, source rows held out, and target rows, whose
labels are not there. One line of JSON is printed a method and file: the labels predicted for Xt,
skada's circular validation, and processor seconds; or why there are none.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

MASK = -1  # skada's mark of a row without a label
OURS = {
    "SourceOnly": "source only",
    "DomainDiscriminator": "DiscriminatorReweight",
    "KMM": "KMMReweight",
    "KLIEP": "KLIEPReweight",
    "LabelShift": "MMDTarSReweight",
    "NearestNeighborWeights": "NearestNeighborReweight",
    "CORAL": "CORAL",
    "SubspaceAlignment": "SubspaceAlignment",
    "LinearMonge": "LinearOTMapping",
    "OTMapping": "OTMapping",
    "JDOT": "JDOTClassifier",
    "JCPOT": "JCPOTLabelProp",
    "TCA": "TransferComponentAnalysis",
    "TJM": "TransferJointMatching",
    "DASVM": "DASVMClassifier",
}
# what skada has besides: candidates of its choice, beside no method of acclimate
MORE = (
    "DensityReweight", "GaussianReweight", "EntropicOTMapping", "ClassRegularizerOTMapping",
    "OTLabelProp", "MMDLSConSMapping", "TransferSubspaceLearning",
)  # fmt: skip
MAPS = ("CORAL", "SubspaceAlignment", "LinearOTMapping", "OTMapping", "TransferComponentAnalysis",
        "TransferJointMatching", "EntropicOTMapping", "ClassRegularizerOTMapping",
        "MMDLSConSMapping", "TransferSubspaceLearning")  # fmt: skip


def gammas(X: Any, Xt: Any) -> dict[str, Any]:
    """Return the kernel widths that skada has no default for: from the median distance."""
    import numpy as np
    from scipy.spatial.distance import pdist

    gamma = 0.5 / np.median(pdist(np.concatenate([X[:500], Xt[:500]]))) ** 2
    return {
        "KLIEPReweight": [gamma * f for f in (0.25, 1.0, 4.0)],
        "MMDTarSReweight": gamma,
        "MMDLSConSMapping": gamma,
    }


def make(name: str, needed: dict[str, Any], base: Any = None) -> Any:
    """Return a method of skada on logistic regression, everything else as skada has it."""
    import skada
    from sklearn.linear_model import LogisticRegression

    base = LogisticRegression(max_iter=1000) if base is None else base
    if name == "source only":
        return skada.make_da_pipeline(skada.SelectSource(base))
    if name == "JDOTClassifier":
        return skada.JDOTClassifier(base.set_fit_request(sample_weight=True))
    if name == "DASVMClassifier":
        return skada.DASVMClassifier(base)
    settings = {"gamma": needed[name]} if name in needed else {}
    if name not in MAPS:  # weights, and labels for target rows with them
        base = base.set_fit_request(sample_weight=True)
    return skada.make_da_pipeline(getattr(skada, f"{name}Adapter")(**settings), base)


def examine(name: str, arrays: Any) -> dict[str, Any]:
    """Fit, predict the target and ask skada for its circular validation on held-out source rows."""
    import numpy as np
    from skada.metrics import CircularValidation

    X, y, held, y_held, Xt = (arrays[k] for k in ("X", "y", "held", "y_held", "Xt"))

    def join(rows: Any, labels: Any) -> tuple[Any, Any, Any]:
        return (
            np.concatenate([rows, Xt]),
            np.concatenate([labels, np.full(len(Xt), MASK)]),
            np.repeat([1, -2], [len(rows), len(Xt)]),
        )

    began = time.process_time()
    model = make(name, gammas(X, Xt))
    both, labels, domain = join(X, y)
    model.fit(both, labels, sample_domain=domain)
    # DASVM hands what it is given to the base model, which knows no domain
    known = {} if name == "DASVMClassifier" else {"sample_domain": np.full(len(Xt), -2)}
    there = np.asarray(model.predict(Xt, **known))
    fitted = time.process_time() - began
    out: dict[str, Any] = {"predicted": there.tolist(), "seconds": fitted}
    try:
        both, labels, domain = join(held, y_held)
        score = CircularValidation()(model, both, labels, sample_domain=domain)
        out["circular"] = float(score) if np.isfinite(score) else None
    except Exception as error:  # no choice by this, but its accuracy stands
        out["no_circular"] = f"{type(error).__name__}: {str(error)[:150]}"
    return out | {"all_seconds": time.process_time() - began}


def run(job: Callable[[], dict[str, Any]], limit: int) -> dict[str, Any]:
    """Return what a job returns, or why it did not."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"over {limit} processor seconds")

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return job()
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {str(error)[:150]}"}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def main() -> None:
    """Go over all files and methods."""
    import numpy as np

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=30, help="processor seconds a method")
    args = parser.parse_args()
    for file in sorted(args.folder.glob("*.npz")):
        arrays = dict(np.load(file))
        for name in (*OURS.values(), *MORE):
            found = run(lambda: examine(name, arrays), args.limit)  # noqa: B023
            print(json.dumps({"case": file.stem, "method": name} | found), flush=True)


if __name__ == "__main__":
    main()
