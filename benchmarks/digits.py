"""Digits without target labels: MNIST to USPS, USPS to MNIST, MNIST to colour on photographs.

Every deep method of the catalogue, and the same network trained on the source alone and on the
labelled target. One network, framing and augmentation for all; one source model a task and seed,
which every method starts from. No target label is seen by anything but the last column, the test
accuracy: the epoch is chosen by the validator of the method, and the method by the panel.

Run:  python benchmarks/digits.py [--seeds 3] [--only DANN,MCC] [--stored]

Results are written row by row, and a run that was cut off goes on where it was. USPS in its usual
split needs ``usps.h5`` in a folder of ``ACCLIMATE_DATA``.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from scipy.stats import t as student

import acclimate
from acclimate import Domain, NeuralClassifier, datasets
from acclimate.catalogue import methods
from acclimate.datasets.images import frame
from acclimate.exceptions import AcclimateWarning, DataNotFoundError
from acclimate.validators.candidate import Evidence
from acclimate.validators.confidence import information_maximisation
from acclimate.validators.panel import score_candidates

RESULTS = Path(__file__).parent / "results" / "digits.json"
KEPT = Path(__file__).parents[1] / ".bench" / "digits"  # source models and predictions

TASKS = ("MNIST to USPS", "USPS to MNIST", "MNIST to colour MNIST")
SETS = {"MNIST": "mnist", "USPS": "usps", "colour MNIST": "mnist_photos"}
ROWS = 10_000  # of the training images of each domain, drawn by the seed; USPS has 7291
STEPS, BATCH = 400, 64  # of stage one, and again of stage two; the baselines train 2 x STEPS
WATCHED = 1000  # unlabelled target rows that the choice of a method reads
SOURCE_TEST = 2000
FAMILIES = ("adversarial", "invariant", "source-free")
FIRST = ("DANN", "DeepCORAL", "MCC", "BNM", "SHOT", "AdaBN", "DAN", "CDAN")
BASELINES = ("source only", "target only")
CHOSEN, SURE = "chosen by the panel", "chosen by information maximisation"

# Published target test accuracy, the best epoch chosen on target test labels (tllib), and the
# best settings chosen likewise (skada-bench).
PUBLISHED = {
    TASKS[0]: {
        "source only": 82.1, "DAN": 86.0, "JAN": 84.0, "DANN": 91.7, "CDAN": 96.0, "ADDA": 94.5,
        "MCD": 94.1, "MDD": 94.8, "MCC": 95.1,
    },
    TASKS[1]: {
        "source only": 74.6, "DAN": 89.5, "JAN": 86.8, "DANN": 95.2, "CDAN": 97.7, "ADDA": 98.3,
        "MCD": 97.6, "MDD": 97.8, "MCC": 94.6,
    },
}  # fmt: skip
SKADA_BENCH = {
    TASKS[0]: {"DeepCORAL": 97.1, "DeepJDOT": 96.3, "MCC": 98.2, "target only": 98.1},
    TASKS[1]: {"DeepCORAL": 89.9, "DeepJDOT": 90.2, "MCC": 90.4, "target only": 98.9},
}
GOALS = {TASKS[0]: 1.0, TASKS[1]: 1.5}  # points that the chosen method may be below target-only
COLLAPSE = 10.0  # points below source-only at which a method is named as collapsed
Images = tuple[np.ndarray, np.ndarray]


def deep_methods() -> list[str]:
    """Return the deep methods of the catalogue; those that are always run come first."""
    names = [row.name for row in methods() if row.family in FAMILIES and row.network]
    return [n for n in FIRST if n in names] + [n for n in names if n not in FIRST]


def some(X: np.ndarray, y: np.ndarray, seed: int) -> Images:
    rows = np.sort(np.random.default_rng(seed).permutation(len(y))[:ROWS])
    return X[rows], y[rows]


def load(task: str, seed: int) -> dict[str, Images]:
    """Return training and test images of both domains in one frame."""
    source_name, target_name = task.split(" to ")
    found: dict[str, Images] = {}
    for side, name in (("source", source_name), ("target", target_name)):
        data = datasets.load(SETS[name])
        if name == "USPS" and "usual" not in data.split:
            raise DataNotFoundError("these figures need usps.h5, the usual split of USPS")
        for part, X, y in (
            ("", *some(data.X_train, data.y_train, seed)),
            (" test", data.X_test, data.y_test),
        ):
            X = frame(X) if name == "USPS" else np.asarray(X)
            if "colour" in task and X.ndim == 3:
                X = np.repeat(X[:, None], 3, axis=1)
            found[side + part] = X, y
    X, y = found["source test"]
    step = len(y) // SOURCE_TEST or 1
    found["source test"] = X[::step], y[::step]
    return found


def network(steps: int) -> NeuralClassifier:
    return NeuralClassifier(
        "cnn-norm", augment="affine", epochs=1, min_steps=steps, batch_size=BATCH, verbose=False
    )


def place(task: str, seed: int, method: str) -> Path:
    return KEPT / f"{task}-{seed}-{method}".replace(" ", "_")


def start(task: str, seed: int) -> None:
    """Train the source model that all methods start from, once."""
    path = place(task, seed, "source").with_suffix(".joblib")
    if path.is_file():
        return
    alone()
    X, y = load(task, seed)["source"]
    first = acclimate.DeepCORAL(network(STEPS), random_state=seed).fit(X, y)
    own = first.get_params(deep=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump({k: v for k, v in vars(first).items() if k not in own}, path)


def alone() -> None:
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore", AcclimateWarning)


def run(task: str, seed: int, method: str) -> dict[str, Any]:
    """Return the figures of one method, and keep its predictions for the choice."""
    alone()
    data = load(task, seed)
    (Xt, yt), began = data["target"], time.process_time()
    stopped, epoch = None, None
    if method in BASELINES:
        rows = (Xt, yt) if method == "target only" else data["source"]
        model = network(2 * STEPS).set_params(random_state=seed).fit(*rows)
        source = target = model.predict
        proba = model.predict_proba
    else:
        model = getattr(acclimate, method)(network(STEPS), random_state=seed)
        vars(model).update(joblib.load(place(task, seed, "source").with_suffix(".joblib")))
        model.adapt(Domain(Xt))
        target, proba = model.predict, model.predict_proba
        source = lambda X: model.predict(X, domain="source")  # noqa: E731
        history = model.history_
        if history is not None:
            stopped, epoch = history.stopped, [history.best_epoch, len(history.epochs)]
    seconds = time.process_time() - began
    watched = proba(Xt[:: len(Xt) // WATCHED or 1][:WATCHED])
    np.save(place(task, seed, method).with_suffix(".npy"), watched.astype(np.float32))
    (X, y), (Xs, ys) = data["target test"], data["source test"]
    return {
        "task": task, "seed": seed, "method": method, "steps": STEPS, "batch": BATCH,
        "target": float((target(X) == y).mean()), "source": float((source(Xs) == ys).mean()),
        "information_maximisation": information_maximisation(watched),
        "epoch": epoch, "stopped": stopped, "cpu_seconds": round(seconds, 1),
    }  # fmt: skip


def guarded(task: str, seed: int, method: str) -> dict[str, Any]:
    """Return what `run` returns, or what went wrong: one method must not end the others."""
    try:
        return run(task, seed, method)
    except Exception as error:
        return {"task": task, "seed": seed, "method": method, "error": repr(error)}


def read() -> list[dict[str, Any]]:
    return json.loads(RESULTS.read_text())["rows"] if RESULTS.is_file() else []


def write(rows: list[dict[str, Any]]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    part = RESULTS.with_suffix(".part")
    part.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    part.replace(RESULTS)


def jobs(names: list[str], tasks: list[str], seeds: int) -> Iterator[tuple[str, int, str]]:
    """Yield what to run, so that whatever is cut off leaves whole tables."""
    early = [n for n in names if n in FIRST or n in BASELINES]
    late = [n for n in names if n not in early]
    for some_tasks in (tasks[:2], tasks[2:]):
        for group in (early, late):
            for task in some_tasks:
                for seed in range(seeds):
                    for name in group:
                        yield task, seed, name


def choose(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, for each task and seed, the row of the method that the validators choose."""
    picked = []
    for task, seed in dict.fromkeys((row["task"], row["seed"]) for row in rows):
        mine = {
            row["method"]: row for row in rows
            if (row["task"], row["seed"]) == (task, seed) and row["method"] != "target only"
        }  # fmt: skip
        kept = {name: place(task, seed, name).with_suffix(".npy") for name in mine}
        sure = max(mine.values(), key=lambda row: row["information_maximisation"])
        picked.append({**sure, "method": SURE, "took": sure["method"]})
        if all(path.is_file() for path in kept.values()):
            seen = {name: np.load(path).astype(np.float64) for name, path in kept.items()}
            evidence = {
                name: Evidence(None, None, p / p.sum(axis=1, keepdims=True))
                for name, p in seen.items()
            }
            best = score_candidates(evidence).best
            picked.append({**mine[best], "method": CHOSEN, "took": best})
    return picked


