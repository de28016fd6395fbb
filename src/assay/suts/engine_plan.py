"""What a run of the engine comes to before a weight is loaded: blockers, memory as the engine plans it, seconds."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from pathlib import Path

from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.families import model_config, read_model_config
from assay.mlperf.sut_planner import Examined, SutSeconds, SutWork

PROCESS_BYTES = 190_000_000
"""Anonymous memory of the SUT process without weights. Source: measured on the embedded workload, 2 cores."""


def examine(work: SutWork) -> Examined:
    """Raises: ConfigError, ArtifactError for what the engine cannot run, as it would itself."""
    _import_s()
    from assay.suts.engine_sut import prepare

    if work.spec.checkpoint is not None:
        prepare(work.spec, work.samples)
    elif work.model_config:
        _model(work), _config(work)
    return Examined()


def ram_bytes(work: SutWork) -> int:
    """With keys and values for the longest that run at once: their pages are used when touched."""
    from assay.engine import residency

    model, config = _model(work), _config(work)
    longest = sorted((len(s.prompt_ids) + n for s, n in zip(work.samples, work.tokens)), reverse=True)
    kv = sum(longest[: work.batch]) * residency.kv_bytes_per_token(model, config.precision)
    weights = residency.weight_bytes(model, config.precision)
    return PROCESS_BYTES + weights + residency.row_bytes(model, config) + kv


def seconds(work: SutWork) -> SutSeconds:
    from assay.suts import engine_pace

    model, config = _model(work), _config(work)
    prompts = [len(s.prompt_ids) for s in work.samples]
    longest = [work.longest_answer] * len(prompts)

    @functools.cache
    def pace(context: int) -> engine_pace.EnginePace:
        return engine_pace.measure(model, config, work.batch, context)

    def answer_s(answers: Sequence[int]) -> float:
        # A step is timed where the contexts have their mean length.
        context = round((sum(prompts) + sum(answers) / 2) / len(prompts))
        return pace(context).answer_s(prompts, answers, config)

    expected = answer_s(work.tokens)
    return SutSeconds(_import_s(), expected, max(expected, answer_s(longest)))


@functools.cache
def _import_s() -> float:
    """Seconds that the SUT process takes to import the engine."""
    began = time.perf_counter()
    import assay.suts.engine_sut  # noqa: F401

    return time.perf_counter() - began


def _model(work: SutWork) -> DecoderConfig:
    folder = work.spec.checkpoint
    return read_model_config(folder) if folder else model_config(dict(work.model_config), work.workload)


def _config(work: SutWork) -> EngineConfig:
    from assay.suts.engine_sut import engine_config

    return engine_config(work.spec, work.spec.checkpoint or Path(work.workload))
