"""Which kind of server this is: each kind has an address of its own."""

from __future__ import annotations

import http.client
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from assay.endpoint.single import ProbedServer, fact, unreachable
from assay.ground.errors import ConfigError, EnvironmentProblem

FAMILIES = {
    "vllm": ("vllm", "vllm-generate"),
    "sglang": ("sglang", "sglang-completions"),
    "trtllm": ("trtllm",),
    "llamacpp": ("llamacpp",),
    "tgi": ("tgi",),
    "ollama": ("ollama",),
    "openai": ("openai", "openai-chat"),
}
"""A kind of server with its APIs, the best one first."""
_UNKNOWN = ("vllm", "trtllm", "openai", "openai-chat")
"""The APIs to try when a server has OpenAI's addresses and does not say what it is."""


@dataclass(frozen=True)
class ServerIdentity:
    kind: str | None
    """Key of FAMILIES; None when the server does not say."""
    version: str | None = None
    models: tuple[str, ...] = ()
    context: int | None = None
    """Largest number of tokens of prompt and answer together."""
    sampling: dict[str, Any] | None = None
    """Default sampling values that the server reports."""

    @property
    def apis(self) -> tuple[str, ...]:
        return FAMILIES[self.kind] if self.kind else _UNKNOWN


def identify(server: ProbedServer) -> ServerIdentity:
    """Raises: EnvironmentProblem (nobody answers, still loading), ConfigError (no access, no model server)."""
    listed = _look(server, "/v1/models")
    entries = listed.get("data") if isinstance(listed.get("data"), list) else []
    models = tuple(
        one["id"]
        for one in entries or []
        if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]
    )
    first: dict[str, Any] = next((one for one in entries or [] if isinstance(one, dict)), {})
    owner = str(first.get("owned_by", "")).lower()
    context = _count(first.get("max_model_len"))
    if owner == "vllm":
        return ServerIdentity("vllm", _text(_look(server, "/version").get("version")), models, context)
    if found := _look(server, "/props").get("default_generation_settings"):
        settings = found if isinstance(found, dict) else {}
        parameters = settings.get("params")
        return ServerIdentity(
            "llamacpp",
            _text(_look(server, "/props").get("build_info")),
            models,
            _count(settings.get("n_ctx")),
            parameters if isinstance(parameters, dict) else None,
        )
    if owner == "sglang" or _text(_look(server, "/get_model_info").get("model_path")):
        told: dict[str, Any] = {}
        with suppress(ConfigError):  # both may want the key of an administrator, where one is set
            told = _look(server, "/server_info") or _look(server, "/get_server_info")  # the older name
        path = _text(told.get("model_path"))
        return ServerIdentity(
            "sglang", _text(told.get("version")), models or ((path,) if path else ()), context
        )
    if name := _text((info := _look(server, "/info")).get("model_id")):
        return ServerIdentity(
            "tgi", _text(info.get("version")), (name,), _count(info.get("max_total_tokens"))
        )
    if version := _text(_look(server, "/api/version").get("version")):
        tags = _look(server, "/api/tags").get("models") or []
        names = [str(one["name"]) for one in tags if isinstance(one, dict) and one.get("name")]
        return ServerIdentity("ollama", version, tuple(names))
    if "tensorrt" in owner:
        return ServerIdentity("trtllm", _text(_look(server, "/version").get("version")), models, context)
    if not models:
        raise ConfigError(
            f"{server.text} answers, and is no model server that Assay knows: no model at /v1/models, /props, "
            "/get_model_info, /info or /api/version",
            "the address of the server itself, without a path; where it hides what it is, "
            f"assay probe {server.text} --api NAME",
        )
    return ServerIdentity(None, None, models, context)


def _look(server: ProbedServer, path: str) -> dict[str, Any]:
    """The JSON object at `path`; an empty one where the server has none."""
    try:
        status, text = fact(server, path)
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(server.text, error) from error
    if status in (401, 403):
        raise ConfigError(
            f"{server.text} wants a key (HTTP {status})", "--api-key-env NAME of a variable that holds it"
        )
    if status == 503:
        raise EnvironmentProblem(f"{server.text} is not ready (HTTP 503)", "wait until the model is loaded")
    try:
        found = json.loads(text) if status == 200 else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None
