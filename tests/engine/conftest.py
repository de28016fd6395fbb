"""Small random models on disk, with Hugging Face transformers as the judge of their answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.engine.sequence import EngineRequest

SMALL: dict[str, Any] = {
    "model_type": "mixtral",
    "vocab_size": 96,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "max_position_embeddings": 256,
    "eos_token_id": 2,
}


def make_checkpoint(folder: Path, *, seed: int = 0, **change: Any) -> Path:
    """A random checkpoint with weights large enough that its answers depend on every part; a Mixtral unless `change`
    names another model_type."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(seed)
    fields = SMALL | change
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(fields.pop("model_type"), **fields))
    for name, weight in model.named_parameters():
        torch.nn.init.normal_(weight, mean=float("norm" in name), std=0.15)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def four_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every engine sees the same free memory, whatever else the machine does."""
    from assay.engine import api

    monkeypatch.setattr(api, "available_bytes", lambda: 4 << 30)


@pytest.fixture(scope="session", name="make_checkpoint")
def _make_checkpoint() -> Callable[..., Path]:
    return make_checkpoint


@pytest.fixture(scope="session", name="transformers_answers")
def _transformers_answers() -> Callable[[Path, list[EngineRequest]], dict[int, tuple[int, ...]]]:
    return transformers_answers


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def requests() -> Callable[[int], list[EngineRequest]]:
    """n requests of many lengths, the same each time."""

    def make(count: int, new: int = 12) -> list[EngineRequest]:
        lengths = [1 + (7 * i) % 45 for i in range(count)]
        return [
            EngineRequest(i, tuple(3 + (i * 31 + j * 17) % 90 for j in range(length)), new, 0, frozenset({2}))
            for i, length in enumerate(lengths)
        ]

    return make


def transformers_answers(folder: Path, requests: list[EngineRequest]) -> dict[int, tuple[int, ...]]:
    """Greedy float32 answers of transformers, one request at a time."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    answers = {}
    for request in requests:
        prompt = torch.tensor([request.prompt])
        out = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            max_new_tokens=request.max_new_tokens,
            min_new_tokens=request.min_new_tokens,
            eos_token_id=sorted(request.eos_ids) or None,
            pad_token_id=0,
        )
        answers[request.id] = tuple(out[0, len(request.prompt) :].tolist())
    return answers
