"""For servers that take or give text: what a tokenizer can prove.

Tokenizing text again does not always give the model's ids: special ids, merges across pieces and unfinished
characters differ. So the ids of a text count as exact only when they decode to the same text and the server counts
as many. Source: docs/endpoint.md, tiers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer


@dataclass(frozen=True)
class TextTokens:
    """Turns answers of text into ids. `is_exact`: an answer whose ids cannot be proved has failed."""

    tokenizer: Tokenizer | None
    is_exact: bool
    eos: int

    def first(self, piece: str) -> int:
        """The first id, as far as the first piece shows it."""
        ids = self.tokenizer.encode(piece) if self.tokenizer else []
        return ids[0] if ids else self.eos

    def answer(self, text: str, counted: int | None) -> list[int] | EndpointFailure:
        """The ids of the answer. Without exactness only their number has a meaning: the server's own count."""
        ids = self.tokenizer.encode(text) if self.tokenizer else []
        if self.is_exact:
            return self._fault(ids, text, counted) or ids
        if counted is None and not ids:
            return EndpointFailure(
                FailureKind.TOKENS, "the server counts no tokens, and without --tokenizer nobody can"
            )
        wanted = len(ids) if counted is None else counted
        return (ids + [self.eos] * wanted)[:wanted]

    def _fault(self, ids: Sequence[int], text: str, counted: int | None) -> EndpointFailure | None:
        assert self.tokenizer is not None
        if counted is None:
            said = "the server counts no tokens, so that the ids of its text cannot be held against it"
        elif counted not in (len(ids), len(ids) + 1):  # the end-of-sequence id is counted, and is no text
            said = f"the text has {len(ids)} ids, and the server counts {counted}"
        elif self.tokenizer.decode([ids])[0] != text:
            said = "the ids of the text give another text back"
        else:
            return None
        return EndpointFailure(FailureKind.TOKENS, said)


def prompt_texts(samples: Iterable[Sample], tokenizer: Tokenizer | None) -> tuple[dict[int, str], str]:
    """The text of every prompt by its index, and why these texts do not stand for the ids (empty when they do). Each
    prompt's ids are tried as text with and without the beginning-of-sequence id that a server adds."""
    samples = list(samples)
    if tokenizer is None:
        return {
            sample.index: sample.prompt for sample in samples
        }, "without --tokenizer no prompt can be held against it"
    texts = {}
    wrong = []
    for sample in samples:
        whole = tokenizer.decode([sample.prompt_ids], keeps_special=True)[0]
        bare = whole.removeprefix(tokenizer.bos).removeprefix(" ") if tokenizer.bos else whole
        fitting = [
            text for text in (bare, whole) if tuple(tokenizer.encode_prompt(text)) == sample.prompt_ids
        ]
        texts[sample.index] = fitting[0] if fitting else bare
        wrong += [] if fitting else [sample]
    if not wrong:
        return texts, ""
    said = f"{len(wrong)} of {len(samples)} prompts are other ids once they are text and tokenized again"
    return texts, f"{said} (first: row {wrong[0].row})"
