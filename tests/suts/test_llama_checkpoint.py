"""A dense model in its own form: the same tensors from a folder and from a GGUF, and a checkpoint that loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.config import Precision
from assay.ground.errors import ArtifactError, ConfigError
from assay.suts import llama_checkpoint
from tests.suts.test_checkpoint import llama, tensors, write_gguf  # noqa: F401


def test_a_gguf_gives_the_tensors_of_the_folder_that_it_was_made_of(llama: Path, tmp_path: Path) -> None:  # noqa: F811
    write_gguf(llama, tmp_path / "m.gguf")
    made = llama_checkpoint.write(tmp_path / "m.gguf", tmp_path / "made")
    ours, theirs = tensors(made.folder), tensors(llama)
    assert ours.keys() <= theirs.keys()
    assert all(ours[name].equal(theirs[name].float()) for name in ours)
    assert sum(tensor.numel() for tensor in ours.values()) == made.parameters
    config = json.loads((made.folder / "config.json").read_text())
    assert (config["model_type"], config["architectures"]) == ("llama", ["LlamaForCausalLM"])
    assert (made.folder / "tokenizer.json").is_file()


def test_transformers_loads_what_was_written(llama: Path, tmp_path: Path) -> None:  # noqa: F811
    from transformers import AutoModelForCausalLM

    made = llama_checkpoint.write(llama, tmp_path / "made", Precision.BFLOAT16)
    model, said = AutoModelForCausalLM.from_pretrained(made.folder, output_loading_info=True)
    assert not said["missing_keys"] and not said["unexpected_keys"]
    assert str(next(model.parameters()).dtype) == "torch.bfloat16"


def test_nothing_is_written_over_and_nothing_half_made(llama: Path, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(ConfigError, match="exists already"):
        llama_checkpoint.write(llama, tmp_path)
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    with pytest.raises(ArtifactError, match="not a whole GGUF"):
        llama_checkpoint.write(tmp_path / "bad.gguf", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_the_verb_says_what_it_made(llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    words = ["model", "llama", "--dense", str(llama), "--out", str(tmp_path / "made"), "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["folder"] == str(tmp_path / "made")
    assert main(words[:-1]) == 2
    assert "exists already" in capsys.readouterr().err
