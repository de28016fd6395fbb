"""Our own engine as a system under test, in the SUT process: queries become requests, and finished requests become
answers. It knows the engine and the SUT interface, and nothing of LoadGen."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay import __version__
from assay.engine import packed, residency
from assay.engine.api import Engine, usable_bytes
from assay.engine.checkpoint import Checkpoint
from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.families import read_model_config
from assay.engine.sequence import EngineRequest, Finished
from assay.engine.weights import check_tensors
from assay.ground.errors import ConfigError
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import LEAST_TOKENS, Answer, FirstToken, Query, Sink, SutSpec, Used
from assay.mlperf.workloads.workload import Generation
from assay.suts import shape
from assay.suts.engine import KIND
from assay.suts.worker import Worker

TYPICAL_ANSWER = 256
"""Tokens; the means of the official set's three parts are 99 to 206."""
SPEAK_EVERY_S = 30.0
"""Seconds without a finished answer after which the engine reports its progress."""


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> EngineSut:
    """Load the checkpoint. Raises: ConfigError for an option it does not know and, before loading, for a sample
    that the model cannot run; and what Engine raises."""
    prepared = prepare(spec, samples)
    engine = Engine(prepared.config, sink.progress)
    return EngineSut(engine, prepared.requests, sink, spec)


@dataclass(frozen=True)
class Prepared:
    """What is known of a job before a weight is loaded."""

    config: EngineConfig
    model: DecoderConfig
    requests: Mapping[int, EngineRequest]
    """Sample index -> request for the engine."""


def prepare(spec: SutSpec, samples: Sequence[Sample]) -> Prepared:
    """Prepares a job. Raises: ConfigError, ArtifactError for everything that prevents the engine from running these
    samples, except memory and the content of the weights."""
    if spec.checkpoint is None:
        raise ConfigError("the engine needs a checkpoint", "--checkpoint DIR")
    model = read_model_config(spec.checkpoint)
    config = engine_config(spec, spec.checkpoint, model, samples)
    shape.refuse_foreign_tokens({"vocab_size": model.vocab_size}, samples, spec.checkpoint)
    requests = {s.index: to_request(s, generation(spec)) for s in samples}
    for request in requests.values():
        request.refuse_unless_runnable(model.vocab_size, model.max_positions)
    check_tensors(Checkpoint(spec.checkpoint), model, bool(packed.folders_in(spec.checkpoint)))
    return Prepared(config, model, requests)


def engine_config(
    spec: SutSpec, checkpoint: Path, model: DecoderConfig, samples: Sequence[Sample]
) -> EngineConfig:
    """The engine that a spec asks for. Raises: ConfigError."""
    options: dict[str, Any] = KIND.values(spec.options)
    del options["answer_tokens"]
    bound, budget = options.pop("memory_gib"), options.pop("token_budget")
    batch = spec.batch or EngineConfig.max_running
    config = EngineConfig(
        checkpoint,
        spec.precision,
        max_running=batch,
        token_budget=budget or max(batch, EngineConfig.token_budget),
        memory_bytes=None if bound is None else int(bound * residency.GIB),
        typical_tokens=_typical_tokens(spec, samples),
        **options,
    )
    if budget is None:
        config = residency.widened(model, config, usable_bytes(config.memory_bytes))
    return config


def _typical_tokens(spec: SutSpec, samples: Sequence[Sample]) -> int:
    """Typical tokens of a sample with its answer: the mean prompt, and the longest answer up to TYPICAL_ANSWER."""
    if not samples:
        return EngineConfig.typical_tokens
    prompts = sum(len(s.prompt_ids) for s in samples)
    return prompts // len(samples) + min(generation(spec).max_new_tokens, TYPICAL_ANSWER)


def generation(spec: SutSpec) -> Generation:
    """The workload's generation rules; answers are cut short where `--answer-tokens` asks for it."""
    longest = KIND.values(spec.options)["answer_tokens"]
    if longest is None:
        return spec.generation
    assert isinstance(longest, int)
    return replace(spec.generation, max_new_tokens=min(longest, spec.generation.max_new_tokens))


