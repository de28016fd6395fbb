"""The extras of the package: which library comes with which, and what to type when one is missing.

`pip install assay-bench` is enough to check, audit, score and submit and for recipes. What else a job imports comes
with an extra (docs/installing.md). An import that fails is told here, for every verb and child.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assay.ground.errors import EnvironmentProblem

LIBRARIES = {
    "torch": "engine",
    "transformers": "reference",
    "accelerate": "reference",
    "gguf": "reference",
    "pyarrow": "parquet",
    "nltk": "summaries",
    "punkt": "summaries",
    "pylatexenc": "math",
    "sympy": "math",
    "ray": "ray",
    "requests": "recipes",
    "tabulate": "recipes",
    "giturlparse": "recipes",
}
"""Module that is imported -> the smallest extra that brings it, as pyproject.toml has them."""


def install_command(extra: str) -> str:
    return f"pip install 'assay-bench[{extra}]'"


def problem(library: str) -> EnvironmentProblem:
    """The message for a library of LIBRARIES that is not installed."""
    return EnvironmentProblem(
        f"this needs {library}, which is not installed", install_command(LIBRARIES[library])
    )


def lacking(error: BaseException) -> EnvironmentProblem | None:
    """The message for an import that failed because an extra is not installed; None for any other error.

    A module that is installed and fails to import is such an other error.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    library = error.name.partition(".")[0]
    return problem(library) if library in LIBRARIES else None


@contextmanager
def named() -> Iterator[None]:
    """Around an import whose caller handles AssayError: an extra that is missing is raised as EnvironmentProblem."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise lacking(error) or error from error
