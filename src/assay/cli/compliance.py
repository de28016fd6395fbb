"""`assay compliance`: run TEST06 with the SUT of a finished run, verify it, and file it in the run folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground import paths

if TYPE_CHECKING:
    from assay.mlperf.compliance.test06 import Verdict

HELP = "run and verify the compliance tests of a run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=paths.source, metavar="RUN", help="run folder made by `assay bench`")
    parser.add_argument(
        "--verify", type=paths.source, metavar="LOG", help="verify this sampled log; run nothing"
    )
    parser.add_argument("--scenario", default="Offline", help="scenario of --verify (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    import dataclasses
    import json

    from assay.bench.comply import TEST

    verdicts = _verified(args.run, args.verify, args.scenario) if args.verify else _performed(args.run)
    if args.json:
        say_json(
            json.dumps({name: {**dataclasses.asdict(v), "passed": v.passed} for name, v in verdicts.items()})
        )
    else:
        for name, verdict in verdicts.items():
            say(f"{TEST} {name}: {verdict.words}")
            say("".join(f"  {reason}\n" for reason in verdict.reasons) + verdict.text())
    return 0 if all(verdict.passed for verdict in verdicts.values()) else 1


def _verified(folder: Path, log: Path, scenario: str) -> dict[str, Verdict]:
    """Verify a log that exists, and file it in the run folder."""
    from assay.bench.comply import TEST
    from assay.config import Scenario
    from assay.ground.errors import ConfigError, did_you_mean
    from assay.mlperf.compliance import test06
    from assay.mlperf.record.run_folder import RunFolder

    found = Scenario.named(scenario)
    if found is None:
        raise ConfigError(f"unknown scenario {scenario!r}", did_you_mean(scenario, [*Scenario]))
    verdict = test06.verify(log, found.value)
    test06.file_verdict(verdict, log, RunFolder(folder).compliance(found) / TEST)
    return {found.value: verdict}


def _performed(folder: Path) -> dict[str, Verdict]:
    from assay.bench import comply
    from assay.bench.running import Reporter
    from assay.cli.progress import ProgressLine

    line = ProgressLine()
    verdicts = comply.perform(folder, Reporter(line.say, line.show))
    line.close()
    return verdicts
