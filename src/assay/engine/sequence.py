"""A request, and what becomes of it while it runs. Token ids only; knows no text and no tensors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from assay.ground.errors import ConfigError


@dataclass(frozen=True)
class EngineRequest:
    """One prompt to continue, and when to stop.

    id: the caller's own, unique among the requests that are in the engine.
    """

    id: int
    prompt: tuple[int, ...]
    max_new_tokens: int = 1024
    min_new_tokens: int = 0
    """End-of-sequence ids cannot be chosen before so many new tokens exist."""
    eos_ids: frozenset[int] = frozenset()
    """Generation ends with any of these; empty = it runs to max_new_tokens."""
    stop: tuple[tuple[int, ...], ...] = ()
    """Generation ends once the last new tokens are one of these."""

    def with_id(self, id: int) -> EngineRequest:
        """The same request under another id."""
        return replace(self, id=id)

    def refuse_unless_runnable(self, vocab_size: int, max_positions: int) -> None:
        """Raises: ConfigError, naming this request, when a model of this size cannot run it."""
        where = f"request {self.id}"
        self._refuse_other_types(where)
        if not self.prompt:
            raise ConfigError(f"{where}: the prompt is empty", "start it with the model's BOS id")
        outside = next((t for t in self.prompt if not 0 <= t < vocab_size), None)
        if outside is not None:
            raise ConfigError(
                f"{where}: token id {outside} is outside the vocabulary of {vocab_size}",
                "use the tokenizer that belongs to the checkpoint",
            )
        if self.max_new_tokens < 1 or not 0 <= self.min_new_tokens <= self.max_new_tokens:
            raise ConfigError(
                f"{where}: {self.min_new_tokens} to {self.max_new_tokens} new tokens is not a range",
                "0 <= min_new_tokens <= max_new_tokens, and max_new_tokens >= 1",
            )
        if len(self.prompt) + self.max_new_tokens > max_positions:
            raise ConfigError(
                f"{where}: {len(self.prompt)} prompt tokens and up to {self.max_new_tokens} new ones exceed "
                f"the model's window of {max_positions}",
                "shorten the prompt or lower max_new_tokens",
            )

    def _refuse_other_types(self, where: str) -> None:
        """In a step a wrong type would end the answers of the other requests too."""
        try:
            lists = (self.prompt, self.eos_ids, *self.stop, (self.max_new_tokens, self.min_new_tokens))
            are_whole = all(type(number) is int for numbers in lists for number in numbers)
        except TypeError:  # not even a list
            are_whole = False
        if not are_whole:
            raise ConfigError(
                f"{where}: prompt, eos_ids and each stop sequence are lists of token ids, max_new_tokens and "
                "min_new_tokens are numbers, and one of these is not whole numbers of Python's int",
                "of an array or a tensor: tolist()",
            )


@dataclass(frozen=True)
class Finished:
    """Everything generated for one request. The id that ended it (EOS, stop sequence) is the last token."""

    id: int
    tokens: tuple[int, ...]
    reason: str
    """`eos`, `stop` or `length`"""


@dataclass(eq=False)
class Sequence:
    """A request in the engine. KV exists for its first `num_computed` tokens, in `blocks`."""

    request: EngineRequest
    new_tokens: list[int] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    num_computed: int = 0

    @property
    def num_tokens(self) -> int:
        return len(self.request.prompt) + len(self.new_tokens)

    @property
    def num_pending(self) -> int:
        """Tokens whose KV is still to be computed: 1 while decoding, more while prefilling."""
        return self.num_tokens - self.num_computed

    def token_slice(self, start: int, stop: int) -> list[int]:
        """Tokens start..stop of prompt and answer laid end to end."""
        prompt = self.request.prompt
        return (
            list(prompt[start:stop])
            + self.new_tokens[max(0, start - len(prompt)) : max(0, stop - len(prompt))]
        )

    @property
    def banned(self) -> frozenset[int]:
        """Ids that the next token may not be."""
        return self.request.eos_ids if len(self.new_tokens) < self.request.min_new_tokens else frozenset()

    def finish_reason(self) -> str | None:
        """Why the sequence is over after its last new token, or None when it goes on."""
        request, new = self.request, self.new_tokens
        if new[-1] in request.eos_ids:
            return "eos"
        if any(len(new) >= len(s) > 0 and new[-len(s) :] == list(s) for s in request.stop):
            return "stop"
        return "length" if len(new) >= request.max_new_tokens else None

    def forget_kv(self) -> list[int]:
        """Give up the KV, keep the tokens; returns the blocks to free. The next prefill computes it again."""
        blocks, self.blocks, self.num_computed = self.blocks, [], 0
        return blocks
