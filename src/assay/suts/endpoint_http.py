"""Small requests to a server outside of any run, one at a time: its models, its version."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping

from assay.endpoint.address import Address
from assay.endpoint.single import ProbedServer, fact, unreachable
from assay.ground.errors import EnvironmentProblem

TIMEOUT_S = 10.0
"""Longest time without a byte, in seconds. A choice: these answers are made without the model."""


def get(address: Address, path: str, token: str | None) -> tuple[int, str]:
    """Status and text of GET `path`, at most a few MiB. Raises: EnvironmentProblem when the server does not answer."""
    try:
        return fact(ProbedServer(address, token, TIMEOUT_S), path)
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(address.text, error) from error


def get_json(address: Address, path: str, token: str | None) -> Mapping[str, object]:
    """The JSON object at `path`; empty when there is none. Raises: EnvironmentProblem as `get`."""
    status, body = get(address, path, token)
    try:
        found = json.loads(body) if status == 200 else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def models(address: Address, token: str | None) -> list[str]:
    """Names of the models that the server serves; empty when it does not say. Raises: EnvironmentProblem when it
    does not answer, is still loading, has lost its engine, or wants another token.

    A server may list its models while it loads (llama.cpp once did), so its /health counts too, where it has one.
    vLLM's, which lists them once its engine runs, is 503 when the engine has died. Source: vLLM, EngineDeadError.
    """
    status, _ = get(address, "/v1/models", token)
    if status in (401, 403):
        raise EnvironmentProblem(
            f"{address.text} refuses the bearer token (HTTP {status})", "--api-key-env NAME"
        )
    if status == 503:
        raise EnvironmentProblem(f"{address.text} is not ready yet (HTTP 503)", "wait until it has loaded")
    health, words = get(address, "/health", token)
    if health == 503:
        said = " ".join(words.split())[:200]
        raise EnvironmentProblem(
            f"{address.text} lists its models, but its /health says 503" + (f" ({said})" if said else ""),
            "wait while it loads; if it had been ready, its engine has died: see its log, and start it again",
        )
    listed = [str(entry["id"]) for entry in model_entries(address, token)]
    alone = (
        None if listed else get_json(address, "/info", token).get("model_id")
    )  # TGI lists none, and has one
    return listed or ([alone] if isinstance(alone, str) else [])


def model_entries(address: Address, token: str | None) -> list[Mapping[str, object]]:
    """What the server says of each model that it serves. Raises: EnvironmentProblem as `get`."""
    listed = get_json(address, "/v1/models", token).get("data")
    entries = listed if isinstance(listed, list) else []
    return [each for each in entries if isinstance(each, dict) and isinstance(each.get("id"), str)]
