"""Runs the scripts of both sides as processes of their own and collects what they print."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class ScriptError(RuntimeError):
    """A benchmark script failed or did not print its result."""


@dataclass(frozen=True)
class Script:
    """One benchmark script with the interpreter and the settings it runs under."""

    name: str
    python: Path
    file: str
    arguments: tuple[str, ...] = ()
    backend: str | None = None
    tree: Path | None = None  # source of acclimate in place of the installed one


def run_script(script: Script, data: Path, threads: int) -> tuple[float, dict[str, Any]]:
    """Run a script once.

    Returns
    -------
    seconds : float
        Wall time from the start of the process until its result was read; its shutdown is left
        out.
    result : dict
        The JSON object that it printed.

    Raises
    ------
    ScriptError
        The script failed or printed no JSON object.
    """
    command = [str(script.python), str(HERE / script.file)]
    command += ["--data", str(data), "--threads", str(threads), *script.arguments]
    result: dict[str, Any] | None = None
    seconds = 0.0
    with tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=_environment(script, threads),
        )
        for line in process.stdout or ():
            if line.startswith("{"):
                seconds = time.perf_counter() - start
                result = json.loads(line)
        code = process.wait()
        errors.seek(0)
        tail = "\n".join(errors.read().strip().splitlines()[-15:])
    if code != 0 or result is None:
        raise ScriptError(f"{script.name} ({script.file}) ended with status {code}.\n{tail}")
    return seconds, result


def machine() -> dict[str, Any]:
    """Describe the machine: processor, load, system, Python."""
    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        rows = (line.partition(":") for line in info.read_text().splitlines())
        model = next((v.strip() for key, _, v in rows if key.strip() == "model name"), model)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "load_average_at_start": load,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _environment(script: Script, threads: int) -> dict[str, str]:
    """Return this process's environment with the same thread limits for every side."""
    environment = dict(os.environ)
    for name in ("KERAS_BACKEND", "XLA_FLAGS", "LD_PRELOAD"):
        environment.pop(name, None)
    if script.python != Path(sys.executable):
        # A source tree meant for our interpreter must not shadow a peer's packages.
        environment.pop("PYTHONPATH", None)
    if script.tree is not None:
        environment["PYTHONPATH"] = str(script.tree.resolve())
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(threads)
    environment["TF_CPP_MIN_LOG_LEVEL"] = "2"
    if script.backend is not None:
        environment["KERAS_BACKEND"] = script.backend
    return environment
