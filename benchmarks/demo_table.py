"""Print the tables of a `demo.json` as Markdown, for the README and BENCHMARKS.md.

Run:  acclimate demo --out DIR  and then  python benchmarks/demo_table.py DIR/demo.json

Where the file is not there, the demo is run first.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from acclimate.report.wording import look_of


def table(case: dict) -> str:
    """Return one case: a line an arm, a column a number of labels."""
    words = {(v["labels"], v["candidate"]): v["word"] for v in case["verdicts"]}
    scores = {(r["labels"], r["arm"]): r["mean"] for r in case["results"]}
    sizes = case["sizes"]
    lines = [
        f"| {case['title']} | " + " | ".join(f"{n:,}" for n in sizes) + " |",
        "|---|" + "---|" * len(sizes),
    ]
    for arm in case["arms"]:
        cells = []
        for n in sizes:
            mark = look_of(words.get((n, arm["name"]), "")).sign
            cells.append(f"{100 * scores[n, arm['name']]:.1f} {mark}".strip())
        label = f"**{arm['label']}**" if arm["role"] == "reference" else arm["label"]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    path = Path(sys.argv[1])
    if not path.exists():
        demo = [sys.executable, "-m", "acclimate", "demo", "--out", str(path.parent)]
        subprocess.run(demo, check=True)
    result = json.loads(path.read_text())
    draws = {len(r["scores"]) for case in result["cases"] for r in case["results"]}
    print(f"`{result['command']}`: {max(draws)} draws, {result['seconds']:.0f} s in all.\n")
    for case in result["cases"]:
        print(table(case), end="\n\n")
        for finding in case["findings"]:
            print(f"- {finding}")
        print()


if __name__ == "__main__":
    main()
