"""`assay compliance`: runs the round's tests with the SUT of a finished run, verifies them, and stores them in the
run folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground import paths

if TYPE_CHECKING:
    from assay.mlperf.compliance.verdict import ComplianceVerdict

HELP = "run and verify the compliance tests of a run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=paths.source, metavar="RUN", help="run folder made by `assay bench`")
    parser.add_argument(
        "--verify", type=paths.source, metavar="LOG", help="verify this log of a test; run nothing"
    )
    parser.add_argument("--test", help="test of --verify: TEST06, TEST07 or TEST09 (default: TEST06)")
    parser.add_argument(
        "--compliance-dataset",
        type=paths.source,
        metavar="FILE",
        help="dataset of TEST07, if the run names none (gpt-oss-120b: acc_eval_compliance_gpqa.parquet)",
    )
    parser.add_argument("--scenario", default="Offline", help="scenario of --verify (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    import json

    from assay.config import plain

    if args.verify:
        verdicts = _verified(args)
    else:
        verdicts = _performed(args.run, args.compliance_dataset)
    if args.json:
        tests = {name: {**plain(v), "passed": v.passed} for name, v in verdicts.items()}
        say_json(json.dumps({"tests": tests}))
    else:
        for name, verdict in verdicts.items():
            say(f"{name}: {verdict.words}")
            say("".join(f"  {reason}\n" for reason in verdict.reasons) + verdict.text())
    return 0 if all(verdict.passed for verdict in verdicts.values()) else 1


def _verified(args: argparse.Namespace) -> dict[str, ComplianceVerdict]:
    """Verifies an existing log and stores it in the run folder."""
    from assay.bench import compliance_due, comply
    from assay.config import Scenario
    from assay.ground.errors import ConfigError, did_you_mean

    scenario, test = Scenario.named(args.scenario), (args.test or compliance_due.USUAL).upper()
    if scenario is None:
        raise ConfigError(f"unknown scenario {args.scenario!r}", did_you_mean(args.scenario, [*Scenario]))
    verdict = comply.verify(args.run, args.verify, test, scenario, args.compliance_dataset)
    return {f"{test} {scenario.value}": verdict}


def _performed(folder: Path, compliance_dataset: Path | None) -> dict[str, ComplianceVerdict]:
    from assay.bench import comply
    from assay.bench.running import Reporter
    from assay.cli.progress import ProgressLine

    with ProgressLine() as line:
        return comply.perform(folder, Reporter(line.say, line.show), compliance_dataset)
