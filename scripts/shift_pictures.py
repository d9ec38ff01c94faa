"""Draw the four kinds of shift for docs/which_method.md.

Run:  python scripts/shift_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "assets"
SIDE, UNIT = 240, 26  # pixels of a panel, and of one unit in it
SOURCE, TARGET = "#00897b", "#e65100"  # both at least 3 to 1 on white and on dark grey
ROWS = 60


def drawn(rng: np.random.Generator, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of two classes, parted by the diagonal."""
    y = rng.random(ROWS) < share
    X = rng.normal(size=(ROWS, 2)) * 0.75
    return X + np.where(y[:, None], 0.9, -0.9), y


def panel(X: np.ndarray, y: np.ndarray, colour: str, turn: float, place: int, name: str) -> str:
    """Return one domain as SVG: rows, and the line that parts the source's classes."""
    middle = SIDE / 2
    dots = []
    for (a, b), positive in zip(X, y, strict=True):
        look = f'fill="{colour}"' if positive else f'fill="none" stroke="{colour}" stroke-width="2"'
        dots.append(
            f'<circle cx="{middle + UNIT * a:.1f}" cy="{middle - UNIT * b:.1f}" r="4" {look}/>'
        )
    c, s = np.cos(turn), np.sin(turn)
    ends = [f"{middle + 110 * k * (-c - s) / 1.42:.1f} {middle - 110 * k * (c - s) / 1.42:.1f}"
            for k in (-1, 1)]  # fmt: skip
    return (
        f'<g transform="translate({place} 0)"><rect width="{SIDE}" height="{SIDE}" fill="none" '
        f'stroke="#888"/><text x="8" y="20" font-family="sans-serif" font-size="14" '
        f'fill="{colour}">{name}</text><path d="M{ends[0]} L{ends[1]}" stroke="#888" '
        f'stroke-width="2" stroke-dasharray="6 4"/>{"".join(dots)}</g>'
    )


def main() -> None:
    """Write the four pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name in ("covariate", "mapped", "label_shift", "concept"):
        rng = np.random.default_rng(7)
        here, there = drawn(rng, 0.5), drawn(rng, 0.9 if name == "label_shift" else 0.5)
        X, y = there
        if name == "covariate":
            X = X * 0.8 + [2.0, -1.4]
            y = X.sum(axis=1) > 0
        elif name == "mapped":
            X = X * [0.6, 1.5] + [1.6, 1.4]
        elif name == "concept":
            y = X[:, 0] - 0.4 * X[:, 1] > 0
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {2 * SIDE + 22} {SIDE + 2}" '
            f'width="{2 * SIDE + 22}">{panel(*here, SOURCE, 0.0, 0, "source")}'
            f"{panel(X, y, TARGET, 0.0, SIDE + 20, 'target')}</svg>\n"
        )
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
