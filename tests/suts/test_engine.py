"""The facts of the engine SUT: its options with their limits, its precisions, and the models that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from assay.config import Device, Mode, Precision, Scenario
from assay.engine.config import KERNELS, KV_PRECISIONS, ORDERS, PRECISIONS, WEIGHTS, EngineConfig
from assay.engine.families import FAMILIES
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.suts.engine import KIND


def test_every_field_of_the_engine_that_a_user_may_set_is_an_option_with_the_same_default() -> None:
    for name in ("order", "kernels", "weights", "kv_precision"):
        assert KIND.defaults()[name] == getattr(EngineConfig, name)
    assert set(KIND.defaults()) == {"order", "kernels", "weights", "kv_precision"}
    values = KIND.values({})
    assert [name for name, value in values.items() if value is None] == [
        "token_budget",
        "kv_tokens",
        "threads",
        "memory_gib",
        "answer_tokens",
    ]


@pytest.mark.parametrize(
    ("name", "choices"),
    [("order", ORDERS), ("kernels", KERNELS), ("weights", WEIGHTS), ("kv_precision", KV_PRECISIONS)],
)
def test_each_choice_of_the_engine_may_be_asked_for_and_no_other(name: str, choices: tuple[str, ...]) -> None:
    assert [KIND.values({name: one})[name] for one in choices] == list(choices)
    with pytest.raises(ConfigError, match=name.replace("_", "-")):
        KIND.values({name: "other"})


@pytest.mark.parametrize(
    ("name", "least", "below"),
    [
        ("token_budget", 1, 0),
        ("kv_tokens", 1, 0),
        ("threads", 1, 0),
        ("memory_gib", 0.1, 0.09),
        ("answer_tokens", 2, 1),
    ],
)
def test_numbers_have_their_least(name: str, least: float, below: float) -> None:
    assert KIND.values({name: least})[name] == least
    with pytest.raises(ConfigError, match=name.replace("_", "-")):
        KIND.values({name: below})


@pytest.mark.parametrize(
    ("config", "takes"),
    [*(({"model_type": name}, True) for name in FAMILIES), ({"model_type": "t5"}, False), ({}, False)],
)
def test_the_models_of_its_families_are_taken(config: dict[str, Any], takes: bool) -> None:
    assert KIND.takes_model(config) is takes


def test_it_runs_greedy_workloads_alone_on_the_processor_in_its_precisions() -> None:
    nano, beams = workloads.get("mixtral-nano"), workloads.get("gptj-99")
    offline = ([Scenario.OFFLINE], [Mode.PERFORMANCE])
    for precision in PRECISIONS:
        KIND.refuse_impossible(nano, *offline, precision, Device.CPU)
    with pytest.raises(ConfigError, match="which this SUT does not do"):
        KIND.refuse_impossible(beams, *offline, Precision.FLOAT32, Device.CPU)
    with pytest.raises(ConfigError, match="does not run on cuda"):
        KIND.refuse_impossible(nano, *offline, Precision.FLOAT32, Device.CUDA)
    others = set(Precision) - set(PRECISIONS)
    assert others
    for precision in others:
        with pytest.raises(ConfigError, match=f"cannot run in {precision.value}"):
            KIND.refuse_impossible(nano, *offline, precision, Device.CPU)
    assert KIND.default_batch(nano, (Scenario.SERVER,)) == EngineConfig.max_running
