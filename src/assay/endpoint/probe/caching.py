"""Whether the server keeps prompts: fresh random prompts, each sent twice, and its own counters."""

from __future__ import annotations

import random
import re
import statistics
from dataclasses import dataclass

from assay.endpoint.failure import EndpointFailure
from assay.endpoint.probe.trial import Asker
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import SingleAnswer, fact

_PAIRS = 5
_LONGEST = 2048
_SAFE_IDS = range(20, 220)
"""Ids that every vocabulary contains and that are seldom special."""
_FASTER = 0.5
"""A second time to first byte below this share of the first means that the prompt was kept."""
_SHOWN_S = 0.005
_COUNTER = re.compile(r"^vllm:prefix_cache_hits(?:_total)?(?:\{[^}]*\})? ([0-9.eE+]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Caching:
    """What the probe found. None = it could not be known."""

    is_on: bool | None
    speed: float
    """Median of second / first time to first byte."""
    cached_tokens: int | None
    """Cached tokens of all second requests, as the server states them."""
    hits: int | None
    """Increase of vLLM's counter during the probe."""
    is_off_with_salt: bool | None
    """Whether its own salt keeps a request out of the cache; None when the API has no salt or the server keeps
    nothing."""
    failure: EndpointFailure | None = None


def caching(asker: Asker, context: int | None, seed: int | None = None) -> Caching:
    """Ten requests of up to 2048 tokens, and two more for the salt where prompts are kept."""
    draw = random.Random(seed)
    size = min(_LONGEST, (context or _LONGEST + 16) - 16)
    before, pairs = _hits(asker), []
    for _ in range(_PAIRS):
        prompt = _fresh(asker, draw, size)
        first, second = (asker.ask(prompt, Sampling(max_tokens=1)) for _ in range(2))
        if failure := first.failure or second.failure:
            return Caching(None, 1.0, None, None, None, failure)
        pairs.append((first, second))
    hits = _difference(before, _hits(asker))
    told = [count for _, second in pairs if (count := second.usage.cached_tokens) is not None]
    cached = sum(told) if told else None
    speed = statistics.median(second.first_byte_s / max(first.first_byte_s, 1e-9) for first, second in pairs)
    is_on = _verdict(cached, hits) if cached is not None or hits is not None else _by_speed(pairs, speed)
    salted = _salt_works(asker, draw, size) if is_on and asker.api.has_salt else None
    return Caching(is_on, speed, cached, hits, salted)


def _verdict(cached: int | None, hits: int | None) -> bool:
    """Whether prompts are kept. The server's counts are better evidence than times."""
    return bool(cached or hits)


def _by_speed(pairs: list[tuple[SingleAnswer, SingleAnswer]], speed: float) -> bool | None:
    """Times of a few milliseconds show nothing: a request costs as much around the model."""
    if sum(map(_was_faster, pairs)) >= _PAIRS - 1:
        return True
    shortest = min(first.first_byte_s for first, _ in pairs)
    return False if speed > (1 + _FASTER) / 2 and shortest > _SHOWN_S else None


def _was_faster(pair: tuple[SingleAnswer, SingleAnswer]) -> bool:
    first, second = (one.first_byte_s for one in pair)
    return second < _FASTER * first and first - second > _SHOWN_S


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _fresh(asker: Asker, draw: random.Random, size: int) -> Prompt:
    if asker.takes_ids:
        return Prompt(ids=tuple(draw.choice(_SAFE_IDS) for _ in range(size)))
    return Prompt(text=" ".join(str(draw.randrange(10)) for _ in range(size // 4)))


def _salt_works(asker: Asker, draw: random.Random, size: int) -> bool | None:
    """Two requests of one prompt with two salts: by the server's counts, else by speed."""
    prompt, before = _fresh(asker, draw, size), _hits(asker)
    first, second = (asker.ask(prompt, Sampling(max_tokens=1), f"probe-{draw.random()}") for _ in range(2))
    if first.failure or second.failure:
        return None
    hits, count = _difference(before, _hits(asker)), second.usage.cached_tokens
    if hits is not None or count is not None:
        return not _verdict(count, hits)
    return not _was_faster((first, second))


def _hits(asker: Asker) -> int | None:
    """vLLM's counter of cached tokens since the server started; None when the server has no such counter."""
    status, text = fact(asker.server, "/metrics")
    found = _COUNTER.findall(text) if status == 200 else []
    return int(sum(map(float, found))) if found else None
