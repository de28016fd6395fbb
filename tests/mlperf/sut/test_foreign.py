"""What a SUT of another package raises is told with the package and the function."""

from __future__ import annotations

import dataclasses
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from assay import suts
from assay.config import Device, Mode, Precision, Scenario
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.mlperf import workloads
from assay.mlperf.sut.foreign import ForeignPlanner
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.planner import SutWork

NANO = workloads.get("mixtral-nano")
WORK = cast(SutWork, None)


def broken(*_: Any) -> Any:
    raise KeyError("nope")


def refuses(*_: Any) -> Any:
    raise ConfigError("no such voice", "--voice low")


def loaded(**facts: Any) -> SutKind:
    made = SutKind(name="parrot", summary="", module="parrot", **facts)
    point = SimpleNamespace(
        name="parrot", value="parrot:KIND", dist=SimpleNamespace(name="parrots"), load=lambda: made
    )
    return suts._loaded(point)  # type: ignore[arg-type]


def refused(made: SutKind) -> None:
    made.refuse_impossible(NANO, [Scenario.OFFLINE], [Mode.ACCURACY], Precision.FLOAT32, Device.CPU)


def test_functions_of_a_kind_that_raise_name_package_and_function() -> None:
    with pytest.raises(
        EnvironmentProblem, match="refuse of SUT 'parrot' in package parrots raised KeyError: 'nope'"
    ):
        refused(loaded(refuse=broken))
    with pytest.raises(EnvironmentProblem, match="default_batch of SUT 'parrot' in package parrots"):
        loaded(default_batch=broken).default_batch(NANO, ())
    with pytest.raises(ConfigError, match="no such voice"):
        refused(loaded(refuse=refuses))
    refused(loaded())


def test_a_planner_that_raises_or_lacks_a_function_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("parrot_plan")
    module.examine = broken  # type: ignore[attr-defined]
    module.seconds = lambda _: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "parrot_plan", module)
    planner = loaded(planner="parrot_plan").load_planner()
    assert isinstance(planner, ForeignPlanner) and planner.seconds(WORK) is None
    with pytest.raises(
        EnvironmentProblem, match="examine of SUT 'parrot' in package parrots raised KeyError"
    ):
        planner.examine(WORK)
    with pytest.raises(
        EnvironmentProblem, match="ram_bytes of SUT 'parrot' in package parrots raised AttributeError"
    ):
        planner.ram_bytes(WORK)


def test_a_planner_of_assay_itself_is_not_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    made = dataclasses.replace(loaded(planner="parrot_plan"), package="")
    monkeypatch.setitem(sys.modules, "parrot_plan", module := ModuleType("parrot_plan"))
    assert made.load_planner() is cast(Any, module)
    assert loaded().load_planner() is None
