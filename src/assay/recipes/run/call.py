"""One request for a recipe within a run, and what the recipe hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from assay.recipes.model.resolve import Scope
from assay.recipes.typing_stub import Any, NamedTuple

# Of a dependency entry: they go into the scope, not into the inputs.
APART = ("env", "state", "const", "const_state")


class Call(NamedTuple):
    """A request by the user, or by another recipe."""

    inputs: dict[str, Any]
    scope: Scope
    depth: int = 0
    parent: str | None = None
    above: Mapping[str, Any] = {}

    @property
    def indent(self) -> str:
        return "  " * self.depth


class Outcome(NamedTuple):
    """What a recipe hands back. `env` and `state` are those of the caller with the new ones over them."""

    new_env: dict[str, Any]
    new_state: dict[str, Any]
    env: dict[str, Any]
    state: dict[str, Any]
    deps: Sequence[str] = ()
    version: str = ""
    skipped: bool = False


Runs = Callable[[Call], Outcome]
