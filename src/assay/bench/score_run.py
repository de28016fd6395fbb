"""The score of an accuracy run: its log read, accuracy.txt written beside it, each metric held against its target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from assay.bench import answer_lengths
from assay.bench.running import RunInProgress
from assay.ground import files
from assay.ground.errors import AssayError
from assay.mlperf.data import tokenizer
from assay.mlperf.logs import names
from assay.mlperf.record import result
from assay.mlperf.record.result import ScoredMetric
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds.target import Score
from assay.mlperf.run import requests
from assay.mlperf.run.run_spec import RunSpec
from assay.mlperf.scoring import log as accuracy_log
from assay.mlperf.scoring.paired import loss_exceeds, reference_values
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.score import accuracy_text, score
from assay.mlperf.sut.progress import Progress

Scores = tuple[ScoredMetric, ...]
PAIRED = "one-sided paired test against the reference answers: a loss over {:g} % fails at p < 0.05"


def scores(run: RunInProgress, spec: RunSpec) -> Scores:
    """Raises: ArtifactError for a log that cannot be read, EnvironmentProblem when the disk is full."""
    if run.tokenizer is None:
        run.notes.append(
            "answers were not scored: there is no tokenizer that could read them (--tokenizer DIR)"
        )
        return ()
    reader = tokenizer.load(run.tokenizer)
    grade = Grade(
        unsafe=run.delivery.unsafe_no_sandbox,
        progress=_on_graded(run, spec),
        lcb_tests=run.job.config.paths.lcb_tests,
    )
    records = accuracy_log.read(spec.out / names.ACCURACY_FILE, "int32", reader.vocab_size)
    _keep_lengths(run, records)
    workload, rules = run.job.workload, run.job.rules
    found = score(records, run.samples, reader, grade, workload.scorers)
    files.write_text(spec.out / names.ACCURACY_TEXT, accuracy_text(workload.official_results(found)))
    run.requests[-1] = requests.with_scores(run.requests[-1], found, workload.verdicts)
    file = RunFolder(run.folder).place(spec.out / names.ACCURACY_FILE)
    metrics = [result.pair(each, rules.targets, file) for each in found]
    if len(run.samples) != run.job.whole_set:
        totals = {metric.id for scorer in workload.scorers for metric in scorer.metrics if metric.is_total}
        metrics = [replace(each, met=None) if each.metric in totals else each for each in metrics]
    if run.job.is_paired and rules.paired_loss is not None:
        reference = reference_values(found, records, run.samples, reader, grade, workload.scorers)
        metrics = [judged(each, s, reference, rules.paired_loss) for each, s in zip(metrics, found)]
    return tuple(metrics)


def judged(
    scored: ScoredMetric, found: Score, reference: Mapping[str, Mapping[int, float]], loss: float
) -> ScoredMetric:
    """A score with the verdict of the paired test in place of the plain gate's."""
    answers = reference[scored.metric]
    if scored.value is None or not answers:
        return scored
    met = not loss_exceeds(found.by_sample, answers, loss)
    return replace(scored, met=met, source=f"{scored.source}; {PAIRED.format(round(100 * loss, 6))}")


def no_scores(run: RunInProgress, spec: RunSpec) -> Scores:
    """Where answers cannot be graded, as inside a container: they are scored afterwards."""
    return ()


def _keep_lengths(run: RunInProgress, records: Sequence[accuracy_log.Record]) -> None:
    """For the next plan of the same model and dataset; a run never fails for it."""
    paths = run.job.config.paths
    if run.used and not run.used.is_fake and paths.checkpoint and paths.dataset:
        lengths = {run.samples[record.qsl_idx].row: len(record.token_ids) for record in records}
        try:
            answer_lengths.keep(paths.checkpoint, paths.dataset, lengths)
        except AssayError as error:
            run.reporter.say(f"the next plan will not know how long these answers were: {error.message}")


def _on_graded(run: RunInProgress, spec: RunSpec) -> Callable[[int, int], None]:
    phase = f"{spec.scenario.value} grading"
    return lambda done, total: run.reporter.progress(Progress(phase, done, total))
