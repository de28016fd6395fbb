"""A tokenizer with an id for each word, as tests need that count or read ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def write(folder: Path, words: Sequence[str], unknown: str, special: Sequence[str] = ()) -> Any:
    """Writes tokenizer.json: the n-th word, between blanks, has id n; `special` texts have those after them.

    Returns the `tokenizers.Tokenizer`.
    """
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token=unknown))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens([AddedToken(text, special=True) for text in special])
    made.save(str(folder / "tokenizer.json"))
    return made
