"""Streams in the form of each server, written by hand after its documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endpoint.apis import APIS, api_named
from assay.endpoint.delta import Delta, Finish, Usage
from assay.endpoint.failure import FailureKind, refusal
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.tier import Tier
from assay.ground.errors import ConfigError

IDS = Prompt(ids=(1, 1, 700))
TEXT = Prompt(text="Hello")
ASKED = Sampling(max_tokens=9, min_tokens=2, seed=3, stop_ids=(2,), stop_texts=("\n```\n",))


def read(api: str, *events: Any) -> list[Delta]:
    reader = APIS[api].reader()
    return [
        reader.feed(event if isinstance(event, bytes) else json.dumps(event).encode()) for event in events
    ]


def tokens(deltas: list[Delta]) -> list[int]:
    return [one for delta in deltas for one in delta.ids]


def body(
    api: str, prompt: Prompt = IDS, sampling: Sampling = ASKED, salt: str | None = None
) -> dict[str, Any]:
    fields = json.loads(APIS[api].body(prompt, sampling, "m", salt))
    assert isinstance(fields, dict)
    return fields


TRTLLM_KNOWS = """
    model prompt best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream
    stream_options suffix temperature top_p user lora_request prompt_ignore_length use_beam_search top_k top_p_min min_p
    repetition_penalty length_penalty early_stopping stop_token_ids include_stop_str_in_output ignore_eos min_tokens
    skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens return_context_logits detokenize
    add_special_tokens response_format disaggregated_params"""
"""Source: TensorRT-LLM tensorrt_llm/serve/openai_protocol.py, CompletionRequest, which forbids any other field."""
SGLANG_KNOWS = """
    max_new_tokens stop stop_token_ids stop_regex temperature top_p top_k min_p frequency_penalty presence_penalty
    repetition_penalty min_new_tokens n json_schema regex ebnf structural_tag ignore_eos skip_special_tokens
    spaces_between_special_tokens no_stop_trim custom_params stream_interval logit_bias sampling_seed"""
"""Source: SGLang sampling_params.py, SamplingParams, which is made of the request's fields as keywords."""


def test_no_field_is_sent_that_a_strict_server_refuses() -> None:
    assert set(body("trtllm", salt="s")) <= set(TRTLLM_KNOWS.split())
    assert set(body("sglang", salt="s")["sampling_params"]) <= set(SGLANG_KNOWS.split())


