"""A simulated prefix cache: blocks of 16 tokens, never evicted, counted as vLLM counts."""

from __future__ import annotations

from assay.endpoint.mock.ask import MockAsk

_BLOCK = 16


class Prefixes:
    def __init__(self) -> None:
        self._known: set[int] = set()
        self.queries = 0
        self.hits = 0

    def look_up(self, ask: MockAsk) -> int:
        """Number of prompt tokens that were seen before. The prompt is remembered. The last token is always
        computed."""
        self.queries += len(ask.prompt_ids)
        if not ask.caches:
            return 0
        found, key, unbroken = 0, hash(ask.salt), True
        for end in range(_BLOCK, len(ask.prompt_ids), _BLOCK):
            key = hash((key, ask.prompt_ids[end - _BLOCK : end]))
            unbroken = unbroken and key in self._known
            found = end if unbroken else found
            self._known.add(key)
        self.hits += found
        return found
