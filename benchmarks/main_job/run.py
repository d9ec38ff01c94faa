"""Benchmark of acclimate's main job beside the textbook script in Keras.

Run `python benchmarks/main_job/run.py` with the interpreter that acclimate is installed in.
README.md beside this file says what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from environments import PEERS, PreparationError, peer_python, prepare_data
from goals import EPOCH_GOALS, epochs_table, judge_epochs, judge_whole, whole_table
from measure import Script, ScriptError, machine, run_script

# `environments` makes the folder above importable
from peers import REPOSITORY
from trees import source


def main() -> int:
    """Measure, print the tables, write the JSON; return 1 if something could not be run."""
    args = _arguments()
    quick = args.quick
    repeats = 1 if quick else args.repeats
    output = args.output
    if output is None:
        # A quick look must not replace figures that somebody may quote.
        folder = args.env if quick else REPOSITORY / "benchmarks" / "results"
        output = folder / "main_job.json"
    report: dict[str, Any] = json.loads(output.read_text()) if output.exists() else {}
    try:
        data = prepare_data(args.data or args.env / "data")
        wanted = ("tensorflow",) if args.only == "whole" else tuple(PEERS)
        pythons = {peer: peer_python(args.env, peer) for peer in wanted}
        about = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "threads": args.threads,
            "peers": {peer: PEERS[peer] for peer in wanted},
            "quick": quick,
        }
        if args.only != "epochs":
            runs = whole_job(
                pythons["tensorflow"], data, args.threads, repeats, not quick, args.before
            )
            judged = judge_whole(runs)
            report["whole"] = {**about, "repeats": repeats, **judged, "runs": runs}
            print(whole_table(judged), flush=True)
            _write(output, report)
        if args.only != "whole":
            length = 2 if quick else 4
            epochs = epoch_times(pythons, data, args.threads, length, args.before)
            rows = judge_epochs(epochs)
            raw = {f"{model} {batch}": sides for (model, batch), sides in epochs.items()}
            report["epochs"] = {**about, "rows": rows, "runs": raw}
            print("\n" + epochs_table(rows), flush=True)
            _write(output, report)
    except (PreparationError, ScriptError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def whole_job(
    tensorflow: Path, data: Path, threads: int, repeats: int, warm: bool, before: Path | None
) -> dict[str, list[dict[str, Any]]]:
    """Run the textbook script and both recipes of ours in turn, `repeats` times.

    With `before`, both recipes run on that source tree, too, as "textbook before" and so on.

    Every second repeat runs in the opposite order, so that a machine that grows slower or
    faster favours nobody. With `warm`, one round before the first is not measured.
    """
    ours = Path(sys.executable)
    runs: dict[str, list[dict[str, Any]]] = {"tensorflow": []}
    for repeat in range(-1 if warm else 0, repeats):
        seed = ("--seed", str(max(repeat, 0)))
        scripts = [Script("tensorflow", tensorflow, "textbook_tensorflow.py", seed)]
        for recipe in ("textbook", "default"):
            arguments = ("--recipe", recipe, *seed)
            for side, tree in _trees(recipe, before):
                scripts.append(Script(side, ours, "textbook_acclimate.py", arguments, tree=tree))
        for script in scripts if repeat % 2 == 0 else reversed(scripts):
            seconds, result = run_script(script, data, threads)
            label = "warm-up" if repeat < 0 else f"repeat {repeat + 1} of {repeats}"
            _note(f"{label}: {script.name} {seconds:.2f} s {result}")
            if repeat >= 0:
                runs.setdefault(script.name, []).append({**result, "seconds": seconds})
    return runs


def epoch_times(
    pythons: dict[str, Path], data: Path, threads: int, epochs: int, before: Path | None
) -> dict[tuple[str, int], dict[str, dict[str, Any]]]:
    """Train each network at each batch size with acclimate and with Keras on each backend."""
    results: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for model, batch in EPOCH_GOALS:
        arguments = ("--model", model, "--batch", str(batch), "--epochs", str(epochs))
        scripts = [
            Script(side, Path(sys.executable), "epochs_acclimate.py", arguments, tree=tree)
            for side, tree in _trees("acclimate", before)
        ]
        exact = (*arguments, "--precision", "float32")
        scripts.append(
            Script("acclimate float32", Path(sys.executable), "epochs_acclimate.py", exact)
        )
        for peer, python in pythons.items():
            scripts.append(Script(peer, python, "epochs_keras.py", arguments, backend=peer))
        sides = {}
        for script in scripts:
            _, sides[script.name] = run_script(script, data, threads)
            _note(f"{model} {batch}: {script.name} {sides[script.name]}")
        results[(model, batch)] = sides
    return results


def _trees(side: str, before: Path | None) -> list[tuple[str, Path | None]]:
    """Return a side as it is, and as it was, each with its source tree; None is the installed."""
    return [(side, None), *([] if before is None else [(f"{side} before", before)])]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--env",
        type=Path,
        default=REPOSITORY / ".bench",
        help="folder for the peers' environments (made if missing) and the data",
    )
    parser.add_argument("--data", type=Path, help="folder for the .npy files; default ENV/data")
    parser.add_argument("--before", type=source, help="a commit, or the src of another checkout")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5, help="measured runs of the whole job")
    parser.add_argument("--quick", action="store_true", help="one repeat, two epochs, no warm-up")
    parser.add_argument("--only", choices=("whole", "epochs"))
    parser.add_argument("--output", type=Path, help="default benchmarks/results/main_job.json")
    args = parser.parse_args()
    if args.repeats < 1 or args.threads < 1:
        parser.error("--repeats and --threads must be at least 1")
    return args


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _write(path: Path, report: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(report, indent=1) + "\n")
    partial.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
