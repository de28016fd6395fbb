"""Rules that no official checker has (X), of what a run answered: cheap to judge, each for a way in which wrong results
got through."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress

from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import (
    ANSWERED,
    ENTRY,
    PERFORMANCE_LOG,
    RULED,
    SCORED,
    AnsweredEntry,
    LoggedRun,
    RuledEntry,
    ScoredEntry,
    gated,
)
from assay.mlperf.checker.submission import EMPTY_ANSWERS, Entry
from assay.mlperf.compliance import test06
from assay.mlperf.logs import names
from assay.mlperf.logs.accuracy_text import HASH, scores
from assay.mlperf.logs.width import Misread, misread

TOKENS_DIFFER_BY = 0.10
"""Share by which the tokens per sample of both runs may differ: answers of other samples, of the same model."""


@rule(
    "X6",
    of=ANSWERED,
    severity=Severity.WARNING,
    title="the hash is not that of the accuracy log",
    source="truncate_accuracy_log.py: SHA-256 of the whole log; an untruncated log can be hashed again",
    fix="truncate the log again from the original",
)
def hash_of_log(answered: AnsweredEntry) -> Iterator[Fault]:
    match = HASH.search(answered.entry.accuracy_text or "")
    if match is None:
        return
    answers = answered.answers
    unix = answers.replace(b"\r\n", b"\n")  # git may have changed the line ends after the hash was made
    digests = [hashlib.sha256(form).hexdigest() for form in (answers, unix, unix.replace(b"\n", b"\r\n"))]
    if match[1] not in digests:
        yield Fault(answered.entry.accuracy_file, "hash of another file", match[1][:64], digests[0])


@rule(
    "X7",
    of=RULED,
    severity=Severity.WARNING,
    title="the sampled log of TEST06 is missing, empty or short",
    source="TEST06 audit.config: sampling target 100; the official verification passes an empty log",
    fix="run `assay compliance RUN`, which refuses an empty or short log",
)
def sampled_log(ruled: RuledEntry) -> Iterator[Fault]:
    entry = ruled.entry
    is_filed = f"{entry.compliance_folder('TEST06')}/{names.VERDICT_FILE}" in entry.tree.files
    if "TEST06" not in ruled.rules.compliance or not is_filed:
        return
    path = _sampled_log(entry)
    count = (entry.tree.read(path) or b"").count(b'"qsl_idx"')
    if count < test06.SAMPLES_MIN:
        found = f"{count} samples" if path in entry.tree.files else "no such file"
        yield Fault(path, "too few sampled answers", found, f"at least {test06.SAMPLES_MIN} samples")


def _sampled_log(entry: Entry) -> str:
    return f"{entry.compliance_folder('TEST06')}/{names.ACCURACY_RUN}/{names.ACCURACY_FILE}"


@rule(
    "X15",
    of=RULED,
    severity=Severity.WARNING,
    title="answers logged by TEST06 end in more than one end-of-sequence id of the model",
    source="TEST06 README: one at the end at most; the id given to the official script with -e equals none",
    fix="cut answers after their first end-of-sequence id, also in the log",
)
def ends_once(ruled: RuledEntry) -> Iterator[Fault]:
    entry, rules = ruled.entry, ruled.rules
    if rules.eos_id is None or "TEST06" not in rules.compliance:
        return
    path = _sampled_log(entry)
    content = entry.tree.read(path)
    with suppress(ValueError):  # cut, or of another dtype: nothing can be said of its ids
        if content is not None and (wrong := test06.ending_twice(content, rules.eos_id)):
            shown = ", ".join(map(str, wrong[:5]))
            yield Fault(
                path,
                "answers end more than once",
                f"{len(wrong)} answers (samples {shown}) end in {rules.eos_id} twice or more",
                f"one {rules.eos_id} at most",
            )


@rule(
    "X8",
    of=PERFORMANCE_LOG,
    severity=Severity.WARNING,
    title="the performance run's answers are of another length than the accuracy run's",
    source="inference_rules: same output for performance and accuracy",
    fix="run both modes with the same generation settings",
)
def same_length(run: LoggedRun) -> Iterator[Fault]:
    performed, accuracy = run.log.tokens_per_sample, _tokens_per_sample(run.entry)
    if not performed or not accuracy or _misread(run.entry) is not None:
        return
    if abs(performed / accuracy - 1) > TOKENS_DIFFER_BY:
        found = f"{performed:.1f} tokens per sample in the performance run"
        yield Fault(run.path, "answers of another length", found, f"{accuracy:g}, within 10 %")


def _tokens_per_sample(entry: Entry) -> float | None:
    """What accuracy.txt says."""
    return next(reversed(scores(entry.accuracy_text or "", "tokens_per_sample")), None)


def _misread(entry: Entry) -> Misread | None:
    printed = _tokens_per_sample(entry)
    performed = entry.performance.tokens_per_sample if entry.performance is not None else None
    return misread(printed, entry.kept_answers, performed) if printed else None


@rule(
    "X14",
    of=ENTRY,
    severity=Severity.WARNING,
    title="token ids were scored with the wrong width",
    source="evaluate-accuracy.py --dtype; reference SUTs log int64 in Offline, CM and MLC score int32",
    fix="score the log again with the type its ids have (`assay score --dtype`), and file that accuracy.txt",
)
def right_width(entry: Entry) -> Iterator[Fault]:
    wrong = _misread(entry)
    if wrong is not None:
        found = f"{_tokens_per_sample(entry):g} tokens per sample as {wrong.scored}; {wrong.evidence}"
        expected = f"{wrong.tokens_per_sample:g} as {wrong.logged}, which the ids are"
        yield Fault(entry.accuracy_file, f"{wrong.logged} ids were scored as {wrong.scored}", found, expected)


@rule(
    "X9",
    of=gated(SCORED),
    severity=Severity.WARNING,
    title="a metric is above the limit of the written rules, though not above the checker's",
    source="inference_rules: 90 to 110 % of the reference; the checker kept the limit of an older reference",
    fix="shorten the answers to within 110 % of the reference; a reviewer may hold you to it",
)
def written_limits(scored: ScoredEntry) -> Iterator[Fault]:
    for metric, limit in scored.rules.rules_high.items():
        highest = max(scores(scored.text, metric), default=0.0)
        checkers = scored.rules.targets[metric].high
        if limit < highest and (checkers is None or highest <= checkers):
            yield Fault(
                scored.entry.accuracy_file,
                f"{metric} above the rules' limit",
                f"{highest:g}",
                f"<= {limit:g}",
            )


@rule(
    "X13",
    of=ANSWERED,
    severity=Severity.WARNING,
    title="a small accuracy log is not JSON",
    source="LoadGen writes a JSON list; a truncated log is marked by the dots in its middle",
    fix="copy the log from the run folder and truncate it again",
)
def answers_are_json(answered: AnsweredEntry) -> Iterator[Fault]:
    if len(answered.answers) <= len(EMPTY_ANSWERS):  # A7
        return
    try:
        json.loads(answered.answers)
    except (ValueError, RecursionError) as error:
        yield Fault(
            answered.entry.answers_file, "not JSON", str(error)[:120], "a JSON list, or a truncated one"
        )
