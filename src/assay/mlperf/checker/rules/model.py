"""Rules of a benchmark's folder (M) and of what Assay cannot judge (N)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.ground.errors import did_you_mean
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import BENCHMARK, ENTRY, HELD, HeldBenchmark
from assay.mlperf.checker.submission import Benchmark, Entry
from assay.mlperf.submission.tree import SCENARIOS, scenario_name

CHECKER = "submission checkers (required and optional scenarios)"


@rule(
    "M1",
    of=BENCHMARK,
    title="the benchmark is not part of the round",
    source="submission checkers: models of the round",
    fix="use the official benchmark name of the round; in open/, map your own name in model_mapping.json",
)
def known_benchmark(benchmark: Benchmark) -> Iterator[Fault]:
    round_ = benchmark.system.submitter.round
    if benchmark.rules is not None or benchmark.official in round_.not_judged:
        return
    reason = round_.refused.get(benchmark.official) or did_you_mean(benchmark.official, round_.workloads)
    yield Fault(
        benchmark.path, f"{benchmark.official} is not in round {round_.name}", benchmark.official, reason
    )


@rule(
    "M2",
    of=HELD,
    title="a scenario that the benchmark does not have",
    source=f"{CHECKER}; in open any LoadGen scenario",
    fix="remove the scenario's folder, or correct its name",
)
def known_scenario(held: HeldBenchmark) -> Iterator[Fault]:
    benchmark = held.benchmark
    is_gated = benchmark.system.submitter.is_gated
    allowed = held.rules.allowed_in(benchmark.system.suite) if is_gated else SCENARIOS
    for entry in benchmark.entries():
        if entry.scenario not in allowed:
            yield Fault(entry.path, "unknown scenario", entry.folder, " | ".join(allowed) or "none")


@rule(
    "M3",
    of=HELD,
    title="a required scenario is absent",
    source=f"{CHECKER}, closed and network",
    fix="run the scenario and add it, or submit to the open division",
)
def required_scenarios(held: HeldBenchmark) -> Iterator[Fault]:
    benchmark = held.benchmark
    if not benchmark.system.submitter.is_gated:
        return
    for name in held.rules.required_of(benchmark.system.suite):
        if name not in benchmark.scenarios():
            present = ", ".join(sorted(benchmark.scenarios())) or "none"
            yield Fault(benchmark.path, f"{name} is required", present, name)


@rule(
    "M4",
    of=HELD,
    title="neither Server nor Interactive is present",
    source="submission checkers since v5.1: one of the optional scenarios",
    fix="add one of the two scenarios, or submit to the open division",
)
def one_of(held: HeldBenchmark) -> Iterator[Fault]:
    benchmark, rules = held.benchmark, held.rules
    if not rules.one_of or not benchmark.system.submitter.is_gated:
        return
    if "datacenter" in benchmark.system.suite and not benchmark.scenarios() & set(rules.one_of):
        present = ", ".join(sorted(benchmark.scenarios())) or "none"
        yield Fault(benchmark.path, "one of the scenarios is required", present, " or ".join(rules.one_of))


@rule(
    "N1",
    of=BENCHMARK,
    severity=Severity.WARNING,
    title="a benchmark whose rules Assay does not hold: not judged",
    source="Assay's round files: not_judged",
    fix="judge it with the round's official checker; nothing here says that it is fine",
)
def not_held(benchmark: Benchmark) -> Iterator[Fault]:
    round_ = benchmark.system.submitter.round
    if benchmark.rules is None and benchmark.official in round_.not_judged:
        yield Fault(benchmark.path, "not judged", benchmark.official, ", ".join(round_.workloads))


@rule(
    "N2",
    of=ENTRY,
    severity=Severity.NOTE,
    title="rules that could not be judged because a file is missing or unreadable",
    source="Assay: a rule without its input is neither passed nor failed",
    fix="repair the file that another finding names, and check again",
)
def not_judgeable(entry: Entry) -> Iterator[Fault]:
    needs = (
        (entry.performance, "performance rules (P)", entry.performance_log),
        (entry.accuracy, "rules of the accuracy run (A5, A6)", entry.accuracy_log),
        (entry.accuracy_text, "accuracy targets (A1, A2, A3)", entry.accuracy_file),
    )
    for content, rules, path in needs:
        if content is None:
            yield Fault(path, f"not judged: {rules}", "no usable file", scenario_name(entry.folder))
