"""What can go wrong with a recipe, and the number that CM's callers expect for it.

    RecipeFault(message, code, hint)     `code` is CM's return number, which becomes the exit code of a CM verb
    |- RecipeNotFound                    nothing has these tags, this name or this variation
    |- RecipeFailed                      a step ran and failed: step, recipe, log and what it left behind are named

Source of the codes: 1 general, 2 native script, 4 unknown action or automation, 8 exists already,
16 not found; a hook's own number passes through.
"""

from __future__ import annotations

from pathlib import Path

from assay.ground.errors import RecipeError
from assay.recipes.values import Values

GENERAL, SCRIPT_FAILED, UNKNOWN_ACTION, EXISTS, NOT_FOUND = 1, 2, 4, 8, 16


class RecipeFault(RecipeError):
    """A recipe could not be found, resolved, run or removed; `code` is CM's return number."""

    def __init__(self, message: str, code: int = GENERAL, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code

    def details(self) -> list[str]:
        """Further lines below the message, before the hint."""
        return []

    def answer(self) -> FailedAnswer:
        """As a result dictionary, which is what hooks and `--out=json` get of a failure."""
        return FailedAnswer(self)

    def __str__(self) -> str:
        hint = [f"try: {self.hint}"] if self.hint else []
        return "\n  ".join([self.message, *self.details(), *hint])


class RecipeNotFound(RecipeFault):
    """Nothing answers to the tags, name or variation that was asked for."""

    def __init__(self, message: str, code: int = NOT_FOUND, hint: str = "") -> None:
        super().__init__(message, code, hint)


class RecipeFailed(RecipeFault):
    """A step of a recipe failed. `step` is the hook or script, `kept` the folder with what it left behind.

    `output` is what its log will hold; `log` is where that is, once the run has failed as a whole.
    """

    def __init__(
        self,
        message: str,
        code: int = SCRIPT_FAILED,
        hint: str = "",
        *,
        step: str = "",
        output: bytes = b"",
        kept: Path | None = None,
    ) -> None:
        super().__init__(message, code, hint)
        self.step = step
        self.output = output
        self.kept = kept
        self.recipe = ""
        self.log: Path | None = None

    def details(self) -> list[str]:
        named = {"step": self.step, "recipe": self.recipe, "log": self.log, "left": self.kept}
        return [f"{name}: {value}" for name, value in named.items() if value]

    def answer(self) -> FailedAnswer:
        """Also the log."""
        answer = super().answer()
        if self.log:
            answer["log"] = str(self.log)
        return answer


class FailedAnswer(Values):
    """The result dictionary of a failure. It also knows the failure, so that a hook that hands it on hands on the log;
    not as a member, because hooks print their results as JSON."""

    def __init__(self, fault: RecipeFault) -> None:
        super().__init__({"return": fault.code, "error": fault.message})
        self.fault = fault
