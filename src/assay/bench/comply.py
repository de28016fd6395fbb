"""The compliance tests of a finished run: run with the same SUT, verified, and filed in the run folder."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

from assay import suts
from assay.bench import compliance_due, earlier, measure, preparation, run_start
from assay.bench.compliance_due import SCORED, USUAL
from assay.bench.running import Reporter, RunInProgress
from assay.config import Mode, Scenario, Style
from assay.ground import store_contents
from assay.ground.errors import ConfigError, RunFailed
from assay.mlperf.compliance import audit_config, test06, test07, test09
from assay.mlperf.compliance.verdict import ComplianceVerdict, file_verdict
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.data.dataset import Dataset
from assay.mlperf.logs import names
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import job as jobs
from assay.mlperf.run.session import Session
from assay.mlperf.scoring import log as accuracy_log
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.score import accuracy_text, score
from assay.mlperf.sut.progress import ignore


def is_done(folder: Path) -> bool:
    """Whether every test that the round demands is filed for every performance run of the folder.

    A test is filed last of all, so that one that was stopped is not taken for done. Raises: ArtifactError, ConfigError
    for a folder that holds no readable run.
    """
    made, home = result.read(folder), RunFolder(folder)
    owed = compliance_due.tests_of(jobs.of_finished(made.asked, suts.of(made.asked)).rules)
    scenarios = {run.scenario for run in made.runs if run.mode is Mode.PERFORMANCE}
    return all(set(owed) <= home.verified_tests(scenario) for scenario in scenarios)


@store_contents.used()
def perform(
    folder: Path, reporter: Reporter, compliance_dataset: Path | None = None
) -> dict[str, ComplianceVerdict]:
    """Run every test that the round demands, for every scenario that the run folder has a performance run of, with
    the same SUT. `compliance_dataset`: of TEST07, where the run names none.

    The verdicts are called as `TEST06 Offline`. Raises: ConfigError when the folder has no performance run, or a data
    set of a test is missing or too small, or another process uses the folder; AssayError as `measure.measure` does.
    """
    made = result.read(folder)
    scenarios = [run.scenario for run in made.runs if run.mode is Mode.PERFORMANCE]
    if not scenarios:
        raise ConfigError(f"{folder} holds no performance run", "run `assay bench --mode performance` first")
    if why := made.performance_only:
        raise ConfigError(
            f"compliance tests compare token ids, and {folder} is of performance only: {why}",
            "run against an API with exact token ids",
        )
    with run_start.held_alone(folder):
        return _performed(made, scenarios, folder, reporter, compliance_dataset)


def _performed(
    made: RunResult,
    scenarios: Sequence[Scenario],
    folder: Path,
    reporter: Reporter,
    compliance_dataset: Path | None,
) -> dict[str, ComplianceVerdict]:
    request = earlier.request_of(folder)
    ready = preparation.ready(request.config)
    whole = RunInProgress(ready.job.of_mode(Mode.PERFORMANCE), ready.data, folder, reporter, request.delivery)
    tests = compliance_due.tests_of(ready.job.rules)
    parts = [(whole, [test for test in tests if test != SCORED])]
    if SCORED in tests:
        parts.append((_over_its_own_set(whole, compliance_dataset), [SCORED]))
    for part, some in parts:
        for test in some:
            compliance_due.refuse_small(test, len(part.samples))
    for scenario in scenarios:
        shutil.rmtree(RunFolder(folder).compliance(scenario), ignore_errors=True)
    verdicts: dict[str, ComplianceVerdict] = {}
    for part, some in parts:
        if not some:
            continue
        with measure.session_of(part) as session:
            for test, each in itertools.product(some, scenarios):
                verdicts[f"{test} {each}"] = _tested(test, session, part, made, each)
    return verdicts


def verify(
    folder: Path, log: Path, test: str, scenario: Scenario, compliance_dataset: Path | None = None
) -> ComplianceVerdict:
    """Verify the log of a test that was run elsewhere, by the run's own workload and round, and file it in its folder.

    A folder without a run's record is held to TEST06 alone, with its usual end-of-sequence id. Raises: ConfigError for
    a test without limits in the round or without its data set; ArtifactError for what is no such log.
    """
    audit_config.settings(test)  # a test that nobody knows is told with the nearest one
    home = RunFolder(folder)
    verdict = (
        _verdict(test, _as_it_was(home, test, compliance_dataset), log, scenario)
        if home.result.is_file()
        else _without_record(home, test, log, scenario)
    )
    file_verdict(verdict, log, home.compliance(scenario) / test, verdict_file(test))
    return verdict


def _as_it_was(home: RunFolder, test: str, compliance_dataset: Path | None) -> RunInProgress:
    """The job of a run folder, with samples only where the test scores them: the run's own data set may be away."""
    config = jobs.in_one_mode(result.read(home.path).asked)
    job = jobs.of_finished(config, suts.of(config)).of_mode(Mode.PERFORMANCE)
    whole = RunInProgress(job, Dataset((), "", ""), home.path, Reporter(lambda _text: None, ignore))
    return _over_its_own_set(whole, compliance_dataset) if test == SCORED else whole


