"""Pace of the engine: seconds per step for a model of a given shape, from a second or two of measuring.

The engine's own forward pass runs on random weights of the full widths and few layers: as many as are too large for
every cache. The time of the layers is scaled to the model's depth. It reads no checkpoint and writes no file.
"""

from __future__ import annotations

import heapq
import statistics
import time
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.config import Precision
from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.kv_blocks import blocks_for

if TYPE_CHECKING:
    from assay.engine.batch import Batch
    from assay.engine.checkpoint import Checkpoint
    from assay.engine.decoder import Decoder

COLD_BYTES = 128 << 20
"""Bytes of weights in the measured layers, more than the caches of a processor hold; a smaller model is measured
whole."""
REPEATS = 5
"""Most times that a step is timed; the median counts."""
MEASURE_S = 3.0
"""Seconds after which a step is not repeated any more."""
MEASURED_ROWS = 1024
"""Rows of the measured prefill step; a row of a larger step takes no longer."""
PER_LAYER = ("attention", "router", "experts")
"""Parts of the engine's meter that grow with the depth."""


@dataclass(frozen=True)
class EnginePace:
    """Seconds on this machine, as busy as it is now: a step of `rows` tokens takes step_s + rows * row_s."""

    step_s: float
    row_s: float

    def answer_s(
        self, prompts: Items[int], answers: Items[int], config: EngineConfig, read_s: float = 0.0
    ) -> float:
        """Seconds to answer all samples under continuous batching. `prompts`, `answers`: tokens of each sample.
        `read_s`: what a step reads from disk at the same time; the longer of both counts."""
        rows = sum(prompts) + sum(answers)
        full = prompt_steps(prompts, config)
        others = max(num_steps(prompts, answers, config) - full, 1)
        return full * self.with_reading(config.token_budget, read_s) + others * self.with_reading(
            max(0, rows - full * config.token_budget) / others, read_s
        )

    def with_reading(self, rows: float, read_s: float) -> float:
        """Seconds of a step of `rows` tokens beside which weights are read for read_s."""
        return max(read_s, self.step_s + rows * self.row_s)


