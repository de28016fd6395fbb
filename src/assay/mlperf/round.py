"""Round: the rules of one MLPerf Inference round as data, read from `rounds/<name>.toml`.

Every figure in those files carries its source. A round is asked by name (`v5.1`; `5.1`, `v4.1-dev` are read
as the round they belong to) and a workload of it by its official key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf.score import Target


@dataclass(frozen=True)
class Seeds:
    """LoadGen's three published seeds of a round."""

    qsl: int
    sample_index: int
    schedule: int


@dataclass(frozen=True)
class Wheel:
    """A `mlcommons-loadgen` release that carries a round's seeds: exact version, one SHA-256 per file name."""

    version: str
    sha256: Mapping[str, str]
    """file name of the wheel -> SHA-256"""
    memory_mb: int
    """Resident memory of a LoadGen process at start, MB (4.1.30 takes 10 GB)."""


@dataclass(frozen=True)
class Latency:
    """p99 limits of a Server run, milliseconds."""

    ttft_ms: float
    tpot_ms: float


@dataclass(frozen=True)
class RoundWorkload:
    """What one round demands of one workload."""

    key: str
    title: str
    suites: tuple[str, ...]
    required: tuple[str, ...]
    """Scenarios that closed and network submissions must hold."""
    one_of: tuple[str, ...]
    """Scenarios of which at least one must be present (v5.1: Server or Interactive); empty = no such rule."""
    dataset_samples: int
    """Rows of the official validation set."""
    performance_samples: int
    offline_min_queries: int
    min_new_tokens: int | None
    max_new_tokens: int | None
    latency: Mapping[str, Latency]
    """scenario -> limits"""
    targets: Mapping[str, Target]
    """metric -> gate"""
    compliance: tuple[str, ...]
    """Compliance tests demanded of closed submissions, as `TEST06`."""
    result_key: Mapping[str, str]
    """scenario -> key of the detail log that holds the official result"""
    result_unit: str
    dataset_file: str
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Round:
    name: str
    deadline: str
    seeds: Seeds
    wheels: tuple[Wheel, ...]
    min_duration_ms: int
    layout: str
    """`old`: measurements/ and compliance/ beside results/ (to v5.1); `new`: inside results/ (from v6.0)."""
    code_folder: str
    """`code` or `src`."""
    needs_mlperf_conf: bool
    system_fields: tuple[str, ...]
    system_fields_may_be_empty: tuple[str, ...]
    workloads: Mapping[str, RoundWorkload]
    refused: Mapping[str, str]
    """workload -> why it is not part of the round"""
    source: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    def workload(self, key: str) -> RoundWorkload:
        """Raises: ConfigError when the round does not hold the workload, with the reason."""
        if key in self.workloads:
            return self.workloads[key]
        if key in self.refused:
            raise ConfigError(
                f"{key} is not part of round {self.name}: {self.refused[key]}",
                f"assay rounds of {key}: " + ", ".join(rounds_of(key)),
            )
        raise ConfigError(f"round {self.name} holds no rules for {key}", did_you_mean(key, self.workloads))
