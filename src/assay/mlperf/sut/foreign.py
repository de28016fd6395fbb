"""Functions of a SUT from another package: an error in them names that package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from assay.ground.errors import AssayError, EnvironmentProblem
from assay.mlperf.sut.planner import Examined, SutPlanner, SutSeconds, SutWork

Given = TypeVar("Given")


def guarded(package: str, sut: str, name: str, function: Callable[..., Given]) -> Callable[..., Given]:
    """Wraps `function`: errors that are not Assay's become an EnvironmentProblem with the names of SUT and package."""

    def call(*arguments: Any) -> Given:
        try:
            return function(*arguments)
        except AssayError:
            raise
        except Exception as error:  # the boundary to foreign code
            raise EnvironmentProblem(
                f"{name} of SUT {sut!r} in package {package} raised {type(error).__name__}: {error}",
                "mend or uninstall that package",
            ) from error

    return call


class ForeignPlanner:
    """A planner of another package."""

    def __init__(self, package: str, sut: str, planner: SutPlanner) -> None:
        self._package, self._sut, self._planner = package, sut, planner

    def _call(self, name: str, work: SutWork) -> Any:
        def call(asked: SutWork) -> Any:
            return getattr(self._planner, name)(asked)  # one that it lacks is told like one that fails

        return guarded(self._package, self._sut, name, call)(work)

    def examine(self, work: SutWork) -> Examined:
        found: Examined = self._call("examine", work)
        return found

    def ram_bytes(self, work: SutWork) -> int | None:
        found: int | None = self._call("ram_bytes", work)
        return found

    def seconds(self, work: SutWork) -> SutSeconds | None:
        found: SutSeconds | None = self._call("seconds", work)
        return found
