"""Source trees of before: a folder as it is, or a commit of this repository, taken out once."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import BENCH, REPOSITORY


def source(given: str) -> Path:
    """Return the `src` folder that the words of an option stand for.

    Parameters
    ----------
    given : str
        The `src` folder of another checkout, or a commit of this repository in any words that git
        knows, whose `src` is written to `.bench/trees/COMMIT`.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    argparse.ArgumentTypeError
        It is neither, or git does not have the commit.
    """
    if Path(given).is_dir():
        return Path(given).resolve()
    commit = _git("rev-parse", "--verify", "--quiet", f"{given}^{{commit}}")
    if not commit:
        raise argparse.ArgumentTypeError(
            f"{given!r} is neither a folder nor a commit that this repository has"
        )
    home = BENCH / "trees" / commit[:12]
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        # renamed at the end: what is stopped half way leaves no half of a tree
        partial = Path(tempfile.mkdtemp(dir=home.parent))
        _git("archive", "--output", str(partial / "src.tar"), commit, "src")
        # a process of its own: scripts that measure memory import this module
        unpack = [sys.executable, "-m", "tarfile", "-e", str(partial / "src.tar"), str(partial)]
        subprocess.run(unpack, check=True)
        (partial / "src.tar").unlink()
        partial.rename(home)
    return home / "src"


def run_with(tree: Path, option: str, *more: str) -> None:
    """Run this process's script again on another source tree, without the option that named it."""
    words = sys.argv[1:]
    place = next(i for i, word in enumerate(words) if word.partition("=")[0] == option)
    del words[place : place + (1 if "=" in words[place] else 2)]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    subprocess.run([sys.executable, sys.argv[0], *words, *more], env=environment, check=True)


def _git(*words: str) -> str:
    """Return what git prints, nothing where it fails."""
    git = ["git", "-C", str(REPOSITORY), *words]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
