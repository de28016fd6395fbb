"""What servers with /v1/completions share: the quick reading of good events and the careful one agree."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endpoint.apis.completions import CompletionsReader, finish_in, standard_fields, usage_in
from assay.endpoint.apis.event import MAX_COUNT, MAX_ID, Malformed
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.failure import FailureKind
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling

ID = st.integers(-1, MAX_ID + 1) | st.sampled_from([0, MAX_ID, True, 1.0, "1"])
COUNT = st.none() | st.integers(-1, 9) | st.sampled_from([1.5, "3", True, MAX_COUNT, MAX_COUNT + 1, 2**64])
CHOICE = st.fixed_dictionaries(
    {},
    optional={
        "text": st.none() | st.text(max_size=4) | st.just(3),
        "token_ids": st.none() | st.lists(ID, max_size=3) | st.just("no list"),
        "finish_reason": st.none() | st.sampled_from(["stop", "length", "abort", "", "odd", 3]),
        "prompt_token_ids": st.none() | st.lists(ID, max_size=2),
    },
)
EVENT = st.fixed_dictionaries(
    {"choices": st.lists(CHOICE, max_size=2)},
    optional={
        "usage": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "prompt_tokens": COUNT,
                "completion_tokens": COUNT,
                "prompt_tokens_details": st.none()
                | st.fixed_dictionaries({}, optional={"cached_tokens": COUNT}),
            },
        ),
        "object": st.sampled_from([None, "text_completion"]),
        "id": st.just("cmpl-1"),
    },
)


def read(fields: dict[str, Any]) -> Delta:
    return CompletionsReader().feed(json.dumps(fields).encode())


def plain(delta: Delta) -> dict[str, Any]:
    """A delta without the words of its failure, and with no prompt where an empty one is told."""
    found = msgspec.structs.asdict(delta)
    failure = found["failure"]
    return {**found, "failure": failure and failure.kind, "prompt_ids": found["prompt_ids"] or None}


@given(EVENT)
def test_the_quick_reading_gives_what_the_careful_one_gives(fields: dict[str, Any]) -> None:
    """A list of prompts beside the choices, though empty, makes the reader look field by field."""
    assert plain(read(fields)) == plain(read({**fields, "prompt_token_ids": []}))


@pytest.mark.parametrize("careful", [{}, {"prompt_token_ids": []}], ids=["quick", "careful"])
@pytest.mark.parametrize(
    ("fields", "delta"),
    [
        (
            {"choices": [{"text": "ab", "token_ids": [5, 6], "finish_reason": None}]},
            Delta(ids=(5, 6), text="ab"),
        ),
        ({"choices": [{"text": "ab", "finish_reason": "length"}]}, Delta(text="ab", finish=Finish.LENGTH)),
        (
            {"choices": [{"finish_reason": "stop"}], "usage": {"completion_tokens": 4}},
            Delta(finish=Finish.STOP, usage=Usage(None, 4, None)),
        ),
        (
            {"choices": [], "usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 0}}},
            Delta(usage=Usage(9, None, 0)),
        ),
        ({"choices": [], "usage": {}}, Delta()),
        ({"choices": []}, Delta()),
    ],
)
def test_an_event_says_what_is_new(fields: dict[str, Any], delta: Delta, careful: dict[str, Any]) -> None:
    assert plain(read({**fields, **careful})) == plain(delta)


def test_an_end_that_is_not_known_is_an_abort() -> None:
    delta = read({"choices": [{"text": "a", "finish_reason": "content_filter"}]})
    assert delta.finish is Finish.ABORT and delta.text == "a"
    assert delta.failure is not None
    assert (delta.failure.kind, delta.failure.detail) == (
        FailureKind.ABORTED,
        "finish_reason content_filter",
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"choices": [{"token_ids": [-1]}]},
        {"choices": [{}, {}]},
        {"choices": 3},
        {"choices": [{"finish_reason": 3}]},
        {"choices": [], "usage": 3},
        {"choices": [], "usage": {"completion_tokens": -1}},
    ],
)
def test_what_is_no_event_of_this_api_is_damage(fields: dict[str, Any]) -> None:
    failure = read(fields).failure
    assert failure is not None and failure.kind is FailureKind.DAMAGED


@pytest.mark.parametrize(
    "fields", [{"error": {"message": "boom"}, "choices": []}, {"object": "error", "choices": []}]
)
def test_an_error_beside_choices_is_a_failure_of_the_server(fields: dict[str, Any]) -> None:
    failure = read(fields).failure
    assert failure is not None and failure.kind is FailureKind.SERVER


@pytest.mark.parametrize(
    ("choice", "beside", "found"),
    [
        ([1, 2], None, (1, 2)),
        (None, [[3]], (3,)),
        (None, [3, 4], (3, 4)),
        ([1], [[3]], (3,)),
        (None, [[], []], None),
    ],
)
def test_the_prompt_is_found_in_the_choice_or_beside_it(
    choice: list[int] | None, beside: list[Any] | None, found: tuple[int, ...] | None
) -> None:
    delta = read({"choices": [{"prompt_token_ids": choice}], "prompt_token_ids": beside})
    assert (delta.failure.kind if delta.failure else delta.prompt_ids) == (found or FailureKind.DAMAGED)


def test_the_end_of_the_stream_is_known() -> None:
    assert CompletionsReader().feed(b"[DONE]") == Delta(done=True)


@given(st.binary(max_size=50))
def test_no_bytes_raise(payload: bytes) -> None:
    assert isinstance(CompletionsReader().feed(payload), Delta)


def test_counts_that_are_not_stated_are_unknown_and_not_0() -> None:
    assert usage_in({}) is usage_in({"usage": None}) is usage_in({"usage": {}}) is None
    assert usage_in({"usage": {"total_tokens": 3}}) is None
    assert usage_in({"usage": {"prompt_tokens": 0}}) == Usage(0, None, None)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("stop", Finish.STOP), ("length", Finish.LENGTH), ("error", Finish.ABORT), (None, None), ("", None)],
)
def test_reasons_have_one_vocabulary(reason: str | None, finish: Finish | None) -> None:
    assert finish_in({"finish_reason": reason}) is finish
    with pytest.raises(Malformed):
        finish_in({"finish_reason": ["stop"]})


def test_every_rule_of_choosing_is_sent_and_what_openai_refuses_is_left_out() -> None:
    greedy = Sampling(max_tokens=7)
    fields = standard_fields(Prompt(ids=(4, 5)), greedy, "m")
    assert (fields["prompt"], fields["max_tokens"], fields["temperature"], fields["top_p"]) == (
        [4, 5],
        7,
        0.0,
        1.0,
    )
    assert (fields["presence_penalty"], fields["frequency_penalty"], fields["n"]) == (0.0, 0.0, 1)
    assert fields["stream"] is True and fields["stream_options"] == {"include_usage": True}
    assert not {"stop", "seed"} & fields.keys()
    asked = standard_fields(Prompt(text="Hi"), replace(greedy, seed=0, stop_texts=("x",)), "m")
    assert (asked["prompt"], asked["seed"], asked["stop"]) == ("Hi", 0, ["x"])
