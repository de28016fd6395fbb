"""The checkpoint's own tokenizer: text to ids and back, as Hugging Face's slow tokenizer gives it.

`tokenizer.model` (SentencePiece) is preferred over `tokenizer.json`, because the official evaluation script
asks for `use_fast=False`. Knows nothing of prompts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from assay.ground.errors import ArtifactError
from assay.ground.parsed import json_value

BLANKS_BEFORE = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")
"""What loses its outer blanks, one after the other, where tokenizer_config.json says `clean_up_tokenization_spaces`.
Source: transformers, PreTrainedTokenizerBase.clean_up_tokenization."""
# Folder of a checkpoint, or the file as mistral-common names it.
SENTENCEPIECE_NAMES = ("tokenizer.model", "tokenizer.model.v1")


class Tokenizer(Protocol):
    """Ids are plain ints below `vocab_size`."""

    vocab_size: int
    bos: str
    """Text of the beginning-of-sequence token, `""` when there is none."""
    eos: str
    eos_id: int | None

    def encode_prompt(self, text: str) -> list[int]:
        """Ids of a prompt: special tokens spelled in the text are read as such, and the tokenizer adds
        its own beginning. A text that starts with `<s>` begins with BOS twice, as the official set does."""

    def encode(self, text: str) -> list[int]:
        """Ids of plain text, nothing added, so that `decode` gives the text back."""

    def encode_inside(self, text: str) -> list[int]:
        """Ids of a text in the middle of an answer: without the blank that SentencePiece puts in front."""

    def decode(self, answers: Sequence[Sequence[int]], *, keeps_special: bool = False) -> list[str]:
        """Texts of many answers in one call, special tokens left out unless they are kept. Every id must be below
        `vocab_size`."""


def load(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint folder, or a tokenizer file.

    Raises: ArtifactError when there is none, or when it cannot be read.
    """
    path = file_of(folder)
    if path is None:
        raise ArtifactError(
            f"{folder}: no tokenizer.model and no tokenizer.json",
            "give the folder of the checkpoint that was run",
        )
    return _load(_HuggingFace if path.suffix == ".json" else _SentencePiece, path)


def file_of(folder: Path) -> Path | None:
    """The file that `load` reads; None when there is none."""
    if folder.is_file():
        return folder
    names = (*SENTENCEPIECE_NAMES, "tokenizer.json")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _load(kind: type[_SentencePiece] | type[_HuggingFace], path: Path) -> Tokenizer:
    try:
        return kind(path)
    # SentencePiece raises RuntimeError, the Rust tokenizers a bare Exception.
    except Exception as error:
        raise ArtifactError(
            f"{path}: unreadable tokenizer ({error})", "copy it from the checkpoint again"
        ) from error


class _SentencePiece:
    """A Llama-style `tokenizer.model`; control and unknown pieces are special, as in Hugging Face."""

    def __init__(self, path: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        self._model = SentencePieceProcessor(model_file=str(path))
        self.vocab_size: int = self._model.vocab_size()
        ids = range(self.vocab_size)
        special = [i for i in ids if self._model.is_control(i) or self._model.is_unknown(i)]
        self._special = {self._model.id_to_piece(i): i for i in special}
        self._special_ids = frozenset(special)
        self._spelled = re.compile("(" + "|".join(map(re.escape, self._special)) + ")")
        self._bos_id: int = self._model.bos_id()
        self.bos: str = self._model.id_to_piece(self._bos_id) if self._bos_id >= 0 else ""
        self.eos_id: int | None = self._model.eos_id() if self._model.eos_id() >= 0 else None
        self.eos: str = "" if self.eos_id is None else self._model.id_to_piece(self.eos_id)
        self._is_cleaned = _config(path).get("clean_up_tokenization_spaces") is True

    def encode_prompt(self, text: str) -> list[int]:
        ids = [self._bos_id] if self.bos else []
        for part in self._spelled.split(text):
            ids += [self._special[part]] if part in self._special else self.encode(part)
        return ids

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._model.encode(text)
        return ids

    def encode_inside(self, text: str) -> list[int]:
        # A text after a piece that is surely its own token; what that piece and its blank gave is cut off.
        return self.encode("\n" + text)[len(self.encode("\n")) :]

    def decode(self, answers: Sequence[Sequence[int]], *, keeps_special: bool = False) -> list[str]:
        special = frozenset[int]() if keeps_special else self._special_ids
        kept = [[i for i in ids if i not in special] for ids in answers]
        texts: list[str] = self._model.decode(kept) if kept else []
        return list(map(cleaned, texts)) if self._is_cleaned else texts


class _HuggingFace:
    """A `tokenizer.json`, with the names of BOS and EOS from `tokenizer_config.json` beside it."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer as Fast

        self._fast = Fast.from_file(str(path))
        self._fast.no_truncation()
        self._fast.no_padding()
        self.vocab_size: int = self._fast.get_vocab_size(with_added_tokens=True)
        config = _config(path)
        self._is_cleaned = config.get("clean_up_tokenization_spaces") is True
        self.bos = self._known(config.get("bos_token"), "<s>")
        self.eos = self._known(config.get("eos_token"), "</s>")
        self.eos_id: int | None = self._fast.token_to_id(self.eos) if self.eos else None

    def _known(self, token: Any, usual: str) -> str:
        """Text of a special token: what the config says, else the usual one if the vocabulary has it."""
        text = token.get("content") if isinstance(token, dict) else token
        text = text if isinstance(text, str) else usual
        return text if self._fast.token_to_id(text) is not None else ""

    def encode_prompt(self, text: str) -> list[int]:
        ids: list[int] = self._fast.encode(text, add_special_tokens=True).ids
        return ids

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._fast.encode(text, add_special_tokens=False).ids
        return ids

    def encode_inside(self, text: str) -> list[int]:
        before = self.encode("\n")
        both = self.encode("\n" + text)
        return both[len(before) :] if both[: len(before)] == before else self.encode(text)

    def decode(self, answers: Sequence[Sequence[int]], *, keeps_special: bool = False) -> list[str]:
        texts: list[str] = self._fast.decode_batch(list(answers), skip_special_tokens=not keeps_special)
        return list(map(cleaned, texts)) if self._is_cleaned else texts


def cleaned(text: str) -> str:
    """The text with the blanks before punctuation and English contractions taken out, as transformers does it."""
    for spelled in BLANKS_BEFORE:
        text = text.replace(spelled, spelled.strip())
    return text


def _config(file: Path) -> dict[str, Any]:
    """tokenizer_config.json beside the tokenizer's file; empty where there is none."""
    path = file.with_name("tokenizer_config.json")
    if not path.is_file():
        return {}
    config: dict[str, Any] = json_value(path.read_text(encoding="utf-8"))
    return config
