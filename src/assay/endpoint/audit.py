"""Checks an answer of a server against its terms, and says which ids are handed to LoadGen. Pure. Source: LoadGen
logging.cc, RecordSampleCompletion: answers of fewer than two tokens are errors; mixtral-8x7b reference
implementation: the end-of-sequence id is not part of the answer."""

from __future__ import annotations

import msgspec

from assay.endpoint.answer import AnswerStream
from assay.endpoint.delta import Finish
from assay.endpoint.failure import EndpointFailure, FailureKind


class AnswerTerms(msgspec.Struct, frozen=True, array_like=True):
    """What every answer to one prompt is checked against. A Struct, because it is sent to the client process."""

    prompt_ids: tuple[int, ...]
    stop_ids: tuple[int, ...]
    least_tokens: int
    most_tokens: int
    eos_ids: tuple[int, ...]
    """End-of-sequence ids of the workload. The first one pads an answer that is too short."""
    vocabulary: int | None = None
    """Number of ids in the vocabulary; None = unknown."""
    holds_prompt: bool = True
    """Whether the server must report as many prompt ids as were sent. False where it puts text into a template."""


def tokens_fault(answer: AnswerStream, asked: AnswerTerms) -> EndpointFailure | None:
    """The fault in the ids of a whole answer, found before the server's own counts have arrived."""
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
    """A contradiction between the server's counts and the ids. A count that the server does not state contradicts
    nothing."""
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
    """The fault in a whole answer of text, by the server's own counts. A count that is not stated is not checked."""
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
