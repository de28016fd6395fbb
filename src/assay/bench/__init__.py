"""One benchmark, from what was asked for to a report and a submission.

`assay.bench` is this package and also the function of the library: `assay.bench("mixtral-nano")`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Signature

    from assay.bench.pipeline import FinishedBenchmark


class BenchPackage(ModuleType):
    """A package that can be called: importing `assay.bench.…` makes it the attribute `assay.bench`.

    `help` and editors show the function's parameters and text.
    """

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        from assay.bench import library

        return signature(library.bench)

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        from assay.bench import library

        summary, _, rest = (library.bench.__doc__ or "").partition("\n\n")
        return f"{summary}\n\n    bench{self.__signature__}\n\n{rest}"

    def __call__(self, *args: Any, **named: Any) -> FinishedBenchmark:
        """`library.bench`, whose parameters these are."""
        from assay.bench import library

        return library.bench(*args, **named)


sys.modules[__name__].__class__ = BenchPackage
