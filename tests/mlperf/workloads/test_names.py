"""Workloads by the names that people type."""

from __future__ import annotations

import pytest

from assay.ground.errors import ConfigError
from assay.mlperf import workloads


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mixtral", "did you mean mixtral-8x7b or mixtral-nano?"),
        (
            "mistralai/Mixtral-8x7B-Instruct-v0.1",
            "mistralai/Mixtral-8x7B-Instruct-v0.1 is the model of mixtral-8x7b",
        ),
        ("openai/GPT-OSS-120b", "openai/GPT-OSS-120b is the model of gpt-oss-120b"),
    ],
)
def test_an_unknown_name_is_answered_with_the_workload_that_was_meant(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        workloads.get(name)
    assert refused.value.hint == hint


def test_what_is_near_to_nothing_gets_the_list() -> None:
    with pytest.raises(ConfigError) as refused:
        workloads.get("somebody/other-model")
    assert refused.value.hint.startswith("one of: deepseek-r1, ")
