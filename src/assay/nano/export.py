"""From the training model to a Hugging Face checkpoint in the layout of the published Mixtral."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from assay.nano.model import NanoModel
from assay.nano.tokenizer import BOS_ID, EOS_ID


def checkpoint_tensors(model: NanoModel) -> dict[str, Tensor]:
    """Name -> bfloat16 tensor, each expert's three matrices apart, as `MixtralForCausalLM` checkpoints name them."""
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        full = name if name.startswith("lm_head") else f"model.{name}"
        if full.endswith(("moe.w13", "moe.w2")):
            prefix = full.rpartition(".")[0] + ".experts"
            for expert, matrix in enumerate(value):
                if full.endswith("w2"):
                    tensors[f"{prefix}.{expert}.w2.weight"] = matrix
                else:
                    gate, up = matrix.chunk(2)
                    tensors[f"{prefix}.{expert}.w1.weight"] = gate
                    tensors[f"{prefix}.{expert}.w3.weight"] = up
        else:
            tensors[full] = value
    return {name: value.to(torch.bfloat16).contiguous() for name, value in tensors.items()}


def export_checkpoint(model: NanoModel, folder: Path) -> None:
    """Write `model.safetensors`, `config.json` and `generation_config.json`; the tokenizer is there already."""
    from safetensors.torch import save_file

    save_file(checkpoint_tensors(model), folder / "model.safetensors", metadata={"format": "pt"})
    generation = {"bos_token_id": BOS_ID, "eos_token_id": EOS_ID, "pad_token_id": EOS_ID, "do_sample": False}
    for name, fields in (("config.json", model.shape.to_config()), ("generation_config.json", generation)):
        (folder / name).write_text(json.dumps(fields, indent=2) + "\n")
