"""The shape of mixtral-nano, and the `config.json` that says it to Hugging Face transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.nano.tokenizer import BOS_ID, EOS_ID, MODEL_LENGTH_MAX, VOCABULARY_SIZE


@dataclass(frozen=True)
class Shape:
    """Sizes of the shipped checkpoint; with others it must be trained anew (`assay.nano.train`)."""

    vocabulary: int = VOCABULARY_SIZE
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    kv_heads: int = 2
    ffn: int = 256
    experts: int = 8
    experts_per_token: int = 2
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads

    def to_config(self) -> dict[str, Any]:
        """The fields of a `MixtralForCausalLM` configuration."""
        return {
            "architectures": ["MixtralForCausalLM"],
            "model_type": "mixtral",
            "vocab_size": self.vocabulary,
            "hidden_size": self.hidden,
            "intermediate_size": self.ffn,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "num_local_experts": self.experts,
            "num_experts_per_tok": self.experts_per_token,
            "rope_theta": self.rope_base,
            "rms_norm_eps": self.norm_epsilon,
            "hidden_act": "silu",
            "max_position_embeddings": MODEL_LENGTH_MAX,
            "sliding_window": None,
            "tie_word_embeddings": False,
            "attention_dropout": 0.0,
            "router_aux_loss_coef": 0.02,
            "output_router_logits": False,
            "bos_token_id": BOS_ID,
            "eos_token_id": EOS_ID,
            "pad_token_id": EOS_ID,
            "torch_dtype": "bfloat16",
        }
