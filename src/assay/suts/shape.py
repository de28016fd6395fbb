"""ModelShape: what a checkpoint's config.json says about size, without opening any weights.

Pure arithmetic over a decoder of the Llama and Mixtral families; knows neither torch nor files of weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.config import BYTES_PER_WEIGHT, Precision
from assay.ground.errors import ArtifactError
from assay.mlperf.data.sample import Sample
from assay.mlperf.workloads.mixtral_8x7b import MODEL

WEIGHTS_KEY, RANDOM = "assay_weights", "random"
"""Field of config.json that our own random checkpoints carry, so that a plan and a report can say so."""

MIXTRAL_8X7B = dict(MODEL.config)
"""config.json of the model that checkpoints are made after."""


@dataclass(frozen=True)
class ModelShape:
    vocabulary: int
    hidden: int
    ffn: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    experts: int
    """1 for a dense model."""
    experts_per_token: int
    is_tied: bool
    """Input and output embedding are one matrix."""

    @property
    def attention_parameters(self) -> int:
        """Of one layer."""
        return 2 * self.hidden * self.head_dim * (self.heads + self.kv_heads)

    @property
    def expert_parameters(self) -> int:
        """Of one expert of one layer: gate, up and down."""
        return 3 * self.hidden * self.ffn

    @property
    def router_parameters(self) -> int:
        return self.hidden * self.experts if self.experts > 1 else 0

    @property
    def parameters(self) -> int:
        """All of them. Example: Mixtral-8x7B has 46,702,792,704."""
        layer = self.attention_parameters + self.experts * self.expert_parameters
        layer += self.router_parameters + 2 * self.hidden
        embeddings = self.vocabulary * self.hidden * (1 if self.is_tied else 2)
        return self.layers * layer + embeddings + self.hidden

    def weight_bytes(self, precision: Precision) -> int:
        return int(self.parameters * BYTES_PER_WEIGHT[precision])

    def kv_bytes_per_token(self, precision: Precision) -> int:
        """Keys and values of one token in all layers; the integer formats keep them in 2 bytes."""
        return int(2 * self.layers * self.kv_heads * self.head_dim * max(2.0, BYTES_PER_WEIGHT[precision]))


def of(config: Mapping[str, Any], where: str = "config.json") -> ModelShape:
    """Raises: ArtifactError when a size is missing or not a whole number above 0."""

    def size(name: str, default: int | None = None) -> int:
        value = config.get(name)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ArtifactError(
                f"{where}: {name} is {value!r}, not a size", "the config.json of a Llama or Mixtral model"
            )
        return value

    heads = size("num_attention_heads")
    hidden = size("hidden_size")
    experts = size("num_local_experts", config.get("num_experts") or 1)
    return ModelShape(
        vocabulary=size("vocab_size"),
        hidden=hidden,
        ffn=size("moe_intermediate_size", size("intermediate_size")),
        layers=size("num_hidden_layers"),
        heads=heads,
        kv_heads=size("num_key_value_heads", heads),
        head_dim=size("head_dim", hidden // heads),
        experts=experts,
        experts_per_token=size("num_experts_per_tok", 1),
        is_tied=bool(config.get("tie_word_embeddings", False)),
    )


def refuse_foreign_tokens(config: Mapping[str, Any], samples: Sequence[Sample], checkpoint: Path) -> None:
    """Raises: ArtifactError when a prompt holds ids beyond the vocabulary of the checkpoint's config.json, or when
    that says no size of it."""
    size = config.get("vocab_size")
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ArtifactError(
            f"{checkpoint / 'config.json'} is no model configuration: vocab_size is {size!r}",
            "the config.json of a causal language model",
        )
    highest = max((max(s.prompt_ids) for s in samples), default=0)
    if highest >= size:
        raise ArtifactError(
            f"the dataset holds token id {highest}, and the vocabulary of {checkpoint} ends at {size - 1}: "
            "it was made with another tokenizer",
            "`assay dataset build --tokenizer DIR` with the checkpoint's own tokenizer",
        )
