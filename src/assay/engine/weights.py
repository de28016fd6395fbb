"""From the tensors of a checkpoint to a packed model, one layer at a time, so that little is held twice.

Knows both layouts of experts: a tensor for each, as published, and all of a layer stacked, as transformers 5 holds
them and saves them with `save_original_format=False`.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Mapping, Set

import torch
from torch import Tensor

from assay.engine.checkpoint import AGAIN, Checkpoint
from assay.engine.decoder import Decoder, Layer
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops import AttentionWeights, Ops
from assay.ground.errors import ArtifactError

EMBED, NORM, HEAD = "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"
STACKED_ROUTER, STACKED_GATE_UP, STACKED_DOWN = (
    "mlp.gate.weight",
    "mlp.experts.gate_up_proj",
    "mlp.experts.down_proj",
)
HARMLESS = "rotary_emb.inv_freq"
"""Old checkpoints store this table; it follows from the config."""

Progress = Callable[[str], None]
Shapes = dict[str, tuple[int, ...]]


def load_model(
    config: DecoderConfig, checkpoint: Checkpoint, ops: Ops, progress: Progress, has_copy: bool = False
) -> Decoder:
    """Read, check and pack every tensor; with `has_copy` no experts, which come from their packed copy.

    Raises: ArtifactError naming the tensors that are missing, extra, wrongly shaped or not finite.
    """
    is_stacked = check_tensors(checkpoint, config, has_copy)
    layers = []
    for number in range(config.num_layers):
        progress(f"packing layer {number + 1} of {config.num_layers}")
        layers.append(_layer(config, checkpoint, ops, number, is_stacked, has_copy))
        checkpoint.drop_pages()
    embed_VD = _finite(checkpoint, EMBED)
    head = _tied_head(checkpoint, embed_VD) if config.tied_embeddings else _finite(checkpoint, HEAD)
    model = Decoder(
        config=config,
        ops=ops,
        embed_VD=embed_VD.clone(),
        layers=tuple(layers),
        head=ops.pack_head(_finite(checkpoint, NORM).float(), head),
    )
    checkpoint.drop_pages()
    _give_back_freed()
    return model


def expected_shapes(config: DecoderConfig, is_stacked: bool) -> Shapes:
    """Every tensor that a checkpoint of this config has, by name."""
    shapes: Shapes = {EMBED: (config.vocab_size, config.hidden_size), NORM: (config.hidden_size,)}
    if not config.tied_embeddings:
        shapes[HEAD] = (config.vocab_size, config.hidden_size)
    layer = _attention_shapes(config) | (_stacked_shapes(config) if is_stacked else _expert_shapes(config))
    for number in range(config.num_layers):
        shapes |= {f"model.layers.{number}.{name}": shape for name, shape in layer.items()}
    return shapes


def check_tensors(checkpoint: Checkpoint, config: DecoderConfig, has_copy: bool = False) -> bool:
    """Whether experts are stacked. Raises: ArtifactError unless the tensors are those of this config; with a packed
    copy of them the experts may be missing."""
    is_stacked = any(STACKED_GATE_UP in name for name in checkpoint.stored)
    expected = expected_shapes(config, is_stacked)
    if has_copy and lacks_experts(checkpoint, config):
        experts = expert_tensors(config)
        expected = {name: shape for name, shape in expected.items() if name not in experts}
    check_names(checkpoint, expected)
    return is_stacked


def lacks_experts(checkpoint: Checkpoint, config: DecoderConfig) -> bool:
    return expert_tensors(config).isdisjoint(checkpoint.stored)


def expert_tensors(config: DecoderConfig) -> frozenset[str]:
    """Names of all tensors of experts, in either layout."""
    names = config.expert_names
    of_layer = {STACKED_GATE_UP, STACKED_DOWN}
    for e in range(config.num_experts):
        of_layer |= {name.format(e=e) for name in (names.gate, names.up, names.down)}
    return frozenset(
        f"model.layers.{layer}.{name}" for layer in range(config.num_layers) for name in of_layer
    )


def check_names(checkpoint: Checkpoint, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Raises: ArtifactError unless the checkpoint has exactly these tensors in these shapes."""
    found = {name: t.shape for name, t in checkpoint.stored.items() if HARMLESS not in name}
    if HEAD not in expected:
        found.pop(HEAD, None)  # a tied head may be stored all the same
    wrong = {
        f"{name} is {found[name]}, config.json says {shape}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    }
    for kind, names in (
        ("is missing", expected.keys() - found.keys()),
        ("has tensors that its config.json does not ask for:", found.keys() - expected.keys()),
        ("has wrong shapes:", wrong),
    ):
        if names:
            shown = ", ".join(sorted(names)[:4])
            hint = _hint(expected.keys() - found.keys(), found.keys() - expected.keys())
            raise ArtifactError(f"{checkpoint.folder} {kind} {shown} ({len(names)} in all)", hint)


def _hint(missing: Set[str], extra: Set[str]) -> str:
    """What to try where names or shapes are not those of config.json."""
    if missing == {HEAD}:
        return f"if the embedding is the head as well, config.json lacks tie_word_embeddings; else {AGAIN}"
    for name in sorted(missing):
        for other in sorted(extra):
            if _stands_for(other, name):
                return f"{other} stands for {name}: write the language model alone with transformers' save_pretrained"
    return "config.json and weights must be of the same model; --sut transformers runs other models"


def _stands_for(other: str, name: str) -> bool:
    """Whether `other` is `name` with another prefix, or with none."""
    if other.startswith("model.layers.") and not name.startswith("model.layers."):
        return False
    return f".{other}".endswith("." + name.removeprefix("model."))


def _attention_shapes(config: DecoderConfig) -> Shapes:
    hidden, q_size, kv_size = config.hidden_size, config.q_size, config.kv_size
    shapes: Shapes = {
        "input_layernorm.weight": (hidden,),
        "post_attention_layernorm.weight": (hidden,),
        "self_attn.q_proj.weight": (q_size, hidden),
        "self_attn.k_proj.weight": (kv_size, hidden),
        "self_attn.v_proj.weight": (kv_size, hidden),
        "self_attn.o_proj.weight": (hidden, q_size),
    }
    if config.has_qkv_bias:
        shapes |= {f"self_attn.{part}_proj.bias": (q_size if part == "q" else kv_size,) for part in "qkv"}
    if config.has_out_bias:
        shapes["self_attn.o_proj.bias"] = (hidden,)
    if config.has_head_norms:
        shapes |= {f"self_attn.{part}_norm.weight": (config.head_dim,) for part in "qk"}
    return shapes


def _expert_shapes(config: DecoderConfig) -> Shapes:
    hidden, inner, names = config.hidden_size, config.intermediate_size, config.expert_names
    shapes: Shapes = {} if names.router is None else {names.router: (config.num_experts, hidden)}
    for e in range(config.num_experts):
        shapes |= {name.format(e=e): (inner, hidden) for name in (names.gate, names.up)}
        shapes[names.down.format(e=e)] = (hidden, inner)
    return shapes


def _stacked_shapes(config: DecoderConfig) -> Shapes:
    count, hidden, inner = config.num_experts, config.hidden_size, config.intermediate_size
    return {
        STACKED_ROUTER: (count, hidden),
        STACKED_GATE_UP: (count, 2 * inner, hidden),
        STACKED_DOWN: (count, hidden, inner),
    }


def _layer(
    config: DecoderConfig, checkpoint: Checkpoint, ops: Ops, number: int, is_stacked: bool, has_copy: bool
) -> Layer:
    def read(name: str) -> Tensor:
        return _finite(checkpoint, f"model.layers.{number}.{name}")

    attention = ops.pack_attention(_attention(config, read))
    norm_D = read("post_attention_layernorm.weight").float()
    names = config.expert_names
    if is_stacked:
        router_ED = read(STACKED_ROUTER).float()
    elif names.router is None:  # whatever its score, the one expert's share is 1
        router_ED = torch.zeros(1, config.hidden_size)
    else:
        router_ED = read(names.router).float()
    if has_copy:
        return Layer(attention, ops.new_moe(norm_D, router_ED))
    return Layer(
        attention, ops.pack_moe(norm_D, router_ED, *read_experts(config, checkpoint, number, is_stacked))
    )


def read_experts(
    config: DecoderConfig, checkpoint: Checkpoint, number: int, is_stacked: bool
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Gates, ups and downs of a layer."""

    def read(name: str) -> Tensor:
        return _finite(checkpoint, f"model.layers.{number}.{name}")

    if is_stacked:
        gate, up = read(STACKED_GATE_UP).chunk(2, dim=1)
        return list(gate), list(up), list(read(STACKED_DOWN))
    names = config.expert_names
    gates, ups, downs = (
        [read(name.format(e=e)) for e in range(config.num_experts)]
        for name in (names.gate, names.up, names.down)
    )
    return gates, ups, downs


def _attention(config: DecoderConfig, read: Callable[[str], Tensor]) -> AttentionWeights:
    def read_if(has: bool, name: str) -> Tensor | None:
        return read(f"self_attn.{name}").float() if has else None

    bias = [read_if(config.has_qkv_bias, f"{part}_proj.bias") for part in "qkv"]
    return AttentionWeights(
        read("input_layernorm.weight").float(),
        torch.cat([read(f"self_attn.{part}_proj.weight") for part in "qkv"]),
        read("self_attn.o_proj.weight"),
        torch.cat([part for part in bias if part is not None]) if config.has_qkv_bias else None,
        read_if(config.has_out_bias, "o_proj.bias"),
        read_if(config.has_head_norms, "q_norm.weight"),
        read_if(config.has_head_norms, "k_norm.weight"),
    )


def _tied_head(checkpoint: Checkpoint, embed_VD: Tensor) -> Tensor:
    """The embedding. Raises: ArtifactError when another head is stored, which transformers 5 takes in its place, and
    other programs do not. Source: tie_weights in modeling_utils.py of transformers 5."""
    if HEAD in checkpoint.stored:
        head_VD = checkpoint.tensor(HEAD)
        if head_VD.shape != embed_VD.shape or not torch.equal(head_VD.to(embed_VD.dtype), embed_VD):
            raise ArtifactError(
                f"{checkpoint.folder}: {HEAD} is not {EMBED}, though config.json ties them (tie_word_embeddings)",
                f"tie_word_embeddings false, if {HEAD} is the head; else take it out of the weights",
            )
    return embed_VD


def _give_back_freed() -> None:
    """Hand what loading has freed to the machine: glibc would keep half a GiB of temporaries between what stays."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def _finite(checkpoint: Checkpoint, name: str) -> Tensor:
    """The tensor; one pass over it also shows whether any element is NaN or infinite. (A sum may overflow.)"""
    tensor = checkpoint.tensor(name)
    if not torch.isfinite(tensor.sum(dtype=torch.float32)) and not torch.isfinite(tensor).all():
        raise ArtifactError(f"{checkpoint.folder}: {name} holds NaN or infinite values", AGAIN)
    return tensor
