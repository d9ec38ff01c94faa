"""Methods with the settings of their papers, on the data of published tables.

a. The 1800 digits of USPS and 2000 of MNIST, and the SURF features of Office and Caltech, on which
   Long et al. (2013, 2014) and those after them report: accuracy on the target beside what was
   published. Of settings that papers leave open, the number of features is named below.
b. On four of these tasks, the same algorithm of skada, POT or scikit-learn, same settings.

The data: USPS_vs_MNIST.mat, MNIST_vs_USPS.mat and {amazon,caltech,dslr,webcam}_SURF_L10.mat in a
folder, as in ``data`` and ``data/Office`` of github.com/chamwen/JPDA (commit b056e5e). Other files
are refused. Digits have rows of length one; SURF counts are shares of their row, then standardised
in each domain, as in published code.

Run:  python benchmarks/published.py --data FOLDER [--peer [PYTHON]] [--only JDA GFK]
      python benchmarks/published.py --stored          (prints the tables)

``--peer`` is for part b, with an interpreter that has skada and POT, or that of `peers.py`. A run
goes on where the last one stopped; `--again` with names measures those methods anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from peers import BENCH, peer_python
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from acclimate import Domain, make
from acclimate.semisupervised.on_graph import make_graph

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "published.json"
SUMS = {
    "USPS_vs_MNIST": "1f3f217d303cc4891589024bf7b620ee3f4dee867652fd27767387e64475d979",
    "MNIST_vs_USPS": "7fbb67f14af7236e18a38dc8a0a836142361e9e720e4b763a5e2db511d306d6c",
    "amazon_SURF_L10": "df32548b994e18d364c99e1f317e1fae100597259f0423a41b90f4f68187bb1f",
    "caltech_SURF_L10": "4f9334c8ced489d5054de97a5fd51a61f017f3bcd1f38c9a85c6d78cb9d7bda5",
    "dslr_SURF_L10": "44d673c68e1d07b837893aa74dba3b986e4a6cc3fd66f0dd357683bdef059216",
    "webcam_SURF_L10": "a6a9c78b4b7181dfbb58bcfd351d4ebd737f171c31247b8884948aa156d3f700",
}
DIGITS = ("U-M", "M-U")
OFFICE = ("C-A", "C-W", "C-D", "A-C", "A-W", "A-D", "W-C", "W-A", "W-D", "D-C", "D-A", "D-W")
BESIDE = ("U-M", "M-U", "C-A", "A-W")  # tasks of part b
TEN = ("C-D", "A-W", "W-A", "W-D", "D-C", "D-W")  # tasks on which GFK has 10 axes, elsewhere 20
WHOLE = {"A": "amazon", "C": "caltech", "D": "dslr", "W": "webcam"}
NEAREST = KNeighborsClassifier(1)
LOGISTIC = LogisticRegression(max_iter=1000)
SVM = GridSearchCV(SVC(kernel="linear"), {"C": [1e-4, 1e-3, 1e-2, 1.0]}, cv=5)
# where published figures were read: tables 2 and 3 of the paper of MEDA (arXiv:1807.07258), as its
# authors show them, and the table of Office and Caltech that they keep of other papers
MEDA_PAPER = "MEDA's paper, tables 2 and 3"
KEPT = "github.com/jindongwang/transferlearning, data/benchmark.md, from the papers of JDA and JGSA"
# label: method, settings beside the paper's (digits, then Office), source, digits, Office
PUBLISHED: dict[str, tuple[str, dict[str, Any], dict[str, Any], str, str, str]] = {
    "nearest neighbour": (
        "SourceOnly", {"estimator": NEAREST}, {"estimator": NEAREST}, MEDA_PAPER, "44.7 65.9",
        "23.7 25.8 25.5 26.0 29.8 25.5 19.9 23.0 59.2 26.3 28.5 63.4",
    ),
    "TCA": (
        "TCA", {}, {}, MEDA_PAPER, "51.2 56.3",
        "45.6 39.3 45.9 42.0 40.0 35.7 31.5 30.5 91.1 33.0 32.8 87.5",
    ),
    "JDA": (
        "JDA", {}, {}, f"{MEDA_PAPER}; {KEPT}", "59.7 67.3",
        "44.78 41.69 45.22 39.36 37.97 39.49 31.17 32.78 89.17 31.52 33.09 89.49",
    ),
    "TJM": (
        "TJM", {}, {}, MEDA_PAPER, "52.3 63.3",
        "46.8 39.0 44.6 39.5 42.0 45.2 30.2 30.0 89.2 31.4 32.8 85.4",
    ),
    "GFK": (
        "GFK", {"n_components": 100}, {}, f"{MEDA_PAPER}; {KEPT}", "46.5 61.2",
        "41.02 40.68 38.85 40.25 38.98 36.31 30.72 29.75 80.89 30.28 32.05 75.59",
    ),
    "MEDA": (
        "MEDA", {}, {}, MEDA_PAPER, "72.1 89.5",
        "56.5 53.9 50.3 43.9 53.2 45.9 34.0 42.7 88.5 34.9 41.2 87.5",
    ),
    "CORAL": (
        "CORAL", {"estimator": SVM}, {"estimator": SVM}, MEDA_PAPER, "30.5 49.2",
        "52.1 46.4 45.9 45.1 44.4 39.5 33.7 36.0 86.6 33.8 37.7 84.7",
    ),
    "SubspaceAlignment": (
        "SubspaceAlignment", {}, {"n_components": 30}, KEPT, "",
        "49.27 40.00 39.49 39.98 33.22 33.76 35.17 39.25 75.16 34.55 39.87 76.95",
    ),
}  # fmt: skip
# label: method, peer, settings of ours beside the paper's
PEERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "SubspaceAlignment": ("SubspaceAlignment", "skada", {"n_components": 30, "preprocess": None}),
    "CORAL, means too": (
        "CORAL", "skada", {"align_means": True, "preprocess": None, "estimator": NEAREST}),
    "LinearMonge": ("LinearMonge", "POT", {"estimator": NEAREST}),
    "OTMapping, exact": ("OTMapping", "POT", {"regularisation": "none"}),
    "OTMapping, entropic": ("OTMapping", "POT", {"regularisation": "entropic", "epsilon": 0.05}),
    "JCPOT": ("JCPOT", "POT", {"epsilon": 0.05, "estimator": NEAREST}),
    "JDOT": ("JDOT", "skada", {"estimator": LOGISTIC}),
    "KMM": ("KMM", "skada", {"estimator": LOGISTIC}),
    "KLIEP": ("KLIEP", "skada", {"estimator": LOGISTIC}),
    "NearestNeighborWeights": ("NearestNeighborWeights", "skada", {"estimator": LOGISTIC}),
    "DomainDiscriminator": (
        "DomainDiscriminator", "scikit-learn", {"estimator": LOGISTIC, "discriminator": LOGISTIC}),
    "DASVM, 3 or 8": ("DASVM", "skada", {}),
    "LabelSpreading": ("LabelSpreading", "scikit-learn", {}),
    "SelfTraining": ("SelfTraining", "scikit-learn", {"estimator": LOGISTIC}),
}  # fmt: skip
LIMIT = 3.0  # points from which on a difference is explained
Task = tuple[Any, Any, Any, Any]


def read(folder: Path, name: str) -> dict[str, Any]:
    """Return the arrays of a file, whose sum is known."""
    path = folder / f"{name}.mat"
    if not path.exists():
        raise SystemExit(f"{path} is absent; see the head of this script")
    if hashlib.sha256(path.read_bytes()).hexdigest() != SUMS[name]:
        raise SystemExit(f"{path} is another file than the one these figures are of")
    if "_vs_" in name:  # MATLAB 7.3, which is HDF5
        import h5py

        with h5py.File(path) as file:
            return {key: np.array(file[key]) for key in ("Xs", "Ys", "Xt", "Yt")}
    from scipy.io import loadmat

    return loadmat(path)


def task(folder: Path, name: str) -> Task:
    """Return rows and labels of the source and of the target."""
    if name in DIGITS:
        found = read(folder, "USPS_vs_MNIST" if name == "U-M" else "MNIST_vs_USPS")
        X, y, Z, truth = (found[key] for key in ("Xs", "Ys", "Xt", "Yt"))
        unit = Normalizer()
        return unit.transform(X), y.ravel().astype(int), unit.transform(Z), truth.ravel()
    sides = []
    for letter in name.split("-"):
        found = read(folder, f"{WHOLE[letter]}_SURF_L10")
        X = found["fts"].astype(float)
        X = StandardScaler().fit_transform(X / X.sum(1, keepdims=True))
        sides += [X, found["labels"].ravel().astype(int)]
    return tuple(sides)  # type: ignore[return-value]


def accuracy(name: str, changes: dict[str, Any], given: Task, **more: Any) -> float:
    """Return the accuracy on the target with the paper's settings and those of a task."""
    X, y, Z, truth = given
    settings: Any = "default" if name == "SourceOnly" else "paper"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(name, settings=settings, random_state=0, **changes)
        model.fit(X, y, target=Domain(Z), **more)
        return 100 * float((model.predict(Z) == truth).mean())


