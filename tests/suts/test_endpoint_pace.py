from __future__ import annotations

import pytest

from assay.endpoint.apis import APIS
from assay.suts import endpoint_pace
from assay.suts.endpoint_pace import STREAMS, ServerPace
from tests.mock_server import mock

PROMPTS = [tuple(range(10, 10 + length)) for length in (5, 20, 40)] * 20


def test_answers_take_what_prompts_and_tokens_take() -> None:
    pace = ServerPace(streams=4, prompt_tokens_per_s=1000, tokens_per_s=50)
    assert pace.answer_s([500, 500], [10, 15]) == pytest.approx(1.0 + 0.5)


def test_a_server_is_asked_no_prompt_of_the_run_and_none_twice() -> None:
    with mock(tpot_ms=2) as server:
        pace = endpoint_pace.measure([server], APIS["vllm"], "mock", PROMPTS, in_flight=100)
    assert pace is not None and pace.streams == STREAMS
    # So many streams at 2 ms a token; a busy machine is slower, never faster.
    assert 0 < pace.tokens_per_s <= 1.05 * STREAMS / 0.002


def test_no_more_are_asked_at_once_than_the_run_would() -> None:
    with mock() as server:
        pace = endpoint_pace.measure([server, server], APIS["vllm"], "mock", PROMPTS, in_flight=2)
    assert pace is not None and pace.streams == 2


def test_a_server_that_fails_has_no_pace() -> None:
    for fault in ({"kind": "error", "probability": 1.0}, {"kind": "reset", "requests": [3]}):
        with mock(fault=[fault]) as server:
            assert endpoint_pace.measure([server], APIS["vllm"], "mock", PROMPTS, in_flight=4) is None
