"""What a run comes to in memory, disk and seconds: arithmetic over what `plan` found out, and a few timed products."""

from __future__ import annotations

import functools
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from assay.bench import embedded
from assay.config import BenchmarkConfig, Mode, Scenario
from assay.mlperf.job import Job
from assay.mlperf.sample import Sample
from assay.suts.shape import BYTES, ModelShape

if TYPE_CHECKING:
    from assay.engine.config import EngineConfig, MixtralConfig

DEFAULT_BATCH = {"transformers": 1, "engine": 256}
"""What a SUT runs when no batch is asked for. Source: `DEFAULT_BATCH` and `TYPICAL_BATCH` in suts."""

# Bytes are anonymous memory, measured while the embedded workload and SmolLM2 (2.8 GB of float32) ran on 2 cores.
PARENT_BYTES = 32_000_000
"""The supervising process with the dataset and scorers."""
TOKENIZER_FACTOR = 9
"""Bytes that a tokenizer takes for each byte of its file: 29 MB for a tokenizer.json of 3.5 MB, 5 MB for a
tokenizer.model of 0.5 MB."""
LOADGEN_BYTES = 15_000_000
GRADING_BYTES = 50_000_000
"""A compiler of C++ or TypeScript; one works on each core."""
SUT_BYTES = {"echo": 18_000_000, "transformers": 500_000_000, "engine": 190_000_000}
"""A SUT process without weights. transformers keeps growing as lengths differ: 280 MB before its first answer,
590 MB after 300 of the embedded workload, 350 MB to 1.4 GB beside SmolLM2's weights."""
LOAD_BYTES_PER_S = 250e6
"""Reading weights into a model and hashing them: 2.8 GB of float32 in 20 s with both precisions of SmolLM2."""
LOG_BYTES_PER_TOKEN = 8
"""Upper-case hex of an int32 in mlperf_log_accuracy.json."""
LOG_BYTES_PER_SAMPLE = 600
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
class EngineFacts:
    """What the engine would be asked to run, and what importing it took."""

    model: MixtralConfig
    config: EngineConfig
    import_s: float


@dataclass(frozen=True)
class Work:
    """What is to be run, as far as it is known."""

    config: BenchmarkConfig
    job: Job | None
    samples: Sequence[Sample]
    tokens: Sequence[int]
    """Expected length of each answer, the step that ends it included."""
    shape: ModelShape | None
    """None without a model."""
    engine: EngineFacts | None
    """With the engine as SUT, and a model that it can run."""
    read_bytes: int
    tokenizer: Path | None = field(default=None)
    """Its file, where there is one."""
    slowdown: float = 1.0
    """Wall seconds per CPU second while other processes run; 1 on a quiet machine."""

    @property
    def batch(self) -> int:
        asked = self.config.limits.batch or DEFAULT_BATCH.get(self.config.sut, 1)
        return max(1, min(asked, len(self.samples) or asked))

    @property
    def runs(self) -> int:
        """LoadGen runs."""
        return len(self.config.modes) * len(self.config.scenarios)

    @property
    def longest_answer(self) -> int:
        """Tokens; 0 when the round does not say."""
        return (self.job.rules.max_new_tokens or 0) if self.job else 0

    @property
    def batches(self) -> list[list[int]]:
        """Places of the samples in some random order, as LoadGen asks for them, a batch at a time."""
        order = random.Random(0).sample(range(len(self.samples)), len(self.samples))
        return [order[i : i + self.batch] for i in range(0, len(order), self.batch)]


def ram_bytes(work: Work) -> int:
    """Anonymous memory of all processes together at the highest point."""
    total = PARENT_BYTES + _sut_bytes(work)
    if Mode.ACCURACY not in work.config.modes:
        return total + LOADGEN_BYTES
    if work.tokenizer is not None:
        total += TOKENIZER_FACTOR * work.tokenizer.stat().st_size
    compiled = sum(s.language in ("cpp", "typescript") for s in work.samples)
    return total + max(LOADGEN_BYTES, GRADING_BYTES * min(compiled, psutil.cpu_count() or 1))


def _sut_bytes(work: Work) -> int:
    bare = SUT_BYTES.get(work.config.sut, 0)
    shape = work.shape
    if shape is None:
        return bare
    if work.engine is not None:
        return bare + _engine_bytes(work, work.engine)
    precision = work.config.precision
    prompt = max((len(s.prompt_ids) for s in work.samples), default=0)
    longest = prompt + max(work.tokens, default=work.longest_answer)
    # Appending to the cache copies one layer of it; logits of the last position are kept in float32.
    cache = shape.kv_bytes_per_token(precision) * longest * work.batch
    logits = 3 * 4 * shape.vocabulary * work.batch
    width = 3 * shape.experts_per_token * (shape.hidden + 2 * shape.ffn)
    prefill = int(work.batch * prompt * width * BYTES[precision])
    return bare + shape.weight_bytes(precision) + cache + logits + prefill


