"""`assay check`: checks a submission tree against the rules of its round."""

from __future__ import annotations

import argparse
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground import paths
from assay.ground.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.mlperf.checker.check import Report
    from assay.mlperf.checker.finding import Finding

PLACES = 5
"""Places of one finding that are shown without --all. A choice."""

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
    parser.add_argument("--all", action="store_true", help="all places of a finding (default: the first 5)")
    parser.add_argument(
        "--strict", action="store_true", help="warnings count as errors; an example fails too"
    )


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
        say(text(report, None if args.all else "--all"))
    is_short = args.strict and not (report.is_clean and report.count(Severity.WARNING) == 0)
    return int(report.fails or is_short)


def _refuse_run_folder(folder: Path) -> None:
    """Raises: ConfigError for a run folder, with the tree inside of it: every file of a run would be a finding."""
    from assay.ground.errors import ConfigError
    from assay.mlperf.record.run_folder import RunFolder

    run = RunFolder(folder)
    if run.is_run:
        hint = (
            f"assay check {run.tree}"
            if run.tree.is_dir()
            else f"assay submit {folder} --submitter NAME --out TREE"
        )
        raise ConfigError(f"{folder} is a run folder, not a submission tree", hint)
    if run.made_by:
        raise ConfigError(
            f"{folder} holds what `assay {run.made_by}` measured, not a submission tree",
            "`assay bench` makes a run, and a tree of it",
        )


def text(report: Report, all_by: str | None = None) -> str:
    """The verdict, the findings, the table and the verdict again, as text for a terminal.

    all_by: what shows all places of a finding, where five are enough here; None shows them.
    """
    from assay.ground.count import counted
    from assay.mlperf.checker import summary

    results = counted(len(report.rows), "result") + (
        f", {report.not_judged} not judged" if report.not_judged else ""
    )
    judged = f"round {report.round}: {verdict(report)} ({report.counts}; {results}, {counted(report.files, 'file')})"
    examples = [
        one_line(
            f"{model} is in no round: its findings are by the rules of {official}, and errors are expected"
        )
        for model, official in sorted(
            {(row.model, row.mlperf_model) for row in report.rows if row.is_example}
        )
    ]
    found = grouped(report.findings, all_by)
    table = [summary.table(report.rows)] if report.rows else []
    return "\n\n".join([*examples, *([judged] if found else []), *found, *table, judged])


def verdict(report: Report) -> str:
    """The verdict on a tree in a few words."""
    if report.is_example and not report.is_clean:
        return "example tree only"
    words = {True: "no errors", False: "not a submission", None: "no errors in what was judged"}
    return words[report.is_submission]


def grouped(findings: Iterable[Finding], all_by: str | None = None) -> list[str]:
    """Findings as text, in their order: those with the same rule and fix together, each file and both said once.

    all_by: what shows the places beyond the first `PLACES`; None shows them here.
    """
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.severity.value, each.code, each.source, each.fix), []).append(each)
    blocks = []
    for (severity, code, source, fix), group in groups.items():
        shown = group if all_by is None else group[:PLACES]
        lines: list[str] = []
        for path, here in groupby(shown, key=lambda each: each.path):
            lines.append(f"{severity} {code}  {path or '.'}")
            lines += [f"  {each.message}: found {each.found}; expected {each.expected}" for each in here]
        if len(group) > len(shown):
            lines.append(f"  {len(group) - len(shown)} more of {code}: {all_by}")
        lines += [f"  rule: {source}", f"  fix:  {fix}"]
        blocks.append("\n".join(one_line(line) for line in lines))
    return blocks
