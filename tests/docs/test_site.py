"""The documentation as a site: every link leads somewhere, and no page loses text when it is rendered."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.docs.pages import MARK, ROOT

DOCS = ROOT / "docs"
WRITTEN = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]


@pytest.mark.skipif(
    importlib.util.find_spec("sphinx") is None, reason="no Sphinx: pip install 'assay-bench[docs]'"
)
def test_the_site_is_built_without_a_warning_and_can_be_searched(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*command, DOCS, tmp_path / "site"], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert (tmp_path / "site/searchindex.js").stat().st_size > 10_000
    page = (tmp_path / "site/guide/first-run.html").read_text(encoding="utf-8")
    assert 'src="../_images/report.png"' in page and "6 targets met, Offline VALID" in page


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_loses_no_text_when_it_is_rendered(page: Path) -> None:
    """What Markdown takes for HTML is shown to nobody: `<system>` in a sentence is lost."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    inner = [child for token in tokens for child in token.children or ()]
    lost = [token.content for token in [*tokens, *inner] if token.type in ("html_block", "html_inline")]
    lost = [text for text in lost if not text.startswith(MARK)]  # said to the tests alone
    assert lost == []


def test_the_pictures_of_the_guide_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (DOCS / "guide/pictures").iterdir()}
    assert sizes and {name: size for name, size in sizes.items() if size > 200_000} == {}
