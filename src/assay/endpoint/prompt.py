"""The prompt of a request: token ids, or text for a server that takes no ids."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prompt:
    """One prompt. Exactly one of the two fields is set."""

    ids: tuple[int, ...] | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if (self.ids is None) == (self.text is None):
            raise ValueError("a prompt is token ids or text, one of the two")
