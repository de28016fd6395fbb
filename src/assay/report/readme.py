"""README.md of a run: RunResult in, Markdown out; the run folder and the submission get the same text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from assay.config import Mode, Scenario
from assay.ground.count import counted
from assay.ground.printable import printable
from assay.mlperf.record.result import ModeResult, RunResult
from assay.report import words
from assay.report.replica_table import replica_markdown

HOST_FIELDS = (
    ("operating_system", "OS version"),
    ("host_processor_model_name", "CPU"),
    ("host_processor_core_count", "CPU cores"),
    ("host_memory_capacity", "Memory"),
    ("accelerators_per_node", "Accelerators"),
    ("accelerator_model_name", "Accelerator"),
)


def render(result: RunResult, scenario: Scenario | None = None) -> str:
    """The whole document, or that of one scenario (for the submission's folder of that scenario)."""
    runs = [run for run in result.runs if scenario in (None, run.scenario)]
    used = result.used
    lines = [
        f"# {result.workload}, round {result.round}" + (f", {scenario}" if scenario else ""),
        "",
        f"Made with Assay {result.assay}. **{words.standing(result)}.**",
        "",
        *[f"- {note}" for note in words.notes(result)],
        "",
        "## Host platform",
        "",
        *_host(result),
        "",
        *_command(result),
        "## Results",
        "",
        f"Platform: {used.sut} on {used.device}, {used.backend}"
        if used
        else "Platform: the SUT was not loaded",
        "",
        f"Model precision, read back from the loaded weights: {used.precision if used else 'unknown'}",
        "",
        f"Dataset: {result.dataset.samples} of {result.dataset.rows} samples, "
        f"SHA-256 {result.dataset.sha256}",
        "",
        *_accuracy_dataset(result),
    ]
    for name in dict.fromkeys(run.scenario for run in runs):
        lines += _scenario(result, name, [run for run in runs if run.scenario is name])
    lines += replica_markdown(result)
    return printable("\n".join(lines).rstrip()) + "\n"


def _command(result: RunResult) -> list[str]:
    """Nothing where another tool ran it."""
    if not result.command:
        return []
    return ["## Run command", "", "```bash", shlex.join(result.command), "```", ""]


def _host(result: RunResult) -> Iterator[str]:
    for key, label in HOST_FIELDS:
        if (found := result.system.get(key)) and found.value:
            yield f"- {label}: {found.value}"
    yield f"- Assay version: {result.assay}"
    yield f"- LoadGen: mlcommons-loadgen {result.loadgen.version}, seeds of {result.loadgen.round}"


def _scenario(result: RunResult, name: Scenario, runs: list[ModeResult]) -> list[str]:
    accuracy = next((run for run in runs if run.mode is Mode.ACCURACY), None)
    performance = next((run for run in runs if run.mode is Mode.PERFORMANCE), None)
    return [
        f"### {name}",
        "",
        "#### Accuracy",
        "",
        *(_accuracy(result, accuracy) if accuracy else [words.NOT_MEASURED]),
        "",
        "#### Performance",
        "",
        *(_performance(result, performance) if performance else [words.NOT_MEASURED]),
        "",
    ]


def _accuracy_dataset(result: RunResult) -> Iterator[str]:
    if (used := result.accuracy_dataset) is not None:
        yield f"Dataset of the accuracy runs: {used.samples} of {used.rows} samples, SHA-256 {used.sha256}"
        yield ""


def _accuracy(result: RunResult, run: ModeResult) -> Iterator[str]:
    judged = result.scored_dataset.is_whole_set
    if run.faults:
        yield f"{words.validity(result, run)}."
        yield ""
    if not judged:
        yield (
            f"Over {counted(run.samples, 'sample')}, which is not the whole set: these figures cannot meet "
            "a closed-division target."
        )
        yield ""
    yield "| metric | value | closed-division target | verdict |"
    yield "|---|---|---|---|"
    for score in run.scores:
        yield (
            f"| {words.title(score.metric)} | {words.value(score)} | {words.gate(score)} "
            f"| {words.verdict(score, judged)} |"
        )
    if sources := sorted({score.source for score in run.scores if score.source}):
        yield ""
        yield f"Targets: {'; '.join(sources)}."


def _performance(result: RunResult, run: ModeResult) -> Iterator[str]:
    yield f"{words.validity(result, run)}."
    if advice := words.advice(run):
        yield f"Try `{advice}`."
    yield ""
    yield "| figure | value |"
    yield "|---|---|"
    for metric in ("tokens_per_s", "samples_per_s"):
        yield f"| {words.title(metric)} | {words.figure(run.figure(metric))} |"
    for label, text in words.latencies(run):
        yield f"| {label} | {text} |"
    if run.energy is not None and run.energy.joules is not None:
        yield f"| Energy | {words.energy(run.energy)} |"
    if late := words.told_late(run):
        yield f"| First tokens | {late} |"
    yield f"| Samples | {run.samples} in {words.number(run.seconds)} s |"
