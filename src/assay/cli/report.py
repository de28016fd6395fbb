"""`assay report`: shows a run folder again, on the terminal and as an HTML page. It writes only the page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from assay.cli import terminal
from assay.cli.terminal import say, say_json, tell
from assay.ground import paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.mlperf.checker.finding import Finding
    from assay.mlperf.record.result import RunResult
    from assay.mlperf.record.run_folder import RunFolder
    from assay.report.page import Shown

HELP = "show a run again: summary, and one HTML page with --html; changes nothing in the run folder"

NO_DEFINITIONS = "no run here tells its first tokens and its plan, which the definitions are computed from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", type=paths.source, help="run folder of `assay bench`"
    )
    parser.add_argument("--html", metavar="FILE", type=paths.given, help="also write one self-contained page")
    parser.add_argument(
        "--open", action="store_true", help="open the page in a browser; without --html it is RUN/page.html"
    )
    parser.add_argument(
        "--definitions",
        action="store_true",
        help="TTFT, TPOT, ITL and rates as LoadGen, vLLM, guidellm, AIPerf and MLPerf Endpoints define them",
    )


def run(args: argparse.Namespace) -> int:
    import json
    import webbrowser

    from assay.ground import files
    from assay.mlperf.record import result
    from assay.mlperf.record.run_folder import RunFolder
    from assay.report import outcome, summary

    width = terminal.width(summary.UNWRAPPED)
    folders = [RunFolder(path) for path in args.runs]
    target = args.html or (folders[0].page if args.open else None)
    made = [result.read(folder.path) for folder in folders]
    for folder, each in zip(folders, made) if not args.json else ():
        say(summary.render(each, width))
        if args.definitions:
            say("\n".join(_definitions(each, width)))
        if folder.readme.is_file():
            say("\n".join(summary.labelled("report", str(folder.readme), width)))
        say("\n".join(summary.labelled("result", str(outcome.of(each)), width)))
    if target is not None:
        from assay.report import page

        files.write_text(target, page.render([_shown(folder, each) for folder, each in zip(folders, made)]))
    if args.json:
        runs = [
            {"folder": str(folder), "outcome": str(outcome.of(each)), **each.to_dict()}
            for folder, each in zip(folders, made)
        ]
        say_json(json.dumps({"runs": runs, "page": str(target) if target else None}))
    elif target is not None:
        say("\n".join(summary.labelled("page", str(target), width)))
    if target is not None and args.open and not webbrowser.open(target.absolute().as_uri()):
        tell(f"assay: no browser was found here: open {target} with one")
    return 0


def _definitions(result: RunResult, width: int) -> Iterator[str]:
    """For each run, a table of its figures by the definitions of several tools, or a note that there is none."""
    from assay.report import summary
    from assay.report.definition_table import WHY, definition_lines

    told = [run for run in result.runs if run.definitions]
    for run in told:
        yield f"  {run.scenario} {run.mode}, by five tools' definitions"
        yield from (f"    {line}" for line in definition_lines(run.definitions))
    yield from summary.labelled("note", WHY if told else NO_DEFINITIONS, width)


def _shown(folder: RunFolder, made: RunResult) -> Shown:
    """The run with the other data for its page: its requests, and the check of its tree."""
    from assay.ground.errors import ArtifactError
    from assay.mlperf.run import requests
    from assay.report.page import Shown

    rows, why = None, f"{folder.requests.name} is not in the run folder"
    if folder.requests.is_file():
        try:
            rows = requests.read(folder.requests)
        except ArtifactError as error:
            why = error.message
            tell(f"assay: no plots: {why}")
    return Shown(made, rows, _findings(folder, made.round), why)


def _findings(folder: RunFolder, round_name: str) -> tuple[Finding, ...] | None:
    from assay.mlperf.checker import check
    from assay.mlperf.rounds import round as rounds

    if not folder.tree.is_dir():
        return None
    return tuple(check.check(folder.tree, rounds.load(round_name)).findings)
