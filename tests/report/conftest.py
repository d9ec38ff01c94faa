from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

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
