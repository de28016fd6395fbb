from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay import cli
from assay.suts.shape import MIXTRAL_8X7B


@pytest.fixture
def config(tmp_path: Path) -> Path:
    small = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1}
    file = tmp_path / "small.json"
    file.write_text(json.dumps({**MIXTRAL_8X7B, **small, "num_attention_heads": 4, "num_key_value_heads": 2}))
    return file


def test_a_random_model_is_written_and_its_randomness_said(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made"
    assert cli.main(["model", "random", "--config", str(config), "--out", str(out), "--json"]) == 0
    said = capsys.readouterr()
    tree = json.loads(said.out)
    assert "layer 1 of 1" in said.err
    assert tree["folder"] == str(out) and tree["logits_difference"] is None
    assert {"config.json", "model.safetensors"} <= {path.name for path in out.iterdir()}
    again = ["model", "random", "--config", str(config), "--out", str(tmp_path / "again"), "--quiet"]
    assert cli.main(again) == 0
    said = capsys.readouterr()
    assert "weights are random" in said.out and said.err == ""


def test_an_unknown_config_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["model", "random", "--config", "tinny", "--out", str(tmp_path / "m")]) == 2
    assert "tiny, wide" in capsys.readouterr().err


def test_upcycling_what_is_not_there_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "absent.gguf"
    assert cli.main(["model", "upcycle", "--gguf", str(missing), "--out", str(tmp_path / "m")]) == 3
    assert f"no model at {missing}" in capsys.readouterr().err


def test_one_expert_is_refused_since_each_token_takes_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["model", "upcycle", "--dense", str(tmp_path), "--experts", "1", "--out", str(tmp_path / "m")]
    assert cli.main(command) == 2
    assert "2 experts" in capsys.readouterr().err
