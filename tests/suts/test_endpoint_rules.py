from __future__ import annotations

import pytest

from assay.config import Device, Precision
from assay.endpoint.apis import APIS
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.workloads.workload import Generation
from assay.suts import endpoint_rules
from assay.suts.endpoint_cache import CacheFindings

SAMPLES = [Sample(0, "t.0", "", "", (1,) * 50, "", (), ()), Sample(1, "t.1", "", "", (1,), "", (), ())]
SPEC = SutSpec("x", None, Device.CPU, Precision.BFLOAT16, None, Generation(2, 30, 2), True, {})


def test_every_api_has_the_dialect_of_its_server() -> None:
    found = {name: endpoint_rules.dialect_of(name) for name in APIS}
    assert found["vllm-generate"] == "vllm" and found["sglang-completions"] == "sglang"
    assert endpoint_rules.dialect_of("of nobody") == "of nobody"


def test_a_command_is_held_against_the_job() -> None:
    words = ["--no-enable-prefix-caching", "--dtype", "float16", "--max-model-len", "79"]
    found = endpoint_rules.of_command("vllm", words, SPEC, SAMPLES)
    assert [(each.code, each.severity) for each in found] == [
        ("V3", Severity.WARNING),
        ("V5", Severity.ERROR),
    ]


def test_each_server_is_named_with_what_it_says() -> None:
    said = {"http://a": {"enable_prefix_caching": True}, "http://b": {"max_model_len": 79}, "http://c": {}}
    found = endpoint_rules.of_servers(APIS["vllm-generate"], said, SPEC, SAMPLES)
    assert [(each.path, each.code, each.severity) for each in found] == [
        ("http://a", "V1", Severity.WARNING),  # every query has a salt
        ("http://b", "V5", Severity.ERROR),
    ]


def test_the_arguments_are_told_before_the_server_s_own_word() -> None:
    own = endpoint_rules.of_command("vllm", ["--enable-prefix-caching"], SPEC, SAMPLES)
    said = endpoint_rules.of_servers(
        APIS["vllm"], {"http://a": {"enable_prefix_caching": True, "max_model_len": 9}}, SPEC, SAMPLES
    )
    found = endpoint_rules.merged(own, said)
    assert [(each.code, each.path) for each in found] == [
        ("V1", "the server's arguments"), ("V5", "http://a"),
    ]  # fmt: skip


SALTED = endpoint_rules.of_servers(APIS["vllm"], {"http://a": {"enable_prefix_caching": True}}, SPEC, SAMPLES)
OWN = endpoint_rules.of_command("vllm", ["--enable-prefix-caching"], SPEC, SAMPLES)
UNSALTED = endpoint_rules.of_servers(
    APIS["sglang"], {"http://a": {"disable_radix_cache": False}}, SPEC, SAMPLES
)


@pytest.mark.parametrize(
    ("cache", "found", "broken", "notes"),
    [
        (CacheFindings(True, 0, True), SALTED, [], ["prefix cache: on; no query"]),
        (CacheFindings(None, 0, True), SALTED, [], ["prefix caching: it is on; every query"]),
        (CacheFindings(False, 0, True), SALTED, [], ["prefix cache: off", "prefix caching: it is on"]),
        (CacheFindings(True, 9, True), SALTED, ["9 prompt tokens came"], ["prefix cache: WARM"]),
        (CacheFindings(True, 0, True), OWN, ["prefix caching: it is on"], ["prefix cache: on"]),
        (CacheFindings(True, 0, False), UNSALTED, ["the server's prefix cache is on"], ["prefix cache: on"]),
        (CacheFindings(None, 0, False), (), [], ["prefix cache: not known"]),
    ],
)
def test_that_a_cache_is_on_is_said_once(
    cache: CacheFindings, found: tuple[Finding, ...], broken: list[str], notes: list[str]
) -> None:
    said = endpoint_rules.with_cache(cache, found)
    for texts, begins in zip(said, (broken, notes)):
        assert len(texts) == len(begins) and all(map(str.startswith, texts, begins)), texts
