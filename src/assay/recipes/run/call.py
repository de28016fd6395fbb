"""One request for a recipe within a run, and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from assay.recipes.model.resolved import Scope
from assay.recipes.values import Values

# Keys of a dependency entry that go into the scope, not into the inputs.
APART = ("env", "state", "const", "const_state")


class RecipeCall(NamedTuple):
    """A request by the user, or by another recipe."""

    inputs: Values
    scope: Scope
    depth: int = 0
    parent: str | None = None
    above: Mapping[str, object] = {}

    @property
    def indent(self) -> str:
        return "  " * self.depth


class RecipeOutcome(NamedTuple):
    """The outcome of a recipe. `env` and `state` are the caller's, overridden by `new_env` and `new_state`."""

    new_env: Values
    new_state: Values
    env: Values
    state: Values
    deps: Sequence[str] = ()
    version: str = ""
    skipped: bool = False


Runs = Callable[[RecipeCall], RecipeOutcome]
