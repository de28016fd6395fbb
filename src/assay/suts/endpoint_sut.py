"""A server over the network as a system under test: queries become requests, streams of exact ids become answers.

An answer that failed is completed with end-of-sequence ids, since LoadGen has no word for it, and makes the run
INVALID for good.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial

from assay.endpoint.address import Address, parse
from assay.endpoint.answer import AnswerStream
from assay.endpoint.api import Api
from assay.endpoint.client import Client, ClientLimits, Endpoint, Exchange
from assay.endpoint.failure import FailureKind
from assay.ground.errors import AssayError, EnvironmentProblem, RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import LEAST_TOKENS, Answer, FirstToken, Query, Sink, SutSpec, Used
from assay.suts import (
    endpoint_audit,
    endpoint_cache,
    endpoint_http,
    endpoint_rules,
    endpoint_server,
    secret,
    server_rules,
)
from assay.suts.endpoint import KIND
from assay.suts.endpoint_audit import AnswerTerms
from assay.suts.endpoint_cache import CacheCounters, CacheFindings
from assay.suts.endpoint_faults import Faults
from assay.suts.endpoint_options import exact_api, limits_of, model_of, urls_of
from assay.suts.endpoint_questions import Questions
from assay.suts.endpoint_worst import WorstEndpoint


@dataclass(frozen=True)
class Question:
    """What an exchange is for. `id`: LoadGen's, or None for a warm-up."""

    id: int | None
    asked: AnswerTerms


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> EndpointSut:
    """Raises: ConfigError for what cannot be asked, EnvironmentProblem when the server does not answer, RunFailed when
    its first answers are of no use."""
    options = KIND.values(spec.options)
    urls, api = urls_of(options), exact_api(options)
    variable = options["api_key_env"]
    token = secret.value(str(variable)) if variable else None
    addresses = [parse(url) for url in urls]
    model = model_of(addresses, None if options["model"] is None else str(options["model"]), token)
    limits = limits_of(options)
    sut = EndpointSut(addresses, api, model, token, limits, spec, samples, sink)
    sut.warm_up()
    return sut


