"""Rules of entries that hold artefacts of MLPerf Endpoints in place of LoadGen's logs (E), from v6.1 on."""

from __future__ import annotations

from collections.abc import Iterator

from assay.mlperf.checker import endpoints as artefacts
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import (
    ACCURACY,
    ENTRY,
    PERFORMANCE,
    PERFORMANCE_LOG,
    RULED,
    JudgedRun,
    LoggedRun,
    RuledEntry,
    endpoints,
    gated,
)
from assay.mlperf.checker.submission import Entry
from assay.mlperf.submission.tree import AUDITS, ENDPOINTS_RESULTS, ENDPOINTS_SUMMARY

CHECKER = "modular submission checker (b66003e1)"
NEEDED = ("effective_min_duration_ms", "effective_sample_index_rng_seed", "effective_schedule_rng_seed")


@rule(
    "E1",
    of=endpoints(ENTRY),
    title="the benchmark may not be run with MLPerf Endpoints",
    source=f"{CHECKER}: ENDPOINTS_ALLOWED_MODELS",
    fix="run it with LoadGen",
)
def allowed(entry: Entry) -> Iterator[Fault]:
    models = entry.round.endpoints
    if entry.benchmark.official not in models:
        yield Fault(entry.path, "artefacts of MLPerf Endpoints", entry.benchmark.official, ", ".join(models))


@rule(
    "E2",
    of=endpoints(ENTRY),
    title="an artefact of MLPerf Endpoints is missing or lies elsewhere",
    source=f"{CHECKER}: EndpointsParser; the publishing script of MLPerf Endpoints writes below performance/run_1",
    fix="put config.yaml into the scenario folder and result_summary.json into performance/",
)
def files(entry: Entry) -> Iterator[Fault]:
    for name, alternatives in (
        (ENDPOINTS_SUMMARY, ()),
        (ENDPOINTS_RESULTS, ()),
        (artefacts.CONFIGS[0], artefacts.CONFIGS[1:]),
    ):
        if not any(f"{entry.path}/{each}" in entry.tree.files for each in (name, *alternatives)):
            other = [p for p in artefacts.PUBLISHER_PATHS if p.rsplit("/", 1)[-1] == name.rsplit("/", 1)[-1]]
            there = [path for path in other if f"{entry.path}/{path}" in entry.tree.files]
            yield Fault(
                f"{entry.path}/{name}", "file is missing", there[0] if there else "no such file", name
            )


@rule(
    "E3",
    of=endpoints(PERFORMANCE_LOG),
    title="settings of the run are absent",
    source=f"{CHECKER}: seeds_check, min_duration_check (a traceback there)",
    fix="keep both seeds and min_duration_ms in config.yaml, as the run had them",
)
def settings(run: LoggedRun) -> Iterator[Fault]:
    missing = [key for key in NEEDED if key not in run.log.values]
    if missing:
        yield Fault(run.path, "settings absent", ", ".join(missing), "all of them in config.yaml")


@rule(
    "E4",
    of=endpoints(ACCURACY),
    title="a target metric is not among the scores, so that its gate cannot be judged",
    severity=Severity.WARNING,
    source="accuracy-target of the round; the official checker takes any score of an Endpoints run",
    fix="score the answers with the reference evaluator (`assay score`) and name every metric",
)
def scored(run: JudgedRun) -> Iterator[Fault]:
    found = {each.metric for each in run.entry.endpoint_scores}
    missing = [target.metric for target in run.rules.targets.values() if target.low is not None]
    if lacking := [metric for metric in missing if metric not in found]:
        severity = None if found - {"tokens_per_sample"} else Severity.ERROR
        expected = "a score for each target"
        yield Fault(run.path, "not measured", ", ".join(lacking), expected, severity)


@rule(
    "E5",
    of=gated(endpoints(RULED)),
    title="a compliance test of an Endpoints run did not pass",
    source=f"{CHECKER}: compliance_endpoints_check; TEST09 audit.config",
    fix="run the audit again; answers must be as long in the performance run as in the reference's",
)
def audits(ruled: RuledEntry) -> Iterator[Fault]:
    entry, rules = ruled.entry, ruled.rules
    for test, name in AUDITS.items():
        path = f"{entry.path}/audit/audit_{name}.json"
        if test in rules.compliance and path in entry.tree.files:
            told = entry.tree.json(path) or {}
            if told.get("test") != name or told.get("passed") is not True:
                found = f"test {told.get('test')}, passed {told.get('passed')}"
                yield Fault(path, f"{test} did not pass", found, f"test {name}, passed True")
    if "TEST09" in rules.compliance and entry.performance is not None:
        mean = entry.performance.number("mean_output_tokens")
        low, high = (rules.compliance_limits[f"test09_{end}_output_tokens"] for end in ("min", "max"))
        if not (mean and low <= mean <= high):
            found = "no mean length" if mean is None else f"{mean:.2f} tokens"
            expected = f"{low} to {high} tokens"
            yield Fault(entry.performance_log, "TEST09: answers of another length", found, expected)


@rule(
    "E6",
    of=endpoints(PERFORMANCE),
    severity=Severity.WARNING,
    title="an Endpoints run issued fewer samples than the set holds",
    source="inference_rules: the whole set is issued; the modular checker leaves it out of Endpoints runs",
    fix="issue every sample of the set at least once (n_samples_to_issue)",
)
def issued(run: JudgedRun) -> Iterator[Fault]:
    count = run.log.number("qsl_reported_total_count")
    if count is not None and count < run.rules.performance_samples:
        expected = f"at least {run.rules.performance_samples}"
        yield Fault(run.path, "too few samples", f"{count:g} issued", expected)
