"""One level of load, and the limits that make an answer a good one. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from assay.ground.errors import ConfigError, did_you_mean

MOST_STREAMS, MOST_RATE = 100_000, 1e6
GOODPUT_LIMITS = ("ttft", "tpot", "e2e")
_UNITS_MS = {"ms": 1.0, "s": 1000.0}


class LoadKind(Enum):
    CONCURRENCY = "concurrency"
    """A closed loop: this many requests are always open. When one ends, the next is sent at once."""
    RATE = "rate"
    """Open loop: this many requests are sent each second at Poisson times, whether answers arrive or not."""


@dataclass(frozen=True)
class LoadLevel:
    kind: LoadKind
    value: float
    """Number of open requests, or requests/s."""

    @property
    def label(self) -> str:
        is_rate = self.kind is LoadKind.RATE
        return f"{self.value:g} requests/s" if is_rate else f"concurrency {self.value:g}"

    def times_s(self, duration_s: float, seed: int) -> Iterator[float]:
        """When the requests of a rate are due, in seconds from the start. Every rate uses the same random draws,
        scaled."""
        draw, at = random.Random(seed), 0.0
        while (at := at + draw.expovariate(1.0) / self.value) < duration_s:
            yield at


def levels(concurrency: str | None, rates: str | None) -> tuple[LoadLevel, ...]:
    """Levels from texts such as `1,4,16` and `0.5,2`, in ascending order. Raises: ConfigError."""
    streams = _numbers(concurrency or "", "--concurrency", MOST_STREAMS)
    if any(value != int(value) for value in streams):
        raise ConfigError(f"--concurrency {concurrency} is no list of whole numbers", "--concurrency 1,4,16")
    found = [LoadLevel(LoadKind.CONCURRENCY, value) for value in streams]
    return (
        *found,
        *(LoadLevel(LoadKind.RATE, value) for value in _numbers(rates or "", "--rate", MOST_RATE)),
    )


def _numbers(text: str, flag: str, most: float) -> list[float]:
    found: list[float] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(float(word))
        except ValueError:
            found.append(0.0)
        if not 0 < found[-1] <= most:
            is_endless = found[-1] == math.inf
            hint = "--concurrency N: N requests are always open" if is_endless else f"{flag} 1,4,16"
            raise ConfigError(f"{flag} {word}: a number above 0 and at most {most:g}", hint)
    return sorted(set(found))


@dataclass(frozen=True)
class Goodput:
    """The longest times of a good answer, ms; None = no limit of that kind."""

    ttft_ms: float | None = None
    tpot_ms: float | None = None
    e2e_ms: float | None = None

    @property
    def words(self) -> str:
        named = {"ttft": self.ttft_ms, "tpot": self.tpot_ms, "e2e": self.e2e_ms}
        return ", ".join(f"{name} {limit:g} ms" for name, limit in named.items() if limit is not None)

    def holds(self, ttft_ms: float, tpot_ms: float | None, e2e_ms: float) -> bool:
        """Whether an answer meets all limits. An answer of one token has no time per token and meets every limit of
        it."""
        pairs = ((ttft_ms, self.ttft_ms), (tpot_ms, self.tpot_ms), (e2e_ms, self.e2e_ms))
        return all(value is None or limit is None or value <= limit for value, limit in pairs)


def goodput(text: str) -> Goodput:
    """Limits from a text such as `ttft:500ms,tpot:50ms,e2e:2s`; a number without a unit is in ms. Raises:
    ConfigError."""
    found: dict[str, float] = {}
    example = "--goodput ttft:500ms,tpot:50ms,e2e:2s"
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, limit = (word.strip() for word in part.partition(":"))
        if name not in GOODPUT_LIMITS:
            raise ConfigError(f"--goodput {part}: unknown limit {name!r}", did_you_mean(name, GOODPUT_LIMITS))
        if name in found:
            raise ConfigError(f"--goodput {text}: {name} is there twice", example)
        unit = next((unit for unit in _UNITS_MS if limit.endswith(unit)), "")
        try:
            found[name] = float(limit.removesuffix(unit)) * _UNITS_MS.get(unit, 1.0)
        except ValueError:
            found[name] = 0.0
        if not 0 < found[name] < math.inf:
            raise ConfigError(f"--goodput {part}: {limit!r} is no time; ms where no unit stands", example)
    return Goodput(**{f"{name}_ms": limit for name, limit in found.items()})
