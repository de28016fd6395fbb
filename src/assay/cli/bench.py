"""`assay bench`: runs a benchmark and prints the result."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from assay import suts
from assay.cli import live, plan, terminal
from assay.cli.terminal import say, say_json
from assay.config import Request
from assay.doors import config_options, config_text, delivery_options, sut_options
from assay.doors.field import is_default
from assay.ground.count import counted
from assay.ground.printable import one_line
from assay.ground.redact import addresses
from assay.mlperf.checker.finding import Severity
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.sut.option import BETWEEN

if TYPE_CHECKING:
    from assay.bench.pipeline import FinishedBenchmark
    from assay.bench.submit import Submitted
    from assay.cli.progress import ProgressLine
    from assay.mlperf.checker.check import Report
    from assay.mlperf.record.result import RunResult

HELP = "Run LoadGen against a system under test, score the answers, and write a run folder with a report."
OF_THIS_MACHINE = ("device", "precision", "limits.batch")
"""Settings that mean nothing to a SUT elsewhere; shown of it where they were asked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    config_options.add_arguments(parser)
    delivery_options.add_arguments(parser)
    parser.add_argument(
        "--yes", action="store_true", help="fetch what is missing (model, dataset) without asking"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="as `assay plan`: say what would be done, and do nothing"
    )
    sut_options.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """The exit code: 0, or 1 when the result fails a requested rule. For a dry run, that of `assay plan`."""
    request = delivery_options.from_args(args)
    if args.dry_run:
        return plan.show(request, args.json)
    with live.view() as line:
        return _run(args, request, line)


def _run(args: argparse.Namespace, request: Request, line: live.LiveView | ProgressLine) -> int:
    from assay.bench import pipeline
    from assay.bench.running import Reporter
    from assay.cli import consent
    from assay.doors.hub_settings import hub_of
    from assay.report import summary

    def show_asked(begun: Request) -> None:
        line.say(asked(begun, terminal.manner.is_verbose))

    def show(made: RunResult) -> None:
        line.close()
        if not args.json:
            say(summary.render(made, terminal.width(summary.UNWRAPPED)))

    finished = pipeline.run(
        request,
        hub_of(os.environ),
        Reporter(line.say, line.show, show, show_asked),
        lambda things: consent.ask(things, args.yes),
    )
    line.close()
    code = int(bool(pipeline.failures(request, finished)))
    if args.json:
        say_json(json.dumps(as_json(finished)))
        return code
    width = terminal.width(summary.UNWRAPPED)
    for row in rows(request, finished, code):
        columns = len(row.text) + width if row.ends_in_command else width
        say("\n".join(summary.labelled(row.label, row.text, columns)))
    return code


def as_json(finished: FinishedBenchmark) -> dict[str, object]:
    """result.json with three more members: the folder, the check of the tree, and the outcome."""
    submitted = finished.submitted
    counts = submitted.report.to_dict()["summary"] if submitted and submitted.report else {}
    return {
        **finished.result.to_dict(),
        "folder": str(finished.folder),
        "submission": {"tree": str(submitted.tree), **counts} if submitted else None,
        "outcome": dataclasses.asdict(finished.outcome),
    }


class EndRow(NamedTuple):
    """A line below the summary."""

    label: str
    text: str
    ends_in_command: bool = False
    """It stays on one line, so that the command can be copied."""


def rows(request: Request, finished: FinishedBenchmark, code: int) -> list[EndRow]:
    made, came_to = finished.result, finished.outcome
    is_barred = delivery_options.is_barred(request.config, request.delivery.allow_fake)
    found = [EndRow("report", str(RunFolder(finished.folder).readme))]
    if finished.submitted:
        found += tree_rows(finished.submitted, made)
    elif is_barred:
        found.append(EndRow("tree", "none: a fake run is put into one with --submit --allow-fake only"))
    shown_only = "" if code or came_to.is_good else "; not a failure without --gate (with it: exit code 1)"
    return [*found, EndRow("result", f"{came_to}{shown_only}")]


def tree_rows(submitted: Submitted, made: RunResult) -> list[EndRow]:
    found = [EndRow("tree", str(submitted.tree))]
    if submitted.report:
        command = f"every finding: assay check {submitted.tree} --round {made.round}"
        found += [EndRow("", standing(submitted.report, made)), EndRow("", command, ends_in_command=True)]
    return found


def standing(report: Report, made: RunResult) -> str:
    """The result of the check of the tree, in one line."""
    if report.is_example and not report.is_clean:
        errors = counted(report.count(Severity.ERROR), "error")
        return (
            f"example tree only: {made.workload} is in no round, so it will not pass "
            f"round {report.round} ({errors} expected)"
        )
    words = {True: "a submission", False: "not a submission", None: "not judged in full"}
    return f"{words[report.is_submission]} by the rules of round {report.round}: {report.counts}"


def asked(request: Request, is_whole: bool = False) -> str:
    """The settings that somebody asked for, each with its value and origin; `is_whole`: the defaults too."""
    config, kind = request.config, suts.of(request.config)
    rows = [("workload", config.workload, config.origin.get("workload", ""))]
    idle = config_options.idle(config)
    for field in config_options.fields(kind):
        value, origin = config_text.value_text(config, field.name), config.origin.get(field.name, "")
        is_idle = kind.is_elsewhere and field.name in OF_THIS_MACHINE and is_default(origin)
        if field.name in idle:
            origin += f"; ignored: {idle[field.name]}"
        if value is not None and not is_idle:
            rows.append((field.name, one_line(addresses(value.replace(BETWEEN, ", "))), origin))
    if (box := request.delivery.container) is not None:
        rows.append(("delivery.container", box.engine or "podman or docker", f"base {box.base or 'host'}"))
    shown = [row for row in rows if is_whole or not is_default(row[2])]
    wide = max((len(name) for name, _, _ in shown), default=0)
    lines = [f"  {name:<{wide}}  {value}  ({origin})" for name, value, origin in shown]
    if len(shown) < len(rows):
        lines.append(
            f"  {'and ' if shown else ''}{counted(len(rows) - len(shown), 'default')}: -v shows them"
        )
    return "\n".join(["asked:", *lines])
