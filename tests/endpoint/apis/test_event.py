"""The fields of an event as checked values: a wrong type is damage, an absent one is unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endpoint.apis import event
from assay.endpoint.apis.event import MAX_COUNT, MAX_ID, Malformed, read_event
from assay.endpoint.delta import Delta
from assay.endpoint.failure import FailureKind


def echo(fields: dict[str, Any]) -> Delta:
    return Delta(text=json.dumps(fields))


@pytest.mark.parametrize(
    ("payload", "done"), [(b"[DONE]", True), (b" [DONE]\r", True), (b"", False), (b" \n", False)]
)
def test_the_end_and_an_empty_event_bring_nothing(payload: bytes, done: bool) -> None:
    assert read_event(payload, echo) == Delta(done=done)


def test_an_object_is_handed_on() -> None:
    assert read_event(b'{"a": 1}', echo) == Delta(text='{"a": 1}')


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"[1]", "no JSON object"),
        (b"null", "no JSON object"),
        (b"{", "Expecting"),
        (b'{"a": "\xff"}', "codec"),
        (b"[" * 100_000, ""),
        (b'{"a": NaN', "Expecting"),
    ],
    ids=["list", "null", "cut", "bytes", "deep", "number"],
)
def test_damage_is_a_failure_with_the_event_shown(payload: bytes, words: str) -> None:
    failure = read_event(payload, echo).failure
    assert failure is not None and failure.kind is FailureKind.DAMAGED
    assert words in failure.detail and len(failure.detail) <= 500


@pytest.mark.parametrize("value", [-1, MAX_COUNT + 1, 10**40, 1.0, True, float("nan"), "3"])
def test_what_no_record_can_hold_is_no_count(value: object) -> None:
    assert event.count_in({"n": MAX_COUNT}, "n") == MAX_COUNT
    with pytest.raises(Malformed, match="n is no count"):
        event.count_in({"n": value}, "n")


def test_what_a_reader_calls_malformed_is_damage() -> None:
    def refuse(fields: dict[str, Any]) -> Delta:
        raise Malformed("token_ids is no list of token ids")

    failure = read_event(b'{"token_ids": 3}', refuse).failure
    assert failure is not None
    assert failure.detail == 'token_ids is no list of token ids: {"token_ids": 3}'


@pytest.mark.parametrize(
    ("stated", "kind", "words"),
    [
        ({"error": {"message": "boom", "code": 500}}, FailureKind.SERVER, "boom"),
        ({"error": "boom"}, FailureKind.SERVER, "boom"),
        ({"error": {"code": 500}}, FailureKind.SERVER, '{"code": 500}'),
        ({"error": ["a"]}, FailureKind.SERVER, "a"),
        ({"object": "error", "message": "gone", "code": 404}, FailureKind.SERVER, "gone"),
        ({"error": {"message": "later", "code": 429}}, FailureKind.BUSY, "later"),
        ({"error": {"message": "later", "code": "429"}}, FailureKind.BUSY, "later"),
        ({"error": {"message": "later", "type": "rate_limit_exceeded"}}, FailureKind.BUSY, "later"),
        ({"error": "Model is overloaded", "error_type": "overloaded"}, FailureKind.BUSY, "overloaded"),
        ({"error": {"message": "odd", "code": [429]}}, FailureKind.SERVER, "odd"),
        ({"error": {"message": "x" * 900}}, FailureKind.SERVER, "x" * 500),
    ],
)
def test_an_error_in_the_stream_is_told_in_any_servers_form(
    stated: dict[str, Any], kind: FailureKind, words: str
) -> None:
    failure = read_event(json.dumps(stated).encode(), echo).failure
    assert failure is not None and failure.kind is kind
    assert words in failure.detail and len(failure.detail) <= 500


@pytest.mark.parametrize(
    "stated", [{"error": None}, {"error": ""}, {"error": {}}, {"object": "text_completion"}]
)
def test_an_error_that_says_nothing_is_none(stated: dict[str, Any]) -> None:
    assert read_event(json.dumps(stated).encode(), echo).failure is None


@pytest.mark.parametrize(
    ("read", "value", "found"),
    [
        (event.ids_in, [], ()),
        (event.ids_in, [0, MAX_ID], (0, MAX_ID)),
        (event.ids_in, None, None),
        (event.text_in, "a", "a"),
        (event.text_in, None, ""),
        (event.count_in, 0, 0),
        (event.count_in, None, None),
        (event.object_in, {"a": 1}, {"a": 1}),
        (event.object_in, None, {}),
    ],
)
def test_a_field_of_its_type_is_read(read: Callable[..., Any], value: object, found: object) -> None:
    assert read({"key": value}, "key") == found
    assert read({}, "key") == read({"key": None}, "key")


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (event.ids_in, [3, "12", {}, [-1], [MAX_ID + 1], [True], [1.0], ["1"], [[1]]]),
        (event.text_in, [3, ["a"], {}, False]),
        (event.count_in, [-1, 1.0, True, "3", []]),
        (event.object_in, [[], "a", 3, False]),
    ],
)
def test_a_field_of_another_type_is_malformed_by_name(read: Callable[..., Any], values: list[Any]) -> None:
    for value in values:
        with pytest.raises(Malformed, match=r"^some_key is no "):
            read({"some_key": value}, "some_key")


def test_an_answer_has_one_choice_or_none() -> None:
    assert event.first_choice({"choices": [{"text": "a"}]}) == {"text": "a"}
    assert event.first_choice({"choices": []}) is event.first_choice({}) is None
    for choices in ([{}, {}], [3], "ab", {"a": 1}):
        with pytest.raises(Malformed, match="at most one object"):
            event.first_choice({"choices": choices})


def test_an_abort_is_cut_to_its_length() -> None:
    failure = event.aborted("y" * 900)
    assert (failure.kind, failure.detail) == (FailureKind.ABORTED, "y" * 500)


@given(st.binary(max_size=60))
def test_no_bytes_raise(payload: bytes) -> None:
    assert isinstance(read_event(payload, echo), Delta)
