"""`assay score`: computes the accuracy of a run from its log, dataset and tokenizer, without the official script."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.answers import scenario
from assay.cli.terminal import say, say_json, tell
from assay.ground import paths
from assay.ground.errors import ConfigError

if TYPE_CHECKING:
    from assay.mlperf.rounds.target import Score

HELP = "score the answers of a run folder, or of an mlperf_log_accuracy.json: the metrics of its workload"
UNGRADED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        type=paths.source,
        help="run folder: its record names log, dataset and tokenizer",
    )
    parser.add_argument(
        "--scenario", type=scenario, help="of RUN: scenario of the accuracy run (default: the first)"
    )
    parser.add_argument(
        "--log",
        type=paths.source,
        help="without RUN: mlperf_log_accuracy.json, with --dataset and --tokenizer",
    )
    parser.add_argument(
        "--dataset", type=paths.source, help="the dataset that was run: .pkl, .parquet, .jsonl, .json"
    )
    parser.add_argument("--tokenizer", type=paths.source, help="folder of the checkpoint that was run")
    parser.add_argument("--workload", help="workload of the dataset and metrics (default: mixtral-8x7b)")
    parser.add_argument(
        "--dtype",
        default="int32",
        choices=("int32", "int64", "float"),
        help="type of the logged ids (default: %(default)s, as Assay logs them; the official script's is int64)",
    )
    parser.add_argument(
        "--lcb-tests",
        type=paths.source,
        metavar="FILE",
        help="tests of LiveCodeBench: test.jsonl of code_generation_lite, or a folder with its test*.jsonl",
    )
    parser.add_argument(
        "--workers",
        type=_workers,
        metavar="N|ray",
        help="programs at the same time (default: one per core), or ray: on all machines of a Ray cluster",
    )
    parser.add_argument(
        "--ray-address",
        metavar="HOST:PORT",
        help="with --workers ray: auto, or the head of the cluster (default: a cluster of only this machine)",
    )
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run model-written programs as you, without a sandbox; recorded in the result",
    )
    parser.add_argument("--accuracy-txt", type=Path, help="also write the text that submission checkers read")


def _workers(text: str) -> int | str:
    """The number of workers, or `ray` for a cluster. Raises: ConfigError."""
    from assay.suts.ray import KIND

    word = text.strip().lower()
    if word == KIND.name:
        return word
    if not word.isdecimal():
        raise ConfigError(
            f"{text[:40]!r} is not a value of --workers", f"a whole number from 1 on, or {KIND.name}"
        )
    return int(word)


def run(args: argparse.Namespace) -> int:
    import json

    from assay.bench import library
    from assay.cli.progress import ProgressLine
    from assay.ground import files
    from assay.mlperf.record.run_folder import RunFolder
    from assay.mlperf.scoring import rouge
    from assay.mlperf.scoring.programs.grader import Grade
    from assay.mlperf.scoring.rouge import TextComparison
    from assay.mlperf.scoring.score import accuracy_text
    from assay.mlperf.sut.progress import Progress

    _refuse_unclear(args)
    is_on_ray = isinstance(args.workers, str)
    if args.ray_address is not None and not is_on_ray:
        raise ConfigError("--ray-address is for --workers ray", "--workers ray, or leave it out")
    with ProgressLine() as line:
        grade = Grade(
            None if is_on_ray else args.workers,
            args.unsafe_no_sandbox,
            lambda done, total: line.show(Progress("grading", done, total)),
            args.lcb_tests,
        )
        f_measures: TextComparison = rouge.f_measures
        if is_on_ray:
            from assay.bench.ray_grading import on_ray

            grade = on_cluster = on_ray(grade, args.ray_address)
            f_measures = on_cluster.f_measures
        if args.run is not None:
            from assay.report.answers import AnswerFilter

            wanted = AnswerFilter(args.scenario, dataset=args.dataset, tokenizer=args.tokenizer)
            made = library.score_run(RunFolder(args.run), wanted, args.dtype, grade, f_measures)
        else:
            made = library.score_log(
                args.log, args.dataset, args.tokenizer, args.workload, args.dtype, grade, f_measures
            )
    for warning in made.warnings:
        tell(f"assay: {warning}")
    if args.accuracy_txt is not None:
        files.write_text(args.accuracy_txt, accuracy_text(made.official))
    if args.json:
        say_json(json.dumps(to_dict(made.scores, made.official)))
    else:
        say(text(made.scores))
    return UNGRADED if any(each.ungraded for each in made.scores) else 0


def _refuse_unclear(args: argparse.Namespace) -> None:
    """Raises: ConfigError unless either a run folder is named or all three files."""
    if args.run is not None:
        for flag, value in (("--log", args.log), ("--workload", args.workload)):
            if value is not None:
                raise ConfigError(f"{flag} is for a log without a run folder", f"leave out {flag}, or RUN")
        return
    files = {"--log": args.log, "--dataset": args.dataset, "--tokenizer": args.tokenizer}
    if lacking := [flag for flag, value in files.items() if value is None]:
        raise ConfigError(
            f"{', '.join(lacking)} must be given where no run folder is named", "assay score RUN"
        )
    if args.scenario is not None:
        raise ConfigError("--scenario is for a run folder", "leave it out, or name RUN")


def text(scores: Sequence[Score]) -> str:
    """One line for each metric. The languages of MBXP follow it."""
    lines = []
    for each in scores:
        if each.value is None:
            lines.append(f"  {each.metric:<18} not measured: {each.reason}")
        else:
            spread = each.reason and f"  {each.reason}"
            if each.interval is not None:
                spread = f"  95 %: {each.interval[0]:.2f} to {each.interval[1]:.2f}"
            lines.append(f"  {each.metric:<18} {each.value:>9.4f} {each.unit:<14} n = {each.n}{spread}")
        lines += [f"    {line}" for line in _details(each.details)]
    return "\n".join(lines)


def _details(details: Mapping[str, object]) -> list[str]:
    lines = []
    for name, value in details.items():
        if name == "sandbox" and isinstance(value, Mapping):
            lines.append(f"sandbox: {value['kind']}" + ("" if value["safe"] else " (UNSAFE: none was used)"))
        elif isinstance(value, Mapping):
            lines.append(f"{name}: " + ", ".join(f"{count} {what}" for what, count in value.items()))
        elif name == "duplicates" and value:
            lines.append(f"{value} answers are of samples logged before: the first answer counts")
    answered, samples = details.get("answered"), details.get("samples")
    if answered != samples:
        lines.append(f"PARTIAL: the log answers {answered:,} of the dataset's {samples:,} samples")
    return lines


def to_dict(scores: Sequence[Score], official: Mapping[str, float]) -> dict[str, object]:
    """Every score in full, and what the official evaluator prints of them, by its own keys (null without a value).

    Scripts read both values by their names at the top, as they stood before `official` did.
    """
    import dataclasses
    import math

    whole = [dataclasses.asdict(each) for each in scores]
    for each in whole:
        each["reason_by_sample"] = each.pop("why")
    printed = {name: None if math.isnan(value) else value for name, value in official.items()}
    values = {each.metric: each.value for each in scores}
    return {**printed, **values, "scores": whole, "official": printed}
