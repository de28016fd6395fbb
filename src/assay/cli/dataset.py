"""`assay dataset`: look into a dataset of the official schema, change its format, or build one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground import paths

if TYPE_CHECKING:
    from assay.mlperf.dataset import Dataset, Schema
    from assay.mlperf.sample import Sample
    from assay.mlperf.workload import Workload

HELP = "inspect, convert or build a dataset in the official schema"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="inspect|convert|build")
    inspect = actions.add_parser("inspect", help="check every row; counts, lengths, checksum")
    inspect.add_argument(
        "file", type=paths.source, help=".pkl, .parquet or .jsonl; a pickle is read without running it"
    )
    inspect.add_argument("--workload", help="whose schema (default: mixtral-8x7b)")
    inspect.add_argument("--json", action="store_true", help="print one JSON object")
    convert = actions.add_parser("convert", help="the same rows in another format")
    convert.add_argument("source", type=paths.source)
    convert.add_argument("target", type=Path, help="its suffix is the format: .pkl, .parquet, .jsonl")
    convert.add_argument("--workload", help="whose schema (default: mixtral-8x7b)")
    build = actions.add_parser(
        "build",
        help="an official-schema set from GSM8K, MBXP and instruction files",
        description="Order and prompt shapes are the official ones as far as they are public; the wording is "
        "our own, so the set is not equal to the official one. Reference answers are the canonical ones.",
    )
    build.add_argument("--gsm8k", type=paths.source, required=True, help="JSON lines with question, answer")
    build.add_argument("--mbxp", type=paths.source, required=True, help="folder of MBXP's JSON lines")
    build.add_argument(
        "--instruct",
        type=paths.source,
        required=True,
        help="JSON lines with id, system_prompt, question, response",
    )
    build.add_argument(
        "--tokenizer", type=paths.source, required=True, help="folder of the checkpoint to be run"
    )
    build.add_argument("--samples", type=int, required=True, help="rows in all, a third of each kind")
    build.add_argument("--seed", type=int, default=0, help="of the choice of rows (default: %(default)s)")
    build.add_argument("--out", type=Path, required=True, help="file to write: .pkl, .parquet, .jsonl")
    build.add_argument(
        "--only-passing", action="store_true", help="take only MBXP rows whose canonical solution passes"
    )


def run(args: argparse.Namespace) -> int:
    actions = {"inspect": _inspect, "convert": _convert, "build": _build}
    return actions[args.action](args)


def _inspect(args: argparse.Namespace) -> int:
    import json

    from assay.mlperf import dataset

    schema = _workload(args.workload).schema
    facts = describe(dataset.load(args.file, schema), schema)
    if args.json:
        say_json(json.dumps(facts))
    else:
        say(text(facts))
    return 0


def _convert(args: argparse.Namespace) -> int:
    from assay.ground.files import sha256
    from assay.mlperf import dataset

    rows = dataset.convert(args.source, args.target, _workload(args.workload).schema)
    say(f"{args.target}: {rows} rows, sha256 {sha256(args.target)}")
    return 0


def _build(args: argparse.Namespace) -> int:
    from assay.cli.progress import ProgressLine
    from assay.ground.errors import ConfigError
    from assay.mlperf import dataset, dataset_file, tokenizer
    from assay.mlperf.progress import Progress
    from assay.mlperf.scoring.grader import Grade
    from assay.mlperf.workloads import mixtral_build
    from assay.mlperf.workloads.mixtral_rows import SCHEMA

    if args.samples < 1:
        raise ConfigError(f"--samples {args.samples}: at least one row must be built", "--samples 30")
    dataset_file.format_of(args.out)
    line = ProgressLine()
    grade = Grade(progress=lambda done, total: line.show(Progress("canonical solutions", done, total)))
    columns = mixtral_build.build(
        mixtral_build.Sources(args.gsm8k, args.mbxp, args.instruct),
        tokenizer.load(args.tokenizer),
        args.samples,
        args.seed,
        grade if args.only_passing else None,
    )
    line.close()
    dataset_file.write_columns(args.out, columns)
    say(text(describe(dataset.load(args.out, SCHEMA), SCHEMA)))
    say("official schema, order and prompt shapes; the wording is our own: not the official set")
    return 0


def _workload(name: str | None) -> Workload:
    from assay.mlperf import workloads

    return workloads.get(name) if name else workloads.USUAL


def describe(loaded: Dataset, schema: Schema) -> dict[str, object]:
    """What a dataset holds, as plain JSON values."""
    from collections import Counter

    samples = loaded.samples
    subsets = {}
    for subset in dict.fromkeys(sample.subset for sample in samples):
        some = [sample for sample in samples if sample.subset == subset]
        subsets[subset] = {
            "rows": len(some),
            "first": some[0].index,
            "prompt_tokens": _spread([len(sample.prompt_ids) for sample in some]),
            "reference_tokens": _spread([len(sample.reference_ids) for sample in some]),
            "double_bos": sum(_has_double_bos(sample) for sample in some),
        }
    languages = Counter(sample.language for sample in samples if sample.language)
    return {
        "file": loaded.source,
        "sha256": loaded.sha256,
        "rows": len(samples),
        "subsets": subsets,
        "languages": dict(sorted(languages.items())),
        "warnings": schema.warnings(samples),
    }


def _has_double_bos(sample: Sample) -> bool:
    return len(sample.prompt_ids) > 1 and sample.prompt_ids[0] == sample.prompt_ids[1]


def _spread(lengths: Sequence[int]) -> dict[str, float]:
    return {"least": min(lengths), "mean": round(sum(lengths) / len(lengths), 1), "most": max(lengths)}


def text(facts: dict[str, object]) -> str:
    """`describe` for a terminal."""
    lines = [f"{facts['file']}", f"  sha256     {facts['sha256']}", f"  rows       {facts['rows']}"]
    subsets = facts["subsets"]
    assert isinstance(subsets, dict)
    for name, subset in subsets.items():
        prompt, reference = subset["prompt_tokens"], subset["reference_tokens"]
        lines.append(
            f"  {name:<10} {subset['rows']} rows from row {subset['first']}; prompt tokens {prompt['least']} to "
            f"{prompt['most']} (mean {prompt['mean']}), reference tokens {reference['least']} to "
            f"{reference['most']} (mean {reference['mean']}); BOS twice in {subset['double_bos']}"
        )
    languages = facts["languages"]
    assert isinstance(languages, dict)
    if languages:
        lines.append("  languages  " + ", ".join(f"{name} {count}" for name, count in languages.items()))
    warnings = facts["warnings"]
    assert isinstance(warnings, list)
    lines += [f"  warning    {warning}" for warning in warnings]
    return "\n".join(lines)
