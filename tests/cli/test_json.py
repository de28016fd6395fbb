"""With --json every verb prints one JSON object on stdout and nothing else, also where it fails."""

from __future__ import annotations

import argparse
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.cli import guard, main
from assay.cli.arguments import parser_of
from assay.cli.verbs import VERBS
from assay.suts.shape import MIXTRAL_8X7B
from tests import published
from tests.bench.foreign_files import VLLM
from tests.end_to_end import rows
from tests.mlperf import run_folder
from tests.mock_server import mock

JOB = ("mixtral-8x7b", "--sut", "echo", "--checkpoint", "words", "--dataset", "set.jsonl")
COMMANDS = {
    "bench": (*JOB, "--out", "made"),
    "plan": JOB,
    "tune": (*JOB, "--target-qps", "2000", "--min-duration", "400ms", "--samples", "4", "--out", "tuned"),
    "load": ("mixtral-nano", "--url", "URL", "--concurrency", "1", "--duration", "100ms", "--samples", "2"),
    "score": (
        "--log",
        "made/Offline/accuracy/mlperf_log_accuracy.json",
        "--dataset",
        "set.jsonl",
        "--tokenizer",
        "words",
    ),
    "dataset inspect": ("set.jsonl",),
    "dataset convert": ("set.jsonl", "set.parquet"),
    "dataset build": (
        *("--workload", "llama2-70b-99", "--texts", "texts.jsonl", "--tokenizer", "words"),
        *("--samples", "1", "--out", "built.jsonl"),
    ),
    "report": ("run",),
    "compare": ("run", "run"),
    "answers": ("made",),
    "import": ("vllm.json", "--out", "imported"),
    "history": (".",),
    "doctor": (),
    "model random": ("--config", "small.json", "--out", "model"),
    "model pack": ("--checkpoint", "model"),
    "submit": ("run", "--submitter", "T", "--out", "tree", "--system", "box"),
    "check": ("tree",),
    "compliance": ("run", "--verify", "run/Offline/accuracy/mlperf_log_accuracy.json"),
    "audit": ("run/README.md",),
    "explain": ("P10",),
    "rules": (),
    "probe": ("URL",),
    "parity": ("--checkpoint", "model", "--steps", "2", "--samples", "2", "--batch", "1"),
    "list": (),
    "cache show": (),
    "cache clear": ("tuned", "--yes"),
    "completion": ("bash",),
    "man": (),
    "recipe plan": ("detect,os",),
    "recipe explain": ("detect,os",),
    "recipe why": ("detect,os",),
    "recipe lint": ("local",),
}
"""Verb -> a command line of it that does its work."""
NEEDS = {
    "score": ("bench", "made"),
    "answers": ("bench", "made"),
    "check": ("submit", "tree"),
    **dict.fromkeys(("parity", "model pack"), ("model random", "model")),
}
"""Verb -> the verb whose work it is given, and where that lies."""
SLOW = {"doctor", "model pack", "tune"}
"""Kernels are built for two of them, and tune makes several runs."""
ELSEWHERE = {"mock", "model llama", "model upcycle", "recipe reproduce"}
"""Runs until it is stopped: test_mock_verb.py. The others need a model or a lock file: test_model.py, recipes/."""


def leaves() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for verb, (name, _) in VERBS.items():
        parser = parser_of(verb, importlib.import_module(f"assay.cli.{name}"))
        below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if not below:
            yield verb, parser
        for action in below:
            yield from ((f"{verb} {name}", one) for name, one in action.choices.items())


LEAVES = dict(leaves())
OTHER_WORDS = {"why", "said", "cause", "remedy"}
"""Keys that would say once more what a key of docs/guide/verbs.md says."""


def keys(value: object) -> Iterator[str]:
    """Every key of a JSON value, at any depth."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    yield from value if isinstance(value, dict) else ()
    for each in inner:
        yield from keys(each)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("json")
    rows.write(folder / "set.jsonl", rows.tokenizer(folder / "words"))
    run_folder.write(folder / "run")
    (folder / "run/README.md").write_text(published.report())
    (folder / "vllm.json").write_text(json.dumps(VLLM))
    (folder / "texts.jsonl").write_text('{"question": "Why?", "system_prompt": "", "response": "So."}\n')
    small = {"vocab_size": 64, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    (folder / "small.json").write_text(json.dumps({**MIXTRAL_8X7B, **small, **heads}))
    return folder


def test_every_verb_has_the_same_option_and_is_tried_here() -> None:
    helps = {parser._option_string_actions["--json"].help for parser in LEAVES.values()}
    assert len(helps) == 1
    assert set(COMMANDS) | ELSEWHERE == set(LEAVES)


@pytest.mark.parametrize(
    "verb", [pytest.param(verb, marks=[pytest.mark.slow] * (verb in SLOW)) for verb in COMMANDS]
)
def test_stdout_is_one_json_object(
    verb: str, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], request: Any
) -> None:
    maker, made = NEEDS.get(verb, ("", ""))
    if {verb, maker} & {"bench", "tune"}:
        request.getfixturevalue("loadgen")
    monkeypatch.chdir(place)
    if verb == "cache clear":  # the store of the tests may be in use by another process
        monkeypatch.setenv("ASSAY_HOME", str(place / "store"))
    if maker and not (place / made).exists():
        assert main([*maker.split(), *COMMANDS[maker]]) in (0, 1)
        capfd.readouterr()
    with mock(ttft_ms=1, tokens=2) as server:
        words = [server.text if word == "URL" else word for word in COMMANDS[verb]]
        code = main([*verb.split(), *words, "--json"])
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert isinstance(found, dict) and out.count("\n") == 1
    of_metrics = {key for key in found if verb == "score" and key.startswith("rougeL")}
    assert all(re.fullmatch("[a-z][a-z0-9_]*", key) for key in found.keys() - of_metrics)
    assert not OTHER_WORDS & set(keys(found))
    assert "error" not in found, err
    assert code in (0, 1, 3)  # 1: findings; 3: no benchmark can run here, or a program was not graded


@pytest.mark.parametrize("verb", sorted(LEAVES))
def test_an_error_is_one_json_object_with_the_exit_code(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*verb.split(), "--json", "--no-such-option"])
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert error["exit_code"] == code > 1
    assert error["message"] and f"assay: {error['message'].splitlines()[0]}" in printed.err


@pytest.mark.parametrize(
    ("raised", "code"), [(ValueError("https://me:secret@host/"), 70), (KeyboardInterrupt(), 130)]
)
def test_a_bug_and_an_interrupt_are_json_too(
    raised: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(args: list[str]) -> int:
        raise raised

    monkeypatch.setattr(guard, "_dispatch", broken)
    assert main(["check", "--json"]) == code
    out = capsys.readouterr().out
    assert json.loads(out)["error"]["exit_code"] == code and "secret" not in out


def test_without_json_and_behind_two_dashes_stdout_stays_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "/nowhere"]) != 0 and capsys.readouterr().out == ""
    assert main(["explain", "--", "--json"]) == 2 and capsys.readouterr().out == ""
