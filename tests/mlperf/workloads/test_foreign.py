"""Each function of another package's workload that fails, or gives something else, is told with that package."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from assay.config import Style
from assay.ground.errors import EnvironmentProblem
from assay.mlperf import workloads
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.sample import Sample
from assay.mlperf.scoring.metric import Metric, Scorer
from assay.mlperf.workloads import foreign
from assay.mlperf.workloads.datasets.building import Builder
from assay.mlperf.workloads.workload import Workload

NANO = workloads.get("mixtral-nano")
ROW = Sample(0, "a", "", "question", (1, 2), "truth", (3,), ())
METRIC = Metric("brief", "%", "Brief")


def named(**changed: Any) -> Workload:
    return foreign.named(dataclasses.replace(NANO, **changed), "briefs")


def schema(function: Callable[..., Any]) -> Schema:
    return Schema(function, function, function)


def gives(value: object) -> Callable[..., Any]:
    return lambda *_: value


def broken(*_: Any) -> Any:
    raise KeyError("nope")


CALLS: dict[str, Callable[[Callable[..., Any]], object]] = {
    "schema.samples": lambda f: named(schema=schema(f)).schema.samples({}, "x"),
    "schema.scored": lambda f: named(schema=schema(f)).schema.scored({}, "x"),
    "schema.warnings": lambda f: named(schema=schema(f)).schema.warnings([]),
    "the scorer of brief": lambda f: named(scorers=(Scorer((METRIC,), f),)).scorers[0].score(None),  # type: ignore[arg-type]
    "`reads` of brief": lambda f: named(scorers=(Scorer((METRIC,), f, reads=f),)).scorers[0].reads(None),  # type: ignore[arg-type]
    "own_rules": lambda f: named(own_rules=f).own_rules(Style.TEST),  # type: ignore[misc]
    "official_results": lambda f: named(official_results=f).official_results([]),
    "builder.build": lambda f: named(builder=Builder((), f, "")).builder.build(None),  # type: ignore[union-attr, arg-type]
    "own_checkpoint": lambda f: named(own_checkpoint=f).own_checkpoint(),  # type: ignore[misc]
    "own_dataset": lambda f: named(own_dataset=f).own_dataset(Style.TEST),  # type: ignore[misc]
}


@pytest.mark.parametrize("name", CALLS)
def test_a_function_that_fails_is_told_with_package_and_line(name: str) -> None:
    with pytest.raises(EnvironmentProblem) as error:
        CALLS[name](broken)
    said = (
        f"{name} of workload 'mixtral-nano' in package briefs raised KeyError: 'nope' (test_foreign.py, line "
    )
    assert error.value.message.startswith(said)


@pytest.mark.parametrize("name", CALLS)
def test_a_function_that_gives_something_else_is_told_with_what_it_gave(name: str) -> None:
    with pytest.raises(EnvironmentProblem, match="raised TypeError: it gave int where"):
        CALLS[name](gives(3))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"index": 5}, "sample 0 says that its index is 5"),
        ({"prompt_ids": (1.5,)}, "prompt_ids of sample 0 are no whole numbers"),
        ({"reference_ids": "12"}, "reference_ids of sample 0 are no whole numbers"),
        ({"truth": None}, "truth of sample 0 is NoneType and no text"),
    ],
)
def test_a_sample_that_no_run_could_take_is_told(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(EnvironmentProblem, match=said):
        CALLS["schema.samples"](gives([dataclasses.replace(ROW, **changed)]))


def test_right_values_pass() -> None:
    assert CALLS["schema.samples"](gives((ROW,))) == [ROW]
    assert CALLS["official_results"](gives({"brief": 1.0})) == {"brief": 1.0}
    with pytest.raises(EnvironmentProblem, match="'brief': '1' where a metric and a number belong"):
        CALLS["official_results"](gives({"brief": "1"}))


def test_functions_of_assay_stay_as_they_are_and_their_faults_are_bugs() -> None:
    assert named() == NANO


def test_an_entry_point_is_named_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    made = dataclasses.replace(NANO, name="brief", official_results=broken)
    package = SimpleNamespace(name="briefs")
    point = SimpleNamespace(name="brief", value="brief:WORKLOAD", dist=package, load=lambda: made)
    with pytest.raises(EnvironmentProblem, match="in package briefs"):
        workloads._loaded(point).official_results([])  # type: ignore[arg-type]
