"""Makes checkpoints of the Mixtral architecture for machines without a model hub: upcycled or random.

Upcycled: the MLP of a dense model is copied into equal experts, so that the model writes real text. Its logits are
compared with the dense model's before anything is kept. Random: seeded weights of any shape, for sizes and speed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.config import Precision
from assay.ground import memory
from assay.ground.count import size_text
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.suts import dense as dense_models
from assay.suts import shape as shapes
from assay.suts.checkpoint_folder import Shards, copy_tokenizer, staged_folder
from assay.suts.dense import Dense
from assay.suts.shape import MIXTRAL_8X7B, RANDOM, WEIGHTS_KEY, ModelShape

Progress = Callable[[str], None]

TINY = {
    **MIXTRAL_8X7B,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
"""4.4 M parameters over the true vocabulary, for tests and demonstrations."""
WIDE = {**MIXTRAL_8X7B, "num_hidden_layers": 2}
"""Two layers of the true widths: 3.16 B parameters."""
CONFIGS: dict[str, Mapping[str, Any]] = {"tiny": TINY, "wide": WIDE, "mixtral-8x7b": MIXTRAL_8X7B}

SPREAD = 0.02
"""Standard deviation of random weights. Source: initializer_range of MixtralConfig."""
LOGITS_CLOSE = 1e-4
"""Largest accepted difference to the dense model's logits, both computed in float32."""
PROBE_TEXT = "The quick brown fox counts 3 apples and 14 pears.\n"


@dataclass(frozen=True)
class Made:
    """A checkpoint that was written."""

    folder: Path
    parameters: int
    bytes: int
    logits_difference: float | None = None
    """Largest absolute difference to the dense model over the probe; None for random weights."""
    probe_tokens: int = 0


def random(
    config: Mapping[str, Any],
    seed: int,
    out: Path,
    tokenizer: Path | None = None,
    precision: Precision = Precision.BFLOAT16,
    progress: Progress = lambda line: None,
) -> Made:
    """Write a Mixtral with seeded random weights: the same seed and config give the same tensors.

    config: fields of a `MixtralForCausalLM` config.json. tokenizer: folder or file to copy beside the weights.
    Raises: ArtifactError for a config that is none, ConfigError and EnvironmentProblem as `staged_folder`.
    """
    shape = shapes.of(config, "the configuration")
    with staged_folder(out, shape.weight_bytes(precision)) as folder:
        if tokenizer is not None:
            copy_tokenizer(tokenizer, folder)
        _write_random(config, shape, seed, folder, precision, progress)
    return Made(out, shape.parameters, shape.weight_bytes(precision))


def random_packed(
    config: Mapping[str, Any],
    seed: int,
    out: Path,
    tokenizer: Path | None = None,
    progress: Progress = lambda line: None,
) -> Made:
    """As `random`, with experts in int8 as the engine's kernels on this machine read them from disk, and all else in
    bfloat16: nothing larger is written on the way. Other engines cannot read it.

    Raises: as `random`.
    """
    from assay.engine import packing
    from assay.engine.config import EngineConfig

    shape = shapes.of(config, "the configuration")
    needed = shape.weight_bytes(Precision.INT8)
    with staged_folder(out, needed) as folder:
        if tokenizer is not None:
            copy_tokenizer(tokenizer, folder)
        _write_random(config, shape, seed, folder, Precision.BFLOAT16, progress, has_experts=False)
        packing.write_random(EngineConfig(folder, Precision.INT8), seed, progress)
        written = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Made(out, shape.parameters, written)


def _write_random(
    config: Mapping[str, Any],
    shape: ModelShape,
    seed: int,
    folder: Path,
    precision: Precision,
    progress: Progress,
    has_experts: bool = True,
) -> None:
    shards = Shards(folder)
    for name, size, layer in _mixtral_tensors(shape):
        if ".experts." in name and not has_experts:
            continue
        if layer is not None:
            progress(f"layer {layer + 1} of {shape.layers}")
        shards.add(name, _random_tensor(name, size, seed).to(_dtype(precision)))
    shards.finish({**_mixtral_config(config, shape, precision), WEIGHTS_KEY: RANDOM})


def upcycle(
    source: Path,
    out: Path,
    experts: int = 8,
    seed: int = 0,
    precision: Precision = Precision.FLOAT32,
    progress: Progress = lambda line: None,
) -> Made:
    """Write a Mixtral whose experts are copies of the MLP of the dense model at `source`; the router is random.

    Nothing is kept when its logits over a short text differ by more than LOGITS_CLOSE from the dense model's.
    Raises: ArtifactError for a source that cannot be upcycled, ConfigError and EnvironmentProblem as `random`.
    """
    with dense_models.opened(source) as dense:
        config = {**MIXTRAL_8X7B, **_kept(dense.config), "num_local_experts": experts}
        shape = shapes.of(config, dense.name)
        _refuse_without_memory(shape, shapes.of(dense.config, dense.name))
        with staged_folder(out, shape.weight_bytes(precision)) as folder:
            dense.save_tokenizer(folder)
            shards = Shards(folder)
            for name, size, layer in _mixtral_tensors(shape):
                if layer is not None:
                    progress(f"layer {layer + 1} of {shape.layers}")
                shards.add(name, _upcycled_tensor(dense, name, size, seed).to(_dtype(precision)).clone())
            shards.finish(_mixtral_config(config, shape, precision))
            progress("comparing logits with the dense model")
            difference, tokens = _logits_difference(dense, folder, precision)
            if not difference <= LOGITS_CLOSE:
                raise ArtifactError(
                    f"logits differ by {difference:.2g} from the dense model's, more than {LOGITS_CLOSE:g}",
                    "this model is not of the Llama type that its file claims; choose another",
                )
    return Made(out, shape.parameters, shape.weight_bytes(precision), difference, tokens)


