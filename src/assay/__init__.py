"""Assay: MLPerf Inference for language models, from one command to a checked submission.

    import assay
    run = assay.bench("mixtral-nano", sut="echo", samples=30)

The names in `__all__` are the library (`bench/library.py`, docs/guide/python.md). Each is imported when it is asked
for: `import assay` costs nothing.
"""

__version__ = "0.3.0"
_HOMES = {
    "AssayError": "assay.ground.errors",
    "FinishedBenchmark": "assay.bench.pipeline",
    "Report": "assay.mlperf.checker.check",
    "RunResult": "assay.mlperf.record.result",
    "ScoredLog": "assay.bench.library",
    "check": "assay.bench.library",
    "read": "assay.bench.library",
    "score": "assay.bench.library",
}
"""Public name -> its module. Modules are imported by name: every floor imports `assay` for its version, and none of
them may import the library with it."""
__all__ = [
    "AssayError",
    "FinishedBenchmark",
    "Report",
    "RunResult",
    "ScoredLog",
    "__version__",
    "bench",
    "check",
    "read",
    "score",
]

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is too slow to import here
    from assay.bench.library import ScoredLog, bench, check, read, score
    from assay.bench.pipeline import FinishedBenchmark
    from assay.ground.errors import AssayError
    from assay.mlperf.checker.check import Report
    from assay.mlperf.record.result import RunResult


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    # The package `assay.bench` can be called: it is the function of that name.
    return getattr(import_module(_HOMES[name]), name) if name in _HOMES else import_module("assay.bench")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
