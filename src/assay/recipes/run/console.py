"""What the recipes say and ask. The command line gives the real one; a test gives a list."""

from __future__ import annotations

from typing import Protocol


class Console(Protocol):
    """Where words go. `say` is the answer itself (stdout), `note` is the log of the way there (stderr)."""

    def say(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...

    def ask(self, question: str) -> str | None:
        """The user's answer, or None when nobody is there to answer."""


class Quiet:
    """Keeps what was said and noted, answers nothing: for tests, plans and embedded use."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.noted: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def note(self, text: str) -> None:
        self.noted.append(text)

    def ask(self, question: str) -> str | None:
        return None
