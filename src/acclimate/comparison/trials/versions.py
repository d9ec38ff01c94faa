"""Which versions a trial depends on."""

from __future__ import annotations

from collections.abc import Iterable

from acclimate._version import __version__
from acclimate.comparison.candidates import Candidate
from acclimate.installed import PACKAGES, version_of

ALLOWED = ("same", "differ")


def versions_of(candidate: Candidate) -> dict[str, str]:
    """Return the versions of the packages that a candidate's numbers depend on."""
    packages = [*PACKAGES, *(["torch"] if candidate.dear else [])]
    return {"acclimate": __version__} | {name: version_of(name) for name in packages}


def versions_of_all(candidates: Iterable[Candidate]) -> dict[str, str]:
    """Return the versions of the packages that any of the candidates depends on."""
    found: dict[str, str] = {}
    for candidate in candidates:
        found |= versions_of(candidate)
    return found
