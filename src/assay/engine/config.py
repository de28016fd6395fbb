"""What the engine is asked to run: the shape of a checkpoint, and the room it may take.

Knows Hugging Face's config.json of MixtralForCausalLM; nothing of tensors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.config import Precision
from assay.ground import model_folder
from assay.ground.errors import ConfigError, did_you_mean

PRECISIONS = (Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16, Precision.INT8)
ORDERS = ("arrival", "longest-prompt")
KERNELS = ("auto", "native", "portable", "avx512", "amx", "torch")
PLAIN_ROPE = ("default", None)
MOST_POSITIONS = 1 << 20
"""The rotary table, a row of head_dim floats for each position, ends here whatever a config claims."""


@dataclass(frozen=True)
class MixtralConfig:
    """The shape of one MixtralForCausalLM; letters are those of the model files' legends."""

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
    """E"""
    experts_per_token: int
    """A, active experts of a token"""
    rms_norm_eps: float
    rope_theta: float
    max_positions: int
    """Longest sequence, prompt and answer together, in tokens."""
    tied_embeddings: bool
    eos_ids: tuple[int, ...]

    @property
    def q_size(self) -> int:
        return self.num_heads * self.head_dim

    @property
    def kv_size(self) -> int:
        return self.num_kv_heads * self.head_dim

    @property
    def dense_layer_parameters(self) -> int:
        """Attention of one layer: what every token passes through, the router and norms left out."""
        return 2 * self.hidden_size * (self.q_size + self.kv_size)

    @property
    def expert_parameters(self) -> int:
        """One expert of one layer."""
        return 3 * self.hidden_size * self.intermediate_size


def read_model_config(checkpoint: Path) -> MixtralConfig:
    """The shape of the checkpoint in folder `checkpoint`.

    Raises: ArtifactError when config.json is absent or not JSON, ConfigError when the engine cannot run it.
    """
    return model_config(model_folder.read_config(checkpoint), str(checkpoint / "config.json"))


