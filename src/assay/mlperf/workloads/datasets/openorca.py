"""The rows of llama2-70b: questions of OpenOrca with the answers of GPT-4.

Source of the schema: processorca.py of the llama2-70b reference, the validation pickle of 24,576 rows.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from assay.ground.errors import ConfigError
from assay.mlperf.data import dataset
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.dataset_file import read_columns
from assay.mlperf.data.sample import Sample
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.workloads.datasets.building import Builder, Order

HINT = "`assay dataset build --workload llama2-70b-99` makes a set in this schema"
TEXTS = ("question", "system_prompt", "response")
TOKENS_MAX = 1024
"""Longer prompts and answers are left out, as processorca.py does."""
BLANK = 29871
"""Every official prompt ends in it: Llama 2 would answer it first. Source: processorca.py."""


def _samples(columns: Columns, where: str) -> list[Sample]:
    return _read(columns, where, ("input", "output", "tok_input"))


def _scored(columns: Columns, where: str) -> list[Sample]:
    return _read({name: columns[name] for name in ("output",) if name in columns}, where, ("output",))


def _read(columns: Columns, where: str, needed: Sequence[str]) -> list[Sample]:
    count = cells.require(columns, needed, where, HINT)
    is_run = "tok_input" in needed
    rows = zip(
        cells.column(columns, "origin", count, where, cells.text_or_empty),
        cells.column(columns, "input", count, where, cells.text if is_run else cells.text_or_empty),
        cells.column(columns, "output", count, where, cells.text),
        cells.column(
            columns, "tok_input", count, where, cells.prompt_ids if is_run else cells.token_ids_or_none
        ),
        cells.column(columns, "tok_output", count, where, cells.token_ids_or_none),
        strict=True,
    )
    return [
        Sample(
            index=index,
            id=f"{origin or 'row'}.{index}",
            subset=origin,
            prompt=prompt,
            prompt_ids=ids,
            truth=truth,
            reference_ids=answer_ids,
            stop_ids=(),
        )
        for index, (origin, prompt, truth, ids, answer_ids) in enumerate(rows)
    ]


def _build(order: Order) -> Columns:
    path = order.sources["texts"]
    texts = read_columns(path)
    count = cells.require(texts, TEXTS, str(path), f"give {', '.join(TEXTS)} of each text")
    columns = [cells.column(texts, name, count, str(path), cells.text) for name in TEXTS]
    asked = list(zip(*columns, strict=True))
    random.Random(order.seed).shuffle(asked)
    made = (_row(number, texts, order.tokenizer) for number, texts in enumerate(asked))
    rows = [row for row in made if _fits(row)]
    if len(rows) < order.samples:
        raise ConfigError(
            f"{order.samples} rows were asked for, {path} holds {len(rows)} usable ones",
            "ask for fewer --samples, or give a larger file",
        )
    return dataset.columns_of(rows[: order.samples])


def _fits(row: dict[str, object]) -> bool:
    lengths = (row["tok_input_length"], row["tok_output_length"])
    return all(isinstance(length, int) and length < TOKENS_MAX for length in lengths)


def _row(number: int, texts: tuple[str, ...], tokenizer: Tokenizer) -> dict[str, object]:
    question, system, response = (text.strip() for text in texts)
    system_part = f"<<SYS>>\n{system}\n<</SYS>>\n\n" if system else ""
    prompt = f"{tokenizer.bos}[INST] {system_part}{question} [/INST]"
    prompt_ids = [*tokenizer.encode_prompt(prompt), *_blank(tokenizer)]
    answer_ids = tokenizer.encode(response)
    return {
        "id": f"own.{number}",
        "system_prompt": system,
        "question": question,
        "output": response,
        "input": prompt,
        "tok_input": prompt_ids,
        "tok_output": answer_ids,
        "tok_input_length": len(prompt_ids),
        "tok_output_length": len(answer_ids),
        "origin": "own",
    }


def _blank(tokenizer: Tokenizer) -> list[int]:
    """BLANK, where it is a blank in this vocabulary."""
    is_blank = tokenizer.vocab_size > BLANK and not tokenizer.decode([[BLANK]])[0].strip()
    return [BLANK] if is_blank else []


SCHEMA = Schema(_samples, _scored)
BUILDER = Builder(
    ("texts",), _build, "official schema and prompt shape; the texts are yours: not the official set"
)
