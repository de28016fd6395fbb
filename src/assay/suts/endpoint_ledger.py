"""Every query of a server, from LoadGen's request to its one answer. A failed answer is completed with
end-of-sequence ids, because LoadGen has no word for failure. It is counted as a fault for good."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from assay.endpoint.chunk_times import ChunkTimes
from assay.endpoint.clients.crossing import Came, EndedStream
from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.ground.errors import AssayError, RunFailed
from assay.mlperf.record.definitions import LOADGEN, TokenColumns, sheet
from assay.mlperf.sut.interface import LEAST_TOKENS, Answer, FirstToken, Sink
from assay.suts.endpoint_faults import Faults
from assay.suts.endpoint_text import TextTokens
from assay.suts.endpoint_worst import WorstEndpoint

NS_PER_S, US_PER_S = 1e9, 1e6


@dataclass(slots=True)
class OpenQuery:
    """`id`: LoadGen's, or None for one of our own requests."""

    id: int | None
    is_first_told: bool = False
    is_done_told: bool = False


@dataclass
class RunTally:
    """Counts over LoadGen's queries since the tally was last taken."""

    delays_ns: list[int] = field(default_factory=list)
    stamped: int = 0
    unstamped: int = 0
    """Answers with bytes, by whether `EndedStream.is_stamped`."""
    tokens: int = 0
    """Tokens of the answers without a fault."""
    cached_tokens: int = 0
    handed_over: int = 0
    begin_ns: int = 0
    end_ns: int = 0
    chunks: ChunkTimes = field(default_factory=ChunkTimes)

    def definitions(self) -> dict[str, dict[str, float]]:
        """What the tools would report that are clients themselves, by this client's times; nothing without tokens."""
        chunks = self.chunks
        if not chunks.tokens:
            return {}
        sent, first, last = (
            np.array(each) / NS_PER_S for each in (chunks.sent_ns, chunks.first_ns, chunks.last_ns)
        )
        times = TokenColumns(
            scheduled_s=sent - sent.min(),
            sent_s=sent - sent.min(),
            first_s=first - sent.min(),
            end_s=last - sent.min(),
            tokens=np.array(chunks.tokens),
            first_chunk_tokens=np.array(chunks.first_chunk_tokens),
            gaps_s=np.array(chunks.gaps_us) / US_PER_S,
        )
        return {tool: dict(told) for tool, told in sheet(times).items() if tool != LOADGEN}


