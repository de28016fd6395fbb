"""`assay tune`: the highest rate at which a Server run is VALID, found with LoadGen's own schedule, seeds and rule.

Every probe is begun as the official run at its rate, and ended as soon as its late queries tell (`mlperf.run.trial`).
`tune_search` decides what is tried. tune.json is written after each probe: the same command goes on from there.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from assay import suts
from assay.bench import earlier, measure, pipeline, preparation, run_start, tune_record
from assay.bench.preparation import Ready
from assay.bench.running import Reporter, RunInProgress, now
from assay.bench.tune_record import Official, Tuned
from assay.bench.tune_search import (
    ABOVE,
    OFFICIAL_SHARE,
    RESOLUTION,
    Done,
    Probe,
    Tried,
    bracket,
    next_probe,
    stepped_down,
)
from assay.config import BenchmarkConfig, EarlierRun, Mode, Request, Scenario
from assay.endpoint.load import record as load_record
from assay.ground import store_contents
from assay.ground.count import counted, number
from assay.ground.errors import ConfigError, Interrupted
from assay.ground.hub import Hub
from assay.mlperf.logs.names import USER_CONF
from assay.mlperf.record.result import RunValidity
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds.early_stopping import Judgement, allowed_over, least_queries
from assay.mlperf.rounds.round_workload import Latency
from assay.mlperf.run import job as jobs
from assay.mlperf.run import pace_model, queue_model, requests
from assay.mlperf.run.pace_model import SeenPace
from assay.mlperf.run.queue_model import SeenWait
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.run.session import Session
from assay.mlperf.run.trial import StopRule, Tally, final_queries
from assay.mlperf.sut.interface import Used

FULL_SHARE = 0.05
"""Part of the official duration that the rate at full load is measured for. A choice: 30 s of a round's 600 s."""
OFFICIAL_TRIES = 4
"""Most official runs: each is 1 to 5 % below the one before. A choice, of time: each is a whole run."""
VERB, OTHER = "tune", "--out a new folder, or --rerun"
LEAST_WAIT = 0.02
"""Share of the limit of the first token below which a wait is noise, and is taken for this much. A choice."""
NS_PER_MS = 1e6


@store_contents.used()
def run(
    request: Request, hub: Hub, reporter: Reporter, official: bool, consent: pipeline.Consent | None
) -> Tuned:
    """Search, and with `official` run at what was found, with a note of what an earlier call had measured. Raises:
    AssayError; Interrupted can be resumed."""
    request = dataclasses.replace(request, config=settled(request.config))
    request = pipeline.obtain(request, hub, reporter.say, consent)
    is_anew = request.delivery.earlier_run is EarlierRun.REPLACE
    tuned = _found(request.config, is_anew)
    notes = _taken(tuned) if tuned else ()
    for said in notes:
        reporter.say(said)
    if not tuned or not tuned.reason:  # what is refused leaves the folder as it was
        ready = preparation.ready(dataclasses.replace(request.config, modes=(Mode.PERFORMANCE,)))
    tuned = tuned or _begun(request.config, is_anew)
    folder = Path(tuned.folder)
    try:
        if tuned.reason == "":
            tuned = _search(request, ready, folder, tuned, reporter)
        if official and tuned.low is not None:
            tuned = _official(request, hub, folder, tuned, reporter)
    except Interrupted as error:
        raise Interrupted(error.message, f"the same command with --out {folder} goes on") from None
    return dataclasses.replace(tuned, notes=notes)


def settled(config: BenchmarkConfig) -> BenchmarkConfig:
    """The config of the official run. Raises: ConfigError for what has no rate to be found."""
    if len(config.scenarios) != 1 or not config.scenarios[0].is_paced:
        raise ConfigError("only a Server or an Interactive run has a rate to be found", "--scenario server")
    job = jobs.of(config, suts.of(config))
    if config.scenarios[0].value not in job.rules.latency:
        raise ConfigError(f"{config.workload} has no limits of a first token to hold", "another workload")
    duration_s = job.min_duration_s() or job.round.min_duration_ms / 1000
    return dataclasses.replace(config, limits=dataclasses.replace(config.limits, min_duration_s=duration_s))


