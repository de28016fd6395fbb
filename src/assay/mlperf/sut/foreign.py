"""The planner of a SUT from another package: an error in it names that package."""

from __future__ import annotations

from typing import Any

from assay.ground.packages import guarded
from assay.mlperf.sut.planner import Examined, SutPlanner, SutSeconds, SutWork


class ForeignPlanner:
    """A planner of another package."""

    def __init__(self, package: str, sut: str, planner: SutPlanner) -> None:
        self._package, self._sut, self._planner = package, sut, planner

    def _call(self, name: str, work: SutWork) -> Any:
        def call(asked: SutWork) -> Any:
            return getattr(self._planner, name)(asked)  # one that it lacks is told like one that fails

        return guarded(f"{name} of SUT {self._sut!r}", self._package, call)(work)

    def examine(self, work: SutWork) -> Examined:
        found: Examined = self._call("examine", work)
        return found

    def ram_bytes(self, work: SutWork) -> int | None:
        found: int | None = self._call("ram_bytes", work)
        return found

    def seconds(self, work: SutWork) -> SutSeconds | None:
        found: SutSeconds | None = self._call("seconds", work)
        return found
