"""`assay score`: the accuracy of a run from its log, dataset and tokenizer, without the official script."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json

if TYPE_CHECKING:
    from assay.mlperf.score import Score

HELP = "score an mlperf_log_accuracy.json: ROUGE, GSM8K, MBXP, tokens per sample"
UNGRADED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", type=Path, required=True, help="mlperf_log_accuracy.json of the run")
    parser.add_argument(
        "--dataset", type=Path, required=True, help="the run's dataset: .pkl, .parquet, .jsonl"
    )
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder of the checkpoint that was run")
    parser.add_argument(
        "--dtype",
        default="int32",
        choices=("int32", "int64", "float"),
        help="type of the logged ids (default: %(default)s, as Assay logs them; the official script's is int64)",
    )
    parser.add_argument("--workers", type=int, help="MBXP programs at the same time (default: one per core)")
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run model-written programs as you, without a sandbox; recorded in the result",
    )
    parser.add_argument("--accuracy-txt", type=Path, help="also write the text that submission checkers read")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    import json

    from assay.cli.progress import ProgressLine
    from assay.ground import files
    from assay.ground.errors import ConfigError
    from assay.mlperf import dataset, tokenizer
    from assay.mlperf.progress import Progress
    from assay.mlperf.scoring import log
    from assay.mlperf.scoring.grader import Grade
    from assay.mlperf.scoring.score import accuracy_text, score

    if args.workers is not None and args.workers < 1:
        raise ConfigError(f"--workers {args.workers}: at least one program must run", "leave it out")
    words = tokenizer.load(args.tokenizer)
    records = log.read(args.log, args.dtype, words.vocab_size)
    line = ProgressLine()
    grade = Grade(
        args.workers, args.unsafe_no_sandbox, lambda done, total: line.show(Progress("MBXP", done, total))
    )
    samples = dataset.read_scored(args.dataset)
    scores = score(records, samples, words, grade)
    line.close()
    for warning in dataset.warnings(samples):
        print(f"assay: {warning}", file=sys.stderr)