class Ledger:
    """Any thread may open queries and wait. The thread of the client processes reports what has arrived."""

    def __init__(self, urls: Sequence[str], text: TextTokens, tells_firsts: bool, sink: Sink) -> None:
        self._eos, self._text, self._tells_firsts, self._sink = text.eos, text, tells_firsts, sink
        self.faults = Faults()
        self.worst = WorstEndpoint(list(urls), sink.worst_endpoint)
        self._run = RunTally()
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._open: dict[int, OpenQuery] = {}
        self._own: dict[int, EndedStream] = {}
        self._wrong: dict[int, EndpointFailure] = {}
        """Number of a query -> why the ids of its whole answer, which came as text, are not proved."""
        self._broken: BaseException | None = None

    def enter(self, ids: Sequence[int | None]) -> list[int]:
        """Opens queries. Returns their numbers, by which their answers are reported. Raises: RunFailed when the
        client has failed already."""
        with self._changed:
            self._raise_broken()
            if not self._run.begin_ns and any(id is not None for id in ids):
                self._run.begin_ns = time.monotonic_ns()
            numbers = [next(self._numbers) for _ in ids]
            self._open.update(zip(numbers, map(OpenQuery, ids)))
        return numbers

    def wait(self) -> None:
        """Waits until no query is open. Raises: RunFailed, or the error that broke the client."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open or self._broken is not None)
            self._raise_broken()

    def own(self, numbers: Sequence[int]) -> list[EndedStream]:
        """Takes the outcomes of our own requests."""
        return [self._own.pop(number) for number in numbers]

    def take_run(self) -> RunTally:
        """Nothing may be open when it is called. Returns the tally and starts a new one."""
        taken, self._run = self._run, RunTally()
        return taken

    def came(self, came: Came) -> None:
        """Raises: RunFailed as `Faults.add`."""
        with self._changed:
            firsts: list[FirstToken] = []
            answers: list[Answer] = []
            for number, token, arrived_ns in came.firsts:
                self._first(self._open[number], token, arrived_ns, firsts)
            for number, ids in came.answers:
                self._run.tokens += len(ids)
                self._answer(self._open[number], ids, answers)
            for number, piece, arrived_ns in came.first_texts:
                self._first(self._open[number], self._text.first(piece), arrived_ns, firsts)
            for number, text, counted in came.texts:
                self._read(number, text, counted, answers)
            for ended in came.ended:
                self._end(self._judged(ended), firsts, answers)
            self._sink.first_tokens(firsts)
            self._sink.done(answers)
            if came.ended:
                self._changed.notify_all()

    def broke(self, error: BaseException) -> None:
        with self._changed:
            self._broken = error
            self._changed.notify_all()

    def _first(self, query: OpenQuery, token: int, arrived_ns: int, firsts: list[FirstToken]) -> None:
        query.is_first_told = True
        if self._tells_firsts and query.id is not None:
            firsts.append(FirstToken(query.id, token, arrived_ns))

    def _answer(self, query: OpenQuery, ids: Sequence[int], answers: list[Answer]) -> None:
        query.is_done_told = True
        if query.id is not None:
            answers.append(Answer(query.id, ids))

    def _read(self, number: int, text: str, counted: int | None, answers: list[Answer]) -> None:
        query = self._open[number]
        if query.id is None:  # what we ask ourselves is no text of a model's making
            return
        found = self._text.answer(text, counted)
        if isinstance(found, EndpointFailure):
            self._wrong[number] = found
        else:
            self._run.tokens += len(found)
            self._answer(query, found, answers)

    def _judged(self, ended: EndedStream) -> EndedStream:
        wrong = self._wrong.pop(ended.number, None)
        if wrong is None or ended.failure is not None:
            return ended
        return msgspec.structs.replace(ended, failure=wrong.kind.name, detail=wrong.detail)

    def _end(self, ended: EndedStream, firsts: list[FirstToken], answers: list[Answer]) -> None:
        query = self._open.pop(ended.number)
        if query.id is None:
            self._own[ended.number] = ended
            return
        if not query.is_done_told:
            if not query.is_first_told:
                self._first(query, self._eos, 0, firsts)
            self._answer(query, [self._eos] * LEAST_TOKENS, answers)
        self._count(ended)

    def _count(self, ended: EndedStream) -> None:
        run = self._run
        run.end_ns = time.monotonic_ns()
        run.delays_ns.append(ended.late_ns)
        run.stamped += ended.is_stamped is True
        run.unstamped += ended.is_stamped is False
        run.cached_tokens += ended.cached_tokens or 0
        run.handed_over += bool(ended.handed_over)
        self.faults.answers += 1
        self.faults.retries += ended.retries
        if ended.url:
            self.worst.add(ended.url, ended.took_ns, ended.failure is not None)
        for url in ended.handed_over:
            self.worst.tallies[url].handed_over += 1
        if ended.failure is None:
            if ended.tokens:
                run.chunks.add(
                    ended.tokens, ended.first_chunk_tokens, ended.sent_ns, ended.first_ns, ended.gaps_us
                )
        else:
            self.faults.add(EndpointFailure(FailureKind[ended.failure], ended.detail))

    def _raise_broken(self) -> None:
        if isinstance(self._broken, AssayError):
            raise self._broken
        if self._broken is not None:
            raise RunFailed(f"the client of the server stopped: {self._broken}") from self._broken
