"""The rows of CNN/DailyMail: an article, and the highlights that its editors wrote.

Source of the schema: download_cnndm.py of the llama3.1-8b and gpt-j references, which write one JSON array.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from assay.ground.errors import ConfigError
from assay.mlperf.data import dataset
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset import Schema
from assay.mlperf.data.dataset_file import read_columns
from assay.mlperf.data.sample import Sample
from assay.mlperf.workloads.datasets.building import Builder, Order

NAMES = (("article", "highlights"), ("input", "output"))
"""Columns of the texts: as Hugging Face's cnn_dailymail has them, and as the official file."""
NOTE = "official schema and prompt; the texts are yours: not the official set"


def schema(workload: str) -> Schema:
    """`tok_input` is what the model is asked. `tok_ref_output`, where there is one, is what `--sut echo` answers."""
    hint = f"`assay dataset build --workload {workload}` makes a set in this schema"

    def read(columns: Columns, where: str, *needed: str) -> list[Sample]:
        count = cells.require(columns, ("input", "output", *needed), where, hint)
        rows = zip(
            cells.column(columns, "input", count, where, cells.text),
            cells.column(columns, "output", count, where, cells.text),
            cells.column(
                columns, "tok_input", count, where, cells.prompt_ids if needed else cells.token_ids_or_none
            ),
            cells.column(columns, "tok_ref_output", count, where, cells.token_ids_or_none),
            strict=True,
        )
        return [
            Sample(
                index=index,
                id=f"cnndm.{index}",
                subset="",
                prompt=article,
                prompt_ids=prompt_ids,
                truth=highlights,
                reference_ids=answer_ids,
                stop_ids=(),
            )
            for index, (article, highlights, prompt_ids, answer_ids) in enumerate(rows)
        ]

    def samples(columns: Columns, where: str) -> list[Sample]:
        return read(columns, where, "tok_input")

    def scored(columns: Columns, where: str) -> list[Sample]:
        return read({name: columns[name] for name in ("input", "output") if name in columns}, where)

    return Schema(samples, scored)


@dataclass(frozen=True)
class ArticlePrompt:
    """The prompt that asks for the summary of an article."""

    template: str
    """`{input}` stands for the article."""
    instruction: object
    """Cell of the column `instruction`."""
    most_tokens: int
    """Longer prompts are left out, or cut at their end."""
    is_cut: bool = False


def builder(prompt: ArticlePrompt) -> Builder:
    """Reference answers are the highlights."""
    return Builder(("texts",), lambda order: _build(order, prompt), NOTE)


def _build(order: Order, prompt: ArticlePrompt) -> Columns:
    path = order.sources["texts"]
    texts = read_columns(path)
    article, highlights = next((each for each in NAMES if each[0] in texts), NAMES[0])
    count = cells.require(texts, (article, highlights), str(path), "give article and highlights of each text")
    pairs = list(
        zip(
            cells.column(texts, article, count, str(path), cells.text),
            cells.column(texts, highlights, count, str(path), cells.text),
            strict=True,
        )
    )
    random.Random(order.seed).shuffle(pairs)
    rows: list[dict[str, object]] = []
    for row in _rows(pairs, order, prompt):
        rows.append(row)
        if len(rows) == order.samples:
            return dataset.columns_of(rows)
    raise ConfigError(
        f"{order.samples} rows were asked for, {path} holds {len(rows)} usable ones",
        "ask for fewer --samples, or give a larger file",
    )


def _rows(pairs: list[tuple[str, str]], order: Order, prompt: ArticlePrompt) -> Iterator[dict[str, object]]:
    for article, highlights in pairs:
        ids = order.tokenizer.encode_prompt(prompt.template.replace("{input}", article))
        if len(ids) > prompt.most_tokens and not prompt.is_cut:
            continue
        yield {
            "instruction": prompt.instruction,
            "input": article,
            "tok_input": ids[: prompt.most_tokens],
            "output": highlights,
            "tok_ref_output": order.tokenizer.encode(highlights),
        }
