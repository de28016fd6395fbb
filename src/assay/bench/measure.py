"""Every LoadGen run of a job, one after the other, with one system under test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pyarrow as pa

from assay.bench import run_energy, score_run
from assay.bench.running import RunInProgress
from assay.bench.score_run import Scores
from assay.config import Division, Mode, Scenario, Style
from assay.ground.count import number
from assay.ground.errors import ConfigError, RunFailed
from assay.mlperf.logs import DETAIL_FILE, RunRecord
from assay.mlperf.record import definitions
from assay.mlperf.record.figures import figures
from assay.mlperf.record.result import ModeResult, RunValidity
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import pieces, request_times, requests, target_rate
from assay.mlperf.run.request_times import RequestTimes
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.run.session import Session
from assay.mlperf.sut.interface import SutSpec, Used

PROBE_BATCHES, PROBE_SAMPLES = 4, 8
"""Length of the pass that chooses a target rate when none is asked for: full batches, and the fewest samples. A choice:
a rate that it gets wrong makes a run INVALID, and that run is repeated once (`_choose_again`)."""
PLACEHOLDER_TARGET_QPS = 1.0
"""Target of an Offline run without a duration, where LoadGen does nothing with it."""
CLIENT_SHARE = 0.01
"""Of the limit of the first token: a client that takes more of it is part of what was measured. A choice; such a run
is marked CLIENT-LIMITED."""
ScoreRun = Callable[[RunInProgress, RunSpec], Scores]
"""Scores of a finished accuracy run, as `score_run.scores` or `no_scores`."""
Keep = Callable[[RunInProgress], None]


def measure(run: RunInProgress, keep: Keep, score: ScoreRun = score_run.scores) -> None:
    """Do every LoadGen run of the job and score it; `keep` records each finished run. Raises: AssayError."""
    parts = [part for part in run.parts() if not part.is_finished]
    if not parts:
        return
    with session_of(parts[0]) as session:
        for part in parts:
            if part is not parts[0]:
                session.renew(sut_spec(part), part.samples)
            refuse_other_system(run.resumed_from, session.used)
            run.used = part.used = session.used
            keep(run)  # the weights that answer: who goes on with this run must have the same
            _measure_part(run, part, session, keep, score)


def _measure_part(
    run: RunInProgress, part: RunInProgress, session: Session, keep: Keep, score: ScoreRun
) -> None:
    """The LoadGen runs of one part that are not finished; what is made stands in `run`, too."""
    for scenario in part.job.config.scenarios:
        if scenario not in run.target_qps:
            run.target_qps[scenario] = choose_target(part, session, scenario)
        for mode in part.job.config.modes:
            if run.find(scenario, mode):
                continue
            is_last = run.missing == 1
            made = _run_once(part, session, scenario, mode, score, is_last)
            if _choose_again(part, scenario, made):
                made = _run_once(part, session, scenario, mode, score, is_last)
            run.used = part.used
            run.runs.append(made)
            keep(run)
            RunFolder(run.folder).journal(scenario).unlink(missing_ok=True)


def refuse_other_system(before: Used | None, now: Used) -> None:
    """Raises: ConfigError where the system under test that is loaded is not the one that the run began with."""
    for name in ("sut", "backend", "precision", "device", "weights_sha256") if before else ():
        then, here = getattr(before, name), getattr(now, name)
        if then != here:
            raise ConfigError(
                f"the run began with another {name}: {then}, and this is {here}",
                "--out NEW starts another run",
            )


def session_of(run: RunInProgress) -> Session:
    """The system under test of this job; it is loaded when the session is entered."""
    return Session(
        sut_module=run.job.kind.module,
        spec=sut_spec(run),
        samples=run.samples,
        wheel=run.job.wheel,
        log_dir=RunFolder(run.folder).process_logs,
        on_progress=run.reporter.progress,
    )


def sut_spec(run: RunInProgress) -> SutSpec:
    """What the system under test of this job, or part, is built from."""
    return run.job.sut_spec(run.job.checkpoint, run.job.tokenizer)


def choose_target(run: RunInProgress, session: Session, scenario: Scenario) -> float:
    """The target rate, samples/s: as asked, else from a short probe where the rate makes a difference."""
    asked = run.job.config.limits.target_qps
    if asked is not None:
        return asked
    if scenario is Scenario.OFFLINE and not run.job.min_duration_s():
        return PLACEHOLDER_TARGET_QPS
    batch = session.used.batch or 0
    rate = session.probe(min(max(PROBE_SAMPLES, PROBE_BATCHES * batch), len(run.samples)))
    target = target_rate.below_or_above(scenario, rate)
    run.notes.append(
        f"{scenario.value} target of {number(target)} samples/s chosen after a probe of {number(rate)}"
    )
    return target


def run_spec(run: RunInProgress, scenario: Scenario, mode: Mode) -> RunSpec:
    """One LoadGen run: where its files go, and the settings that LoadGen is given."""
    count = len(run.samples)
    is_short = run.job.config.style is not Style.VALID
    folder = RunFolder(run.folder)
    return RunSpec(
        scenario=scenario,
        mode=mode,
        loadgen_key=run.job.workload.loadgen_keys[scenario],
        has_loadgen_settings=run.job.workload.has_loadgen_settings,
        samples=count,
        target_qps=run.target_qps[scenario],
        seeds=run.job.round.seeds,
        out=folder.logs(scenario, mode),
        user_conf=folder.accuracy_user_conf(scenario)
        if run.is_part and mode is Mode.ACCURACY
        else folder.user_conf(scenario),
        min_duration_ms=round(1000 * run.job.min_duration_s()),
        min_query_count=count if is_short else None,
        max_query_count=count if is_short and not run.job.min_duration_s() else None,
        latency=run.job.rules.latency.get(scenario.value),
        token_latencies=run.job.rules.token_latencies,
        equal_issue=run.job.rules.issues_equally(scenario.value),
        times=folder.times(scenario, mode),
        journal=folder.journal(scenario) if mode is Mode.ACCURACY else None,
    )


def _run_once(
    run: RunInProgress, session: Session, scenario: Scenario, mode: Mode, score: ScoreRun, is_last: bool
) -> ModeResult:
    spec = run_spec(run, scenario, mode)
    if mode is Mode.ACCURACY:
        return _accuracy_run(run, session, spec, score, is_last)
    with run_energy.metered(run.job.kind) as meter:
        logged = _logged(run, session, spec, is_last)
    times = times_of(run, spec)
    run.requests.append(rows := requests.table(spec, times, logged, run.samples))
    made = _mode_result(run, spec, logged, ())
    told = _definitions(rows, made, run.used)
    late_ms = _told_late_ms(times)
    return dataclasses.replace(
        made, definitions=told, told_late_ms=late_ms, energy=run_energy.used(meter, times)
    )


def _logged(run: RunInProgress, session: Session, spec: RunSpec, is_last: bool) -> RunRecord:
    """One run of LoadGen. After the last one the system under test ends while its rows are written and its answers
    scored; not after an INVALID one, which may be repeated."""
    logged = session.run(spec)
    run.used = session.used
    if is_last and logged.validity != RunValidity.INVALID.value:
        session.release()
    return logged


def _accuracy_run(
    run: RunInProgress, session: Session, spec: RunSpec, score: ScoreRun, is_last: bool
) -> ModeResult:
    """LoadGen is asked for what a process before this one had not answered; for nothing where it left a whole log."""
    piece, kept = spec, {}
    logged = pieces.whole_record(spec, run.job.wheel.version)
    if logged is None:
        pieces.clear(spec.out, spec.times)
        kept = pieces.kept(spec)
        piece = pieces.rest(spec, kept)
        logged = _logged(run, session, piece, is_last)
    rows = requests.table(piece, times_of(run, piece), logged, run.samples)
    if kept:
        pieces.join(piece, kept)
        place = RunFolder(run.folder).place(spec.out / pieces.PIECE)
        rows = pa.concat_tables([rows, requests.kept_rows(spec, list(kept.values()), run.samples)])
        run.notes.append(
            f"{spec.title} is a resumed run: {len(kept)} of {spec.samples} answers are of a process that was stopped, "
            f"and LoadGen asked for the other {piece.samples} alone; its own log is in {place}"
        )
    run.requests.append(rows)
    made = _mode_result(run, spec, logged, score(run, spec))
    return dataclasses.replace(made, samples=spec.samples, kept_answers=len(kept))


def _definitions(rows: pa.Table, made: ModeResult, used: Used | None) -> definitions.Sheet:
    """The run's figures by five tools' definitions; LoadGen's own figures stay as they are."""
    times = requests.token_columns(rows)
    if times is None:
        return {}
    own = {"TTFT": "ttft_p99", "TPOT": "tpot_p99", "tokens/s": "tokens_per_s"}
    said = {name: found.value for name, metric in own.items() if (found := made.figure(metric)) is not None}
    more = {**(used.definitions if used else {}), definitions.LOADGEN: said}
    return {tool: {**found, **more.get(tool, {})} for tool, found in definitions.sheet(times).items()}


