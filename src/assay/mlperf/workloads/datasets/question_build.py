"""A set of questions in the schema of a reasoning workload, from a file of one's own."""

from __future__ import annotations

import random
from collections.abc import Mapping

from assay.ground.errors import ConfigError
from assay.mlperf.data import dataset_cells as cells
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.dataset_file import read_columns
from assay.mlperf.workloads.datasets.building import Builder, Order

NOTE = "official schema; questions, prompts and answers are yours: not the official set"


def builder(
    truth: str, prompt_ids: str, kind: str, prompt: str = "text_input", *, has_two_sets: bool = False
) -> Builder:
    """The arguments name columns: of the right answer, of the prompt's ids, of the row's kind, of the prompt's text.

    The texts have those of answer and kind, and `question`. Their `answer`, if any, is what `--sut echo` says. With two
    sets texts that have neither column make the one of performance runs.
    """
    return Builder(
        ("texts",), lambda order: _build(order, truth, prompt_ids, kind, prompt, has_two_sets), NOTE
    )


def _build(order: Order, truth: str, prompt_ids: str, kind: str, prompt: str, has_two_sets: bool) -> Columns:
    path = order.sources["texts"]
    texts = read_columns(path)
    judged = () if has_two_sets and not {truth, kind} & texts.keys() else (truth, kind)
    count = cells.require(texts, ("question", *judged), str(path), "one JSON object a line")
    if order.samples > count:
        raise ConfigError(
            f"{order.samples} rows were asked for, {path} holds {count}",
            "ask for fewer --samples, or give a larger file",
        )
    chosen = random.Random(order.seed).sample(range(count), order.samples)
    questions = list(cells.column(texts, "question", count, str(path), cells.text))
    answers = list(cells.column(texts, "answer", count, str(path), cells.number_or_text))
    made: Mapping[str, list[object]] = {
        prompt: [questions[row] for row in chosen],
        prompt_ids: [order.tokenizer.encode_prompt(questions[row]) for row in chosen],
        **{name: [cells.number_or_text(texts[name][row]) for row in chosen] for name in judged},
        "tok_ref_output": [order.tokenizer.encode(answers[row]) for row in chosen],
    }
    return dict(made)
