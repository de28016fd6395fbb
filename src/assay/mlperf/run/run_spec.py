"""RunSpec: the settings of one LoadGen run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from assay.config import Mode, Scenario
from assay.mlperf.compliance import audit_config
from assay.mlperf.logs import names
from assay.mlperf.rounds.round import Seeds
from assay.mlperf.rounds.round_workload import Latency

OFFLINE_HEADROOM = 1.1
"""LoadGen makes an Offline query 10 % larger than target_qps x duration. Source: LoadGen,
RequestedTestSettings."""


@dataclass(frozen=True)
class RunSpec:
    """What LoadGen is asked for. A test-style run over n samples: min_query_count = max_query_count = n."""

    scenario: Scenario
    mode: Mode
    loadgen_key: str
    """Model name given to LoadGen."""
    samples: int
    """Samples of the dataset, all of them resident (performance_sample_count)."""
    target_qps: float
    """Samples/s: the arrival rate of Server, and what sizes an Offline query that a duration asks for."""
    seeds: Seeds
    """The round's; LoadGen must report the same."""
    out: Path
    """Folder of LoadGen's logs; must hold none yet."""
    user_conf: Path
    """Where the settings are written, and kept."""
    has_loadgen_settings: bool = False
    """Token latencies and limits of the key are built into LoadGen; for any other `user_conf` writes them itself."""
    token_latencies: bool = True
    """First tokens and the time per token are measured (LoadGen's use_token_latencies)."""
    equal_issue: bool = True
    """Every sample is issued equally often (LoadGen's sample_concatenate_permutation)."""
    min_duration_ms: int = 0
    min_query_count: int | None = None
    """None = LoadGen's own."""
    max_query_count: int | None = None
    """None = no limit. In Server it is left to min_query_count: reaching the limit is an error to LoadGen."""
    latency: Latency | None = None
    """p99 limits of Server and Interactive, for keys that LoadGen does not know."""
    compliance: str = ""
    """`TEST06`: a performance run that also logs answers; its audit.config is written beside `user_conf`."""
    times: Path | None = None
    """Where the times of all queries are left; None = nowhere."""
    journal: Path | None = None
    """Where the answers of an accuracy run are kept as they come; None = nowhere."""
    asks: tuple[int, ...] | None = None
    """The samples that are asked for, as many as `samples`; None = all of the dataset's."""
    reads_audit_config: bool = True
    """False = this LoadGen cannot: its keys go into user.conf, and every answer is logged."""

    @property
    def target_latency_ms(self) -> float:
        """Expected time of one query, by which LoadGen decides how many it makes ready."""
        return 1000 / self.target_qps

    @property
    def audit_conf(self) -> Path | None:
        return (
            self.user_conf.parent / names.AUDIT_CONF if self.compliance and self.reads_audit_config else None
        )

    @property
    def answer_seed(self) -> int | None:
        """Seed of the answers' log, where that is switched on by hand; None where it is not."""
        if not self.compliance or self.reads_audit_config:
            return None
        return audit_config.settings(self.compliance)["accuracy_log_rng_seed"]

    @property
    def title(self) -> str:
        return f"{self.scenario.value} {self.compliance or self.mode.value}"

    @property
    def expected_samples(self) -> int:
        """Samples that this run will answer, for progress and memory: LoadGen rounds up to whole datasets."""
        if self.mode is Mode.ACCURACY:
            return self.samples
        if self.compliance:
            return max(self.min_query_count or 1, audit_config.settings(self.compliance)["min_query_count"])
        headroom = OFFLINE_HEADROOM if self.scenario is Scenario.OFFLINE else 1.0
        by_duration = math.ceil(headroom * self.min_duration_ms / 1000 * self.target_qps)
        return max(self.min_query_count or 1, min(by_duration, self.max_query_count or by_duration))
