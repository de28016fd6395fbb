"""What is asked of a server: bodies of requests, made before the run; the salts of queries; prompts that no run has."""

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
"""Requests before the first run, of the run's lengths and with none of its prompts, and their longest answer."""
CEILING_PROMPTS = 64
SALT = b"assay-00000000-000000000000"
"""Stands in every body for the query's own salt, which has as many characters."""


class Questions:
    """One for every sample, and those that are not LoadGen's."""

    def __init__(self, chosen: ApiChoice, model: str, rules: Generation, samples: Sequence[Sample]) -> None:
        self._chosen, self._api, self._model, self._rules = chosen, chosen.api, model, rules
        self.terms = {s.index: self._terms(s.prompt_ids, s.stop_ids, chosen.holds_prompt) for s in samples}
        self.written = {
            index: self.write(terms, chosen.texts.get(index)) for index, terms in self.terms.items()
        }
        """By the sample's index, ready to be sent but for the salt."""
        self._salts, self._salt_root = itertools.count(), secrets.token_hex(4)

    def write(self, terms: AnswerTerms, text: str | None = None, is_salted: bool = True) -> bytes:
        """A WrittenQuestion for `clients.crossing`, with the place of a salt in it where the API has salts.

        `text`: of the prompt, for an API that takes no ids; None = as the tokenizer has it.
        """
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
        """With a salt that no other request has."""
        if not self._api.has_salt:
            return written
        return written.replace(SALT, b"assay-%b-%012x" % (self._salt_root.encode(), next(self._salts)))

    def warm_ups(self) -> list[AnswerTerms]:
        """Prompts from the longest down, each backwards: its length and its ids, and another prompt."""
        by_length = sorted(self.terms.values(), key=lambda terms: -len(terms.prompt_ids))
        chosen = by_length[:: max(1, len(by_length) // WARM_UPS)][:WARM_UPS]
        most = min(WARM_UP_TOKENS, self._rules.max_new_tokens)
        return [self._own_terms(terms.prompt_ids[::-1], most) for terms in chosen]

    def for_ceiling(self, tokens: int) -> list[bytes]:
        """Some of the run's prompts, for a server without a model: every answer has `tokens` tokens."""
        chosen = list(self.terms.values())[:CEILING_PROMPTS]
        return [self.write(self._own_terms(terms.prompt_ids, tokens), is_salted=False) for terms in chosen]

    def new_prompt(self) -> AnswerTerms:
        """The ids of the longest prompt in a new order: long enough for a block of any cache to be full."""
        longest = max((terms.prompt_ids for terms in self.terms.values()), key=len)
        ids = tuple(random.SystemRandom().sample(longest, len(longest)))
        return self._own_terms(ids, LEAST_TOKENS)

    def _own_terms(self, prompt: tuple[int, ...], most: int) -> AnswerTerms:
        """Of a question that is not LoadGen's. As a text its prompt may have other ids."""
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
            holds_prompt=holds_prompt,
        )

    def _text(self, ids: Sequence[int]) -> str:
        known = self._chosen.tokenizer
        return known.decode([ids])[0] if known else " ".join(map(str, ids))

    def _stop_texts(self, stop_ids: Sequence[int]) -> tuple[str, ...]:
        """Ids end an answer where ids come; a server of text must be told in text."""
        known = self._chosen.tokenizer
        return (known.decode([stop_ids])[0],) if stop_ids and known and self._api.tier is Tier.C else ()