def published(folder: Path, only: list[str]) -> None:
    """Measure what is not there yet of part a."""
    for name in (*DIGITS, *OFFICE):
        given = task(folder, name)
        for label in only:
            method, digits, office, *_ = PUBLISHED[label]
            changes = digits if name in DIGITS else office
            if label == "GFK" and name in OFFICE:
                changes = {"n_components": 10 if name in TEN else 20}
            keep("ours", f"{label} | {name}", lambda: accuracy(method, changes, given))  # noqa: B023


def two_classes(given: Task) -> Task:
    """Return the rows of two classes, the digits 3 and 8, or two objects."""
    X, y, Z, truth = given
    here, there = np.isin(y, (4, 9)), np.isin(truth, (4, 9))
    return X[here], y[here], Z[there], truth[there]


def scale(X: Any, Z: Any) -> dict[str, float]:
    """Return median distance of rows and mean squared distances, with means and without."""
    from sklearn.metrics import euclidean_distances

    C = euclidean_distances(X, Z, squared=True)
    centred = euclidean_distances(X - X.mean(0), Z - Z.mean(0), squared=True)
    return {"width": float(np.sqrt(np.median(C))), "cost": C.mean(), "centred": centred.mean()}


def beside(label: str, given: Task) -> float:
    """Return the accuracy of ours with settings that a peer has, too."""
    name, _, changes = PEERS[label]
    own: dict[str, Any] = {
        "KMM": lambda s: {"width": s["width"]},
        "KLIEP": lambda s: {"widths": (s["width"],)},
        "JDOT": lambda s: {"alpha": s["centred"] / s["cost"], "rounds": 100},
    }.get(name, lambda s: {})(scale(given[0], given[2]))
    more = {"domains": np.arange(len(given[0])) % 2} if name == "JCPOT" else {}
    return accuracy(name, changes | own, given, **more)


