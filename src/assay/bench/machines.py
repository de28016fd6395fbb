"""What other machines would make of a model: for each memory and disk, where weights live and tokens/s.

The arithmetic is that of this machine's processor, which is measured; memory and disk are those of the table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.config import Precision
from assay.engine import residency
from assay.engine.config import EngineConfig
from assay.engine.families import model_config
from assay.ground.errors import EnvironmentProblem
from assay.suts import engine_pace, engine_plan
from assay.suts.engine_pace import EnginePace

MEMORY_GIB = (16, 24, 32, 64, 128)
DISKS = (0.5, 2.0, 6.0)
"""GB/s read: a SATA disk, an NVMe disk of the third and one of the fourth generation of PCIe"""
TAKEN_GIB = 2
"""By the system and by Assay's processes before the engine plans"""
BATCH, PROMPT, ANSWER = 1024, 256, 145
"""Sequences at most; tokens of a sample. Answers: the mean of the official Mixtral set's reference."""


@dataclass(frozen=True)
class Machine:
    """One row of the table."""

    memory_gib: int
    batch: int
    """Sequences at once that KV has room for; 0: the model cannot run"""
    step_gb: float
    """Read from disk by a step; 0: all weights are in memory"""
    resident_experts: int
    tokens_per_s: tuple[float, ...]
    """For each of DISKS"""


def table(tree: Mapping[str, Any], precision: Precision, kv_precision: str = "auto") -> list[Machine]:
    """For a model by its config.json; measures this processor for some seconds. `kv_precision`: as EngineConfig's.
    Raises: ConfigError for a model that the engine does not run."""
    model = model_config(tree, "config.json")
    asked = EngineConfig(
        Path("model"),
        precision,
        max_running=BATCH,
        token_budget=4 * BATCH,
        kv_precision=kv_precision,
        typical_tokens=PROMPT + ANSWER,
    )
    pace = engine_pace.measure(model, asked, 256, PROMPT + ANSWER // 2)
    found = []
    for memory in MEMORY_GIB:
        try:
            plan = residency.plan(model, asked, (memory - TAKEN_GIB) * residency.GIB)
        except EnvironmentProblem:
            found.append(Machine(memory, 0, 0.0, 0, ()))
            continue
        batch = engine_plan.at_once(asked, plan).max_running
        reads = [plan.step_bytes / (rate * 1e9) for rate in DISKS]
        speeds = tuple(tokens_per_s(pace, batch, read_s) for read_s in reads)
        found.append(Machine(memory, batch, plan.step_bytes / 1e9, len(plan.resident), speeds))
    return found


def tokens_per_s(pace: EnginePace, batch: int, read_s: float) -> float:
    """Of a full batch whose places are taken by the next sample: an answer's token costs its share of a prompt too."""
    return batch / pace.with_reading(batch * (1 + PROMPT / ANSWER), read_s)


def to_list(machines: list[Machine]) -> list[dict[str, Any]]:
    """Plain JSON values."""
    return [dataclasses.asdict(each) for each in machines]