def _without_record(home: RunFolder, test: str, log: Path, scenario: Scenario) -> ComplianceVerdict:
    if test != USUAL:
        raise ConfigError(
            f"{home} holds no {home.result.name}, and {test} needs the limits of its round",
            "name the run folder that the test belongs to",
        )
    return test06.verify(log, scenario.value)


def _over_its_own_set(whole: RunInProgress, given: Path | None) -> RunInProgress:
    """The same job over the data set of TEST07, all of it."""
    config = whole.job.config
    path = given or config.paths.compliance_dataset
    paths = dataclasses.replace(config.paths, compliance_dataset=path)
    config = dataclasses.replace(config, paths=paths)
    compliance_due.refuse_missing(config, whole.job.rules)
    assert path is not None
    limits = dataclasses.replace(config.limits, samples=None)
    job = dataclasses.replace(whole.job, config=dataclasses.replace(config, style=Style.FAST, limits=limits))
    return dataclasses.replace(whole, job=job, data=dataset.load(path, job.workload.schema))


def _tested(
    test: str, session: Session, running: RunInProgress, made: RunResult, scenario: Scenario
) -> ComplianceVerdict:
    """One scenario: the performance run's settings, changed by the test's audit.config."""
    performance = made.find(scenario, Mode.PERFORMANCE)
    logged = performance.setting("target_qps") if performance is not None else None
    running.target_qps[scenario] = logged or measure.choose_target(running, session, scenario)
    home = RunFolder(running.folder).compliance(scenario)
    out = home / "run" / test
    spec = dataclasses.replace(
        measure.run_spec(running, scenario, Mode.PERFORMANCE),
        out=out,
        user_conf=out / names.USER_CONF,
        compliance=test,
        times=None,
    )
    session.run(spec)
    running.used = session.used
    if faults := measure.faults_of(running, Mode.PERFORMANCE):
        raise RunFailed(f"{test} {scenario} is INVALID: {'; '.join(faults)}", "mend the server and run again")
    verdict = _verdict(test, running, out / names.ACCURACY_FILE, scenario)
    _file(test, verdict, out, home / test)
    return verdict


def _file(test: str, verdict: ComplianceVerdict, logs: Path, folder: Path) -> None:
    """As submissions hold it. Source: run_verification.py of each test; TEST06 files no performance logs."""
    file_verdict(verdict, logs / names.ACCURACY_FILE, folder, verdict_file(test))
    if test != USUAL:
        place = folder / names.PERFORMANCE_RUN
        place.mkdir(parents=True, exist_ok=True)
        for name in (names.SUMMARY_FILE, names.DETAIL_FILE):
            shutil.copyfile(logs / name, place / name)


def verdict_file(test: str) -> str:
    """What the verdict is called in a submission."""
    return names.LENGTH_VERDICT_FILE if test == "TEST09" else names.VERDICT_FILE


def _verdict(test: str, running: RunInProgress, log: Path, scenario: Scenario) -> ComplianceVerdict:
    limits = running.job.rules.compliance_limits
    if test != USUAL and test not in running.job.rules.compliance:
        raise ConfigError(
            f"round {running.job.round.name} holds {running.job.workload.name} to no {test}",
            f"its tests: {', '.join(running.job.rules.compliance) or 'none'}",
        )
    if test == "TEST09":
        return test09.verify(log, limits["test09_min_output_tokens"], limits["test09_max_output_tokens"])
    if test == SCORED:
        return _scored(running, log, limits["test07_accuracy_threshold"])
    # A log may be verified where the weights are not: the end-of-sequence id is the workload's there.
    folder = running.job.checkpoint
    here = folder if folder and folder.exists() else None
    return test06.verify(log, scenario.value, running.job.generation(here).eos_id)


def _scored(running: RunInProgress, log: Path, threshold: float) -> test07.ScoreVerdict:
    """Raises: ConfigError without a tokenizer that could read the answers; as `score_run.scores`."""
    if running.tokenizer is None:
        raise ConfigError(f"{SCORED} scores answers, and there is no tokenizer", "--tokenizer DIR in the run")
    workload, reader = running.job.workload, tokenizer.load(running.tokenizer)
    records = accuracy_log.read(log, "int32", reader.vocab_size)
    grade = Grade(unsafe=running.delivery.unsafe_no_sandbox, lcb_tests=running.job.config.paths.lcb_tests)
    found = score(records, running.samples, reader, grade, workload.scorers)
    printed = accuracy_text(workload.official_results(found))
    exact = next((each.value for each in found if each.metric == "exact_match"), None)
    return test07.ScoreVerdict(exact, threshold, len(records), printed)
