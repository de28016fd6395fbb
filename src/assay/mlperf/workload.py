"""Workload: what to measure. The numbers that change from round to round live in `round.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.mlperf.sample import Subset


@dataclass(frozen=True)
class Generation:
    """Greedy generation rules. Source: inference_rules, section on additional inference parameters."""

    min_new_tokens: int
    max_new_tokens: int
    eos_id: int
    stop_subsets: tuple[Subset, ...] = (Subset.MBXP,)
    """Subsets whose answers end at the sample's stop sequence (kept in the answer)."""


@dataclass(frozen=True)
class Workload:
    """A benchmark that Assay can run, whatever the round."""

    name: str
    loadgen_key: str
    """Model name given to LoadGen; its mlperf.conf knows `mixtral-8x7b`, other keys set their own."""
    official: str
    """Official benchmark whose rounds it is run in: their LoadGen, seeds and form of a submission."""
    description: str
    checkpoint_hint: str
    """What to do when the checkpoint is missing."""
    dataset_hint: str
    is_embedded: bool
    """True when model and dataset are part of the package."""
    test_samples: int | None
    """Samples of a test-style run when none are asked for; None = the whole dataset."""
    eos_id: int
    defaults: Mapping[str, str]
    """Dotted config field -> text: what this workload sets unless asked otherwise."""
