"""What a SUT says of itself is held against what is asked of it."""

from __future__ import annotations

from typing import Any

import pytest

from assay.config import Device, Mode, Precision, Scenario
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.mlperf import workloads
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import SutOption
from assay.mlperf.workloads.workload import Workload

NANO = workloads.get("mixtral-nano")
OPTIONS = (SutOption("depth", int, "", 3, least=1), SutOption("tag", str, ""))


def kind(**facts: Any) -> SutKind:
    return SutKind(**{"name": "toy", "summary": "", "module": "toy", "options": OPTIONS, **facts})


def refused(made: SutKind, **asked: Any) -> str:
    facts = {
        "scenarios": (Scenario.OFFLINE,),
        "modes": tuple(Mode),
        "precision": Precision.FLOAT32,
        "device": Device.CPU,
    }
    with pytest.raises(ConfigError) as error:
        made.refuse_impossible(NANO, **{**facts, **asked})
    return str(error.value)


def test_options_that_are_left_out_have_their_defaults_and_texts_are_read() -> None:
    assert kind().values({}) == {"depth": 3, "tag": None}
    assert kind().values({"depth": "5", "tag": "x"}) == {"depth": 5, "tag": "x"}
    assert kind().defaults() == {"depth": 3}


def test_an_option_that_is_not_declared_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"the toy SUT has no option 'dept'(.|\n)*did you mean depth\?"):
        kind().values({"dept": 1})
    with pytest.raises(ConfigError, match="it has no options"):
        kind(options=()).values({"dept": 1})


def test_a_precision_and_a_device_that_it_lacks_are_refused_with_those_it_has() -> None:
    assert "--precision bfloat16" in refused(kind(precisions=(Precision.BFLOAT16,)))
    assert "--device cpu" in refused(kind(devices=(Device.CPU,)), device=Device.CUDA)


def test_without_weights_any_precision_is_taken() -> None:
    kind().refuse_impossible(NANO, (Scenario.OFFLINE,), tuple(Mode), Precision.INT4, Device.CUDA)


def test_it_refuses_a_workload_in_a_scenario_and_mode_in_its_own_words() -> None:
    def no_accuracy_in_server(workload: Workload, scenario: Scenario, mode: Mode) -> str | None:
        is_it = scenario is Scenario.SERVER and mode is Mode.ACCURACY
        return f"toy cannot score {workload.name} in Server" if is_it else None

    made = kind(refuse=no_accuracy_in_server)
    assert "toy cannot score mixtral-nano in Server" in refused(made, scenarios=tuple(Scenario))
    made.refuse_impossible(NANO, tuple(Scenario), (Mode.PERFORMANCE,), Precision.FLOAT32, Device.CPU)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"precisions": ("float32",)}, "no tuple of Precision"),
        ({"devices": ()}, "no device"),
        ({"devices": "cpu"}, "no tuple of Device"),
        ({"options": (OPTIONS[0], OPTIONS[0])}, "depth twice"),
    ],
)
def test_facts_that_no_job_could_be_held_against_are_refused(facts: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        kind(**facts)


def test_a_planner_that_cannot_be_imported_is_named() -> None:
    assert kind().load_planner() is None
    with pytest.raises(EnvironmentProblem, match="the toy SUT cannot be planned: No module named 'no_such'"):
        kind(planner="no_such.planner").load_planner()
