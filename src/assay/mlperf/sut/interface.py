"""What a system under test is: the seam between LoadGen and anything that answers.

The SUT lives in a process of its own, which loads once and outlives all LoadGen runs of a job.
It gets the samples when it is built; afterwards only query ids and sample indices travel to it.
Knows nothing of models or devices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from assay.config import Device, Mode, OptionValue, Precision
from assay.mlperf.data.sample import Sample
from assay.mlperf.workloads.workload import Generation

LEAST_TOKENS = 2
"""LoadGen refuses answers of fewer tokens; a shorter one gets end-of-sequence ids put back.
Source: mixtral-8x7b reference implementation, padding of short answers."""


class Query(NamedTuple):
    """One question from LoadGen. `id` is LoadGen's own and must come back with the answer."""

    id: int
    sample_index: int


class Answer(NamedTuple):
    """Everything generated for one query: `token_ids` without padding, the end-of-sequence id not included
    unless the workload's post-processing keeps it. n_tokens reported to LoadGen is len(token_ids)."""

    id: int
    token_ids: Sequence[int]


class FirstToken(NamedTuple):
    id: int
    token_id: int
    arrived_ns: int = 0
    """When its bytes were on this machine, of CLOCK_MONOTONIC; 0 = it was made here, or nobody knows."""


class Sink(Protocol):
    """Where a SUT hands in its work; calls are cheap, thread-safe, and best made in batches."""

    def first_tokens(self, tokens: Sequence[FirstToken]) -> None:
        """Server only: call once per query, as soon as its first token exists."""

    def done(self, answers: Sequence[Answer]) -> None:
        """Call once per query; the query is complete with it."""

    def progress(self, message: str) -> None:
        """A line for a person (loading, warm-up); shown by the parent, kept in the run's log."""

    def worst_endpoint(self, words: str) -> None:
        """Which of several endpoints does worst so far, and how; replaces what was said before."""


@dataclass(frozen=True)
class SutSpec:
    """What a SUT is built from. Picklable: it crosses into the SUT process."""

    kind: str
    checkpoint: Path | None
    device: Device
    precision: Precision
    batch: int | None
    generation: Generation
    server: bool
    """True when first tokens must be reported (Server)."""
    options: Mapping[str, OptionValue | None] = field(default_factory=dict)
    """Of this SUT alone, by name; `SutKind.values` fills in the defaults of those that are left out."""
    tokenizer: Path | None = None
    """Folder with the tokenizer: as asked, else the checkpoint; None = there is none."""
    exact: bool = False
    """Whether answers will be scored: their token ids must be exact."""
    drafts: str = ""
    """How the round lets tokens be drafted (speculative decoding), in words; empty = it does not."""


@dataclass(frozen=True)
class Used:
    """What really ran, read back from the loaded SUT, never echoed from the request."""

    sut: str
    backend: str
    """For example `transformers 5.23.0 + torch 2.13.0`."""
    precision: str
    """dtype of the loaded weights; `none` for a SUT without weights."""
    device: str
    batch: int | None
    weights_sha256: str | None
    is_fake: bool = False
    """True for a SUT that computes nothing (echo): its runs are stamped FAKE."""
    details: dict[str, Any] = field(default_factory=dict)
    """Anything else worth keeping: parameter count, versions, time per part, tokens per expert."""
    faults: tuple[str, ...] = ()
    """Why the runs since loading are INVALID whatever LoadGen says: answers that failed. Never shorter than before."""
    losses: tuple[str, ...] = ()
    """What failed while others answered in its place: each answer is there, and how fast says nothing. Performance runs
    since loading are INVALID for it, accuracy runs are not. Never shorter than before."""
    breaches: tuple[str, ...] = ()
    """What only the open division allows: a warm prefix cache. In any other the runs are INVALID."""
    performance_only: str = ""
    """Why its answers say nothing but how fast they came: no score, no compliance test, no tree. Empty = they do."""
    issue_delay_ms: float | None = None
    """Of the last run, p99 from LoadGen's word to the sending of a query; None = nothing is sent."""
    definitions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Tool -> metric -> value: what the last run was by the definitions of other tools, where only the SUT can tell."""
    notes: tuple[str, ...] = ()
    """What a reader of the result must know: native kernels that could not be had."""


class Sut(Protocol):
    """Answers queries. `issue` may return before the answers exist; `flush` means no more are coming now."""

    def used(self) -> Used:
        """What really runs; asked after loading and once more after each run (`details` may have grown)."""

    def issue(self, queries: Sequence[Query]) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


@runtime_checkable
class HearsOfRuns(Protocol):
    """A SUT that wants to know what each run is for, before its first query. None has to."""

    def begin(self, mode: Mode) -> None: ...


@runtime_checkable
class Renewable(Protocol):
    """A SUT that can go on with another data set without loading its model again. None has to: it is built anew."""

    def renew(self, spec: SutSpec, samples: Sequence[Sample]) -> None:
        """From now on sample indices mean `samples`; checkpoint, precision and options of `spec` are as before.

        Called between runs. Raises: as `build`.
        """


class SutModule(Protocol):
    """The module that a `SutKind` names satisfies this: it is the factory."""

    def build(self, spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> Sut: ...
