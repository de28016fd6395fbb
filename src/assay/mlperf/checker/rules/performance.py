"""Rules of a performance run (P), read from LoadGen's detail log, never from its summary."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from assay.config import Scenario
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import PERFORMANCE, JudgedRun, LoggedRun, loadgen
from assay.mlperf.checker.submission import Entry
from assay.mlperf.logs import names
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.tree import SCENARIOS

CHECKER = "submission checkers (check_performance_dir, PerformanceCheck)"
EARLY_STOPPING = tuple(scenario.value for scenario in Scenario if scenario.has_early_stopping)
INFERRED_ON_EDGE = {("Offline", "SingleStream"), ("Offline", "MultiStream"), ("MultiStream", "SingleStream")}
MIN_QUERIES = {"Offline": 1}
RERUN = "run again with the round's settings (`assay bench --style valid`)"
NEEDED = (
    "effective_scenario",
    "effective_performance_sample_count",
    "effective_qsl_rng_seed",
    "effective_sample_index_rng_seed",
    "effective_schedule_rng_seed",
    "effective_min_duration_ms",
    "effective_min_query_count",
    "effective_samples_per_query",
    "result_validity",
)


@rule(
    "P1",
    of=PERFORMANCE,
    title="LoadGen says INVALID",
    source="inference_rules: runs must be VALID (the modular checker and, for LLMs, v4.1's pass INVALID)",
    fix="see result_invalid_reason in the log: usually target_qps too low (Offline) or too high (Server)",
)
def validity(run: JudgedRun) -> Iterator[Fault]:
    if run.log.values.get("result_validity", "VALID") != "VALID":
        reason = " ".join((run.log.text("result_invalid_reason") or "").split())
        yield Fault(
            run.path,
            "the run is not VALID",
            f"{run.log.values['result_validity']} {reason}",
            "VALID",
        )


@rule(
    "P2",
    of=PERFORMANCE,
    title="LoadGen reports errors in the performance log",
    source=f"{CHECKER}: errors of the detail log",
    fix="repair what the message names and run again; errors cannot be edited away",
)
def loadgen_errors(run: JudgedRun) -> Iterator[Fault]:
    is_modular = run.entry.round.layout == "new"  # it reports them and goes on
    for message, fails in run.log.found_errors():
        severity = Severity.ERROR if fails and not is_modular else Severity.WARNING
        yield Fault(run.path, "LoadGen error", message, "no errors", severity)


@rule(
    "P3",
    of=loadgen(PERFORMANCE),
    title="samples were not issued equally often",
    source=f"{CHECKER}: requires_equal_issue; mlperf.conf: sample_concatenate_permutation",
    fix="leave sample_concatenate_permutation at the round's value, and run again",
)
def equal_issue(run: JudgedRun) -> Iterator[Fault]:
    entry, log = run.entry, run.log
    if not run.rules.issues_equally(entry.scenario):
        return
    is_judged = entry.submitter.is_gated or entry.round.name != "v4.1"
    logged = log.flag("effective_sample_concatenate_permutation")
    if logged is None and entry.round.needs_mlperf_conf and _conf_says_equal(entry):
        return
    if is_judged and logged is not True:
        found = str(log.values.get("effective_sample_concatenate_permutation"))
        # v4.0's LoadGen had the setting and its checker did not ask for it
        severity = Severity.WARNING if entry.round.name == "v4.0" else None
        yield Fault(run.path, "equal issue is off", found, "true", severity)


def _conf_says_equal(entry: Entry) -> bool:
    """v4.1's LoadGen did not log the setting, so its checker reads mlperf.conf and user.conf."""
    folder = entry.layout.measurements(entry.place)
    pattern = (
        rf"^\s*{re.escape(entry.benchmark.loadgen_key)}\.\S+\.sample_concatenate_permutation\s*=\s*1\s*$"
    )
    texts = (entry.tree.text(f"{folder}/{name}") for name in (names.MLPERF_CONF, names.USER_CONF))
    return any(re.search(pattern, text or "", re.MULTILINE) for text in texts)


