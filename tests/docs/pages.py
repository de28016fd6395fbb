"""README and the guide as their tests read them: fenced blocks, their commands, and what these are shown to print.

- A `console` block has commands after `$ `, each with its output below it; `…` stands for anything. Numbers and line
  ends may differ, words may not.
- A `bash` block has commands alone, a line each; what they print is not looked at.
- Any other block below a line that ends in `NAME`: is that file.
- A block below a comment `<!-- not run: REASON -->` is not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"
MARK = "<!-- not run: "
_NUMBER = r"\d[\d.,:]*"


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    line: int
    """Of the page, where the fence opens."""
    text: str
    file: str | None
    """The file that it is."""
    is_run: bool

    @property
    def commands(self) -> tuple[tuple[str, str], ...]:
        """(command, what it is shown to print); the second is `…` where nothing is shown."""
        if self.language == "bash":
            return tuple((line, "…") for line in _joined(self.text).splitlines() if line and line[0] != "#")
        if self.language != "console":
            return ()
        parts = re.split(r"^\$ ", _joined(self.text), flags=re.M)[1:]
        typed = (part.partition("\n") for part in parts)
        return tuple((command, shown.rstrip("\n")) for command, _, shown in typed)


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(blocks(self.path.read_text(encoding="utf-8")))


def all_pages() -> list[Page]:
    return [Page(ROOT / "README.md"), *(Page(path) for path in sorted(GUIDE.glob("*.md")))]


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page that have commands or are a file, or show code."""
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        before = text[: found.start()].rstrip().rpartition("\n\n")[2]
        file = re.search(r"`([\w./-]+)`:$", before)
        yield Block(
            found[1],
            text.count("\n", 0, found.start()) + 1,
            found[2],
            file[1] if file and found[1] not in ("console", "bash") else None,
            is_run=not before.startswith(MARK),
        )


def is_as_shown(shown: str, printed: str) -> bool:
    """Whether an output is the one on a page, up to numbers, line ends, blanks, and what `…` stands for."""
    parts = re.split(rf"( ?… ?|{_NUMBER})", " ".join(shown.split()))
    pattern = "".join(
        ".*" if "…" in part else _NUMBER if part[:1].isdigit() else re.escape(part) for part in parts
    )
    return re.fullmatch(pattern, " ".join(printed.split())) is not None


def _joined(text: str) -> str:
    """Lines that end in a backslash with the next one."""
    return text.replace("\\\n", "")
