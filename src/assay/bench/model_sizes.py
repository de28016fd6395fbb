"""ModelSizes: what the published model of a workload takes, by precision, and which of them fit into a memory.

Arithmetic over the workload's own facts; nothing is fetched or opened.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from assay import suts
from assay.config import BYTES_PER_WEIGHT, Mode, Precision
from assay.ground.errors import AssayError
from assay.mlperf import workloads
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.workloads.workload import Workload
from assay.suts import shape

BESIDE_BYTES = 1_000_000_000
"""A run beside weights, keys and values: processes, logits, LoadGen. Source: the plans of both SUTs, rounded up."""


@dataclass(frozen=True)
class ModelSizes:
    """Of one published model. Bytes."""

    workload: str
    source: str
    parameters: int
    stored_bytes: int
    """As it is published."""
    weight_bytes: dict[str, int]
    """Precision -> weights in memory."""
    kv_bytes_per_token: int
    """Keys and values of one token in all layers, in 16 bits."""
    longest_tokens: int
    """Longest prompt and longest answer together."""
    can: dict[str, tuple[str, ...]]
    """SUT that loads weights -> precisions in which it runs this model."""

    @property
    def longest_kv_bytes(self) -> int:
        """Keys and values of one sequence of the longest prompt and answer."""
        return self.kv_bytes_per_token * self.longest_tokens

    def needed_bytes(self, precision: str) -> int:
        """Memory to run one longest sequence at a time; a larger batch takes more."""
        factor = max(BYTES_PER_WEIGHT[Precision(precision)] / 2, 1)
        return self.weight_bytes[precision] + int(self.longest_kv_bytes * factor) + BESIDE_BYTES

    def fitting(self, memory_bytes: int) -> dict[str, tuple[str, ...]]:
        """The part of `can` that this memory holds."""
        fits = {
            sut: tuple(p for p in able if self.needed_bytes(p) <= memory_bytes)
            for sut, able in self.can.items()
        }
        return {sut: able for sut, able in fits.items() if able}

    def to_dict(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "longest_kv_bytes": self.longest_kv_bytes}


def of(workload: Workload) -> ModelSizes | None:
    """None for a workload without a published model: its checkpoint ships with it, or is the user's."""
    model = workload.model
    if model is None:
        return None
    shaped = shape.of(model.config) if model.has_shape else None
    rules = workloads.round_of(None, workload.name).workload(workload.official_name)
    answer = max(rules.max_new_tokens or 0, rules.accuracy_max_new_tokens or 0)
    kv = shaped.kv_bytes_per_token(Precision.BFLOAT16) if shaped else model.kv_bytes_per_token
    return ModelSizes(
        workload=workload.name,
        source=model.source,
        parameters=model.parameters,
        stored_bytes=model.size_bytes,
        weight_bytes={p.value: int(model.parameters * b) for p, b in BYTES_PER_WEIGHT.items()},
        kv_bytes_per_token=kv or 0,
        longest_tokens=workload.prompt_tokens_max + answer,
        can={kind.name: tuple(p.value for p in kind.precisions) for kind in _able(workload)},
    )


def table() -> list[ModelSizes]:
    """Of every workload with a published model, the smallest first; those of one model stand together."""
    found = (of(workload) for workload in workloads.TABLE.values())
    return sorted(
        (each for each in found if each is not None), key=lambda each: (each.parameters, each.workload)
    )


def could_run(sizes: Iterable[ModelSizes], memory_bytes: int) -> list[str]:
    """The models that fit, one workload for each: `llama3.1-8b (engine in int8)`."""
    found: dict[str, str] = {}
    for each in sizes:
        if able := each.fitting(memory_bytes):
            how = "; ".join(f"{sut} in {', '.join(precisions)}" for sut, precisions in able.items())
            found.setdefault(each.source, f"{each.workload} ({how})")
    return list(found.values())


def _able(workload: Workload) -> Iterator[SutKind]:
    """SUTs that load weights, take the workload in its first scenario and run such a model."""
    scenario = next(iter(workload.loadgen_keys))
    for kind in suts.kinds():
        if not kind.needs_checkpoint or not kind.precisions:
            continue
        try:
            refused = kind.refuse(workload, scenario, Mode.PERFORMANCE)
        except AssayError:
            continue
        if refused is None and kind.takes_model(workload.model.config if workload.model else {}):
            yield kind
