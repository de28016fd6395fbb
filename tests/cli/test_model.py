from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay import cli
from assay.cli import model as verb
from assay.engine import packing
from assay.ground.errors import ConfigError
from assay.suts import checkpoint, llama_checkpoint
from assay.suts.checkpoint import CONFIGS, Made
from assay.suts.shape import MIXTRAL_8X7B
from tests.cli.words import parsed


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


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ([], "action"),
        (["upcycle", "--out", "m"], "required"),
        (["upcycle", "--gguf", "a", "--dense", "b", "--out", "m"], "not allowed with"),
        (["random", "--config", "tiny"], "--out"),
        (["random", "--config", "tiny", "--precision", "int4", "--out", "m"], "int4"),
        (["llama", "--dense", "a", "--precision", "int8", "--out", "m"], "int8"),
        (["pack", "--precision", "int8"], "--checkpoint"),
    ],
)
def test_words_that_ask_for_nothing_possible_are_refused(words: list[str], refused: str) -> None:
    with pytest.raises(ConfigError, match=refused):
        parsed(verb, *words)


@pytest.mark.parametrize("text", [None, "", "{", "[1]", "3", "\xff"])
def test_a_config_that_is_none_is_refused_with_the_names_there_are(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=str(file)) as caught:
        verb.run(parsed(verb, "random", "--config", str(file), "--out", str(tmp_path / "m")))
    assert "config.json of a Mixtral" in caught.value.hint and not (tmp_path / "m").exists()


@pytest.mark.parametrize(("precision", "function"), [("int8", "random_packed"), ("float16", "random")])
def test_random_weights_are_made_as_they_are_asked_for(
    precision: str, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, ...]] = []
    made = Made(tmp_path / "m", 10, 20)
    monkeypatch.setattr(checkpoint, function, lambda *words: seen.append(words) or made)
    asked = [
        "random",
        "--config",
        "tiny",
        "--precision",
        precision,
        "--seed",
        "7",
        "--out",
        str(tmp_path / "m"),
    ]
    assert verb.run(parsed(verb, *asked)) == 0
    assert seen[0][:4] == (CONFIGS["tiny"], 7, tmp_path / "m", None)


def test_an_upcycled_model_says_how_near_it_is_to_the_dense_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Made(tmp_path / "m", 1_234_567, 2 * 10**9, 1.5e-6, 32)
    monkeypatch.setattr(checkpoint, "upcycle", lambda *words: made)
    assert verb.run(parsed(verb, "upcycle", "--dense", str(tmp_path), "--out", str(tmp_path / "m"))) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{tmp_path / 'm'}: 1,234,567 parameters, 2.0 GB"
    assert second == "logits equal the dense model's: largest difference 1.5e-06 over 32 tokens, float32"


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_dense_model_is_written_in_its_own_form(
    more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Made(tmp_path / "m", 1_000, 4_000_000_000)
    monkeypatch.setattr(llama_checkpoint, "write", lambda *words: made)
    assert verb.run(parsed(verb, "llama", "--dense", str(tmp_path), "--out", str(tmp_path / "m"), *more)) == 0
    said = capsys.readouterr().out
    if more:
        assert json.loads(said) == {
            "folder": str(tmp_path / "m"),
            "parameters": 1_000,
            "bytes": 4_000_000_000,
        }
    else:
        assert said == f"{tmp_path / 'm'}: 1,000 parameters, 4.0 GB\n"


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_experts_are_packed_for_the_engine(
    more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    verb.run(parsed(verb, "random", "--config", "tiny", "--precision", "bfloat16", "--out", str(out)))
    capsys.readouterr()
    assert verb.run(parsed(verb, "pack", "--checkpoint", str(out), "--kernels", "torch", *more)) == 0
    said = capsys.readouterr().out
    folder = json.loads(said)["folder"] if more else said.partition(":")[0]
    assert Path(folder).is_relative_to(out) and (Path(folder) / "pack.json").is_file()
    assert packing.NOTES not in {path.name for path in Path(folder).iterdir()}
