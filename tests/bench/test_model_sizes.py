"""What the published models take: against the models' own configurations, and what fits into a memory."""

from __future__ import annotations

import pytest

from assay.bench import model_sizes
from assay.bench.model_sizes import ModelSizes
from assay.config import Precision
from assay.mlperf import workloads
from assay.suts import shape


def of(name: str) -> ModelSizes:
    found = model_sizes.of(workloads.get(name))
    assert found is not None
    return found


@pytest.mark.parametrize(
    "name", [name for name, w in workloads.TABLE.items() if w.model and w.model.has_shape]
)
def test_the_parameters_that_a_workload_states_are_those_of_its_configuration(name: str) -> None:
    model = workloads.get(name).model
    assert model is not None
    assert shape.of(model.config).parameters == model.parameters


@pytest.mark.parametrize(
    ("name", "kv_bytes"),
    [
        ("mixtral-8x7b", 2 * 32 * 8 * 128 * 2),
        ("llama2-70b-99", 2 * 80 * 8 * 128 * 2),
        ("llama3.1-8b", 2 * 32 * 8 * 128 * 2),
        ("llama3.1-405b", 2 * 126 * 8 * 128 * 2),
        ("gptj-99", 2 * 28 * 16 * 256 * 2),
        ("gpt-oss-120b", 2 * 36 * 8 * 64 * 2),
        ("deepseek-r1", 61 * (512 + 64) * 2),
    ],
)
def test_keys_and_values_of_one_token(name: str, kv_bytes: int) -> None:
    assert of(name).kv_bytes_per_token == kv_bytes


@pytest.mark.parametrize("name", [name for name, w in workloads.TABLE.items() if w.model])
def test_every_published_model_has_every_size(name: str) -> None:
    sizes = of(name)
    assert sizes.stored_bytes > 0
    assert sizes.longest_kv_bytes > 0
    assert sizes.weight_bytes["bfloat16"] == 2 * sizes.parameters
    assert 0.5 < sizes.stored_bytes / sizes.parameters <= 4
    rules = workloads.round_of(None, name).workload(name)
    assert sizes.longest_tokens > (rules.max_new_tokens or 0)


def test_a_workload_without_a_published_model_has_none() -> None:
    assert model_sizes.of(workloads.get("mixtral-nano")) is None


def test_gpt_oss_counts_the_longer_of_its_two_answers() -> None:
    assert of("gpt-oss-120b").longest_tokens == 15330 + 32768


def test_a_sut_is_said_to_run_only_models_that_it_knows() -> None:
    assert "engine" in of("llama3.1-8b").can
    assert "engine" not in of("deepseek-r1").can, "the engine has no such model"
    assert "engine" not in of("gptj-99").can, "nor beams"
    assert "transformers" in of("gptj-99").can
    assert "transformers" not in of("gpt-oss-120b").can, "it does not sample"


def test_what_fits_is_weights_and_one_longest_sequence() -> None:
    sizes = of("llama3.1-8b")
    needed = sizes.weight_bytes["int8"] + sizes.longest_kv_bytes + model_sizes.BESIDE_BYTES
    assert sizes.needed_bytes("int8") == needed
    assert sizes.fitting(needed)["engine"] == ("int8",)
    assert sizes.fitting(needed - 1) == {}
    assert set(sizes.fitting(10**13)["engine"]) == set(sizes.can["engine"])


def test_float32_keeps_keys_and_values_twice_as_wide() -> None:
    sizes = of("llama3.1-8b")
    beside = sizes.needed_bytes("float32") - sizes.weight_bytes[Precision.FLOAT32.value]
    assert beside == 2 * sizes.longest_kv_bytes + model_sizes.BESIDE_BYTES


def test_the_table_begins_with_the_smallest_and_names_each_model_once() -> None:
    found = model_sizes.table()
    assert [each.parameters for each in found] == sorted(each.parameters for each in found)
    able = model_sizes.could_run(found, 24 * 10**9)
    assert [words.partition(" ")[0] for words in able] == ["gptj-99", "llama3.1-8b"]
    assert model_sizes.could_run(found, 10**9) == []