def to_request(sample: Sample, generation: Generation) -> EngineRequest:
    """The engine's request for one sample. Its id is the sample's index until a query replaces it."""
    stops = (sample.stop_ids,) if sample.stop_ids else ()
    return EngineRequest(
        id=sample.index,
        prompt=sample.prompt_ids,
        max_new_tokens=generation.max_new_tokens,
        min_new_tokens=generation.min_new_tokens,
        eos_ids=frozenset(generation.eos_ids),
        stop=stops,
    )


def to_answer(finished: Finished, eos_id: int) -> Answer:
    """The answer for LoadGen: without the EOS that ended it, but with at least two ids. A stop sequence stays in it."""
    tokens = finished.tokens[:-1] if finished.reason == "eos" else finished.tokens
    return Answer(finished.id, [*tokens, *[eos_id] * max(0, LEAST_TOKENS - len(tokens))])


class EngineSut:
    """Computes in its own thread from the first query to `close`."""

    def __init__(
        self, engine: Engine, requests: Mapping[int, EngineRequest], sink: Sink, spec: SutSpec
    ) -> None:
        self._engine = engine
        self._requests = requests
        self._sink = sink
        self._server = spec.server
        self._eos_id = spec.generation.eos_id
        self._sha256 = engine.weights_sha256()
        self._generation = generation(spec)
        self._is_cut = self._generation != spec.generation
        self._start_silence()
        self._worker = Worker("the engine", self._answer, waiting=lambda: engine.meter.part("waiting"))

    def used(self) -> Used:
        engine = self._engine
        insight = engine.insight()
        notes = [*insight.pop("notes")]
        if self._is_cut:
            notes.append(
                f"answers end after {self._generation.max_new_tokens} tokens: their speed is measured alone"
            )
        import torch

        return Used(
            sut="engine",
            backend=f"assay {__version__} ({insight['kernels']} kernels) + torch {torch.__version__}",
            precision=engine.precision,
            device="cpu",
            batch=engine.config.max_running,
            weights_sha256=self._sha256,
            notes=tuple(notes),
            details=insight,
        )

    def renew(self, spec: SutSpec, samples: Sequence[Sample]) -> None:
        """Batch, budget and memory stay as they were chosen for the first data set."""
        self._requests = prepare(spec, samples).requests
        self._server, self._eos_id, self._generation = spec.server, spec.generation.eos_id, generation(spec)
        self._is_cut = self._generation != spec.generation

    def issue(self, queries: Sequence[Query]) -> None:
        self._worker.issue(queries)

    def flush(self) -> None:
        self._worker.flush()

    def close(self) -> None:
        self._worker.close()
        self._engine.close()

    def _answer(self, queries: Sequence[Query]) -> int:
        """Runs one step of the engine with `queries` added. Returns the number of finished answers."""
        if not self._engine.has_work:
            self._start_silence()
        for query in queries:
            self._engine.add(self._requests[query.sample_index].with_id(query.id))
        accepted = self._engine.step()
        if self._server and accepted.first_tokens:
            self._sink.first_tokens([FirstToken(*pair) for pair in accepted.first_tokens])
        if accepted.finished:
            self._sink.done([to_answer(finished, self._eos_id) for finished in accepted.finished])
            self._start_silence()
        elif (silent_s := time.monotonic() - self._silent_since) > SPEAK_EVERY_S:
            running, waiting = self._engine.num_running, self._engine.num_waiting
            pace = (self._engine.meter.sampled - self._sampled_before) / silent_s
            self._sink.progress(f"{running} answers under way, {waiting} wait; {pace:.3g} new tokens/s")
            self._start_silence()
        return len(accepted.finished)

    def _start_silence(self) -> None:
        self._silent_since, self._sampled_before = time.monotonic(), self._engine.meter.sampled
