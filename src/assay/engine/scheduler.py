"""Which sequences run in the next step. Pure decisions over sequences and block counts: no torch, no clock.

Every step fills one token budget: first one token of each sequence that decodes, then chunks of prompts
that are being read, then new sequences while slots and KV allow. A sequence is admitted with room for the
tokens it has; while it decodes it grows. When KV runs out, the sequence admitted last is preempted: its
tokens stay, its KV is computed again later. Preempted sequences are admitted before all that wait, and the one
admitted first is never preempted, so everything finishes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from dataclasses import dataclass

from assay.engine.batch import Batch, Chunk
from assay.engine.kv_blocks import BLOCK_TOKENS, SPARE_BLOCKS, KvBlocks, blocks_for
from assay.engine.sequence import EngineRequest, Finished, Sequence
from assay.ground.errors import ConfigError


@dataclass(frozen=True)
class Accepted:
    """What one step brought: sequences that got their first new token, and those that are done."""

    first_tokens: tuple[tuple[int, int], ...]
    """(request id, token id)"""
    finished: tuple[Finished, ...]


class Scheduler:
    """Continuous batching with chunked prefill over a pool of KV blocks."""

    def __init__(self, blocks: KvBlocks, max_running: int, token_budget: int, order: str = "arrival") -> None:
        assert token_budget >= max_running, "a step must hold one token of every running sequence"
        self.blocks = blocks
        self.max_running = max_running
        self.token_budget = token_budget
        self.num_preempted = 0
        self._longest_first = order == "longest-prompt"
        self._arrived: list[Sequence] = []
        self._queue: deque[Sequence] = deque()
        self._running: list[Sequence] = []
        """In order of admission."""

    @property
    def num_running(self) -> int:
        return len(self._running)

    @property
    def num_waiting(self) -> int:
        return len(self._queue) + len(self._arrived)

    @property
    def has_work(self) -> bool:
        return bool(self._running or self._queue or self._arrived)

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence. Raises: ConfigError when it might not finish even with all KV to itself."""
        self.refuse_without_room(sequence.request)
        self._arrived.append(sequence)

    def refuse_without_room(self, request: EngineRequest) -> None:
        """Raises: ConfigError when the request might not finish even with all KV to itself."""
        longest = len(request.prompt) + request.max_new_tokens - 1
        if blocks_for(longest) > self.blocks.count:
            raise ConfigError(
                f"request {request.id} may need KV for {longest} tokens; "
                f"the engine has room for {self.blocks.count * BLOCK_TOKENS}",
                "raise kv_tokens or lower max_new_tokens",
            )

    def cancel(self, ids: Container[int]) -> None:
        """Drop the sequences of these requests wherever they are; their KV is free again."""
        for sequence in self._running:
            if sequence.request.id in ids:
                self.blocks.give_back(sequence.forget_kv())
        self._running = [s for s in self._running if s.blocks]
        self._queue = deque(s for s in self._queue if s.request.id not in ids)
        self._arrived = [s for s in self._arrived if s.request.id not in ids]

    def next_batch(self) -> Batch:
        """Choose the chunks of the next step; their sequences own all the blocks they fill.
        Never empty while has_work."""
        chunks = self._decode()
        room = self.token_budget - len(chunks)
        for sequence in self._running:
            if room and sequence.num_pending > 1:
                chunks.append(_prefill(sequence, room))
                room -= chunks[-1].size
        while room and (admitted := self._admit()) is not None:
            chunks.append(_prefill(admitted, room))
            room -= chunks[-1].size
        return Batch(tuple(chunks))

    def accept(self, batch: Batch, tokens: list[int]) -> Accepted:
        """Book a computed step; `tokens` are the choices for batch.sampling. Finished sequences leave."""
        for chunk in batch.chunks:
            chunk.sequence.num_computed = chunk.stop
        first: list[tuple[int, int]] = []
        finished: list[Finished] = []
        sampling = [chunk.sequence for chunk in batch.chunks if chunk.samples]
        assert len(tokens) == len(sampling), "one token for each sequence that reached its end"
        for sequence, token in zip(sampling, tokens):
            sequence.new_tokens.append(token)
            if len(sequence.new_tokens) == 1:
                first.append((sequence.request.id, token))
            if (reason := sequence.finish_reason()) is not None:
                finished.append(Finished(sequence.request.id, tuple(sequence.new_tokens), reason))
                self.blocks.give_back(sequence.forget_kv())
        if finished:
            self._running = [s for s in self._running if s.blocks]
        return Accepted(tuple(first), tuple(finished))

    def _decode(self) -> list[Chunk]:
        """One token of every sequence that decodes; the last admitted are preempted when KV runs out."""
        chunks: list[Chunk] = []
        for sequence in list(self._running):
            if sequence.num_pending == 1 and self._grow(sequence):
                chunks.append(Chunk(sequence, sequence.num_computed, sequence.num_tokens))
        return chunks

    def _grow(self, sequence: Sequence) -> bool:
        """Own blocks for all tokens of `sequence`; False when it was preempted itself."""
        missing = blocks_for(sequence.num_tokens) - len(sequence.blocks)
        while sequence.blocks and missing > self.blocks.num_free:
            self._preempt(self._running.pop())
        if sequence.blocks:
            sequence.blocks += self.blocks.take(missing)
        return bool(sequence.blocks)

    def _preempt(self, sequence: Sequence) -> None:
        self.blocks.give_back(sequence.forget_kv())
        self._queue.appendleft(sequence)
        self.num_preempted += 1

    def _admit(self) -> Sequence | None:
        """The next sequence of the queue, if a slot is free and KV holds its tokens with a block to spare for each
        sequence that runs."""
        if not self._queue:
            self._queue_arrivals()
        if not self._queue or len(self._running) >= self.max_running:
            return None
        needed = blocks_for(self._queue[0].num_tokens)
        if needed + SPARE_BLOCKS * len(self._running) > self.blocks.num_free:
            return None
        sequence = self._queue.popleft()
        sequence.blocks = self.blocks.take(needed)
        self._running.append(sequence)
        return sequence

    def _queue_arrivals(self) -> None:
        """Queue all that have arrived. Later ones wait until the queue is empty: none is passed over for ever."""
        if self._longest_first:
            self._arrived.sort(key=lambda s: -len(s.request.prompt))
        self._queue.extend(self._arrived)
        self._arrived.clear()


def _prefill(sequence: Sequence, room: int) -> Chunk:
    """The next tokens of a prompt, at most `room` of them."""
    start = sequence.num_computed
    return Chunk(sequence, start, start + min(room, sequence.num_pending))
