"""The requests to a server: bodies made before the run, the salts of queries, and prompts that no run contains."""

from __future__ import annotations

import itertools
import random
import secrets
from collections.abc import Sequence

from assay.endpoint.apis.needs import takes_ids
from assay.endpoint.audit import AnswerTerms
from assay.endpoint.clients.crossing import WrittenQuestion, packed
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import LEAST_TOKENS
from assay.mlperf.workloads.workload import Generation
from assay.suts.endpoint_choice import ApiChoice

WARM_UPS, WARM_UP_TOKENS = 8, 16
"""Number of warm-up requests before the first run, and their longest answer in tokens. They have the run's lengths
and none of its prompts."""
CEILING_PROMPTS = 64
"""Prompts of the run that the client's ceiling is measured with, in turn: enough for several lengths. A choice."""
SALT = b"assay-00000000-000000000000"
"""Placeholder in every body for the query's own salt, which has the same length."""


class Questions:
    """A request for every sample, and our own requests."""

    def __init__(self, chosen: ApiChoice, model: str, rules: Generation, samples: Sequence[Sample]) -> None:
        self._chosen, self._api, self._model, self._rules = chosen, chosen.api, model, rules
        self.terms = {s.index: self._terms(s.prompt_ids, s.stop_ids, chosen.holds_prompt) for s in samples}
        self.written = {
            index: self.write(terms, chosen.texts.get(index)) for index, terms in self.terms.items()
        }
        """Sample index -> request, ready to be sent except for the salt."""
        self._salts, self._salt_root = itertools.count(), secrets.token_hex(4)

    def write(self, terms: AnswerTerms, text: str | None = None, is_salted: bool = True) -> bytes:
        """A WrittenQuestion for `clients.crossing`, with the place of a salt where the API has salts. `text`: of the
        prompt, for an API that takes no ids; None = made by the tokenizer."""
        rules, decoding = self._rules, self._rules.decoding
        is_whole = terms.most_tokens == rules.max_new_tokens
        sampling = Sampling(
            max_tokens=terms.most_tokens,
            min_tokens=rules.min_new_tokens if is_whole else LEAST_TOKENS,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k,
            stop_texts=self._stop_texts(terms.stop_ids),
        )
        salt = SALT.decode() if self._api.has_salt and is_salted else None
        is_text = not takes_ids(self._api)
        prompt = (
            Prompt(text=text or self._text(terms.prompt_ids)) if is_text else Prompt(ids=terms.prompt_ids)
        )
        body = self._api.body(prompt, sampling, self._model, salt)
        return packed(WrittenQuestion(body, terms))

    def salted(self, written: bytes) -> bytes:
        """The request with a salt that no other request has."""
        if not self._api.has_salt:
            return written
        return written.replace(SALT, b"assay-%b-%012x" % (self._salt_root.encode(), next(self._salts)))

    def warm_ups(self) -> list[AnswerTerms]:
        """Warm-up prompts, the longest first. Each is a prompt of the run read backwards: same length and ids, but
        another prompt."""
        by_length = sorted(self.terms.values(), key=lambda terms: -len(terms.prompt_ids))
        chosen = by_length[:: max(1, len(by_length) // WARM_UPS)][:WARM_UPS]
        most = min(WARM_UP_TOKENS, self._rules.max_new_tokens)
        return [self._own_terms(terms.prompt_ids[::-1], most) for terms in chosen]

    def for_ceiling(self, tokens: int) -> list[bytes]:
        """Some of the run's requests for a server without a model: every answer has `tokens` tokens."""
        chosen = list(self.terms.values())[:CEILING_PROMPTS]
        return [self.write(self._own_terms(terms.prompt_ids, tokens), is_salted=False) for terms in chosen]

    def new_prompt(self) -> AnswerTerms:
        """The ids of the longest prompt in a new order: long enough to fill a block of any cache."""
        longest = max((terms.prompt_ids for terms in self.terms.values()), key=len)
        ids = tuple(random.SystemRandom().sample(longest, len(longest)))
        return self._own_terms(ids, LEAST_TOKENS)

    def _own_terms(self, prompt: tuple[int, ...], most: int) -> AnswerTerms:
        """Terms of a request of our own. As text its prompt may have other ids."""
        return self._terms(prompt, (), takes_ids(self._api), most)

    def _terms(
        self, prompt: tuple[int, ...], stops: tuple[int, ...], holds_prompt: bool, most: int | None = None
    ) -> AnswerTerms:
        rules = self._rules
        return AnswerTerms(
            tuple(prompt),
            tuple(stops),
            LEAST_TOKENS,
            most or rules.max_new_tokens,
            rules.eos_ids,
            rules.vocabulary,
            holds_prompt=holds_prompt,
        )

    def _text(self, ids: Sequence[int]) -> str:
        known = self._chosen.tokenizer
        return known.decode([ids])[0] if known else " ".join(map(str, ids))

    def _stop_texts(self, stop_ids: Sequence[int]) -> tuple[str, ...]:
        """Ids end an answer where ids come; a server of text must be told in text."""
        known = self._chosen.tokenizer
        return (known.decode([stop_ids])[0],) if stop_ids and known and self._api.tier is Tier.C else ()
