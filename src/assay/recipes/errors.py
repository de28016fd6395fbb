"""What can go wrong with a recipe, and the number that CM's callers expect for it.

    RecipeFault(message, code, hint)     `code` is CM's return number, which becomes the exit code of a CM verb
    |- RecipeNotFound                    nothing has these tags, this name or this variation
    |- RecipeFailed                      a step ran and failed: step, recipe and what it left behind are named

Source of the codes: 1 general, 2 native script, 4 unknown action or automation, 8 exists already,
16 not found; a hook's own number passes through.
"""

from __future__ import annotations

from pathlib import Path

from assay.ground.errors import RecipeError

GENERAL, SCRIPT_FAILED, UNKNOWN_ACTION, EXISTS, NOT_FOUND = 1, 2, 4, 8, 16


class RecipeFault(RecipeError):
    """A recipe could not be found, resolved, run or removed; `code` is CM's return number."""

    def __init__(self, message: str, code: int = GENERAL, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class RecipeNotFound(RecipeFault):
    """Nothing answers to the tags, name or variation that was asked for."""

    def __init__(self, message: str, code: int = NOT_FOUND, hint: str = "") -> None:
        super().__init__(message, code, hint)


class RecipeFailed(RecipeFault):
    """A step of a recipe failed. `step` is the hook or script, `kept` the folder with what it left behind."""

    def __init__(
        self,
        message: str,
        code: int = SCRIPT_FAILED,
        hint: str = "",
        *,
        step: str = "",
        kept: Path | None = None,
    ) -> None:
        super().__init__(message, code, hint)
        self.step = step
        self.kept = kept
