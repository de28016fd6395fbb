"""A workload of another package: its functions name that package and their line when they fail or give other things."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.ground.packages import guarded
from assay.mlperf.data.dataset import Dataset, Schema
from assay.mlperf.data.sample import Sample
from assay.mlperf.rounds.round_workload import RoundWorkload
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring.metric import Scorer
from assay.mlperf.workloads.datasets.building import Builder
from assay.mlperf.workloads.workload import Workload


def named(made: Workload, package: str) -> Workload:
    """The same workload, whose functions name the package when they fail. Assay's own among them stay as they are."""
    guard = functools.partial(_guard, made.name, package)
    return replace(
        made,
        schema=_schema(made.schema, guard),
        scorers=tuple(_scorer(each, guard) for each in made.scorers),
        own_rules=guard("own_rules", made.own_rules, _a(RoundWorkload)),
        official_results=guard("official_results", made.official_results, _numbers),
        builder=_builder(made.builder, guard),
        own_checkpoint=guard("own_checkpoint", made.own_checkpoint, _a(Path)),
        own_dataset=guard("own_dataset", made.own_dataset, _a(Dataset)),
    )


def _guard(workload: str, package: str, name: str, function: Any, checked: Callable[[Any], Any]) -> Any:
    if function is None or getattr(function, "__module__", "").startswith("assay."):
        return function
    return guarded(f"{name} of workload {workload!r}", package, function, checked)


def _schema(made: Schema, guard: Callable[..., Any]) -> Schema:
    return Schema(
        guard("schema.samples", made.samples, _rows),
        guard("schema.scored", made.scored, _rows),
        guard("schema.warnings", made.warnings, _list_of(str)),
    )


def _scorer(made: Scorer, guard: Callable[..., Any]) -> Scorer:
    metrics = ", ".join(metric.id for metric in made.metrics)
    return replace(
        made,
        score=guard(f"the scorer of {metrics}", made.score, _list_of(Score)),
        reads=guard(f"`reads` of {metrics}", made.reads, _a(str)),
    )


def _builder(made: Builder | None, guard: Callable[..., Any]) -> Builder | None:
    return None if made is None else replace(made, build=guard("builder.build", made.build, _a(Mapping)))


def _a(kind: Any) -> Callable[[Any], Any]:
    def checked(given: object) -> object:
        if not isinstance(given, kind):
            raise TypeError(f"it gave {_kind_of(given)} where {kind.__name__} belongs")
        return given

    return checked


def _list_of(kind: type) -> Callable[[Any], list[Any]]:
    def checked(given: object) -> list[Any]:
        if not isinstance(given, (list, tuple)):
            raise TypeError(f"it gave {_kind_of(given)} where a list of {kind.__name__} belongs")
        return [_a(kind)(each) for each in given]

    return checked


def _rows(given: object) -> list[Sample]:
    """Samples, each at its index, whose token ids are whole numbers; those of a prompt may be absent for scoring."""
    rows: list[Sample] = _list_of(Sample)(given)
    for position, row in enumerate(rows):
        if row.index != position:
            raise TypeError(f"sample {position} says that its index is {row.index!r}")
        for name in ("prompt_ids", "reference_ids", "stop_ids"):
            ids = getattr(row, name) or ()
            if not isinstance(ids, (list, tuple)) or not all(type(each) is int for each in ids):
                raise TypeError(f"{name} of sample {position} are no whole numbers")
        for name in ("id", "subset", "prompt", "truth"):
            if not isinstance(getattr(row, name), str):
                raise TypeError(f"{name} of sample {position} is {_kind_of(getattr(row, name))} and no text")
    return rows


def _numbers(given: object) -> Mapping[str, float]:
    results: Mapping[str, float] = _a(Mapping)(given)
    for name, value in results.items():
        if not isinstance(name, str) or not isinstance(value, (int, float)):
            raise TypeError(f"it gave {name!r}: {value!r} where a metric and a number belong")
    return results


def _kind_of(given: object) -> str:
    return type(given).__name__
