"""Run the pages of docs/gallery: put in what their code prints, and draw what it found.

Run:  python scripts/gallery.py [NAME ...]      all pages take about four minutes on one core
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

PAGES = Path(__file__).resolve().parent.parent / "docs" / "gallery"
ASSETS = PAGES.parent / "assets" / "gallery"
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:(?P<between>(?:(?!```)[^\n]*\n)*?)```text\n.*?^```)?",
    re.MULTILINE | re.DOTALL,
)
# All at least 3 to 1 on white and on dark grey; WORDS 3.9 to 1.
COLOURS, WORDS = ("#00897b", "#e65100", "#7e6bc4", "#808080"), "#808080"
WIDTH = 560


def svg(height: float, parts: Sequence[str]) -> str:
    """Return a picture of the parts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'font-family="sans-serif" font-size="13">{"".join(parts)}</svg>\n'
    )


def text(x: float, y: float, words: str, colour: str = WORDS, anchor: str = "start") -> str:
    """Return words at a place."""
    look = f'fill="{colour}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(words)}</text>'


def line(points: Sequence[tuple[float, float]], colour: str, width: float = 2) -> str:
    """Return a line through points."""
    path = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def bars(values: Mapping[str, Any], reference: str | None = None, top: float = 1.0) -> str:
    """Return bars from 0 up to ``top``; a list is its mean, with a line from least to most."""
    step, least = 26, min(0.0, *(float(np.min(value)) for value in values.values()))
    left, right = 220 + (50 if least else 0), WIDTH - 50
    scale = (right - left) / (top - least)
    zero = left - scale * least
    parts = []
    for k, (name, value) in enumerate(values.items()):
        middle, y = float(np.mean(value)), 6 + step * k
        colour = COLOURS[3] if name == reference else COLOURS[0]
        start, end = sorted((zero, zero + scale * middle))
        parts.append(text(212, y + 14, name, anchor="end"))
        parts.append(f'<rect x="{start:.1f}" y="{y}" width="{end - start:.1f}" height="18" '
                     f'fill="{colour}"/>')  # fmt: skip
        if np.ndim(value):
            low, end = zero + scale * np.min(value), zero + scale * np.max(value)
            parts.append(line([(low, y + 9), (end, y + 9)], COLOURS[1]))
        parts.append(text(end + 6, y + 14, f"{middle:.2f}") if middle >= 0
                     else text(start - 6, y + 14, f"{middle:.2f}", anchor="end"))  # fmt: skip
    if least:
        parts.append(line([(zero, 2), (zero, 6 + step * len(values))], WORDS, 1))
    return svg(12 + step * len(values), parts)


def lines(at: Sequence[Any], values: Mapping[str, Sequence[float]], across: str) -> str:
    """Return a line for each name, over places that are equally far apart."""
    low, high = min(map(min, values.values())), max(map(max, values.values()))
    left, right, floor, ceiling = 60, WIDTH - 150, 190, 14
    xs = np.linspace(left, right, len(at))

    def height(value: float) -> float:
        return floor - (floor - ceiling) * (value - low) / (high - low)

    parts = [line([(left, floor + 6), (right, floor + 6)], WORDS, 1)]
    shown = range(0, len(at), max(1, len(at) // 6))
    parts += [text(xs[k], floor + 22, str(at[k]), anchor="middle") for k in shown]
    parts += [text(left - 10, height(one) + 4, f"{one:.3g}", anchor="end") for one in (low, high)]
    parts.append(text((left + right) / 2, floor + 40, across, anchor="middle"))
    beside = sorted(values, key=lambda name: -values[name][-1])
    places = {name: height(values[name][-1]) for name in beside}
    for above, below in pairwise(beside):
        places[below] = max(places[below], places[above] + 16)
    for colour, (name, ys) in zip(COLOURS, values.items(), strict=False):
        parts.append(line([(x, height(one)) for x, one in zip(xs, ys, strict=True)], colour))
        parts.append(text(right + 8, places[name] + 4, name, colour))
    return svg(floor + 48, parts)


def montage(rows: Mapping[str, np.ndarray]) -> str:
    """Return rows of images, (n, h, w) or (n, 3, h, w), with a name before each."""
    from PIL import Image

    parts, left, side = [], 150, 40
    for k, (name, images) in enumerate(rows.items()):
        whole = np.concatenate(list(images), axis=-1)
        whole = whole.transpose(1, 2, 0) if whole.ndim == 3 else whole
        file = io.BytesIO()
        Image.fromarray(whole.astype(np.uint8)).save(file, "PNG", optimize=True)
        data = base64.b64encode(file.getvalue()).decode()
        parts.append(text(left - 10, 28 + k * (side + 8), name, anchor="end"))
        parts.append(f'<image x="{left}" y="{4 + k * (side + 8)}" width="{side * len(images)}" '
                     f'height="{side}" href="data:image/png;base64,{data}"/>')  # fmt: skip
    return svg(8 + (side + 8) * len(rows), parts)


PICTURES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "two_files": lambda found: bars(found["r2"], "SourceOnly", top=0.4),
    "unlabelled_digits": lambda found: montage(
        {"MNIST, labelled": found["mnist"].X_train[:10],
         "USPS, not": found["frame"](found["usps"].X_train[:10])}
    ),
    "class_shares": lambda found: bars(found["accuracy"]),
    "drift": lambda found: lines(range(7, 13), found["accuracy"], "month"),
    "regression": lambda found: bars(found["r2"], "SourceOnly", top=0.3),
    "pictures": lambda found: montage(
        {"labelled": found["mnist"].X_train[:10], "not": found["photos"].X_train[20:30]}
    ),
    "sounds": lambda found: bars(found["accuracy"], "source as it is"),
    "texts": lambda found: bars(found["accuracy"]),
    "policies": lambda found: lines(found["steps"], found["returns"], "steps in the target"),
    "clusters": lambda found: bars(found["shown"]),
    "few_labels": lambda found: lines((50, 100, 500), found["accuracy"], "labels"),
}  # fmt: skip


def run(name: str) -> None:
    """Run one page; write its output and its picture."""
    page = PAGES / f"{name}.md"
    found: dict[str, Any] = {"__name__": "gallery"}

    def renewed(match: re.Match[str]) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(match["code"], str(page), "exec"), found)
        if match["between"] is None:
            return match[0]
        return f"```python\n{match['code']}```\n{match['between']}```text\n{out.getvalue()}```"

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        page.write_text(BLOCK.sub(renewed, page.read_text(encoding="utf-8")), encoding="utf-8")
    if name in PICTURES:
        ASSETS.mkdir(exist_ok=True)
        (ASSETS / f"{name}.svg").write_text(PICTURES[name](found), encoding="utf-8")


def main(names: Sequence[str]) -> None:
    """Run the pages that are named, or all."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    pages = sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "index")
    for name in names or pages:
        started = time.monotonic()
        run(name)
        sys.stdout.write(f"{name}: {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
