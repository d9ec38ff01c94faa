from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from acclimate.report import write_text_atomic

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def demo() -> dict[str, Any]:
    """Return the example result: made-up numbers, in the shape that the demo writes."""
    text = Path(__file__).with_name("demo_example.json").read_text(encoding="utf-8")
    return json.loads(text)


@pytest.fixture
def hostile_demo(demo: dict[str, Any]) -> dict[str, Any]:
    """Return the example with a hostile text in every place that a name can come from."""
    result = copy.deepcopy(demo)
    case = result["cases"][0]
    case["title"] += HOSTILE
    case["source"] += HOSTILE
    case["target"] += HOSTILE
    case["network"] += HOSTILE
    case["findings"][0] += HOSTILE
    case["arms"][0]["label"] += HOSTILE
    case["arms"][0]["role"] = "candidate"
    case["verdicts"][0]["harmed_classes"][0]["name"] = HOSTILE
    case["verdicts"][1]["word"] = HOSTILE
    case["probe"][0]["sentence"] += HOSTILE
    result["command"] += HOSTILE
    result["machine"]["processor"] = HOSTILE
    return result


@pytest.fixture
def comparisons() -> dict[str, Any]:
    """Return results of small comparisons: labelled, unlabelled, regression; and a diagnosis."""
    text = Path(__file__).with_name("comparison_example.json").read_text(encoding="utf-8")
    return json.loads(text)


@pytest.fixture
def everything(comparisons: dict[str, Any]) -> dict[str, Any]:
    """Return a comparison with every optional part, a failed and a stopped candidate, and harm."""
    result = comparisons["labelled"]
    bare = dict.fromkeys(
        ("score", "score_low", "score_high", "against_target_only", "against_source_only",
         "seconds", "peak_mb"),
    )  # fmt: skip
    last = result["table"][-1] | bare | {"pareto": False, "chosen_share": 0.0}
    result["table"] += [
        last | {"candidate": "TCA", "method": "TCA", "status": "failed", "reason": "out of luck"},
        last | {"candidate": "JDA", "method": "JDA", "status": "stopped", "reason": "budget"},
    ]
    result["excluded"] = [{"method": "DANN", "reason": "it trains a network"}]
    result["verdicts"][0]["harmed_classes"] = [
        {"name": "ill", "fall": 0.031, "low": 0.01, "high": 0.05}
    ]
    result["classes"][1] |= {"gain": -0.031, "low": -0.05, "high": -0.01, "harmed": True}
    result["run"] = {
        "command": "acclimate compare --source here.csv --target there.csv --label sick",
        "settings": {"folds": 5, "repeats": 1, "preprocess": {"class": "StandardScaler"}},
        "versions": {"numpy": "2.4.0"}, "data": "9f2c4a6e", "created": "2026-11-24T14:00:00Z",
        "files": {"source": "here.csv"},
    }  # fmt: skip
    result["training"] = [
        {
            "candidate": "DANN",
            "note": "Stopped after 3 epochs.",
            "epochs": [
                {"step": 20 * k, "task": 1 / k, "domain": 0.7, "domain_accuracy": 0.9 - 0.1 * k,
                 "a_distance": 1.6 - 0.4 * k}
                for k in (1, 2, 3)
            ],
        }
    ]  # fmt: skip
    result["features"] = [
        {"title": "After CORAL", "source": [[0, 1], [1, 2]], "target": [[0.5, 1.5], [2, None]]}
    ]
    result["unfinished"] = "Stopped after 12 of 40 fits."
    return result


@pytest.fixture
def hostile(everything: dict[str, Any]) -> dict[str, Any]:
    """Return the comparison with a hostile text in every place that a name can come from."""
    result = copy.deepcopy(everything)
    name = result["recommendation"]["candidate"]
    for part in ("table", "calibration", "label_curve"):
        for row in result[part]:
            if row["candidate"] == name:
                row["candidate"] += HOSTILE
    result["recommendation"]["candidate"] += HOSTILE
    result["recommendation"]["reason"] += HOSTILE
    result["sentence"] = HOSTILE
    result["target"]["name"] = HOSTILE
    result["verdicts"][0]["word"] = HOSTILE
    result["verdicts"][0]["reference"] = HOSTILE
    result["verdicts"][0]["harmed_classes"][0]["name"] = HOSTILE
    result["classes"][0]["name"] = HOSTILE
    result["groups"][0]["name"] = HOSTILE
    result["table"][-1]["reason"] = HOSTILE
    result["table"][0]["family"] = HOSTILE
    result["excluded"][0]["reason"] = HOSTILE
    result["design"]["choice"] = HOSTILE
    result["training"][0]["candidate"] = HOSTILE
    result["training"][0]["note"] = HOSTILE
    result["training"][0]["epochs"][0][HOSTILE] = 1.0
    result["features"][0]["title"] = HOSTILE
    result["features"][0]["x_label"] = HOSTILE
    result["unfinished"] = HOSTILE
    result["run"]["command"] = HOSTILE
    result["run"]["settings"][HOSTILE] = HOSTILE
    result["run"]["data"] = HOSTILE
    return result


@pytest.fixture(scope="module")
def browser():
    """Return a browser without a network of its own; skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("chromium is absent")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is absent")
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser, tmp_path):
    """Open HTML as a page, and fail at the end on any request or complaint of the browser."""
    contexts, requests, complaints = [], [], []

    def opened(html, width=1440, height=900, **settings):
        path = write_text_atomic(tmp_path / "page.html", html)
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: requests.append(r.url))
        page.on("console", lambda m: complaints.append(m.text))
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.on("dialog", lambda d: (complaints.append(d.message), d.dismiss()))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    page_url = (tmp_path / "page.html").as_uri()
    assert {u for u in requests if u != page_url} <= {"data:,"}
    assert complaints == []
