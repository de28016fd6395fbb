"""Sample: one row of a dataset, whatever its workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    """One row; `index` is LoadGen's sample index, and its position in the file unless `file_row` says another."""

    index: int
    id: str
    subset: str
    """The part of the dataset that the row belongs to, in the workload's own words; `""` where there are no parts."""
    prompt: str
    prompt_ids: tuple[int, ...]
    """The prompt of the model, used as it is, a double BOS of an official set included."""
    truth: str
    """What a scorer compares the answer with: answer text, number as text, or test program."""
    reference_ids: tuple[int, ...]
    """The reference model's answer; empty when the file has none."""
    stop_ids: tuple[int, ...]
    """Generation ends once the last ids are these, which stay in the answer; empty = at end-of-sequence only."""
    file_row: int | None = None
    """Where it lies in the file, when a run uses other rows than the first."""
    language: str | None = None
    """Programming language of an answer that is run to be graded; None for any other."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Further cells of the row that the workload's scorers need, by name."""

    @property
    def row(self) -> int:
        return self.index if self.file_row is None else self.file_row
