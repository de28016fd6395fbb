"""Every command that README and the guide show is run, and what it prints is held against what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import Block, Page
from tests.docs.shell import Shell

NOT_RUN = {
    "README.md": 1,
    "cm-command.md": 2,
    "containers.md": 3,
    "first-run.md": 1,
    "llama3.1-8b.md": 2,
    "measure-a-server.md": 2,
    "mixtral-submission.md": 3,
    "several-machines.md": 2,
    "upgrade.md": 1,
    "wrong-answers.md": 1,
}
"""Blocks of each page with the mark `<!-- not run: … -->`; one more is a decision, so it changes this table."""
WITHOUT_NODE = {
    r"^ *MBXP pass@1 .*": "…",
    r"0 warnings": "1 warning",
    r"result +6 targets met, Offline VALID": "result …",
}
"""What a page shows, and what is printed where MBXP's node packages are not installed."""
SLOW = ("compare.md", "mixtral-submission.md")
"""Pages with a second run of the model, or a compliance test."""
RUN = [
    pytest.param(page, id=page.name, marks=[pytest.mark.slow] if page.name in SLOW else [])
    for page in pages.all_pages()
    if any(block.is_run for block in page.blocks)
]


def without_node(shown: str) -> str:
    for pattern, other in WITHOUT_NODE.items():
        shown = re.sub(pattern, other, shown, flags=re.M)
    return shown


@pytest.mark.usefixtures("loadgen", "sandbox")
@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_print_what_it_shows(page: Page, shell: Shell, tmp_path: Path) -> None:
    with shell.at(tmp_path / "page") as run:
        for block in page.blocks:
            if block.file:
                run.write(block.file, block.text)
            for command, shown in block.commands if block.is_run else ():
                printed = run(command)
                if "node packages of MBXP are not installed" in printed:
                    shown = without_node(shown)
                assert pages.is_as_shown(shown, printed), (
                    f"{page.name}, line {block.line}: {command}\n--- shown\n{shown}\n--- printed\n{printed}"
                )


def test_the_blocks_that_are_not_run_are_counted() -> None:
    marked = {page.name: sum(not block.is_run for block in page.blocks) for page in pages.all_pages()}
    assert {name: count for name, count in marked.items() if count} == NOT_RUN


def test_most_of_the_blocks_are_run() -> None:
    blocks = [block for page in pages.all_pages() for block in page.blocks if block.commands]
    assert sum(block.is_run for block in blocks) >= 0.6 * len(blocks)


@pytest.mark.parametrize(
    ("shown", "printed", "is_right"),
    [
        ("173.6 samples/s, n = 300", "99.1 samples/s, n = 300", True),
        ("173.6 samples/s", "173.6 tokens/s", False),
        ("first\n…\nlast", "first\nsecond\nthird\nlast", True),
        ("first\n…\nlast", "first\nsecond", False),
        ("first", "first\nsecond", False),
        ("", "Error", False),
        ("sha256 …", "sha256 0dbeef123", True),
        ("run   20261129-063621", "run 20270101-010101", True),
        ("met", "missed", False),
    ],
)
def test_numbers_may_differ_and_words_may_not(shown: str, printed: str, is_right: bool) -> None:
    assert pages.is_as_shown(shown, printed) is is_right


PAGE = """Text.

`a.py`:

```python
print(1)
```

```console
$ python a.py \\
    --fast
1
$ ls
a.py
```

<!-- not run: it needs a GPU -->

```bash
assay bench --device cuda
```

```python
an_example()
```
"""


def test_a_page_is_read_block_by_block() -> None:
    file, console, bash, example = pages.blocks(PAGE)
    assert (file.file, file.text) == ("a.py", "print(1)\n")
    assert console.commands == (("python a.py     --fast", "1"), ("ls", "a.py"))
    assert console.is_run and (console.language, console.line) == ("console", 9)
    assert bash == Block("bash", 19, "assay bench --device cuda\n", None, is_run=False)
    assert (example.file, example.commands) == (None, ())


def test_links_and_pictures_of_the_guide_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in pages.all_pages()
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.path.read_text(encoding="utf-8"))
        if "://" not in target and not (page.path.parent / target).exists()
    ]
    assert broken == []
