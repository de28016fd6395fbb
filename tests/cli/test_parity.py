"""assay parity: its words, its JSON and its exit code."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from assay.cli import parity
from assay.cli.arguments import parser_of
from assay.ground.errors import ConfigError
from tests import tiny_mixtral


def parse(*words: str) -> argparse.Namespace:
    return parser_of("parity", parity).parse_args(words)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mixtral.save(tmp_path_factory.mktemp("checkpoint"), seed=2)


def test_equal_answers_are_reported_and_end_with_0(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("--checkpoint", str(checkpoint), "--steps", "4", "--samples", "3", "--batch", "1,2")
    assert parity.run(parse(*args)) == 0
    assert "parity holds" in capsys.readouterr().out
    assert parity.run(parse(*args, "--json")) == 0
    tree = json.loads(capsys.readouterr().out)
    (report,) = tree["reports"]
    assert tree["holds"] and report["holds"] and [g["batch"] for g in report["generated"]] == [1, 2, 2]


def test_several_precisions_share_one_reference(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ("--checkpoint", str(checkpoint), "--steps", "4", "--samples", "3", "--batch", "2")
    parity.run(parse(*args, "--precision", "float32,float16", "--json"))
    tree = json.loads(capsys.readouterr().out)
    assert [report["precision"] for report in tree["reports"]] == ["float32", "float16"]
    assert tree["rouge"] == []


def test_keys_and_values_in_int8_are_said(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ("--checkpoint", str(checkpoint), "--steps", "4", "--samples", "3", "--batch", "2")
    parity.run(parse(*args, "--kv-precision", "int8"))
    assert "float32, KV in int8 (torch kernels), 3 prompts" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="kv_precision 'int9'"):
        parity.run(parse(*args, "--kv-precision", "int9"))


@pytest.mark.parametrize("words", ["", "float33", "float32,"])
def test_precisions_that_are_none_are_refused(checkpoint: Path, words: str) -> None:
    with pytest.raises(ConfigError, match="not a list of precisions"):
        parity.run(parse("--checkpoint", str(checkpoint), "--precision", words))


def test_rouge_without_a_dataset_is_refused(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match="--rouge needs --dataset"):
        parity.run(parse("--checkpoint", str(checkpoint), "--rouge", "8"))


@pytest.mark.parametrize("words", ["", "0", "1,x"])
def test_batch_sizes_that_are_none_are_refused(checkpoint: Path, words: str) -> None:
    with pytest.raises(ConfigError, match="not a list of batch sizes"):
        parity.run(parse("--checkpoint", str(checkpoint), "--batch", words))
