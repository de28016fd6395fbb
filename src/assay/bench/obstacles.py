"""What stands in the way of a job: a plan shows all of it, a run ends with the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from assay.ground.errors import AssayError

T = TypeVar("T")


@dataclass
class Obstacles:
    """Errors in the order in which they were met, each once."""

    found: list[AssayError] = field(default_factory=list)

    def past(self, step: Callable[[], T]) -> T | None:
        """What `step` gives; None when it raises an AssayError, which is kept."""
        try:
            return step()
        except AssayError as error:
            self.add([error])
            return None

    def add(self, errors: Iterable[AssayError]) -> None:
        for error in errors:
            if not any((error.message, error.hint) == (known.message, known.hint) for known in self.found):
                self.found.append(error)