def model_config(tree: Mapping[str, Any], where: str) -> MixtralConfig:
    """The shape that a parsed config.json describes; `where` names it in errors. Raises: ConfigError."""
    _refuse_other_models(tree, where)
    hidden, heads = _positive(tree, "hidden_size", where), _positive(tree, "num_attention_heads", where)
    rope = _rope(tree, where)
    config = MixtralConfig(
        vocab_size=_positive(tree, "vocab_size", where),
        hidden_size=hidden,
        intermediate_size=_positive(tree, "intermediate_size", where),
        num_layers=_positive(tree, "num_hidden_layers", where),
        num_heads=heads,
        num_kv_heads=_positive(tree, "num_key_value_heads", where, heads),
        head_dim=_positive(tree, "head_dim", where, max(1, hidden // heads)),
        num_experts=_positive(tree, "num_local_experts", where, 8),
        experts_per_token=_positive(tree, "num_experts_per_tok", where, 2),
        rms_norm_eps=_number(tree, "rms_norm_eps", where, 1e-5),
        rope_theta=_number(_first_with("rope_theta", rope, tree), "rope_theta", where, 1e6),
        max_positions=_window(tree, where),
        tied_embeddings=bool(tree.get("tie_word_embeddings", False)),
        eos_ids=_eos_ids(tree, where),
    )
    _refuse_bad_shapes(config, where)
    return config


def _refuse_other_models(tree: Mapping[str, Any], where: str) -> None:
    if tree.get("model_type", "mixtral") != "mixtral":
        raise ConfigError(
            f"{where}: model_type is {tree['model_type']!r}; the engine runs mixtral only",
            "use --sut transformers for other models",
        )
    if tree.get("hidden_act", "silu") != "silu":
        raise ConfigError(
            f"{where}: hidden_act is {tree['hidden_act']!r}; the engine's experts use silu only"
        )
    model_folder.refuse_said_quantised(tree, where)
    rope = _rope(tree, where)
    kind = rope.get("rope_type", rope.get("type"))
    if kind not in PLAIN_ROPE:
        raise ConfigError(f"{where}: rope type {kind!r}; the engine knows plain rotary embeddings only")


def _refuse_bad_shapes(config: MixtralConfig, where: str) -> None:
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


def _window(tree: Mapping[str, Any], where: str) -> int:
    """Longest sequence. A sliding window is honoured by running no sequence that is longer than it:
    within its window, sliding attention is plain causal attention."""
    longest = min(_positive(tree, "max_position_embeddings", where, 32768), MOST_POSITIONS)
    return min(longest, _positive(tree, "sliding_window", where, longest))


def _rope(tree: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Where a value stands twice, the order is that of transformers 5: rope_scaling over rope_parameters, and
    either over the fields on top. Source: its convert_rope_params_to_dict."""
    rope = tree.get("rope_scaling") or tree.get("rope_parameters") or {}
    if not isinstance(rope, dict):
        raise ConfigError(f"{where}: rope parameters are {rope!r}, expected an object")
    return rope


def _first_with(key: str, *trees: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first that gives the key a value; an empty one when none does."""
    return next((tree for tree in trees if tree.get(key) is not None), {})


def _eos_ids(tree: Mapping[str, Any], where: str) -> tuple[int, ...]:
    value = tree.get("eos_token_id")
    ids = value if isinstance(value, list) else [] if value is None else [value]
    if any(isinstance(i, bool) or not isinstance(i, int) for i in ids):
        raise ConfigError(f"{where}: eos_token_id is {value!r}, expected a token id or a list of them")
    return tuple(ids)


def _number(tree: Mapping[str, Any], key: str, where: str, default: float) -> float:
    value = tree.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ConfigError(f"{where}: {key} is {value!r}, expected a positive number")
    return float(value)


def _positive(tree: Mapping[str, Any], key: str, where: str, default: int | None = None) -> int:
    value = tree.get(key)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{where}: {key} is {value!r}, expected a positive whole number")
    return value


@dataclass(frozen=True)
class EngineConfig:
    """How one engine runs."""

    checkpoint: Path
    precision: Precision = Precision.BFLOAT16
    max_running: int = 256
    """Most sequences that hold KV at once."""
    token_budget: int = 1024
    """Most tokens that one step computes, decode and prefill together."""
    kv_tokens: int | None = None
    """Room for KV, in tokens; None = what `max_running` typical sequences need and memory allows."""
    order: str = "arrival"
    """`arrival`, or `longest-prompt` first among the requests that wait when a new line is formed."""
    kernels: str = "auto"
    """`auto`: native where they can be built, else torch. `native` and `torch` insist; `portable`, `avx512` and `amx`
    run the native kernels with these instructions, to compare them."""
    threads: int | None = None
    """None = one per usable core."""

    def __post_init__(self) -> None:
        _refuse_unless(self.precision in PRECISIONS, f"precision {self.precision.value}", _names(PRECISIONS))
        _refuse_unless(self.order in ORDERS, f"order {self.order!r}", did_you_mean(self.order, ORDERS))
        _refuse_unless(
            self.kernels in KERNELS, f"kernels {self.kernels!r}", did_you_mean(self.kernels, KERNELS)
        )
        for name in ("max_running", "token_budget", "kv_tokens", "threads"):
            value = getattr(self, name)
            _refuse_unless(value is None or value >= 1, f"{name} = {value}", "a positive number")
        _refuse_unless(
            self.token_budget >= self.max_running,
            f"token_budget {self.token_budget} < max_running {self.max_running}: decode alone would not fit",
            "raise token_budget or lower max_running",
        )


def _refuse_unless(holds: bool, what: str, hint: str) -> None:
    if not holds:
        raise ConfigError(f"the engine cannot run {what}", hint)


def _names(precisions: tuple[Precision, ...]) -> str:
    return "one of: " + ", ".join(p.value for p in precisions)