def _found(config: BenchmarkConfig, is_anew: bool) -> Tuned | None:
    """What an earlier search measured in the folder. Raises: ConfigError when that was for something else."""
    out = config.paths.out
    if out is None:
        return None
    if is_anew:
        earlier.require_removable_run(out, VERB)
        return None
    found = tune_record.read(out)
    if found is None:
        earlier.refuse_taken(out)
    if found is None or not found.probes:
        return None
    if found.facts != tune_record.facts(config):
        raise ConfigError(f"{out} holds a search for another job", OTHER)
    return found


def _begun(config: BenchmarkConfig, is_anew: bool) -> Tuned:
    """A search without a probe, in a folder of its own."""
    assert config.limits.min_duration_s is not None
    if is_anew and config.paths.out is not None:
        earlier.remove_run(config.paths.out, VERB)
    with run_start.claimed(config.paths.out, tune_record.is_blank) as folder:
        facts = tune_record.facts(config)
        scenario, duration_s = config.scenarios[0].value, config.limits.min_duration_s
        tuned = Tuned(str(folder), facts, scenario, duration_s, started_at=now())
        tune_record.write(tuned)
    return tuned


def _taken(tuned: Tuned) -> tuple[str, ...]:
    """A note of what this call does not measure."""
    kept = counted(len(tuned.probes), "probe")
    kept += f" and {counted(len(tuned.official), 'official run')}" if tuned.official else ""
    place = f"{tuned.folder}/{tune_record.FILE}"
    when = tuned.started_at or "an earlier call"
    return (f"not measured again: {kept} of {when}, in {place}; --rerun measures anew",)


def _search(request: Request, ready: Ready, folder: Path, tuned: Tuned, reporter: Reporter) -> Tuned:
    running = run_start.running(request, ready, folder, reporter)
    job = running.job
    config, scenario = request.config, request.config.scenarios[0]
    limits = job.rules.latency[scenario.value]
    with run_start.held_alone(folder), measure.session_of(running) as session:
        tuned = tune_record.read(folder) or tuned  # another search may have gone on with it meanwhile
        if tuned.facts != tune_record.facts(config):
            raise ConfigError(f"{folder} holds a search for another job", OTHER)
        servers = _servers(session.used)
        if tuned.probes and (told := load_record.changes(tuned.servers, servers)):
            raise ConfigError(f"{folder} holds a search on another server: {told}", OTHER)
        full = tuned.full_rate or _full_rate(session, len(running.samples), tuned.duration_s)
        guess, whence = _guess(config, full, limits, _whole(running, scenario, full))
        tuned = dataclasses.replace(
            tuned,
            full_rate=full,
            guess=guess,
            guess_from=whence,
            limits=dataclasses.asdict(limits),
            servers=servers,
            is_fake=session.used.is_fake,
        )
        reporter.say(f"{tuned.mark}full load: {number(full)} samples/s; begins at {number(guess)} ({whence})")
        while isinstance(step := next_probe(tuned.probes, guess, tuned.duration_s), Probe):
            fitted = next((each.full_rate for each in reversed(tuned.probes) if each.full_rate), full)
            whole = _whole(running, scenario, step.target_qps)
            tried = _probe(running, session, whole, step.reason, fitted, len(tuned.probes) + 1)
            tuned = dataclasses.replace(tuned, probes=(*tuned.probes, tried))
            tune_record.write(tuned)
            reporter.say(words(tuned))
    assert isinstance(step, Done)
    tuned = dataclasses.replace(tuned, low=step.low, high=step.high, reason=step.reason)
    tune_record.write(tuned)
    if step.low is not None:
        tune_record.remember(tuned.facts, step.low)
    return tuned


def _servers(used: Used) -> dict[str, Mapping[str, object]]:
    """URL -> what the server says of itself, of a system under test that asks servers."""
    return {each["url"]: each["server"] for each in used.details.get("endpoints", ())}


def _full_rate(session: Session, samples: int, duration_s: float) -> float:
    """Samples/s with everything asked at once: a short pass, then one that lasts a part of the official run."""
    batch = session.used.batch or 0
    short = session.probe(min(max(measure.PROBE_SAMPLES, measure.PROBE_BATCHES * batch), samples))
    return session.probe(max(1, math.ceil(short * FULL_SHARE * duration_s)))


def _guess(config: BenchmarkConfig, full: float, limits: Latency, whole: RunSpec) -> tuple[float, str]:
    if config.limits.target_qps is not None:
        return config.limits.target_qps, "as asked"
    more = f"{100 * (ABOVE - 1):.0f} % above"
    if (known := tune_record.recall(tune_record.facts(config))) is not None:
        return ABOVE * known, f"{more} the highest that passed when this job was last tuned here"
    guess = queue_model.highest_rate(whole.seeds, full, limits.ttft_ms / 1000, queries_of(whole))
    return ABOVE * guess, f"{more} where a queue with this rate at full load would just pass"


