"""How long does the start page take, from first to last line, in a fresh copy and environment?

Copies this repository (its last commit) into an empty folder, makes an environment, installs, and
runs every command and the Python of `docs/index.md` as they stand there: wall seconds of each. That
they print what the page says is a test's.

Run:  python benchmarks/start_page.py
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from peers import REPOSITORY

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_PROSE = re.compile(r"`(acclimate label [^`]+)`")
TAKEN = ("git clone", "python -m venv", "cd ")  # done here by other means


def steps(page: str) -> Iterator[tuple[str, list[str]]]:
    """Yield a name and the arguments of each command of the page, in order."""
    for language, body in FENCE.findall(page):
        if language == "python":
            yield "the lines in Python", ["python", "-c", body]
        elif not language:
            for line in body.replace("\\\n", " ").splitlines():
                if line and not line.startswith(TAKEN):
                    words = shlex.split(line)
                    yield " ".join(words[:2]), words
    for line in IN_PROSE.findall(page):
        yield "acclimate label", shlex.split(line)


def main() -> None:
    """Print the seconds of each step, and of both parts of the page."""
    page = (REPOSITORY / "docs" / "index.md").read_text(encoding="utf-8")
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        copy, place = Path(name, "acclimate"), Path(name, "acclimate")
        home = copy / ".venv"
        paths = os.pathsep.join([str(home / "bin"), os.environ["PATH"]])
        environment = os.environ | {"PATH": paths, "VIRTUAL_ENV": str(home)}
        environment.pop("PYTHONPATH", None)
        began = time.perf_counter()
        clone = ["git", "clone", "--quiet", str(REPOSITORY), str(copy)]
        subprocess.run(clone, check=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        for step, words in steps(page):
            subprocess.run(
                words, cwd=place, env=environment, check=step != "acclimate check",
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
            ended = time.perf_counter()
            print(f"{ended - began:6.1f} s  {step}", flush=True)
            spent[step] = ended - began
            began = ended
            if step == "acclimate example":
                place /= words[-1]
    install = spent.pop("pip install")
    print(f"installed in {install:.0f} s; the commands took {sum(spent.values()):.0f} s")


if __name__ == "__main__":
    main()
