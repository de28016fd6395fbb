"""Which checkpoints and requests the engine takes, and what it says to the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.config import Precision
from assay.engine.config import EngineConfig
from assay.engine.families import MOST_POSITIONS, model_config, read_model_config
from assay.engine.sequence import EngineRequest
from assay.ground.errors import ArtifactError, ConfigError

TREE: dict[str, Any] = {
    "model_type": "mixtral",
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "max_position_embeddings": 128,
    "eos_token_id": 2,
}


def test_a_config_in_the_old_and_the_new_spelling_of_rope_is_the_same() -> None:
    old = model_config(TREE | {"rope_theta": 5e5}, "config.json")
    new = model_config(TREE | {"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}}, "config.json")
    assert old == new and old.rope_theta == 5e5 and old.head_dim == 8


@pytest.mark.parametrize(
    "fields",
    [
        {"rope_theta": 1e6, "rope_parameters": {"rope_theta": 5e5}},
        {"rope_theta": 1e6, "rope_scaling": {"rope_theta": 5e5}, "rope_parameters": {"rope_theta": 2e5}},
        {"rope_theta": 5e5, "rope_parameters": {"rope_type": "default"}},
    ],
)
def test_of_two_places_for_rope_the_one_counts_that_transformers_reads_first(fields: dict[str, Any]) -> None:
    from transformers import MixtralConfig

    assert model_config(TREE | fields, "c").rope_theta == 5e5
    assert MixtralConfig(**{**TREE, **fields}).rope_parameters["rope_theta"] == 5e5


def test_rope_that_is_null_everywhere_is_the_default() -> None:
    assert model_config(TREE | {"rope_theta": None, "rope_parameters": None}, "c").rope_theta == 1e6


def test_a_claimed_window_beyond_any_table_ends_at_the_tables_end() -> None:
    assert model_config(TREE | {"max_position_embeddings": 10**18}, "c").max_positions == MOST_POSITIONS


def test_a_sliding_window_shortens_the_longest_sequence() -> None:
    assert model_config(TREE | {"sliding_window": 100}, "c").max_positions == 100
    assert model_config(TREE | {"sliding_window": None}, "c").max_positions == 128


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "gemma"}, "model_type is 'gemma'; the engine runs llama, mistral, mixtral"),
        ({"hidden_act": "gelu"}, "silu only"),
        ({"quantization_config": {"bits": 4}}, "already quantised"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "rope type 'yarn'"),
        ({"num_key_value_heads": 3}, "cannot share 3 KV heads"),
        ({"head_dim": 7}, "head_dim 7 is odd"),
        ({"num_experts_per_tok": 5}, "only 4 experts"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"vocab_size": "many"}, "vocab_size is 'many'"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps is 'small'"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps is nan"),
        ({"rope_theta": -1.0}, "rope_theta is -1.0"),
        ({"rope_parameters": {"rope_theta": "x"}}, "rope_theta is 'x'"),
        ({"rope_parameters": 5}, "rope_parameters is 5"),
        ({"eos_token_id": "two"}, "eos_token_id is 'two'"),
        ({"eos_token_id": [2, None]}, "eos_token_id is"),
        ({"sliding_window": -5}, "sliding_window is -5"),
    ],
)
def test_a_model_that_cannot_run_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        model_config(TREE | change, "config.json")


def test_a_folder_without_a_readable_config_says_which_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"config\.json is missing"):
        read_model_config(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_model_config(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(TREE))
    assert read_model_config(tmp_path).num_experts == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"precision": Precision.INT4}, "int4"),
        ({"order": "arival"}, "arival"),
        ({"kernels": "cuda"}, "cuda"),
        ({"precision": "bf16"}, "bf16"),
        ({"threads": 0}, "threads = 0"),
        ({"threads": 2.5}, "threads = 2.5"),
        ({"threads": "2"}, "threads = '2'"),
        ({"threads": True}, "threads = True"),
        ({"threads": 10**6}, "threads = 1000000"),
        ({"max_running": 512, "token_budget": 256}, "decode alone would not fit"),
    ],
)
def test_an_engine_config_that_makes_no_sense_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        EngineConfig(checkpoint=Path("x"), **change)


def test_names_in_place_of_a_path_and_a_precision_are_taken() -> None:
    named = EngineConfig("x", "int8")  # type: ignore[arg-type]
    assert named == EngineConfig(Path("x"), Precision.INT8)
    assert (type(named.checkpoint), type(named.precision)) == (type(Path()), Precision)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (EngineRequest(9, ()), "request 9: the prompt is empty"),
        (EngineRequest(9, (1, 64)), "token id 64 is outside"),
        (EngineRequest(9, (1, -1)), "token id -1 is outside"),
        (EngineRequest(9, (1,), max_new_tokens=3, min_new_tokens=4), "4 to 3 new tokens"),
        (EngineRequest(9, (1,) * 100, max_new_tokens=29), "exceed the model's window of 128"),
    ],
)
def test_a_request_that_cannot_run_is_refused_by_number(request_: EngineRequest, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        request_.refuse_unless_runnable(vocab_size=64, max_positions=128)
