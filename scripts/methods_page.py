"""Write docs/methods.md from the catalogue. A test compares the two.

Run:  python scripts/methods_page.py
"""

from __future__ import annotations

from pathlib import Path

from acclimate.catalogue import CATALOGUE, Row

PAGE = Path(__file__).resolve().parent.parent / "docs" / "methods.md"
TITLES = {
    "baseline": "Baselines",
    "transfer": "With target labels: fine-tuning and joint training",
    "mapping": "Feature mapping",
    "reweighting": "Reweighting",
    "semisupervised": "Self-training",
    "adversarial": "Adversarial training",
    "invariant": "Domain-invariant features",
    "source-free": "Without the source",
}
HEAD = """# Methods

One line a method, from the catalogue (`acclimate methods`, `acclimate.methods()`). Each class has
its objective, parameters and deviations from the paper in its docstring.

- **labels**: what becomes of target labels. *ignored*: they never reach the method. *optional*:
  only with `use_target_labels=True`. *required*: it needs some.
- **tasks**: C classification, R regression.
- **alone**: whether a saved model can adapt without the source rows.
- **several**: whether `fit` takes rows of several sources (`domains=ids`).
- **sets**: P: gains on a target that lacks classes of the source, with `partial=True`. O: tells
  target rows of classes that the source lacks, with `unknown=label`. Ticked where measured to help
  (`benchmarks/label_sets.py`).
"""


def link(paper: str) -> str:
    """Return a paper as a link."""
    kind, number = paper.split(":", 1)
    place = "https://doi.org/" if kind == "doi" else "https://arxiv.org/abs/"
    return f"[{number}]({place}{number})"


def line(row: Row) -> str:
    """Return a row of the table."""
    tasks = " ".join(task[0].upper() for task in row.tasks)
    sets = " ".join("P" * row.partial_classes + "O" * row.open_classes)
    cells = [
        f"`{row.name}`", row.target_labels, tasks, "" if row.needs_source else "yes",
        "yes" if row.several_sources else "", sets, row.avoid, row.cost, link(row.paper),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def page() -> str:
    """Return the whole page."""
    parts = [HEAD.rstrip("\n")]
    for family in dict.fromkeys(row.family for row in CATALOGUE):
        rows = [line(row) for row in CATALOGUE if row.family == family]
        parts += [
            f"\n## {TITLES[family]}\n",
            "| method | labels | tasks | alone | several | sets | do not use it when | cost "
            "| paper |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
        ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
