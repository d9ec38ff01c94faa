"""Which versions compute a trial, here and where it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from acclimate._version import __version__
from acclimate.comparison.candidates import Candidate
from acclimate.exceptions import InputError

ALLOWED = ("same", "differ")
_PACKAGES = ("numpy", "scipy", "scikit-learn")


def versions_of(candidate: Candidate) -> dict[str, str]:
    """Return the versions of the packages that a candidate's numbers depend on."""
    packages = [*_PACKAGES, *(["torch"] if candidate.dear else [])]
    return {"acclimate": __version__} | {name: _version(name) for name in packages}


def versions_of_all(candidates: Iterable[Candidate]) -> dict[str, str]:
    """Return the versions of the packages that any of the candidates depends on."""
    found: dict[str, str] = {}
    for candidate in candidates:
        found |= versions_of(candidate)
    return found


def versions_here() -> dict[str, str]:
    """Return the versions that this process runs; a package that is not there is left out."""
    found = {"acclimate": __version__}
    for name in (*_PACKAGES, "torch"):
        try:
            found[name] = _version(name)
        except PackageNotFoundError:
            continue
    return found


def made_by(ran: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of the wanted packages where a trial ran."""
    return {name: ran.get(name, "none") for name in wanted}


def check_same(ran: Mapping[str, str], wanted: Mapping[str, str], where: str) -> None:
    """Raise `InputError` where another version would compute trials.

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
            f"{where} runs another version: {', '.join(other)}. Its trials may differ from "
            f'yours; install the same, or pass allow_versions="differ"'
        )


_version = cache(version)  # reading it from the disk takes milliseconds
