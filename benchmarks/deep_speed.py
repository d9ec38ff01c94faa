"""Seconds an epoch of DANN, DeepCORAL and MCD takes here, in skada and in ADAPT, in one run.

The same rows, batches (64 of each domain), network (two convolutions, 128 units, dropout) and
discriminator, one thread. An epoch is the *difference* of a run of two epochs to a run of one, so
that set-up, compilation and what is done once at the end are in neither; the whole of a first run
of one epoch stands beside it. Plain training of the same network on the source rows is measured
the same way: what adapting costs is a multiple of that.

Run:  python benchmarks/deep_speed.py [--before COMMIT] [--skada PYTHON] [--adapt PYTHON] [--stored]

PYTHON is an interpreter of an environment with skada, torch and skorch, or with ADAPT and
TensorFlow; without, `peers.py` makes them. Times are processor seconds, the least of three runs in
turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import BENCH, peer_python
from trees import source

RESULTS = Path(__file__).parent / "results" / "deep_speed.json"
ROWS, BATCH, HIDDEN = 3_000, 64, 64  # rows of each domain
REPEATS = 3
PEERS = ("skada", "ADAPT")
METHODS = ("plain", "DANN", "DeepCORAL", "MCD")
GOAL = 2.2  # times plain training
Runner = Callable[[int], Any]  # number of epochs -> trains


def ours(X: Any, y: Any, Xt: Any, precision: str) -> dict[str, Runner]:
    import torch

    import acclimate
    from acclimate import Domain, NeuralClassifier

    torch.set_num_threads(1)
    steps = -(-len(X) // BATCH)

    def base(epochs: int) -> Any:
        return NeuralClassifier(
            "cnn", epochs=1, min_steps=steps * epochs, batch_size=BATCH, precision=precision,
            verbose=False,
        )  # fmt: skip

    settings: dict[str, dict[str, Any]] = {"DANN": {"hidden": (HIDDEN,)}}
    started = {
        name: getattr(acclimate, name)(base(1), random_state=0, **settings.get(name, {})).fit(X, y)
        for name in METHODS[1:]
    }

    def adapt(name: str) -> Runner:
        return lambda epochs: started[name].set_params(length=float(epochs)).adapt(Domain(Xt))

    runs = {name: adapt(name) for name in started}
    return {"plain": lambda epochs: base(epochs).set_params(random_state=0).fit(X, y), **runs}


def skada(X: Any, y: Any, Xt: Any, precision: str) -> dict[str, Runner]:
    import torch
    from skada.deep import DANN, DeepCoral, SourceOnly
    from torch import nn

    torch.set_num_threads(1)
    both = np.concatenate([X, Xt])[:, None]
    labels = np.concatenate([y, np.full(len(Xt), -1)])
    domain = np.concatenate([np.ones(len(X), np.int64), np.full(len(Xt), -2)])

    def network() -> Any:
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
            nn.Linear(1600, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10),
        )  # fmt: skip

    def train(make: Callable[..., Any], **more: Any) -> Runner:
        def fit(epochs: int) -> Any:
            return make(
                network(), layer_name="9", batch_size=BATCH, max_epochs=epochs, train_split=None,
                verbose=0, optimizer=torch.optim.Adam, lr=1e-3, **more,
            ).fit(both, labels, domain)  # fmt: skip

        return fit

    return {
        "plain": train(SourceOnly), "DANN": train(DANN, num_features=128),
        "DeepCORAL": train(DeepCoral),
    }  # fmt: skip


def adapt(X: Any, y: Any, Xt: Any, precision: str) -> dict[str, Runner]:
    import keras
    import tensorflow as tf
    from adapt.feature_based import DANN, MCD, DeepCORAL

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    layer = keras.layers
    X, Xt, codes = X[..., None], Xt[..., None], keras.utils.to_categorical(y, 10)

    def parts() -> dict[str, Any]:
        keras.utils.set_random_seed(0)
        body = keras.Sequential([
            layer.Input((28, 28, 1)), layer.Conv2D(32, 3), layer.MaxPool2D(), layer.ReLU(),
            layer.Conv2D(64, 3), layer.MaxPool2D(), layer.ReLU(), layer.Flatten(),
            layer.Dense(128, activation="relu"), layer.Dropout(0.2),
        ])  # fmt: skip
        head = keras.Sequential([layer.Input((128,)), layer.Dense(10, activation="softmax")])
        return {"encoder": body, "task": head}

    def train(make: Callable[..., Any], **more: Any) -> Runner:
        def fit(epochs: int) -> Any:
            extra = dict(more)
            if make is DANN:
                extra["discriminator"] = keras.Sequential([
                    layer.Input((128,)), layer.Dense(HIDDEN, activation="relu"),
                    layer.Dense(1, activation="sigmoid"),
                ])  # fmt: skip
            made = make(
                Xt=Xt, loss="categorical_crossentropy", optimizer="adam", verbose=0,
                random_state=0, **parts(), **extra,
            )  # fmt: skip
            return made.fit(X, codes, epochs=epochs, batch_size=BATCH)

        return fit

    def plain(epochs: int) -> Any:
        model = keras.Sequential(list(parts().values()))
        model.compile("adam", "categorical_crossentropy")
        return model.fit(X, codes, epochs=epochs, batch_size=BATCH, verbose=0)

    return {
        "plain": plain, "DANN": train(DANN), "DeepCORAL": train(DeepCORAL),
        "MCD": train(MCD, pretrain=False),
    }  # fmt: skip


SIDES = {"acclimate": ours, "skada": skada, "ADAPT": adapt}


def measure(side: str, precision: str, rows: Path) -> dict[str, Any]:
    """Return, for each method, seconds of an epoch and of a whole run of one epoch."""
    warnings.simplefilter("ignore")
    data = np.load(rows)
    X, y, Xt = data["X"], data["y"], data["Xt"]
    runs = SIDES[side](X, y, Xt, precision)
    times: dict[tuple[str, int], list[float]] = {}
    for _ in range(REPEATS):  # in turn, so that a slow minute of the machine meets all
        for name, run in runs.items():
            for epochs in (1, 2):
                began = time.process_time()
                run(epochs)
                times.setdefault((name, epochs), []).append(time.process_time() - began)
    least = {key: min(values) for key, values in times.items()}
    return {
        name: {"epoch": least[name, 2] - least[name, 1], "whole": least[name, 1]} for name in runs
    }


def report(results: dict[str, dict[str, Any]]) -> None:
    """Print the tables."""
    mine = [side for side in results if side.startswith("acclimate")]
    heads = [*results, *(f"fastest peer / {side}" for side in mine)]
    print(f"\nProcessor seconds of an epoch of {ROWS} rows, in brackets of a whole run of one.\n")
    print("| | " + " | ".join(heads) + " |\n|" + "---|" * (len(heads) + 1))
    for name in METHODS:
        cells = [
            f"{row[name]['epoch']:.2f} ({row[name]['whole']:.2f})" if name in row else "-"
            for row in results.values()
        ]
        peers = [results[side][name]["epoch"] for side in PEERS if name in results[side]]
        cells += [f"{min(peers) / results[side][name]['epoch']:.2f}" for side in mine]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()
    for side, row in results.items():
        over = {n: row[n]["epoch"] / row["plain"]["epoch"] for n in METHODS[1:] if n in row}
        print(f"{side}: an epoch over plain: " + ", ".join(f"{n} {v:.2f}" for n, v in over.items()))
        if side in mine:
            worst = max(over[n] for n in ("DANN", "DeepCORAL"))
            word = "met" if worst <= GOAL else "MISSED"
            print(f"  goal of at most {GOAL} for DANN and DeepCORAL: {word}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--skada", help="interpreter that has skada, in place of our environment")
    parser.add_argument("--adapt", help="interpreter that has ADAPT, in place of our environment")
    parser.add_argument("--env", type=Path, default=BENCH, help="folder of the environments")
    parser.add_argument("--before", type=source, help="a commit, or the src of another checkout")
    parser.add_argument("--side", choices=SIDES, help="measure one side; used from within")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--stored", action="store_true", help="print the tables of the last run")
    args = parser.parse_args()
    if args.side:
        print(json.dumps(measure(args.side, args.precision, args.rows)))
        return
    if not args.stored:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(collect(args), indent=1) + "\n")
    report(json.loads(RESULTS.read_text()))


def collect(args: argparse.Namespace) -> dict[str, Any]:
    """Measure every side in a process of its own."""
    import tempfile

    from acclimate import datasets

    skada = args.skada or str(peer_python(args.env, "deep"))
    adapt = args.adapt or str(peer_python(args.env, "adapt"))
    data = datasets.mnist()
    one = ("OMP", "MKL", "OPENBLAS", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
    env = {**os.environ, **{f"{name}_NUM_THREADS": "1" for name in one[:3]}}
    env |= {f"{name}_THREADS": "1" for name in one[3:]} | {"CUDA_VISIBLE_DEVICES": ""}
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.npz"
        np.savez(
            rows, X=(data.X_train[:ROWS] / 255).astype(np.float32), y=data.y_train[:ROWS],
            Xt=(1 - data.X_train[ROWS : 2 * ROWS] / 255).astype(np.float32),
        )  # fmt: skip
        runs = [
            ("acclimate, float32", "acclimate", "float32", sys.executable, env),
            ("skada", "skada", "float32", skada, env), ("ADAPT", "ADAPT", "float32", adapt, env),
            ("acclimate, auto", "acclimate", "auto", sys.executable, env),
        ]  # fmt: skip
        if args.before is not None:
            old = {**env, "PYTHONPATH": str(args.before)}
            runs += [
                (f"before, {precision}", "acclimate", precision, sys.executable, old)
                for precision in ("float32", "auto")
            ]
        for label, side, precision, python, where in runs:
            command = [python, __file__, "--side", side, "--precision", precision]
            done = subprocess.run(
                [*command, "--rows", str(rows)], env=where, stdout=subprocess.PIPE, text=True,
                check=True,
            )  # fmt: skip
            results[label] = json.loads(done.stdout.strip().splitlines()[-1])
    return results


if __name__ == "__main__":
    main()
