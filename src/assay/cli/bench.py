"""`assay bench`: run a benchmark and show what came of it."""

from __future__ import annotations

import argparse
import json
import sys

from assay.cli.progress import ProgressLine
from assay.config import BenchmarkConfig, Style
from assay.doors import native

HELP = "Run LoadGen against a system under test, score the answers, and write a run folder with a report."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    native.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print result.json as the last line of stdout")
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run generated programs without a sandbox; recorded in the result",
    )


def run(args: argparse.Namespace) -> int:
    config = native.from_args(args)
    line = ProgressLine()
    line.say(asked(config))

    from assay import app
    from assay.report import summary

    watch = app.Watch(line.say, line.show)
    made, folder = app.run(config, watch, unsafe_no_sandbox=args.unsafe_no_sandbox)
    line.close()
    if args.json:
        sys.stdout.write(json.dumps(made.to_dict()) + "\n")
    else:
        print(summary.render(made))
        print(f"  report   {folder / 'README.md'}")
    is_refused = config.style is Style.VALID and any(run.validity == "INVALID" for run in made.runs)
    return 1 if is_refused else 0


def asked(config: BenchmarkConfig) -> str:
    """Every setting with its value and where that came from."""
    rows = [("workload", config.workload, config.origin.get("workload", ""))]
    for field in native.FIELDS:
        value = native.value_text(config, field.name)
        if value is not None:
            rows.append((field.name, value, config.origin.get(field.name, "")))
    wide = max(len(name) for name, _, _ in rows)
    return "\n".join(["asked:", *(f"  {name:<{wide}}  {value}  ({origin})" for name, value, origin in rows)])
