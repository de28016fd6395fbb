"""The exported checkpoint is a Mixtral to anyone: transformers reads it and computes what training computed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from assay.nano import greedy
from assay.nano.batch import pack
from assay.nano.export import checkpoint_tensors, export_checkpoint
from assay.nano.model import NanoModel
from assay.nano.shape import Shape

SMALL = Shape(vocabulary=300, hidden=48, layers=2, heads=6, kv_heads=2, ffn=40)


@pytest.fixture
def model() -> NanoModel:
    torch.manual_seed(5)
    model = NanoModel(SMALL)
    rounded = {name: value.bfloat16().float() for name, value in model.state_dict().items()}
    model.load_state_dict(rounded)
    return model


def test_transformers_computes_the_same_logits_from_the_exported_checkpoint(
    model: NanoModel, tmp_path: Path
) -> None:
    export_checkpoint(model, tmp_path)
    theirs = greedy.load_model(tmp_path)
    assert type(theirs).__name__ == "MixtralForCausalLM"
    pairs = [([1, 1, 20, 30, 40], [7, 8, 9, 2]), ([1, 1, 99, 98, 97, 96, 95, 94], [3, 2])]
    ours = model(pack(pairs)).logits_AV
    # pack() puts the shorter sample first; the logits come sample after sample.
    expected = []
    for prompt, answer in sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1])):
        with torch.inference_mode():
            logits = theirs(torch.tensor([prompt + answer[:-1]])).logits[0]
        expected.append(logits[len(prompt) - 1 :])
    torch.testing.assert_close(ours, torch.cat(expected), atol=2e-5, rtol=1e-4)


def test_each_expert_has_its_three_matrices_under_the_published_names(model: NanoModel) -> None:
    names = set(checkpoint_tensors(model))
    for expert in range(8):
        for matrix in ("w1", "w2", "w3"):
            assert f"model.layers.1.block_sparse_moe.experts.{expert}.{matrix}.weight" in names
    assert {
        "lm_head.weight",
        "model.embed_tokens.weight",
        "model.layers.0.block_sparse_moe.gate.weight",
    } <= names


def test_the_configuration_reads_back_with_the_rope_base_and_no_window(
    model: NanoModel, tmp_path: Path
) -> None:
    from transformers import AutoConfig

    export_checkpoint(model, tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["rope_theta"] == 10_000.0
    assert config.sliding_window is None
    assert (config.num_local_experts, config.num_experts_per_tok, config.num_key_value_heads) == (8, 2, 2)
