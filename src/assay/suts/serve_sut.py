"""Starts a server and hands it to the endpoint SUT. The server ends with this process group, however that ends."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from assay.config import Mode
from assay.endpoint.address import Address
from assay.endpoint.apis import api_named
from assay.ground import files
from assay.ground.errors import ConfigError, EnvironmentProblem, RunFailed
from assay.mlperf.checker.finding import Finding
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.child import describe, first_error, last_lines
from assay.mlperf.sut.interface import Query, Sink, SutSpec, Used
from assay.suts import (
    endpoint_choice,
    endpoint_http,
    endpoint_options,
    endpoint_rules,
    endpoint_sut,
    listener,
    serve_command,
    serve_pace,
    serve_program,
    server_rules,
)
from assay.suts.endpoint_choice import ApiChoice
from assay.suts.endpoint_sut import AskedServers, EndpointSut
from assay.suts.serve import KIND

LOOK_SECONDS, SPEAK_SECONDS, END_SECONDS = 0.5, 15.0, 5.0
"""Between two looks whether the server answers, between two messages, and until a server that was asked to end is
killed. Choices."""
PORT_TRIES = 3
"""A choice."""
IN_USE = ("address already in use", "couldn't bind")
"""What servers say of a port that is taken: the system's own words, and llama.cpp's."""
OWN_OUTPUT = Path("/proc/self/fd/1")
"""The log of this process, where the server writes too."""


class PortTaken(RunFailed):
    """The server ended because another process has its port."""


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> ServeSut:
    """Raises: ConfigError, EnvironmentProblem when it cannot be started, RunFailed when it ends or never answers."""
    options = KIND.values(spec.options)
    if spec.checkpoint is None:
        raise ConfigError("the serve SUT needs a checkpoint", "--checkpoint DIR")
    words = partial(serve_command.command, options, spec.checkpoint, precision=spec.precision)
    command = words(port=_free_port())
    chosen, findings = _examined(command, spec, samples)
    serve_program.refuse_missing(str(options["server"]), command[0])
    for broken in server_rules.breaches(findings):
        sink.progress(f"a closed run will be INVALID: {broken}")
    is_named = options["server"] in serve_command.KNOWN
    begun = _serving(words, spec.checkpoint, float(str(options["start_timeout"])), sink, is_named)
    try:
        endpoint = _endpoint(begun.address, chosen, findings, spec, samples, sink)
        digest = files.sha256_all(KIND.weight_files(options, spec.checkpoint))
    except BaseException:
        _end(begun.process)
        raise
    return ServeSut(endpoint, begun, digest, sink)


@dataclass(frozen=True)
class _Server:
    address: Address
    process: subprocess.Popen[bytes]
    words: Sequence[str]
    """Its command."""
    command: str
    """As `serve_pace.key` names it."""
    start_s: float


class ServeSut:
    """The endpoint SUT with the life of its server."""

    def __init__(self, endpoint: EndpointSut, server: _Server, digest: str, sink: Sink) -> None:
        self._endpoint, self._server, self._digest, self._sink = endpoint, server, digest, sink

    def renew(self, spec: SutSpec, samples: Sequence[Sample]) -> None:
        """The server goes on; the clients are new ones."""
        chosen, findings = _examined(self._server.words, spec, samples)
        self._endpoint.close()
        self._endpoint = _endpoint(self._server.address, chosen, findings, spec, samples, self._sink)

    def used(self) -> Used:
        used = self._endpoint.used()
        if not used.faults and (pace := self._endpoint.tokens_per_s):
            with suppress(EnvironmentProblem):  # a memory that cannot be kept fails no run
                serve_pace.keep(self._server.command, self._server.start_s, pace)
        return replace(
            used,
            sut="serve",
            weights_sha256=self._digest,
            details={**used.details, "command": list(self._server.words)},
        )

    def begin(self, mode: Mode) -> None:
        self._endpoint.begin(mode)

    def issue(self, queries: Sequence[Query]) -> None:
        self._endpoint.issue(queries)

    def flush(self) -> None:
        self._endpoint.flush()

    def close(self) -> None:
        self._endpoint.close()
        _end(self._server.process)


def _examined(
    words: Sequence[str], spec: SutSpec, samples: Sequence[Sample]
) -> tuple[ApiChoice, tuple[Finding, ...]]:
    """How the server is asked, and what its command breaks of the rules. Raises: ConfigError."""
    options = KIND.values(spec.options)
    api = api_named(serve_command.api_of(str(options["server"]), options["api"]))
    chosen = endpoint_choice.choice(api, "as asked", samples, spec.tokenizer, spec.exact)
    return chosen, endpoint_rules.of_command(endpoint_rules.dialect_of(api.name), words, spec, samples)


def _endpoint(
    address: Address,
    chosen: ApiChoice,
    findings: Sequence[Finding],
    spec: SutSpec,
    samples: Sequence[Sample],
    sink: Sink,
) -> EndpointSut:
    """Warmed up. Raises: as `endpoint_sut.build`."""
    options = KIND.values(spec.options)
    model = endpoint_options.model_of([address], None, None)
    client = endpoint_options.client_of(options)
    asked = AskedServers([address], chosen, model, None, client)
    endpoint = endpoint_sut.connected(asked, spec, samples, sink)
    endpoint.findings = endpoint_rules.merged(findings, endpoint.findings)
    return endpoint


def _serving(
    words: Callable[..., Sequence[str]],
    checkpoint: Path,
    timeout_s: float,
    sink: Sink,
    is_named: bool,
    tries: int = PORT_TRIES,
) -> _Server:
    """A server that answers, on a port that nobody else took meanwhile. `words`: its command with a `port`. Raises: as
    `_started` and `_wait`."""
    port = _free_port()
    address, command, began = Address("http", "127.0.0.1", port), words(port=port), time.monotonic()
    log_start = OWN_OUTPUT.stat().st_size if OWN_OUTPUT.is_file() else 0
    process = _started(command)
    try:
        _wait(process, address, timeout_s, sink, log_start, is_named)
    except BaseException as error:
        _end(process)
        if not isinstance(error, PortTaken) or tries == 1:
            raise
        sink.progress(f"another process took port {port}: the server is started again")
        return _serving(words, checkpoint, timeout_s, sink, is_named, tries - 1)
    start_s = time.monotonic() - began
    return _Server(address, process, command, serve_pace.key(command, port, checkpoint), start_s)


def _free_port() -> int:
    """Until it is used, another process may take it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _started(words: Sequence[str]) -> subprocess.Popen[bytes]:
    """In this process's own group, which ends as a whole. Raises: EnvironmentProblem."""
    try:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    except OSError as error:
        raise EnvironmentProblem(
            f"the server cannot be started: {error}", "--server, --server-python"
        ) from error


