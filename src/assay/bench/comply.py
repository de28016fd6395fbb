"""The compliance test of a finished run: TEST06 with the same SUT, verified, and filed in the run folder."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from assay.bench import measure, prepare
from assay.bench.running import Reporter, RunInProgress
from assay.config import BenchmarkConfig, Delivery, Division, Mode, Scenario
from assay.ground.errors import ConfigError, RunFailed
from assay.mlperf.compliance import test06
from assay.mlperf.compliance.test06 import Verdict
from assay.mlperf.logs import names
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run.session import Session

TEST = "TEST06"


def is_due(config: BenchmarkConfig, delivery: Delivery) -> bool:
    """Whether compliance tests are to be run. Raises: ConfigError for a container: they do not go into one."""
    # Source: inference_policies: closed submissions owe compliance tests; cm4mlops leaves them out in open.
    if not delivery.compliance or config.submission.division is not Division.CLOSED:
        return False
    if delivery.container is not None:
        raise ConfigError(
            "compliance tests of a run in a container are not possible",
            "leave one of the two out: no compliance tests, or no container",
        )
    return True


def is_done(folder: Path) -> bool:
    """Whether the run folder holds a compliance run of any scenario."""
    return RunFolder(folder).has_compliance


def perform(folder: Path, reporter: Reporter) -> dict[str, Verdict]:
    """Run the test for every scenario that the run folder has a performance run of, with the same SUT.

    Raises: ConfigError when the folder has none; AssayError as `measure.run` does.
    """
    made = result.read(folder)
    scenarios = [run.scenario for run in made.runs if run.mode is Mode.PERFORMANCE]
    if not scenarios:
        raise ConfigError(f"{folder} holds no performance run", "run `assay bench --mode performance` first")
    job, data = prepare.prepare(made.asked)
    running = RunInProgress(job, data, folder, reporter)
    with measure.session_of(running) as session:
        return {str(each): _test(session, running, made, each) for each in scenarios}


def _test(session: Session, running: RunInProgress, made: RunResult, scenario: Scenario) -> Verdict:
    """One scenario: the performance run's settings, changed by the test's audit.config."""
    performance = made.find(scenario, Mode.PERFORMANCE)
    logged = performance.setting("target_qps") if performance is not None else None
    running.target_qps[scenario] = logged or measure.choose_target(running, session, scenario)
    home = RunFolder(running.folder).compliance(scenario)
    shutil.rmtree(home, ignore_errors=True)
    spec = dataclasses.replace(
        measure.run_spec(running, scenario, Mode.PERFORMANCE),
        out=home / "run",
        user_conf=home / names.USER_CONF,
        compliance=TEST,
        times=None,
    )
    session.run(spec)
    running.used = session.used
    if faults := measure.faults_of(running):
        raise RunFailed(f"{TEST} {scenario} is INVALID: {'; '.join(faults)}", "mend the server and run again")
    log = spec.out / names.ACCURACY_FILE
    verdict = test06.verify(log, scenario.value, running.job.generation(running.checkpoint).eos_id)
    test06.file_verdict(verdict, log, home / TEST)
    return verdict
