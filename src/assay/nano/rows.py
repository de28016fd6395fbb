"""The data sets of mixtral-nano, in the schema of the official Mixtral data set.

Rows are generated, so they need no file; only the reference model's answers are stored. The default set is the
first part of each subset of the validation set, so one reference run covers both.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np

from assay.ground.errors import ArtifactError
from assay.nano.generator import distinct_samples
from assay.nano.grammar.prompt import STOP_SEQUENCE
from assay.nano.grammar.sample import SUBSETS, GeneratedSample, Split, Subset
from assay.nano.shipped import checkpoint_dir
from assay.nano.tokenizer import EOS, EOS_ID, encode_prompt, load_tokenizer

Kind = Literal["default", "validation", "calibration"]
Row = dict[str, Any]

DATASET_SEED = 1
PER_SUBSET: dict[Kind, int] = {"default": 100, "validation": 500, "calibration": 100}
"""Rows of each subset. Choices, as the seed is: with others the model's answers must be stored anew."""
ID_PREFIX: dict[Subset, str] = {"GSM8K": "problem", "OpenOrca": "instruction"}
COLUMNS = (
    "dataset",
    "id",
    "question",
    "input",
    "ref_output",
    "gt_output",
    "tok_input",
    "tok_ref_output",
    "stop_sequence",
    "tok_stop_sequence",
    "tok_input_len",
    "tok_ref_output_len",
)
"""Source: the columns of the official data frame, in its order."""


def answers_path() -> Path:
    """Where the reference model's answers are stored, as ids."""
    return Path(__file__).parent / "reference_answers.safetensors"


def samples_of(kind: Kind) -> list[GeneratedSample]:
    """The samples of a set, in row order."""
    split: Split = "calibration" if kind == "calibration" else "test"
    return [s for subset in SUBSETS for s in distinct_samples(subset, split, PER_SUBSET[kind], DATASET_SEED)]


def build_rows(kind: Kind) -> list[Row]:
    """The rows of a set with the reference answers.

    Raises:
        ArtifactError: the stored answers do not fit the rows that the grammar writes.
    """
    rows = prompt_rows(kind)
    tokenizer = load_tokenizer(checkpoint_dir())
    for row, answer in zip(rows, load_answers(kind, len(rows))):
        row["tok_ref_output"] = answer
        row["tok_ref_output_len"] = len(answer)
        row["ref_output"] = tokenizer.decode(answer)
    return [{column: row[column] for column in COLUMNS} for row in rows]


def prompt_rows(kind: Kind, tokenizer_folder: Path | None = None) -> list[Row]:
    """The rows of a set without the reference model's answers."""
    tokenizer = load_tokenizer(tokenizer_folder or checkpoint_dir())
    stop_ids = list(tokenizer.encode(STOP_SEQUENCE, add_special_tokens=False).ids)
    rows: list[Row] = []
    for index, sample in enumerate(samples_of(kind)):
        place = index % PER_SUBSET[kind]
        prompt_ids = encode_prompt(tokenizer, sample.prompt)
        is_program = sample.subset == "MBXP"
        name = (
            f"{sample.language}_{sample.entry_point}" if is_program else f"{ID_PREFIX[sample.subset]}.{place}"
        )
        rows.append(
            {
                "dataset": sample.subset,
                "id": name,
                "question": sample.question,
                "input": sample.prompt,
                "gt_output": sample.truth,
                "tok_input": prompt_ids,
                "stop_sequence": STOP_SEQUENCE if is_program else EOS,
                "tok_stop_sequence": stop_ids if is_program else [EOS_ID],
                "tok_input_len": len(prompt_ids),
            }
        )
    return rows


def load_answers(kind: Kind, num_rows: int) -> list[list[int]]:
    """The stored reference answers of a set, as ids without EOS, in row order."""
    from safetensors.numpy import load_file

    source = "calibration" if kind == "calibration" else "validation"
    stored = load_file(answers_path())
    ids, lengths = stored[f"{source}_ids"], stored[f"{source}_lengths"].astype(np.int64)
    answers = [part.tolist() for part in np.split(ids, np.cumsum(lengths)[:-1])]
    if kind == "default":
        block, part = PER_SUBSET["validation"], PER_SUBSET["default"]
        answers = [a for start in range(0, len(answers), block) for a in answers[start : start + part]]
    if len(answers) != num_rows:
        raise ArtifactError(
            f"{answers_path()} holds {len(answers)} answers for the {num_rows} rows of the {kind} set",
            hint="run `python benchmarks/nano_reference.py --write` after changing the grammar or the model",
        )
    return answers


def save_answers(answers: dict[Kind, list[list[int]]]) -> None:
    """Store the answers of the validation and calibration sets."""
    from safetensors.numpy import save_file

    tensors = {}
    for kind, each in answers.items():
        tensors[f"{kind}_ids"] = np.array([i for ids in each for i in ids], dtype=np.int16)
        tensors[f"{kind}_lengths"] = np.array([len(ids) for ids in each], dtype=np.int16)
    save_file(tensors, answers_path())


def to_jsonl(rows: list[Row]) -> str:
    """One JSON object a line, keys in column order: the form whose SHA-256 reference.json states."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def rows_sha256(rows: list[Row]) -> str:
    return hashlib.sha256(to_jsonl(rows).encode()).hexdigest()