@rule(
    "P4",
    of=PERFORMANCE,
    title="too few samples held ready",
    source=f"{CHECKER}: performance-sample-count",
    fix="performance_sample_count_override in user.conf must be the whole set",
)
def sample_count(run: JudgedRun) -> Iterator[Fault]:
    count = run.log.number("effective_performance_sample_count")
    if count is not None and count < run.rules.performance_samples:
        yield Fault(run.path, "too few samples", f"{count:g}", f"at least {run.rules.performance_samples}")


@rule(
    "P5",
    of=PERFORMANCE,
    title="a seed is not the round's",
    source=f"{CHECKER}: seeds of the round, published four weeks before the deadline",
    fix="run with a LoadGen of the round (`assay rules --round ROUND` names the wheel)",
)
def seeds(run: JudgedRun) -> Iterator[Fault]:
    yield from wrong_seeds(run)


def wrong_seeds(run: LoggedRun) -> Iterator[Fault]:
    """One fault for all seeds that differ, with the round that they are of, if any."""
    expected = dataclasses.asdict(run.entry.round.seeds)
    logged = {name: run.log.values.get(f"effective_{name}_rng_seed") for name in expected}
    wrong = [name for name, seed in logged.items() if seed is not None and seed != expected[name]]
    if wrong:
        known = {name: dataclasses.asdict(rounds.load(name).seeds) for name in rounds.official_names()}
        other = next((name for name, seeds in known.items() if seeds == logged), None)
        hint = f" (the seeds of {other})" if other else ""
        found = ", ".join(f"{name}={logged[name]}" for name in wrong) + hint
        yield Fault(run.path, "wrong seeds", found, ", ".join(f"{name}={expected[name]}" for name in wrong))


@rule(
    "P6",
    of=PERFORMANCE,
    title="early stopping was not met",
    source="modular submission checker (latency_check); LoadGen: early_stopping_met",
    fix="lower target_qps until the share of late queries is small enough",
)
def early_stopping(run: JudgedRun) -> Iterator[Fault]:
    if run.entry.scenario in EARLY_STOPPING and run.log.flag("early_stopping_met") is False:
        yield Fault(run.path, "early stopping not met", "false", "true")


@rule(
    "P7",
    of=PERFORMANCE,
    title="the target latency given to LoadGen is above the limit",
    source=f"{CHECKER}: latency-constraint",
    fix="remove target_latency from user.conf",
)
def target_latency(run: JudgedRun) -> Iterator[Fault]:
    limit = run.rules.target_latency_ms.get(run.entry.scenario)
    value = run.log.number("effective_target_latency_ns")
    if limit is not None and value is not None and value > limit * 1_000_000:
        yield Fault(run.path, "target latency too high", f"{value / 1e6:g} ms", f"at most {limit} ms")


@rule(
    "P8",
    of=PERFORMANCE,
    title="min_query_count is below the table",
    source=f"{CHECKER}: min-queries, scenarios without early stopping",
    fix="remove min_query_count from user.conf",
)
def min_queries(run: JudgedRun) -> Iterator[Fault]:
    limit = MIN_QUERIES.get(run.entry.scenario)
    value = run.log.number("effective_min_query_count")
    if limit is not None and value is not None and value < limit:
        yield Fault(run.path, "too few queries", f"{value:g}", f"at least {limit}")


@rule(
    "P9",
    of=PERFORMANCE,
    title="the Offline query holds too few samples",
    source=f"{CHECKER}: OFFLINE_MIN_SPQ_SINCE_V4",
    fix="run Offline over the whole set at least once",
)
def offline_samples(run: JudgedRun) -> Iterator[Fault]:
    value = run.log.number("effective_samples_per_query")
    is_offline = run.entry.scenario == "Offline" and run.log.values.get("effective_scenario") == "Offline"
    if is_offline and value is not None and value < run.rules.offline_min_queries:
        yield Fault(run.path, "too few samples", f"{value:g}", f"at least {run.rules.offline_min_queries}")


@rule(
    "P10",
    of=PERFORMANCE,
    title="min_duration is below the round's",
    source=f"{CHECKER}: TEST_DURATION_MS",
    fix=RERUN,
)
def min_duration(run: JudgedRun) -> Iterator[Fault]:
    value = run.log.number("effective_min_duration_ms")
    if value is not None and value < run.entry.round.min_duration_ms:
        least = f"at least {run.entry.round.min_duration_ms / 1000:g} s"
        yield Fault(run.path, "too short a minimum duration was asked for", f"{value / 1000:g} s", least)


