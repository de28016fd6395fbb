"""What one step computes: a chunk of each sequence that takes part, laid end to end without padding."""

from __future__ import annotations

from dataclasses import dataclass

from assay.engine.sequence import Sequence


@dataclass(frozen=True)
class Chunk:
    """Tokens start..stop of one sequence. Its KV for 0..start exists; its blocks reach to `stop`."""

    sequence: Sequence
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    @property
    def samples(self) -> bool:
        """True when the chunk reaches the sequence's last token, so that the step chooses the next one."""
        return self.stop == self.sequence.num_tokens


@dataclass(frozen=True)
class Batch:
    """The chunks of one step. Example: sequences of 3 (prefill) and 1 (decode) tokens are 4 rows, the
    second chunk starting at row 3."""

    chunks: tuple[Chunk, ...]

    def __post_init__(self) -> None:
        assert all(c.size > 0 for c in self.chunks), "an empty chunk"

    @property
    def num_tokens(self) -> int:
        return sum(c.size for c in self.chunks)

    @property
    def sampling(self) -> tuple[Chunk, ...]:
        """Chunks that get a next token, in batch order."""
        return tuple(c for c in self.chunks if c.samples)
