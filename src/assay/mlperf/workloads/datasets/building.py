"""Builder: how a workload makes a set in its schema from files of a user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.mlperf.data.columns import Columns
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.scoring.programs.program import Grader


@dataclass(frozen=True)
class Order:
    """What a set is built from: sources, size, seed, grading."""

    sources: Mapping[str, Path]
    """Name of a source -> its file or folder; every source of the builder is there."""
    tokenizer: Tokenizer
    """Of the checkpoint that is to be run."""
    samples: int
    seed: int = 0
    """Of the choice of rows."""
    grade: Grader | None = None
    """Only rows whose canonical program passes are taken; None = all."""


@dataclass(frozen=True)
class Builder:
    """What `assay dataset build` asks for and calls."""

    sources: tuple[str, ...]
    """Flags of `assay dataset build`, without their dashes: gsm8k, mbxp, instruct or texts."""
    build: Callable[[Order], Columns]
    """Raises: ArtifactError for files of another kind; ConfigError when they hold too few usable rows."""
    note: str
    """Notes for readers about the set that is made."""
    has_programs: bool = False
    """It can leave out rows whose canonical program does not pass."""
