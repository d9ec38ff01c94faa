"""Which versions compute, in this process and elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from acclimate._version import __version__
from acclimate.exceptions import InputError

PACKAGES = ("numpy", "scipy", "scikit-learn")
version_of = cache(version)  # reading it from the disk takes milliseconds


def versions_here() -> dict[str, str]:
    """Return the versions that this process runs; a package that is not there is left out."""
    found = {"acclimate": __version__}
    for name in (*PACKAGES, "torch"):
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            continue
    return found


def made_by(ran: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of the wanted packages where something ran."""
    return {name: ran.get(name, "none") for name in wanted}


def check_same(ran: Mapping[str, str], wanted: Mapping[str, str], where: str) -> None:
    """Raise `InputError` where another version would compute.

    Parameters
    ----------
    ran, wanted : mapping from str to str
        Versions there and here.
    where : str
        Who runs them, for the message.
    """
    there = made_by(ran, wanted)
    other = [
        f"{name} {there[name]} there and {mine} here"
        for name, mine in wanted.items()
        if there[name] != mine
    ]
    if other:
        raise InputError(
            f"{where} runs another version: {', '.join(other)}. What it computes may differ from "
            f'yours; install the same, or pass allow_versions="differ"'
        )


def check_workers(
    found: Mapping[str, object], wanted: Mapping[str, str] | None, work: str = "jobs"
) -> None:
    """Raise `InputError` where a worker cannot be used.

    Parameters
    ----------
    found : mapping from str to mapping or exception
        By address: its versions, or what it raised when it was asked.
    wanted : mapping from str to str or None
        None takes any versions.
    work : str, default="jobs"
        What they are to run.
    """
    for place, ran in found.items():
        who = f"the worker at {place}"
        if isinstance(ran, BaseException):
            raise InputError(
                f"{who} cannot run {work}: {last_words(ran)}. Install acclimate there, in the "
                f"version of this machine"
            )
        if wanted is not None and isinstance(ran, Mapping):
            check_same(ran, wanted, who)


def last_words(error: BaseException) -> str:
    """Return an error of a worker in one line."""
    if type(error).__name__ == "KilledWorker":  # whose own text is a page of advice
        return "the workers that ran it died"
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]
