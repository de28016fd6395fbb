"""From the tensors of a checkpoint to a packed model, one layer at a time, so that little is held twice.

Knows both layouts of Hugging Face's Mixtral: `block_sparse_moe` with a tensor per expert, as published, and `mlp`
with all experts stacked, as transformers 5 holds it and saves it with `save_original_format=False`.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from assay.engine.checkpoint import AGAIN, Checkpoint
from assay.engine.config import MixtralConfig
from assay.engine.mixtral import Layer, Mixtral
from assay.engine.ops import Ops
from assay.ground.errors import ArtifactError

EMBED, NORM, HEAD = "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"
HARMLESS = "rotary_emb.inv_freq"
"""Old checkpoints store this table; it follows from the config."""

Progress = Callable[[str], None]
Shapes = dict[str, tuple[int, ...]]


def load_model(config: MixtralConfig, checkpoint: Checkpoint, ops: Ops, progress: Progress) -> Mixtral:
    """Read, check and pack every tensor.

    Raises: ArtifactError naming the tensors that are missing, extra, wrongly shaped or not finite.
    """
    is_stacked = check_tensors(checkpoint, config)
    layers = []
    for number in range(config.num_layers):
        progress(f"packing layer {number + 1} of {config.num_layers}")
        layers.append(_layer(config, checkpoint, ops, number, is_stacked))
        checkpoint.drop_pages()
    embed_VD = _finite(checkpoint, EMBED)
    head = embed_VD if config.tied_embeddings else _finite(checkpoint, HEAD)
    model = Mixtral(
        config=config,
        ops=ops,
        embed_VD=embed_VD.clone(),
        layers=tuple(layers),
        head=ops.pack_head(_finite(checkpoint, NORM).float(), head),
    )
    checkpoint.drop_pages()
    _give_back_freed()
    return model


def expected_shapes(config: MixtralConfig, is_stacked: bool) -> Shapes:
    """Every tensor that a checkpoint of this config has, by name."""
    shapes: Shapes = {EMBED: (config.vocab_size, config.hidden_size), NORM: (config.hidden_size,)}
    if not config.tied_embeddings:
        shapes[HEAD] = (config.vocab_size, config.hidden_size)
    for number in range(config.num_layers):
        prefix = f"model.layers.{number}."
        shapes |= {prefix + name: shape for name, shape in _dense_shapes(config).items()}
        shapes[f"{prefix}{_block(is_stacked)}.gate.weight"] = (config.num_experts, config.hidden_size)
        experts = _stacked_shapes(config) if is_stacked else _expert_shapes(config)
        shapes |= {prefix + name: shape for name, shape in experts.items()}
    return shapes


def check_tensors(checkpoint: Checkpoint, config: MixtralConfig) -> bool:
    """Whether experts are stacked. Raises: ArtifactError unless the tensors are those of this config."""
    is_stacked = any("mlp.experts.gate_up_proj" in name for name in checkpoint.stored)
    check_names(checkpoint, expected_shapes(config, is_stacked))
    return is_stacked


def check_names(checkpoint: Checkpoint, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Raises: ArtifactError unless the checkpoint has exactly these tensors in these shapes."""
    found = {name: t.shape for name, t in checkpoint.stored.items() if HARMLESS not in name}
    if "lm_head.weight" not in expected:
        found.pop("lm_head.weight", None)  # a tied head may be stored all the same
    wrong = {
        f"{name} is {found[name]}, config.json says {shape}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    }
    for kind, names in (
        ("is missing", expected.keys() - found.keys()),
        ("has tensors that a Mixtral does not have:", found.keys() - expected.keys()),
        ("has wrong shapes:", wrong),
    ):
        if names:
            shown = ", ".join(sorted(names)[:4])
            raise ArtifactError(f"{checkpoint.folder} {kind} {shown} ({len(names)} in all)", AGAIN)


def _dense_shapes(config: MixtralConfig) -> Shapes:
    hidden, q_size, kv_size = config.hidden_size, config.q_size, config.kv_size
    return {
        "input_layernorm.weight": (hidden,),
        "post_attention_layernorm.weight": (hidden,),
        "self_attn.q_proj.weight": (q_size, hidden),
        "self_attn.k_proj.weight": (kv_size, hidden),
        "self_attn.v_proj.weight": (kv_size, hidden),
        "self_attn.o_proj.weight": (hidden, q_size),
    }


def _block(is_stacked: bool) -> str:
    return "mlp" if is_stacked else "block_sparse_moe"


def _expert_shapes(config: MixtralConfig) -> Shapes:
    hidden, inner = config.hidden_size, config.intermediate_size
    one = {"w1": (inner, hidden), "w2": (hidden, inner), "w3": (inner, hidden)}
    return {
        f"block_sparse_moe.experts.{e}.{name}.weight": shape
        for e in range(config.num_experts)
        for name, shape in one.items()
    }


def _stacked_shapes(config: MixtralConfig) -> Shapes:
    count, hidden, inner = config.num_experts, config.hidden_size, config.intermediate_size
    return {
        "mlp.experts.gate_up_proj": (count, 2 * inner, hidden),
        "mlp.experts.down_proj": (count, hidden, inner),
    }


def _layer(config: MixtralConfig, checkpoint: Checkpoint, ops: Ops, number: int, is_stacked: bool) -> Layer:
    def read(name: str) -> Tensor:
        return _finite(checkpoint, f"model.layers.{number}.{name}")

    qkv = torch.cat([read(f"self_attn.{part}_proj.weight") for part in "qkv"])
    attention = ops.pack_attention(
        read("input_layernorm.weight").float(), qkv, read("self_attn.o_proj.weight")
    )
    norm_D = read("post_attention_layernorm.weight").float()
    router_ED = read(f"{_block(is_stacked)}.gate.weight").float()
    if is_stacked:
        gate_up = read("mlp.experts.gate_up_proj")
        gate, up = gate_up.chunk(2, dim=1)
        down = read("mlp.experts.down_proj")
        return Layer(attention, ops.pack_moe(norm_D, router_ED, list(gate), list(up), list(down)))
    experts = (
        [read(f"block_sparse_moe.experts.{e}.{w}.weight") for e in range(config.num_experts)]
        for w in ("w1", "w3", "w2")
    )
    return Layer(attention, ops.pack_moe(norm_D, router_ED, *experts))


def _give_back_freed() -> None:
    """Hand what loading has freed to the machine: glibc would keep half a GiB of temporaries between what stays."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def _finite(checkpoint: Checkpoint, name: str) -> Tensor:
    """The tensor; one pass over it also shows whether any element is NaN or infinite."""
    tensor = checkpoint.tensor(name)
    if not torch.isfinite(tensor.sum(dtype=torch.float32)):
        raise ArtifactError(f"{checkpoint.folder}: {name} holds NaN or infinite values", AGAIN)
    return tensor
