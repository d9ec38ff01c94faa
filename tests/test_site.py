"""The site: pages for every public name, and nothing that a reader's browser has to fetch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import acclimate

ROOT = Path(__file__).resolve().parent.parent
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["'](https?:)?//|"""
    r"""<link\b[^>]*\brel=["'](?:stylesheet|preconnect|preload)["'][^>]*\bhref=["'](https?:)?//"""
)


@pytest.mark.slow
def test_the_site_is_built_strictly_and_opens_offline(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    site = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)],
        cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    pages = {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8")
             for path in site.rglob("*.html")}  # fmt: skip
    assert [name for name, text in pages.items() if FETCHED.search(text)] == []
    assert [name for name, text in pages.items() if "arithmatex" in text] == []
    assert "<math" in pages["families/mapping.html"]
    api = "".join(text for name, text in pages.items() if name.startswith("api/"))
    submodules = set(acclimate._SUBMODULES)
    missing = [
        name for name in acclimate.__all__
        if name not in submodules | {"__version__", "methods"} and f'.{name}"' not in api
    ]  # fmt: skip
    assert missing == []
    assert "{parameters}" not in api, "a docstring is filled in only when it runs"


def test_what_a_browser_would_fetch_is_noticed():
    assert FETCHED.search('<script src="https://x.example/a.js">')
    assert FETCHED.search('<link rel="stylesheet" href="//x.example/a.css">')
    assert not FETCHED.search('<a href="https://x.example">')
