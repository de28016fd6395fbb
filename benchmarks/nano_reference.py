"""Reference scores of mixtral-nano: float32, transformers, greedy, the harness's own scorers.

python benchmarks/nano_reference.py --checkpoint FOLDER    scores of a checkpoint on 300 samples, nothing kept
python benchmarks/nano_reference.py --write                answers and reference.json of the shipped checkpoint
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from assay import nano
from assay.mlperf.data import dataset
from assay.mlperf.data import tokenizer as tokenizers
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring.log import Record
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.score import score
from assay.mlperf.workloads.datasets import mixtral_rows
from assay.mlperf.workloads.scorers.mixtral_scorers import SCORERS
from assay.nano import greedy
from assay.nano import rows as nano_rows
from assay.nano.reference import PATH, Reference

SOURCE = "benchmarks/nano_reference.py: mixtral-nano, float32, transformers, greedy"


def score_answers(
    rows: list[dict[str, Any]], answers: list[greedy.GreedyAnswer], folder: Path
) -> list[Score]:
    """The answers' scores, by the scorers that a run uses."""
    samples = mixtral_rows.SCHEMA.samples(dataset.columns_of(rows), "mixtral-nano")
    records = [Record(i, answer.ids) for i, answer in enumerate(answers)]
    return score(records, samples, tokenizers.load(folder), Grade(), SCORERS)


def as_reference(
    rows: list[dict[str, Any]], answers: list[greedy.GreedyAnswer], scores: list[Score], sha256: str
) -> dict[str, Any]:
    """The fields of a `Reference`, as plain values."""
    subsets = Counter(row["dataset"] for row in rows)
    over = {"gsm8k": subsets["GSM8K"], "mbxp": subsets["MBXP"], "tokens_per_sample": len(rows)}
    found = {s.metric: s for s in scores if s.metric in over or s.metric in ("rouge1", "rouge2", "rougeL")}
    input_lengths = [row["tok_input_len"] for row in rows]
    fields = {
        "samples": len(rows),
        "max_new_tokens": greedy.MAX_NEW_TOKENS,
        "scores": {metric: s.value for metric, s in found.items()},
        "intervals": {m: [round(x, 4) for x in s.interval] if s.interval else None for m, s in found.items()},
        "counts": {metric: over.get(metric, subsets["OpenOrca"]) for metric in found},
        "mean_input_tokens": round(sum(input_lengths) / len(rows), 2),
        "longest_input_tokens": max(input_lengths),
        "longest_output_tokens": max(len(a.ids) for a in answers),
        "stopped_percent": round(100 * sum(a.stopped for a in answers) / len(answers), 2),
        "rows_sha256": sha256,
        "source": SOURCE,
    }
    assert set(fields) == set(Reference.__dataclass_fields__)
    return fields


def write_reference(model: Any) -> None:
    """Answer the validation and calibration sets, store the answers, score them and the default part."""
    folder = nano.checkpoint_dir()
    kinds: tuple[nano_rows.Kind, ...] = ("validation", "calibration")
    answers = {kind: answer(model, nano_rows.prompt_rows(kind), kind) for kind in kinds}
    nano_rows.save_answers({kind: [a.ids for a in each] for kind, each in answers.items()})
    block, part = nano_rows.PER_SUBSET["validation"], nano_rows.PER_SUBSET["default"]
    answers["default"] = [a for i in range(3) for a in answers["validation"][i * block : i * block + part]]
    facts = {}
    for kind in nano_rows.PER_SUBSET:
        rows = nano_rows.build_rows(kind)
        scores = score_answers(rows, answers[kind], folder)
        facts[kind] = as_reference(rows, answers[kind], scores, nano_rows.rows_sha256(rows))
        show(kind, scores, answers[kind])
    PATH.write_text(json.dumps(facts, indent=2) + "\n")


def answer(model: Any, rows: list[dict[str, Any]], kind: str) -> list[greedy.GreedyAnswer]:
    start_s = time.monotonic()

    def report(done: int) -> None:
        each_s = (time.monotonic() - start_s) / done
        sys.stderr.write(f"\r{kind}: {done}/{len(rows)} answered, {each_s * (len(rows) - done):.0f} s left ")

    answers = greedy.answer_rows(model, rows, report=report)
    sys.stderr.write("\n")
    return answers


def show(kind: str, scores: list[Score], answers: list[greedy.GreedyAnswer]) -> None:
    stopped = sum(a.stopped for a in answers)
    print(f"{kind}: {stopped} of {len(answers)} answers stopped by themselves")
    for s in scores:
        print(f"  {s.metric} {s.value} (n {s.n}, {s.interval}) {s.reason} {dict(s.details)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=nano.checkpoint_dir())
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.manual_seed(0)
    model = greedy.load_model(given.checkpoint)
    if given.write:
        write_reference(model)
        return
    rows = nano_rows.prompt_rows("default", given.checkpoint)
    answers = answer(model, rows, "default")
    show("default", score_answers(rows, answers, given.checkpoint), answers)


if __name__ == "__main__":
    main()
