"""Answers of a Hugging Face model to data set rows: plain batched greedy generation, nothing of ours in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assay.nano.tokenizer import EOS_ID

MIN_NEW_TOKENS = 2
MAX_NEW_TOKENS = 256
"""More than half as much again as the longest right answer; the official limit of 1,024 would only cost time."""


@dataclass(frozen=True)
class GreedyAnswer:
    """`ids` as they would be logged: without EOS, cut after the stop sequence."""

    ids: list[int]
    stopped: bool


def load_model(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """The checkpoint as a plain `MixtralForCausalLM` in evaluation mode; nothing is fetched."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True).eval()


def answer_rows(
    model: Any,
    rows: list[dict[str, Any]],
    batch_size: int = 64,
    max_new_tokens: int = MAX_NEW_TOKENS,
    order: list[int] | None = None,
    report: Callable[[int], None] = lambda done: None,
) -> list[GreedyAnswer]:
    """One answer per row, in row order; `order` says how rows are put into batches (default: as they stand)."""
    order = list(range(len(rows))) if order is None else order
    answers: dict[int, GreedyAnswer] = {}
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        for index, ids in zip(chosen, _generate(model, [rows[i] for i in chosen], max_new_tokens)):
            answers[index] = cut(ids, rows[index]["tok_stop_sequence"])
        report(len(answers))
    return [answers[i] for i in range(len(rows))]


def cut(ids: list[int], stop: list[int]) -> GreedyAnswer:
    """What remains of generated ids: up to and with the stop sequence, or up to EOS.

    Source: the official harness's post-processing (trailing 2 and 0 stripped, MBXP cut at its stop sequence).
    """
    if EOS_ID in ids:
        ids = ids[: ids.index(EOS_ID)]
        stopped = True
    else:
        stopped = False
    for end in range(len(stop), len(ids) + 1):
        if stop != [EOS_ID] and ids[end - len(stop) : end] == stop:
            return GreedyAnswer(ids[:end], True)
    return GreedyAnswer(ids, stopped)


def _generate(model: Any, rows: list[dict[str, Any]], max_new_tokens: int) -> list[list[int]]:
    from transformers import StoppingCriteria, StoppingCriteriaList

    stops = [torch.tensor(row["tok_stop_sequence"]) for row in rows]

    class RowStops(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:
            return torch.tensor([bool((ids[-len(s) :] == s).all()) for ids, s in zip(input_ids, stops)])

    width = max(len(row["tok_input"]) for row in rows)
    padded = [[EOS_ID] * (width - len(row["tok_input"])) + row["tok_input"] for row in rows]
    mask = [[0] * (width - len(row["tok_input"])) + [1] * len(row["tok_input"]) for row in rows]
    with torch.inference_mode():
        out = model.generate(
            input_ids=torch.tensor(padded),
            attention_mask=torch.tensor(mask),
            do_sample=False,
            min_new_tokens=MIN_NEW_TOKENS,
            max_new_tokens=max_new_tokens,
            pad_token_id=EOS_ID,
            stopping_criteria=StoppingCriteriaList([RowStops()]),
        )
    return [list(map(int, ids)) for ids in out[:, width:]]
