"""`assay check`: checks a submission tree against the rules of its round."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground import paths
from assay.ground.printable import one_line

if TYPE_CHECKING:
    from assay.mlperf.checker.check import Report
    from assay.mlperf.checker.finding import Finding

HELP = "check a submission tree against the rules of its round"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=paths.source, help="the folder that holds closed/, open/ or network/, or its .tar.gz"
    )
    parser.add_argument(
        "--round",
        help="round to judge by (default: the one that the tree's logs, names and folders agree with)",
    )
    parser.add_argument("--submitter", help="judge only this submitter")
    parser.add_argument("--csv", type=Path, help="write summary.csv, with the official columns, here")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")


def run(args: argparse.Namespace) -> int:
    import json

    from assay.ground import files
    from assay.mlperf.checker import check, summary
    from assay.mlperf.checker.finding import Severity
    from assay.mlperf.rounds import round as rounds

    _refuse_run_folder(args.folder)
    round_ = rounds.load(args.round) if args.round else None
    report = check.check(args.folder, round_, args.submitter)
    if args.csv is not None:
        files.write_text(args.csv, summary.to_csv(report.rows))
    if args.json:
        say_json(json.dumps(report.to_dict()))
    else:
        say(text(report))
    fails = not report.is_clean or (args.strict and report.count(Severity.WARNING) > 0)
    return 1 if fails else 0


def _refuse_run_folder(folder: Path) -> None:
    """Raises: ConfigError for a run folder, with the tree inside of it: every file of a run would be a finding."""
    from assay.ground.errors import ConfigError
    from assay.mlperf.record.run_folder import RunFolder

    run = RunFolder(folder)
    if run.is_run:
        hint = f"assay check {run.tree}" if run.tree.is_dir() else f"assay submit {folder}"
        raise ConfigError(f"{folder} is a run folder, not a submission tree", hint)
    if run.made_by:
        raise ConfigError(
            f"{folder} holds what `assay {run.made_by}` measured, not a submission tree",
            "`assay bench` makes a run, and a tree of it",
        )


def text(report: Report) -> str:
    """The findings, the table and the verdict as text for a terminal."""
    from assay.ground.count import counted
    from assay.mlperf.checker import summary

    blocks = [lines(finding) for finding in report.findings]
    blocks += [summary.table(report.rows)] if report.rows else []
    results = counted(len(report.rows), "result") + (
        f", {report.not_judged} not judged" if report.not_judged else ""
    )
    blocks.append(
        f"round {report.round}: {verdict(report)} ({report.counts}; {results}, {counted(report.files, 'file')})"
    )
    return "\n\n".join(blocks)


def verdict(report: Report) -> str:
    """The verdict on a tree in a few words."""
    words = {True: "no errors", False: "not a submission", None: "no errors in what was judged"}
    return words[report.is_submission]


def lines(finding: Finding) -> str:
    """One finding as text: message, place, found and expected values, rule and fix."""
    return "\n".join(
        [
            one_line(f"{finding.severity.value} {finding.code}  {finding.path or '.'}"),
            one_line(f"  {finding.message}: found {finding.found}; expected {finding.expected}"),
            one_line(f"  rule: {finding.source}"),
            one_line(f"  fix:  {finding.fix}"),
        ]
    )
