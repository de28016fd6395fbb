"""Sizes that follow from a config.json alone, held against published ones."""

from __future__ import annotations

from assay.suts import shape

QWEN3_30B_A3B = {
    "model_type": "qwen3_moe",
    "vocab_size": 151936,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "moe_intermediate_size": 768,
    "num_hidden_layers": 48,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "tie_word_embeddings": False,
}
"""Source: config.json of Qwen/Qwen3-30B-A3B, whose model card says 30.5 billion parameters."""


def test_experts_of_their_own_width_are_counted() -> None:
    found = shape.of(QWEN3_30B_A3B)
    assert (found.experts, found.experts_per_token, found.ffn) == (128, 8, 768)
    assert round(found.parameters / 1e9, 1) == 30.5
