"""The engine's public face: requests of token ids in, finished answers out.

    engine = Engine(EngineConfig(checkpoint))
    for answer in engine.generate([Request(0, (1, 5, 9), max_new_tokens=16)]):
        print(answer.id, answer.tokens)

No KV and no result is ever used for a second request, so that every request is computed whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import psutil

from assay.engine import residency
from assay.engine.config import EngineConfig
from assay.engine.families import read_model_config
from assay.engine.insight import Meter
from assay.engine.kv_blocks import KvBlocks
from assay.engine.scheduler import Accepted, Scheduler
from assay.engine.sequence import Finished, Request, Sequence
from assay.ground.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor


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
        from assay.engine.forward import Forward
        from assay.engine.ops.choice import choose_ops
        from assay.engine.weights import load_model

        self.config = config
        self.model = read_model_config(config.checkpoint)
        self.plan = residency.plan(self.model, config, available_bytes())
        self.ops, self.notes = choose_ops(config, self.model)
        self.meter = Meter(self.model)
        checkpoint = Checkpoint(config.checkpoint)
        self.weight_files = checkpoint.files
        packed = load_model(self.model, checkpoint, self.ops, progress)
        self.precision = self.ops.used_precision(packed.layers[0].attention)
        """dtype of the packed weights, read from their memory"""
        self._forward = Forward(packed, self.plan.kv_blocks, self.meter)
        self._scheduler = Scheduler(
            KvBlocks(self.plan.kv_blocks), config.max_running, config.token_budget, config.order
        )
        self._ids: set[int] = set()

    def add(self, request: Request) -> None:
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
        """Compute one step; first tokens and answers that it brought. Needs has_work."""
        with self.meter.part("scheduler"):
            batch = self._scheduler.next_batch()
        tokens = self._forward.run(batch)
        with self.meter.part("scheduler"):
            self.meter.count_step(batch, self._scheduler.blocks.num_used)
            accepted = self._scheduler.accept(batch, tokens)
        self._ids.difference_update(answer.id for answer in accepted.finished)
        return accepted

    def generate(self, requests: Iterable[Request]) -> Iterator[Finished]:
        """Run `requests` together; each answer is yielded in the step that finishes it."""
        for request in requests:
            self.add(request)
        while self.has_work:
            yield from self.step().finished

    def score(self, tokens: tuple[int, ...]) -> Tensor:
        """Float32 scores of the next token after each of `tokens`, (tokens, vocabulary). For checks; the engine
        must have no work, and the tokens are computed in one step however many they are.

        Raises: ConfigError for tokens that the model cannot run, or that its KV has no room for."""
        assert not self.has_work, "scoring would overwrite the KV of running requests"
        request = Request(-1, tokens, 1)
        request.refuse_unless_runnable(self.model.vocab_size, self.model.max_positions + 1)
        self._scheduler.refuse_without_room(request)
        return self._forward.score(tokens)

    def insight(self) -> dict[str, Any]:
        """What ran and where the time went since loading, as plain values. `amx_from_rows`: the fewest rows of a
        product that ran on AMX tiles, None without AMX. `limits` are those that `assay doctor
        --roofline` measured on this machine, None when it never ran here."""
        from assay.engine import limits

        return {
            "kernels": self.ops.name,
            "amx_from_rows": asdict(fewest) if (fewest := self.ops.tiles_from) else None,
            "precision": self.precision,
            "notes": list(self.notes),
            "kv_blocks": self.plan.kv_blocks,
            "preempted": self._scheduler.num_preempted,
            "limits": asdict(found) if (found := limits.kept()) else None,
            **self.meter.report(residency.WEIGHT_BYTES[self.config.precision]),
        }


def available_bytes() -> int:
    """Memory that can be used without swapping, the container's limit included."""
    return int(psutil.virtual_memory().available)
