"""`assay history`: prints a table of the runs below a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from assay.cli.terminal import say, say_json
from assay.ground import paths

HELP = "the runs below a folder, the oldest first"
USUAL = Path("assay-runs")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", type=paths.source, default=USUAL, help="default: ./assay-runs"
    )
    parser.add_argument("--workload", help="only runs of this workload")
    parser.add_argument("--html", metavar="FILE", type=paths.given, help="also write one self-contained page")


def run(args: argparse.Namespace) -> int:
    import json

    from assay.ground import files
    from assay.ground.errors import ConfigError
    from assay.report import history

    if not args.folder.is_dir():
        raise ConfigError(
            f"no folder {args.folder}", paths.near(args.folder) or "name the folder that holds run folders"
        )
    past = history.of(args.folder, args.workload)
    if args.html:
        from assay.report import history_page

        files.write_text(args.html, history_page.render(past, args.folder))
    if args.json:
        runs = [
            {"folder": str(each.folder), "problem": each.problem, "outcome": history.verdict(each.result)}
            | each.result.to_dict()
            if each.result
            else {"folder": str(each.folder), "problem": each.problem}
            for each in past
        ]
        say_json(json.dumps({"runs": runs}))
    elif not past:
        of = f" of {args.workload}" if args.workload else ""
        say(f"no run folder{of} in {args.folder}")
    else:
        say(history.table(past, args.folder))
    return 0
