"""A server over the network as a system under test: queries become requests, streams of exact ids become answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

import msgspec

from assay.config import Mode
from assay.endpoint.address import Address, parse
from assay.endpoint.clients import ceiling, certificate, process
from assay.endpoint.clients.certificate import ClientCertificate
from assay.endpoint.clients.crossing import ClientSetting, EndedStream
from assay.endpoint.clients.fleet import ClientFleet
from assay.endpoint.failure import FailureKind
from assay.endpoint.tier import Tier
from assay.ground.errors import AssayError, EnvironmentProblem, RunFailed
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import LEAST_TOKENS, Query, Sink, SutSpec, Used
from assay.suts import endpoint_cache, endpoint_http, endpoint_rules, endpoint_server
from assay.suts.endpoint import KIND
from assay.suts.endpoint_cache import CacheCounters, CacheFindings
from assay.suts.endpoint_choice import ApiChoice, api_of, choice
from assay.suts.endpoint_ledger import Ledger, RunTally
from assay.suts.endpoint_options import (
    AskedClient,
    asked_model,
    client_of,
    model_of,
    token_of,
    urls_of,
)
from assay.suts.endpoint_questions import Questions
from assay.suts.endpoint_text import TextTokens


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> EndpointSut:
    """Connects and warms up. Raises: ConfigError for what cannot be asked, EnvironmentProblem when the server does
    not answer, RunFailed when its first answers are of no use."""
    options = KIND.values(spec.options)
    urls, client, token = urls_of(options), client_of(options), token_of(options)
    addresses = [parse(url) for url in urls]
    model = model_of(addresses, asked_model(options), token)  # a wrong name is told before it is probed with
    chosen = choice(*api_of(options, addresses, token), samples, spec.tokenizer, spec.exact)
    sink.progress(chosen.words())
    return connected(AskedServers(addresses, chosen, model, token, client), spec, samples, sink)


@dataclass(frozen=True)
class AskedServers:
    """The servers that answer, which share the load, and how they are asked."""

    addresses: Sequence[Address]
    chosen: ApiChoice
    model: str
    token: str | None
    client: AskedClient


def connected(asked: AskedServers, spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> EndpointSut:
    """The SUT once the server has answered its warm-up requests. Raises: as `build`."""
    sut = EndpointSut(asked, spec, samples, sink)
    try:
        sut.warm_up()
    except BaseException:
        sut.close()
        raise
    return sut


class EndpointSut:
    """Client processes hold all streams; `issue` only hands the queries over."""

    def __init__(self, asked: AskedServers, spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> None:
        chosen, model, token, client = asked.chosen, asked.model, asked.token, asked.client
        api = chosen.api
        self._addresses, self._chosen, self._api, self._model = list(asked.addresses), chosen, api, model
        self._token, self._sink = token, sink
        self._questions = Questions(chosen, model, spec.generation, samples)
        urls = [each.text for each in self._addresses]
        text = TextTokens(chosen.tokenizer, chosen.tier is Tier.B, spec.generation.eos_id)
        self._ledger = Ledger(urls, text, spec.server, sink)
        self._servers = [endpoint_server.description(a, model, token) for a in self._addresses]
        said = dict(zip(urls, self._servers))
        self.findings = endpoint_rules.of_servers(api, said, spec, samples)
        """Rules that the servers' settings break, and notes for the reader."""
        self._other_models: dict[str, str] = {}  # by address
        self._cache = CacheFindings(is_salted=api.has_salt)
        self._counters = CacheCounters()
        self._setting = ClientSetting(api.name, tuple(urls), token, client.limits)
        self._fleet = ClientFleet(self._setting, client.processes, self._ledger)
        self._client = ClientCertificate(client.processes, client.limits.in_flight)
        self._check_s = client.check_s
        self.tokens_per_s: float | None = None
        """Of the answers of the last run; None before the first."""

    @property
    def clients(self) -> list[int]:
        """Process ids of the clients."""
        return self._fleet.pids

    def used(self) -> Used:
        """Call it between runs only: it asks the servers for their model and their counters, and sends the same new
        prompt twice."""
        run = self._ledger.take_run()
        self._look_at_client(run)
        self._look_at_models()
        self._look_at_cache(run.cached_tokens)
        client = self._client
        breaches, rule_notes = endpoint_rules.with_cache(self._cache, self.findings)
        faults = self._ledger.faults
        return Used(
            sut="endpoint",
            backend=f"{self._api.name} API, model {self._model}",
            precision="none",
            device="none",
            batch=None,
            weights_sha256=None,
            faults=(*faults.sentences(), *self._other_models.values()),
            breaches=breaches,
            performance_only=self._chosen.performance_only,
            issue_delay_ms=client.runs[-1].issue_delay_p99_ms if run.delays_ns else None,
            notes=(
                self._server_words(),
                self._chosen.words(),
                *filter(None, (client.words(), client.limited(), self._ledger.worst.balance())),
                *rule_notes,
            ),
            definitions=run.definitions(),
            details={
                "api": {"name": self._api.name, "chosen": self._chosen.how},
                "tier": self._chosen.tier.value,
                "model": self._model,
                "answers": faults.answers,
                "failures": {kind.name: count for kind, count in faults.kinds.items()},
                "retries": faults.retries,
                "client": client.to_dict(),
                "cache": asdict(self._cache),
                "findings": [each.to_dict() for each in self.findings],
                "endpoints": self._endpoints(),
            },
        )

    def _endpoints(self) -> list[dict[str, object]]:
        pulses = [told[-1] for told in self._fleet.pulses() if told]
        return [
            {
                "url": address.text,
                **self._ledger.worst.tallies[address.text].to_dict(),
                "left": next(
                    (pulse.left[address.text] for pulse in pulses if address.text in pulse.left), ""
                ),
                "connections": sum(pulse.connections[address.text] for pulse in pulses),
                "server": server,
            }
            for address, server in zip(self._addresses, self._servers)
        ]

    def warm_up(self) -> None:
        """Sends the warm-up requests. Raises: RunFailed when an answer fails, because the run would fail as well."""
        self._sink.progress(f"warming up {', '.join(address.text for address in self._addresses)}")
        questions = self._questions
        for ended in self._ask_apart([questions.write(terms) for terms in questions.warm_ups()]):
            if ended.failure is not None:
                said = f"{FailureKind[ended.failure].value} ({ended.detail})"
                raise RunFailed(
                    f"the server's first answers are of no use: {said}",
                    f"assay probe {self._addresses[0].text} says how it wants to be asked; see its log",
                )

    def _ask_apart(self, written: Sequence[bytes]) -> list[EndedStream]:
        """Sends our own requests and returns how they ended."""
        numbers = self._ask([None] * len(written), written)
        self.flush()
        return self._ledger.own(numbers)

    def _look_at_client(self, run: RunTally) -> None:
        """Records how the client did in the run that has ended, and after the first run what it can carry."""
        pulses = self._fleet.pulses()
        client = self._client
        if not run.delays_ns:
            return
        self.tokens_per_s = run.tokens * 1e9 / max(1, run.end_ns - run.begin_ns)
        seen = certificate.client_run(
            pulses, run.delays_ns, run.begin_ns, run.end_ns, run.stamped, run.unstamped
        )
        client = replace(client, runs=(*client.runs, seen))
        if client.ceiling is None and self._check_s and run.tokens:
            tokens = max(LEAST_TOKENS, round(run.tokens / len(run.delays_ns)))
            self._sink.progress("measuring what the client can carry")
            try:
                found = ceiling.measured(
                    self._setting,
                    client.processes,
                    self._questions.for_ceiling(tokens),
                    tokens,
                    self._check_s,
                )
                client = replace(client, ceiling=found, unmeasured="")
            except AssayError as error:
                client = replace(client, unmeasured=error.message)
        self._client = client

    def _look_at_models(self) -> None:
        """Records which servers serve another model than before the run."""
        for address, before in zip(self._addresses, self._servers):
            with suppress(EnvironmentProblem):  # it has gone: as for the counters
                if said := endpoint_server.other_model(address, before, self._token):
                    self._other_models.setdefault(address.text, said)

    def _look_at_cache(self, cached_tokens: int) -> None:
        """Reads the counters of the run that has ended, then sends the same new prompt twice without a salt."""
        now = self._read_counters()
        self._cache = self._cache.ran(cached_tokens, self._counters, now)
        written = self._questions.write(self._questions.new_prompt(), is_salted=False)
        if not self._ledger.faults.kinds:  # a server that fails is not asked again
            ended = [self._ask_apart([written])[0] for _ in range(2 * len(self._addresses))]
            after = self._read_counters()
            for second in ended[1:]:
                if second.failure is None:
                    self._cache = self._cache.probed(second.cached_tokens, now, after)
            now = after
        self._counters = now

    def _read_counters(self) -> CacheCounters:
        pages = []
        for address in self._addresses:
            with suppress(EnvironmentProblem):  # it has gone: its answers have failed, or the next ones will
                for path in endpoint_cache.PAGES:
                    status, page = endpoint_http.get(address, path, self._token)
                    pages += [page] if status == 200 else []
        return endpoint_cache.counters(pages)

    def _server_words(self) -> str:
        told = [", ".join(f"{name} {value}" for name, value in server.items()) for server in self._servers]
        return f"server: {'; '.join(said or 'says nothing of itself' for said in told)}"

    def begin(self, mode: Mode) -> None:
        """In an accuracy run another server takes the query of a server that fails; a performance run is INVALID
        then. Requests from before, made to choose a rate, do not count for the run."""
        self._ledger.take_run()
        process.collect_seldom()  # while it looks, no answer is handed on
        self._fleet.hand_over(mode is Mode.ACCURACY)

    def issue(self, queries: Sequence[Query]) -> None:
        """Raises: RunFailed when the client has already failed."""
        written = self._questions.written
        self._ask([query.id for query in queries], [written[query.sample_index] for query in queries])

    def flush(self) -> None:
        self._ledger.wait()

    def close(self) -> None:
        self._fleet.close()

    def _ask(self, ids: Sequence[int | None], written: Sequence[bytes]) -> list[int]:
        now, salted = time.monotonic_ns(), self._questions.salted
        numbers = self._ledger.enter(ids)
        self._fleet.ask([(n, now, msgspec.Raw(salted(each))) for n, each in zip(numbers, written)])
        return numbers
