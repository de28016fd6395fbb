"""How fast a server answers, from a few short requests: for a plan, not for a result. First one request alone, then
several at the same time. Each has a prompt of middle length that is not in the run, and an answer of a few
tokens."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from assay.endpoint.api import Api
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import ProbedServer, SingleAnswer, answer

STREAMS, TOKENS = 16, 24
"""Largest number of requests at the same time, and the length of their answers in tokens."""


@dataclass(frozen=True)
class ServerPace:
    streams: int
    prompt_tokens_per_s: float
    """Prompt tokens/s of one prompt that is sent alone, up to its first token."""
    tokens_per_s: float
    """Tokens/s of all streams together, after their first tokens."""

    def answer_s(self, prompts: Sequence[int], answers: Sequence[int]) -> float:
        """Seconds to answer all samples; prompts are read one after another."""
        return sum(prompts) / self.prompt_tokens_per_s + sum(answers) / self.tokens_per_s


def measure(
    servers: Sequence[ProbedServer], api: Api, model: str, prompts: Sequence[Sequence[int]], in_flight: int
) -> ServerPace | None:
    """Measures the pace. None when an answer fails or is too short to tell. `prompts`: those of the run, at least
    one."""
    by_length = sorted(prompts, key=len)
    middle = by_length[len(by_length) // 2]
    streams = max(1, min(STREAMS, in_flight, len(prompts)))
    asked = Sampling(max_tokens=TOKENS, min_tokens=TOKENS, ignore_eos=True)
    salt = f"assay-plan-{time.time_ns():x}-"
    bodies = [
        # Each is another prompt: the run's backwards, turned by one more place.
        api.body(Prompt(ids=_turned(middle, place)), asked, model, f"{salt}{place}" if api.has_salt else None)
        for place in range(streams + 1)
    ]
    alone = answer(servers[0], api, bodies[0])
    if alone.failure is not None or len(alone.ids) < 2:
        return None
    began = time.monotonic()
    with ThreadPoolExecutor(streams) as pool:
        jobs = [pool.submit(answer, servers[i % len(servers)], api, bodies[i + 1]) for i in range(streams)]
        answers = [job.result() for job in jobs]
    return _pace(alone, answers, len(middle), time.monotonic() - began)


def _pace(
    alone: SingleAnswer, answers: Sequence[SingleAnswer], prompt: int, wall_s: float
) -> ServerPace | None:
    if any(each.failure is not None or not each.ids for each in answers):
        return None
    first = statistics.median(each.first_byte_s for each in answers)
    tokens = sum(len(each.ids) - 1 for each in answers)
    generating = max(wall_s - first, 1e-6)
    return ServerPace(len(answers), prompt / max(alone.first_byte_s, 1e-6), max(tokens, 1) / generating)


def _turned(ids: Sequence[int], by: int) -> tuple[int, ...]:
    backwards = tuple(reversed(ids))
    place = by % len(backwards)
    return backwards[place:] + backwards[:place]