def _whole(running: RunInProgress, scenario: Scenario, target_qps: float) -> RunSpec:
    """The official run at that rate."""
    running.target_qps[scenario] = target_qps
    spec = measure.run_spec(running, scenario, Mode.PERFORMANCE)
    return dataclasses.replace(spec, max_query_count=None, times=None)


def queries_of(whole: RunSpec) -> Callable[[float], int]:
    """Target rate -> queries of the whole run at it."""
    return lambda target_qps: final_queries(dataclasses.replace(whole, target_qps=target_qps))


def _probe(
    running: RunInProgress, session: Session, whole: RunSpec, why: str, full: float, number: int
) -> Tried:
    """`whole`: the official run at the rate that is tried."""
    home = running.folder / "probes" / f"{number:02}"
    shutil.rmtree(home, ignore_errors=True)  # of a search that was killed
    final = final_queries(whole)
    allowed = allowed_over(final)
    if allowed is None:
        raise ConfigError(
            f"a run at {whole.target_qps:g} samples/s has {final} queries, and none below {least_queries(0)} "
            "can be VALID",
            "a longer --min-duration",
        )
    limits = running.job.rules.latency[whole.scenario.value]
    least = queue_model.least_queries(whole.seeds, whole.target_qps, full, final)
    stop = StopRule(whole.seeds, whole.target_qps, limits, final, least)
    began, before = time.monotonic(), failed_answers(session.used)
    tally, record = session.trial(
        dataclasses.replace(whole, out=home / "run_1", user_conf=home / USER_CONF), stop
    )
    failed = failed_answers(session.used) - before
    passed, outcome = judged(tally, allowed, record.validity if record else None, failed)
    fitted, foreseen = (None, None) if failed else foretold(tally, stop, queries_of(whole))
    return Tried(
        target_qps=whole.target_qps,
        passed=passed,
        reason=why,
        outcome=outcome,
        final=final,
        allowed=allowed,
        issued=tally.issued,
        answered=tally.answered,
        late_ttft=tally.late_ttft,
        late_tpot=tally.late_tpot,
        seconds=round(time.monotonic() - began, 3),
        is_whole=record is not None,
        folder=RunFolder(running.folder).place(home),
        full_rate=fitted,
        foreseen=foreseen,
    )


def foretold(
    tally: Tally, stop: StopRule, queries: Callable[[float], int]
) -> tuple[float | None, float | None]:
    """(rate at full load of a queue that waits as the probe did, the highest rate that would pass), queries/s.

    The first is None where the time per token decides; both where too few queries were seen.
    """
    limit_ms, allowed = stop.latency.ttft_ms - tally.base_ms, allowed_over(stop.final)
    if allowed is None:
        return None, None
    if by_pace(tally, stop.latency):
        return None, _foretold_by_pace(tally, stop, allowed, queries)
    if not tally.decisive_ms or limit_ms <= 0:
        return None, None
    decisive_ms = max(tally.decisive_ms, tally.base_ms + LEAST_WAIT * limit_ms)
    seen = SeenWait(decisive_ms / 1000, tally.at_s, tally.base_ms / 1000)
    full = queue_model.full_rate(stop.seeds, stop.target_qps, stop.final, allowed, seen)
    return full, queue_model.highest_rate(stop.seeds, full, limit_ms / 1000, queries)


def by_pace(tally: Tally, limits: Latency) -> bool:
    """Whether the time per token is what decides: more are late by it, or it is nearer to its limit."""
    if tally.late_tpot != tally.late_ttft:
        return tally.late_tpot > tally.late_ttft
    return tally.decisive_tpot_ms / limits.tpot_ms > tally.decisive_ms / limits.ttft_ms


def _foretold_by_pace(
    tally: Tally, stop: StopRule, allowed: int, queries: Callable[[float], int]
) -> float | None:
    """None for too few answers, and for a server that is too slow with one stream alone, or takes no time."""
    if not tally.decisive_tpot_ms or not 0 < tally.base_tpot_ms < stop.latency.tpot_ms:
        return None
    seen = SeenPace(tally.decisive_tpot_ms / 1000, tally.base_tpot_ms / 1000, tally.answer_tokens, tally.at_s)
    slowing = pace_model.fitted_slowing(stop.seeds, stop.target_qps, stop.final, allowed, seen)
    limit_s = stop.latency.tpot_ms / 1000
    return pace_model.highest_rate(stop.seeds, stop.target_qps, seen, slowing, limit_s, queries)


