"""The command that a report shows: superseded files, repeated options, contradictions, runs that are no submission."""

from __future__ import annotations

import pytest

from assay.audit import command
from tests import published
from tests.audit.subjects import of_cm, own, subject, told

DATASET, REPEATED, CONTRADICTIONS, NATIVE, STANDING = command.CHECKS
OLD_FILE = "2024.06.06_mixtral_15k_v4.pkl"
NEW_FILE = "09292024_mixtral_15k_mintoken2_v1.pkl"


def with_options(*options: str) -> str:
    return of_cm(command=(*published.RIGHT_COMMAND, *options))


def test_a_right_report_passes_every_check() -> None:
    for text in (of_cm(), own()):
        assert [told(check, subject(text)) for check in command.CHECKS] == [[]] * 5


def test_a_superseded_dataset_is_a_warning_in_the_round_that_had_it_and_an_error_later() -> None:
    text = with_options(f"--env.CM_DATASET_MIXTRAL_PREPROCESSED_PATH=/c/{OLD_FILE}")
    assert told(DATASET, subject(text)) == [("R7", "warning", OLD_FILE, NEW_FILE)]
    later = text.replace("VERSION=4.1", "VERSION=5.1")
    assert told(DATASET, subject(later)) == [("R7", "error", OLD_FILE, NEW_FILE)]
    assert told(DATASET, subject(later + "The dataset is superseded.\n"))[0][1] == "note"
    assert told(DATASET, subject(text.replace(OLD_FILE, NEW_FILE))) == []


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--env.X=1", "--env.X=2"), [("R8", "error", "1 then 2", "one value; the last wins: 2")]),
        (("--env.X=1", "--env.X=1"), [("R8", "warning", "1", "once")]),
        (("--env.X=1", "--env.Y=1"), []),
        (
            ("--adr.a.tags=_x", "--add_deps_recursive.a.tags=_y"),
            [("R8", "error", "differing values of a.tags", "one of the two")],
        ),
        (
            ("--adr.a.tags=_x", "--add_deps_recursive.a.tags=_x"),
            [("R8", "warning", "the same values", "one of the two")],
        ),
        (("--adr.a.tags=_x", "--add_deps_recursive.b.tags=_y"), []),
    ],
)
def test_an_option_stands_once(options: tuple[str, ...], found: list[tuple[str, str, str, str]]) -> None:
    assert told(REPEATED, subject(with_options(*options))) == found


def test_a_repeated_option_is_told_on_its_last_line() -> None:
    text = with_options("--env.X=1", "--env.X=2")
    (finding,) = REPEATED(subject(text))
    assert text.splitlines()[int(finding.path.rpartition(":")[2]) - 1].strip() == "--env.X=2"


@pytest.mark.parametrize(
    ("option", "found"),
    [
        ("--env.CM_MLPERF_LOADGEN_SCENARIO=Server", "_offline and Server"),
        ("--env.CM_MLPERF_LOADGEN_SCENARIO=Offline", None),
        ("--env.MLC_MLPERF_DEVICE=cuda", "_cpu and cuda"),
        ("--env.CM_MLPERF_IMPLEMENTATION=nvidia", "_reference and nvidia"),
        ("--env.CM_MLPERF_BACKEND=vllm", "_pytorch and vllm"),
        ("--env.CM_MLPERF_MODEL_PRECISION=fp32", "_float16 and fp32"),
        ("--env.CM_MLPERF_MODEL_PRECISION=fp16", None),
        ("--env.CM_MLPERF_RUN_STYLE=test", "_valid and test"),
        ("--env.CM_MLPERF_RUN_STYLE=", None),
    ],
)
def test_a_variation_and_its_variable_say_the_same(option: str, found: str | None) -> None:
    assert [shown for _, _, shown, _ in told(CONTRADICTIONS, subject(with_options(option)))] == (
        [found] if found else []
    )


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("--style valid", "--style valid --scenario server", "Offline"),
        ("bench mixtral-8x7b --round v5.1", "bench mixtral-8x7b --round v4.1", "v5.1 and v4.1"),
        ("bench mixtral-8x7b --round v5.1", "bench mixtral-8x7b", None),  # the default says nothing
        ("bench mixtral-8x7b", "bench mixtral-nano", "mixtral-8x7b and mixtral-nano"),
        ("--style valid", "--style valid --nonsense x", None),
    ],
)
def test_a_native_command_asks_for_what_the_report_shows(before: str, after: str, found: str | None) -> None:
    shown = [f for code, _, f, _ in told(NATIVE, subject(own().replace(before, after))) if code == "R9"]
    assert shown == ([found] if found else [])


def test_a_native_command_that_is_refused_is_told_with_its_reason() -> None:
    (finding,) = NATIVE(subject(own().replace("--style valid", "--style fastest")))
    assert (finding.message, finding.expected) == ("the command is refused", "a command that runs")
    assert "fastest" in finding.found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (of_cm().replace("_valid", "_test"), "run style test"),
        (with_options("--env.CM_MLPERF_RUN_STYLE=fast"), "run style fast"),
        (own().replace("--style valid", "--style test"), "run style test"),
        (
            with_options("--adr.submission-checker.tags=_short-run"),
            "checker patched to _short-run, which disables",
        ),
        (own() + "\nThe SUT is FAKE.\n", "a SUT that computes nothing"),
        (own() + "\nNot FAKED.\n", ""),
    ],
)
def test_a_run_that_is_no_submission_is_a_note_with_its_reason(text: str, reason: str) -> None:
    found = told(STANDING, subject(text))
    assert [severity for _, severity, _, _ in found] == (["note"] if reason else [])
    assert all(reason in shown for _, _, shown, _ in found)
