"""How exactly a server's tokens can be known."""

from __future__ import annotations

from enum import Enum


class Tier(Enum):
    """A: ids in and ids out. B: text in, ids out. C: text both ways, so that ids can only be guessed from text."""

    A = "A"
    B = "B"
    C = "C"
