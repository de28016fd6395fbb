"""What a probe says of servers whose behaviour is known."""

from __future__ import annotations

import itertools
import json
import socket
from typing import Any

import pytest

from assay.cli import main
from assay.endpoint import single
from assay.endpoint.apis import APIS
from assay.endpoint.probe import caching
from assay.endpoint.probe.identify import identify
from assay.endpoint.probe.report import ProbeReport, TextFacts, probe
from assay.endpoint.probe.trial import Asker
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import SingleAnswer
from assay.endpoint.tier import Tier
from assay.ground.errors import ConfigError, EnvironmentProblem
from tests.mock_server import mock

KINDS = {
    "vllm": "vllm",
    "vllm-generate": "vllm",
    "sglang": "sglang",
    "trtllm": "trtllm",
    "llamacpp": "llamacpp",
    "tgi": "tgi",
    "ollama": "ollama",
    "openai": None,
    "openai-chat": None,
}


@pytest.mark.parametrize("api", KINDS)
def test_every_kind_of_server_is_recognised(api: str) -> None:
    found = _auto(api)
    assert (found.identity.kind, found.api, found.tier) == (KINDS[api], api, APIS[api].tier)
    assert found.model == "mock"
    assert found.counts_agree in (True, None) and found.prompt_is_kept in (True, None)
    assert found.caching.is_on is not True


def _auto(api: str, **script: Any) -> ProbeReport:
    with mock(api=api, **script) as server:
        return probe(server, "auto", None, None)


def test_a_server_that_gives_no_ids_is_of_tier_c() -> None:
    assert _auto("vllm", gives_ids=False).tier is Tier.C


@pytest.mark.parametrize("states_cached", [True, False])
def test_a_prefix_cache_is_found_and_the_salt_against_it(states_cached: bool) -> None:
    found = _auto("vllm", prefix_cache=True, states_cached=states_cached).caching
    assert found.is_on and found.is_off_with_salt and found.hits


@pytest.mark.parametrize(
    ("first_s", "second_s", "is_on"),
    [(0.040, 0.012, True), (0.040, 0.039, False), (0.040, 0.026, None), (0.004, 0.001, None)],
)
def test_a_prefix_cache_without_any_count_is_found_by_its_speed(
    first_s: float, second_s: float, is_on: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With times that are said and not measured: a machine under load has others."""
    times = itertools.cycle([first_s, second_s])

    class Timed(Asker):
        def ask(self, prompt: Prompt, sampling: Sampling, salt: str | None = None) -> SingleAnswer:
            return SingleAnswer((), None, next(times), 1.0)

    monkeypatch.setattr(caching, "fact", lambda server, path: (404, ""))
    server = single.probed_server("http://127.0.0.1:9")
    found = caching.caching(Timed(server, APIS["tgi"], "mock", Tier.B), None)
    assert found.is_on is is_on and found.speed == pytest.approx(second_s / first_s)


def test_a_server_without_a_cache_is_not_accused() -> None:
    assert not any(_auto("vllm", ttft_ms=1).caching.is_on for _ in range(3))


def test_a_minimum_that_is_ignored_is_found() -> None:
    assert _auto("vllm").minimum_is_honoured is True
    assert _auto("vllm", honours_min_tokens=False).minimum_is_honoured is False
    assert _auto("llamacpp").has_min_tokens is False


def test_counts_and_texts_are_compared() -> None:
    lying = _auto("vllm", fault=[{"kind": "wrong_usage", "probability": 1.0}])
    assert lying.counts_agree is False
    with mock(adds_bos=True, vocabulary=1000) as server:
        found = probe(server, "auto", None, TextFacts(vocabulary=1000, bare_ids=7))
        assert (found.added_to_text, found.takes_vocabulary) == (1, True)
        assert probe(server, "auto", None, TextFacts(1001, 7)).takes_vocabulary is False


def test_several_tokens_in_one_event_are_seen() -> None:
    assert _auto("sglang", tokens_per_event=3).tokens_per_event == 3


def test_who_is_no_model_server_or_does_not_let_us_in_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(EnvironmentProblem, match="no server answers"):
        identify(single.probed_server(f"http://127.0.0.1:{port}"))
    with mock(loading_s=60) as server, pytest.raises(EnvironmentProblem, match="not ready"):
        identify(server)
    with mock(key="k") as server, pytest.raises(ConfigError, match="key"):
        probe(server, "vllm", None, None)
    with mock() as server, pytest.raises(ConfigError, match="no model llama"):
        probe(server, "auto", "llama", None)
    with mock(api="sglang") as server, pytest.raises(ConfigError, match="gave no answer"):
        probe(server, "tgi", None, None)
    for url in ("ftp://a", "http://", "http://a:b", "http://u:secret@h"):
        with pytest.raises(ConfigError) as error:
            single.probed_server(url)
        assert "secret" not in str(error.value)


def test_the_verb_tells_what_follows(capsys: pytest.CaptureFixture[str]) -> None:
    with mock(prefix_cache=True) as server:
        assert main(["probe", server.text]) == 0
        told = capsys.readouterr().out
        assert "A: token ids in, token ids out" in told and "--no-enable-prefix-caching" in told
        assert main(["probe", server.text, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
    assert found["tier"] == "A" and found["caching"]["is_on"] is True and found["consequences"]
    with mock(api="ollama") as server:
        assert main(["probe", server.text + "/v1"]) == 0
    assert "performance only" in capsys.readouterr().out
    with mock(fault=[{"kind": "wrong_usage", "probability": 1.0}]) as server:
        assert main(["probe", server.text]) == 0
    told = capsys.readouterr().out
    assert "usage and ids disagree" in told and "ids are exact" not in told
