"""Hand-written rows in the official schema, and a word-level tokenizer for them: a whole job without downloads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from assay.mlperf.data import dataset
from assay.mlperf.data.dataset_file import write_columns

STOP = "\n```\n"
PROGRAM = "def double(x):\n    return 2 * x"
CHECK = "\ndef check(candidate):\n    assert candidate(4) == 8\n"
ROWS = (
    ("GSM8K", "train.1", "Ann has 2 pens and buys 3 . How many ?", "2 + 3 = 5 . The answer is 5", "5"),
    ("GSM8K", "train.2", "Bob had 9 figs and ate 4 . How many ?", "9 - 4 = 5 . The answer is 5", "5"),
    ("OpenOrca", "flan.1", "Name the sky 's colour .", "The sky is blue .", "The sky is blue ."),
    ("OpenOrca", "flan.2", "Say a sentence .", "A cat sat on the mat .", "A cat sat on the mat ."),
    ("MBXP", "python_double", "Double a number .", PROGRAM + STOP, CHECK),
)


def tokenizer(folder: Path) -> Path:
    """A byte-level tokenizer without merges: every text comes back as it was."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2} | {letter: 3 + i for i, letter in enumerate(alphabet)}
    made = Tokenizer(models.BPE(vocab, merges=[], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<unk>", "<s>", "</s>"])
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))
    (folder / "config.json").write_text(json.dumps({"eos_token_id": 2, "vocab_size": len(vocab)}))
    return folder


def encode(folder: Path, text: str) -> list[int]:
    from tokenizers import Tokenizer

    ids: list[int] = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids
    return ids


def write_many(path: Path, tokenizer_folder: Path, count: int) -> Path:
    """So many rows of the first four, under names of their own."""
    write(path, tokenizer_folder)
    few = [json.loads(line) for line in path.read_text().splitlines()][:4]
    rows = [{**few[number % 4], "id": f"{few[number % 4]['id']}.{number}"} for number in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write(path: Path, tokenizer_folder: Path, answers: dict[str, str] | None = None) -> Path:
    """The rows as a dataset file; `answers` replaces reference answers by row id, to plant wrong ones."""
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    rows: list[dict[str, Any]] = []
    for subset, name, question, answer, truth in ROWS:
        given = (answers or {}).get(name, answer)
        prompt_ids = words.encode(f"[INST] {question} [/INST]").ids
        given_ids = words.encode(given).ids
        stop = STOP if subset == "MBXP" else "</s>"
        rows.append(
            {
                "dataset": subset,
                "id": name,
                "question": question,
                "input": f"<s>[INST] {question} [/INST]",
                "ref_output": given,
                "gt_output": truth,
                "tok_input": [1, *prompt_ids],
                "tok_ref_output": given_ids,
                "stop_sequence": stop,
                "tok_stop_sequence": words.encode(stop).ids,
                "tok_input_len": 1 + len(prompt_ids),
                "tok_ref_output_len": len(given_ids),
            }
        )
    write_columns(path, dataset.columns_of(rows))
    return path
