"""`assay dataset`: inspects a dataset in the official schema, converts its format, or builds one."""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground import paths

if TYPE_CHECKING:
    from assay.mlperf.data.dataset import Dataset, Schema
    from assay.mlperf.data.sample import Sample
    from assay.mlperf.workloads.datasets.building import Builder
    from assay.mlperf.workloads.workload import Workload

HELP = "inspect, convert or build a dataset in the official schema"
SOURCES = {
    "texts": "texts of one kind: article and highlights (llama3.1-8b, gptj), or question, system_prompt and "
    "response (llama2-70b)",
    "gsm8k": "mixtral-8x7b: JSON lines with question, answer",
    "mbxp": "mixtral-8x7b: folder of MBXP's JSON lines",
    "instruct": "mixtral-8x7b: JSON lines with id, system_prompt, question, response",
}
"""Source files for building a dataset. Each workload says which it needs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="inspect|convert|build")
    inspect = actions.add_parser("inspect", help="check every row; counts, lengths, checksum")
    inspect.add_argument(
        "file", type=paths.source, help=".pkl, .parquet, .jsonl or .json; a pickle is read without running it"
    )
    inspect.add_argument("--workload", help="workload with the schema (default: mixtral-8x7b)")
    convert = actions.add_parser("convert", help="the same rows in another format")
    convert.add_argument("source", type=paths.source)
    convert.add_argument("target", type=Path, help="its suffix is the format: .pkl, .parquet, .jsonl, .json")
    convert.add_argument("--workload", help="workload with the schema (default: mixtral-8x7b)")
    build = actions.add_parser(
        "build",
        help="a set in a workload's schema from files of your own",
        description="Order and prompt shapes are the official ones as far as they are public. The rows are those "
        "of your files, so the set is not the official one. Reference answers are the canonical ones.",
    )
    build.add_argument("--workload", help="workload with the schema and prompts (default: mixtral-8x7b)")
    for name, help_ in SOURCES.items():
        build.add_argument(f"--{name}", type=paths.source, help=help_)
    build.add_argument(
        "--tokenizer", type=paths.source, required=True, help="folder of the checkpoint to be run"
    )
    build.add_argument(
        "--samples", type=int, required=True, help="rows in all (of mixtral-8x7b a third of each kind)"
    )
    build.add_argument(
        "--seed", type=int, default=0, help="seed of the choice of rows (default: %(default)s)"
    )
    build.add_argument("--out", type=Path, required=True, help="file to write: .pkl, .parquet, .jsonl, .json")
    build.add_argument(
        "--only-passing", action="store_true", help="take only MBXP rows whose canonical solution passes"
    )


def run(args: argparse.Namespace) -> int:
    actions = {"inspect": _inspect, "convert": _convert, "build": _build}
    return actions[args.action](args)


def _inspect(args: argparse.Namespace) -> int:
    import json

    from assay.mlperf import workloads
    from assay.mlperf.data import dataset, dataset_file
    from assay.mlperf.workloads import likeness

    columns = dataset_file.read_columns(args.file)
    facts = workloads.by_schema(
        args.workload,
        lambda schema: describe(dataset.of_columns(columns, args.file, schema), schema),
        lambda workload, facts: not likeness.unlike(workload, facts.rows),
    )
    if args.json:
        say_json(json.dumps(dataclasses.asdict(facts)))
    else:
        say(text(facts))
    return 0


def _convert(args: argparse.Namespace) -> int:
    import json

    from assay.ground.files import sha256
    from assay.mlperf import workloads
    from assay.mlperf.data.dataset_file import read_columns, write_columns
    from assay.mlperf.workloads import likeness

    columns = read_columns(args.source)
    rows = len(
        workloads.by_schema(
            args.workload,
            lambda each: each.samples(columns, str(args.source)),
            lambda workload, samples: not likeness.unlike(workload, len(samples)),
        )
    )
    write_columns(args.target, columns)
    digest = sha256(args.target)
    if args.json:
        say_json(json.dumps({"file": str(args.target), "rows": rows, "sha256": digest}))
    else:
        say(f"{args.target}: {rows} rows, sha256 {digest}")
    return 0


def _build(args: argparse.Namespace) -> int:
    import json

    from assay.cli.progress import ProgressLine
    from assay.ground.errors import ConfigError
    from assay.mlperf.data import dataset, dataset_file, tokenizer
    from assay.mlperf.scoring.programs.grader import Grade
    from assay.mlperf.sut.progress import Progress
    from assay.mlperf.workloads.datasets.building import Order

    workload = _workload(args.workload)
    builder = _builder(workload, args)
    if args.samples < 1:
        raise ConfigError(f"--samples {args.samples}: at least one row must be built", "--samples 30")
    dataset_file.format_of(args.out)
    with ProgressLine() as line:
        grade = Grade(progress=lambda done, total: line.show(Progress("canonical solutions", done, total)))
        order = Order(
            {name: getattr(args, name) for name in builder.sources},
            tokenizer.load(args.tokenizer),
            args.samples,
            args.seed,
            grade if args.only_passing else None,
        )
        columns = builder.build(order)
    dataset_file.write_columns(args.out, columns)
    facts = describe(dataset.load(args.out, workload.schema), workload.schema)
    if args.json:
        say_json(json.dumps({**dataclasses.asdict(facts), "note": builder.note}))
    else:
        say(text(facts))
        say(builder.note)
    return 0


def _builder(workload: Workload, args: argparse.Namespace) -> Builder:
    """Raises: ConfigError for a workload without a builder, and for flags that it needs or does not know."""
    from assay.ground.errors import ConfigError

    builder = workload.builder
    if builder is None:
        raise ConfigError(f"no set can be built for {workload.name}", workload.dataset_hint)
    given = {name for name in SOURCES if getattr(args, name) is not None}
    needed = " ".join(f"--{name}" for name in builder.sources)
    if missing := [name for name in builder.sources if name not in given]:
        raise ConfigError(f"a set of {workload.name} is built from --{' and --'.join(missing)}", needed)
    if other := sorted(given - set(builder.sources)):
        raise ConfigError(f"a set of {workload.name} is not built from --{' or --'.join(other)}", needed)
    if args.only_passing and not builder.has_programs:
        raise ConfigError(f"--only-passing: {workload.name} has no programs", "leave it out")
    return builder


def _workload(name: str | None) -> Workload:
    from assay.mlperf import workloads

    return workloads.get(name) if name else workloads.USUAL


@dataclass(frozen=True)
class Spread:
    """Of lengths in tokens."""

    least: int
    mean: float
    most: int

    @classmethod
    def of(cls, lengths: Sequence[int]) -> Spread:
        return cls(min(lengths), round(sum(lengths) / len(lengths), 1), max(lengths))

    def __str__(self) -> str:
        return f"{self.least} to {self.most} (mean {self.mean})"


@dataclass(frozen=True)
class SubsetFacts:
    """The rows of one subset. The names of all fields are those of the JSON."""

    rows: int
    first: int
    """Index of its first row."""
    prompt_tokens: Spread
    reference_tokens: Spread
    double_bos: int
    """Prompts that begin with the same id twice."""


@dataclass(frozen=True)
class DatasetFacts:
    """A summary of a dataset."""

    file: str
    sha256: str
    rows: int
    subsets: dict[str, SubsetFacts]
    languages: dict[str, int]
    """Programming language -> rows."""
    warnings: list[str]


def describe(loaded: Dataset, schema: Schema) -> DatasetFacts:
    samples = loaded.samples
    subsets = {
        subset: _subset([sample for sample in samples if sample.subset == subset])
        for subset in dict.fromkeys(sample.subset for sample in samples)
    }
    languages = Counter(sample.language for sample in samples if sample.language)
    return DatasetFacts(
        loaded.source,
        loaded.sha256,
        len(samples),
        subsets,
        dict(sorted(languages.items())),
        schema.warnings(samples),
    )


def _subset(samples: Sequence[Sample]) -> SubsetFacts:
    return SubsetFacts(
        len(samples),
        samples[0].index,
        Spread.of([len(sample.prompt_ids) for sample in samples]),
        Spread.of([len(sample.reference_ids) for sample in samples]),
        sum(map(_has_double_bos, samples)),
    )


def _has_double_bos(sample: Sample) -> bool:
    return len(sample.prompt_ids) > 1 and sample.prompt_ids[0] == sample.prompt_ids[1]


def text(facts: DatasetFacts) -> str:
    """The summary as text for a terminal."""
    lines = [facts.file, f"  sha256     {facts.sha256}", f"  rows       {facts.rows}"]
    lines += [
        f"  {name:<10} {subset.rows} rows from row {subset.first}; prompt tokens {subset.prompt_tokens}, "
        f"reference tokens {subset.reference_tokens}; BOS twice in {subset.double_bos}"
        for name, subset in facts.subsets.items()
    ]
    if facts.languages:
        listed = ", ".join(f"{name} {count}" for name, count in facts.languages.items())
        lines.append(f"  languages  {listed}")
    lines += [f"  warning    {warning}" for warning in facts.warnings]
    return "\n".join(lines)
