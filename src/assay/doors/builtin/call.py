"""What a recipe of our own is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from assay.config import Request
from assay.ground.hub import Hub
from assay.recipes.model.selection import Selection

Answer = dict[str, Any]


@dataclass(frozen=True)
class Delivered:
    """What a benchmark left behind."""

    folder: Path
    tree: Path | None = None
    archive: Path | None = None


class Deliver(Protocol):
    """Runs a benchmark with everything asked for around it."""

    def __call__(self, request: Request, hub: Hub) -> Delivered: ...


@dataclass(frozen=True)
class BuiltinCall:
    """One request to a recipe of our own."""

    selection: Selection
    """As asked, nothing filled in."""
    env: Mapping[str, Any]
    """What the caller gave, flags mapped, names with CM's prefix."""
    defaults: Mapping[str, Any]
    """`default_env` of the recipe."""
    mapping: Mapping[str, str]
    """Flag -> variable, names with CM's prefix."""
    prefix: str
    """Of the names that go back: CM_ or MLC_."""
    say: Callable[[str], None]
    deliver: Deliver
    hub: Hub = field(default_factory=Hub)

    def text(self, *keys: str) -> str:
        """The first of these variables that is not empty, from the caller, else from the recipe."""
        for layer in (self.env, self.defaults):
            for key in keys:
                if found := str(layer.get(key) or "").strip():
                    return found
        return ""

    def answer(self, env: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> Answer:
        """CM's result dictionary with these new variables."""
        new = {
            f"{self.prefix}{key.removeprefix('CM_')}" if key.startswith("CM_") else key: value
            for key, value in env.items()
        }
        state = dict(state or {})
        return {"return": 0, "env": new, "new_env": new, "state": state, "new_state": state, "deps": []}
