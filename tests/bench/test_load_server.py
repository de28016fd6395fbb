"""The server of a load: how it is asked, and what is sent."""

from __future__ import annotations

import dataclasses
import json

import pytest

from assay.bench import load_server
from assay.bench.load_server import LoadRequest
from assay.endpoint.load.drive import SALT
from assay.endpoint.sampling import Sampling
from assay.ground.errors import ConfigError
from assay.mlperf.data.sample import Sample
from tests.mock_server import mock

SAMPLES = [Sample(7, "a", "gsm8k", "how many", (11, 12, 13), "", (), ())]
RULES = Sampling(max_tokens=20, min_tokens=2)


@pytest.mark.parametrize(
    ("api", "field", "prompt", "ids"),
    [
        ("vllm", "prompt", [11, 12, 13], 3),
        ("sglang", "input_ids", [11, 12, 13], 3),
        ("openai", "prompt", [11, 12, 13], 3),
        ("tgi", "inputs", "how many", None),
        ("ollama", "prompt", "how many", None),
    ],
)
def test_prompts_are_ids_where_the_server_takes_them(
    api: str, field: str, prompt: object, ids: int | None
) -> None:
    with mock(api=api) as server:
        asker, identity = load_server.server(LoadRequest("w", (server.text,), (), api=api))
    (made,) = load_server.prompts(asker, RULES, SAMPLES)
    assert (made.sample, made.ids) == (7, ids)
    assert json.loads(made.body)[field] == prompt
    assert (SALT.encode() in made.body) is (asker.api.has_salt and api != "llamacpp")
    assert "mock" in (asker.model, *identity.models)


@pytest.mark.parametrize("api", ["vllm", "sglang", "trtllm", "llamacpp", "tgi", "ollama"])
def test_a_server_that_says_what_it_is_needs_no_api(api: str) -> None:
    with mock(api=api) as server:
        asker, identity = load_server.server(LoadRequest("w", (server.text,), ()))
    assert (asker.api.name, identity.kind) == (api, api)


def test_a_server_that_hides_what_it_is_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(_: object) -> None:
        raise ConfigError("it answers, and is no model server that Assay knows")

    monkeypatch.setattr(load_server, "identify", hidden)
    with mock() as server:
        request = LoadRequest("w", (server.text,), (), model="mock")
        with pytest.raises(ConfigError, match="no model server"):
            load_server.server(request)
        asker, _ = load_server.server(dataclasses.replace(request, api="vllm"))
    assert (asker.api.name, asker.model) == ("vllm", "mock")


def test_the_warm_up_asks_another_prompt_of_the_same_length() -> None:
    with mock(prefix_cache=True, tokens=4) as server:
        asker, _ = load_server.server(LoadRequest("w", (server.text,), ()))
        sample = dataclasses.replace(SAMPLES[0], prompt_ids=tuple(range(100, 164)))
        load_server.warm_up(asker, RULES, [sample])
        (made,) = load_server.prompts(asker, RULES, [sample])
        assert asker.ask(load_server._prompt(asker, sample.prompt_ids, ""), RULES).usage.cached_tokens is None
    assert made.ids == 64