def _mixtral_tensors(shape: ModelShape) -> Iterator[tuple[str, tuple[int, ...], int | None]]:
    """Name and shape of every tensor as published Mixtral checkpoints name them; the layer where one begins."""
    yield "model.embed_tokens.weight", (shape.vocabulary, shape.hidden), None
    kv = shape.kv_heads * shape.head_dim
    query = shape.heads * shape.head_dim
    for layer in range(shape.layers):
        prefix = f"model.layers.{layer}"
        yield f"{prefix}.input_layernorm.weight", (shape.hidden,), layer
        yield f"{prefix}.self_attn.q_proj.weight", (query, shape.hidden), None
        yield f"{prefix}.self_attn.k_proj.weight", (kv, shape.hidden), None
        yield f"{prefix}.self_attn.v_proj.weight", (kv, shape.hidden), None
        yield f"{prefix}.self_attn.o_proj.weight", (shape.hidden, query), None
        yield f"{prefix}.post_attention_layernorm.weight", (shape.hidden,), None
        moe = f"{prefix}.block_sparse_moe"
        yield f"{moe}.gate.weight", (shape.experts, shape.hidden), None
        for expert in range(shape.experts):
            yield f"{moe}.experts.{expert}.w1.weight", (shape.ffn, shape.hidden), None
            yield f"{moe}.experts.{expert}.w2.weight", (shape.hidden, shape.ffn), None
            yield f"{moe}.experts.{expert}.w3.weight", (shape.ffn, shape.hidden), None
    yield "model.norm.weight", (shape.hidden,), None
    if not shape.is_tied:
        yield "lm_head.weight", (shape.vocabulary, shape.hidden), None


def _random_tensor(name: str, size: tuple[int, ...], seed: int) -> Any:
    """A float32 tensor of seeded random numbers. Each name has its own random stream, so that no tensor depends on
    another."""
    import torch

    if len(size) == 1:
        return torch.ones(size)
    stream = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:7], "big")
    return torch.empty(size).normal_(0.0, SPREAD, generator=torch.Generator().manual_seed(stream))


def _upcycled_tensor(dense: Dense, name: str, size: tuple[int, ...], seed: int) -> Any:
    if name.endswith("block_sparse_moe.gate.weight"):
        return _random_tensor(name, size, seed)
    if ".block_sparse_moe." in name:
        layer, _, expert = name.partition(".block_sparse_moe.experts.")
        part = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}[expert.split(".")[1]]
        name = f"{layer}.mlp.{part}.weight"
    try:
        tensor = dense.tensor(name)
    except KeyError:
        raise ArtifactError(
            f"{dense.name} lacks the tensor {name}", "a whole model of the Llama type"
        ) from None
    if tuple(tensor.shape) != size:
        raise ArtifactError(f"{dense.name}: {name} is {tuple(tensor.shape)}, its config says {size}")
    return tensor


def _kept(config: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a dense config that Mixtral shares, in Mixtral's words."""
    names = {*MIXTRAL_8X7B, "head_dim", "sliding_window"} - {
        "model_type",
        "num_local_experts",
        "num_experts_per_tok",
    }
    kept = {name: config[name] for name in names if config.get(name) is not None}
    rope: Mapping[str, Any] = config.get("rope_parameters") or {}
    # The defaults of LlamaConfig where a dense config leaves them out.
    kept.setdefault("rope_theta", rope.get("rope_theta", 10000.0))
    kept.setdefault("rms_norm_eps", 1e-6)
    kept.setdefault("num_key_value_heads", config["num_attention_heads"])
    return kept


def _mixtral_config(config: Mapping[str, Any], shape: ModelShape, precision: Precision) -> dict[str, Any]:
    return {
        **config,
        "architectures": ["MixtralForCausalLM"],
        "model_type": "mixtral",
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "sliding_window": config.get("sliding_window"),
        "pad_token_id": config.get("eos_token_id"),
        "torch_dtype": precision.value,
    }


def _logits_difference(dense: Dense, folder: Path, precision: Precision) -> tuple[float, int]:
    """Largest absolute difference of float32 logits over a short text, and its tokens.

    Both models take the weights as stored, so that a 16-bit precision is held against the same rounding.
    """
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    ids = torch.tensor([_probe_ids(folder, int(dense.config["vocab_size"]))])
    with torch.inference_mode():
        config = LlamaConfig(**{k: v for k, v in dense.config.items() if k != "model_type"})
        plain = LlamaForCausalLM(config).eval()
        weights = plain.state_dict()
        for name, weight in weights.items():
            if not (name == "lm_head.weight" and config.tie_word_embeddings):
                weight.copy_(dense.tensor(name).to(_dtype(precision)))
        expected = plain(ids).logits
        del plain, weights
        mixtral = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        return float((mixtral.eval()(ids).logits - expected).abs().max()), ids.shape[1]


def _probe_ids(folder: Path, vocabulary: int) -> list[int]:
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        return list(Tokenizer.from_file(str(folder / "tokenizer.json")).encode(PROBE_TEXT).ids)
    return [(7919 * k + 11) % vocabulary for k in range(24)]


def _refuse_without_memory(shape: ModelShape, dense: ModelShape) -> None:
    needed = 4 * (shape.parameters + dense.parameters)
    free = memory.available()
    if needed > free:
        raise EnvironmentProblem(
            f"comparing logits in float32 needs {size_text(needed)} of memory and {size_text(free)} are free",
            "a smaller dense model or fewer --experts",
        )


def _dtype(precision: Precision) -> Any:
    import torch

    return getattr(torch, precision.value)
