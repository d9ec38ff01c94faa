"""The picture of the layers in docs/architecture.md shows the imports there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import acclimate

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "acclimate"
# imported by nearly everything, and importing nothing
GROUND = {"exceptions", "extras", "files", "folds", "_version"}


def _layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _targets(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the layers that an import statement reaches."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif node.module == "acclimate":
        homes = acclimate._MODULES
        names = [homes.get(alias.name, f"acclimate.{alias.name}") for alias in node.names]
        names = [n for n in names if n not in ("acclimate.__version__", "acclimate.methods")]
    else:
        names = [node.module or ""]
    return {_layer(name) for name in names if name.startswith("acclimate.")}


def _imports(tree: ast.AST, inside: bool = False) -> set[tuple[str, bool]]:
    """Return pairs (layer, imported inside a function)."""
    found: set[tuple[str, bool]] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(layer, inside) for layer in _targets(node)}
        found |= _imports(node, inside or isinstance(node, ast.FunctionDef | ast.Lambda))
    return found


def _edges() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the arrows at load time, and those that exist inside functions only."""
    now: set[tuple[str, str]] = set()
    later: set[tuple[str, str]] = set()
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if here == "__init__":
            continue
        for layer, inside in _imports(ast.parse(path.read_text(encoding="utf-8"))):
            if layer not in {here, "", *GROUND}:
                (later if inside else now).add((here, layer))
    return now, later - now


def _drawn() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert picture is not None
    arrows: dict[str, set[tuple[str, str]]] = {"-->": set(), "-.->": set()}
    for start, arrow, ends in re.findall(r"^\s*(\w+) (-->|-\.->) (.+)$", picture[1], re.MULTILINE):
        arrows[arrow] |= {(start, end.strip()) for end in ends.split("&")}
    return arrows["-->"], arrows["-.->"]


def picture() -> str:
    """Return the arrows there are, as the document draws them."""
    lines = []
    for arrow, edges in zip(("-->", "-.->"), _edges(), strict=True):
        for start in sorted({a for a, _ in edges}):
            ends = " & ".join(sorted(b for a, b in edges if a == start))
            lines.append(f"  {start} {arrow} {ends}")
    return "\n".join(sorted(lines))


def test_the_picture_shows_the_imports() -> None:
    assert _drawn() == _edges(), f"the arrows are:\n{picture()}"


def test_nothing_imports_upwards_when_it_is_loaded() -> None:
    now, _ = _edges()
    layers = {layer for edge in now for layer in edge}
    while layers:  # take away what imports nothing that is left
        bottom = {layer for layer in layers if not any(a == layer and b in layers for a, b in now)}
        assert bottom, f"a circle among {sorted(layers)}"
        layers -= bottom


def test_training_losses_and_selection_stand_on_their_own() -> None:
    now, later = _edges()
    assert not {edge for edge in now | later if edge[0] in ("training", "losses", "selection",
                                                            "datasets", "report")}  # fmt: skip
