"""Sample: one row of the dataset, and the names of its three subsets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Subset(str, Enum):
    """Value of the official column `dataset`."""

    OPENORCA = "OpenOrca"
    GSM8K = "GSM8K"
    MBXP = "MBXP"


@dataclass(frozen=True)
class Sample:
    """One row; `index` is LoadGen's sample index, and its position in the file unless `file_row` says another."""

    index: int
    id: str
    """`<source>.<n>`; for MBXP `<language>_<entry point>`."""
    subset: Subset
    prompt: str
    prompt_ids: tuple[int, ...]
    """`tok_input`: used as it stands, the double BOS of the official set included."""
    truth: str
    """`gt_output`: answer text, number as text, or test program."""
    reference_ids: tuple[int, ...]
    """`tok_ref_output`: the reference model's answer; empty when the file has none."""
    stop_ids: tuple[int, ...]
    """`tok_stop_sequence`: generation ends once the last ids are these."""
    file_row: int | None = None
    """Where it lies in the file, when a run uses other rows than the first."""

    @property
    def row(self) -> int:
        return self.index if self.file_row is None else self.file_row

    @property
    def language(self) -> str | None:
        """MBXP language (the id before its first `_`), else None."""
        return self.id.split("_", 1)[0] if self.subset is Subset.MBXP else None
