"""What a run of the engine needs, before a weight is loaded: blockers, memory as the engine plans it, seconds."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Sequence
from pathlib import Path

from assay.engine import packed, residency
from assay.engine.config import PRECISIONS, EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.families import model_config, read_model_config
from assay.engine.kv_blocks import BLOCK_TOKENS, SPARE_BLOCKS, blocks_for
from assay.engine.residency import Residency
from assay.ground.count import size_text
from assay.ground.errors import EnvironmentProblem
from assay.mlperf.sut.planner import Examined, SutSeconds, SutWork

PROCESS_BYTES = 190_000_000
"""Bytes of anonymous memory of the SUT process without weights. Source: measured on the embedded workload, 2 cores."""


def examine(work: SutWork) -> Examined:
    """Examines the job. Raises: ConfigError, ArtifactError for what the engine cannot run, as the engine does."""
    _import_s()
    from assay.suts.engine_sut import prepare

    if work.spec.checkpoint is not None:
        prepare(work.spec, work.samples)
    elif not work.model_config:
        return Examined()
    found = _residency(work)
    if not found.is_from_disk:
        return Examined()
    parts = _parts(work)
    return Examined(
        blockers=_without_copy(work, found),
        notes=(
            f"each step reads up to {size_text(found.step_bytes)} of {parts} from disk; {len(found.resident)} of "
            f"{len(residency.every_expert(_model(work)))} {parts} stay in memory, KV has room for "
            f"{found.kv_blocks * BLOCK_TOKENS} tokens",
        ),
    )


def _without_copy(work: SutWork, found: Residency) -> tuple[EnvironmentProblem, ...]:
    """The blocker when experts must be read from a packed copy that does not exist: what fits without one, and the
    command that makes it."""
    from assay.engine.api import usable_bytes

    folder, precision = work.spec.checkpoint, work.spec.precision
    copies = packed.folders_in(folder) if folder else ()
    if any(copy.name.startswith(f"packed-{precision.value}-") for copy in copies):
        return ()
    model, config = _model(work), _config(work)
    free = usable_bytes(config.memory_bytes)
    smaller = [p.value for p in PRECISIONS if _fits(model, dataclasses.replace(config, precision=p), free)]
    pack = f"assay model pack --checkpoint {folder or 'DIR'} --precision {precision.value}"
    return (
        EnvironmentProblem(
            f"the weights take {size_text(residency.weight_bytes(model, precision))} in {precision.value} and "
            f"{size_text(free)} are free; there is no packed copy of {folder or 'them'} to read {_parts(work)} from",
            (f"{', '.join(smaller)} would fit; or " if smaller else "")
            + f"{pack}, once: then each step reads {size_text(found.step_bytes)}",
        ),
    )


def _parts(work: SutWork) -> str:
    """What is read from disk: a dense model has one feed-forward part in each layer."""
    return "experts" if _model(work).num_experts > 1 else "layers"


def _fits(model: DecoderConfig, config: EngineConfig, free: int) -> bool:
    try:
        return residency.in_memory(model, config, free).total <= free
    except EnvironmentProblem:
        return False


def ram_bytes(work: SutWork) -> int:
    """Bytes with keys and values for the longest sequences that run at once. Their pages count when they are used."""
    model, config, found = _model(work), _config(work), _residency(work)
    longest = sorted((len(s.prompt_ids) + n for s, n in zip(work.samples, work.tokens)), reverse=True)
    kv = sum(longest[: work.batch]) * residency.kv_bytes_per_token(model, config)
    if found.is_from_disk:
        return PROCESS_BYTES + found.total - residency.RUNTIME_BYTES - found.kv + min(found.kv, kv)
    weights = residency.weight_bytes(model, config.precision)
    return PROCESS_BYTES + weights + residency.row_bytes(model, config) + kv


def seconds(work: SutWork) -> SutSeconds:
    from assay.engine import disk_rate
    from assay.suts import engine_pace

    model, config, read_s = _model(work), _config(work), 0.0
    found = _residency(work)
    if found.is_from_disk and work.spec.checkpoint is not None:
        read_s = found.step_bytes / disk_rate.measure(work.spec.checkpoint)
        config = at_once(config, found)
    prompts = [len(s.prompt_ids) for s in work.samples]
    asked = work.spec.options.get("answer_tokens") or work.longest_answer
    assert isinstance(asked, int)
    longest = [min(asked, work.longest_answer)] * len(prompts)

    @functools.cache
    def pace(context: int) -> engine_pace.EnginePace:
        return engine_pace.measure(model, config, min(work.batch, config.max_running), context)

    def answer_s(answers: Sequence[int]) -> float:
        # A step is timed where the contexts have their mean length.
        context = round((sum(prompts) + sum(answers) / 2) / len(prompts))
        return pace(context).answer_s(prompts, answers, config, read_s)

    expected = answer_s([min(asked, tokens) for tokens in work.tokens])
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


def at_once(config: EngineConfig, found: Residency) -> EngineConfig:
    """The engine's config with no more sequences than KV has room for."""
    room = found.kv_blocks // (blocks_for(config.typical_tokens) + SPARE_BLOCKS)
    return dataclasses.replace(config, max_running=max(1, min(config.max_running, room)))


def _config(work: SutWork) -> EngineConfig:
    from assay.suts.engine_sut import engine_config

    folder = work.spec.checkpoint or Path(work.workload)
    return engine_config(work.spec, folder, _model(work), work.samples)


def _residency(work: SutWork) -> Residency:
    """Raises: EnvironmentProblem for a model that does not fit, not even with experts on disk."""
    from assay.engine.api import usable_bytes

    config = _config(work)
    return residency.plan(_model(work), config, usable_bytes(config.memory_bytes))
