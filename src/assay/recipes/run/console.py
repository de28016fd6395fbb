"""Output and questions of recipes. The command line passes a terminal; a test passes a list."""

from __future__ import annotations

from typing import Protocol


class Console(Protocol):
    """Where messages go: `say` writes results (stdout), `note` writes the log (stderr)."""

    def say(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...

    def ask(self, question: str) -> str | None:
        """The user's answer; None when no user can answer."""


class Quiet:
    """Collects what was said and noted, and answers no question. For tests, plans and embedded use."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.noted: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def note(self, text: str) -> None:
        self.noted.append(text)

    def ask(self, question: str) -> str | None:
        return None