@pytest.mark.parametrize("api", ["vllm", "sglang-completions", "trtllm"])
def test_completions_with_ids(api: str) -> None:
    deltas = read(
        api,
        {"choices": [{"text": "", "token_ids": [5], "prompt_token_ids": [1, 1, 700], "finish_reason": None}]},
        {"choices": [{"text": "a b", "token_ids": [6, 7], "finish_reason": None}]},
        {"choices": [{"text": "", "token_ids": [2], "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}},
        b"[DONE]",
    )
    assert tokens(deltas) == [5, 6, 7, 2]
    assert deltas[0].prompt_ids == (1, 1, 700)
    assert deltas[2].finish is Finish.STOP
    assert deltas[3].usage == Usage(3, 4, None)
    assert deltas[4].done and not any(delta.failure for delta in deltas)


def test_trtllm_gives_the_prompt_beside_the_choices() -> None:
    assert read("trtllm", {"choices": [{"token_ids": [5]}], "prompt_token_ids": [[1, 2]]})[0].prompt_ids == (
        1,
        2,
    )


def test_cached_tokens_are_read_where_they_are_stated() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}
    assert read("vllm", {"choices": [], "usage": usage})[0].usage == Usage(3, 4, 2)


FINISHED = {"type": "length", "length": 3}


@pytest.mark.parametrize(
    "events",
    [
        [("a", [5]), ("a b", [5, 6]), ("a b a", [5, 6, 5])],  # default
        [("a", [5]), ("a b", [6]), ("a b a", [5])],  # --stream-output
        [("a", [5]), (" b", [6]), (" a", [5])],  # --incremental-streaming-output
    ],
)
def test_sglang_in_each_of_its_three_forms(events: list[tuple[str, list[int]]]) -> None:
    deltas = read(
        "sglang",
        *(
            {
                "text": text,
                "output_ids": ids,
                "meta_info": {
                    "completion_tokens": n,
                    "prompt_tokens": 3,
                    "cached_tokens": 0,
                    "finish_reason": FINISHED if n == 3 else None,
                },
            }
            for n, (text, ids) in enumerate(events, 1)
        ),
    )
    assert tokens(deltas) == [5, 6, 5]
    assert "".join(delta.text for delta in deltas) == "a b a"
    assert deltas[-1].finish is Finish.LENGTH and deltas[-1].usage == Usage(3, 3, 0)


def sglang(ids: list[int] | None, done: int, reason: Any = None) -> dict[str, Any]:
    return {"output_ids": ids, "meta_info": {"completion_tokens": done, "finish_reason": reason}}


def test_sglang_never_invents_ids() -> None:
    assert read("sglang", sglang(None, 1))[0].failure is not None
    assert read("sglang", sglang([5], 3))[0].failure is not None  # two are missing
    assert read("sglang", {"text": "a"})[0].failure is not None


def test_a_retracted_request_of_sglang_brings_each_token_once() -> None:
    deltas = read("sglang", sglang([5, 6, 7], 3), sglang([5], 1), sglang([5, 6, 7, 8], 4))
    assert tokens(deltas) == [5, 6, 7, 8]


def test_an_aborted_request_of_sglang_is_a_failure_without_ids() -> None:
    abort = {"type": "abort", "message": "out of memory"}
    last = read("sglang", sglang([5, 6], 2), sglang([6], 3, abort))[-1]
    assert last.ids == () and last.finish is Finish.ABORT
    assert last.failure is not None and last.failure.detail == "out of memory"


def test_llamacpp() -> None:
    end = {"content": "", "tokens": [], "stop": True, "stop_type": "limit", "tokens_evaluated": 3}
    end |= {"tokens_predicted": 2, "tokens_cached": 5, "truncated": False, "timings": {"cache_n": 1}}
    deltas = read(
        "llamacpp",
        {"content": "a", "tokens": [5], "stop": False},
        {"content": "b", "tokens": [6], "stop": False},
        end,
    )
    assert tokens(deltas) == [5, 6]
    assert deltas[-1].finish is Finish.LENGTH and deltas[-1].usage == Usage(3, 2, 1)
    cut = read("llamacpp", end | {"truncated": True})[0].failure
    assert cut is not None and "context" in cut.detail


def test_tgi() -> None:
    details = {"finish_reason": "eos_token", "generated_tokens": 2, "seed": None, "input_length": 3}
    deltas = read(
        "tgi",
        {
            "index": 1,
            "token": {"id": 5, "text": "a", "special": False},
            "generated_text": None,
            "details": None,
        },
        {
            "index": 2,
            "token": {"id": 2, "text": "", "special": True},
            "generated_text": "a",
            "details": details,
        },
    )
    assert tokens(deltas) == [5, 2]
    assert deltas[-1].finish is Finish.STOP and deltas[-1].usage == Usage(3, 2, None)


def test_openai_gives_text_and_counts() -> None:
    deltas = read(
        "openai", {"choices": [{"text": "a"}]}, {"choices": [{"text": "b", "finish_reason": "length"}]}
    )
    assert tokens(deltas) == [] and "".join(d.text for d in deltas) == "ab"


def test_a_role_is_no_token_and_reasoning_is_text() -> None:
    deltas = read(
        "openai-chat",
        {"choices": [{"delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"delta": {"reasoning": "hm"}}]},
        {"choices": [{"delta": {"reasoning_content": "m"}}]},
        {"choices": [{"delta": {"content": "yes"}, "finish_reason": "stop"}]},
    )
    assert [delta.text for delta in deltas] == ["", "hm", "m", "yes"]


def test_ollama() -> None:
    end = {"response": "", "done": True, "done_reason": "length", "prompt_eval_count": 3, "eval_count": 2}
    deltas = read("ollama", {"response": "a", "done": False}, {"response": "b", "done": False}, end)
    assert "".join(d.text for d in deltas) == "ab"
    assert deltas[-1].finish is Finish.LENGTH and deltas[-1].usage == Usage(3, 2, None)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"error": {"message": "out of memory", "code": 500}}, FailureKind.SERVER),
        ({"error": "model runner has stopped"}, FailureKind.SERVER),
        ({"object": "error", "message": "bad", "code": 400}, FailureKind.SERVER),
        ({"error": "too many", "error_type": "overloaded"}, FailureKind.BUSY),
        ({"error": {"message": "slow down", "code": 429}}, FailureKind.BUSY),
        ({"error": {"message": "x", "type": ["odd"]}}, FailureKind.SERVER),
        (b'{"choices": [', FailureKind.DAMAGED),
        (b"\xff\xfe", FailureKind.DAMAGED),
        (b"[1]", FailureKind.DAMAGED),
        (b"[" * 100_000, FailureKind.DAMAGED),
        (b"1" * 10_000, FailureKind.DAMAGED),
    ],
)
def test_an_error_in_a_stream_is_a_failure(api: str, event: Any, kind: FailureKind) -> None:
    failure = read(api, event)[0].failure
    assert failure is not None and failure.kind is kind and len(failure.detail) <= 500


@pytest.mark.parametrize("ids", [[-1], [2**31], [1.0], [True], ["5"], 5, "5", {"a": 1}])
def test_what_is_no_token_id_is_damage(ids: object) -> None:
    for api, event in {
        "vllm": {"choices": [{"token_ids": ids}]},
        "sglang": {"output_ids": ids, "meta_info": {"completion_tokens": 1}},
        "llamacpp": {"tokens": ids},
        "tgi": {"token": {"id": ids[0] if isinstance(ids, list) else str(ids)}},
    }.items():
        delta = read(api, event)[0]
        assert delta.ids == () and delta.failure is not None and delta.failure.kind is FailureKind.DAMAGED


KEYS = (
    *(
        "choices",
        "token_ids",
        "prompt_token_ids",
        "text",
        "delta",
        "content",
        "finish_reason",
        "usage",
        "error",
    ),
    *(
        "output_ids",
        "meta_info",
        "completion_tokens",
        "tokens",
        "stop",
        "stop_type",
        "timings",
        "token",
        "id",
    ),
    *("details", "done", "done_reason", "type"),
)


def test_an_empty_event_says_nothing() -> None:
    assert read("vllm", b"", b" ") == [Delta(), Delta()]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=3),
    lambda of: (
        st.lists(of, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            of,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(APIS)), st.lists(JSON, min_size=1, max_size=3))
