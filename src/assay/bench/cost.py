"""Memory, disk and seconds of a run: arithmetic over the facts that `plan` found, and a few timed products."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.config import BenchmarkConfig, Mode
from assay.ground import cores
from assay.mlperf.data.sample import Sample
from assay.mlperf.run.job import Job
from assay.mlperf.sut.planner import SutPlanner, SutWork

# What has no source of its own is an estimate; benchmarks/plan_against_run.py holds the plans against real runs.
# Bytes are anonymous memory, measured while the embedded workload and SmolLM2 (2.8 GB of float32) ran on 2 cores.
PARENT_BYTES = 32_000_000
"""The supervising process with the dataset and scorers."""
TOKENIZER_FACTOR = 9
"""Bytes that a tokenizer takes for each byte of its file: 29 MB for a tokenizer.json of 3.5 MB, 5 MB for a
tokenizer.model of 0.5 MB."""
LOADGEN_BYTES = 15_000_000
GRADING_BYTES = 50_000_000
"""A compiler of C++ or TypeScript; one works on each core."""
LOAD_BYTES_PER_S = 250e6
"""Reading weights into a model and hashing them: 2.8 GB of float32 in 20 s with both precisions of SmolLM2."""
LOG_BYTES_PER_TOKEN = 8
"""Upper-case hex of an int32 in mlperf_log_accuracy.json."""
LOG_BYTES_PER_SAMPLE = 600
"""What LoadGen writes of a sample beside its ids; an estimate."""
PROGRAM_S = {
    "cpp": 0.35,
    "javascript": 0.069,
    "php": 0.042,
    "python": 0.043,
    "ruby": 0.030,
    "typescript": 0.19,
}
"""Seconds of one core to grade one MBXP program, in bubblewrap. Source: 30 canonical solutions of each language,
2 cores, the two that see that its tools work counted in."""
RUN_START_S = 1.0
"""A LoadGen child, from its start to its first query."""
PARENT_S = 1.0
"""The supervising process, from its start to the start of the SUT's, and its record and README at the end."""
SLOWDOWN_S = 0.2
"""CPU seconds of the computation that tells how much other processes slow the machine down."""
TREE_S = 0.5
"""Writing, packing and checking the submission tree of the embedded workload."""


@dataclass(frozen=True)
class Work:
    """The run to be estimated, as far as it is known."""

    config: BenchmarkConfig
    job: Job | None
    samples: Sequence[Sample]
    tokens: Sequence[int]
    """Expected length of each answer, the step that ends it included."""
    sut: SutWork | None
    """The work of the SUT; None when too little of it is known."""
    planner: SutPlanner | None
    """None = the SUT gives no estimates."""
    weight_bytes: int
    """Memory of a SUT that does not state its own; 0 without weights."""
    read_bytes: int
    tokenizer: Path | None = field(default=None)
    """Its file, where there is one."""
    slowdown: float = 1.0
    """Wall seconds per CPU second while other processes run; 1 on a quiet machine."""

    @property
    def runs(self) -> int:
        """LoadGen runs."""
        return len(self.config.modes) * len(self.config.scenarios)


def ram_bytes(work: Work) -> int:
    """Anonymous memory of all processes together at the highest point; the SUT's counts when it says so."""
    total = PARENT_BYTES + (sut_bytes(work) or work.weight_bytes)
    if Mode.ACCURACY not in work.config.modes:
        return total + LOADGEN_BYTES
    if work.tokenizer is not None:
        total += TOKENIZER_FACTOR * work.tokenizer.stat().st_size
    compiled = sum(s.language in ("cpp", "typescript") for s in work.samples)
    return total + max(LOADGEN_BYTES, GRADING_BYTES * min(compiled, cores.usable()))


def sut_bytes(work: Work) -> int | None:
    """Of the SUT's processes; None = not known."""
    return work.planner.ram_bytes(work.sut) if work.planner and work.sut else None


def log_bytes(work: Work) -> int:
    """What LoadGen writes."""
    return work.runs * (LOG_BYTES_PER_SAMPLE * len(work.samples) + LOG_BYTES_PER_TOKEN * sum(work.tokens))


def seconds(work: Work) -> tuple[dict[str, float], float | None]:
    """Seconds by part, and of all of it with every answer at the longest that is allowed.

    The SUT may time a few products of the model's shapes. Nothing is said without samples, or when it knows no pace.
    """
    known = work.planner.seconds(work.sut) if work.samples and work.planner and work.sut else None
    if known is None:
        return {}, None
    slowdown = work.slowdown
    load = work.read_bytes / LOAD_BYTES_PER_S if work.sut and work.sut.model_config else 0.0
    expected, longest = _runs_s(work, known.answer_s), _runs_s(work, known.answer_s_at_most)
    parts = {
        "start": slowdown * PARENT_S + known.start_s,
        "load": slowdown * load,
        "answer": expected + work.runs * slowdown * RUN_START_S,
        "score": slowdown * _scoring_s(work) if Mode.ACCURACY in work.config.modes else 0.0,
    }
    if work.job is not None and work.job.workload.own_rules is not None:
        parts["submission"] = slowdown * TREE_S
    return parts, sum(parts.values()) + longest - expected


def _runs_s(work: Work, answering: float) -> float:
    """Seconds of all LoadGen runs, each at least as long as it must be and, in Server, as its queries arrive."""
    least = work.job.min_duration_s() if work.job else 0.0
    rate = work.config.limits.target_qps
    arriving = len(work.samples) / rate if rate else 0.0
    each = [
        max(answering, least, arriving if scenario.is_paced else 0.0) for scenario in work.config.scenarios
    ]
    return len(work.config.modes) * sum(each)


def slowdown() -> float:
    """Wall seconds per CPU second here and now, from a short computation; at least 1."""
    began, computed = time.perf_counter(), time.process_time()
    while time.process_time() - computed < SLOWDOWN_S:
        pass
    return max(1.0, (time.perf_counter() - began) / (time.process_time() - computed))


def _scoring_s(work: Work) -> float:
    """Grading programs, two more of each language to see that its tools work, on all cores."""
    languages = Counter(s.language for s in work.samples if s.language)
    core_s = sum((n + 2) * PROGRAM_S.get(str(name), 1.0) for name, n in languages.items())
    return core_s / cores.usable()
