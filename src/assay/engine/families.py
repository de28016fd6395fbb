"""The model families that the engine runs, and what config.json of each means.

A field that is absent means what transformers takes it to mean. Source: configuration_<model type>.py of
transformers 5.24. Fields that the family's model does not read are not read here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from assay.engine import rope
from assay.engine.decoder_config import (
    DENSE_MLP,
    MIXTRAL_EXPERTS,
    QWEN_EXPERTS,
    DecoderConfig,
    ExpertNames,
)
from assay.engine.fields import Fields
from assay.ground import model_folder
from assay.ground.errors import ConfigError

MOST_POSITIONS = 1 << 20
"""The rotary table, a row of head_dim floats for each position, ends here whatever a config claims."""
ELSEWHERE = "use --sut transformers for other models"
SILU = ("silu", "swish")
"""Both names of transformers for the same function"""


class Window(Enum):
    """When `sliding_window` of a config.json counts."""

    ALWAYS = "always"
    WHEN_SWITCHED_ON = "use_sliding_window is true"
    IN_SOME_LAYERS = "use_sliding_window is true and a layer slides"


@dataclass(frozen=True)
class Family:
    """What distinguishes a family, and what its fields are where config.json is silent."""

    experts: ExpertNames
    kv_heads: int | None
    """None: as many as query heads"""
    positions: int
    window: Window
    usual_window: int | None = 4096
    rms_norm_eps: float = 1e-6
    rope_theta: float = 1e4
    head_dim: int | None = None
    """None: hidden_size / num_attention_heads"""
    always_qkv_bias: bool = False
    reads_attention_bias: bool = False
    """`attention_bias` gives query, key, value and output projections a bias."""
    only: Mapping[str, Any] = field(default_factory=dict)
    """Fields that the family reads and the engine runs with this value alone, which is also their default"""
    has_head_norms: bool = False
    counts_experts: tuple[str, int] | None = None
    """Field of the number of experts, and its default; None: dense"""
    usual_active: int = 1
    ffn: tuple[str, int | None] = ("intermediate_size", None)
    """Field of an expert's width, and its default"""


FAMILIES = {
    "llama": Family(
        DENSE_MLP,
        None,
        2048,
        Window.ALWAYS,
        usual_window=None,
        reads_attention_bias=True,
        only={"mlp_bias": False},
    ),
    "mistral": Family(DENSE_MLP, 8, 131072, Window.ALWAYS),
    "mixtral": Family(
        MIXTRAL_EXPERTS,
        8,
        131072,
        Window.ALWAYS,
        usual_window=None,
        rms_norm_eps=1e-5,
        rope_theta=1e6,
        counts_experts=("num_local_experts", 8),
        usual_active=2,
    ),
    "qwen2": Family(DENSE_MLP, 32, 32768, Window.IN_SOME_LAYERS, always_qkv_bias=True),
    "qwen3": Family(
        DENSE_MLP,
        32,
        32768,
        Window.IN_SOME_LAYERS,
        head_dim=128,
        reads_attention_bias=True,
        has_head_norms=True,
    ),
    "qwen3_moe": Family(
        QWEN_EXPERTS,
        4,
        32768,
        Window.WHEN_SWITCHED_ON,
        reads_attention_bias=True,
        has_head_norms=True,
        counts_experts=("num_experts", 128),
        usual_active=8,
        ffn=("moe_intermediate_size", 768),
        only={"mlp_only_layers": [], "decoder_sparse_step": 1},
    ),
}
"""By `model_type`"""


def read_model_config(checkpoint: Path) -> DecoderConfig:
    """The shape of the checkpoint in folder `checkpoint`.

    Raises: ArtifactError when config.json is absent or not JSON, ConfigError when the engine cannot run it.
    """
    return model_config(model_folder.read_config(checkpoint), str(checkpoint / "config.json"))


