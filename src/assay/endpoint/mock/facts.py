"""What the mock tells besides answers, at the addresses where each kind of server tells it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from assay.endpoint.mock.script import MockScript
from assay.endpoint.mock.state import MockState

_OWNERS = {"vllm-generate": "vllm", "sglang-completions": "sglang", "trtllm": "tensorrt_llm"}


def fact(state: MockState, path: str) -> str | None:
    """The body at `path`, None where this kind of server has nothing."""
    if path == "/mock/log":
        return msgspec.json.encode(list(state.rows)).decode()
    if path == "/metrics":
        return _metrics(state)
    if path == "/health":
        return "{}"
    found = _facts(state.script).get(path)
    return None if found is None else json.dumps(found)


def _facts(script: MockScript) -> dict[str, Any]:
    owner = _OWNERS.get(script.api, script.api)
    model = {"id": script.model, "object": "model", "owned_by": owner, "max_model_len": script.context}
    facts: dict[str, Any] = {"/v1/models": {"object": "list", "data": [model]}}
    if owner == "vllm":
        facts["/version"] = {"version": "mock"}
    elif owner == "sglang":
        facts["/get_model_info"] = {"model_path": script.model}
        told = {"version": "mock", "model_path": script.model, "disable_radix_cache": not script.prefix_cache}
        facts |= dict.fromkeys(("/server_info", "/get_server_info"), told)
    elif owner == "llamacpp":
        settings = {"n_ctx": script.context, "params": {"temperature": 0.8, "top_k": 40, "top_p": 0.95}}
        facts["/props"] = {"default_generation_settings": settings, "build_info": "mock"}
    elif owner == "tgi":
        facts = {"/info": {"model_id": script.model, "max_total_tokens": script.context, "version": "mock"}}
    elif owner == "ollama":
        facts |= {"/api/version": {"version": "mock"}, "/api/tags": {"models": [{"name": script.model}]}}
    return facts


def _metrics(state: MockState) -> str:
    counters = {
        "prefix_cache_queries_total": state.prefixes.queries,
        "prefix_cache_hits_total": state.prefixes.hits,
        "prompt_tokens_total": state.prompt_tokens,
        "generation_tokens_total": state.generation_tokens,
        "request_success_total": state.successes,
    }
    labels = f'block_size="16",cache_dtype="auto",enable_prefix_caching="{state.script.prefix_cache}"'
    info = f"# TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{{{labels}}} 1.0\n"
    return info + "".join(
        f"# TYPE vllm:{name} counter\nvllm:{name} {value}\n" for name, value in counters.items()
    )
