"""The picture in docs/architecture.md shows the imports there are, and they all point down."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import acclimate

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "acclimate"
# imported by nearly everything, and importing nothing but each other: left out of the picture
GROUND = {"exceptions", "extras", "files", "folds", "importing", "settings", "_version"}
MOST_FLOORS = 11
LONG = 400


def _modules() -> dict[str, Path]:
    """Return the files by module; the package's own face, which only hands names on, left out."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if parts:
            found[".".join(("acclimate", *parts))] = path
    return found


MODULES = _modules()


def _targets(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the modules of the package that an import statement reaches."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        names = []
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            home = acclimate._MODULES.get(alias.name) if node.module == "acclimate" else None
            names.append(home or (whole if whole in MODULES else node.module or ""))
    return {name for name in names if name in MODULES}


def _imports(tree: ast.AST, later: bool = False) -> set[tuple[str, bool]]:
    """Return pairs (module, imported inside a function or for type checkers only)."""
    found: set[tuple[str, bool]] = set()
    for node in ast.iter_child_nodes(tree):
        typing = isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        inside = later or typing or isinstance(node, ast.FunctionDef | ast.Lambda)
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(module, inside) for module in _targets(node)}
        found |= _imports(node, inside)
    return found


@cache
def _arrows() -> dict[str, dict[str, bool]]:
    """Return for each file what it imports, and whether only later than at load time."""
    arrows: dict[str, dict[str, bool]] = {}
    for module, path in MODULES.items():
        mine = arrows.setdefault(module, {})
        for target, later in _imports(ast.parse(path.read_text(encoding="utf-8"))):
            if target != module:
                mine[target] = mine.get(target, True) and later
    return arrows


def _room(module: str) -> str:
    return module.split(".")[1]


@cache
def _rooms() -> dict[str, dict[str, bool]]:
    """Return the same for folders of the package and files beside them."""
    rooms: dict[str, dict[str, bool]] = {_room(module): {} for module in MODULES}
    for module, targets in _arrows().items():
        for target, later in targets.items():
            here, there = _room(module), _room(target)
            if here != there:
                rooms[here][there] = rooms[here].get(there, True) and later
    return rooms


def _circle(arrows: dict[str, dict[str, bool]]) -> set[str]:
    """Return what is left after taking away, again and again, what imports nothing that is left."""
    left = set(arrows)
    while bottom := {one for one in left if not set(arrows[one]) & left}:
        left -= bottom
    return left


def floors() -> dict[int, list[str]]:
    """Return the rooms by floor: one above the highest that a room imports."""

    @cache
    def floor(room: str) -> int:
        return 1 + max((floor(other) for other in _rooms()[room]), default=0)

    found: dict[int, list[str]] = {}
    for room in sorted(_rooms()):
        found.setdefault(floor(room), []).append(room)
    return found


def _drawn() -> dict[str, dict[str, bool]]:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert picture is not None
    drawn: dict[str, dict[str, bool]] = {}
    for start, arrow, ends in re.findall(r"^\s*(\w+) (-->|-\.->) (.+)$", picture[1], re.MULTILINE):
        for end in ends.split("&"):
            drawn.setdefault(start, {})[end.strip()] = arrow == "-.->"
    return drawn


def _shown() -> dict[str, dict[str, bool]]:
    rooms = {
        here: {there: later for there, later in ends.items() if there not in GROUND}
        for here, ends in _rooms().items()
        if here not in GROUND
    }
    return {here: ends for here, ends in rooms.items() if ends}


def picture() -> str:
    """Return floors and arrows as the document draws them."""
    lines = ["flowchart TD"]
    for number, rooms in sorted(floors().items(), reverse=True):
        names = "; ".join(room for room in rooms if room not in GROUND)
        lines.append(f'  subgraph floor{number}["floor {number}"]\n    {names}\n  end')
    for here, ends in sorted(_shown().items()):
        for arrow, late in (("-->", False), ("-.->", True)):
            if names := " & ".join(sorted(end for end, later in ends.items() if later is late)):
                lines.append(f"  {here} {arrow} {names}")
    return "\n".join(lines)


def test_the_picture_shows_the_imports_and_the_floors() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert _drawn() == _shown(), f"the picture is:\n{picture()}"
    assert picture().split("\n  adapter ")[0] in text, f"the floors are:\n{picture()}"


def test_no_circle_of_files() -> None:
    assert _circle(_arrows()) == set()


def test_no_arrow_upwards_and_few_floors() -> None:
    assert _circle(_rooms()) == set(), "rooms that import each other"
    assert max(floors()) <= MOST_FLOORS


def test_no_two_files_have_one_name() -> None:
    stems = Counter(path.stem for path in MODULES.values() if path.stem != "__init__")
    assert [stem for stem, n in stems.items() if n > 1] == []


def test_a_long_file_says_why() -> None:
    without = []
    for module, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > LONG and "Longer than other files" not in text:
            without.append((module, text.count("\n")))
    assert without == []


def test_losses_and_report_stand_on_the_ground_floors() -> None:
    for room in ("losses", "report", "datasets"):
        assert set(_rooms()[room]) <= GROUND
