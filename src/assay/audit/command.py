"""Checks of the command that a report shows: superseded files, repeated and contradicting options."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.audit.subject import Subject
from assay.audit.words import PRECISIONS, precision
from assay.config import Style
from assay.doors.field import is_default
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.rounds import round as rounds

FIELDS = (
    (
        "scenario",
        "MLPERF_LOADGEN_SCENARIO",
        ("offline", "server", "singlestream", "multistream", "interactive"),
    ),
    ("device", "MLPERF_DEVICE", ("cpu", "cuda", "rocm", "tpu", "qaic")),
    ("implementation", "MLPERF_IMPLEMENTATION", ("reference", "nvidia", "intel", "amd", "redhat")),
    ("backend", "MLPERF_BACKEND", ("pytorch", "onnxruntime", "tensorrt", "vllm", "deepsparse")),
    ("precision", "MLPERF_MODEL_PRECISION", tuple(PRECISIONS)),
    ("run style", "MLPERF_RUN_STYLE", ("test", "fast", "valid")),
)
"""What is asked twice in a command of CM: its name, the environment key, and the variations that say the same."""


def _dataset(s: Subject) -> Iterator[Finding]:
    """R7: a dataset file that a later round replaced."""
    for name in rounds.rounds_of(s.workload.key):
        for file in rounds.load(name).workload(s.workload.key).superseded_files:
            line = next((o.line for o in s.report.options if file in o.value), None)
            if line is not None:
                newer = rounds.load(name).workload(s.workload.key).dataset_file
                is_old_round = rounds.names().index(s.round.name) < rounds.names().index(name)
                severity = Severity.WARNING if is_old_round else Severity.ERROR
                yield s.finding(
                    "R7",
                    Severity.NOTE if "superseded" in s.report.text else severity,
                    line,
                    f"the dataset was superseded in {name}",
                    file,
                    newer,
                )
                return


def _repeated(s: Subject) -> Iterator[Finding]:
    """R8: an option twice with different values. R9: two spellings of one thing that differ."""
    for name, values in s.report.repeated().items():
        line = [o.line for o in s.report.options if o.name == name][-1]
        if len(set(values)) > 1:
            yield s.finding(
                "R8",
                Severity.ERROR,
                line,
                f"--{name} is given {len(values)} times with different values",
                " then ".join(values),
                f"one value; the last wins: {values[-1]}",
            )
        else:
            yield s.finding(
                "R8", Severity.WARNING, line, f"--{name} is given {len(values)} times", values[0], "once"
            )
    yield from _two_spellings(s)


def _two_spellings(s: Subject) -> Iterator[Finding]:
    """--adr and --add_deps_recursive are one option; a reader must compare them line by line."""
    short = {o.name[len("adr.") :]: o for o in s.report.options if o.name.startswith("adr.")}
    long = {
        o.name[len("add_deps_recursive.") :]: o
        for o in s.report.options
        if o.name.startswith("add_deps_recursive.")
    }
    both = sorted(set(short) & set(long))
    if both:
        differing = [name for name in both if short[name].value != long[name].value]
        yield s.finding(
            "R8",
            Severity.ERROR if differing else Severity.WARNING,
            short[both[0]].line,
            f"--adr and --add_deps_recursive both set {', '.join(both)}",
            "differing values of " + ", ".join(differing) if differing else "the same values",
            "one of the two",
        )


def _contradictions(s: Subject) -> Iterator[Finding]:
    """R9: a variation against an environment key for the same thing."""
    for name, key, members in FIELDS:
        value = s.report.env(key)
        tagged = next((v for v in s.report.variations if v in members), None)
        if value and tagged and precision(value) != precision(tagged):
            line = next((o.line for o in s.report.options if o.name.endswith(key)), 0)
            yield s.finding(
                "R9", Severity.ERROR, line, f"two values of {name}", f"_{tagged} and {value}", "one of them"
            )


def _native(s: Subject) -> Iterator[Finding]:
    """R9: an `assay bench` command that is refused, or asks for other than the report shows."""
    line = s.report.command_line
    if s.refusal:
        yield s.finding(
            "R9", Severity.ERROR, line, "the command is refused", s.refusal, "a command that runs"
        )
    if s.asked is None:
        return
    asked = {member.value for member in s.asked.scenarios}
    for scenario in sorted(name for name in s.files if name and name not in asked):
        message = "results of a scenario that the command does not ask for"
        yield s.finding("R9", Severity.ERROR, line, message, scenario, ", ".join(sorted(asked)))
    # What a command leaves to the default says nothing: the newest round is another one in each year.
    is_said = not is_default(s.asked.origin.get("round", ""))
    asked_round = s.asked.round if is_said else None
    said = {"round": (s.report.round, asked_round), "workload": (s.report.workload, s.asked.workload)}
    for name, (shown, wanted) in said.items():
        if shown is not None and wanted is not None and shown.removeprefix("v") != wanted.removeprefix("v"):
            both = f"{shown} and {wanted}"
            yield s.finding("R9", Severity.ERROR, line, f"two values of {name}", both, "one of them")


def _standing(s: Subject) -> Iterator[Finding]:
    """R11: a test or short run, or a fake one; a note, since the report declares it."""
    style = s.report.env("MLPERF_RUN_STYLE") or next((v for v in s.report.variations if v == "test"), None)
    if s.asked is not None:
        style = s.asked.style.value
    reasons = {
        f"run style {style}": style in (Style.TEST.value, Style.FAST.value),
        "checker patched to _short-run, which disables its performance checks": "_short-run" in s.report.text,
        "a SUT that computes nothing": re.search(r"\bFAKE\b", s.report.text) is not None,
    }
    if any(reasons.values()):
        yield s.finding(
            "R11",
            Severity.NOTE,
            s.report.command_line,
            "no submission, by its own command",
            "; ".join(reason for reason, holds in reasons.items() if holds),
            "run style valid",
        )


CHECKS = (_dataset, _repeated, _contradictions, _native, _standing)