class EndpointSut:
    """One thread with an event loop holds all streams; `issue` only hands over."""

    def __init__(
        self,
        addresses: Sequence[Address],
        api: Api,
        model: str,
        token: str | None,
        limits: ClientLimits,
        spec: SutSpec,
        samples: Sequence[Sample],
        sink: Sink,
    ) -> None:
        self._api, self._model, self._limits, self._spec, self._sink = api, model, limits, spec, sink
        self._questions = Questions(api, model, spec.generation, samples)
        try:
            self._endpoints: list[Endpoint[Question]] = [Endpoint.at(a, api.path, token) for a in addresses]
        except OSError as error:
            raise EnvironmentProblem(f"the name of a server is not known: {error}", "mend --url") from error
        self._faults = Faults()
        self._worst = WorstEndpoint([each.text for each in addresses], sink.worst_endpoint)
        self._token = token
        self._servers = [endpoint_server.description(a, model, token) for a in addresses]
        said = {each.text: told for each, told in zip(addresses, self._servers)}
        self.findings = endpoint_rules.of_servers(api, said, spec, samples)
        """What the servers' settings break of the rules, and what a reader must know of them."""
        self._cache = CacheFindings(is_salted=api.has_salt)
        self._counters = CacheCounters()
        self._cached_tokens = 0
        self._delays_ns: list[int] = []
        self._changed = threading.Condition()
        self._open = 0
        self._broken: BaseException | None = None
        self._firsts: list[FirstToken] = []
        self._answers: list[Answer] = []
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._work, name="endpoint", daemon=True)
        self._thread.start()
        self._is_ready.wait()

    def used(self) -> Used:
        """Asks the servers for their counters, and for the same new prompt twice: between runs only."""
        self._look_at_cache()
        delays, self._delays_ns = sorted(self._delays_ns), []
        p99 = delays[int(0.99 * len(delays))] / 1e6 if delays else None
        breach = self._cache.breach()
        return Used(
            sut="endpoint",
            backend=f"{self._api.name} API, model {self._model}",
            precision="none",
            device="none",
            batch=None,
            weights_sha256=None,
            faults=self._faults.sentences(),
            breaches=(*([breach] if breach else []), *server_rules.breaches(self.findings)),
            issue_delay_ms=p99,
            notes=(self._server_words(), self._cache.words(), *server_rules.remarks(self.findings)),
            details={
                "tier": self._api.tier.value,
                "model": self._model,
                "answers": self._faults.answers,
                "failures": {kind.name: count for kind, count in self._faults.kinds.items()},
                "retries": self._faults.retries,
                "client": {"issue_delay_p99_ms": p99, "in_flight_at_most": self._limits.in_flight},
                "cache": asdict(self._cache),
                "findings": [each.to_dict() for each in self.findings],
                "endpoints": [
                    {
                        "url": each.address.text,
                        "asked": each.asked,
                        "failed": each.failed,
                        "connections": each.connections,
                        "server": server,
                    }
                    for each, server in zip(self._endpoints, self._servers)
                ],
            },
        )

    def warm_up(self) -> None:
        """Raises: RunFailed when an answer fails: a run would fail as well."""
        self._sink.progress(f"warming up {', '.join(e.address.text for e in self._endpoints)}")
        questions = self._questions
        for answer in self._ask_apart([(asked, questions.body(asked)) for asked in questions.warm_ups()]):
            if answer.failure is not None:
                said = f"{answer.failure.kind.value} ({answer.failure.detail})"
                raise RunFailed(
                    f"the server's first answers are of no use: {said}", "see --api and the server's log"
                )

    def _ask_apart(self, wanted: Sequence[tuple[AnswerTerms, bytes]]) -> list[AnswerStream]:
        """The answers to questions that are not LoadGen's."""
        now = time.monotonic_ns()
        exchanges = [self._exchange(Question(None, asked), body, now) for asked, body in wanted]
        self._hand_over(exchanges)
        self.flush()
        return [exchange.answer for exchange in exchanges]

    def _look_at_cache(self) -> None:
        """Counters of the run that has ended; then the same new prompt twice, without a salt."""
        now = self._read_counters()
        self._cache = self._cache.ran(self._cached_tokens, self._counters, now)
        self._cached_tokens = 0
        asked = self._questions.new_prompt()
        body = self._questions.body(asked, is_salted=False)
        if not self._faults.kinds:  # a server that fails is not asked again
            answers = [self._ask_apart([(asked, body)])[0] for _ in range(2 * len(self._endpoints))]
            after = self._read_counters()
            for second in answers[1:]:
                self._cache = self._cache.probed(second, now, after)
            now = after
        self._counters = now

    def _read_counters(self) -> CacheCounters:
        pages = []
        for endpoint in self._endpoints:
            with suppress(EnvironmentProblem):  # it has gone: its answers have failed, or the next ones will
                status, page = endpoint_http.get(endpoint.address, "/metrics", self._token)
                pages += [page] if status == 200 else []
        return endpoint_cache.counters(pages)

    def _server_words(self) -> str:
        told = [", ".join(f"{name} {value}" for name, value in server.items()) for server in self._servers]
        return f"server: {'; '.join(said or 'says nothing of itself' for said in told)}"

    def issue(self, queries: Sequence[Query]) -> None:
        """Raises: RunFailed when the client has already failed."""
        now, questions = time.monotonic_ns(), self._questions
        self._hand_over(
            [
                self._exchange(Question(id_, questions.asked[index]), questions.bodies[index], now)
                for id_, index in queries
            ]
        )

    def flush(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._open or self._broken is not None)
            self._raise_broken()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()

    # In the thread of the loop.

    def _work(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # the thread's boundary: handed to whoever waits, and to the process
            with self._changed:
                self._broken = error
                self._changed.notify_all()
            raise
        finally:
            self._is_ready.set()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._client: Client[Question] = Client(self._endpoints, self._limits, self._heard, self._done)
        watch = asyncio.ensure_future(self._client.watch())
        self._is_ready.set()
        with suppress(asyncio.CancelledError):
            await self._client.failure
        watch.cancel()
        self._client.close()

    def _stop(self) -> None:
        self._client.failure.cancel()

    def _heard(self, exchange: Exchange[Question]) -> None:
        """Something has arrived: the first token, or the last."""
        answer = exchange.answer
        if answer.ids and not exchange.is_first_told:
            self._tell_first(exchange, answer.ids[0])
        if answer.is_whole and answer.failure is None and not exchange.is_done_told:
            asked = exchange.key.asked
            fault = endpoint_audit.tokens_fault(answer, asked)
            if fault is not None:
                answer.failure = fault
            else:
                self._tell_answer(exchange, endpoint_audit.handed_in(answer, asked))

    def _done(self, exchange: Exchange[Question]) -> None:
        """The stream has ended, in whatever way."""
        self._heard(exchange)  # a body without a length is whole only now
        answer, asked = exchange.answer, exchange.key.asked
        answer.failure = answer.failure or endpoint_audit.counts_fault(answer, asked)
        if answer.failure is None and not exchange.is_done_told:
            answer.fail(FailureKind.CUT, "the stream ended without a reason to stop")
        if exchange.key.id is not None:
            self._count(exchange)
        if not exchange.is_done_told:
            if not exchange.is_first_told:
                self._tell_first(exchange, asked.generation.eos_id)
            self._tell_answer(exchange, [asked.generation.eos_id] * LEAST_TOKENS)
        with self._changed:
            self._open -= 1
            if not self._open:
                self._hand_in()
                self._changed.notify_all()

    def _count(self, exchange: Exchange[Question]) -> None:
        """Of LoadGen's queries alone. Raises: RunFailed as `Faults.add`."""
        self._faults.answers += 1
        self._faults.retries += exchange.retries
        self._cached_tokens += exchange.answer.usage.cached_tokens or 0
        self._delays_ns.append(max(0, exchange.sent_ns - exchange.due_ns))
        has_failed = exchange.answer.failure is not None
        self._worst.add(exchange.endpoint, max(0, exchange.heard_ns - exchange.sent_ns), has_failed)
        if exchange.answer.failure is not None:
            self._faults.add(exchange.answer.failure)

    def _tell_first(self, exchange: Exchange[Question], token: int) -> None:
        exchange.is_first_told = True
        if self._spec.server and exchange.key.id is not None:
            self._soon()
            self._firsts.append(FirstToken(exchange.key.id, token))

    def _tell_answer(self, exchange: Exchange[Question], ids: list[int]) -> None:
        exchange.is_done_told = True
        if exchange.key.id is not None:
            self._soon()
            self._answers.append(Answer(exchange.key.id, ids))

    def _soon(self) -> None:
        """What comes in one turn of the loop is handed in together."""
        if not self._firsts and not self._answers:
            self._loop.call_soon(self._hand_in)

    def _hand_in(self) -> None:
        firsts, answers = self._firsts, self._answers
        self._firsts, self._answers = [], []
        self._sink.first_tokens(firsts)
        self._sink.done(answers)

    # In the thread of the caller.

    def _hand_over(self, exchanges: list[Exchange[Question]]) -> None:
        with self._changed:
            self._raise_broken()
            self._open += len(exchanges)
        self._loop.call_soon_threadsafe(self._client.ask, exchanges)

    def _exchange(self, question: Question, body: bytes, now_ns: int) -> Exchange[Question]:
        body = self._questions.salted(body)
        return Exchange(question, body, partial(AnswerStream, self._api, question.asked.stop_ids), now_ns)

    def _raise_broken(self) -> None:
        if isinstance(self._broken, AssayError):
            raise self._broken
        if self._broken is not None:
            raise RunFailed(f"the client of the server stopped: {self._broken}") from self._broken
