"""Environments of the peers: which versions they have, and making them.

One environment a peer or group of peers, so that none can change the versions of another, all in
one folder: `.bench` in the repository, unless a script is told another by ``--env``. Every script
that needs a peer makes what is missing. To make one ahead of time:

Run:  python benchmarks/peers.py [skada adapt ...] [--env FOLDER]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
BENCH = REPOSITORY / ".bench"  # environments, data that is written for a benchmark, older trees
_ARRAYS = ("numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1")
# torch is pinned wherever it is needed, since a newer one may be a build of several gigabytes
_TORCH = "torch==2.13.0"
PINS = {
    "tensorflow": ("tensorflow==2.21.0", "keras==3.15.1", "numpy==2.4.6"),
    "jax": ("jax==0.10.2", "jaxlib==0.10.2", "keras==3.15.1", "numpy==2.4.6"),
    "shallow": ("skada==0.6.0", "POT==0.9.7.post1", *_ARRAYS),
    "adapt": ("adapt==0.4.5", "tensorflow==2.21.0", "keras==3.15.1", *_ARRAYS),
    "deep": ("skada==0.6.0", "skorch==1.4.0", _TORCH, *_ARRAYS),
    "policies": ("stable-baselines3==2.9.2", _TORCH, "numpy==2.4.6"),
    "autogluon": ("autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3", *_ARRAYS),
    "numba": ("numba==0.68.1", "numpy==2.4.6", "scipy==1.17.1"),
}


class PreparationError(RuntimeError):
    """Something that the benchmark needs could not be prepared."""


def peer_python(folder: Path, peer: str) -> Path:
    """Return the interpreter of a peer's environment; make the environment if it is missing.

    Parameters
    ----------
    folder : Path
        Holds one environment a peer, named like the peer.
    peer : str
        Name of the environment, with its versions in `PINS`.

    Returns
    -------
    Path
        Interpreter that has these versions.

    Raises
    ------
    PreparationError
        The environment could not be made, or holds other versions.
    """
    pins = PINS[peer]
    home = folder / peer
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    missing = _missing(python, pins) if python.exists() else list(pins)
    if missing:
        print(f"{peer}: {', '.join(missing)} into {home}", file=sys.stderr, flush=True)
        # over one that was stopped half way, too
        _run([sys.executable, "-m", "venv", str(home)])
        _run([str(python), "-m", "pip", "install", "--quiet", *pins])
        missing = _missing(python, pins)
    if missing:
        raise PreparationError(
            f"{peer}: {', '.join(missing)} still missing after the installation. "
            f"Delete {home} and run again."
        )
    return python


def _missing(python: Path, pins: tuple[str, ...]) -> list[str]:
    """Return the pins that an environment does not fulfil; any build of a version does."""
    code = (
        "import sys\n"
        "from importlib.metadata import PackageNotFoundError, version\n"
        "for pin in sys.argv[1:]:\n"
        "    name, _, wanted = pin.partition('==')\n"
        "    try:\n"
        "        found = version(name.partition('[')[0])\n"
        "    except PackageNotFoundError:\n"
        "        found = ''\n"
        "    if found.partition('+')[0] != wanted:\n"
        "        print(pin)\n"
    )
    return _run([str(python), "-c", code, *pins]).split()


def _run(command: list[str]) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise PreparationError(f"{' '.join(command[:5])} ... failed:\n{tail}")
    return done.stdout


def main() -> None:
    """Make the environments that are named, or all, and print their interpreters."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", nargs="*", metavar="peer", help=f"of {', '.join(PINS)}")
    parser.add_argument("--env", type=Path, default=BENCH, help="folder of the environments")
    args = parser.parse_args()
    if unknown := set(args.peers) - set(PINS):
        parser.error(f"no environment {', '.join(sorted(unknown))}; there are {', '.join(PINS)}")
    for peer in args.peers or PINS:
        print(peer, peer_python(args.env, peer), flush=True)


if __name__ == "__main__":
    main()
