"""The demo: the textbook's transfer, and the question the textbook does not ask.

Longer than other files: one story with its figures and words, read from top to bottom.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate import __version__, datasets
from acclimate.judging.intervals import gain_interval
from acclimate.judging.judged import Verdict
from acclimate.judging.verdict import verdict

Predictions = dict[tuple[int, str], NDArray[Any]]

ARMS = (
    ("copy", "copy all weights + head (textbook)", "candidate"),
    ("copy-long", "the same, trained long enough", "candidate"),
    ("scratch-short", "scratch, textbook's schedule", "baseline"),
    ("scratch", "scratch, trained long enough", "reference"),
    ("source-only", "source model as it is", "baseline"),
    ("full", "copy the body, new head", "candidate"),
    ("head", "linear probe on the source body", "candidate"),
    ("lp-ft", "probe first, then all weights", "candidate"),
    ("l2-sp", "new head, pull towards source", "candidate"),
    ("auto", "FineTune's default", "candidate"),
    ("random-probe", "linear probe on a random body", "probe"),
)
TUNED: dict[str, dict[str, Any]] = {
    "copy": {"strategy": "full", "head": "copy"},  # with the textbook's schedule
    "copy-long": {"strategy": "full", "head": "copy"},
    "full": {"strategy": "full", "head": "new"},
    "head": {"strategy": "head", "head": "new"},
    "lp-ft": {"strategy": "lp-ft", "head": "new"},
    "l2-sp": {"strategy": "l2-sp", "head": "new"},
    "auto": {"strategy": "auto", "head": "auto"},
}
LABELS = {name: label for name, label, _ in ARMS}
MARGIN = 0.01  # one point: less is hardly worth a transfer
CANDIDATES = [name for name, _, role in ARMS if role == "candidate"]
REFERENCE = "scratch"


@dataclass(frozen=True)
class Amount:
    """How much to run.

    Parameters
    ----------
    sizes : dict from str to tuple of int
        Numbers of target labels, by case.
    draws : int
        Label draws at each size.
    all_labels : bool
        Whether to run every strategy with all target labels too. Then draws differ in their seed.
    skip : tuple of str
        Arms that are left out.
    """

    sizes: dict[str, tuple[int, ...]]
    draws: int
    all_labels: bool
    skip: tuple[str, ...] = ()


FASHION, USPS = "mnist-to-fashion-mnist", "mnist-to-usps"
SIZES = (50, 100, 500, 1000)
PLANS = {
    "quick": Amount({FASHION: (50, 500), USPS: (50,)}, 4, False, ("l2-sp",)),
    "normal": Amount({FASHION: SIZES, USPS: SIZES}, 5, True),
    "full": Amount({FASHION: SIZES, USPS: SIZES}, 10, True),
}


@dataclass(frozen=True)
class Case:
    """One pair of data sets, ready to train on.

    Parameters
    ----------
    name, title, source, target : str
        What it is called.
    train, test : pair of ndarray
        Target images (n, 28, 28) uint8 and labels (n,).
    names : tuple of str
        What the target's labels mean.
    """

    name: str
    title: str
    source: str
    target: str
    train: tuple[NDArray[Any], NDArray[Any]]
    test: tuple[NDArray[Any], NDArray[Any]]
    names: tuple[str, ...]


def textbook(seed: int) -> Any:
    """Return the textbook's network and schedule: 128 units, Adam, batch 32, 5 epochs."""
    from acclimate.base.neural import NeuralClassifier

    return NeuralClassifier(
        hidden=(128,), dropout=0.2, epochs=5, min_steps=0, batch_size=32, learning_rate=1e-3,
        schedule="constant", warmup=0.0, random_state=seed, verbose=False,
    )  # fmt: skip


def fair(seed: int) -> Any:
    """Return the same network with acclimate's default schedule, which takes enough steps."""
    from acclimate.base.neural import NeuralClassifier

    return NeuralClassifier(hidden=(128,), dropout=0.2, random_state=seed, verbose=False)


