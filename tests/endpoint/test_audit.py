from __future__ import annotations

import json

import pytest

from assay.endpoint import audit
from assay.endpoint.answer import AnswerStream
from assay.endpoint.apis import api_named
from assay.endpoint.audit import AnswerTerms

ASKED = AnswerTerms((1, 1, 50), (), 2, 4, (2,), 100)


def answer(ids: list[int], finish: str = "stop", **usage: int) -> AnswerStream:
    choice = {"text": "", "token_ids": ids, "finish_reason": finish}
    events = [{"choices": [choice]}, {"choices": [], "usage": usage}]
    body = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)
    made = AnswerStream(api_named("vllm"))
    made.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), 7)
    return made


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (answer([5]), "1 tokens"),
        (answer([5, 6, 7, 8, 9]), "4 were allowed"),
        (answer([5, 6], "length"), "the server's own limit is lower"),
        (answer([5, 100]), "the vocabulary ends at 99"),
        (answer([5, 2, 6]), "after the end-of-sequence id"),
    ],
)
def test_ids_that_no_right_answer_has_are_a_fault(made: AnswerStream, said: str) -> None:
    fault = audit.tokens_fault(made, ASKED)
    assert fault is not None and said in fault.detail


@pytest.mark.parametrize(
    "made",
    [
        answer([5, 2]),
        answer([5, 6, 7, 8], "length", completion_tokens=4, prompt_tokens=3),
        answer([5, 6], completion_tokens=3),  # the end-of-sequence id counted and not sent
    ],
)
def test_a_right_answer_has_no_fault(made: AnswerStream) -> None:
    assert audit.tokens_fault(made, ASKED) is None
    assert audit.counts_fault(made, ASKED) is None
    assert made.last_token_ns == 7


def test_the_end_of_sequence_id_is_no_part_of_the_answer_unless_too_few_are_left() -> None:
    assert audit.handed_in(answer([5, 6, 2]), ASKED) == [5, 6]
    assert audit.handed_in(answer([5, 2]), ASKED) == [5, 2]
