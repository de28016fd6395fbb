"""Every failure a user may meet, and the exit code each one ends with.

    AssayError(message, hint)      expected: printed as what / where / what to try, no traceback
    |- ConfigError           2     the command, run.yaml or their combination
    |- EnvironmentProblem    3     the machine: missing package or tool, memory, disk, no sandbox
    |- ArtifactError         3     a model, dataset or wheel: absent, cut short, wrong hash or schema
    |- RunFailed             4     the job started and could not be finished
    |- RecipeError           4     a recipe could not be resolved or a step of it failed
    |- Interrupted         130     stopped by the user; what was finished is kept and marked

Anything else that reaches `cli.main` is a bug (exit 70, with a paste-ready log).
"""

from __future__ import annotations

from collections.abc import Iterable


class AssayError(Exception):
    """An expected failure. `message` says what and where; `hint` says what to try next."""

    exit_code = 4

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  try: {self.hint}" if self.hint else self.message


class ConfigError(AssayError):
    exit_code = 2


class EnvironmentProblem(AssayError):
    exit_code = 3


class ArtifactError(AssayError):
    exit_code = 3


class RunFailed(AssayError):
    exit_code = 4


class RecipeError(AssayError):
    exit_code = 4


class Interrupted(AssayError):
    exit_code = 130


def did_you_mean(word: str, known: Iterable[str], mark: str = "") -> str:
    """`did you mean X?` for what is near among `known`, else the list of them; for an error's hint.

    mark: what each name is written with, as a variation's `_`.
    """
    # Every command imports this file, and only a failure needs them.
    from assay.ground.nearness import by_number, nearest

    names = sorted(known, key=by_number)

    if near := nearest(word, names):
        return f"did you mean {' or '.join(mark + name for name in near[:3])}?"
    return "one of: " + ", ".join(mark + name for name in names) if names else ""
