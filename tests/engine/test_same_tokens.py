"""The whole engine against Hugging Face transformers: the same greedy tokens in float32."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from assay.config import Precision
from assay.engine.api import Engine
from assay.engine.config import EngineConfig
from assay.engine.sequence import EngineRequest

Requests = Callable[..., list[EngineRequest]]
Answers = dict[int, tuple[int, ...]]
Judge = Callable[[Path, list[EngineRequest]], Answers]


def answers(checkpoint: Path, requests: list[EngineRequest], **change: Any) -> Answers:
    engine = Engine(EngineConfig(checkpoint, Precision.FLOAT32, **change))
    return {a.id: a.tokens for a in engine.generate(requests)}


@pytest.fixture(scope="module")
def truth(small_checkpoint: Path, requests: Requests, transformers_answers: Judge) -> Answers:
    return transformers_answers(small_checkpoint, requests(32))


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_every_batch_size_gives_the_tokens_of_transformers(
    small_checkpoint: Path, requests: Requests, truth: Answers, batch: int
) -> None:
    assert answers(small_checkpoint, requests(32), max_running=batch, token_budget=64) == truth


def test_the_order_of_requests_changes_no_answer(
    small_checkpoint: Path, requests: Requests, truth: Answers
) -> None:
    shuffled = requests(32)
    random.Random(3).shuffle(shuffled)
    assert answers(small_checkpoint, shuffled, max_running=8, token_budget=19, kv_tokens=304) == truth


@pytest.mark.parametrize(
    "change",
    [
        {"num_attention_heads": 4, "num_key_value_heads": 4, "num_local_experts": 8},
        {"num_attention_heads": 8, "num_key_value_heads": 1, "num_experts_per_tok": 1},
        {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 48, "num_experts_per_tok": 3},
        {"tie_word_embeddings": True, "rope_parameters": {"rope_type": "default", "rope_theta": 1e4}},
    ],
    ids=["no-groups", "one-kv-head-top-1", "wide-heads-top-3", "tied"],
)
def test_other_shapes_of_the_family_give_the_tokens_of_transformers(
    tmp_path: Path,
    requests: Requests,
    make_checkpoint: Callable[..., Path],
    transformers_answers: Judge,
    change: dict[str, Any],
) -> None:
    checkpoint = make_checkpoint(tmp_path, seed=5, **change)
    few = requests(6)
    assert answers(checkpoint, few) == transformers_answers(checkpoint, few)


LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 1e4,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
QWEN3_MOE = {"model_type": "qwen3_moe", "head_dim": 32, "num_experts": 6, "moe_intermediate_size": 48}
KINDS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama"},
    "llama with one head for all": {"model_type": "llama", "num_key_value_heads": 4, "head_dim": 48},
    "llama, tied, llama3 rope": {
        "model_type": "llama",
        "tie_word_embeddings": True,
        "rope_parameters": LLAMA3,
    },
    "llama, biases, linear rope": {
        "model_type": "llama",
        "attention_bias": True,
        "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4},
    },
    "mistral": {"model_type": "mistral", "sliding_window": 96},
    "qwen2": {"model_type": "qwen2", "eos_token_id": [2, 5]},
    "qwen3": {"model_type": "qwen3", "head_dim": 32, "tie_word_embeddings": True},
    "qwen3_moe": {**QWEN3_MOE, "num_experts_per_tok": 3},
    "qwen3_moe, renormalised": {**QWEN3_MOE, "norm_topk_prob": True, "attention_bias": True},
}


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.replace(", ", "-").replace(" ", "-"))
def family(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    requests: Requests,
    make_checkpoint: Callable[..., Path],
    transformers_answers: Judge,
) -> tuple[Path, Answers]:
    checkpoint = make_checkpoint(tmp_path_factory.mktemp("family"), seed=9, **KINDS[request.param])
    return checkpoint, transformers_answers(checkpoint, requests(12))


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_every_family_gives_the_tokens_of_transformers_at_every_batch_size(
    family: tuple[Path, Answers], requests: Requests, batch: int
) -> None:
    checkpoint, truth = family
    assert answers(checkpoint, requests(12), max_running=batch, token_budget=64) == truth


def test_every_family_gives_the_tokens_of_transformers_in_any_order(
    family: tuple[Path, Answers], requests: Requests
) -> None:
    checkpoint, truth = family
    shuffled = requests(12)
    random.Random(3).shuffle(shuffled)
    assert answers(checkpoint, shuffled, max_running=5, token_budget=11, kv_tokens=304) == truth


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
def test_every_family_is_near_float32_in_lower_precisions(
    family: tuple[Path, Answers], precision: Precision
) -> None:
    """Random weights amplify rounding; a part that is left out gives a correlation near 0."""
    checkpoint, _ = family
    tokens = tuple(3 + (7 * i) % 90 for i in range(40))
    exact, near = (
        Engine(EngineConfig(checkpoint, p, 4, 64)).score(tokens).flatten()
        for p in (Precision.FLOAT32, precision)
    )
    assert float(torch.corrcoef(torch.stack((exact, near)))[0, 1]) > 0.98


def test_min_new_tokens_holds_the_end_back(
    small_checkpoint: Path, requests: Requests, transformers_answers: Judge
) -> None:
    """Every id the model likes first is declared an end, so that only the ban keeps the answer going."""
    (plain,) = requests(1)
    first = answers(small_checkpoint, [plain])[0][0]
    held = EngineRequest(0, plain.prompt, 12, 5, frozenset({first, 2}))
    expected = transformers_answers(small_checkpoint, [held])
    assert answers(small_checkpoint, [held]) == expected
    assert len(expected[0]) >= 5


def test_a_stop_sequence_ends_the_answer_and_is_kept(small_checkpoint: Path, requests: Requests) -> None:
    (plain,) = requests(1)
    whole = answers(small_checkpoint, [plain])[0]
    stopped = EngineRequest(0, plain.prompt, 12, 0, frozenset({2}), (whole[3:5],))
    got = answers(small_checkpoint, [stopped])[0]
    assert got == whole[: len(got)] and got[-2:] == whole[3:5] and len(got) <= 5
