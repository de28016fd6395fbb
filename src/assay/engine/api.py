"""The engine's public face: requests of token ids in, finished answers out.

    engine = Engine(EngineConfig(checkpoint))
    for answer in engine.generate([EngineRequest(0, (1, 5, 9), max_new_tokens=16)]):
        print(answer.id, answer.tokens)

No KV and no result is ever used for a second request, so that every request is computed whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import psutil

from assay.engine import packed, residency
from assay.engine.config import EngineConfig
from assay.engine.families import read_model_config
from assay.engine.insight import Meter
from assay.engine.kv_blocks import KvBlocks
from assay.engine.scheduler import Accepted, Scheduler
from assay.engine.sequence import EngineRequest, Finished, Sequence
from assay.ground import files, memory
from assay.ground.errors import ConfigError, EnvironmentProblem

if TYPE_CHECKING:
    from torch import Tensor


_PROCESSES: set[int] = set()
"""In which engines were made: this one, and those that it was forked from"""


def _refuse_fork() -> None:
    """Raises: EnvironmentProblem in a process that was forked from one with an engine: the threads of its kernels (and
    of PyTorch) exist there alone, and a step would wait for them for ever."""
    if _PROCESSES - {os.getpid()}:
        raise EnvironmentProblem(
            "this process was forked from one with an engine, whose threads it does not have",
            'start it anew: multiprocessing.get_context("spawn")',
        )


def _silent(_: str) -> None:
    """Progress that nobody wants to see."""


class Engine:
    """A loaded model that continues many prompts at once. Not thread-safe: one caller, one thread."""

    def __init__(self, config: EngineConfig, progress: Callable[[str], None] = _silent) -> None:
        """Load and pack the checkpoint.

        Raises: ConfigError, ArtifactError for a checkpoint that cannot be run; EnvironmentProblem when it
        does not fit into memory, before anything is loaded.
        """
        from assay.engine.checkpoint import Checkpoint
        from assay.engine.expert_stream import ExpertStream
        from assay.engine.forward import Forward
        from assay.engine.ops.choice import choose_ops
        from assay.engine.weights import check_tensors, lacks_experts, load_model

        _refuse_fork()
        self.config = config
        self.model = read_model_config(config.checkpoint)
        self.plan = residency.plan(self.model, config, usable_bytes(config.memory_bytes))
        self.ops, self.notes = choose_ops(config, self.model)
        _PROCESSES.add(os.getpid())
        self.meter = Meter(self.model)
        checkpoint = Checkpoint(config.checkpoint)
        check_tensors(
            checkpoint, self.model, has_copy=True
        )  # before all experts seem to lack for their names
        self.copy = packed.for_engine(
            config, self.ops.form, lacks_experts(checkpoint, self.model), self.plan.is_from_disk
        )
        """The packed copy that experts are read from; None: they were packed into memory"""
        self.weight_files = checkpoint.files
        model = load_model(self.model, checkpoint, self.ops, progress, self.copy is not None)
        self.stream: ExpertStream | None = None
        if self.copy is not None:
            progress(residency.said(self.plan, self.copy.folder))
            packed.refuse_unfit(
                self.copy, self.model.num_layers, self.model.num_experts, self.ops.expert_bytes
            )
            resident = self.plan.resident if self.plan.is_from_disk else residency.every_expert(self.model)
            moes = [layer.moe for layer in model.layers]
            active = self.model.experts_per_token
            self.stream = ExpertStream(self.copy, self.ops, moes, active, self.plan.slots, resident)
            model = replace(model, stream=self.stream)
        self.precision = self.ops.used_precision(model.layers[0].attention)
        """dtype of the packed weights, read from their memory"""
        self._forward = Forward(model, self.plan.kv_blocks, self.meter, config.has_int8_kv)
        self.kv_precision = self._forward.kv_precision
        if config.has_int8_kv:
            self.notes += ("keys and values are held in int8",)
        self._scheduler = Scheduler(
            KvBlocks(self.plan.kv_blocks), config.max_running, config.token_budget, config.order
        )
        self._ids: set[int] = set()

    def add(self, request: EngineRequest) -> None:
        """Queue a request. Raises: ConfigError when it cannot be run; requests already in are not touched."""
        request.refuse_unless_runnable(self.model.vocab_size, self.model.max_positions)
        if request.id in self._ids:
            raise ConfigError(
                f"request {request.id} is already running", "give every request an id of its own"
            )
        self._scheduler.add(Sequence(request))
        self._ids.add(request.id)

    @property
    def has_work(self) -> bool:
        return self._scheduler.has_work

    @property
    def num_running(self) -> int:
        """Sequences that have KV."""
        return self._scheduler.num_running

    @property
    def num_waiting(self) -> int:
        return self._scheduler.num_waiting

    def limit_running(self, count: int) -> None:
        """Run at most `count` sequences at once from now on; no more than config.max_running."""
        assert 1 <= count <= self.config.max_running
        self._scheduler.max_running = count

    def step(self) -> Accepted:
        """Compute one step; first tokens and answers that it brought. Needs has_work.

        Raises: ArtifactError for weights that cannot be read or scores that are NaN, and EnvironmentProblem after a
        fork; the requests stay as they were."""
        _refuse_fork()
        with self.meter.part("scheduler"):
            batch = self._scheduler.next_batch()
        tokens = self._forward.run(batch)
        with self.meter.part("scheduler"):
            self.meter.count_step(batch, self._scheduler.blocks.num_used)
            accepted = self._scheduler.accept(batch, tokens)
        self._ids.difference_update(answer.id for answer in accepted.finished)
        return accepted

    def generate(self, requests: Iterable[EngineRequest]) -> Iterator[Finished]:
        """Run `requests` together; each answer is yielded in the step that finishes it. None stays in the engine when
        one is refused or `requests` raises, or when the caller wants no more answers (leaves the loop). Raises: as add
        and step."""
        added: list[int] = []
        try:
            for request in requests:
                self.add(request)
                added.append(request.id)
        except BaseException:
            self.cancel(added)
            raise
        try:
            while self.has_work:
                yield from self.step().finished
        except (ConfigError, GeneratorExit):
            self.cancel(added)
            raise

    def cancel(self, ids: Iterable[int]) -> None:
        """Forget these requests and what they have so far, between two steps; ids that are not in the engine, or not
        any more, are passed over."""
        dropped = self._ids.intersection(ids)
        self._scheduler.cancel(dropped)
        self._ids -= dropped

    def score(self, tokens: tuple[int, ...]) -> Tensor:
        """Float32 scores of the next token after each of `tokens`, (tokens, vocabulary). For checks; the engine
        must have no work, and the tokens are computed in one step however many they are.

        Raises: ConfigError for tokens that the model cannot run, or that its KV has no room for."""
        assert not self.has_work, "scoring would overwrite the KV of running requests"
        request = EngineRequest(-1, tokens, 1)
        request.refuse_unless_runnable(self.model.vocab_size, self.model.max_positions + 1)
        self._scheduler.refuse_without_room(request)
        return self._forward.score(tokens)

    def insight(self) -> dict[str, Any]:
        """What ran and where the time went since loading, as plain values. `amx_from_rows`: the fewest rows of a
        product that ran on AMX tiles, None without AMX. `onednn_from_rows`: the fewest rows of a step whose attention
        oneDNN projected, None where it never did. `limits` are those that `assay doctor
        --roofline` measured on this machine, None when it never ran here."""
        from assay.engine import limits

        return {
            "kernels": self.ops.name,
            "amx_from_rows": asdict(fewest) if (fewest := self.ops.tiles_from) else None,
            "onednn_from_rows": self.ops.onednn_from,
            "precision": self.precision,
            "notes": list(self.notes),
            "kv_precision": self.kv_precision,
            "kv_blocks": self.plan.kv_blocks,
            "experts_from_disk": self._reading(),
            "preempted": self._scheduler.num_preempted,
            "limits": asdict(found) if (found := limits.kept()) else None,
            **self.meter.report(residency.WEIGHT_BYTES[self.config.precision]),
        }

    def weights_sha256(self) -> str:
        """Of the files that were loaded; reads them, but for those that were hashed when they were packed."""
        manifest = self.copy.manifest if self.copy else None
        if self.copy and manifest and not manifest.sources:
            return files.sha256_all((*self.weight_files, self.copy.folder / packed.MANIFEST))
        if manifest:
            return files.combined_sha256([(shard.sha256, shard.name) for shard in manifest.sources])
        return files.sha256_all(self.weight_files)

    def close(self) -> None:
        """Stop reading and close the files of the packed copy."""
        if self.stream:
            self.stream.close()

    def _reading(self) -> dict[str, Any] | None:
        """None with all weights in memory. Seconds are those in which at least one read was under way."""
        if self.stream is None or not self.plan.is_from_disk or self.copy is None:
            return None
        read, seconds = self.stream.clock.bytes, self.stream.clock.seconds
        return {
            "packed_copy": self.copy.folder.name,
            "resident_experts": len(self.plan.resident),
            "experts_exchanged": self.stream.exchanged,
            "bytes_of_a_whole_step": self.plan.step_bytes,
            "bytes_read": read,
            "reading_s": round(seconds, 3),
            "gb_per_s": round(read / seconds / 1e9, 3) if seconds else None,
        }


def usable_bytes(bound: int | None) -> int:
    """Memory that this process may take beyond what it has; `bound`: of the whole process."""
    free = available_bytes()
    return free if bound is None else max(0, min(free, bound - psutil.Process().memory_info().rss))


def available_bytes() -> int:
    """Memory that can be used without swapping, the container's limit included."""
    return memory.available()