def _wait(
    process: subprocess.Popen[bytes],
    address: Address,
    timeout_s: float,
    sink: Sink,
    log_start: int,
    is_named: bool,
) -> None:
    """Until it lists its models. `log_start`: byte of the log where its own words begin. Raises: RunFailed with its
    first error and last lines when it ends, or takes too long; PortTaken as `_refuse_foreign`."""
    start = spoken = time.monotonic()
    while True:
        if (status := process.poll()) is not None:
            last = _last_words(log_start)
            kind = PortTaken if any(words in last.lower() for words in IN_USE) else RunFailed
            raise kind(f"the server {describe(status)} before it answered{last}", "its log")
        try:
            said = "lists no model"
            # A server that has ended does not answer: another process has its port.
            if endpoint_http.models(address, None) and process.poll() is None:
                _refuse_foreign(address.port, is_named, sink)
                return
        except EnvironmentProblem:
            said = "does not answer"
        now = time.monotonic()
        if now - start > timeout_s:
            raise RunFailed(
                f"the server {said} after {timeout_s:g} s{_last_words(log_start)}", "--start-timeout"
            )
        if now - spoken > SPEAK_SECONDS:
            spoken = now
            sink.progress(f"the server is loading, {now - start:.0f} s so far")
        time.sleep(LOOK_SECONDS)


def _refuse_foreign(port: int, is_named: bool, sink: Sink) -> None:
    """Raises: PortTaken where a process of somebody else listens, and a server of KNOWN was started, which listens
    itself. A command may start a container, whose process is not ours: that is told."""
    if (pid := listener.foreign(port)) is None:
        return
    told = f"process {pid}, which is none that was started here, listens on port {port}"
    if is_named:
        raise PortTaken(told, "end it, or try again")
    sink.progress(f"{told}: it is what is measured")


def _last_words(log_start: int) -> str:
    try:
        with OWN_OUTPUT.open("rb") as log:
            last, first = (last_lines(log), first_error(log, log_start)) if OWN_OUTPUT.is_file() else ("", "")
    except OSError:
        return ""
    told = {"its first error": first if first not in last else "", "its last lines": last}
    return "".join(f"; {name}: {words}" for name, words in told.items() if words)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asked first, killed after a few seconds; what it started goes with this process's group."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
