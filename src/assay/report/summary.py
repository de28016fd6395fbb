"""What the terminal shows when a run has ended: RunResult in, a few lines out."""

from __future__ import annotations

from collections.abc import Iterator

from assay.mlperf.result import ModeResult, RunResult
from assay.report import words
from assay.report.readme import is_whole_set


def render(result: RunResult) -> str:
    used = result.used
    head = [
        f"{result.workload}, round {result.round}: {words.standing(result)}",
        f"  used     {used.get('sut')}, {used.get('precision')} weights, batch {used.get('batch')}, "
        f"{used.get('device')}, {used.get('backend')}",
        f"  dataset  {result.dataset.get('samples')} of {result.dataset.get('rows')} samples",
    ]
    body = [line for run in result.runs for line in _mode(result, run)]
    return "\n".join([*head, *body, *(f"  note     {note}" for note in result.notes)])


def _mode(result: RunResult, run: ModeResult) -> Iterator[str]:
    yield f"  {run.scenario} {run.mode}: {run.samples} samples in {words.number(run.seconds)} s"
    if run.mode == "performance":
        yield f"    {words.figure(run.figure('tokens_per_s'))}, {words.figure(run.figure('samples_per_s'))}"
        if run.scenario == "Server":
            yield (
                f"    p99 first token {words.figure(run.figure('ttft_p99'))}, "
                f"per output token {words.figure(run.figure('tpot_p99'))}"
            )
        yield f"    {words.validity(result, run)}"
    judged = is_whole_set(result)
    for score in run.scores:
        yield (
            f"    {words.title(score.metric):<18} {words.value(score):<52} target {words.gate(score):<20} "
            f"{words.verdict(score, judged)}"
        )
