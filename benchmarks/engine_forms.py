"""The benchmark's checkpoint in the forms that its peers read: W8A8 int8, GGUF and OpenVINO IR.

Each function leaves its file or folder alone when it is there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

W8A8 = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "ignore": ["lm_head", "re:.*gate$"],
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"},
            "input_activations": {
                "num_bits": 8,
                "type": "int",
                "symmetric": True,
                "strategy": "token",
                "dynamic": True,
            },
        }
    },
}
"""int8 as ours is: a scale per weight row, a scale per token found while running; head and router stay bfloat16."""


def make_int8(checkpoint: Path, folder: Path) -> None:
    """A compressed-tensors W8A8 checkpoint by rounding to nearest."""
    if (folder / "config.json").exists():
        return
    from safetensors import safe_open
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    with safe_open(checkpoint / "model.safetensors", "pt") as source:
        for name in source.offset_keys():
            weight = source.get_tensor(name)
            if ".experts." in name or "_proj." in name:
                scale = weight.float().abs().amax(1, keepdim=True) / 127
                tensors[f"{name}_scale"] = scale
                weight = (weight.float() / scale).round().char()
            tensors[name] = weight
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    shutil.copy(checkpoint / "generation_config.json", folder)
    config = json.loads((checkpoint / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": W8A8}, indent=1))


def make_gguf(checkpoint: Path, path: Path) -> None:
    """llama.cpp's own form in bfloat16: Mixtral is `llama` with the experts of a layer in one tensor."""
    if path.exists():
        return
    import gguf
    import torch
    from safetensors import safe_open

    config = json.loads((checkpoint / "config.json").read_text())
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "llama")
    describe(writer, config)
    with safe_open(checkpoint / "model.safetensors", "pt") as source:
        for name, tensor in gguf_tensors(source.get_tensor, config):
            if tensor.dim() == 1 or name.endswith("ffn_gate_inp.weight"):
                writer.add_tensor(name, tensor.float().numpy())
            else:
                raw = tensor.contiguous().view(torch.int16).numpy().view("uint8")
                writer.add_tensor(name, raw, raw_dtype=gguf.GGMLQuantizationType.BF16)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    writer.close()
    part.rename(path)


def describe(writer: Any, config: dict[str, Any]) -> None:
    """The header: shapes, and a vocabulary of placeholders, because the runs exchange token ids only."""
    import gguf

    head_size = config["hidden_size"] // config["num_attention_heads"]
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(head_size)
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_expert_count(config["num_local_experts"])
    writer.add_expert_used_count(config["num_experts_per_tok"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    special, bytes_of = ["<unk>", "<s>", "</s>"], [f"<0x{byte:02X}>" for byte in range(256)]
    others = config["vocab_size"] - len(special) - len(bytes_of)
    kind = gguf.TokenType
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*special, *bytes_of, *(f"word{n}" for n in range(others))])
    writer.add_token_scores([-float(n) for n in range(config["vocab_size"])])
    writer.add_token_types(
        [kind.UNKNOWN, kind.CONTROL, kind.CONTROL] + [kind.BYTE] * len(bytes_of) + [kind.NORMAL] * others
    )
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)


def gguf_tensors(read: Callable[[str], Any], config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every tensor under llama.cpp's name; `read` gives one by the checkpoint's name."""
    import torch

    def interleaved(weight: Any, heads: int) -> Any:
        """Rows of a head from halves (i, i + size / 2) to neighbours: ggml's llama rotates neighbours."""
        rows, columns = weight.shape
        return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)

    yield "token_embd.weight", read("model.embed_tokens.weight")
    yield "output_norm.weight", read("model.norm.weight")
    yield "output.weight", read("lm_head.weight")
    for layer in range(config["num_hidden_layers"]):
        old, new = f"model.layers.{layer}.", f"blk.{layer}."
        attention, moe = f"{old}self_attn.", f"{old}block_sparse_moe."
        yield f"{new}attn_norm.weight", read(f"{old}input_layernorm.weight")
        yield f"{new}ffn_norm.weight", read(f"{old}post_attention_layernorm.weight")
        query, key = read(f"{attention}q_proj.weight"), read(f"{attention}k_proj.weight")
        yield f"{new}attn_q.weight", interleaved(query, config["num_attention_heads"])
        yield f"{new}attn_k.weight", interleaved(key, config["num_key_value_heads"])
        yield f"{new}attn_v.weight", read(f"{attention}v_proj.weight")
        yield f"{new}attn_output.weight", read(f"{attention}o_proj.weight")
        yield f"{new}ffn_gate_inp.weight", read(f"{moe}gate.weight")
        for theirs, ours in (("gate", "w1"), ("down", "w2"), ("up", "w3")):
            experts = range(config["num_local_experts"])
            stacked = torch.stack([read(f"{moe}experts.{e}.{ours}.weight") for e in experts])
            yield f"{new}ffn_{theirs}_exps.weight", stacked


def quantise_gguf(tool: Path, source: Path, path: Path, kind: str) -> None:
    """llama.cpp's own tool makes the lower precisions (Q8_0, Q4_K_M)."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    subprocess.run([tool, source, part, kind], check=True, capture_output=True, text=True)
    part.rename(path)


def make_openvino(python: str, checkpoint: Path, folder: Path, dtype: str) -> None:
    """OpenVINO IR, by a Python that has optimum-intel."""
    if folder.exists():
        return
    part = folder.with_name(folder.name + ".part")
    script = Path(__file__).with_name("engine_to_openvino.py")
    more = ["--bits", "8"] if dtype == "int8" else []
    subprocess.run(
        [python, script, "--model", checkpoint, "--out", part, *more],
        check=True,
        capture_output=True,
        text=True,
    )
    part.rename(folder)