def of_sklearn(label: str, given: Task) -> float:
    """Return the accuracy of scikit-learn's class of the same method."""
    X, y, Z, truth = given
    both, labels = np.concatenate([X, Z]), np.concatenate([y, np.full(len(Z), -1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if label == "DomainDiscriminator":
            folds = StratifiedKFold(5, shuffle=True, random_state=0)
            side = np.repeat([0, 1], [len(X), len(Z)])
            p = cross_val_predict(LOGISTIC, both, side, cv=folds, method="predict_proba")[: len(X)]
            held = np.clip(p[:, 1], 1e-9, 1 - 1e-9)
            weight = held / (1 - held)
            model = clone(LOGISTIC).fit(X, y, weight / weight.mean())
            return 100 * float((model.predict(Z) == truth).mean())
        if label == "LabelSpreading":  # on our graph: theirs has links of equal weight, one way
            graph = make_graph(X, Z, 10, None, 0)
            K = graph.W.toarray()[np.ix_(graph.node, graph.node)]
            spread = LabelSpreading(kernel=lambda *_: K, alpha=0.99, max_iter=10000)
            return 100 * float((spread.fit(both, labels).transduction_[len(X) :] == truth).mean())
        trained = SelfTrainingClassifier(LOGISTIC, threshold=0.9, max_iter=5).fit(both, labels)
        return 100 * float((trained.predict(Z) == truth).mean())


def peers(folder: Path, python: str, only: list[str]) -> None:
    """Measure what is not there yet of part b; labels of targets stay here."""
    given = {name: task(folder, name) for name in BESIDE}
    pairs = {
        f"{label} | {name}": two_classes(given[name]) if label.startswith("DASVM") else given[name]
        for label in only
        for name in BESIDE
    }
    for key, rows in pairs.items():
        label = key.split(" | ")[0]
        keep("beside", key, lambda: beside(label, rows))  # noqa: B023
        if PEERS[label][1] == "scikit-learn":
            keep("peer", key, lambda: of_sklearn(label, rows))  # noqa: B023
    found = stored().get("peer", {})
    with tempfile.TemporaryDirectory() as place:
        for i, (key, (X, y, Z, _)) in enumerate(pairs.items()):
            if key not in found:
                name = key.split(" | ")[0]
                np.savez(
                    Path(place) / f"{i:03}", X=X, y=y, Xt=Z, key=key, label=name, **scale(X, Z)
                )
        command = [python, str(HERE / "published_peer.py"), place]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in map(json.loads, process.stdout or ()):
                value: Any = line.get("failed")
                if value is None:
                    value = 100 * float((line["predicted"] == pairs[line["key"]][3]).mean())
                keep("peer", line["key"], lambda: value)  # noqa: B023


def stored() -> dict[str, dict[str, Any]]:
    """Return all that was measured, by part."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def keep(part: str, key: str, job: Any) -> None:
    """Store what a job returns, unless it is there."""
    found = stored()
    if key not in found.setdefault(part, {}):
        found[part][key] = job()
        print(part, key, found[part][key], flush=True)
        RESULTS.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")


def figures(label: str) -> dict[str, float]:
    """Return the published figures by task."""
    digits, office = PUBLISHED[label][4:]
    pairs = [*zip(DIGITS, digits.split(), strict=False), *zip(OFFICE, office.split(), strict=True)]
    return {name: float(value) for name, value in pairs}


def lines(ours: dict[str, float]) -> Iterator[str]:
    """Yield the rows of the first table: digits, mean of Office, what is furthest off."""
    for label in PUBLISHED:
        told = figures(label)
        mine = {name: ours[f"{label} | {name}"] for name in told if f"{label} | {name}" in ours}
        if len(mine) < len(told):
            continue
        cells = [label]
        for names in (("U-M",), ("M-U",), OFFICE):
            if names[0] in told:
                a, b = (float(np.mean([side[n] for n in names])) for side in (mine, told))
                cells += [f"{a:.1f}", f"{b:.1f}", f"{a - b:+.1f}"]
            else:
                cells += ["", "-", ""]
        far = max(OFFICE, key=lambda name: abs(mine[name] - told[name]))
        yield f"| {' | '.join(cells)} | {far} {mine[far] - told[far]:+.1f} |"


def report() -> None:
    """Print the tables."""
    found = stored()
    ours = found.get("ours", {})
    print(
        "| method | U-M | published | | M-U | published | | Office, mean | published | | furthest |"
    )
    print("|" + "---|" * 11)
    print("\n".join(lines(ours)))
    print("\nBy task, ours and published:\n\n| method | " + " | ".join(OFFICE) + " |")
    print("|---|" + "---|" * len(OFFICE))
    for label in PUBLISHED:
        told = figures(label)
        cells = [
            f"{ours[key]:.1f} {told[name]:.1f}" if key in ours else "-"
            for name in OFFICE
            for key in [f"{label} | {name}"]
        ]
        print(f"| {label} | {' | '.join(cells)} |")
    print("\nBeside a peer, same settings:\n\n| method | peer | " + " | ".join(BESIDE) + " |")
    print("|---|---|" + "---|" * len(BESIDE))
    for label, (_, peer, _) in PEERS.items():
        cells = []
        for name in BESIDE:
            a, b = (found.get(part, {}).get(f"{label} | {name}") for part in ("beside", "peer"))
            cells.append(" ".join("-" if v is None else f"{v:.1f}" if isinstance(v, float) else
                                  str(v).split(":")[0] for v in (a, b)))  # fmt: skip
        print(f"| {label} | {peer} | {' | '.join(cells)} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the six files")
    parser.add_argument(
        "--peer", nargs="?", const="", help="part b, skada and POT with this interpreter or our own"
    )
    parser.add_argument("--env", type=Path, default=BENCH, help="folder of the peers' environments")
    parser.add_argument("--only", nargs="+", choices=[*PUBLISHED, *PEERS], help="some methods")
    parser.add_argument("--again", nargs="+", default=[], help="methods to measure anew")
    parser.add_argument("--stored", action="store_true", help="print what was measured")
    args = parser.parse_args()
    if args.again:
        kept = {
            part: {k: v for k, v in values.items() if k.split(" | ")[0] not in args.again}
            for part, values in stored().items()
        }
        RESULTS.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n")
    if not args.stored:
        if args.data is None:
            raise SystemExit("say where the files are: --data FOLDER")
        with threadpool_limits(1):
            published(args.data, [one for one in PUBLISHED if one in (args.only or PUBLISHED)])
            if args.peer is not None:
                python = args.peer or str(peer_python(args.env, "shallow"))
                peers(args.data, python, [one for one in PEERS if one in (args.only or PEERS)])
    report()


if __name__ == "__main__":
    main()