def load_cases() -> tuple[Any, list[Case]]:
    """Return MNIST and the two targets, fetched on first use."""
    from acclimate.datasets.images import frame

    mnist, fashion, usps = datasets.mnist(), datasets.fashion_mnist(), datasets.usps()
    digits = tuple(mnist.class_names or ())
    return mnist, [
        Case(
            FASHION, "MNIST to Fashion-MNIST", "MNIST", "Fashion-MNIST",
            (fashion.X_train, fashion.y_train), (fashion.X_test, fashion.y_test),
            tuple(fashion.class_names or ()),
        ),
        Case(
            USPS, "MNIST to USPS", "MNIST", "USPS",
            (frame(usps.X_train), usps.y_train), (frame(usps.X_test), usps.y_test), digits,
        ),
    ]  # fmt: skip


def run_textbook(mnist: Any, case: Case, seed: int) -> dict[str, Any]:
    """Run the textbook's job with all labels: train, copy all weights, fine-tune, evaluate."""
    import warnings

    from acclimate import Domain, FineTune
    from acclimate.exceptions import TransferWarning

    start = time.perf_counter()
    model = FineTune(textbook(seed), **TUNED["copy"], random_state=seed)
    model.fit(mnist.X_train, mnist.y_train)
    source = model.score(mnist.X_test, mnist.y_test)
    with warnings.catch_warnings():  # the copied head is the point here
        warnings.simplefilter("ignore", TransferWarning)
        model.adapt(Domain(*case.train))
    target = model.score(*case.test)
    return {
        "source_accuracy": source,
        "target_accuracy": target,
        "seconds": time.perf_counter() - start,
        "source_history": _curve(model.source_model_.history_),
        "target_history": _curve(model.target_model_.history_),
    }


def _curve(history: Any) -> list[dict[str, float]]:
    return [
        {"epoch": number, "loss": record["loss"]}
        for number, record in enumerate(history.epochs, start=1)
    ]


def run_draw(
    seed: int, plan: Amount
) -> dict[str, tuple[Predictions, dict[tuple[int, str], float]]]:
    """Train every arm on one draw of labels and return its predictions for the test rows.

    Each draw trains its own source models, so that the interval covers their variation too.

    Parameters
    ----------
    seed : int
        Number of the draw.
    plan : Amount
        Numbers of target labels, and what to leave out.

    Returns
    -------
    dict
        For each case: predictions of shape (test rows,) and seconds, by (labels, arm).
    """
    import warnings

    import torch

    from acclimate import Domain, FineTune
    from acclimate.exceptions import TransferWarning
    from acclimate.transfer.probing import random_body_probe

    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TransferWarning)  # copying the head is one of the arms
    mnist, cases = load_cases()
    names = mnist.class_names
    copier = FineTune(textbook(seed), **TUNED["copy"], random_state=seed)
    tuner = FineTune(fair(seed), random_state=seed)
    for model in (copier, tuner):
        model.fit(mnist.X_train, mnist.y_train, class_names=names)
    results = {}
    for case in cases:
        X, y = case.train
        order = np.random.default_rng(seed).permutation(len(y))
        predictions: Predictions = {}
        spent: dict[tuple[int, str], float] = {}
        as_it_is = tuner.predict(case.test[0], domain="source")
        for n in [*plan.sizes[case.name], *([len(y)] if plan.all_labels else [])]:
            rows = order[:n]
            target = Domain(X[rows], y[rows], class_names=case.names)
            for arm, settings in TUNED.items():
                if arm in plan.skip:
                    continue
                start = time.perf_counter()
                tuned = copier if arm == "copy" else tuner.set_params(**settings)
                predictions[n, arm] = tuned.adapt(target).predict(case.test[0])
                spent[n, arm] = time.perf_counter() - start
            for arm, scratch in (("scratch-short", textbook(seed)), ("scratch", fair(seed))):
                start = time.perf_counter()
                predictions[n, arm] = scratch.fit(X[rows], y[rows]).predict(case.test[0])
                spent[n, arm] = time.perf_counter() - start
            start = time.perf_counter()
            random = random_body_probe(fair(seed), X[rows], y[rows], seed)
            predictions[n, "random-probe"] = random.predict(case.test[0])
            spent[n, "random-probe"] = time.perf_counter() - start
            predictions[n, "source-only"], spent[n, "source-only"] = as_it_is, 0.0
        results[case.name] = (predictions, spent)
    return results


