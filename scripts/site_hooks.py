"""What the site has beside the pages in docs/: API pages, and the documents of the root.

MkDocs runs it; see mkdocs.yml. The API pages derive from the catalogue and the public names, so
that nothing has to be listed twice.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    *("BENCHMARKS.md", "RELIABILITY.md", "CHANGELOG.md", "CONTRIBUTING.md"),
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("benchmarks/tables/*.md")),
)
LINK = re.compile(r"(\]\(\s*<?)([^)\s>#]+)(#[^)\s>]*)?(>?[^)]*\))")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
TITLES = {
    "questions": "What to ask: diagnose, rank, compare, verdict",
    "data": "Domains, preprocessing, encoders",
    "models": "Base models and committees",
    "files": "Saving and loading",
}
GROUPS = {
    "questions": (
        "diagnose",
        "rank",
        "compare",
        "Comparison",
        "verdict",
        "Verdict",
        "export_mlflow",
    ),
    "files": ("load", "save"),
    "models": (
        "NeuralClassifier",
        "NeuralRegressor",
        "Committee",
        "Adapter",
        "pretrain",
        "Encoder",
    ),
}


def pages() -> dict[str, str]:
    """Return the API pages by name: a family of the catalogue each, and a group of other names."""
    import acclimate
    from acclimate.catalogue import CATALOGUE, PRETRAINING

    every = (*CATALOGUE, *PRETRAINING)
    rows = {row.name: row for row in every}
    groups: dict[str, list[str]] = {}
    for row in every:
        groups.setdefault(row.family, []).append(row.name)
    for name in acclimate._MODULES:
        if name not in rows:
            group = next((one for one, names in GROUPS.items() if name in names), "data")
            groups.setdefault(group, []).append(name)
    found = {}
    for group, names in groups.items():
        title = TITLES.get(group, group.capitalize())
        parts = [f"# {title}\n"]
        parts += [f"::: {acclimate._MODULES[name]}.{name}\n" for name in names]
        found[group] = "\n".join(parts)
    lines = ["# API\n", "Every public name, from the docstrings in the source.\n"]
    for group, names in groups.items():
        title = TITLES.get(group, group.capitalize())
        lines.append(f"- [{title}]({group}.md): {', '.join(f'`{one}`' for one in names)}")
    found["index"] = "\n".join(lines) + "\n"
    return found


def on_config(config: Any) -> Any:
    """List the API pages."""
    for entry in config.nav:
        if "API" in entry:
            entry["API"] += [f"api/{name}.md" for name in pages() if name != "index"]
    return config


def on_files(files: Any, *, config: Any) -> Any:
    """Add the pages that are not in docs/."""
    for name, text in pages().items():
        files.append(File.generated(config, f"api/{name}.md", content=text))
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_content(html: str, *, page: Any, config: Any, files: Any) -> str:
    """Write formulas as MathML, which browsers draw without a script."""
    from html import unescape

    from latex2mathml.converter import convert

    def written(match: re.Match[str]) -> str:
        wide = match[2] == "["
        return convert(unescape(match[3]), display="block" if wide else "inline")

    return FORMULA.sub(written, html)


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Turn links into the project's folders into links of the site, or into plain words."""
    here = Path(page.file.src_uri).parent
    in_root = page.file.src_uri in DOCUMENTS

    def turned(match: re.Match[str]) -> str:
        before, target, anchor, after = match[1], match[2], match[3] or "", match[4]
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            return match[0]
        file = (ROOT if in_root else ROOT / "docs") / here / target
        try:
            inside = file.resolve().relative_to(ROOT)
        except ValueError:
            return match[0]
        if inside.parts[:1] == ("docs",):
            place = Path(*inside.parts[1:])
        elif inside.as_posix() in DOCUMENTS:
            place = inside
        elif inside.name == "README.md" and len(inside.parts) == 1:
            place = Path("index.md")
        else:
            return match[0]
        up = Path(*[".."] * len(here.parts)) if here.parts else Path()
        return f"{before}{(up / place).as_posix()}{anchor}{after}"

    return LINK.sub(turned, markdown)
