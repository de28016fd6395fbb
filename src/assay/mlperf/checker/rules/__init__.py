"""The rules of a submission, a file for each kind of fact they hold; importing this registers all of them."""

from assay.mlperf.checker.rules import (
    accuracy,
    compliance,
    endpoints,
    extra_answers,
    extra_runs,
    files,
    model,
    performance,
    system,
    tree,
)

__all__ = [
    "accuracy",
    "compliance",
    "endpoints",
    "extra_answers",
    "extra_runs",
    "files",
    "model",
    "performance",
    "system",
    "tree",
]
