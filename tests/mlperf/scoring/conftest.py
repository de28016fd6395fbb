"""A word tokenizer of a few dozen ids, samples of the three kinds, and logs as LoadGen writes them."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from assay.mlperf.data import tokenizer
from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer
from tests import word_tokenizer

TEXT = (
    "<unk> <s> </s> the cat sat on a mat The answer is 7 8 9 . so we add and get dogs run "
    "puts 1 raise ``` exit"
)
WORDS = TEXT.split()


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """One id per word of WORDS; `<s>` and `</s>` are special."""
    folder = tmp_path_factory.mktemp("tokenizer")
    word_tokenizer.write(folder, WORDS, "<unk>", ("<s>", "</s>"))
    return tokenizer.load(folder)


def sample(index: int, subset: str, truth: str, id: str = "row.1") -> Sample:
    language = id.split("_")[0] if subset == "MBXP" else None
    return Sample(index, id, subset, "<s> question", (1, 3), truth, (), (2,), language=language)


def write_log(path: Path, answers: Sequence[tuple[int, Sequence[int]]], code: str = "i") -> Path:
    """A log with one entry per (sample index, ids); `code` is struct's letter of the id type."""
    entries = [
        {"seq_id": n, "qsl_idx": index, "data": struct.pack(f"<{len(ids)}{code}", *ids).hex().upper()}
        for n, (index, ids) in enumerate(answers)
    ]
    path.write_text(json.dumps(entries))
    return path
