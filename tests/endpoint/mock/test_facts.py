"""What each kind of server tells of itself, at the addresses where it does."""

from __future__ import annotations

import json

import pytest

from assay.endpoint.apis import APIS
from assay.endpoint.mock.facts import fact
from assay.endpoint.mock.script import MockScript
from assay.endpoint.mock.state import MockState

OWN = {
    "vllm": {"/version"},
    "vllm-generate": {"/version"},
    "sglang": {"/get_model_info", "/get_server_info", "/server_info"},
    "sglang-completions": {"/get_model_info", "/get_server_info", "/server_info"},
    "trtllm": set(),
    "llamacpp": {"/props"},
    "tgi": {"/info"},
    "ollama": {"/api/version", "/api/tags"},
    "openai": set(),
    "openai-chat": set(),
}
PLACES = set().union(*OWN.values()) | {"/v1/models"}


def of(**script: object) -> MockState:
    return MockState(MockScript(**script))  # type: ignore[arg-type]


@pytest.mark.parametrize("api", APIS)
def test_each_kind_answers_at_its_own_addresses_alone(api: str) -> None:
    state = of(api=api)
    listed = set() if api == "tgi" else {"/v1/models"}
    assert {place for place in PLACES if fact(state, place) is not None} == OWN[api] | listed
    assert fact(state, "/") is fact(state, "/v1/models/") is fact(state, "/generate") is None
    assert fact(state, "/health") == "{}"


@pytest.mark.parametrize(
    ("api", "owner"),
    [
        ("vllm-generate", "vllm"),
        ("sglang-completions", "sglang"),
        ("trtllm", "tensorrt_llm"),
        ("openai", "openai"),
    ],
)
def test_the_model_is_listed_with_its_owner_and_context(api: str, owner: str) -> None:
    (model,) = json.loads(str(fact(of(api=api, model="m", context=99), "/v1/models")))["data"]
    assert (model["id"], model["owned_by"], model["max_model_len"]) == ("m", owner, 99)


@pytest.mark.parametrize("is_on", [True, False])
def test_a_prefix_cache_is_told_where_servers_tell_it(is_on: bool) -> None:
    sglang = json.loads(str(fact(of(api="sglang", prefix_cache=is_on), "/get_server_info")))
    assert sglang["disable_radix_cache"] is not is_on
    assert f'enable_prefix_caching="{is_on}"' in str(fact(of(prefix_cache=is_on), "/metrics"))


def test_the_model_and_its_context_are_told_in_each_form() -> None:
    assert json.loads(str(fact(of(api="tgi", model="m", context=9), "/info")))["max_total_tokens"] == 9
    assert json.loads(str(fact(of(api="ollama", model="m"), "/api/tags"))) == {"models": [{"name": "m"}]}
    props = json.loads(str(fact(of(api="llamacpp", context=9), "/props")))
    assert props["default_generation_settings"]["n_ctx"] == 9
    assert props["default_generation_settings"]["params"]["temperature"] == 0.8


def test_counters_and_the_log_are_those_of_the_state() -> None:
    state = of()
    state.prompt_tokens, state.generation_tokens, state.successes = 7, 5, 2
    state.open_row("r-1").outcome = "done"
    lines = str(fact(state, "/metrics")).splitlines()
    for line in ("prompt_tokens_total 7", "generation_tokens_total 5", "request_success_total 2"):
        assert f"vllm:{line}" in lines
    (row,) = json.loads(str(fact(state, "/mock/log")))
    assert (row["number"], row["request_id"], row["outcome"]) == (1, "r-1", "done")
