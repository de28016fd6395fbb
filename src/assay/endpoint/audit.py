"""Whether an answer of a server is right by its terms, and what of it is handed in. Pure.

Source: LoadGen logging.cc, RecordSampleCompletion: answers of fewer than two tokens are errors;
mixtral-8x7b reference implementation: the end-of-sequence id is no part of the answer.
"""

from __future__ import annotations

import msgspec

from assay.endpoint.answer import AnswerStream
from assay.endpoint.delta import Finish
from assay.endpoint.failure import EndpointFailure, FailureKind


class AnswerTerms(msgspec.Struct, frozen=True, array_like=True):
    """What every answer to one prompt is held against. A Struct, as it crosses to the process that asks."""

    prompt_ids: tuple[int, ...]
    stop_ids: tuple[int, ...]
    least_tokens: int
    most_tokens: int
    eos_ids: tuple[int, ...]
    """The first one fills up what is too short."""
    vocabulary: int | None = None
    """None = not known."""
    holds_prompt: bool = True
    """Whether the server must have seen as many ids as the prompt has. Not where it puts a text into a template."""


def tokens_fault(answer: AnswerStream, asked: AnswerTerms) -> EndpointFailure | None:
    """What is wrong with the ids of a whole answer, before the server's own counts are here."""
    ids = answer.ids

    def fault(kind: FailureKind, detail: str) -> EndpointFailure:
        return EndpointFailure(kind, detail, len(ids))

    if len(ids) < asked.least_tokens:
        return fault(
            FailureKind.TOO_SHORT, f"{len(ids)} tokens, and no fewer than {asked.least_tokens} are taken"
        )
    if len(ids) > asked.most_tokens:
        return fault(FailureKind.TOKENS, f"{len(ids)} tokens, and {asked.most_tokens} were allowed")
    if answer.finish is Finish.LENGTH and len(ids) < asked.most_tokens:
        said = f"cut off after {len(ids)} of {asked.most_tokens} tokens: the server's own limit is lower"
        return fault(FailureKind.TOKENS, said)
    if asked.vocabulary is not None and max(ids) >= asked.vocabulary:
        return fault(FailureKind.TOKENS, f"id {max(ids)}, and the vocabulary ends at {asked.vocabulary - 1}")
    if early := set(ids[:-1]) & set(asked.eos_ids):
        return fault(FailureKind.TOKENS, f"tokens after the end-of-sequence id {min(early)}")
    return None


def counts_fault(answer: AnswerStream, asked: AnswerTerms) -> EndpointFailure | None:
    """What the server's counts say against the ids; a count that it does not state says nothing."""
    usage, count = answer.usage, len(answer.ids)

    def fault(detail: str) -> EndpointFailure:
        return EndpointFailure(FailureKind.TOKENS, detail, count)

    if (
        asked.holds_prompt
        and usage.prompt_tokens is not None
        and usage.prompt_tokens != len(asked.prompt_ids)
    ):
        return fault(f"{len(asked.prompt_ids)} ids were sent, and the server counts {usage.prompt_tokens}")
    if answer.prompt_ids is not None and answer.prompt_ids != asked.prompt_ids:
        return fault("the server says that it was asked other ids than were sent")
    if usage.completion_tokens is None or answer.is_cut or usage.completion_tokens == count:
        return None
    # llama.cpp counts the end-of-sequence id, and does not send it.
    is_without_eos = answer.finish is Finish.STOP and answer.ids[-1] not in asked.eos_ids
    if is_without_eos and usage.completion_tokens == count + 1:
        return None
    return fault(f"{count} ids came, and the server counts {usage.completion_tokens}")


def text_fault(answer: AnswerStream, asked: AnswerTerms) -> EndpointFailure | None:
    """What is wrong with a whole answer of text, by the server's own counts; one that is not stated says nothing."""
    usage, count = answer.usage, answer.usage.completion_tokens
    if not answer.texts or (count is not None and count < asked.least_tokens):
        said = f"{'no' if count is None else count} tokens, and no fewer than {asked.least_tokens} are taken"
        return EndpointFailure(FailureKind.TOO_SHORT, said)
    if asked.holds_prompt and usage.prompt_tokens not in (None, len(asked.prompt_ids)):
        said = f"the prompt has {len(asked.prompt_ids)} ids, and the server counts {usage.prompt_tokens}"
        return EndpointFailure(FailureKind.TOKENS, said)
    if count is not None and count > asked.most_tokens:
        return EndpointFailure(FailureKind.TOKENS, f"{count} tokens, and {asked.most_tokens} were allowed")
    if answer.finish is Finish.LENGTH and count is not None and count < asked.most_tokens:
        said = f"cut off after {count} of {asked.most_tokens} tokens: the server's own limit is lower"
        return EndpointFailure(FailureKind.TOKENS, said)
    return None


def handed_in(answer: AnswerStream, asked: AnswerTerms) -> list[int]:
    """The ids of the answer: without the end-of-sequence id, unless too few would be left."""
    ids = answer.ids
    is_ended = ids[-1] in asked.eos_ids and len(ids) > asked.least_tokens
    return ids[:-1] if is_ended else ids
