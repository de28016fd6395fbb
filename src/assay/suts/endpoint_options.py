"""Reads the options of the endpoint and serve SUTs: addresses, API, model and limits."""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.config import OptionValue
from assay.endpoint.address import Address
from assay.endpoint.exchange import ClientLimits
from assay.ground import cores
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.suts import endpoint_http, secret

SPARE_FILES = 512
"""Open files beside the streams: those of the dataset, of libraries, logs and sockets to the clients. A choice."""
STREAMS_A_CLIENT = 32
"""Requests in flight for each client process, when their number is `auto`. A choice: what one process carries is in
docs/adr/0011-the-client-of-a-server.md."""
MOST_CLIENTS = 256
"""Of --clients. A choice: more is a slip of the pen."""
Options = Mapping[str, OptionValue | None]


def urls_of(options: Options) -> tuple[str, ...]:
    """The URLs to ask, each once. Raises: ConfigError when no server is named."""
    urls = options["url"]
    if not isinstance(urls, tuple) or not urls:
        raise ConfigError("no server is named", "--url http://127.0.0.1:8000")
    return tuple(dict.fromkeys(urls))  # one that is named twice is one server


def limits_of(options: Options) -> ClientLimits:
    """The limits that were asked for; the limit of open files is raised to fit. Raises: EnvironmentProblem when it
    cannot be raised."""
    limits = ClientLimits(
        silence_s=float(str(options["stall_timeout"])),
        answer_s=float(str(options["timeout"])),
        in_flight=int(str(options["max_in_flight"])),
        retries=int(str(options["retries"])),
    )
    allow_files(limits.in_flight)
    return limits


@dataclass(frozen=True)
class AskedClient:
    """The client that the options ask for."""

    limits: ClientLimits
    processes: int
    """How many carry the streams."""
    check_s: float
    """Seconds in which the client's own ceiling is measured; 0 = it is not."""


def client_of(options: Options) -> AskedClient:
    """Raises: as `limits_of` and `clients_of`."""
    limits = limits_of(options)
    return AskedClient(limits, clients_of(options, limits.in_flight), float(str(options["client_check"])))


def clients_of(options: Options, in_flight: int) -> int:
    """Number of client processes for the streams. Raises: ConfigError."""
    asked = str(options["clients"])
    if asked == "auto":
        return max(1, min(cores.usable() - 1, in_flight // STREAMS_A_CLIENT))
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked) <= MOST_CLIENTS:
        raise ConfigError(f"--clients is {asked[:40]!r}", f"auto, or 1 to {MOST_CLIENTS}")
    return min(int(asked), in_flight)


def token_of(options: Options) -> str | None:
    """The bearer token of the server; None = it needs none. Raises: ConfigError when its variable is not set."""
    variable = options["api_key_env"]
    return secret.value(str(variable)) if variable else None


def asked_model(options: Options) -> str | None:
    """The model's name on the server; None = the first that it lists."""
    return None if options["model"] is None else str(options["model"])


def model_of(addresses: Sequence[Address], asked: str | None, token: str | None) -> str:
    """The model name for the requests. Raises: EnvironmentProblem; ConfigError for a model that a server does not
    list."""
    name = asked
    for address in addresses:
        listed = endpoint_http.models(address, token)
        name = name or (listed[0] if listed else None)
        if name is None:
            raise ConfigError(f"{address.text} lists no model", "--model NAME")
        if listed and name not in listed:
            raise ConfigError(f"{address.text} serves no model {name!r}", f"--model {listed[0]}")
    assert name is not None
    return name


def allow_files(streams: int) -> None:
    """Raises the limit of open files as far as needed. Raises: EnvironmentProblem where it cannot."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = streams + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise EnvironmentProblem(
                f"{streams} streams need {needed} open files, and {hard} are allowed",
                "a lower --max-in-flight",
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
