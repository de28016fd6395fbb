"""What is asked of a server: bodies of requests, made before the run; the salts of queries; prompts that no run has."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Sequence

from assay.endpoint.api import Api
from assay.endpoint.audit import AnswerTerms
from assay.endpoint.clients.crossing import WrittenQuestion, packed
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import LEAST_TOKENS
from assay.mlperf.workloads.workload import Generation

WARM_UPS, WARM_UP_TOKENS = 8, 16
"""Requests before the first run, of the run's lengths and with none of its prompts, and their longest answer."""
CEILING_PROMPTS = 64
SALT = b"assay-00000000-000000000000"
"""Stands in every body for the query's own salt, which has as many characters."""


class Questions:
    """One for every sample, and those that are not LoadGen's."""

    def __init__(self, api: Api, model: str, rules: Generation, samples: Sequence[Sample]) -> None:
        self._api, self._model, self._rules = api, model, rules
        self.terms = {s.index: self._terms(s.prompt_ids, s.stop_ids) for s in samples}
        self.written = {index: self.write(terms) for index, terms in self.terms.items()}
        """By the sample's index, ready to be sent but for the salt."""
        self._salts, self._salt_root = itertools.count(), secrets.token_hex(4)

    def write(self, terms: AnswerTerms, is_salted: bool = True) -> bytes:
        """A WrittenQuestion for `clients.crossing`, with the place of a salt in it where the API has salts."""
        rules, decoding = self._rules, self._rules.decoding
        is_whole = terms.most_tokens == rules.max_new_tokens
        sampling = Sampling(
            max_tokens=terms.most_tokens,
            min_tokens=rules.min_new_tokens if is_whole else LEAST_TOKENS,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k,
        )
        salt = SALT.decode() if self._api.has_salt and is_salted else None
        body = self._api.body(Prompt(ids=terms.prompt_ids), sampling, self._model, salt)
        return packed(WrittenQuestion(body, terms))

    def salted(self, written: bytes) -> bytes:
        """With a salt that no other request has."""
        if not self._api.has_salt:
            return written
        return written.replace(SALT, b"assay-%b-%012x" % (self._salt_root.encode(), next(self._salts)))

    def warm_ups(self) -> list[AnswerTerms]:
        """Prompts from the longest down, each backwards: its length and its ids, and another prompt."""
        by_length = sorted(self.terms.values(), key=lambda terms: -len(terms.prompt_ids))
        chosen = by_length[:: max(1, len(by_length) // WARM_UPS)][:WARM_UPS]
        most = min(WARM_UP_TOKENS, self._rules.max_new_tokens)
        return [self._terms(terms.prompt_ids[::-1], most=most) for terms in chosen]

    def for_ceiling(self, tokens: int) -> list[bytes]:
        """Some of the run's prompts, for a server without a model: every answer has `tokens` tokens."""
        chosen = list(self.terms.values())[:CEILING_PROMPTS]
        return [self.write(self._terms(terms.prompt_ids, most=tokens), is_salted=False) for terms in chosen]

    def new_prompt(self) -> AnswerTerms:
        """The ids of the longest prompt in a new order: long enough for a block of any cache to be full."""
        longest = max((terms.prompt_ids for terms in self.terms.values()), key=len)
        ids = tuple(random.SystemRandom().sample(longest, len(longest)))
        return self._terms(ids, most=LEAST_TOKENS)

    def _terms(
        self, prompt: tuple[int, ...], stops: tuple[int, ...] = (), most: int | None = None
    ) -> AnswerTerms:
        rules = self._rules
        return AnswerTerms(
            tuple(prompt), tuple(stops), LEAST_TOKENS, most or rules.max_new_tokens, rules.eos_ids
        )
