"""The shape of a decoder-only transformer, and what distinguishes one family from another.

A dense model is a mixture of one expert that every token uses. Knows nothing of config.json and nothing of tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.engine.rope import RopeScaling


@dataclass(frozen=True)
class ExpertNames:
    """How a checkpoint names the weights of a layer's experts; `{e}` stands for the number of the expert."""

    router: str | None
    """None: a dense model has no router."""
    gate: str
    up: str
    down: str


MIXTRAL_EXPERTS = ExpertNames(
    "block_sparse_moe.gate.weight",
    "block_sparse_moe.experts.{e}.w1.weight",
    "block_sparse_moe.experts.{e}.w3.weight",
    "block_sparse_moe.experts.{e}.w2.weight",
)
"""As published"""
QWEN_EXPERTS = ExpertNames(
    "mlp.gate.weight",
    "mlp.experts.{e}.gate_proj.weight",
    "mlp.experts.{e}.up_proj.weight",
    "mlp.experts.{e}.down_proj.weight",
)
DENSE_MLP = ExpertNames(None, "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight")


@dataclass(frozen=True)
class DecoderConfig:
    """The shape of one model; letters are those of the model files' legends."""

    vocab_size: int
    """V"""
    hidden_size: int
    """D"""
    intermediate_size: int
    """F, of one expert"""
    num_layers: int
    num_heads: int
    """H, query heads"""
    num_kv_heads: int
    """K; each serves H / K query heads"""
    head_dim: int
    """C, channels of a head"""
    num_experts: int
    """E; 1 for a dense model"""
    experts_per_token: int
    """A, active experts of a token"""
    rms_norm_eps: float
    rope_theta: float
    max_positions: int
    """Longest sequence, prompt and answer together, in tokens."""
    tied_embeddings: bool
    eos_ids: tuple[int, ...]
    rope_scaling: RopeScaling | None = None
    has_qkv_bias: bool = False
    has_out_bias: bool = False
    has_head_norms: bool = False
    """Queries and keys pass through an RMS norm of each head before they are turned."""
    renormalises_experts: bool = True
    """The shares of a token's active experts sum to 1; else they stay what the softmax over all experts gave."""
    expert_names: ExpertNames = MIXTRAL_EXPERTS

    @property
    def q_size(self) -> int:
        return self.num_heads * self.head_dim

    @property
    def kv_size(self) -> int:
        return self.num_kv_heads * self.head_dim

    @property
    def dense_layer_parameters(self) -> int:
        """Attention of one layer: what every token passes through; the router, norms and biases left out."""
        return 2 * self.hidden_size * (self.q_size + self.kv_size)

    @property
    def expert_parameters(self) -> int:
        """One expert of one layer."""
        return 3 * self.hidden_size * self.intermediate_size
