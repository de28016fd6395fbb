"""`assay submit`: builds a submission tree from run folders, checks it and packs it."""

from __future__ import annotations

import argparse
from pathlib import Path

from assay.cli.terminal import say, say_json
from assay.ground import paths

HELP = "build a submission tree from run folders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", type=paths.source, metavar="RUN", help="run folders made by `assay bench`"
    )
    parser.add_argument("--submitter", required=True, metavar="NAME", help="name of the submitter's folder")
    parser.add_argument("--division", choices=("closed", "open", "network"), default="open")
    parser.add_argument("--round", help="round to submit to (default: that of the first run)")
    parser.add_argument("--out", type=Path, required=True, metavar="TREE", help="tree to make, or to add to")
    parser.add_argument("--system-name", help="name of the system (default: by what ran)")
    parser.add_argument("--system-file", type=paths.source, help="system.toml: fields that cannot be probed")
    parser.add_argument("--calibration", type=paths.source, help="calibration.md of your own")
    parser.add_argument(
        "--endpoints",
        action="store_true",
        help="artefacts of MLPerf Endpoints in place of LoadGen's logs (from v6.1 on)",
    )
    parser.add_argument("--allow-fake", action="store_true", help="accept runs of a fake SUT, and mark them")
    parser.add_argument("--no-pack", action="store_true", help="leave OUT.tar.gz out")


def run(args: argparse.Namespace) -> int:
    """The exit code: that of `assay check` of the tree."""
    import dataclasses
    import json
    import shlex

    from assay.cli.check import text
    from assay.config import Division, SubmissionRequest
    from assay.doors.submission import tree_request
    from assay.ground.count import counted
    from assay.mlperf.checker import check
    from assay.mlperf.record import result
    from assay.mlperf.rounds import round as rounds
    from assay.mlperf.submission.pack import archive_of, pack
    from assay.mlperf.submission.write import write

    round_ = rounds.load(args.round or result.read(args.runs[0]).round)
    asked = SubmissionRequest(args.submitter, Division(args.division), args.system_name)
    request = dataclasses.replace(
        tree_request(asked, round_, args.submitter, allow_fake=args.allow_fake),
        system_file=args.system_file,
        calibration=args.calibration,
        is_endpoints=args.endpoints,
    )
    root: Path = args.out
    written = write(args.runs, request, root)
    archive = archive_of(root)
    digest = None if args.no_pack else pack(root, archive)
    report = check.check(root, round_, args.submitter)
    if args.json:
        unknown = {system: list(fields) for system, fields in written.unknown.items()}
        packed = {"archive": str(archive), "sha256": digest} if digest else None
        say_json(json.dumps({"tree": str(root), "packed": packed, "unknown": unknown, **report.to_dict()}))
        return int(report.fails)
    say(text(report, f"assay check {shlex.quote(str(root))} --round {round_.name} --all"))
    for system, fields in written.unknown.items():
        say(f"\nnot known of {system}, left empty: {', '.join(fields)}")
        say('  give them in a TOML file, one line each (status = "available"), with --system-file FILE')
    say(f"\n{args.out}: {counted(len(written.places), 'result')} written")
    if digest:
        say(f"{archive}: sha256 {digest}")
    return int(report.fails)
