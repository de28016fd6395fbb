"""One Protocol for every kind of server. `apis/` has one file per kind."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from assay.endpoint.delta import Delta
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier


class Framing(Enum):
    """How a stream is cut into events."""

    SSE = "server-sent events"
    JSON_LINES = "one JSON value per line"


class ApiReader(Protocol):
    """Reads the events of one answer. It remembers earlier events where a server repeats them (cumulative streams)."""

    def feed(self, event: bytes) -> Delta:
        """The new part in `event`, the payload of one event without its framing. An event that the API does not
        allow gives a Delta with failure DAMAGED; nothing is raised."""


class Api(Protocol):
    """How to talk to one kind of server. Stateless: one value serves all requests."""

    @property
    def name(self) -> str:
        """Its name as a value of `--api`."""

    @property
    def path(self) -> str:
        """Path of the request, relative to the server's address."""

    @property
    def tier(self) -> Tier:
        """The most exact tier that the API supports."""

    @property
    def framing(self) -> Framing: ...

    @property
    def has_min_tokens(self) -> bool:
        """Whether the API can enforce `Sampling.min_tokens`."""

    @property
    def has_salt(self) -> bool:
        """Whether a request can opt out of the prefix cache."""

    def body(self, prompt: Prompt, sampling: Sampling, model: str, salt: str | None) -> bytes:
        """The JSON body of a streamed request, made before the run. Raises ConfigError for a prompt that this API
        cannot take (ids where it takes text only)."""

    def reader(self) -> ApiReader:
        """A new reader for one answer."""
