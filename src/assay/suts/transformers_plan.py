"""What a run of transformers comes to before a weight is loaded: blockers, memory, seconds."""

from __future__ import annotations

from assay.config import BYTES_PER_WEIGHT
from assay.mlperf.sut.planner import Examined, SutSeconds, SutWork
from assay.suts import shape as shapes
from assay.suts.device_map import GIB
from assay.suts.shape import ModelShape

PROCESS_BYTES = 500_000_000
"""Anonymous memory of the SUT process without weights. It keeps growing as lengths differ: 280 MB before its first
answer, 590 MB after 300 of the embedded workload, 350 MB to 1.4 GB beside SmolLM2's weights."""


def examine(work: SutWork) -> Examined:
    """Raises: ConfigError, ArtifactError for a checkpoint that transformers cannot load."""
    from assay.suts.transformers_load import prepare

    if work.spec.checkpoint is not None:
        prepare(work.spec.checkpoint, work.samples)
    return Examined()


def ram_bytes(work: SutWork) -> int:
    shape, precision = _shape(work), work.spec.precision
    prompt = max((len(s.prompt_ids) for s in work.samples), default=0)
    longest = prompt + max(work.tokens, default=work.longest_answer)
    # Appending to the cache copies one layer of it; logits of the last position are kept in float32.
    cache = shape.kv_bytes_per_token(precision) * longest * work.batch
    logits = 3 * 4 * shape.vocabulary * work.batch
    width = 3 * shape.experts_per_token * (shape.hidden + 2 * shape.ffn)
    prefill = int(work.batch * prompt * width * BYTES_PER_WEIGHT[precision])
    weights, most = shape.weight_bytes(precision), work.spec.options.get("cpu_memory_gib")
    if isinstance(most, float):  # the others lie on disk
        weights = min(weights, int(most * GIB))
    return PROCESS_BYTES + weights + cache + logits + prefill


def seconds(work: SutWork) -> SutSeconds:
    from assay.suts import pace as paces

    tokens, batches = work.tokens, work.batches
    longest = [max(len(work.samples[i].prompt_ids) for i in batch) for batch in batches]
    # Steps are timed in the middle of an answer, where the cache has its mean length.
    context = round(sum(longest) / len(longest) + sum(tokens) / len(tokens) / 2)
    pace = paces.measure(_shape(work), work.spec.precision, work.batch, context)
    prefill = sum(longest) * pace.prefill_s / pace.prompt_tokens
    return SutSeconds(
        pace.start_s,
        prefill + pace.step_s * sum(max(tokens[i] for i in batch) for batch in batches),
        prefill + pace.step_s * work.longest_answer * len(batches),
    )


def _shape(work: SutWork) -> ModelShape:
    return shapes.of(dict(work.model_config), work.workload)