def run(
    pace: str = "normal",
    *,
    seed: int = 0,
    command: str = "acclimate demo",
    workers: int | None = None,
    tell: Callable[[str, float], None] = lambda words, share: None,
) -> dict[str, Any]:
    """Run the demo and return everything it found, ready for JSON.

    Parameters
    ----------
    pace : {"quick", "normal", "full"}, default="normal"
        How much to run.
    seed : int, default=0
        First draw; the others follow.
    command : str, default="acclimate demo"
        What to write in the report as the way to run it again.
    workers : int, default=None
        Processes, with one thread each. None is one a core.
    tell : callable, default does nothing
        ``tell(words, share)`` is called as the work goes on, share in [0, 1].

    Returns
    -------
    dict
        Schema 1 of ``demo.json``. Where Ctrl-C came, what was done by then, with ``stopped`` True.
    """
    started, plan = time.perf_counter(), PLANS[pace]
    tell("loading MNIST, Fashion-MNIST and USPS", 0.0)
    mnist, cases = load_cases()
    tell("the textbook's job: MNIST, then Fashion-MNIST, all labels", 0.02)
    first = run_textbook(mnist, cases[0], seed)
    tell(
        f"source accuracy {first['source_accuracy']:.3f}, "
        f"target accuracy {first['target_accuracy']:.3f}", 0.1,
    )  # fmt: skip
    draws: list[dict[str, Any]] = []
    stopped = False
    try:
        for done in _draws(plan, seed, workers):
            draws.append(done)
            tell(f"label draw {len(draws)} of {plan.draws}", 0.1 + 0.9 * len(draws) / plan.draws)
    except KeyboardInterrupt:
        stopped = True
    results = [summarise(case, [draw[case.name] for draw in draws]) for case in cases] * bool(draws)
    for result in results[:1]:
        result["textbook"] = first
    return {
        "schema": 1,
        "acclimate": __version__,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": time.perf_counter() - started,
        "seed": seed,
        "stopped": stopped,
        "machine": _machine(),
        "cases": results,
    }


def _draws(plan: Amount, seed: int, workers: int | None) -> Iterator[dict[str, Any]]:
    """Yield the result of each draw as it ends, from processes with one thread each."""
    from joblib import Parallel, cpu_count, delayed

    jobs = min(workers or cpu_count(), plan.draws)
    calls = (delayed(run_draw)(seed + draw, plan) for draw in range(plan.draws))
    yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(calls)


def _machine() -> dict[str, Any]:
    import torch

    return {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "processor": platform.machine(),
    }


