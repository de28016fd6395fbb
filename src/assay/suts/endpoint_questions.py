"""What is asked of a server: bodies of requests, made before the run; the salts of queries; prompts that no run has."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Sequence
from dataclasses import replace

from assay.endpoint.api import Api
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import LEAST_TOKENS
from assay.mlperf.workloads.workload import Generation
from assay.suts.endpoint_audit import AnswerTerms

WARM_UPS, WARM_UP_TOKENS = 8, 16
"""Requests before the first run, of the run's lengths and with none of its prompts, and their longest answer."""
SALT = b"assay-00000000-000000000000"
"""Stands in every body for the query's own salt, which has as many characters."""


class Questions:
    """One for every sample, and those that are not LoadGen's."""

    def __init__(self, api: Api, model: str, rules: Generation, samples: Sequence[Sample]) -> None:
        self._api, self._model, self._rules = api, model, rules
        self.asked = {s.index: AnswerTerms(s.prompt_ids, s.stop_ids, rules, None) for s in samples}
        self.bodies = {index: self.body(asked) for index, asked in self.asked.items()}
        self._salts, self._salt_root = itertools.count(), secrets.token_hex(4)

    def body(self, asked: AnswerTerms, is_salted: bool = True) -> bytes:
        """With the place of a salt in it, where the API has salts."""
        rules = asked.generation
        sampling = Sampling(
            max_tokens=rules.max_new_tokens,
            min_tokens=rules.min_new_tokens,
            temperature=rules.decoding.temperature,
            top_p=rules.decoding.top_p,
            top_k=rules.decoding.top_k,
        )
        salt = SALT.decode() if self._api.has_salt and is_salted else None
        return self._api.body(Prompt(ids=tuple(asked.prompt_ids)), sampling, self._model, salt)

    def salted(self, body: bytes) -> bytes:
        """The body with a salt that no other request has."""
        if not self._api.has_salt:
            return body
        return body.replace(SALT, b"assay-%b-%012x" % (self._salt_root.encode(), next(self._salts)))

    def warm_ups(self) -> list[AnswerTerms]:
        """Prompts from the longest down, each backwards: its length and its ids, and another prompt."""
        by_length = sorted(self.asked.values(), key=lambda asked: -len(asked.prompt_ids))
        chosen = by_length[:: max(1, len(by_length) // WARM_UPS)][:WARM_UPS]
        most = min(WARM_UP_TOKENS, self._rules.max_new_tokens)
        rules = replace(self._rules, min_new_tokens=min(LEAST_TOKENS, most), max_new_tokens=most)
        return [AnswerTerms(tuple(asked.prompt_ids[::-1]), (), rules, asked.vocabulary) for asked in chosen]

    def new_prompt(self) -> AnswerTerms:
        """The ids of the longest prompt in a new order: long enough for a block of any cache to be full."""
        longest = max((asked.prompt_ids for asked in self.asked.values()), key=len)
        ids = tuple(random.SystemRandom().sample(longest, len(longest)))
        rules = replace(self._rules, min_new_tokens=LEAST_TOKENS, max_new_tokens=LEAST_TOKENS)
        return AnswerTerms(ids, (), rules, None)
