"""Rules of an accuracy run (A): scores against targets, the truncated log and its hash, the whole dataset."""

from __future__ import annotations

from collections.abc import Iterator

from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import (
    ACCURACY,
    ACCURACY_LOG,
    ENTRY,
    SCORED,
    JudgedRun,
    LoggedRun,
    ScoredEntry,
    gated,
)
from assay.mlperf.checker.submission import ANSWERS_MAX_BYTES, EMPTY_ANSWERS, Entry
from assay.mlperf.logs.accuracy_text import HASH, scores

CHECKER = "submission checkers (check_accuracy_dir, AccuracyCheck)"


@rule(
    "A1",
    of=SCORED,
    title="a metric is below its target, or has one and is not in accuracy.txt",
    source=f"{CHECKER}: accuracy-target; in open reported, not gated",
    fix="repair the model or its precision; accuracy.txt must be the evaluator's own output",
)
def targets(scored: ScoredEntry) -> Iterator[Fault]:
    entry = scored.entry
    for target in scored.rules.targets.values():
        if target.low is None:  # an upper limit alone: what is not printed does not exceed it
            continue
        found = scores(scored.text, target.metric)
        expected = f">= {target.low:g} {target.unit}"
        if not found and entry.is_endpoints:  # E4
            continue
        if not found:
            severity = None if entry.submitter.is_gated else Severity.WARNING
            yield Fault(
                entry.accuracy_file, f"{target.metric} is not measured", "no such value", expected, severity
            )
        elif entry.submitter.is_gated and min(found) < target.low:
            yield Fault(entry.accuracy_file, f"{target.metric} below target", f"{min(found):g}", expected)


@rule(
    "A2",
    of=gated(SCORED),
    title="a metric is above its upper limit",
    source=f"{CHECKER}: accuracy-upper-limit (Mixtral: 1.1 x 145.9 = 160.49 tokens per sample)",
    fix="cut MBXP answers at their stop sequence; see that the model stops at the end-of-sequence id",
)
def upper_limits(scored: ScoredEntry) -> Iterator[Fault]:
    for target in scored.rules.targets.values():
        highest = max(scores(scored.text, target.metric), default=None)
        if target.high is not None and highest is not None and highest > target.high:
            expected = f"<= {target.high:g} {target.unit}"
            yield Fault(
                scored.entry.accuracy_file, f"{target.metric} above its limit", f"{highest:g}", expected
            )


@rule(
    "A3",
    of=ENTRY,
    title="accuracy.txt has no hash line",
    source=f"{CHECKER}: ^hash=; truncate_accuracy_log.py",
    fix="truncate the accuracy log with `assay submit`, which appends the hash of the whole log",
)
def hash_line(entry: Entry) -> Iterator[Fault]:
    if entry.accuracy_text is not None and not entry.is_endpoints and not HASH.search(entry.accuracy_text):
        yield Fault(entry.accuracy_file, "no hash", "no line hash=<sha256>", "hash=<64 hex digits>")


@rule(
    "A4",
    of=ENTRY,
    title="the accuracy log is not truncated",
    source=f"{CHECKER}: MAX_ACCURACY_LOG_SIZE",
    fix="truncate the accuracy log with `assay submit`; keep the original for reviewers",
)
def truncated(entry: Entry) -> Iterator[Fault]:
    size = entry.tree.files.get(entry.answers_file, 0)
    if size > ANSWERS_MAX_BYTES:
        yield Fault(
            entry.answers_file, "not truncated", f"{size:,} bytes", f"at most {ANSWERS_MAX_BYTES:,} bytes"
        )


@rule(
    "A5",
    of=ACCURACY_LOG,
    title="LoadGen reports errors in the accuracy log",
    source=f"{CHECKER}: errors of the detail log",
    fix="repair what the message names and run again",
)
def loadgen_errors(run: LoggedRun) -> Iterator[Fault]:
    for message, fails in run.log.found_errors():
        severity = Severity.ERROR if fails else Severity.WARNING
        yield Fault(run.path, "LoadGen error", message, "no errors", severity)


@rule(
    "A6",
    of=ACCURACY,
    title="the accuracy run does not cover the dataset",
    source="inference_rules: accuracy over one copy of the whole validation set; checkers: dataset-size",
    fix="run accuracy over the whole set",
)
def whole_dataset(run: JudgedRun) -> Iterator[Fault]:
    count = run.log.number("effective_accuracy_sample_count") or run.log.number("qsl_reported_total_count")
    needed = run.rules.accuracy_samples or run.rules.dataset_samples
    if count is not None and count != needed:
        # before v6.0 the official checkers print this at most, and go on
        submitter = run.entry.submitter
        is_open = submitter.round.layout == "old" and not submitter.is_gated
        yield Fault(
            run.path,
            "not the whole dataset",
            f"{count:g} samples",
            f"{needed} samples",
            Severity.WARNING if is_open else None,
        )


@rule(
    "A7",
    of=ENTRY,
    severity=Severity.WARNING,
    title="the accuracy log is empty",
    source="inference_rules: the answers of the accuracy run are part of the submission; no official checker looks",
    fix="copy the log from the run folder and truncate it",
)
def has_answers(entry: Entry) -> Iterator[Fault]:
    size = entry.tree.files.get(entry.answers_file)
    if size is not None and size <= len(EMPTY_ANSWERS):
        yield Fault(entry.answers_file, "no answers", f"{size} bytes", "the answers of the accuracy run")