def test_no_event_crashes_a_reader(api: str, values: list[Any]) -> None:
    for delta in read(api, *values):
        assert all(type(one) is int and one >= 0 for one in delta.ids)


@pytest.mark.parametrize("api", APIS)
def test_every_request_streams_and_says_how_tokens_are_chosen(api: str) -> None:
    takes_text = api in ("tgi", "ollama", "openai-chat")
    sent = json.dumps(body(api, TEXT if takes_text else IDS))
    assert '"stream": true' in sent or api == "tgi"
    for name in ("temperature", "top_p", "stop", "frequency_penalty"):
        assert f'"{name}"' in sent
    assert '"seed": 3' in sent or '"sampling_seed": 3' in sent
    assert "9" in sent
    if APIS[api].has_min_tokens:
        assert '"min_tokens": 2' in sent or '"min_new_tokens": 2' in sent
    if APIS[api].tier is Tier.A:
        assert "[1, 1, 700]" in sent


@pytest.mark.parametrize("api", [name for name, api in APIS.items() if api.has_salt])
def test_a_salt_keeps_a_request_out_of_the_cache(api: str) -> None:
    salted = body(api, salt="s1")
    assert "s1" in salted.values() or salted["cache_prompt"] is False


def test_greedy_is_said_in_each_servers_words() -> None:
    assert body("tgi", TEXT)["parameters"]["do_sample"] is False
    assert body("tgi", TEXT)["parameters"]["temperature"] is None
    assert body("llamacpp")["repeat_penalty"] == 1.0
    assert body("vllm")["repetition_penalty"] == 1.0 and body("vllm")["top_k"] == -1
    assert body("ollama", TEXT)["raw"] is True and body("ollama", TEXT)["options"]["temperature"] == 0


def test_a_prompt_that_an_api_cannot_take_is_refused() -> None:
    for api, prompt in (("tgi", IDS), ("ollama", IDS), ("openai-chat", IDS), ("vllm-generate", TEXT)):
        with pytest.raises(ConfigError, match=f"the API {api} takes"):
            body(api, prompt)


def test_an_unknown_api_names_those_that_are_near() -> None:
    with pytest.raises(ConfigError, match="vllm"):
        api_named("vlm")


def test_a_refusal_by_status() -> None:
    kinds = {429: "BUSY", 503: "LOADING", 400: "REQUEST", 401: "REQUEST", 500: "SERVER", 301: "REQUEST"}
    assert {status: refusal(status, "").kind.name for status in kinds} == kinds


@pytest.mark.parametrize(
    "event",
    [
        b'{"choices":[{"text":"a","token_ids":[5]}],"error":{"message":"no"}}',
        b'{"choices":[{"text":"a","token_ids":[5]}],"object":"error","message":"no"}',
        b'{"choices":[{"text":"a","token_ids":[true]}]}',
        b'{"choices":[{"text":"a","token_ids":[-1]}]}',
        b'{"choices":[{"text":"a","token_ids":[2147483648]}]}',
        b'{"choices":[{"text":"a","token_ids":"5"}]}',
        b'{"choices":[{"text":1}]}',
        b'{"choices":[{"text":"a"},{"text":"b"}]}',
        b'{"choices":[{"text":"\xc3\x28"}]}',
        b'{"choices":' + b"[" * 100_000,
    ],
)
def test_an_event_that_is_not_plain_is_a_failure_as_before(event: bytes) -> None:
    delta = APIS["vllm"].reader().feed(event)
    assert delta.failure is not None and delta.ids == ()


def test_a_plain_event_and_one_with_more_in_it_bring_the_same_ids() -> None:
    plain = b'{"choices":[{"text":"a","token_ids":[5,6],"finish_reason":null}]}'
    more = plain[:-1] + b',"usage":{"prompt_tokens":3}}'
    one, other = (APIS["vllm"].reader().feed(event) for event in (plain, more))
    assert one.ids == other.ids == (5, 6) and one.text == other.text == "a"
    assert one.usage is None and other.usage is not None
