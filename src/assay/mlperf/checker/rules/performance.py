"""Rules of a performance run (P), read from LoadGen's detail log, never from its summary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.config import Scenario
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, Level, rule
from assay.mlperf.checker.submission import Entry
from assay.mlperf.logs import names
from assay.mlperf.logs.detail import DetailLog
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


def _log(entry: Entry) -> DetailLog | None:
    """The log of an entry that can be judged: readable, and of a workload whose rules are held."""
    log = entry.performance
    return None if log is None or log.faults or entry.benchmark.rules is None else log


@rule(
    "P1",
    level=Level.ENTRY,
    title="LoadGen says INVALID",
    source="inference_rules: runs must be VALID (the modular checker and, for LLMs, v4.1's pass INVALID)",
    fix="see result_invalid_reason in the log: usually target_qps too low (Offline) or too high (Server)",
)
def validity(entry: Entry) -> Iterator[Fault]:
    log = _log(entry)
    if log is not None and log.values.get("result_validity", "VALID") != "VALID":
        reason = " ".join((log.text("result_invalid_reason") or "").split())
        yield Fault(
            entry.performance_log,
            "the run is not VALID",
            f"{log.values['result_validity']} {reason}",
            "VALID",
        )


@rule(
    "P2",
    level=Level.ENTRY,
    title="LoadGen reports errors in the performance log",
    source=f"{CHECKER}: errors of the detail log",
    fix="repair what the message names and run again; errors cannot be edited away",
)
def loadgen_errors(entry: Entry) -> Iterator[Fault]:
    log = _log(entry)
    is_modular = entry.benchmark.system.submitter.round.layout == "new"  # it reports them and goes on
    for message, fails in log.found_errors() if log is not None else ():
        severity = Severity.ERROR if fails and not is_modular else Severity.WARNING
        yield Fault(entry.performance_log, "LoadGen error", message, "no errors", severity)


@rule(
    "P3",
    level=Level.ENTRY,
    title="samples were not issued equally often",
    source=f"{CHECKER}: requires_equal_issue; mlperf.conf: sample_concatenate_permutation",
    fix="leave sample_concatenate_permutation at the round's value, and run again",
)
def equal_issue(entry: Entry) -> Iterator[Fault]:
    log, rules = _log(entry), entry.benchmark.rules
    if log is None or rules is None or entry.is_endpoints or not rules.issues_equally(entry.scenario):
        return
    is_judged = entry.submitter.is_gated or entry.round.name != "v4.1"
    logged = log.flag("effective_sample_concatenate_permutation")
    if logged is None and entry.round.needs_mlperf_conf and _conf_says_equal(entry):
        return
    if is_judged and logged is not True:
        found = str(log.values.get("effective_sample_concatenate_permutation"))
        # v4.0's LoadGen had the setting and its checker did not ask for it
        severity = Severity.WARNING if entry.round.name == "v4.0" else None
        yield Fault(entry.performance_log, "equal issue is off", found, "true", severity)


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
    level=Level.ENTRY,
    title="too few samples held ready",
    source=f"{CHECKER}: performance-sample-count",
    fix="performance_sample_count_override in user.conf must be the whole set",
)
def sample_count(entry: Entry) -> Iterator[Fault]:
    log, rules = _log(entry), entry.benchmark.rules
    count = log.number("effective_performance_sample_count") if log is not None else None
    if rules is not None and count is not None and count < rules.performance_samples:
        yield Fault(
            entry.performance_log, "too few samples", f"{count:g}", f"at least {rules.performance_samples}"
        )


@rule(
    "P5",
    level=Level.ENTRY,
    title="a seed is not the round's",
    source=f"{CHECKER}: seeds of the round, published four weeks before the deadline",
    fix="run with a LoadGen of the round (`assay rules --round ROUND` names the wheel)",
)
def seeds(entry: Entry) -> Iterator[Fault]:
    log = _log(entry)
    if log is not None:
        yield from wrong_seeds(entry, log, entry.performance_log)


def wrong_seeds(entry: Entry, log: DetailLog, path: str) -> Iterator[Fault]:
    """One fault for all seeds that differ, with the round that they are of, if any."""
    names = {"qsl": "qsl_rng_seed", "sample_index": "sample_index_rng_seed", "schedule": "schedule_rng_seed"}
    logged = {name: log.values.get(f"effective_{key}") for name, key in names.items()}
    if all(value is None for value in logged.values()):
        return
    expected = {name: getattr(entry.round.seeds, name) for name in names}
    wrong = [name for name in names if logged[name] is not None and logged[name] != expected[name]]
    if wrong:
        other = next((n for n in rounds.official_names() if _seeds_of(n) == logged), None)
        hint = f" (the seeds of {other})" if other else ""
        found = ", ".join(f"{name}={logged[name]}" for name in wrong) + hint
        yield Fault(path, "wrong seeds", found, ", ".join(f"{name}={expected[name]}" for name in wrong))


def _seeds_of(name: str) -> dict[str, int]:
    seeds = rounds.load(name).seeds
    return {"qsl": seeds.qsl, "sample_index": seeds.sample_index, "schedule": seeds.schedule}


@rule(
    "P6",
    level=Level.ENTRY,
    title="early stopping was not met",
    source="modular submission checker (latency_check); LoadGen: early_stopping_met",
    fix="lower target_qps until the share of late queries is small enough",
)
def early_stopping(entry: Entry) -> Iterator[Fault]:
    log = _log(entry)
    if log is not None and entry.scenario in EARLY_STOPPING and log.flag("early_stopping_met") is False:
        yield Fault(entry.performance_log, "early stopping not met", "false", "true")


@rule(
    "P7",
    level=Level.ENTRY,
    title="the target latency given to LoadGen is above the limit",
    source=f"{CHECKER}: latency-constraint",
    fix="remove target_latency from user.conf",
)
def target_latency(entry: Entry) -> Iterator[Fault]:
    log, rules = _log(entry), entry.benchmark.rules
    limit = rules.target_latency_ms.get(entry.scenario) if rules is not None else None
    value = log.number("effective_target_latency_ns") if log is not None else None
    if limit is not None and value is not None and value > limit * 1_000_000:
        yield Fault(
            entry.performance_log, "target latency too high", f"{value / 1e6:g} ms", f"at most {limit} ms"
        )


@rule(
    "P8",
    level=Level.ENTRY,
    title="min_query_count is below the table",
    source=f"{CHECKER}: min-queries, scenarios without early stopping",
    fix="remove min_query_count from user.conf",
)
def min_queries(entry: Entry) -> Iterator[Fault]:
    log = _log(entry)
    limit = MIN_QUERIES.get(entry.scenario)
    value = log.number("effective_min_query_count") if log is not None else None
    if limit is not None and value is not None and value < limit:
        yield Fault(entry.performance_log, "too few queries", f"{value:g}", f"at least {limit}")


@rule(
    "P9",
    level=Level.ENTRY,
    title="the Offline query holds too few samples",
    source=f"{CHECKER}: OFFLINE_MIN_SPQ_SINCE_V4",
    fix="run Offline over the whole set at least once",
)
def offline_samples(entry: Entry) -> Iterator[Fault]:
    log, rules = _log(entry), entry.benchmark.rules
    value = log.number("effective_samples_per_query") if log is not None else None
    is_offline = (
        entry.scenario == "Offline" and log is not None and log.values.get("effective_scenario") == "Offline"
    )
    if rules is not None and is_offline and value is not None and value < rules.offline_min_queries:
        yield Fault(
            entry.performance_log, "too few samples", f"{value:g}", f"at least {rules.offline_min_queries}"
        )


@rule(
    "P10",
    level=Level.ENTRY,
    title="min_duration is below the round's",
    source=f"{CHECKER}: TEST_DURATION_MS",
    fix=RERUN,
)
def min_duration(entry: Entry) -> Iterator[Fault]:
    log = _log(entry)
    value = log.number("effective_min_duration_ms") if log is not None else None
    if value is not None and value < entry.round.min_duration_ms:
        yield Fault(
            entry.performance_log, "too short", f"{value:g} ms", f"at least {entry.round.min_duration_ms} ms"
        )


@rule(
    "P11",
    level=Level.ENTRY,
    title="token latencies were not measured",
    source=f"{CHECKER}: extra_check_llm, requested_use_token_latencies",
    fix="leave use_token_latencies at the round's value, and run again",
)
def token_latencies(entry: Entry) -> Iterator[Fault]:
    log, rules = _log(entry), entry.benchmark.rules
    if log is None or rules is None or entry.is_endpoints or not rules.token_latencies:
        return
    if log.flag("requested_use_token_latencies") is not True:
        found = str(log.values.get("requested_use_token_latencies"))
        yield Fault(entry.performance_log, "use_token_latencies is off", found, "true")


@rule(
    "P12",
    level=Level.ENTRY,
    title="p99 TTFT or TPOT is not below its limit",
    source=f"{CHECKER}: LLM_LATENCY_LIMITS, strictly less",
    fix="lower target_qps",
)
def latency(entry: Entry) -> Iterator[Fault]:
    log, rules = _log(entry), entry.benchmark.rules
    limit = rules.latency.get(entry.scenario) if rules is not None else None
    if log is None or limit is None:
        return
    measured = (
        ("TTFT", "result_first_token_99.00_percentile_latency_ns", limit.ttft_ms),
        ("TPOT", "result_time_per_output_token_99.00_percentile_ns", limit.tpot_ms),
    )
    for name, key, limit_ms in measured:
        value = log.number(key)
        if value is None or value >= limit_ms * 1e6:
            found = "no such key in the log" if value is None else f"{value / 1e6:.1f} ms"
            yield Fault(entry.performance_log, f"p99 {name} too high", found, f"below {limit_ms:g} ms")


@rule(
    "P13",
    level=Level.ENTRY,
    title="the log is of another scenario than its folder",
    source=f"{CHECKER}: inferred results (only edge systems, from SingleStream or MultiStream)",
    fix="put the log into the folder of its own scenario",
)
def scenario(entry: Entry) -> Iterator[Fault]:
    log = _log(entry)
    logged = log.text("effective_scenario") if log is not None else None
    same = logged in (entry.scenario, entry.loadgen_scenario)
    if logged is None or same or entry.scenario not in SCENARIOS:
        return
    if not ("edge" in entry.system.suite and (entry.scenario, logged) in INFERRED_ON_EDGE):
        yield Fault(entry.performance_log, "log of another scenario", logged, entry.scenario)


@rule(
    "P14",
    level=Level.ENTRY,
    title="the SUT of a network submission is not named Network SUT",
    source=f"{CHECKER}: NETWORK_MODE_REQUIRED_SUBSTRING_IN_SUT_NAME",
    fix='the name that the SUT reports over the network must contain "Network SUT"',
)
def network_name(entry: Entry) -> Iterator[Fault]:
    log = None if entry.is_endpoints else _log(entry)
    name = str(log.values.get("sut_name", "")) if log is not None else "Network SUT"
    if entry.submitter.division == "network" and "Network SUT" not in name:
        yield Fault(entry.performance_log, "name of the SUT", name, "a name with Network SUT in it")


@rule(
    "P15",
    level=Level.ENTRY,
    title="the log has no result",
    source=f"{CHECKER}: RESULT_FIELD_NEW, RESULT_FIELD_BENCHMARK_OVERWRITE",
    fix="run again with token latencies on; the result of an LLM is in tokens/s",
)
def metric(entry: Entry) -> Iterator[Fault]:
    log, key = _log(entry), result_key(entry)
    if log is not None and key is not None and not (log.number(key) or 0) > 0:
        yield Fault(entry.performance_log, "no result", f"{key} = {log.values.get(key)}", f"{key} above 0")


def result_key(entry: Entry) -> str | None:
    """Key of the log that holds the official result; None where the log is of another scenario."""
    log, rules = entry.performance, entry.benchmark.rules
    logged = log.text("effective_scenario") if log is not None else None
    same = logged in (None, entry.scenario, entry.loadgen_scenario)
    return rules.result_key.get(entry.scenario) if rules is not None and same else None


@rule(
    "P16",
    level=Level.ENTRY,
    title="settings are absent from the log",
    source=f"{CHECKER}: keys that every LoadGen log has (a traceback there)",
    fix="copy the whole log from the run folder",
)
def settings(entry: Entry) -> Iterator[Fault]:
    log = None if entry.is_endpoints else _log(entry)
    missing = [key for key in NEEDED if log is not None and key not in log.values]
    if missing:
        yield Fault(entry.performance_log, "settings absent from the log", ", ".join(missing), "all of them")
