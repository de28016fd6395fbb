"""A tokenizer whose ids are the letters' codes, for sets that tests build."""

from __future__ import annotations

from collections.abc import Sequence


class Letters:
    """A prompt begins with id 1; `blank` is an id that reads as a blank."""

    bos, eos, eos_id = "<s>", "</s>", 2

    def __init__(self, vocab_size: int = 1000, blank: int | None = None) -> None:
        self.vocab_size, self._blank = vocab_size, blank

    def encode_prompt(self, text: str) -> list[int]:
        return [1, *map(ord, text)]

    def encode(self, text: str) -> list[int]:
        return list(map(ord, text))

    def encode_inside(self, text: str) -> list[int]:
        return self.encode(text)

    def decode(self, answers: Sequence[Sequence[int]], *, keeps_special: bool = False) -> list[str]:
        return ["".join(" " if one == self._blank else chr(one) for one in ids) for ids in answers]
