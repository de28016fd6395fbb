"""The errors of recipes, each with the return number that callers of CM expect.

    RecipeFault(message, code, hint)     `code` is CM's return number and the exit code of a CM verb
    |- RecipeNotFound                    no recipe has these tags, this name or this variation
    |- RecipeFailed                      a step ran and failed; has the step, recipe, log and leftover files

Source of the codes: 1 general, 2 native script, 4 unknown action or automation, 8 exists already,
16 not found. The return number of a hook is passed on unchanged.
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
        """The failure as a result dictionary, for hooks and for `--out=json`."""
        return FailedAnswer(self)

    def __str__(self) -> str:
        hint = [f"try: {self.hint}"] if self.hint else []
        return "\n  ".join([self.message, *self.details(), *hint])


class RecipeNotFound(RecipeFault):
    """No recipe or artifact has the tags, name or variation that was asked for."""

    def __init__(self, message: str, code: int = NOT_FOUND, hint: str = "") -> None:
        super().__init__(message, code, hint)


class RecipeFailed(RecipeFault):
    """A step of a recipe failed. `step` is the hook or script; `kept` is the folder with the files that it left.

    `output` holds the bytes for the log. `log` is the path of the log; it is set when the whole run has failed.
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
        """The result dictionary with the path of the log."""
        answer = super().answer()
        if self.log:
            answer["log"] = str(self.log)
        return answer


class FailedAnswer(Values):
    """The result dictionary of a failure, with the failure itself as an attribute. A hook that returns it thus
    returns the log too. The failure is not a member, because hooks print their results as JSON."""

    def __init__(self, fault: RecipeFault) -> None:
        super().__init__({"return": fault.code, "error": fault.message})
        self.fault = fault
