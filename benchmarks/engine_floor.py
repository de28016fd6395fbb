"""The least time that a workload can take on a machine: a fixed continuous-batching schedule at its limits.

Each step costs the larger of bytes over read bandwidth and arithmetic over the best measured product rate.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.engine.config import MixtralConfig
from engine_record import Item


@dataclass(frozen=True)
class Limits:
    """Of one machine and one precision."""

    bytes_per_s: float
    flops: float
    weight_bytes: float


def floor_seconds(
    model: MixtralConfig, items: list[Item], slots: int, limits: Limits, budget: int = 512
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


def step_seconds(model: MixtralConfig, tokens: int, sampled: int, keys: int, limits: Limits) -> float:
    """`keys`: keys read, summed over the step's tokens."""
    share = model.experts_per_token / model.num_experts
    touched = model.num_experts * (1 - (1 - share) ** tokens)
    head = model.hidden_size * model.vocab_size if sampled else 0
    weights = model.num_layers * (model.dense_layer_parameters + touched * model.expert_parameters) + head
    active = model.dense_layer_parameters + model.experts_per_token * model.expert_parameters
    flops = 2 * model.num_layers * (tokens * active + 2 * keys * model.q_size)
    flops += 2 * sampled * model.hidden_size * model.vocab_size
    return max(weights * limits.weight_bytes / limits.bytes_per_s, flops / limits.flops)
