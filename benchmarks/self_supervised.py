"""Does pretraining without labels help on Fashion-MNIST, and does MNIST help then?

The same network, "cnn-norm", is fine-tuned on few labels of Fashion-MNIST from four starts: random
weights; weights learnt from MNIST's labels; weights learnt by SimCLR from the 60000 training images
of Fashion-MNIST without labels; and SimCLR going on from MNIST's. From each, all weights move
("full"), or the new head alone on frozen features ("head"). Every fit has the same number of steps.

Labelled images are drawn from the training images, the same for every start; answers are scored
on the 10000 test images, which nothing has seen. Settings were fixed beforehand, but for the length
of the runs, which is what a quarter of an hour on one core allows. Gains are over draws, with
Student's interval.

Each result is written as soon as it is there, and what is there is not computed again: a run that
was interrupted goes on where it was, also within an encoder.

Run:  python benchmarks/self_supervised.py [--labels 100 1000] [--draws 3] [--method SimCLR]
With --quick: 100 labels, one draw, one pass over the images to pretrain; nothing is written.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

import acclimate
from acclimate import BarlowTwins, Domain, FineTune, NeuralClassifier, SimCLR, VICReg, datasets
from acclimate.files import atomic
from acclimate.selfsupervised.encoder import Encoder

RESULTS = Path(__file__).parent / "results" / "self_supervised.json"
STORE = Path(tempfile.gettempdir()) / "acclimate-self-supervised"
VIEWS = "zoom,colour,flip"
WAYS = {
    "SimCLR": SimCLR(augment=VIEWS),
    "VICReg": VICReg(augment=VIEWS),
    "BarlowTwins": BarlowTwins(augment=VIEWS),
}
STEPS, FINE_TUNING = 1000, 500
SCRATCH, MNIST, TARGET, BOTH = (
    "random weights", "MNIST's labels", "the target without labels",
    "MNIST's labels, then the target without",
)  # fmt: skip
STARTS = (SCRATCH, MNIST, TARGET, BOTH)
PAIRS = ((MNIST, SCRATCH), (TARGET, SCRATCH), (BOTH, TARGET), (BOTH, MNIST))


def network(**settings: Any) -> NeuralClassifier:
    return NeuralClassifier("cnn-norm", random_state=0, verbose=False, **settings)


def begun(start: str, way: str, steps: int) -> tuple[Encoder, float]:
    """Return the encoder of a start and the CPU seconds that it took; kept on disk."""
    name = f"{STARTS.index(start)}" + (f"-{way}-{steps}" if start in (TARGET, BOTH) else "")
    file, checkpoint = STORE / f"{name}.acclimate", str(STORE / f"{name}.run")
    if file.exists():
        kept = acclimate.load(file)
        return kept, kept.extras_["seconds"]
    STORE.mkdir(parents=True, exist_ok=True)
    mnist = datasets.mnist()
    before, clock = 0.0, time.process_time()
    if start == SCRATCH:  # the same first weights as all others
        made = Encoder(network(min_steps=1, epochs=1, learning_rate=1e-12, warmup=0.0).fit(
            mnist.X_train[:256], mnist.y_train[:256]
        ))  # fmt: skip
    elif start == MNIST:
        model = network(epochs=3, checkpoint=checkpoint).fit(mnist.X_train, mnist.y_train)
        print(f"MNIST: {model.score(mnist.X_test, mnist.y_test):.3f} on its own test images")
        made = Encoder(model)
    else:
        begin: Any = "cnn-norm"
        if start == BOTH:
            begin, before = begun(MNIST, way, steps)
        fashion = datasets.fashion_mnist()
        made = acclimate.pretrain(
            fashion.X_train, fashion.y_train, method=WAYS[way], network=begin, epochs=1,
            min_steps=steps, random_state=0, checkpoint=checkpoint, verbose=False,
        )  # fmt: skip
        for score in ("probe", "knn"):
            first, end = made.start_scores_[score], made.history_.epochs[-1][score]
            print(f"{start}: {score} {first:.3f} to {end:.3f}", flush=True)
    seconds = round(before + time.process_time() - clock, 1)
    acclimate.save(made, file, extras={"seconds": seconds})
    return made, seconds


def measured(start: str, strategy: str, labels: int, draw: int, arguments: Any) -> dict[str, Any]:
    """Return test accuracy from a start, on one draw of labelled images."""
    fashion = datasets.fashion_mnist()
    order = np.random.default_rng([labels, draw]).permutation(len(fashion.y_train))
    rows = order[:labels]
    encoder, seconds = begun(start, arguments.method, arguments.steps)
    clock = time.process_time()
    base = NeuralClassifier(min_steps=FINE_TUNING, epochs=1, verbose=False)
    model = FineTune(base, strategy=strategy, random_state=draw).begin(encoder)
    model.adapt(Domain(fashion.X_train[rows], fashion.y_train[rows]))
    fitted = round(time.process_time() - clock, 1)
    return {
        "start": start, "strategy": strategy, "labels": labels, "draw": draw,
        "method": arguments.method, "steps": arguments.steps,
        "accuracy": model.score(fashion.X_test, fashion.y_test),
        "pretraining_seconds": seconds, "fit_seconds": fitted,
    }  # fmt: skip


def gain(a: np.ndarray, b: np.ndarray) -> tuple[float, str, str]:
    """Return the mean gain over draws in points, its interval, and what it says."""
    gains = 100 * (a - b)
    n = len(gains)
    if n < 2:
        return float(gains.mean()), "one draw", "not settled"
    half = float(student.ppf(0.975, n - 1) * gains.std(ddof=1) / np.sqrt(n))
    low, high = gains.mean() - half, gains.mean() + half
    word = "helps" if low > 0 else "hurts" if high < 0 else "not settled"
    return float(gains.mean()), f"{low:+.1f} to {high:+.1f}", word


def report(known: list[dict[str, Any]], arguments: Any) -> None:
    """Print the tables."""

    def scores(start: str, strategy: str, labels: int) -> np.ndarray:
        found = {
            one["draw"]: one["accuracy"] for one in known
            if (one["start"], one["strategy"], one["labels"]) == (start, strategy, labels)
        }  # fmt: skip
        return np.array([found[draw] for draw in sorted(found)])

    print(f"\n| start | {' | '.join(f'{n} labels, {s}' for n, s in wanted(arguments))} | "
          "pretraining, CPU s |")  # fmt: skip
    print("|---" * (len(wanted(arguments)) + 2) + "|")
    for start in STARTS:
        cells = []
        for labels, strategy in wanted(arguments):
            found = 100 * scores(start, strategy, labels)
            each = ", ".join(f"{one:.1f}" for one in found)
            cells.append(f"{found.mean():.1f} ({each})")
        seconds = next(one["pretraining_seconds"] for one in known if one["start"] == start)
        took = "" if start == SCRATCH else f"{seconds:.0f}"
        print(f"| {start} | {' | '.join(cells)} | {took} |")
    print("\n| from | against | labels, strategy | gain, points | interval | verdict |")
    print("|---" * 6 + "|")
    for (labels, strategy), (one, other) in product(wanted(arguments), PAIRS):
        found = gain(scores(one, strategy, labels), scores(other, strategy, labels))
        print(f"| {one} | {other} | {labels}, {strategy} | {found[0]:+.1f} | {found[1]} | "
              f"{found[2]} |")  # fmt: skip


def wanted(arguments: Any) -> list[tuple[int, str]]:
    return list(product(arguments.labels, ("full", "head")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--method", choices=WAYS, default="SimCLR")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.labels, arguments.draws, arguments.steps = [100], 1, 1
    known = []
    if RESULTS.exists() and not arguments.quick:
        known = json.loads(RESULTS.read_text(encoding="utf-8"))
    keys = ("start", "strategy", "labels", "draw", "method", "steps")
    done = {tuple(one[key] for key in keys) for one in known}
    with threadpool_limits(1):
        for draw, (labels, strategy), start in product(
            range(arguments.draws), wanted(arguments), STARTS
        ):
            key = (start, strategy, labels, draw, arguments.method, arguments.steps)
            if key in done:
                continue
            known.append(measured(start, strategy, labels, draw, arguments))
            print(json.dumps(known[-1]), flush=True)
            if not arguments.quick:
                with atomic(RESULTS) as stream:
                    stream.write((json.dumps(known, indent=1) + "\n").encode())
    mine = [
        one for one in known
        if (one["method"], one["steps"]) == (arguments.method, arguments.steps)
        and one["draw"] < arguments.draws
    ]  # fmt: skip
    report(mine, arguments)


if __name__ == "__main__":
    main()