def _told_late_ms(times: RequestTimes) -> dict[str, float]:
    late_ms = times.told_late_ns / 1e6
    found = {"p50": definitions.by_index(late_ms, 0.5), "p99": definitions.by_index(late_ms, 0.99)}
    found["max"] = definitions.by_index(late_ms, 1.0)
    return {name: value for name, value in found.items() if value is not None}


def times_of(run: RunInProgress, spec: RunSpec) -> RequestTimes:
    """When the queries of one LoadGen run began and ended. Raises: RunFailed when its child left no times."""
    path = RunFolder(run.folder).times(spec.scenario, spec.mode)
    try:
        times = request_times.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise RunFailed(f"the times of {spec.title} are lost: {error}", f"see {path.parent}") from error
    path.unlink()
    return times


def _choose_again(run: RunInProgress, scenario: Scenario, made: ModeResult) -> bool:
    """Whether the run is to be repeated: it was INVALID because of a target that Assay itself had chosen.

    Its logs are kept in `first_try`.
    """
    better = target_rate.better(made)
    if run.job.config.limits.target_qps is not None or better is None:
        return False
    run.requests.pop()
    folder, chosen = RunFolder(run.folder), run.target_qps[scenario]
    first_try = folder.first_try(scenario)
    first_try.mkdir()
    for kept in (run.folder / made.folder, folder.user_conf(scenario)):
        kept.rename(first_try / kept.name)
    said = f"{scenario.value} at {chosen:g} samples/s was INVALID ({made.invalid_because[0]})"
    run.notes.append(f"{said}: run again at {better:g}; the first logs are in {folder.place(first_try)}")
    run.reporter.say(f"{said}: running again at {better:g}")
    run.target_qps[scenario] = better
    return True


