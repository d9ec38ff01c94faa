"""Prepares what the benchmark needs: the data as .npy files and an environment for each peer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DATASETS = ("mnist", "fashion-mnist")
ARRAYS = {
    "train_x": "X_train",
    "train_y": "y_train",
    "test_x": "X_test",
    "test_y": "y_test",
}

# One environment a framework, so that neither can change the versions of the other.
PEERS = {
    "tensorflow": ("tensorflow==2.21.0", "keras==3.15.1", "numpy==2.4.6"),
    "jax": ("jax==0.10.2", "jaxlib==0.10.2", "keras==3.15.1", "numpy==2.4.6"),
}


class PreparationError(RuntimeError):
    """Something that the benchmark needs could not be prepared."""


def prepare_data(folder: Path) -> Path:
    """Write both data sets as uint8 .npy files, unless they are there already.

    Parameters
    ----------
    folder : Path
        Gets `mnist/` and `fashion-mnist/`, each with train_x, train_y, test_x and test_y.

    Returns
    -------
    Path
        The folder.
    """
    for name in DATASETS:
        files = {array: folder / name / f"{array}.npy" for array in ARRAYS}
        if all(path.exists() for path in files.values()):
            continue
        import numpy as np

        from acclimate import datasets

        data = datasets.load(name)
        (folder / name).mkdir(parents=True, exist_ok=True)
        for array, path in files.items():
            # Renamed at the end: a run that is stopped half way leaves no truncated array.
            partial = path.with_name("partial.npy")
            np.save(partial, np.asarray(getattr(data, ARRAYS[array]), dtype=np.uint8))
            partial.replace(path)
    return folder


def peer_python(folder: Path, peer: str, pins: tuple[str, ...] | None = None) -> Path:
    """Return the interpreter of a peer's environment; make the environment if it is missing.

    Parameters
    ----------
    folder : Path
        Holds one environment a peer, named like the peer.
    peer : str
        Name of the environment.
    pins : tuple of str, default=None
        Packages with their versions. None means those in `PEERS`.

    Returns
    -------
    Path
        Interpreter that has these versions.

    Raises
    ------
    PreparationError
        The environment could not be made, or holds other versions.
    """
    pins = PEERS[peer] if pins is None else pins
    home = folder / peer
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(home)])
    missing = _missing(python, pins)
    if missing:
        _run([str(python), "-m", "pip", "install", "--quiet", *pins])
        missing = _missing(python, pins)
    if missing:
        raise PreparationError(
            f"{peer}: {', '.join(missing)} still missing after the installation. "
            f"Delete {home} and run again."
        )
    return python


def _missing(python: Path, pins: tuple[str, ...]) -> list[str]:
    """Return the pins that an environment does not fulfil."""
    code = (
        "import sys\n"
        "from importlib.metadata import PackageNotFoundError, version\n"
        "for pin in sys.argv[1:]:\n"
        "    name, _, wanted = pin.partition('==')\n"
        "    try:\n"
        "        found = version(name)\n"
        "    except PackageNotFoundError:\n"
        "        found = None\n"
        "    if found != wanted:\n"
        "        print(pin)\n"
    )
    return _run([str(python), "-c", code, *pins]).split()


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise PreparationError(f"{' '.join(command[:5])} ... failed:\n{tail}")
    return done.stdout
