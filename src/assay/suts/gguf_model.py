"""A Llama-type GGUF file in Hugging Face's words: config, tensors, tokenizer.

Source: GGUF metadata keys and tensor names (ggml, docs/gguf.md), llama.cpp's converter for the row order of
queries and keys, and its pre-tokenizer names.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.ground import files
from assay.ground.errors import ArtifactError

LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OUTER_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
DIGITS_APART = {"gpt-2": False, "default": False, "smollm": True}
"""Byte-level BPE by llama.cpp's pre-tokenizer name -> whether each digit is cut off first."""
CONTROL = 3
"""GGUF token type of special tokens."""


def config(reader: Any, where: str) -> dict[str, Any]:
    """Raises: ArtifactError for another architecture or a missing key."""
    family = _value(reader, "general.architecture", where)
    if family != "llama":
        raise ArtifactError(f"{where} holds a {family} model", "a dense model of type llama")
    names = {t.name for t in reader.tensors}
    heads = _value(reader, "llama.attention.head_count", where)
    return {
        "model_type": "llama",
        "vocab_size": len(_value(reader, "tokenizer.ggml.tokens", where)),
        "hidden_size": _value(reader, "llama.embedding_length", where),
        "intermediate_size": _value(reader, "llama.feed_forward_length", where),
        "num_hidden_layers": _value(reader, "llama.block_count", where),
        "num_attention_heads": heads,
        "num_key_value_heads": _value(reader, "llama.attention.head_count_kv", where, heads),
        "rope_theta": float(_value(reader, "llama.rope.freq_base", where, 10000.0)),
        # Stored as float32: 9.999999747378752e-06 means 1e-05.
        "rms_norm_eps": float(f"{_value(reader, 'llama.attention.layer_norm_rms_epsilon', where):.6g}"),
        "max_position_embeddings": _value(reader, "llama.context_length", where),
        "tie_word_embeddings": "output.weight" not in names,
        "bos_token_id": _value(reader, "tokenizer.ggml.bos_token_id", where),
        "eos_token_id": _value(reader, "tokenizer.ggml.eos_token_id", where),
    }


def tensors(reader: Any) -> Callable[[str], Any]:
    """Hugging Face name -> float32 tensor, dequantised."""
    stored = {t.name: t for t in reader.tensors}
    heads = _value(reader, "llama.attention.head_count", "")
    kv_heads = _value(reader, "llama.attention.head_count_kv", "", heads)

    def tensor(name: str) -> Any:
        import torch
        from gguf.quants import dequantize

        source = stored[_gguf_name(name)]
        # GGUF lists the fastest dimension first.
        shape = tuple(int(n) for n in reversed(source.shape))
        weight = torch.tensor(dequantize(source.data, source.tensor_type)).reshape(shape).float()
        if name.endswith("q_proj.weight"):
            return rotary_rows(weight, heads)
        return rotary_rows(weight, kv_heads) if name.endswith("k_proj.weight") else weight

    return tensor


def rotary_rows(weight_OI: Any, heads: int) -> Any:
    """GGUF's interleaved rotary rows (r0 i0 r1 i1 ...) as Hugging Face's halves (r0 r1 ... i0 i1 ...), per head."""
    out, inner = weight_OI.shape
    return weight_OI.reshape(heads, out // heads // 2, 2, inner).transpose(1, 2).reshape(out, inner)


def save_tokenizer(reader: Any, into: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json of a byte-level BPE. Raises: ArtifactError for another kind."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    kind = _value(reader, "tokenizer.ggml.model", "the GGUF file")
    before = _value(reader, "tokenizer.ggml.pre", "the GGUF file", "default")
    if kind != "gpt2" or before not in DIGITS_APART:
        raise ArtifactError(
            f"a tokenizer of kind {kind}/{before} cannot be converted",
            "upcycle the model's Hugging Face folder",
        )
    tokens: list[str] = _value(reader, "tokenizer.ggml.tokens", "")
    merges = [tuple(line.split(" ")) for line in _value(reader, "tokenizer.ggml.merges", "")]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, bytes_]) if DIGITS_APART[before] else bytes_
    tokenizer.decoder = decoders.ByteLevel()
    types = _value(reader, "tokenizer.ggml.token_type", "")
    special = [token for token, type_ in zip(tokens, types) if type_ == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.save(str(into / "tokenizer.json"))
    named = {
        f"{role}_token": tokens[_value(reader, f"tokenizer.ggml.{role}_token_id", "")]
        for role in ("bos", "eos")
    }
    chat = _value(reader, "tokenizer.chat_template", "", None)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **named, "pad_token": named["eos_token"]}
    files.write_json(
        into / "tokenizer_config.json", {**settings, **({"chat_template": chat} if chat else {})}
    )


def _gguf_name(name: str) -> str:
    if name in OUTER_NAMES:
        return OUTER_NAMES[name]
    _, _, layer, part = name.removesuffix(".weight").split(".", 3)
    return f"blk.{layer}.{LAYER_NAMES[part]}.weight"


_MISSING = object()


def _value(reader: Any, key: str, where: str, default: Any = _MISSING) -> Any:
    field = reader.fields.get(key)
    if field is not None:
        return field.contents()
    if default is _MISSING:
        raise ArtifactError(f"{where}: no metadata {key}", "a whole GGUF file of a Llama-type model")
    return default
