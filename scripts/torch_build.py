"""Say whether pip is about to bring the CUDA build of torch, how large it is, and the other way.

Only says; whatever goes wrong here must not stop an installation, so the exit status is always 0.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SECONDS = 60
CUDA_PACKAGE = re.compile(r"nvidia-|cuda-|triton$")


def plan(requirement: str) -> list[dict[str, Any]]:
    """Return what pip would install for `requirement`, from its report; empty if it cannot say."""
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-input"]
    try:
        done = subprocess.run(
            [*pip, "--only-binary", ":all:", "--report", "-", requirement],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=True,
        )
        return list(json.loads(done.stdout)["install"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return []


def message(items: list[dict[str, Any]]) -> str:
    """Return what to tell the user about pip's plan; empty where there is no CUDA in it."""
    cuda = [item for item in items if CUDA_PACKAGE.match(item["metadata"]["name"].lower())]
    if not cuda:
        return ""
    sizes = [item["download_info"].get("archive_info", {}).get("size") for item in items]
    # Most indexes give no sizes to pip; the build has been 2 to 4 GB for years.
    amount = f"{sum(sizes) / 1e9:.1f} GB" if all(sizes) else "several GB"
    return (
        f"pip will bring the CUDA build of torch: {len(cuda)} packages for NVIDIA GPUs, {amount} "
        "to download and about twice that on disk.\n"
        "Without such a GPU the CPU build (about 0.2 GB) does the same. To choose it, press "
        "Ctrl-C and run the same command as\n"
        f"    PIP_EXTRA_INDEX_URL={CPU_INDEX} COMMAND\n"
        "Going on with the CUDA build."
    )


def main() -> None:
    """Print the message, if there is one."""
    if importlib.util.find_spec("torch") is not None:
        return
    root = Path(__file__).resolve().parent.parent
    pins = re.findall(r"(?m)^torch==\S+", (root / "constraints.txt").read_text(encoding="utf-8"))
    text = message(plan(pins[0] if pins else "torch"))
    if text:
        sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