def summarise(
    case: Case, draws: Sequence[tuple[Predictions, Mapping[tuple[int, str], float]]]
) -> dict[str, Any]:
    """Turn the predictions of all draws into scores, verdicts, the probe and findings.

    Parameters
    ----------
    case : Case
        Has the true labels of the test rows.
    draws : sequence of (predictions, seconds)
        One a draw, as `run_draw` returns them for this case.
    """
    truth = case.test[1]
    sizes = sorted({n for predictions, _ in draws for n, _ in predictions})
    results, verdicts, probes = [], [], []
    for n in sizes:
        found = {
            arm: np.array([p[n, arm] for p, _ in draws if (n, arm) in p])
            for arm in LABELS
            if any((n, arm) in p for p, _ in draws)
        }  # (draws, rows) each
        for arm, lines in found.items():
            right = (lines == truth).astype(float)
            scores = right.mean(1)
            interval = gain_interval(right, bounded=True)
            seconds = [s[n, arm] for _, s in draws if (n, arm) in s]
            results.append({
                "labels": n, "arm": arm, "scores": scores.tolist(), "mean": float(scores.mean()),
                "low": max(interval.low, 0.0), "high": min(interval.high, 1.0),
                "seconds": float(np.mean(seconds)),
            })  # fmt: skip
        for arm in [arm for arm in (*CANDIDATES, "source-only") if arm in found]:
            judged = _judge(case, n, found[arm], found[REFERENCE])
            verdicts.append(
                {"labels": n, "candidate": arm, "reference": REFERENCE}
                | _said(judged, arm, REFERENCE)
            )
        judged = _judge(case, n, found["head"], found["random-probe"])
        probes.append({
            "labels": n, "source_body": judged.candidate_score,
            "random_body": judged.reference_score,
        } | _said(judged, "head", "random-probe"))  # fmt: skip
    ran = {result["arm"] for result in results}
    arms = [
        {"name": name, "label": label, "role": role} for name, label, role in ARMS if name in ran
    ]
    return {
        "name": case.name,
        "title": case.title,
        "source": case.source,
        "target": case.target,
        "network": "784-128-10 with ReLU and dropout 0.2",
        "test_rows": len(truth),
        "arms": arms,
        "sizes": sizes,
        "results": results,
        "verdicts": verdicts,
        "probe": probes,
        "findings": findings(case, verdicts, probes),
    }


def _judge(case: Case, n: int, candidate: NDArray[Any], reference: NDArray[Any]) -> Verdict:
    return verdict(
        case.test[1], candidate, reference, class_names=case.names, labels=n,
        draws_vary=n < len(case.train[1]),
    )  # fmt: skip


def _said(judged: Verdict, candidate: str, reference: str) -> dict[str, Any]:
    """Return a verdict as JSON, its sentence naming both sides."""
    fields = judged.to_dict()
    fields["sentence"] = judged.sentence(LABELS[reference], LABELS[candidate])
    return fields


def findings(
    case: Case, verdicts: Sequence[Mapping[str, Any]], probes: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Say in plain words what was found. Every sentence follows from the verdicts given."""
    said = []
    for arm in [*CANDIDATES, "source-only"]:
        words = [v for v in verdicts if v["candidate"] == arm]
        if words:
            said.append(f"{_arm(arm)}: {_by_word(words)}.")
    helped = {v["candidate"] for v in verdicts if v["word"] == "helps"} - {"source-only"}
    better = [p["labels"] for p in probes if p["word"] == "helps"]
    if better:
        said.append(
            f"The {case.source} body probes better than a random one at "
            f"{_numbers(better)} labels: it knows something about {case.target}."
        )
    else:
        said.append(
            f"The {case.source} body never probes better than a random one: what it learned is of "
            f"little use for {case.target}, and this test says so before any fine-tuning."
        )
    gains = [v["gain"] for v in verdicts if v["word"] == "helps" and v["candidate"] in helped]
    if helped and max(gains) < MARGIN:
        said.append(
            "What helps, helps by less than one point. Training on the target alone, long enough, "
            "gives nearly all of it."
        )
    if not helped:
        said.append(
            f"Nothing taken from {case.source} is shown to help. Do not transfer: train on "
            f"{case.target} alone, and long enough."
        )
    return said


def _arm(name: str) -> str:
    label = LABELS[name]
    return label[0].upper() + label[1:]


def _numbers(values: Sequence[int]) -> str:
    shown = [f"{value:,}" for value in values]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _by_word(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return such as "hurts at 50 and 500 labels (-8.1 to -6.0 points)"."""
    parts = []
    for word in ("hurts", "helps", "makes no difference", "not settled"):
        those = [v for v in verdicts if v["word"] == word]
        if those:
            gains = sorted(100 * v["gain"] for v in those)
            span = f"{gains[0]:+.1f}" + (f" to {gains[-1]:+.1f}" if len(gains) > 1 else "")
            parts.append(f"{word} at {_numbers([v['labels'] for v in those])} labels ({span})")
    return "; ".join(parts)