def model_config(tree: Mapping[str, Any], where: str) -> DecoderConfig:
    """The shape that a parsed config.json describes; `where` names it in errors. Raises: ConfigError."""
    fields = Fields(tree, where)
    family = _family(fields)
    _refuse_other_models(fields, family)
    hidden, heads = fields.positive("hidden_size"), fields.positive("num_attention_heads")
    layers = fields.positive("num_hidden_layers")
    has_bias = family.reads_attention_bias and fields.flag("attention_bias")
    theta, scaling = rope.read(fields, family.rope_theta)
    is_dense = family.counts_experts is None
    config = DecoderConfig(
        vocab_size=fields.positive("vocab_size"),
        hidden_size=hidden,
        intermediate_size=fields.positive(*family.ffn),
        num_layers=layers,
        num_heads=heads,
        num_kv_heads=_kv_heads(fields, family, heads),
        head_dim=fields.positive("head_dim", family.head_dim or max(1, hidden // heads)),
        num_experts=_num_experts(fields, family),
        experts_per_token=1 if is_dense else fields.positive("num_experts_per_tok", family.usual_active),
        rms_norm_eps=fields.number("rms_norm_eps", family.rms_norm_eps),
        rope_theta=theta,
        max_positions=_max_positions(fields, family, layers),
        tied_embeddings=fields.flag("tie_word_embeddings"),
        eos_ids=fields.ids("eos_token_id"),
        rope_scaling=scaling,
        has_qkv_bias=family.always_qkv_bias or has_bias,
        has_out_bias=has_bias,
        has_head_norms=family.has_head_norms,
        renormalises_experts=family.experts is not QWEN_EXPERTS or fields.flag("norm_topk_prob"),
        expert_names=family.experts,
    )
    _refuse_bad_shapes(config, where)
    return config


def _family(fields: Fields) -> Family:
    name = fields.tree.get("model_type", "mixtral")
    if name not in FAMILIES:
        raise ConfigError(
            f"{fields.where}: model_type is {name!r}; the engine runs {', '.join(FAMILIES)}",
            ELSEWHERE,
        )
    return FAMILIES[name]


def _refuse_other_models(fields: Fields, family: Family) -> None:
    tree, where = fields.tree, fields.where
    model_folder.refuse_said_quantised(tree, where)
    if tree.get("hidden_act", "silu") not in SILU:
        raise ConfigError(
            f"{where}: hidden_act is {tree['hidden_act']!r}; the engine's experts use silu only"
        )
    for key, value in family.only.items():
        if tree.get(key) not in (value, None):
            raise ConfigError(
                f"{where}: {key} is {tree[key]!r}; of {tree['model_type']} models the engine runs those with "
                f"{json.dumps(value)} only",
                ELSEWHERE,
            )


def _refuse_bad_shapes(config: DecoderConfig, where: str) -> None:
    if config.num_heads % config.num_kv_heads:
        raise ConfigError(
            f"{where}: {config.num_heads} heads cannot share {config.num_kv_heads} KV heads evenly"
        )
    if config.head_dim % 2:
        raise ConfigError(f"{where}: head_dim {config.head_dim} is odd; rotary embeddings turn pairs")
    if config.experts_per_token > config.num_experts:
        raise ConfigError(
            f"{where}: {config.experts_per_token} experts per token, but only {config.num_experts} experts"
        )


def _kv_heads(fields: Fields, family: Family, heads: int) -> int:
    """A null means as many as query heads; an absent field means the family's number."""
    is_absent = "num_key_value_heads" not in fields.tree
    return fields.positive("num_key_value_heads", (family.kv_heads if is_absent else None) or heads)


def _num_experts(fields: Fields, family: Family) -> int:
    """transformers writes num_local_experts for every family, and reads either name."""
    if family.counts_experts is None:
        return 1
    name, usual = family.counts_experts
    return fields.positive("num_local_experts", fields.positive(name, usual))


def _max_positions(fields: Fields, family: Family, layers: int) -> int:
    """Longest sequence. A sliding window is honoured by running no sequence that is longer than it:
    within its window, sliding attention is plain causal attention."""
    longest = min(fields.positive("max_position_embeddings", family.positions), MOST_POSITIONS)
    if not _slides(fields, family, layers):
        return longest
    usual = family.usual_window if "sliding_window" not in fields.tree else None
    return min(longest, fields.positive("sliding_window", usual or longest))


def _slides(fields: Fields, family: Family, layers: int) -> bool:
    if family.window is Window.ALWAYS:
        return True
    if not fields.flag("use_sliding_window"):
        return False
    if family.window is Window.WHEN_SWITCHED_ON:
        return True
    kinds = fields.tree.get("layer_types")
    if kinds is None:
        return fields.count("max_window_layers", 28) < layers
    return "sliding_attention" in kinds