def interval(values: list[float]) -> tuple[float, float]:
    """Return mean and half-width of the 95 % interval over seeds, in points."""
    x, n = 100 * np.array(values), len(values)
    half = student.ppf(0.975, n - 1) * x.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return float(x.mean()), float(half)


def report(rows: list[dict[str, Any]]) -> None:
    """Print the tables, the goals, and what was missed."""
    chosen = [row for row in rows if row["method"] in (CHOSEN, SURE)] or choose(rows)
    rows = [row for row in rows if row["method"] not in (CHOSEN, SURE)]
    names = [*deep_methods(), *BASELINES]
    for task in TASKS:
        mine = [row for row in rows if row["task"] == task]
        if not mine:
            continue
        print(f"\n**{task}**\n")
        print("| method | target test | source test | seeds | tllib | skada-bench |")
        print("|---|---|---|---|---|---|")
        means: dict[str, float] = {}
        for name in [*BASELINES, *names[: -len(BASELINES)], CHOSEN, SURE]:
            of = [r for r in (*mine, *chosen) if r["method"] == name and r["task"] == task]
            if not of:
                continue
            means[name], half = interval([row["target"] for row in of])
            source = interval([row["source"] for row in of])[0]
            took = ", ".join(row["took"] for row in of) if "took" in of[0] else ""
            others = [table.get(task, {}).get(name, "") for table in (PUBLISHED, SKADA_BENCH)]
            spread = "" if np.isnan(half) else f" ± {half:.1f}"
            print(
                f"| {name}{f' ({took})' if took else ''} | {means[name]:.1f}{spread} | "
                f"{source:.1f} | {len(of)} | {others[0]} | {others[1]} |"
            )
        verdicts(task, means)


