"""Nothing in README and guide that does not run: every block, in the order of its page, from a fresh demo."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from doc_pages import PAGES, ROOT, blocks, make_demo, run_block

LANGUAGES = {"sh", "python", "text", "json", "bibtex"}
RUNNING = tuple(page for page in PAGES if any(block.runs for block in blocks(page)))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("torch", "diffusers", "moderngl", "espeakng_loader"):
        pytest.importorskip(package, reason="pip install 'blendvoca[demo,view,said]' to run this test")
    return make_demo(tmp_path_factory.mktemp("fresh") / "demo")


@pytest.fixture
def copy(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a fresh demo: files are linked, and what a block writes gets a new name and leaves them alone."""
    link: Callable[[str, str], object] = os.link
    shutil.copytree(demo, tmp_path / "demo", copy_function=link)
    monkeypatch.chdir(tmp_path / "demo")
    monkeypatch.setenv("BLENDVOCA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "demo"


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNING)
def test_every_block_runs(page: str, copy: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.runs:
            run_block(block, copy, names, like_a_user=page == "README.md")


def test_the_demo_has_what_its_message_names() -> None:
    recipe = (ROOT / "Makefile").read_text()
    message = re.findall(r'@echo "(.*)"', recipe[recipe.index("\ndemo: ") : recipe.index("\ntest: ")])
    assert "activate && cd" in " ".join(message)
    for page in re.findall(r"\w+\.html", " ".join(message)):
        assert page == "report.html" or f"--out $(DEMO)/{page}" in recipe


@pytest.mark.parametrize("page", PAGES)
def test_what_does_not_run_says_why(page: str) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{page}: a fence says {block.language!r}, not one of {sorted(LANGUAGES)}"
        assert block.mark in ("", "slow") or re.fullmatch(r"not run: \S.{8,}", block.mark), block
        if block.language == "text":
            assert not re.search(r"^\$? ?(blendvoca|said|pip|python) ", block.text, re.M), block.text


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    for page in PAGES:
        name = page.removeprefix("docs/").removesuffix(".md")
        if page not in ("README.md", "docs/index.md"):
            assert re.search(rf"^{re.escape(name)}$", index, re.M), f"docs/index.md does not list {name}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#][^)]*)\)", text):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            there = (ROOT / page).parent / path
            assert there.exists(), f"{page}: {target}"
            if anchor:
                titles = re.findall(r"^#+ (.*)$", there.read_text(), re.M)
                assert anchor in {_anchor(title) for title in titles}, f"{page}: {target}"


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
