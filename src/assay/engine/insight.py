"""Where the time of a run goes, and which experts see its tokens. Two clock readings per part and layer.

Times are of the caller's clock: what the parts' kernels compute and what they wait for.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from assay.engine.batch import Batch
from assay.engine.decoder_config import DecoderConfig
from assay.engine.residency import HEAD_BYTES_MIN

KV_POINTS = 128
"""Most points of the KV curve; when it has more, every second one goes and it is kept half as often."""
PARTS = ("waiting", "scheduler", "attention", "router", "reading", "experts", "head", "sampling")


class _Part:
    """Books the time of a `with` block under a name. Not for blocks of the same part within each other."""

    __slots__ = ("_into", "_name", "_start")

    def __init__(self, into: dict[str, int], name: str) -> None:
        self._into, self._name, self._start = into, name, 0

    def __enter__(self) -> None:
        self._start = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        self._into[self._name] += time.perf_counter_ns() - self._start


class Meter:
    """Counters of one engine since it was made or last reset."""

    def __init__(self, config: DecoderConfig) -> None:
        self._config = config
        self._start_LE = torch.zeros(config.num_layers, config.num_experts + 1, dtype=torch.int32)
        """Routing.start_E of the layers of the step that is computed"""
        self.reset()

    def reset(self) -> None:
        self.nanoseconds = dict.fromkeys(PARTS, 0)
        self._parts = {name: _Part(self.nanoseconds, name) for name in PARTS}
        self.steps = self.tokens = self.sampled = self.keys_read = self.experts_read = self.kv_blocks_peak = 0
        self._began = time.perf_counter()
        self._kv_stride = 1
        self.kv_curve: list[tuple[float, int]] = []
        """(seconds since the start, KV blocks in use)"""
        self.experts_LE = torch.zeros(self._config.num_layers, self._config.num_experts, dtype=torch.int64)

    def part(self, name: str) -> _Part:
        """Book the time of the block under `name`."""
        return self._parts[name]

    def keep_experts(self, layer: int, start_E: Tensor) -> None:
        """Which rows each expert of a layer has in this step; count_step adds them up."""
        self._start_LE[layer] = start_E

    def count_step(self, batch: Batch, kv_blocks: int) -> None:
        """One computed step, with `kv_blocks` in use."""
        if self.steps % self._kv_stride == 0:
            self.kv_curve.append((round(time.perf_counter() - self._began, 3), kv_blocks))
        if len(self.kv_curve) > KV_POINTS:
            self.kv_curve = self.kv_curve[::2]
            self._kv_stride *= 2
        rows_LE = self._start_LE.diff()
        self.experts_LE += rows_LE
        self.experts_read += int(rows_LE.count_nonzero())
        self.steps += 1
        self.tokens += batch.num_tokens
        self.sampled += len(batch.sampling)
        self.keys_read += sum(c.size * (c.start + 1 + c.stop) // 2 for c in batch.chunks)
        self.kv_blocks_peak = max(self.kv_blocks_peak, kv_blocks)

    def flops(self) -> dict[str, int]:
        """Arithmetic done per part, from the counts: 2 per multiply-add of a matrix product."""
        c = self._config
        return {
            "attention": 2
            * c.num_layers
            * (self.tokens * c.dense_layer_parameters + 2 * self.keys_read * c.q_size),
            "experts": 2 * int(self.experts_LE.sum()) * c.expert_parameters,
            "head": 2 * self.sampled * c.hidden_size * c.vocab_size,
        }

    def weights_read(self, weight_bytes: int) -> dict[str, int]:
        """Bytes of weights that each part's steps pass over; experts without a token are not read."""
        c = self._config
        return {
            "attention": self.steps * c.num_layers * c.dense_layer_parameters * weight_bytes,
            "experts": self.experts_read * c.expert_parameters * weight_bytes,
            "head": self.steps * c.hidden_size * c.vocab_size * max(weight_bytes, HEAD_BYTES_MIN),
        }

    def report(self, weight_bytes: int) -> dict[str, Any]:
        """Plain values for a result: seconds, GFLOP/s and GB/s of weights per part, counts, tokens per expert."""
        seconds = {name: ns / 1e9 for name, ns in self.nanoseconds.items()}

        def per_second(amounts: dict[str, int]) -> dict[str, float]:
            return {name: round(n / seconds[name] / 1e9, 1) for name, n in amounts.items() if seconds[name]}

        return {
            "seconds": {name: round(s, 4) for name, s in seconds.items()},
            "gflop_per_s": per_second(self.flops()),
            "weights_gb_per_s": per_second(self.weights_read(weight_bytes)),
            "steps": self.steps,
            "tokens_computed": self.tokens,
            "tokens_sampled": self.sampled,
            "kv_blocks_peak": self.kv_blocks_peak,
            "kv_blocks_over_seconds": self.kv_curve,
            "tokens_per_expert": self.experts_LE.tolist(),
        }