def verdicts(task: str, means: dict[str, float]) -> None:
    """Print how the goals fared."""
    if task in GOALS and CHOSEN in means and "target only" in means:
        gap = means["target only"] - means[CHOSEN]
        word = "met" if gap <= GOALS[task] else "MISSED"
        print(f"\nChosen method {gap:.1f} points below target-only; goal {GOALS[task]}: {word}.")
    both = [n for n in PUBLISHED.get(task, {}) if n in means and n != "source only"]
    fell = [n for n in both if means[n] < means.get("source only", 0.0) - COLLAPSE]
    if both:
        against(task, means, both)
    if fell:
        print(f"Collapsed: {', '.join(fell)}. Without:", end=" ")
        against(task, means, [n for n in both if n not in fell])


def against(task: str, means: dict[str, float], both: list[str]) -> None:
    """Print the mean of some methods beside the published one."""
    ours = float(np.mean([means[n] for n in both]))
    theirs = float(np.mean([PUBLISHED[task][n] for n in both]))
    word = "met" if ours > theirs else "MISSED"
    print(
        f"mean of {', '.join(both)}: {ours:.1f}; tllib, epoch chosen on test labels, "
        f"{theirs:.1f}: {word}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="methods, with commas between")
    parser.add_argument("--tasks", default="", help="tasks whose name has this text")
    parser.add_argument("--redo", action="store_true", help="run again what is stored")
    parser.add_argument("--stored", action="store_true", help="print the tables of the last run")
    args = parser.parse_args()
    rows = read()
    if not args.stored:
        names = [*BASELINES, *deep_methods()]
        if args.only:
            names = [n for n in names if n in args.only.split(",")]
        tasks = [task for task in TASKS if args.tasks in task]
        plan = list(jobs(names, tasks, args.seeds))
        if args.redo:
            rows = [r for r in rows if (r["task"], r["seed"], r["method"]) not in plan]
        there = {(row["task"], row["seed"], row["method"]) for row in rows}
        work(rows, [job for job in plan if job not in there], args.jobs)
    rows = [row for row in rows if row["method"] not in (CHOSEN, SURE)]
    if all(place(r["task"], r["seed"], r["method"]).with_suffix(".npy").is_file() for r in rows):
        rows += choose(rows)
        write(rows)
    else:
        rows = read()
    report(rows)


def work(rows: list[dict[str, Any]], plan: list[tuple[str, int, str]], count: int) -> None:
    """Run jobs in processes of one thread each, and write each row as it comes."""
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        for task in dict.fromkeys(task for task, _, _ in plan):
            mine = [job for job in plan if job[0] == task]
            seeds = sorted({seed for _, seed, _ in mine})
            joblib.Parallel(count)(joblib.delayed(start)(task, seed) for seed in seeds)
        pool = joblib.Parallel(count, return_as="generator_unordered", batch_size=1)
        for row in pool(joblib.delayed(guarded)(*job) for job in plan):
            if "error" in row:  # shown, and left out: a rerun tries it again
                print(row, flush=True)
                continue
            rows.append(row)
            write(rows)
            print(
                f"{row['task']}  {row['seed']}  {row['method']:12} target {row['target']:.3f}  "
                f"source {row['source']:.3f}  {row['cpu_seconds']} s", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
