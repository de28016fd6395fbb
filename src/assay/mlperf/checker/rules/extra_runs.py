"""Rules that no official checker has (X), of how a run was made: cheap to judge, each for a way in which wrong results
got through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from assay.config import Scenario
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.rules.performance import wrong_seeds
from assay.mlperf.checker.subjects import ACCURACY_LOG, ENTRY, PERFORMANCE_LOG, LoggedRun
from assay.mlperf.checker.submission import Entry
from assay.mlperf.logs import names
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.tree import FAKE_MARK

CONF_LINE = re.compile(r"^\s*([^#\s.]\S*?)\.([^.\s]+)\.([a-z_]+)\s*=\s*([-+.\deE]+)\s*$", re.MULTILINE)
CONF_KEYS = {
    "target_qps": "effective_target_qps",
    "min_duration": "effective_min_duration_ms",
    "max_duration": "effective_max_duration_ms",
    "min_query_count": "effective_min_query_count",
    "max_query_count": "effective_max_query_count",
    "performance_sample_count_override": "effective_performance_sample_count",
}


@rule(
    "X1",
    of=PERFORMANCE_LOG,
    severity=Severity.WARNING,
    title="the performance log is not of a performance run",
    source="LoadGen: effective_test_mode; not looked at by any official checker",
    fix="put the log of the PerformanceOnly run into performance/run_1",
)
def performance_mode(run: LoggedRun) -> Iterator[Fault]:
    mode = run.log.text("effective_test_mode")
    if mode is not None and mode not in ("PerformanceOnly", "SubmissionRun"):
        yield Fault(run.path, "another test mode", mode, "PerformanceOnly")


@rule(
    "X2",
    of=ACCURACY_LOG,
    severity=Severity.WARNING,
    title="the accuracy log is not of an accuracy run",
    source="LoadGen: effective_test_mode; not looked at by any official checker",
    fix="put the log of the AccuracyOnly run into accuracy/",
)
def accuracy_mode(run: LoggedRun) -> Iterator[Fault]:
    mode = run.log.text("effective_test_mode")
    if mode is not None and mode not in ("AccuracyOnly", "SubmissionRun"):
        yield Fault(run.path, "another test mode", mode, "AccuracyOnly")


@rule(
    "X3",
    of=ACCURACY_LOG,
    severity=Severity.WARNING,
    title="a seed of the accuracy run is not the round's",
    source="seeds of the round; the checkers look at those of the performance run only",
    fix="run accuracy with the same LoadGen as performance",
)
def accuracy_seeds(run: LoggedRun) -> Iterator[Fault]:
    yield from wrong_seeds(run)


@rule(
    "X4",
    of=PERFORMANCE_LOG,
    severity=Severity.WARNING,
    title="user.conf says other than what was run",
    source="LoadGen: effective_* settings of the detail log, model words of mlperf.conf; in no official checker",
    fix="submit the user.conf of the run",
)
def user_conf(run: LoggedRun) -> Iterator[Fault]:
    entry = run.entry
    path = f"{entry.layout.measurements(entry.place)}/{names.USER_CONF}"
    if run.log.faults or not entry.tree.files.get(path):
        return
    for key, values in _asked(entry, entry.tree.text(path) or "").items():
        logged = run.log.number(CONF_KEYS[key])
        is_pinned = key == "min_query_count" and entry.scenario == "Offline"
        if logged is None or is_pinned or any(abs(logged - v) <= 1e-4 * abs(v) for v in values):
            continue
        asked = " or ".join(f"{value:g}" for value in values)
        yield Fault(path, f"{key} differs from the log", f"{asked} in user.conf", f"{logged:g} in the log")


def _asked(entry: Entry, text: str) -> dict[str, list[float]]:
    """Settings that user.conf gives this entry; an exact model and scenario override `*`.

    A setting has several values where models of several names give it: LoadGen does not log which of them it
    used.
    """
    found: dict[str, dict[int, dict[str, float]]] = {}
    scenarios = ("*", entry.scenario, entry.loadgen_scenario)
    for model, scenario, key, value in CONF_LINE.findall(text):
        if key not in CONF_KEYS or model not in _model_names(entry) or scenario not in scenarios:
            continue
        with suppress(ValueError):
            rank = 2 * (scenario != "*") + (model != "*")
            found.setdefault(key, {}).setdefault(rank, {})[model] = float(value)
    return {key: list(ranks[max(ranks)].values()) for key, ranks in found.items()}


def _model_names(entry: Entry) -> set[str]:
    """Names under which user.conf may speak of the entry: the folder's, the official one, and LoadGen's."""
    benchmark = entry.benchmark
    known = {"*", benchmark.name, benchmark.official, benchmark.loadgen_key}
    if (scenario := Scenario.named(entry.scenario)) is not None:
        known.add(f"{benchmark.loadgen_key}{scenario.key_suffix}")
    return known


@rule(
    "X5",
    of=PERFORMANCE_LOG,
    severity=Severity.WARNING,
    title="performance and accuracy were run with SUTs of different names",
    source="inference_rules: the same code for performance and accuracy; LoadGen: sut_name",
    fix="run both modes with the same SUT",
)
def same_sut(run: LoggedRun) -> Iterator[Fault]:
    accuracy = run.entry.accuracy
    first = run.log.text("sut_name")
    second = accuracy.text("sut_name") if accuracy is not None else None
    if first and second and first != second:
        yield Fault(run.entry.accuracy_log, "another SUT", second[:80], first[:80])


@rule(
    "X10",
    of=PERFORMANCE_LOG,
    severity=Severity.WARNING,
    title="the performance run was made with audit settings",
    source="LoadGen warns of an audit.config it found; not looked at by any official checker",
    fix="remove audit.config from the working folder and run again",
)
def audit_settings(run: LoggedRun) -> Iterator[Fault]:
    for message in run.log.warnings:
        if "audit" in message.lower():
            yield Fault(run.path, "audit settings in a performance run", message, "no audit.config")


@rule(
    "X11",
    of=PERFORMANCE_LOG,
    severity=Severity.WARNING,
    title="the log is older than the round before",
    source="submission_rules: results of the round; LoadGen: test_datetime",
    fix="submit logs of runs made for this round",
)
def fresh(run: LoggedRun) -> Iterator[Fault]:
    official = rounds.official_names()
    position = official.index(run.entry.round.name) if run.entry.round.name in official else 0
    date = run.log.text("test_datetime")
    if position == 0 or date is None or not re.match(r"\d{4}-\d\d-\d\d", date):
        return
    before = rounds.load(official[position - 1])
    if date[:10] < before.deadline:
        yield Fault(run.path, "an old log", date[:10], f"after {before.deadline}, {before.name}'s deadline")


@rule(
    "X12",
    of=ENTRY,
    title="the README says that the run is a fake",
    source="Assay stamps runs of a SUT that computes nothing",
    fix="run with a real SUT",
)
def fake(entry: Entry) -> Iterator[Fault]:
    path = f"{entry.layout.measurements(entry.place)}/README.md"
    if FAKE_MARK in (entry.tree.text(path) or ""):
        yield Fault(path, "a run of a SUT that computes nothing", FAKE_MARK, "a run of a real SUT")
