from __future__ import annotations

from pathlib import Path

import pytest

from assay.mlperf.checker.finding import Severity
from assay.suts.server_rules import SERVER_RULES, ServerTerms, breaches, findings, remarks, sentence
from assay.suts.server_settings import from_command, from_server

EAGLE = "EAGLE: num-steps 3, topk 1"
DRAFTS = ["--speculative-algorithm", "EAGLE", "--disable-radix-cache"]


def told(dialect: str, *words: str, **terms: object) -> list[tuple[str, Severity]]:
    asked = ServerTerms(**{"prompt_tokens": 900, "answer_tokens": 100, **terms})  # type: ignore[arg-type]
    found = findings(from_command(dialect, words), asked, "here")
    return [(each.code, each.severity) for each in found]


REUSES_NOTHING = ("--kv-cache-config.enable-block-reuse=False",)
ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


@pytest.mark.parametrize(
    ("dialect", "words", "terms", "expected"),
    [
        ("vllm", (), {"is_own": True}, [("V1", ERROR)]),
        ("vllm", (), {"is_own": True, "is_salted": True}, [("V1", ERROR)]),
        ("vllm", (), {"is_salted": True}, [("V1", WARNING)]),
        ("vllm", (), {}, [("V1", ERROR)]),
        ("sglang", DRAFTS, {}, [("V2", ERROR)]),
        ("sglang", DRAFTS, {"drafts": EAGLE}, [("V2", NOTE)]),
        ("sglang", [*DRAFTS, "--speculative-num-steps", "3"], {"drafts": EAGLE}, [("V2", NOTE)]),
        ("sglang", [*DRAFTS, "--speculative-num-steps", "5"], {"drafts": EAGLE}, [("V2", ERROR)]),
        ("llamacpp", ("-md", "x.gguf"), {}, [("V2", ERROR)]),
        ("trtllm", (*REUSES_NOTHING, "--stream_interval", "10"), {}, [("V4", NOTE)]),
        ("trtllm", (*REUSES_NOTHING, "--stream_interval", "1"), {}, []),
        ("trtllm", (), {}, [("V1", ERROR)]),
        ("tgi", ("--quantize", "awq"), {"is_salted": True}, [("V1", WARNING), ("V3", NOTE)]),
        ("llamacpp", ("-ctk", "q8_0"), {}, [("V3", NOTE)]),
        ("llamacpp", ("-c", "1000"), {}, []),
        ("llamacpp", ("-c", "1999", "-np", "2"), {}, [("V5", ERROR)]),
        ("llamacpp", ("--context-shift",), {}, [("V6", ERROR)]),
        ("llamacpp", ("--lora", "x"), {}, [("V7", ERROR)]),
        ("openai", ("--load-format", "dummy"), {}, [("V7", ERROR)]),
    ],
)
def test_each_rule_speaks_where_it_is_broken_and_nowhere_else(
    dialect: str, words: list[str], terms: dict[str, object], expected: list[tuple[str, Severity]]
) -> None:
    assert told(dialect, *words, **terms) == expected


def test_another_dtype_than_was_asked_for_is_told() -> None:
    words = ("--no-enable-prefix-caching", "--dtype", "bfloat16", "--dtype", "float16")
    assert told("vllm", *words, dtype="bfloat16") == [("V3", WARNING)]
    assert told("vllm", *words, dtype="float16") == []


def test_errors_are_breaches_and_the_others_are_for_the_reader() -> None:
    said = {"max_model_len": 10, "quantization": "fp8"}
    found = findings(from_server("vllm", said), ServerTerms(9, 2), "http://h")
    assert [each.path for each in found] == ["http://h"] * 2
    (broken,), (remark,) = breaches(found), remarks(found)
    assert (
        broken.startswith("context of 10 tokens: ")
        and "11 in all" in broken
        and SERVER_RULES["V5"].source in broken
    )
    assert remark == sentence(found[0]) and "calibration data" in remark


def test_every_rule_stands_in_the_document() -> None:
    document = (Path(__file__).parents[2] / "docs" / "measuring-a-server.md").read_text()
    for rule in SERVER_RULES.values():
        assert f"| {rule.code} | {rule.title} |" in document
        assert rule.source and rule.fix
