"""What a round demands of a workload, and the workload's name in LoadGen."""

from __future__ import annotations

import pytest

from assay.mlperf.rounds import round_workload


@pytest.mark.parametrize(
    ("workload", "key"),
    [
        ("gptj-99.9", "gptj"),
        ("llama2-70b-99", "llama2-70b"),
        ("llama2-70b-interactive-99.9", "llama2-70b-interactive"),
        ("mixtral-8x7b", "mixtral-8x7b"),
        ("llama3.1-405b", "llama3_1-405b"),
        ("llama3.1-8b", "llama3_1-8b"),
        ("llama3.1-8b-edge", "llama3_1-8b-edge"),
        ("deepseek-r1", "deepseek-r1"),
        ("gpt-oss-120b", "gpt-oss-120b"),
    ],
)
def test_loadgen_knows_a_benchmark_by_a_name_without_dots_and_accuracy_classes(
    workload: str, key: str
) -> None:
    assert round_workload.loadgen_key(workload) == key


def test_a_table_without_a_key_is_refused_with_its_name() -> None:
    with pytest.raises(KeyError, match="title"):
        round_workload.of_table("mixtral-8x7b", {"targets": {}})
