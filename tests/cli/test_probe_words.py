"""A probe's report in words, and which sentence follows from which finding."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from assay.cli.probe_words import consequences, facts, plain
from assay.endpoint.failure import EndpointFailure, FailureKind
from assay.endpoint.probe.caching import Caching
from assay.endpoint.probe.identify import ServerIdentity
from assay.endpoint.probe.report import ProbeReport
from assay.endpoint.tier import Tier

GOOD = ProbeReport(
    identity=ServerIdentity("vllm", version="0.9", models=("m",), context=4096),
    model="m",
    api="vllm",
    path="/v1/completions",
    tier=Tier.A,
    first_byte_s=0.0123,
    tokens_per_event=1,
    counts_agree=True,
    prompt_is_kept=True,
    has_min_tokens=True,
    minimum_is_honoured=True,
    stop_id_is_sent=True,
    samples_by_default=False,
    has_salt=False,
    caching=Caching(False, 1.0, 0, 0, None),
)
CACHED = Caching(True, 0.25, 640, 12, None)


def report(**changes: Any) -> ProbeReport:
    return dataclasses.replace(GOOD, **changes)


def fact(name: str, **changes: Any) -> str:
    return dict(facts(report(**changes)))[name]


def test_of_a_server_without_a_fault_only_what_is_allowed_is_said() -> None:
    assert consequences(GOOD) == ["performance, accuracy and TEST06 can be run: ids are exact"]


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        (Tier.A, "performance, accuracy and TEST06 can be run"),
        (Tier.B, "accuracy and TEST06 only where text gives"),
        (Tier.C, "performance only"),
    ],
)
def test_what_may_be_run_follows_from_the_tier(tier: Tier, words: str) -> None:
    (first, *_) = consequences(report(tier=tier))
    assert words in first and tier.name == fact("exactness", tier=tier)[0]


@pytest.mark.parametrize(("api", "has_reason"), [("llamacpp", True), ("vllm", False)])
def test_counts_that_disagree_come_before_everything(api: str, has_reason: bool) -> None:
    (first, *_) = consequences(report(counts_agree=False, tier=Tier.A, api=api))
    assert first.startswith("usage and ids disagree")
    assert ("llama.cpp counts a token inside an unfinished character" in first) is has_reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt_is_kept": False}, "does not see the prompt that is sent"),
        ({"takes_vocabulary": False}, "vocabulary is smaller"),
        ({"caching": CACHED}, "prefix caching between queries is on"),
        ({"caching": dataclasses.replace(CACHED, is_on=None)}, "whether prompts are kept is not known"),
        ({"has_min_tokens": False}, "a minimum of tokens cannot be asked for"),
        ({"minimum_is_honoured": False}, "a minimum of tokens cannot be asked for"),
        ({"samples_by_default": True}, "samples by default"),
        ({"tokens_per_event": 3}, "several tokens come in one event"),
        ({"added_to_text": 1, "tier": Tier.B}, "adds ids to text"),
    ],
)
def test_each_finding_has_one_sentence(changes: dict[str, Any], words: str) -> None:
    found = consequences(report(**changes))
    assert [words in sentence for sentence in found].count(True) == 1 and len(found) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt_is_kept": None},
        {"takes_vocabulary": None},
        {"takes_vocabulary": True},
        {"minimum_is_honoured": None},
        {"samples_by_default": None},
        {"tokens_per_event": None},
        {"added_to_text": 1},  # ids are sent, no text
        {"added_to_text": 0, "tier": Tier.A},
    ],
)
def test_what_is_not_known_accuses_nobody(changes: dict[str, Any]) -> None:
    assert len(consequences(report(**changes))) == 1


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("vllm", "start it with --no-enable-prefix-caching"),
        ("sglang", "start it with --disable-radix-cache"),
        ("trtllm", "kv_cache_config.enable_block_reuse: false"),
        (None, "switch it off at the server"),
        ("another", "switch it off at the server"),
    ],
)
@pytest.mark.parametrize("salt", [True, False, None])
def test_how_a_cache_is_switched_off_is_said_as_its_server_calls_it(
    kind: str | None, advice: str, salt: bool | None
) -> None:
    cached = dataclasses.replace(CACHED, is_off_with_salt=salt)
    told = consequences(report(identity=ServerIdentity(kind), caching=cached))[1]
    assert advice in told and ("a salt per query works" in told) is (salt is True)


# ---------------------------------------------------------------------- facts


def test_every_fact_has_a_name_once_and_words() -> None:
    rows = facts(report(added_to_text=1, takes_vocabulary=True))
    assert len({name for name, _ in rows}) == len(rows) == 16 and all(words for _, words in rows)
    assert {"added to text", "vocabulary"}.isdisjoint(name for name, _ in facts(GOOD))


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("version", {"identity": ServerIdentity(None)}, "not told"),
        ("version", {}, "0.9"),
        ("model", {"model": ""}, "not told"),
        ("context", {}, "4096 tokens"),
        ("context", {"identity": ServerIdentity(None)}, "not told"),
        ("API", {}, "vllm, /v1/completions"),
        ("ids = usage", {"counts_agree": None}, "not shown"),
        ("ids = usage", {"counts_agree": False}, "NO"),
        ("prompt as sent", {"prompt_is_kept": True}, "yes"),
        ("stop id in answer", {"stop_id_is_sent": False}, "NO"),
        ("minimum of tokens", {"has_min_tokens": False}, "the API knows none"),
        ("minimum of tokens", {"minimum_is_honoured": False}, "NO"),
        ("left-out sampling", {"samples_by_default": True}, "answers differ: it samples"),
        ("left-out sampling", {"samples_by_default": None}, "not shown"),
        ("tokens per event", {"tokens_per_event": None}, "not told"),
        ("tokens per event", {"tokens_per_event": 4}, "up to 4"),
        ("first byte", {}, "12.3 ms (median of 5 short requests)"),
        ("vocabulary", {"takes_vocabulary": False}, "is smaller"),
        ("per-request salt", {}, "the API knows none"),
        ("per-request salt", {"has_salt": True}, "known; not needed"),
    ],
)
def test_a_fact_says_what_was_seen(name: str, changes: dict[str, Any], words: str) -> None:
    assert fact(name, **changes) == words


def test_the_sampling_that_a_server_states_is_shown_where_it_is_a_number() -> None:
    stated = {"temperature": 0.7, "top_k": 40, "top_p": "x", "seed": 1}
    identity = ServerIdentity("vllm", sampling=stated)
    assert fact("left-out sampling", identity=identity) == "answers are equal (temperature 0.7, top_k 40)"
    odd = ServerIdentity("vllm", sampling={"temperature": True})
    assert fact("left-out sampling", identity=odd) == "answers are equal"


@pytest.mark.parametrize(
    ("caching", "words"),
    [
        (Caching(False, 0.98, None, None, None), "off (second request at 0.98 of the first's time)"),
        (
            CACHED,
            "ON (second request at 0.25 of the first's time, 640 cached tokens stated, 12 hits counted)",
        ),
        (
            Caching(None, 1, None, 0, None),
            "not known (second request at 1.00 of the first's time, 0 hits counted)",
        ),
    ],
)
def test_a_cache_is_told_with_what_shows_it(caching: Caching, words: str) -> None:
    assert fact("prefix cache", caching=caching) == words


def test_a_cache_that_could_not_be_asked_says_why_and_not_too_long() -> None:
    failure = EndpointFailure(FailureKind.CUT, "x" * 500)
    told = fact("prefix cache", caching=Caching(None, 1.0, None, None, None, failure))
    assert told == "not shown: " + "x" * 200


@pytest.mark.parametrize(("works", "words"), [(True, "works"), (False, "does NOT work")])
def test_a_salt_works_or_does_not(works: bool, words: str) -> None:
    cached = dataclasses.replace(CACHED, is_off_with_salt=works)
    assert fact("per-request salt", has_salt=True, caching=cached) == words


@pytest.mark.parametrize("tier", list(Tier))
def test_the_whole_report_is_plain_json(tier: Tier) -> None:
    found = plain(report(tier=tier))
    assert json.loads(json.dumps(found)) == found
    assert found["tier"] == tier.value and found["caching"]["speed"] == 1.0
    assert found["identity"]["models"] == ["m"]
