"""What config.json of each family means: the same as to transformers, or it is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from assay.engine.families import FAMILIES, model_config
from assay.engine.ops import reference
from assay.engine.rope import LinearScaling, Llama3Scaling
from assay.ground.errors import ConfigError

LEAST: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 256,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 32,
}
"""What every config.json has to say"""
LLAMA3: dict[str, Any] = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_field_that_is_absent_means_what_transformers_takes_it_to_mean(kind: str) -> None:
    from transformers import AutoConfig

    theirs = AutoConfig.for_model(kind, **LEAST)
    ours = model_config({"model_type": kind, **LEAST}, "c")
    assert ours.num_kv_heads == theirs.num_key_value_heads
    assert ours.head_dim == (getattr(theirs, "head_dim", None) or 256 // 32)
    assert ours.rms_norm_eps == theirs.rms_norm_eps
    assert ours.rope_theta == theirs.rope_parameters["rope_theta"]
    assert ours.tied_embeddings == theirs.tie_word_embeddings
    window = getattr(theirs, "sliding_window", None)
    assert ours.max_positions == min(theirs.max_position_embeddings, window or theirs.max_position_embeddings)
    if hasattr(theirs, "num_experts_per_tok"):
        experts = getattr(theirs, "num_experts", None) or theirs.num_local_experts
        assert (ours.num_experts, ours.experts_per_token) == (experts, theirs.num_experts_per_tok)
        assert ours.intermediate_size == getattr(theirs, "moe_intermediate_size", theirs.intermediate_size)
        assert ours.renormalises_experts == getattr(theirs, "norm_topk_prob", True)
    else:
        assert (ours.num_experts, ours.experts_per_token) == (1, 1)


@pytest.mark.parametrize("kind", FAMILIES)
def test_kv_heads_that_are_null_are_as_many_as_heads(kind: str) -> None:
    assert model_config({"model_type": kind, **LEAST, "num_key_value_heads": None}, "c").num_kv_heads == 32


def test_the_number_of_experts_has_two_names() -> None:
    tree = {"model_type": "qwen3_moe", **LEAST}
    assert model_config(tree | {"num_experts": 16}, "c").num_experts == 16
    assert model_config(tree | {"num_local_experts": 16}, "c").num_experts == 16


@pytest.mark.parametrize(
    ("kind", "change", "longest"),
    [
        ("llama", {"sliding_window": 100}, 100),  # the model reads none, the cache of generate() does
        ("llama", {}, 2048),
        ("mistral", {"sliding_window": 100}, 100),
        ("mistral", {"sliding_window": None}, 131072),
        ("mistral", {}, 4096),
        ("qwen2", {"sliding_window": 100}, 32768),
        ("qwen2", {"sliding_window": 100, "use_sliding_window": True}, 32768),
        ("qwen2", {"sliding_window": 100, "use_sliding_window": True, "max_window_layers": 1}, 100),
        ("qwen2", {"sliding_window": 100, "use_sliding_window": True, "max_window_layers": 0}, 100),
        (
            "qwen3",
            {"sliding_window": 100, "use_sliding_window": True, "layer_types": ["full_attention"] * 2},
            32768,
        ),
        ("qwen3_moe", {"sliding_window": 100, "use_sliding_window": True}, 100),
    ],
)
def test_a_sliding_window_counts_where_the_family_reads_it(
    kind: str, change: dict[str, Any], longest: int
) -> None:
    assert model_config({"model_type": kind, **LEAST, **change}, "c").max_positions == longest


@pytest.mark.parametrize("place", ["rope_parameters", "rope_scaling"])
@pytest.mark.parametrize(
    "fields", [LLAMA3, {"type": "linear", "factor": 4.0}, {"rope_type": "default"}], ids=lambda f: str(len(f))
)
def test_rope_turns_as_in_transformers_in_both_spellings(place: str, fields: dict[str, Any]) -> None:
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    tree = {**LEAST, "num_attention_heads": 4, "rope_theta": 5e4, place: fields}
    ours = model_config({"model_type": "llama", **tree}, "c")
    theirs = LlamaRotaryEmbedding(LlamaConfig(**{**tree, place: dict(fields)})).inv_freq
    assert ours.rope_theta == 5e4
    got = reference.inverse_frequencies(ours.head_dim, ours.rope_theta, ours.rope_scaling)
    torch.testing.assert_close(got, theirs, rtol=1e-6, atol=0)


def test_the_first_trainings_length_may_stand_on_top_or_be_the_models_own() -> None:
    rope = {key: value for key, value in LLAMA3.items() if not key.startswith("original")}
    tree = {"model_type": "llama", **LEAST, "max_position_embeddings": 512, "rope_scaling": rope}
    assert model_config(tree, "c").rope_scaling == Llama3Scaling(8.0, 1.0, 4.0, 512)
    on_top = model_config(tree | {"original_max_position_embeddings": 128}, "c")
    assert on_top.rope_scaling == Llama3Scaling(8.0, 1.0, 4.0, 128)


def test_linear_scaling_is_read_with_its_factor() -> None:
    tree = {"model_type": "llama", **LEAST, "rope_scaling": {"rope_type": "linear", "factor": 2}}
    assert model_config(tree, "c").rope_scaling == LinearScaling(2.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "gemma2"}, "model_type is 'gemma2'; the engine runs llama, mistral, mixtral, qwen2"),
        ({"mlp_bias": True}, "mlp_bias is True"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 2.0}}, "rope type 'yarn'"),
        ({"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, "rope type 'dynamic'"),
        ({"rope_scaling": {"rope_type": "linear"}}, "factor is None"),
        ({"rope_scaling": {"rope_type": "linear", "factor": "2"}}, "factor is '2'"),
        ({"rope_scaling": {**LLAMA3, "low_freq_factor": 0}}, "low_freq_factor is 0"),
        ({"rope_scaling": {**LLAMA3, "partial_rotary_factor": 0.5}}, "partial_rotary_factor is 0.5"),
        ({"model_type": "qwen3_moe", "mlp_only_layers": [1]}, r"mlp_only_layers is \[1\]"),
        ({"model_type": "qwen3_moe", "decoder_sparse_step": 2}, "decoder_sparse_step is 2"),
        ({"model_type": "qwen3_moe", "num_experts_per_tok": 9, "num_experts": 8}, "only 8 experts"),
    ],
)
def test_what_would_change_the_answers_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        model_config({"model_type": "llama", **LEAST, **change}, "config.json")
