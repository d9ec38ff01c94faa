"""Benchmark of the shallow methods beside skada, ADAPT and POT, on the same arrays in one run.

Run `python benchmarks/shallow/run.py` with the interpreter that acclimate is installed in.
README.md beside this file says what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent), str(HERE.parent / "main_job")]

from judge import goals, tables  # noqa: E402
from measure import machine  # noqa: E402
from peers import BENCH, PINS, PreparationError, peer_python  # noqa: E402
from problem import prepared  # noqa: E402
from sides import ACCLIMATE, METHODS, ROWS, SIDES  # noqa: E402

REPOSITORY = HERE.parents[1]
HOMES = {"skada": "shallow", "POT": "shallow", "ADAPT": "adapt"}
SIZES = (2000, 10000)
SINGLE = ("TCA rbf", "TCA linear")  # measured in float32 as well, ours alone


def main() -> int:
    """Measure, print the tables and goals, write the JSON; return 1 if nothing could be run."""
    args = _arguments()
    report: dict[str, Any] = json.loads(args.output.read_text()) if args.output.exists() else {}
    try:
        pythons = {side: peer_python(args.env, home) for side, home in HOMES.items()}
    except PreparationError as error:
        print(error, file=sys.stderr)
        return 1
    pythons["acclimate"] = Path(sys.executable)
    report |= {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(), "timeout": args.timeout,
        "peers": {home: PINS[home] for home in HOMES.values()},
    }  # fmt: skip
    rows: dict[str, Any] = report.setdefault("rows", {})
    jobs = plan(args)
    for number, job in enumerate(jobs):
        key = " | ".join(str(part) for part in job)
        method, size, threads, side, dtype = job
        before = rows.get(" | ".join(str(p) for p in (method, size, 1, side, dtype)), {})
        if threads > 1 and "seconds" in before.get("failed", ""):
            rows[key] = {"failed": "not run: time-out on one thread"}
        elif not (args.resume and key in rows):
            rows[key] = measure(pythons[side], job, args)
        _note(f"{number + 1}/{len(jobs)} {key}: {rows[key]}")
        _write(args.output, report)
    extras = report.setdefault("extras", {})
    for name in ("streaming", "landmarks"):
        if args.only is None or name in args.only:
            extras[name] = extra(name, args)
            _note(f"{name}: {extras[name]}")
            _write(args.output, report)
    report["goals"] = goals(rows, extras)
    _write(args.output, report)
    print(tables(rows, extras, report["goals"]))
    return 0


def plan(args: argparse.Namespace) -> list[tuple[str, int, int, str, str]]:
    """Return what to measure: method, rows, threads, side, dtype. Sides of a method in a row."""
    from acclimate import methods

    known = {row.name for row in methods()}
    jobs = []
    for threads in args.threads:
        for size in args.sizes:
            for method in METHODS:
                if args.only is not None and method not in args.only:
                    continue
                for side, offered in SIDES.items():
                    if method not in offered or (side == "acclimate" and ROWS[method] not in known):
                        continue
                    jobs.append((method, size, threads, side, "float64"))
                if method in SINGLE and size == SIZES[0] and method in ACCLIMATE:
                    jobs.append((method, size, threads, "acclimate", "float32"))
    return jobs


def measure(
    python: Path, job: tuple[str, int, int, str, str], args: argparse.Namespace
) -> dict[str, Any]:
    """Run one measurement as a process; return its figures, or why there are none."""
    method, size, threads, side, dtype = job
    folder = prepared(args.env / "shallow-data", size)
    command = [
        str(python), str(HERE / "one.py"), "--side", side, "--method", method,
        "--data", str(folder), "--dtype", dtype, "--threads", str(threads),
    ]  # fmt: skip
    return run(command, threads, args.timeout)


def extra(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Run one of the scripts that measure ours alone."""
    command = [sys.executable, str(HERE / f"{name}.py"), "--data", str(args.env / "shallow-data")]
    return run(command, 2 if name == "streaming" else 1, 1800)


def run(command: list[str], threads: int, timeout: float) -> dict[str, Any]:
    """Return the JSON that a command printed last."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(threads)
    if command[0] != sys.executable:
        environment.pop("PYTHONPATH", None)
    with tempfile.TemporaryFile("w+") as errors:
        try:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
                timeout=5 * timeout, check=False, preexec_fn=lambda: _limit(threads * timeout),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"failed": f"over {5 * timeout:g} seconds"}
        if done.returncode == -signal.SIGXCPU:
            return {"failed": f"over {threads * timeout:g} processor seconds"}
        errors.seek(0)
        tail = errors.read().strip().splitlines()[-1:] or ["nothing on standard error"]
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        return {"failed": f"status {done.returncode}: {tail[0][:200]}"}
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def _limit(seconds: float) -> None:
    """Let the process that is about to start run for so many processor seconds."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--env",
        type=Path,
        default=BENCH,
        help="folder for the peers' environments (made if missing) and the data",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--timeout", type=float, default=150.0, help="processor seconds a measurement"
    )
    parser.add_argument("--only", nargs="+", help="methods, or streaming and landmarks")
    parser.add_argument("--resume", action="store_true", help="keep what the file has already")
    parser.add_argument("--output", type=Path,
                        default=REPOSITORY / "benchmarks" / "results" / "shallow.json")  # fmt: skip
    return parser.parse_args()


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _write(path: Path, report: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(report, indent=1) + "\n")
    partial.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