def _engine_bytes(work: Work, engine: EngineFacts) -> int:
    """As the engine plans it, with KV for the longest that run at once: pages are used when touched."""
    from assay.engine import residency

    longest = sorted((len(s.prompt_ids) + n for s, n in zip(work.samples, work.tokens)), reverse=True)
    kv = sum(longest[: work.batch]) * residency.kv_bytes_per_token(engine.model, engine.config.precision)
    weights = residency.weight_bytes(engine.model, engine.config.precision)
    return weights + residency.row_bytes(engine.model, engine.config) + kv


def log_bytes(work: Work) -> int:
    """What LoadGen writes."""
    return work.runs * (LOG_BYTES_PER_SAMPLE * len(work.samples) + LOG_BYTES_PER_TOKEN * sum(work.tokens))


def seconds(work: Work) -> tuple[dict[str, float], float | None]:
    """Seconds by part, and of all of it with every answer at the longest that is allowed.

    Times a few products of the model's shapes. Nothing is said without samples.
    """
    if not work.samples:
        return {}, None
    slowdown = work.slowdown
    load = work.read_bytes / LOAD_BYTES_PER_S
    if work.shape is None:
        answering = at_most = _echo_s(work)
        start, load = 0.0, 0.0
    elif work.engine is not None:
        answering, at_most = _engine_s(work, work.engine)
        start = work.engine.import_s
    else:
        start, answering, at_most = _transformers_s(work)
    expected, longest = _runs_s(work, answering), _runs_s(work, at_most)
    parts = {
        "start": slowdown * PARENT_S + start,
        "load": slowdown * load,
        "answer": expected + work.runs * slowdown * RUN_START_S,
        "score": slowdown * _scoring_s(work) if Mode.ACCURACY in work.config.modes else 0.0,
    }
    if embedded.is_embedded(work.config):
        parts["submission"] = slowdown * TREE_S
    return parts, sum(parts.values()) + longest - expected


def _runs_s(work: Work, answering: float) -> float:
    """Seconds of all LoadGen runs, each at least as long as it must be and, in Server, as its queries arrive."""
    least = work.job.min_duration_s() if work.job else 0.0
    rate = work.config.limits.target_qps
    arriving = {Scenario.SERVER: len(work.samples) / rate if rate else 0.0}
    each = [max(answering, least, arriving.get(scenario, 0.0)) for scenario in work.config.scenarios]
    return len(work.config.modes) * sum(each)


def slowdown() -> float:
    """Wall seconds per CPU second here and now, from a short computation; at least 1."""
    began, computed = time.perf_counter(), time.process_time()
    while time.process_time() - computed < SLOWDOWN_S:
        pass
    return max(1.0, (time.perf_counter() - began) / (time.process_time() - computed))


def _engine_s(work: Work, engine: EngineFacts) -> tuple[float, float]:
    """Seconds of answering all samples: expected, and with the longest answers."""
    from assay.suts import engine_pace

    prompts = [len(s.prompt_ids) for s in work.samples]
    longest = [work.longest_answer] * len(prompts)

    @functools.cache
    def pace(context: int) -> engine_pace.EnginePace:
        return engine_pace.measure(engine.model, engine.config, work.batch, context)

    def answer_s(answers: Sequence[int]) -> float:
        # A step is timed where the contexts have their mean length.
        context = round((sum(prompts) + sum(answers) / 2) / len(prompts))
        return pace(context).answer_s(prompts, answers, engine.config)

    expected = answer_s(work.tokens)
    return expected, max(expected, answer_s(longest))


def _transformers_s(work: Work) -> tuple[float, float, float]:
    """Seconds of starting, and of answering all samples: expected, and with the longest answers."""
    from assay.suts import pace as paces

    assert work.shape is not None
    tokens, batches = work.tokens, work.batches
    longest = [max(len(work.samples[i].prompt_ids) for i in batch) for batch in batches]
    # Steps are timed in the middle of an answer, where the cache has its mean length.
    context = round(sum(longest) / len(longest) + sum(tokens) / len(tokens) / 2)
    pace = paces.measure(work.shape, work.config.precision, work.batch, context)
    prefill = sum(longest) * pace.prefill_s / pace.prompt_tokens
    answering = prefill + pace.step_s * sum(max(tokens[i] for i in batch) for batch in batches)
    return (
        pace.start_s,
        answering,
        prefill + pace.step_s * work.longest_answer * len(batches),
    )


def _echo_s(work: Work) -> float:
    pace = work.config.sut_options.get("pace")
    return len(work.samples) / (float(pace) if pace else 100_000.0)


def _scoring_s(work: Work) -> float:
    """Grading programs, two more of each language to see that its tools work, on all cores."""
    languages = Counter(s.language for s in work.samples if s.language)
    core_s = sum((n + 2) * PROGRAM_S.get(str(name), 1.0) for name, n in languages.items())
    return core_s / (psutil.cpu_count() or 1)
