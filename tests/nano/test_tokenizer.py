"""The tokenizer: digits apart, fixed ids of the stop sequence, the double BOS, and the same ids in transformers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assay.nano.generator import training_stream
from assay.nano.grammar.prompt import STOP_SEQUENCE
from assay.nano.tokenizer import (
    BOS_ID,
    EOS_ID,
    encode_answer,
    encode_prompt,
    load_tokenizer,
    save_tokenizer,
    train_tokenizer,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(train_tokenizer(_texts()), folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return load_tokenizer(folder)


def _texts() -> Iterator[str]:
    return (s.prompt + s.answer for s in islice(training_stream(3), 900))


def test_answers_come_back_as_they_were(tokenizer: Tokenizer) -> None:
    for sample in islice(training_stream(4), 60):
        ids = encode_answer(tokenizer, sample.answer)
        assert ids[-1] == EOS_ID and EOS_ID not in ids[:-1]
        assert tokenizer.decode(ids, skip_special_tokens=True) == sample.answer


def test_each_digit_is_a_token_of_its_own(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode("He has 407 pens, 12 cards and 9.", add_special_tokens=False).tokens
    assert [t for t in tokens if re.search(r"\d", t)] == ["Ġ4", "0", "7", "Ġ1", "2", "Ġ9"]
    assert not [t for t in tokenizer.get_vocab() if len(re.findall(r"\d", t)) > 1]


def test_the_stop_sequence_has_the_same_ids_wherever_it_stands(tokenizer: Tokenizer) -> None:
    stop = tokenizer.encode(STOP_SEQUENCE, add_special_tokens=False).ids
    assert len(stop) == 3 and stop[0] == stop[2]
    for sample in islice(training_stream(4), 60):
        if sample.subset == "MBXP":
            assert encode_answer(tokenizer, sample.answer)[-4:] == [*stop, EOS_ID]


def test_a_prompt_begins_with_bos_twice(tokenizer: Tokenizer) -> None:
    for sample in islice(training_stream(4), 9):
        assert encode_prompt(tokenizer, sample.prompt)[:3].count(BOS_ID) == 2


def test_any_text_can_be_encoded(tokenizer: Tokenizer) -> None:
    text = "Grüße, 世界 🙂 `x`\t\n\n  end"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_transformers_gives_the_same_ids(tokenizer: Tokenizer, folder: Path) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert (theirs.bos_token_id, theirs.eos_token_id) == (BOS_ID, EOS_ID)
    for sample in islice(training_stream(4), 12):
        assert theirs(sample.prompt).input_ids == encode_prompt(tokenizer, sample.prompt)
        answer = encode_answer(tokenizer, sample.answer)
        assert theirs.decode(answer, skip_special_tokens=True) == sample.answer
