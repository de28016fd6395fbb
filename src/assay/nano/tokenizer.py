"""The byte-pair tokenizer of mixtral-nano: trained on generated text, saved in the Hugging Face format.

Each digit, each line end and each code fence is a token of its own, so numbers are read digit by digit and the
stop sequence always has the same ids. Any text can be encoded: unknown characters fall back to bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNK, BOS, EOS = "<unk>", "<s>", "</s>"
UNK_ID, BOS_ID, EOS_ID = 0, 1, 2
VOCABULARY_SIZE = 1536
MODEL_LENGTH_MAX = 2048
"""Choices, both: they are part of the shipped checkpoint."""

PIECES = r"\n|```| ?\p{N}| ?[_$]?\p{L}+| {2,}| ?[^\s\p{L}\p{N}`]+|\s|`"
"""How text is cut before pairs are merged; no token crosses a cut."""


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """A tokenizer that puts BOS before whatever it encodes, as the official one does."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=UNK))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=[UNK, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, BOS_ID)]
    )
    return tokenizer


def load_tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write `tokenizer.json` and the two configuration files that `AutoTokenizer` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"bos_token": BOS, "eos_token": EOS, "unk_token": UNK, "pad_token": EOS}
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": MODEL_LENGTH_MAX,
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        **special,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")


def encode_prompt(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """Ids of a prompt that already begins with the BOS mark: so BOS stands twice, as in the official data."""
    return list(tokenizer.encode(prompt).ids)


def encode_answer(tokenizer: Tokenizer, answer: str) -> list[int]:
    """Ids of an answer, with EOS at its end and no BOS."""
    return [*tokenizer.encode(answer, add_special_tokens=False).ids, EOS_ID]
