"""The least time that a workload can take on a machine: a fixed continuous-batching schedule at its limits.

Each step costs the larger of bytes over read bandwidth and arithmetic over the best measured product rate; or, given
rates by rows, the sum of that over its parts, each at the rate of a product with the rows that it has.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from assay.engine.decoder_config import DecoderConfig
from engine_record import Item


@dataclass(frozen=True)
class Limits:
    """Of one machine and one precision."""

    bytes_per_s: float
    flops: float
    weight_bytes: float
    by_rows: tuple[tuple[int, float], ...] = ()
    """(rows of a product, flops it reaches with them), rows ascending; empty: `flops` with any rows"""

    def rate(self, rows: float) -> float:
        """Flops of a product of so many rows, between the measured ones on a straight line."""
        points = (*self.by_rows, (1024, self.flops))
        for (low, slow), (high, fast) in itertools.pairwise(points):
            if rows < high:
                return slow + (fast - slow) * (max(rows, low) - low) / (high - low)
        return self.flops


def floor_seconds(
    model: DecoderConfig, items: list[Item], slots: int, limits: Limits, budget: int = 512
) -> float:
    """Every running request decodes one token a step; prompts fill the rest of `budget`."""
    waiting = [[len(item.prompt), 0, item.new] for item in items]  # prompt left, context, new left
    running: list[list[int]] = []
    seconds = 0.0
    while waiting or running:
        running += [waiting.pop(0) for _ in range(min(slots - len(running), len(waiting)))]
        tokens = sampled = keys = 0
        for request in running:
            if request[0] == 0:
                tokens, sampled, keys = tokens + 1, sampled + 1, keys + request[1] + 1
                request[1], request[2] = request[1] + 1, request[2] - 1
        for request in running:
            part = min(request[0], budget - tokens)
            if part > 0:
                keys += part * request[1] + part * (part + 1) // 2
                request[0], request[1], tokens = request[0] - part, request[1] + part, tokens + part
                if request[0] == 0:
                    sampled, request[2] = sampled + 1, request[2] - 1
        seconds += step_seconds(model, tokens, sampled, keys, limits)
        running = [request for request in running if request[2] > 0]
    return seconds


def step_seconds(model: DecoderConfig, tokens: int, sampled: int, keys: int, limits: Limits) -> float:
    """`keys`: keys read, summed over the step's tokens."""
    share = model.experts_per_token / model.num_experts
    touched = model.num_experts * (1 - (1 - share) ** tokens)
    head = model.hidden_size * model.vocab_size
    dense = model.num_layers * model.dense_layer_parameters
    one_expert = model.num_layers * model.expert_parameters
    attending = 4 * model.num_layers * keys * model.q_size
    # (parameters passed over, multiply-adds, rows of one product)
    parts = [
        (dense, tokens * dense, tokens),
        (
            touched * one_expert,
            tokens * model.experts_per_token * one_expert,
            tokens * share / (touched / model.num_experts),
        ),
        (head * bool(sampled), sampled * head, sampled),
    ]
    if limits.by_rows:
        return attending / limits.flops + sum(
            max(passed * limits.weight_bytes / limits.bytes_per_s, 2 * products / limits.rate(rows))
            for passed, products, rows in parts
        )
    passed, products = (sum(part[i] for part in parts) for i in (0, 1))
    return max(passed * limits.weight_bytes / limits.bytes_per_s, (2 * products + attending) / limits.flops)
