"""`assay bench`: run a benchmark and show what came of it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from typing import TYPE_CHECKING

from assay.cli import terminal
from assay.cli.progress import ProgressLine
from assay.cli.terminal import say, say_json
from assay.config import BenchmarkConfig, Style
from assay.doors import native
from assay.ground.errors import ConfigError
from assay.ground.printable import one_line
from assay.ground.redact import addresses
from assay.mlperf import workloads
from assay.mlperf.checker.finding import Severity

if TYPE_CHECKING:
    from assay.mlperf.checker.check import Report
    from assay.mlperf.result import RunResult
    from assay.report.outcome import Outcome

FAKE_SUT = "echo"
"""The SUT that computes nothing"""
HELP = "Run LoadGen against a system under test, score the answers, and write a run folder with a report."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    native.add_arguments(parser)
    parser.add_argument(
        "--yes", action="store_true", help="fetch what is missing (model, dataset) without asking"
    )
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
    parser.add_argument(
        "--gate",
        action="store_true",
        help="exit 1 for a missed target or an INVALID run, in any style (default: shown only)",
    )
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
    by_default = config.workload == BenchmarkConfig.workload and not is_barred
    wants_tree = args.submit if args.submit is not None else by_default
    line = ProgressLine()
    line.say(asked(config))

    from assay.bench import app
    from assay.report import outcome, summary

    config = with_everything(config, args.yes, line)
    if wants_tree:
        app.refuse_other_weights(config)
    watch = app.Watch(line.say, line.show)
    if args.container or args.container_base or args.container_privileged:
        from assay.bench import contained
        from assay.config import ContainerRequest

        request = ContainerRequest(args.container, args.container_base, args.container_privileged)
        made, folder = contained.run(config, request, watch, unsafe_no_sandbox=args.unsafe_no_sandbox)
    else:
        made, folder = app.run(config, watch, unsafe_no_sandbox=args.unsafe_no_sandbox)
    line.close()
    tree, report = app.submit(made, folder, config, args.allow_fake) if wants_tree else (None, None)
    came_to = outcome.of(made)
    is_refused = config.style is Style.VALID and is_refused_by(came_to, report, made)
    code = int(is_refused or (args.gate and not came_to.is_good))
    if args.json:
        checked = {"tree": str(tree), **report.to_dict()["summary"]} if report else None
        extra = {"folder": str(folder), "submission": checked, "outcome": dataclasses.asdict(came_to)}
        say_json(json.dumps({**made.to_dict(), **extra}))
        return code
    width = terminal.width(summary.WIDTH)
    say(summary.render(made, width))
    rows = [("report", str(folder / "README.md"))]
    if report:
        rows += [("tree", str(tree)), ("", standing(report, made))]
        rows += [("", f"every finding: assay check {tree} --round {made.round}")]
    elif is_barred:
        rows.append(("tree", "none: a fake run is put into one with --submit --allow-fake only"))
    shown_only = "" if code or came_to.is_good else "; shown only: with --gate the exit code is 1"
    for label, text in [*rows, ("result", f"{came_to}{shown_only}")]:
        # A command is there to be copied: it stays in one line.
        is_command = text.startswith("every finding: ")
        say("\n".join(summary.labelled(label, text, len(text) + width if is_command else width)))
    return code


def with_everything(config: BenchmarkConfig, assume_yes: bool, line: ProgressLine) -> BenchmarkConfig:
    """`config` with its model and dataset here, fetched when the user agrees. Raises: AssayError before and after."""
    from assay.bench import fetching
    from assay.cli import consent
    from assay.doors.hub_settings import hub_of

    hub = hub_of(os.environ)
    fetching.job(config)
    config = fetching.found(config, hub)
    things = fetching.sized(fetching.wanted(config), hub)
    if not things:
        return config
    fetching.refuse_without_room(config, things)
    consent.ask(things, assume_yes)
    return fetching.obtain(config, hub, line.say)


def is_refused_by(came_to: Outcome, report: Report | None, made: RunResult) -> bool:
    """Whether LoadGen or the checker refuses the run; nobody expects a clean tree of a demonstration."""
    return bool(came_to.invalid) or not (report is None or report.is_clean or is_demonstration(made))


def is_demonstration(made: RunResult) -> bool:
    return workloads.get(made.workload).is_embedded


def standing(report: Report, made: RunResult) -> str:
    """What the check of the tree came to, in a line."""
    from assay.report.words import counted

    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    counts = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    if not report.is_clean and is_demonstration(made):
        return (
            f"a demonstration of a tree: {made.workload} is in no round, and {counts} "
            f"by the rules of round {report.round} are expected of it"
        )
    words = {True: "a submission", False: "not a submission", None: "not judged in full"}
    return f"{words[report.is_submission]} by the rules of round {report.round}: {counts}"


def asked(config: BenchmarkConfig) -> str:
    """Every setting with its value and where that came from."""
    rows = [("workload", config.workload, config.origin.get("workload", ""))]
    for field in native.FIELDS:
        value = native.value_text(config, field.name)
        if value is not None:
            rows.append((field.name, one_line(addresses(value)), config.origin.get(field.name, "")))
    wide = max(len(name) for name, _, _ in rows)
    return "\n".join(["asked:", *(f"  {name:<{wide}}  {value}  ({origin})" for name, value, origin in rows)])
