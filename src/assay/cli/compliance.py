"""`assay compliance`: run TEST06 with the SUT of a finished run, verify it, and file it in the run folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json

if TYPE_CHECKING:
    from assay.bench.app import Story
    from assay.config import BenchmarkConfig
    from assay.mlperf.compliance import Verdict
    from assay.mlperf.result import RunResult
    from assay.mlperf.session import Session

HELP = "run and verify the compliance tests of a run"
TEST = "TEST06"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder made by `assay bench`")
    parser.add_argument("--verify", type=Path, metavar="LOG", help="verify this sampled log; run nothing")
    parser.add_argument("--scenario", default="Offline", help="scenario of --verify (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    import dataclasses
    import json

    verdicts = _verified(args.run, args.verify, args.scenario) if args.verify else perform(args.run)
    if args.json:
        say_json(
            json.dumps({name: {**dataclasses.asdict(v), "passed": v.passed} for name, v in verdicts.items()})
        )
    else:
        for name, verdict in verdicts.items():
            say(f"{TEST} {name}: {'passed' if verdict.passed else 'FAILED'} over {verdict.samples} answers")
            say("".join(f"  {reason}\n" for reason in verdict.reasons) + verdict.text())
    return 0 if all(verdict.passed for verdict in verdicts.values()) else 1


def _verified(folder: Path, log: Path, scenario: str) -> dict[str, Verdict]:
    """Verify a log that exists, and file it in the run folder."""
    from assay.config import Scenario
    from assay.ground.errors import ConfigError, did_you_mean
    from assay.mlperf import compliance

    names = [member.value for member in Scenario]
    if scenario.capitalize() not in names:
        raise ConfigError(f"unknown scenario {scenario!r}", did_you_mean(scenario, names))
    verdict = compliance.verify(log, scenario.capitalize())
    compliance.file_verdict(verdict, log, folder / scenario.capitalize() / "compliance" / TEST)
    return {scenario.capitalize(): verdict}


def perform(folder: Path) -> dict[str, Verdict]:
    """Run the test for every scenario that the run folder has a performance run of, with the same SUT.

    Raises: ConfigError when the folder has none, or holds a compliance run already; AssayError as `bench` does.
    """
    from assay.bench import app
    from assay.cli.progress import ProgressLine
    from assay.config import Mode
    from assay.ground.errors import ConfigError
    from assay.mlperf import result
    from assay.mlperf.session import Session

    made = result.read(folder)
    scenarios = [run.scenario for run in made.runs if run.mode == Mode.PERFORMANCE.value]
    if not scenarios:
        raise ConfigError(f"{folder} holds no performance run", "run `assay bench --mode performance` first")
    line = ProgressLine()
    job, data = app.prepare(_config(made))
    story = app.Story(job, data, folder, app.Watch(line.say, line.show), False)
    with Session(
        sut_module=f"assay.suts.{job.config.sut}",
        spec=story.sut_spec(),
        samples=story.samples,
        wheel=job.wheel,
        log_dir=folder / "logs",
        on_progress=line.show,
    ) as session:
        verdicts = {name: _test(session, story, made, name) for name in scenarios}
    line.close()
    return verdicts


def _test(session: Session, story: Story, made: RunResult, name: str) -> Verdict:
    """One scenario: the performance run's settings, changed by the test's audit.config."""
    import dataclasses
    import shutil

    from assay.config import Mode, Scenario
    from assay.mlperf import compliance

    scenario = Scenario(name)
    performance = made.find(name, Mode.PERFORMANCE.value)
    logged = performance.effective.get("effective_target_qps") if performance is not None else None
    story.target_qps[scenario] = float(logged) if logged else story.choose_target(session, scenario)
    home = story.folder / name / "compliance"
    shutil.rmtree(home, ignore_errors=True)
    spec = dataclasses.replace(
        story.run_spec(scenario, Mode.PERFORMANCE),
        out=home / "run",
        user_conf=home / "user.conf",
        compliance=TEST,
    )
    session.run(spec)
    log = spec.out / compliance.LOG_NAME
    verdict = compliance.verify(log, name, story.job.generation(story.checkpoint).eos_id)
    compliance.file_verdict(verdict, log, home / TEST)
    return verdict


def _config(made: RunResult) -> BenchmarkConfig:
    """The run's config, read back from its command line."""
    from assay.doors import native

    parser = argparse.ArgumentParser()
    native.add_arguments(parser)
    known, _ = parser.parse_known_args(list(made.command[2:]))
    return native.from_args(known)
