"""How a server is asked, from the API's name to a run against the mock server of that API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.config import Device, Precision
from assay.endpoint import single
from assay.endpoint.address import parse
from assay.endpoint.apis import api_named
from assay.endpoint.probe import trial
from assay.endpoint.tier import Tier
from assay.ground.errors import ConfigError
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import Query, SutSpec, Used
from assay.mlperf.workloads.workload import Generation
from assay.suts import endpoint_choice, endpoint_sut
from tests.mock_server import mock
from tests.suts.test_endpoint_sut import Collected
from tests.suts.word_tokenizer import WordTokenizer

SAMPLES = [Sample(i, f"{i}", "", "a text", (7, 50 + i, 9), "", (), ()) for i in range(3)]
TOKENS = 6


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(endpoint_choice.tokenizer, "load", lambda folder: WordTokenizer())
    return Path("words")


def chosen(api: str, folder: Path | None, must_be_exact: bool = False) -> endpoint_choice.ApiChoice:
    return endpoint_choice.choice(api_named(api), "as asked", SAMPLES, folder, must_be_exact)


@pytest.mark.parametrize(
    ("api", "with_words", "without"),
    [
        ("vllm", Tier.A, Tier.A),
        ("tgi", Tier.B, Tier.C),
        ("openai", Tier.B, Tier.C),
        ("ollama", Tier.B, Tier.C),
    ],
)
def test_a_tokenizer_that_vouches_makes_b_of_what_else_is_c(
    api: str, with_words: Tier, without: Tier, words: Path
) -> None:
    assert chosen(api, words).tier is with_words
    made = chosen(api, None)
    assert made.tier is without and bool(made.performance_only) is (without is Tier.C)


def test_a_chat_is_never_more_than_c(words: Path) -> None:
    assert "template" in chosen("openai-chat", words).performance_only


def test_where_scores_are_wanted_c_is_refused_with_its_reason_and_b_is_not(words: Path) -> None:
    assert chosen("openai", words, must_be_exact=True).tier is Tier.B
    with pytest.raises(ConfigError, match="without --tokenizer no answer") as error:
        chosen("openai", None, must_be_exact=True)
    assert all(words in error.value.hint for words in ("--mode performance", "--tokenizer", "vllm"))
    with pytest.raises(ConfigError, match="template") as error:
        chosen("openai-chat", words, must_be_exact=True)
    assert "--tokenizer" not in error.value.hint  # it would not help


@pytest.mark.parametrize(("api", "kind"), [("vllm", "vllm"), ("llamacpp", "llamacpp"), ("ollama", "ollama")])
def test_a_probe_chooses_where_nobody_does(api: str, kind: str) -> None:
    with mock(api=api) as server:
        found, how = auto(server)
    assert (found.name, how) == (api, f"by probe, {kind}")


def test_a_server_that_gives_no_ids_is_asked_as_one_of_text() -> None:
    with mock(api="vllm", gives_ids=False) as server:
        assert auto(server)[0].name == "openai"


def auto(server: single.ProbedServer) -> tuple[Any, str]:
    return endpoint_choice.api_of({"api": "auto", "stall_timeout": 10.0}, [parse(server.text)], None)


def run(api: str, folder: Path | None, **script: Any) -> tuple[Used, Collected]:
    rules, sink = Generation(2, TOKENS, 2), Collected()
    with mock(api=api, **script) as server:
        options = {"url": (server.text,), "client_check": 0.0}
        spec = SutSpec(
            "endpoint", None, Device.CPU, Precision.FLOAT32, None, rules, True, options, tokenizer=folder
        )
        sut = endpoint_sut.build(spec, SAMPLES, sink)
        sut.issue([Query(100 + i, i % 3) for i in range(6)])
        sut.flush()
        used = sut.used()
        sut.close()
    return used, sink


@pytest.mark.parametrize("api", ["vllm", "sglang", "trtllm", "llamacpp"])
def test_without_options_every_server_with_ids_is_measured_in_its_own_way(api: str) -> None:
    used, sink = run(api, None)
    assert used.faults == () and used.details["tier"] == "A" and used.details["model"] == "mock"
    assert used.details["api"] == {"name": api, "chosen": f"by probe, {api}"}
    assert {len(ids) for ids in sink.answers.values()} == {TOKENS}


def test_a_server_that_answers_nothing_is_told_with_what_was_tried() -> None:
    with mock(key="k") as server, pytest.raises(ConfigError, match=r"gave no answer; vllm: .*401") as error:
        trial.chosen(server, ("vllm",), "mock")
    assert f"assay probe {server.text} --api NAME" in error.value.hint and "ollama" in error.value.hint


@pytest.mark.parametrize("api", ["openai", "ollama"])
def test_answers_of_text_have_exact_ids_where_a_tokenizer_vouches(api: str, words: Path) -> None:
    used, sink = run(api, words)
    assert used.faults == () and used.performance_only == "" and used.details["tier"] == "B"
    assert {len(ids) for ids in sink.answers.values()} == {TOKENS}
    assert all(sink.answers[first.id][0] == first.token_id for first in sink.firsts) and len(sink.firsts) == 6


def test_answers_that_nobody_can_vouch_for_have_failed_in_b(
    words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WordTokenizer, "encode", lambda self, text: [7])
    used, sink = run("openai", words)
    assert "the text has 1 ids, and the server counts 6" in used.faults[0]
    assert set(map(tuple, sink.answers.values())) == {(2, 2)}


def test_answers_in_c_have_as_many_tokens_as_the_server_counts() -> None:
    used, sink = run("openai", None)
    assert used.faults == () and used.details["tier"] == "C" and "--tokenizer" in used.performance_only
    assert set(map(tuple, sink.answers.values())) == {(2,) * TOKENS}


def test_a_server_of_text_that_gives_ids_takes_the_prompts_as_text(words: Path) -> None:
    used, sink = run("tgi", words)
    assert used.faults == () and used.details["tier"] == "B" and used.details["api"]["name"] == "tgi"
    assert {len(ids) for ids in sink.answers.values()} == {TOKENS}


def test_a_model_that_the_server_does_not_serve_is_told_before_it_is_probed_with() -> None:
    with mock() as server:
        options = {"url": (server.text,), "model": "mistyped"}
        rules = Generation(2, TOKENS, 2)
        spec = SutSpec("endpoint", None, Device.CPU, Precision.FLOAT32, None, rules, True, options)
        with pytest.raises(ConfigError, match="serves no model 'mistyped'"):
            endpoint_sut.build(spec, SAMPLES, Collected())
