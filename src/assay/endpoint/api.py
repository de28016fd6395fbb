"""One Protocol for every kind of server. `apis/` has one file per kind."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from assay.endpoint.delta import Delta
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier


class Framing(Enum):
    """How the events of a stream are told apart."""

    SSE = "server-sent events"
    JSON_LINES = "one JSON value per line"


class ApiReader(Protocol):
    """Reads the events of one answer; keeps what it has seen where a server repeats it (cumulative streams)."""

    def feed(self, event: bytes) -> Delta:
        """What is new in `event`, the payload of one event without its framing.

        An event that is not what the API allows is a Delta with failure DAMAGED; nothing is raised.
        """


class Api(Protocol):
    """How to talk to one kind of server. Stateless: one value serves all requests."""

    @property
    def name(self) -> str:
        """What `--api` is given."""

    @property
    def path(self) -> str:
        """Of the request, below the server's address."""

    @property
    def tier(self) -> Tier:
        """The best it can give."""

    @property
    def framing(self) -> Framing: ...

    @property
    def has_min_tokens(self) -> bool:
        """Whether an answer can be forced to have `Sampling.min_tokens`."""

    @property
    def has_salt(self) -> bool:
        """Whether a request can be kept out of the prefix cache."""

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        """The JSON body of a streamed request, made before the run. Raises ConfigError for a prompt that this API
        cannot take (ids where it takes text only)."""

    def reader(self) -> ApiReader:
        """A fresh reader for one answer."""
