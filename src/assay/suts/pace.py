"""Pace: seconds that the transformers SUT needs for a model of a given shape, from a few seconds of measuring.

Two times are measured and added: that of the model's own matrix products, with one weight of each shape; and that of
everything else in `generate`, on a narrow model with the same depth and number of experts. It loads no checkpoint.

The sizes below are choices, between a steady figure and the 2 to 10 s that a plan may take;
benchmarks/plan_against_run.py holds the plans against real runs.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace
from typing import Any

from assay.config import Precision
from assay.suts.shape import ModelShape

NARROW = 128
"""Width of the narrow model's layers."""
SMALL_PARAMETERS = 20_000_000
"""A model of up to so many is measured as it is."""
NARROW_VOCABULARY = 1000
STEPS = 8
"""Decode steps timed on the narrow model."""
SLICE_BYTES = 64 << 20
"""Largest number of bytes of one weight that is multiplied; a larger weight is cut and its time scaled up."""
COLD_BYTES = 128 << 20
"""Bytes of copies of a weight that are used in turn, so that no cache holds them."""
REPEATS, COPIES_MAX = 3, 32
"""Fewest and most products that are timed; their median counts."""
PROMPT_TOKENS_MAX = 1024
"""Longest prompt that is timed; the time of a longer one grows with its length."""
KV_PASSES = 3
"""How often keys and values are moved per step: appended to the cache, widened to all heads, multiplied."""


@dataclass(frozen=True)
class Pace:
    """Seconds for a batch, on this machine as busy as it is now."""

    start_s: float
    """Seconds to import torch and transformers, as the SUT process does."""
    prefill_s: float
    """Seconds for one batch of prompts of `prompt_tokens` each."""
    prompt_tokens: int
    step_s: float
    """Seconds for one more token of each sequence of the batch."""


def measure(shape: ModelShape, precision: Precision, batch: int, prompt_tokens: int) -> Pace:
    """prompt_tokens: length at which both are timed, prompt and half an answer. Takes 2 to 10 s."""
    began = time.perf_counter()
    import torch
    import transformers  # noqa: F401

    started = time.perf_counter()
    dtype = getattr(torch, precision.value)
    prompt_tokens = min(prompt_tokens, PROMPT_TOKENS_MAX)
    with torch.inference_mode():
        narrow = shape if shape.parameters <= SMALL_PARAMETERS else _narrow(shape)
        prefill_s, step_s = _generate_seconds(narrow, dtype, batch, prompt_tokens)
        if narrow is not shape:
            prefill_s += _products(shape, dtype, batch, prompt_tokens)
            step_s += _products(shape, dtype, batch, 1)
            bytes_moved = shape.layers * 2 * shape.heads * shape.head_dim * dtype.itemsize
            step_s += KV_PASSES * bytes_moved * batch * prompt_tokens / _bytes_per_s(dtype)
    return Pace(started - began, prefill_s, prompt_tokens, step_s)


def _narrow(shape: ModelShape) -> ModelShape:
    return replace(
        shape,
        vocabulary=NARROW_VOCABULARY,
        hidden=NARROW,
        ffn=NARROW,
        heads=4,
        kv_heads=2,
        head_dim=NARROW // 4,
    )


def _generate_seconds(shape: ModelShape, dtype: Any, batch: int, prompt_tokens: int) -> tuple[float, float]:
    """Seconds of the prefill and of one step of Hugging Face `generate` on a random model of this shape."""
    import torch
    from transformers import MixtralConfig, MixtralForCausalLM

    config = MixtralConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        num_local_experts=max(shape.experts, 2),
        num_experts_per_tok=shape.experts_per_token,
        tie_word_embeddings=shape.is_tied,
    )
    model = MixtralForCausalLM(config).to(dtype).eval()
    ids_BT = torch.arange(batch * prompt_tokens).reshape(batch, prompt_tokens) % (shape.vocabulary - 3) + 3

    def run(tokens: int) -> float:
        began = time.perf_counter()
        model.generate(
            ids_BT,
            attention_mask=torch.ones_like(ids_BT),
            do_sample=False,
            min_new_tokens=tokens,
            max_new_tokens=tokens,
            eos_token_id=2,
            pad_token_id=2,
        )
        return time.perf_counter() - began

    run(2)
    first = statistics.median(run(1) for _ in range(3))
    both = statistics.median(run(1 + STEPS) for _ in range(3))
    return first, max(both - first, 0.0) / STEPS


def _products(shape: ModelShape, dtype: Any, batch: int, tokens: int) -> float:
    """Seconds of the matrix products of one forward pass over `tokens` of each of `batch` sequences."""
    rows = batch * tokens
    experts_hit = shape.experts
    if shape.experts > 1:
        missed = (1 - shape.experts_per_token / shape.experts) ** rows
        experts_hit = max(shape.experts_per_token, round(shape.experts * (1 - missed)))
    expert_rows = max(1, rows * shape.experts_per_token // experts_hit)
    query, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    layer = _product(rows, shape.hidden, query + 2 * kv, dtype) + _product(rows, query, shape.hidden, dtype)
    expert = _product(expert_rows, shape.hidden, 2 * shape.ffn, dtype)
    expert += _product(expert_rows, shape.ffn, shape.hidden, dtype)
    # Only the last position of each sequence meets the output embedding.
    head = _product(batch, shape.hidden, shape.vocabulary, dtype)
    return shape.layers * (layer + experts_hit * expert) + head


def _product(rows: int, inner: int, out: int, dtype: Any) -> float:
    """Median seconds of `x @ W.T` for x (rows, inner) and a W (out, inner) that comes from memory."""
    import torch
    import torch.nn.functional as F

    fits: int = max(1, min(out, SLICE_BYTES // (inner * dtype.itemsize)))
    copies = min(max(REPEATS, COLD_BYTES // (fits * inner * dtype.itemsize)), COPIES_MAX)
    x_RI = torch.full((rows, inner), 0.01, dtype=dtype)
    weights_COI = torch.full((copies, fits, inner), 0.01, dtype=dtype)
    F.linear(x_RI, weights_COI[0])
    took: list[float] = []
    for weight_OI in weights_COI:
        began = time.perf_counter()
        F.linear(x_RI, weight_OI)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * out / fits


def _bytes_per_s(dtype: Any) -> float:
    """Rate at which one row meets a weight from memory."""
    inner = 4096
    out: int = SLICE_BYTES // (inner * dtype.itemsize)
    return SLICE_BYTES / _product(1, inner, out, dtype)
