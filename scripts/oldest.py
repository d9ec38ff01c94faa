"""Print pip constraints for the lowest versions that pyproject.toml allows; see scripts/test.

What the package needs, extras included, is held to its lowest version; what they need in turn is
pip's choice. Two kinds stay at the version of constraints.txt: what only runs the tests, and torch,
whose old releases many indexes have as a CUDA build of several gigabytes only.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

KEPT = {"torch"}
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[[\w.,-]+\])?(>=|==)(?P<version>[\w.]+)")


def plain(name: str) -> str:
    """Return a package's name as indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: Iterable[str]) -> dict[str, str]:
    """Return ``name==version`` by plain name, with the version that each requirement names."""
    found = {}
    for text in requirements:
        part = REQUIREMENT.fullmatch(text)
        if part is None:
            raise SystemExit(f"{text!r} names no lowest version")
        found[plain(part["name"])] = f"{part['name']}=={part['version']}"
    return found


def lowest(needed: Iterable[str], extras: dict[str, list[str]], pinned: Iterable[str]) -> list[str]:
    """Return one constraint a line.

    Parameters
    ----------
    needed : iterable of str
        What the package depends on.
    extras : dict of str to list of str
        What its extras need; the one called ``test`` runs the tests.
    pinned : iterable of str
        The lines of constraints.txt.

    Examples
    --------
    >>> extras = {"x": ["b>=3"], "test": ["b>=3", "d>=4"]}
    >>> lowest(["a[z]>=1.2", "torch>=2"], extras, ["a==2", "b==9", "c==9", "d==9", "torch==5"])
    ['a==1.2', 'b==3', 'd==9', 'torch==5']
    """
    floor = names([*needed, *(text for key in extras if key != "test" for text in extras[key])])
    pins = names(line for line in pinned if not line.startswith("#"))
    tools = {name: pins[name] for name in KEPT | (names(extras["test"]).keys() - floor.keys())}
    return sorted((floor | tools).values(), key=str.lower)


def main() -> None:
    """Print the constraints."""
    root = Path(__file__).resolve().parent.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = lowest(project["dependencies"], project["optional-dependencies"], pinned)
    sys.stdout.write("\n".join(found) + "\n")


if __name__ == "__main__":
    main()
