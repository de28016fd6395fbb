"""Rules of a benchmark's folder: which scenarios it has, must have and may not have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.mlperf.checker import subjects
from assay.mlperf.checker.rules import model
from assay.mlperf.checker.subjects import HeldBenchmark
from tests.mlperf.checker.parts import Parts, only


def held(parts: Parts, **rules: object) -> HeldBenchmark:
    found = subjects.HELD.of(parts.benchmark)
    assert found is not None
    return replace(found, rules=replace(found.rules, **rules))  # type: ignore[arg-type]


def test_required_scenarios_are_those_of_the_suite(parts: Parts, open_parts: Parts) -> None:
    assert list(model.required_scenarios(held(parts))) == []
    missing = held(parts, required=("Offline", "Server", "SingleStream"))
    assert only(model.required_scenarios(missing)).expected == "SingleStream"
    assert list(model.required_scenarios(held(open_parts, required=("SingleStream",)))) == []


def test_one_of_the_optional_scenarios_is_enough(parts: Parts) -> None:
    assert list(model.one_of(held(parts, one_of=("Server", "Interactive")))) == []
    assert only(model.one_of(held(parts, one_of=("Interactive",)))).expected == "Interactive"
    assert list(model.one_of(held(parts, one_of=()))) == []


def test_a_scenario_that_the_benchmark_lacks_is_told_by_its_folder(parts: Parts) -> None:
    assert list(model.known_scenario(held(parts))) == []
    fault = only(model.known_scenario(held(parts, required=("Offline",))))
    assert (fault.path.rsplit("/", 1)[-1], fault.found) == ("Server", "Server")


@pytest.mark.parametrize(
    ("name", "code"), [("mixtral-8x7b", ""), ("resnet", "not held"), ("mixtral-8x70b", "unknown")]
)
def test_a_benchmark_is_held_known_or_neither(parts: Parts, name: str, code: str) -> None:
    benchmark = replace(parts.benchmark, name=name)
    assert bool(list(model.not_held(benchmark))) is (code == "not held")
    unknown = list(model.known_benchmark(benchmark))
    assert bool(unknown) is (code == "unknown")
    assert all("mixtral-8x7b" in fault.expected for fault in unknown)


def test_what_a_missing_file_leaves_unjudged_is_told(parts: Parts) -> None:
    entry = replace(parts.entry())
    assert list(model.not_judgeable(entry)) == []
    vars(entry).update(performance=None, accuracy_text=None)
    assert [fault.path for fault in model.not_judgeable(entry)] == [
        entry.performance_log,
        entry.accuracy_file,
    ]
