"""The mock server's language: the text of id 7 is ` é7`. What it says can be read back exactly."""

from __future__ import annotations

from collections.abc import Sequence


class WordTokenizer:
    vocab_size = 32000
    bos, eos, eos_id = "", "", None

    def encode_prompt(self, text: str) -> list[int]:
        return self.encode(text)

    def encode(self, text: str) -> list[int]:
        return [int(word[1:]) for word in text.split() if word[1:].isdigit()]

    def encode_inside(self, text: str) -> list[int]:
        return self.encode(text)

    def decode(self, answers: Sequence[Sequence[int]], *, keeps_special: bool = False) -> list[str]:
        return ["".join(f" é{one}" for one in ids) for ids in answers]
