"""Columns: what a dataset file of any form holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Columns = dict[str, list[Any]]
"""Column name -> one value per row; all columns have one length."""


@dataclass(frozen=True)
class Unread:
    """Fills a column of a kind that this reader does not know. A reader that needs the column refuses this value."""

    kind: str

    def __repr__(self) -> str:
        return f"a value of {self.kind}"