@rule(
    "P11",
    of=loadgen(PERFORMANCE),
    title="token latencies were not measured",
    source=f"{CHECKER}: extra_check_llm, requested_use_token_latencies",
    fix="leave use_token_latencies at the round's value, and run again",
)
def token_latencies(run: JudgedRun) -> Iterator[Fault]:
    if run.rules.token_latencies and run.log.flag("requested_use_token_latencies") is not True:
        found = str(run.log.values.get("requested_use_token_latencies"))
        yield Fault(run.path, "use_token_latencies is off", found, "true")


@rule(
    "P12",
    of=PERFORMANCE,
    title="p99 TTFT or TPOT is not below its limit",
    source=f"{CHECKER}: LLM_LATENCY_LIMITS, strictly less",
    fix="lower target_qps",
)
def latency(run: JudgedRun) -> Iterator[Fault]:
    limit = run.rules.latency.get(run.entry.scenario)
    if limit is None:
        return
    measured = (
        ("TTFT", "result_first_token_99.00_percentile_latency_ns", limit.ttft_ms),
        ("TPOT", "result_time_per_output_token_99.00_percentile_ns", limit.tpot_ms),
    )
    for name, key, limit_ms in measured:
        value = run.log.number(key)
        if value is None or value >= limit_ms * 1e6:
            found = "no such key in the log" if value is None else f"{value / 1e6:.1f} ms"
            yield Fault(run.path, f"p99 {name} too high", found, f"below {limit_ms:g} ms")


@rule(
    "P13",
    of=PERFORMANCE,
    title="the log is of another scenario than its folder",
    source=f"{CHECKER}: inferred results (only edge systems, from SingleStream or MultiStream)",
    fix="put the log into the folder of its own scenario",
)
def scenario(run: JudgedRun) -> Iterator[Fault]:
    entry, logged = run.entry, run.log.text("effective_scenario")
    same = logged in (entry.scenario, entry.loadgen_scenario)
    if logged is None or same or entry.scenario not in SCENARIOS:
        return
    if not ("edge" in entry.system.suite and (entry.scenario, logged) in INFERRED_ON_EDGE):
        yield Fault(run.path, "log of another scenario", logged, entry.scenario)


@rule(
    "P14",
    of=loadgen(PERFORMANCE),
    title="the SUT of a network submission is not named Network SUT",
    source=f"{CHECKER}: NETWORK_MODE_REQUIRED_SUBSTRING_IN_SUT_NAME",
    fix='the name that the SUT reports over the network must contain "Network SUT"',
)
def network_name(run: JudgedRun) -> Iterator[Fault]:
    name = str(run.log.values.get("sut_name", ""))
    if run.entry.submitter.division == "network" and "Network SUT" not in name:
        yield Fault(run.path, "name of the SUT", name, "a name with Network SUT in it")


@rule(
    "P15",
    of=PERFORMANCE,
    title="the log has no result",
    source=f"{CHECKER}: RESULT_FIELD_NEW, RESULT_FIELD_BENCHMARK_OVERWRITE",
    fix="run again with token latencies on; the result of an LLM is in tokens/s",
)
def metric(run: JudgedRun) -> Iterator[Fault]:
    key = result_key(run.entry)
    if key is not None and not (run.log.number(key) or 0) > 0:
        yield Fault(run.path, "no result", f"{key} = {run.log.values.get(key)}", f"{key} above 0")


def result_key(entry: Entry) -> str | None:
    """Key of the log that holds the official result; None where the log is of another scenario."""
    log, rules = entry.performance, entry.benchmark.rules
    logged = log.text("effective_scenario") if log is not None else None
    same = logged in (None, entry.scenario, entry.loadgen_scenario)
    return rules.result_key.get(entry.scenario) if rules is not None and same else None


@rule(
    "P16",
    of=loadgen(PERFORMANCE),
    title="settings are absent from the log",
    source=f"{CHECKER}: keys that every LoadGen log has (a traceback there)",
    fix="copy the whole log from the run folder",
)
def settings(run: JudgedRun) -> Iterator[Fault]:
    missing = [key for key in NEEDED if key not in run.log.values]
    if missing:
        yield Fault(run.path, "settings absent from the log", ", ".join(missing), "all of them")
