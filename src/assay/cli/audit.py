"""`assay audit`: checks a published report against the rules and, if they are present, its own logs."""

from __future__ import annotations

import argparse

from assay.cli.terminal import say, say_json
from assay.ground import paths

HELP = "hold a published report or submission against the rules and its own logs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", type=paths.source, help="a README.md of CM, MLC or Assay, or a folder that contains some"
    )
    parser.add_argument("--round", help="round, if the report does not name it")
    parser.add_argument("--workload", help="workload, if the report does not name it")


def run(args: argparse.Namespace) -> int:
    import json

    from assay import audit
    from assay.cli.check import grouped
    from assay.ground.count import counted
    from assay.mlperf.checker.finding import Severity

    findings = audit.audit(args.path, args.round, args.workload)
    counts = {severity.value + "s": sum(f.severity is severity for f in findings) for severity in Severity}
    if args.json:
        say_json(json.dumps({"findings": [f.to_dict() for f in findings], "summary": counts}))
    else:
        for block in grouped(findings):
            say(block + "\n")
        say(", ".join(counted(count, name.removesuffix("s")) for name, count in counts.items()))
    return 1 if counts["errors"] else 0