def _mode_result(run: RunInProgress, spec: RunSpec, logged: RunRecord, scores: Scores) -> ModeResult:
    place = RunFolder(run.folder).place(spec.out)
    samples = logged.samples if logged.samples is not None else spec.samples
    return ModeResult(
        scenario=spec.scenario,
        mode=spec.mode,
        validity=RunValidity(logged.validity),
        invalid_because=logged.invalid_because,
        samples=samples,
        seconds=logged.seconds or 0.0,
        figures=tuple(figures(logged, samples, f"{place}/{DETAIL_FILE}")),
        scores=scores,
        warnings=(*logged.errors, *logged.warnings, *_client_warnings(run, spec)),
        folder=place,
        effective=logged.effective,
        limits_ms=_limits_ms(spec),
        faults=faults_of(run, spec.mode),
    )


def faults_of(run: RunInProgress, mode: Mode) -> tuple[str, ...]:
    """Why the runs of this SUT are INVALID in this mode and the division that is asked for, whatever LoadGen says."""
    if run.used is None:
        return ()
    used = run.used
    breaches = () if run.job.config.submission.division is Division.OPEN else used.breaches
    return (*used.faults, *(used.losses if mode is Mode.PERFORMANCE else ()), *breaches)


def _client_warnings(run: RunInProgress, spec: RunSpec) -> tuple[str, ...]:
    """Whether the client slowed down the system under test."""
    limit, delay = _limits_ms(spec).get("ttft_p99"), run.used.issue_delay_ms if run.used else None
    if limit is None or delay is None or delay <= CLIENT_SHARE * limit:
        return ()
    said = f"queries were sent {delay:.3g} ms late (p99), and the first token may take {limit:g} ms"
    return (f"CLIENT-LIMITED: {said}",)


def _limits_ms(spec: RunSpec) -> dict[str, float]:
    if spec.latency is None or not spec.scenario.is_paced or spec.mode is not Mode.PERFORMANCE:
        return {}
    return {"ttft_p99": spec.latency.ttft_ms, "tpot_p99": spec.latency.tpot_ms}
