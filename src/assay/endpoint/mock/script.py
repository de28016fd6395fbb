"""What the mock server does. docs/mock.md describes every key."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from enum import Enum
from typing import Any

from assay.endpoint.apis import APIS
from assay.ground.errors import ConfigError, did_you_mean
from assay.ground.typed import typed


class FaultKind(Enum):
    """How one answer goes wrong. The first four have no stream."""

    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    ERROR = "error"
    REFUSE = "refuse"
    RESET = "reset"
    CLOSE = "close"
    STALL = "stall"
    ERROR_EVENT = "error_event"
    DAMAGED = "damaged"
    ABORT = "abort"
    SHORT = "short"
    BAD_ID = "bad_id"
    WRONG_USAGE = "wrong_usage"
    WRONG_PROMPT = "wrong_prompt"


class LineEnd(Enum):
    LF = "lf"
    CRLF = "crlf"
    CR = "cr"


class SglangForm(Enum):
    """The three forms of SGLang's streams."""

    CUMULATIVE = "cumulative"
    NEW_IDS = "new-ids"
    INCREMENTAL = "incremental"


@dataclass(frozen=True)
class MockFault:
    kind: FaultKind
    probability: float = 0.0
    requests: tuple[int, ...] = ()
    """Numbers of the requests that get the fault; the first request is 1."""
    after: int = 0
    """Number of tokens sent before the fault; for `short`, the length of the answer."""

    def hits(self, number: int, seed: int) -> bool:
        return number in self.requests or random.Random(f"{seed}:{number}").random() < self.probability


@dataclass(frozen=True)
class MockScript:
    api: str = "vllm"
    model: str = "mock"
    seed: int = 0
    vocabulary: int = 32000
    context: int = 32768
    key: str = ""
    loading_s: float = 0.0
    keep_alive_s: float = 0.0
    tokens: int = 0
    eos: int = 2
    honours_min_tokens: bool = True
    gives_ids: bool = True
    adds_bos: bool = False
    ttft_ms: float = 0.0
    tpot_ms: float = 0.0
    tpot_ms_per_stream: float = 0.0
    slots: int = 0
    first_event_tokens: int = 1
    tokens_per_event: int = 1
    empty_text: bool = False
    usage: bool = True
    done: bool = True
    line_end: LineEnd = LineEnd.LF
    comments: bool = False
    split_bytes: int = 0
    sglang: SglangForm = SglangForm.CUMULATIVE
    prefix_cache: bool = False
    ttft_cached_ms: float = 0.0
    states_cached: bool = True
    response_cache: bool = False
    gzip: bool = False
    reasoning_tokens: int = 0
    fault: tuple[MockFault, ...] = ()

    def __post_init__(self) -> None:
        if self.api not in APIS:
            raise ValueError(f"api is {self.api!r}; {did_you_mean(self.api, APIS)}")
        least = {"first_event_tokens": 1, "tokens_per_event": 1, "vocabulary": 4, "context": 1}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (int, float)) and not value >= least.get(field.name, 0):
                raise ValueError(f"{field.name} is {value}; it is at least {least.get(field.name, 0)}")

    def fault_of(self, number: int) -> MockFault | None:
        """The first fault that applies to request `number`."""
        return next((fault for fault in self.fault if fault.hits(number, self.seed)), None)


def script_of(plain: dict[str, Any]) -> MockScript:
    """A script from the values of its file. Raises ConfigError for an unknown key or a wrong value."""
    faults = plain.get("fault", [])
    for kind, values in ((MockScript, [plain]), (MockFault, faults if isinstance(faults, list) else [])):
        known = {field.name for field in dataclasses.fields(kind)}
        for key in (key for value in values if isinstance(value, dict) for key in value if key not in known):
            raise ConfigError(f"the script has an unknown key {key!r}", did_you_mean(key, known))
    try:
        return typed(MockScript, plain, "script")
    except ValueError as error:
        raise ConfigError(
            f"the script cannot be used: {error}", "docs/mock.md describes every key"
        ) from error
