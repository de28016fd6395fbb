"""One benchmark, from what was asked for to a report and a submission.

`assay.bench` is this package and also the function of the library: `assay.bench("mixtral-nano")`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.bench.pipeline import FinishedBenchmark


class BenchPackage(ModuleType):
    """A package that can be called: importing `assay.bench.…` makes it the attribute `assay.bench`."""

    def __call__(self, *args: Any, **named: Any) -> FinishedBenchmark:
        """`library.bench`, whose parameters these are."""
        from assay.bench import library

        return library.bench(*args, **named)


sys.modules[__name__].__class__ = BenchPackage
