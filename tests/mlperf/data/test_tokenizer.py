"""A tokenizer.model trained here on a few lines, and a tokenizer.json; the real Mixtral one where it is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.data import tokenizer
from assay.mlperf.data.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """Llama-style: BPE, dummy blank in front, byte fallback, blanks kept."""
    import sentencepiece

    folder = tmp_path_factory.mktemp("sp")
    (folder / "text").write_text("[INST] add two numbers [/INST]\ndef add(a, b):\n\treturn a + b\n```\n" * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "text"),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=330,
        model_type="bpe",
        byte_fallback=True,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    return tokenizer.load(folder)


def test_a_text_that_starts_with_bos_gets_it_twice(pieces: Tokenizer) -> None:
    ids = pieces.encode_prompt("<s> [INST] add [/INST]")
    assert ids[:2] == [1, 1]
    assert ids[2] != 1


def test_what_was_encoded_decodes_to_itself(pieces: Tokenizer) -> None:
    texts = ["def add(a, b):\n\treturn a + b\n", "  two\n\n  blanks ", "é 日本", ""]
    assert pieces.decode([pieces.encode(text) for text in texts]) == texts


def test_special_tokens_leave_no_text(pieces: Tokenizer) -> None:
    ids = pieces.encode("add")
    assert pieces.decode([[1, *ids, 2, 0]]) == ["add"]


def test_text_inside_an_answer_has_no_blank_of_its_own(pieces: Tokenizer) -> None:
    ids = pieces.encode_inside("\n```\n")
    assert pieces.decode([pieces.encode("add") + ids]) == ["add\n```\n"]
    assert pieces.encode("\n```\n") != ids


def test_a_tokenizer_json_names_its_special_tokens_in_its_config(tmp_path: Path) -> None:
    from tokenizers import AddedToken, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Fast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    fast = Fast(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    fast.add_special_tokens([AddedToken(text, special=True) for text in ("<|start|>", "<|end|>")])
    fast.save(str(tmp_path / "tokenizer.json"))
    config = {"bos_token": {"content": "<|start|>"}, "eos_token": "<|end|>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    words = tokenizer.load(tmp_path)
    assert (words.vocab_size, words.bos, words.eos, words.eos_id) == (258, "<|start|>", "<|end|>", 257)
    assert words.encode_prompt("<|start|>a")[0] == 256
    assert words.decode([[256, *words.encode("a é\n"), 257]]) == ["a é\n"]
    assert words.decode([words.encode("a") + words.encode_inside("\n```\n")]) == ["a\n```\n"]


@pytest.mark.parametrize("is_cleaned", [True, False, None])
def test_blanks_before_punctuation_vanish_where_the_config_says_so(
    tmp_path: Path, is_cleaned: bool | None
) -> None:
    from tokenizers import Tokenizer as Fast
    from tokenizers import decoders, models, pre_tokenizers

    said = "He did n't , and I 'm sure ; they 're \" fine \" ? Yes ! It 's a ' b ' end ."
    fast = Fast(models.BPE({c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, []))
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    fast.save(str(tmp_path / "tokenizer.json"))
    if is_cleaned is not None:
        config = json.dumps({"clean_up_tokenization_spaces": is_cleaned})
        (tmp_path / "tokenizer_config.json").write_text(config)
    words = tokenizer.load(tmp_path)
    clean = "He didn't, and I'm sure ; they're \" fine \"? Yes! It's a'b'end."
    assert words.decode([words.encode(said)]) == [clean if is_cleaned else said]
    assert words.decode([words.encode("a .. b , , c")]) == ["a.. b,, c" if is_cleaned else "a .. b , , c"]


@pytest.mark.parametrize("name", ["tokenizer.model", "tokenizer.json"])
def test_a_damaged_tokenizer_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x0e damaged")
    with pytest.raises(ArtifactError, match="unreadable tokenizer"):
        tokenizer.load(tmp_path)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no tokenizer\.model and no tokenizer\.json"):
        tokenizer.load(tmp_path)


@pytest.fixture(scope="module")
def mixtral(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """From the package mistral-common, fetched with pip."""
    import subprocess
    import sys
    import zipfile

    folder = tmp_path_factory.mktemp("mixtral")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder),
        "mistral-common",
    ]
    fetched = subprocess.run(pip, capture_output=True, text=True, check=False)
    if fetched.returncode != 0:
        pytest.skip(f"mistral-common cannot be fetched: {fetched.stderr[-100:]}")
    wheel = next(folder.glob("*.whl"))
    zipfile.ZipFile(wheel).extract("mistral_common/data/tokenizer.model.v1", folder)
    return tokenizer.load(folder / "mistral_common/data")


@pytest.mark.network
def test_the_real_tokenizer_gives_the_official_ids(mixtral: Tokenizer) -> None:
    assert mixtral.vocab_size == 32_000
    assert mixtral.encode_inside("\n```\n") == [13, 13940, 28832, 13]
    assert mixtral.encode_prompt("<s> [INST] As")[:6] == [1, 1, 28705, 733, 16289, 28793]
    assert mixtral.encode_prompt("<s>[INST] As")[:5] == [1, 1, 733, 16289, 28793]
    assert mixtral.eos_id == 2