def prompt_steps(prompts: Items[int], config: EngineConfig) -> int:
    """Steps that read the first prompts before anything else can be done."""
    return max(-(-sum(prompts[: config.max_running]) // config.token_budget) - 1, 0)


def num_steps(prompts: Items[int], answers: Items[int], config: EngineConfig) -> int:
    """Steps of the engine: a freed place is taken by the next sample, in order; the first prompts are read alone.

    Example: answers of 5, 1, 1 and 1 tokens in two places take 5 steps.
    """
    free_at = [0] * min(config.max_running, len(answers))
    for tokens in answers:
        heapq.heapreplace(free_at, free_at[0] + tokens)
    return max(free_at, default=0) + prompt_steps(prompts, config)


def measure(model: DecoderConfig, config: EngineConfig, batch: int, context: int) -> EnginePace:
    """`batch` sequences decode at once, `context` tokens long in the middle of their answers."""
    context = max(2, min(context, model.max_positions))
    depth = _depth(model, config.precision)
    budget = min(config.token_budget, MEASURED_ROWS)
    prefill = [min(context, budget)] * max(1, budget // context)
    rows = sum(prefill)
    decode_s, prefill_s = _step_seconds(
        replace(model, num_layers=depth, max_positions=context),
        config,
        [([context] * batch, 1), (prefill, prefill[0])],
        model.num_layers / depth,
    )
    if rows <= batch:
        return EnginePace(decode_s, 0.0)
    row_s = max(prefill_s - decode_s, 0.0) / (rows - batch)
    return EnginePace(max(decode_s - batch * row_s, 0.0), row_s)


def _depth(model: DecoderConfig, precision: Precision) -> int:
    from assay.engine.residency import WEIGHT_BYTES

    layer = model.dense_layer_parameters + model.num_experts * model.expert_parameters
    return min(model.num_layers, max(2, -(-COLD_BYTES // (layer * WEIGHT_BYTES[precision]))))


def _step_seconds(
    model: DecoderConfig, config: EngineConfig, kinds: Items[tuple[Items[int], int]], deeper: float
) -> list[float]:
    """Median seconds of a step of each kind, its layers' share times `deeper`.

    A kind: the tokens of each sequence, and how many of them, the last, the step computes. Kinds take turns.
    """
    import torch

    from assay.engine.forward import Forward
    from assay.engine.insight import Meter
    from assay.engine.ops.choice import choose_ops
    from assay.engine.weights import expected_shapes, expert_tensors, load_model

    def seconds(of: Batch) -> float:
        meter.reset()
        began = time.perf_counter()
        forward.run(of)
        took = time.perf_counter() - began
        return took + (deeper - 1) * sum(meter.nanoseconds[part] for part in PER_LAYER) / 1e9

    meter = Meter(model)
    ops, _ = choose_ops(config, model)
    shapes = expected_shapes(model, is_stacked=False)
    experts = expert_tensors(model)
    weights = _random({name: shape for name, shape in shapes.items() if name not in experts})
    most = max(sum(map(blocks_for, lengths)) for lengths, _ in kinds)
    with torch.inference_mode():
        loaded = load_model(model, weights, ops, lambda _: None, has_copy=True)
        _place_experts(loaded)
        forward = Forward(loaded, most, meter, config.has_int8_kv)
        batches = [_batch(model.vocab_size, *kind) for kind in kinds]
        for warm in batches:
            seconds(warm)
        took: list[list[float]] = [[] for _ in batches]
        until = time.perf_counter() + MEASURE_S
        while len(took[0]) < REPEATS and (not took[0] or time.perf_counter() < until):
            for times, one in zip(took, batches):
                times.append(seconds(one))
    return [statistics.median(times) for times in took]


def _batch(vocabulary: int, lengths: Items[int], size: int) -> Batch:
    """Sequences of random ids, of these lengths; a step computes the last `size` tokens of each."""
    import torch

    from assay.engine.batch import Batch, Chunk
    from assay.engine.sequence import EngineRequest, Sequence

    chunks, used = [], 0
    for number, length in enumerate(lengths):
        prompt = tuple(torch.randint(vocabulary, (length,)).tolist())
        blocks = list(range(used, used + blocks_for(length)))
        used += len(blocks)
        chunks.append(Chunk(Sequence(EngineRequest(number, prompt), blocks=blocks), length - size, length))
    return Batch(tuple(chunks))


def _place_experts(model: Decoder) -> None:
    """Random experts; as many different ones as no cache holds, each in several places."""
    import torch

    ops, shape = model.ops, model.config
    hidden, inner = shape.hidden_size, shape.intermediate_size
    everywhere = [(layer, e) for layer in model.layers for e in range(shape.num_experts)]
    count = min(len(everywhere), 1 + COLD_BYTES // ops.expert_bytes)
    memory = torch.empty((count, ops.expert_bytes), dtype=torch.uint8)
    for each in memory:
        gate, up, down = (
            torch.empty(size, dtype=torch.bfloat16).normal_(0, 0.02)
            for size in ((inner, hidden), (inner, hidden), (hidden, inner))
        )
        ops.pack_expert(gate, up, down, each)
    for place, (layer, e) in enumerate(everywhere):
        ops.place_expert(layer.moe, e, memory[place % count])


def _random(shapes: dict[str, tuple[int, ...]]) -> Checkpoint:
    """A checkpoint of small random weights in these shapes, without a file."""
    import torch

    from assay.engine import checkpoint

    class Random(checkpoint.Checkpoint):
        def __init__(self) -> None:
            self.folder = Path("random")
            self.files = ()
            self.stored = {
                name: checkpoint.Stored(self.folder, "BF16", shape, 0) for name, shape in shapes.items()
            }

        def tensor(self, name: str) -> torch.Tensor:
            return torch.empty(self.stored[name].shape, dtype=torch.bfloat16).normal_(0, 0.02)

        def drop_pages(self) -> None:
            """Does nothing: no file is mapped."""

    return Random()
