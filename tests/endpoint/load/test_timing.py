"""Answers with the arrival of each chunk: what is a token, and what makes an answer none."""

from __future__ import annotations

import json

import pytest

from assay.endpoint.apis import APIS
from assay.endpoint.failure import FailureKind
from assay.endpoint.load.timing import LoadedRequest, TimedAnswer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def fed(api: str, *events: object) -> TimedAnswer:
    """Each event arrives 10 ns after the one before."""
    answer = TimedAnswer(APIS[api])
    answer.feed(HEAD, 0)
    for place, event in enumerate(events):
        answer.feed(b"data: " + json.dumps(event).encode() + b"\n\n", 10 * (place + 1))
    return answer


def ids(*values: int, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"text": "x", "token_ids": values, "finish_reason": finish}]}


def text(said: str, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"text": said, "finish_reason": finish}]}


def usage(prompt: int, answer: int) -> dict[str, object]:
    return {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": answer}}


def test_chunks_are_counted_by_their_ids() -> None:
    answer = fed("vllm", ids(5, 6), ids(7), ids(finish="length"), usage(4, 3))
    assert (answer.tokens, answer.chunks) == (3, ((10, 2), (20, 1)))
    assert answer.fault(sent_ids=4) is None


def test_without_ids_the_server_counts_and_the_last_event_takes_the_rest() -> None:
    answer = fed("openai", text("a"), text("bc"), text("d", "length"), usage(4, 7))
    assert (answer.tokens, answer.chunks) == (7, ((10, 1), (20, 1), (30, 5)))
    fewer = fed("openai", text("a"), text("b"), text("c", "stop"), usage(4, 2))
    assert fewer.chunks == ((10, 1), (30, 1))
    silent = fed("openai", text("a"), text("b", "stop"))
    assert (silent.tokens, silent.chunks) == (2, ((10, 1), (20, 1)))


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ((text("", "stop"),), FailureKind.TOO_SHORT),
        ((ids(5, 6, finish="length"), usage(9, 2)), FailureKind.TOKENS),
        ((ids(5, 6, finish="length"), usage(4, 3)), FailureKind.TOKENS),
        ((ids(5, 6, finish="stop"), usage(4, 4)), FailureKind.TOKENS),
    ],
)
def test_an_empty_answer_and_one_that_is_counted_otherwise_are_none(
    events: tuple[object, ...], kind: FailureKind
) -> None:
    fault = fed("vllm", *events).fault(sent_ids=4)
    assert fault is not None and fault.kind is kind


def test_an_end_of_sequence_that_is_counted_and_not_sent_is_no_fault() -> None:
    assert fed("vllm", ids(5, 6, finish="stop"), usage(4, 3)).fault(sent_ids=4) is None


def test_latencies_begin_when_a_request_was_due() -> None:
    row = LoadedRequest(0, 0, 1_000_000, 2_000_000, ((5_000_000, 1), (9_000_000, 4)), 9_000_000, 3, None, "")
    assert (row.tokens, row.ttft_ms, row.tpot_ms, row.e2e_ms) == (5, 4.0, 1.0, 8.0)
    short = LoadedRequest(0, 0, 0, 0, ((5, 1),), 5, 3, None, "")
    assert short.tpot_ms is None