def failed_answers(used: Used) -> int:
    """Of all that it was asked, where the system under test counts them, as the client of a server does."""
    told = used.details.get("failures")
    return sum(told.values()) if isinstance(told, Mapping) else 0


def judged(tally: Tally, allowed: int, validity: str | None, failed: int) -> tuple[bool, str]:
    """Whether a probe passes, and why. `validity`: LoadGen's word on one that ran to its end. `failed`: answers, which
    LoadGen takes for fast ones; an official run with one is INVALID."""
    if failed:
        return False, f"{counted(failed, 'answer')} of {tally.issued} failed"
    late = f"{tally.late} late of at most {allowed}"
    if validity is not None:
        return validity == RunValidity.VALID.value, f"LoadGen says {validity} after the whole run: {late}"
    passed = tally.verdict is Judgement.PASS
    why = "the rest of the run is no harder" if passed else "more than the whole run may have"
    return passed, f"ended after {tally.answered} answers: {late}, {why}"


def words(tuned: Tuned) -> str:
    """The last probe and the bracket, in a line."""
    last, count = tuned.probes[-1], len(tuned.probes)
    low, high = bracket(tuned.probes)
    verdict = "passes" if last.passed else "fails"
    text = f"{tuned.mark}probe {count}: {last.target_qps:g} samples/s {verdict} ({last.outcome}; {last.seconds:.0f} s)"
    if low is None or high is None:
        return f"{text}; bracket {f'{low:g}' if low else '?'} to {f'{high:g}' if high else '?'}"
    more = max(0, math.ceil(math.log2(max(1.0, math.log(high / low) / math.log(RESOLUTION)))))
    left = f", at most {more} more of {tuned.duration_s:.0f} s" if more else ""
    return f"{text}; bracket {low:g} to {high:g}{left}"


def _official(request: Request, hub: Hub, folder: Path, tuned: Tuned, reporter: Reporter) -> Tuned:
    """Official runs, each below the one before, until one is VALID."""
    while (
        not any(each.validity == "VALID" for each in tuned.official) and len(tuned.official) < OFFICIAL_TRIES
    ):
        tuned = dataclasses.replace(
            tuned, official=(*tuned.official, _official_run(request, hub, folder, tuned, reporter))
        )
        tune_record.write(tuned)
    return tuned


def _official_run(request: Request, hub: Hub, folder: Path, tuned: Tuned, reporter: Reporter) -> Official:
    assert tuned.low is not None
    target = float(f"{OFFICIAL_SHARE * tuned.low:.4g}")
    if tuned.official:
        last = tuned.official[-1]
        target = stepped_down(last.target_qps, last.late, last.allowed)
    out = folder / f"official-{len(tuned.official) + 1}"
    shutil.rmtree(out, ignore_errors=True)  # of one that was killed
    config = request.config
    limits, paths = (
        dataclasses.replace(config.limits, target_qps=target),
        dataclasses.replace(config.paths, out=out),
    )
    reporter.say(f"official run at {target:g} samples/s in {out}")
    asked = dataclasses.replace(request, config=dataclasses.replace(config, limits=limits, paths=paths))
    finished = pipeline.run(asked, hub, reporter)
    scenario = config.scenarios[0]
    made = finished.result.find(scenario, Mode.PERFORMANCE)
    assert made is not None
    late = late_queries(requests.read(RunFolder(out).requests), scenario, made.limits_ms)
    return Official(target, made.validity.value, late, allowed_over(made.samples) or 0, str(out))


def late_queries(rows: Any, scenario: Scenario, limits_ms: Mapping[str, float]) -> int:
    """Queries of a performance run over a limit, of the kind that has more of them. rows: requests.parquet."""
    own = requests.of_run(rows, scenario, Mode.PERFORMANCE)
    ttft = own["first_token_ns"].to_numpy() - own["scheduled_ns"].to_numpy()
    over = [(ttft, limits_ms["ttft_p99"]), (requests.tpot_ns(own), limits_ms["tpot_p99"])]
    return max(int((values > limit * NS_PER_MS).sum()) for values, limit in over)
