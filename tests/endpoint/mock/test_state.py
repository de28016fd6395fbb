"""What the connections of a mock share: its queue, kept answers, log and repeated requests."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endpoint.mock import state as state_module
from assay.endpoint.mock.ask import BadAsk
from assay.endpoint.mock.script import FaultKind, MockFault, MockScript
from assay.endpoint.mock.state import MockState


def body(*ids: int, most: int = 4, salt: str = "") -> bytes:
    return json.dumps({"prompt": list(ids), "max_tokens": most, "cache_salt": salt}).encode()


def test_without_slots_every_request_begins_at_once() -> None:
    state, begun = MockState(MockScript()), list[int]()
    for number in range(3):
        state.enter(functools.partial(begun.append, number))
    assert (begun, state.streams) == ([0, 1, 2], 3)
    state.leave()
    assert state.streams == 2


@given(st.integers(1, 3), st.lists(st.sampled_from(["enter", "leave", "give up"]), max_size=30))
def test_slots_are_given_in_order_and_never_more_than_there_are(slots: int, steps: list[str]) -> None:
    state = MockState(MockScript(slots=slots))
    begun: list[int] = []
    starts: list[Callable[[], None]] = []
    waiting: list[int] = []
    for step in steps:
        if step == "enter":
            starts.append(functools.partial(begun.append, len(starts)))
            waiting.append(len(starts) - 1)
            state.enter(starts[-1])
        elif step == "leave" and state.streams:
            state.leave()
        elif step == "give up" and waiting:
            assert state.give_up(starts[waiting[-1]])
            waiting.pop()
        waiting = [number for number in waiting if number not in begun]
        assert state.streams <= slots and (not waiting or state.streams == slots)
    assert begun == sorted(begun)


def test_one_that_has_a_slot_cannot_give_up_its_place() -> None:
    state = MockState(MockScript(slots=1))
    state.enter(lambda: None)
    assert not state.give_up(lambda: None)


def test_rows_are_numbered_from_1_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "_KEPT_ROWS", 2)
    state = MockState(MockScript())
    rows = [state.open_row(name) for name in "abc"]
    assert [row.number for row in rows] == [1, 2, 3]
    assert [row.request_id for row in state.rows] == ["b", "c"]
    assert rows[0].arrived_ns <= rows[2].arrived_ns and rows[0].outcome == "open"


def test_a_body_is_read_once_and_a_bad_one_each_time() -> None:
    state = MockState(MockScript())
    assert state.ask(body(3, 4)) is state.ask(body(3, 4))
    assert state.ask(body(3, 4)) is not state.ask(body(3, 5))
    for _ in range(2):
        with pytest.raises(BadAsk):
            state.ask(b"no body")


def test_an_answer_is_kept_for_its_body_cache_and_fault() -> None:
    state = MockState(MockScript())
    whole, fault = body(3, 4), MockFault(FaultKind.SHORT, after=1)
    ask = state.ask(whole)
    first = state.answer(whole, ask, 0, None)
    assert state.answer(whole, ask, 0, None) is first and first.tokens == 4
    assert state.answer(whole, ask, 0, fault).tokens == 1
    assert state.answer(whole, ask, 16, None) is not first


def test_no_more_answers_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "_KEPT_ANSWERS", 2)
    state = MockState(MockScript())
    first = state.answer(body(3), state.ask(body(3)), 0, None)
    for one in (4, 5):
        state.answer(body(one), state.ask(body(one)), 0, None)
    again = state.answer(body(3), state.ask(body(3)), 0, None)
    assert again is not first and again == first


@pytest.mark.parametrize("is_on", [True, False])
def test_a_request_is_repeated_by_its_prompt_and_length_whatever_its_salt(is_on: bool) -> None:
    state = MockState(MockScript(response_cache=is_on))
    asks = [body(3), body(3, salt="x"), body(4), body(3, most=5), body(4)]
    assert [state.is_repeated(state.ask(one)) for one in asks] == [
        False,
        is_on,
        False,
        False,
        is_on,
    ]


@pytest.mark.parametrize(("seconds", "is_loading"), [(0.0, False), (1e6, True)])
def test_the_server_loads_for_its_time(seconds: float, is_loading: bool) -> None:
    assert MockState(MockScript(loading_s=seconds)).is_loading is is_loading
