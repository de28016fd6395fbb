"""`assay bench`: run a benchmark and show what came of it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from assay.cli.progress import ProgressLine
from assay.cli.terminal import say, say_json
from assay.config import BenchmarkConfig, Style
from assay.doors import native
from assay.ground.errors import ConfigError
from assay.mlperf.checker.finding import Severity

if TYPE_CHECKING:
    from assay.mlperf.checker.check import Report

FAKE_SUT = "echo"
"""The SUT that computes nothing"""
HELP = "Run LoadGen against a system under test, score the answers, and write a run folder with a report."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    native.add_arguments(parser)
    parser.add_argument(
        "--submit",
        action=argparse.BooleanOptionalAction,
        help="build a submission tree and check it (default: for the embedded workload only)",
    )
    parser.add_argument(
        "--allow-fake", action="store_true", help="accept a run of a fake SUT in the tree, and mark it"
    )
    parser.add_argument(
        "--container", choices=("podman", "docker"), help="measure in a container; scored outside of it"
    )
    parser.add_argument(
        "--container-base",
        metavar="IMAGE",
        help="install into this image (default: mount what is installed here)",
    )
    parser.add_argument("--container-privileged", action="store_true", help="give the container every right")
    parser.add_argument("--json", action="store_true", help="print result.json as the last line of stdout")
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run generated programs without a sandbox; recorded in the result",
    )


def run(args: argparse.Namespace) -> int:
    config = native.from_args(args)
    is_barred = config.sut == FAKE_SUT and not args.allow_fake
    if args.submit and is_barred:
        raise ConfigError(
            f"the {FAKE_SUT} SUT is a fake: its run cannot be submitted",
            "run with a real SUT, or mark the tree with --allow-fake",
        )
    line = ProgressLine()
    line.say(asked(config))

    from assay import app
    from assay.report import summary

    watch = app.Watch(line.say, line.show)
    if args.container or args.container_base or args.container_privileged:
        from assay import contained
        from assay.doors.delivery import ContainerRequest

        request = ContainerRequest(args.container, args.container_base, args.container_privileged)
        made, folder = contained.run(config, request, watch, unsafe_no_sandbox=args.unsafe_no_sandbox)
    else:
        made, folder = app.run(config, watch, unsafe_no_sandbox=args.unsafe_no_sandbox)
    line.close()
    by_default = config.workload == BenchmarkConfig.workload and not is_barred
    wants_tree = args.submit if args.submit is not None else by_default
    tree, report = app.submit(made, folder, config, args.allow_fake) if wants_tree else (None, None)
    if args.json:
        checked = {"tree": str(tree), **report.to_dict()["summary"]} if report else None
        say_json(json.dumps({**made.to_dict(), "folder": str(folder), "submission": checked}))
    else:
        say(summary.render(made))
        say(f"  report   {folder / 'README.md'}")
        if report:
            say(f"  tree     {tree}\n           {standing(report)}")
            say(f"           every finding: assay check {tree} --round {made.round}")
        elif is_barred:
            say("  tree     none: a fake run is put into one with --submit --allow-fake only")
    is_refused = any(run.validity == "INVALID" for run in made.runs) or (report and not report.is_clean)
    return 1 if config.style is Style.VALID and is_refused else 0


def standing(report: Report) -> str:
    """What the check of the tree came to, in a line."""
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    word = "a submission" if report.is_clean else "not a submission"
    return f"{word} by the rules of round {report.round}: {errors} errors, {warnings} warnings"


def asked(config: BenchmarkConfig) -> str:
    """Every setting with its value and where that came from."""
    rows = [("workload", config.workload, config.origin.get("workload", ""))]
    for field in native.FIELDS:
        value = native.value_text(config, field.name)
        if value is not None:
            rows.append((field.name, value, config.origin.get(field.name, "")))
    wide = max(len(name) for name, _, _ in rows)
    return "\n".join(["asked:", *(f"  {name:<{wide}}  {value}  ({origin})" for name, value, origin in rows)])
