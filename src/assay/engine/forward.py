"""One step on the machine: a Batch of token chunks in, the chosen next tokens out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from assay.engine.batch import Batch, Chunk
from assay.engine.decoder import Decoder
from assay.engine.insight import Meter
from assay.engine.kv_blocks import blocks_for
from assay.engine.ops import Step
from assay.engine.sampling import greedy
from assay.engine.sequence import EngineRequest, Sequence
from assay.ground.errors import ArtifactError


class Forward:
    """A packed model with its KV memory."""

    def __init__(self, model: Decoder, num_blocks: int, meter: Meter, has_int8_kv: bool = False) -> None:
        self.model = model
        self.meter = meter
        self._cache: Any = model.ops.new_cache(num_blocks, has_int8_kv)
        self.kv_precision = model.ops.kv_precision(self._cache)

    def run(self, batch: Batch) -> list[int]:
        """Compute the batch and choose a token for each chunk of batch.sampling.

        Raises: ArtifactError naming a request whose scores are NaN; no token of the step is kept."""
        with self.meter.part("scheduler"):
            step = lay_out(batch)
        with torch_threads(self.model.ops.torch_threads):
            logits_LV = self.model.logits(step, self._cache, self.meter)
            with self.meter.part("sampling"):
                sampling = [chunk.sequence for chunk in batch.sampling]
                tokens = greedy(logits_LV, [sequence.banned for sequence in sampling], self.model.ops)
        if -1 in tokens:
            raise ArtifactError(
                f"request {sampling[tokens.index(-1)].request.id}: the scores of its next token are NaN; "
                "weights or activations leave the range of their numbers",
                "bfloat16 or float32 where it was float16, else other weights; cancel() lets other requests go on",
            )
        return tokens

    def score(self, tokens: tuple[int, ...]) -> Tensor:
        """Scores after each of `tokens`, computed in the first KV blocks; float32 (T, V)."""
        alone = Sequence(EngineRequest(-1, tokens), blocks=list(range(blocks_for(len(tokens)))))
        step = replace(lay_out(Batch((Chunk(alone, 0, len(tokens)),))), sampled_L=torch.arange(len(tokens)))
        with torch_threads(self.model.ops.torch_threads):
            return self.model.logits(step, self._cache, self.meter).clone()


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """PyTorch's own threads for the block; None leaves them. Idle ones would spin on our kernels' cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def lay_out(batch: Batch) -> Step:
    """The batch as tensors; see Step for an example."""
    chunks = batch.chunks
    tables = [c.sequence.blocks[: blocks_for(c.stop)] for c in chunks]
    row_start = [0, *itertools.accumulate(c.size for c in chunks)]
    return Step(
        tokens_T=torch.tensor([t for c in chunks for t in c.sequence.token_slice(c.start, c.stop)]),
        positions_T=_int32([p for c in chunks for p in range(c.start, c.stop)]),
        row_start_S=_int32(row_start),
        context_S=_int32([c.stop for c in chunks]),
        table_start_S=_int32([0, *itertools.accumulate(map(len, tables))]),
        table=_int32([block for table in tables for block in table]),
        sampled_L=torch.tensor(
            [end - 1 for c, end in zip(chunks, row_start[1:]) if c.samples], dtype=torch.int64
        ),
    )


def _int32(values: list[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.int32)
