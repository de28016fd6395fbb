"""Our own engine as a system under test, in the SUT process: queries become requests, finished requests answers.

Knows the engine and the seam, nothing of LoadGen.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import __version__
from assay.engine.api import Engine
from assay.engine.checkpoint import Checkpoint
from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.families import read_model_config
from assay.engine.sequence import Finished, Request
from assay.engine.weights import check_tensors
from assay.ground import files
from assay.ground.errors import ConfigError
from assay.mlperf.sample import Sample
from assay.mlperf.sut import LEAST_TOKENS, Answer, FirstToken, Query, Sink, SutSpec, Used
from assay.mlperf.workload import Generation
from assay.suts import shape
from assay.suts.engine import KIND
from assay.suts.worker import Worker

SPEAK_EVERY_S = 30.0
"""While no answer is finished, say how far the engine is."""


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> EngineSut:
    """Load the checkpoint. Raises: ConfigError for an option it does not know and, before loading, for a sample
    that the model cannot run; and what Engine raises."""
    prepared = prepare(spec, samples)
    engine = Engine(prepared.config, sink.progress)
    return EngineSut(engine, prepared.requests, sink, spec)


@dataclass(frozen=True)
class Prepared:
    """What can be said of a job without loading a weight."""

    config: EngineConfig
    model: DecoderConfig
    requests: Mapping[int, Request]
    """Sample index -> what the engine is asked for it."""


def prepare(spec: SutSpec, samples: Sequence[Sample]) -> Prepared:
    """Raises: ConfigError, ArtifactError for everything that would keep the engine from running these samples,
    but for memory and for what stands in the weights themselves."""
    if spec.checkpoint is None:
        raise ConfigError("the engine needs a checkpoint", "--checkpoint DIR")
    config = engine_config(spec, spec.checkpoint)
    model = read_model_config(spec.checkpoint)
    shape.refuse_foreign_tokens({"vocab_size": model.vocab_size}, samples, spec.checkpoint)
    requests = {s.index: to_request(s, spec.generation) for s in samples}
    for request in requests.values():
        request.refuse_unless_runnable(model.vocab_size, model.max_positions)
    check_tensors(Checkpoint(spec.checkpoint), model)
    return Prepared(config, model, requests)


def engine_config(spec: SutSpec, checkpoint: Path) -> EngineConfig:
    """The engine that a spec asks for. Raises: ConfigError."""
    options: dict[str, Any] = KIND.values(spec.options)
    batch = spec.batch or EngineConfig.max_running
    if options["token_budget"] is None:
        options["token_budget"] = max(batch, EngineConfig.token_budget)
    return EngineConfig(checkpoint, spec.precision, max_running=batch, **options)


def to_request(sample: Sample, generation: Generation) -> Request:
    """What the engine is asked for one sample; its id is the sample's index until a query replaces it."""
    stops = (sample.stop_ids,) if sample.stop_ids else ()
    return Request(
        id=sample.index,
        prompt=sample.prompt_ids,
        max_new_tokens=generation.max_new_tokens,
        min_new_tokens=generation.min_new_tokens,
        eos_ids=frozenset({generation.eos_id}),
        stop=stops,
    )


def to_answer(finished: Finished, eos_id: int) -> Answer:
    """Without the EOS that ended it, but never fewer than two ids; a stop sequence stays."""
    tokens = finished.tokens[:-1] if finished.reason == "eos" else finished.tokens
    return Answer(finished.id, [*tokens, *[eos_id] * max(0, LEAST_TOKENS - len(tokens))])


class EngineSut:
    """Computes in a thread of its own from the first query to `close`."""

    def __init__(self, engine: Engine, requests: Mapping[int, Request], sink: Sink, spec: SutSpec) -> None:
        self._engine = engine
        self._requests = requests
        self._sink = sink
        self._server = spec.server
        self._eos_id = spec.generation.eos_id
        self._sha256 = files.sha256_all(engine.weight_files)
        self._start_silence()
        self._worker = Worker("the engine", self._answer, waiting=lambda: engine.meter.part("waiting"))

    def used(self) -> Used:
        engine = self._engine
        insight = engine.insight()
        notes = tuple(insight.pop("notes"))
        import torch

        return Used(
            sut="engine",
            backend=f"assay {__version__} ({insight['kernels']} kernels) + torch {torch.__version__}",
            precision=engine.precision,
            device="cpu",
            batch=engine.config.max_running,
            weights_sha256=self._sha256,
            notes=notes,
            details=insight,
        )

    def issue(self, queries: Sequence[Query]) -> None:
        self._worker.issue(queries)

    def flush(self) -> None:
        self._worker.flush()

    def close(self) -> None:
        self._worker.close()

    def _answer(self, queries: Sequence[Query]) -> int:
        """One step of the engine, with `queries` added; how many it finished."""
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
