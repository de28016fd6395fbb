"""Rules of the compliance tests: each line of a verdict, and who owes a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.mlperf.checker.rule import Fault
from assay.mlperf.checker.rules import compliance
from assay.mlperf.checker.subjects import RuledEntry
from assay.mlperf.checker.submission import Entry
from tests.mlperf.checker.parts import Parts, only

PASSED = "First token check pass: True\nEOS check pass: True\nSample length check pass: True\n"


def owing(parts: Parts, text: str | None = PASSED, *tests: str) -> RuledEntry:
    """An entry with this verdict of TEST06, which owes the tests."""
    entry = parts.changed_entry()
    vars(entry)["test06_text"] = text
    found = compliance.OWING.of(entry)
    assert found is not None
    return replace(found, rules=replace(found.rules, compliance=tests or ("TEST06",)))


def test_a_good_entry_has_passed(parts: Parts) -> None:
    found = compliance.OWING.of(parts.entry())
    assert found is not None and "TEST06" in found.rules.compliance
    assert list(compliance.test06(found)) == list(compliance.other_tests(found)) == []


def test_open_submissions_owe_no_test(open_parts: Parts) -> None:
    assert compliance.OWING.of(open_parts.entry()) is None


@pytest.mark.parametrize(
    "text",
    [
        PASSED,
        PASSED.replace("First token check pass: True", "First token check pass: Skipped"),
        f"header\n  {PASSED.replace(chr(10), '  ' + chr(10) + '  ')}\nfooter",
    ],
)
def test_a_verdict_passes_with_its_three_lines(parts: Parts, text: str) -> None:
    assert list(compliance.test06(owing(parts, text))) == []


@pytest.mark.parametrize(
    ("check", "word", "accepted"),
    [
        ("First token check pass", "False", "True or First token check pass: Skipped"),
        ("EOS check pass", "False", "True"),
        ("EOS check pass", "Skipped", "True"),
        ("Sample length check pass", "true", "True"),
        ("Sample length check pass", "True, mostly", "True"),
    ],
)
def test_a_line_that_says_anything_else_fails(parts: Parts, check: str, word: str, accepted: str) -> None:
    fault = only(
        compliance.test06(owing(parts, PASSED.replace(f"{check}: True", line := f"{check}: {word}")))
    )
    assert (fault.found, fault.expected) == (line, f"{check}: {accepted}")


def test_each_line_that_is_missing_is_a_fault(parts: Parts) -> None:
    found = list(compliance.test06(owing(parts, "something else")))
    assert [fault.message.removesuffix(" failed") for fault in found] == [
        check for check, _ in compliance.TEST06_LINES
    ]
    assert {fault.found for fault in found} == {"no such line"}


def test_a_missing_verdict_is_one_fault_at_its_place(parts: Parts) -> None:
    fault = only(compliance.test06(owing(parts, None)))
    assert fault.message == "no verdict of TEST06"
    assert fault.path == f"{parts.entry().compliance_folder('TEST06')}/verify_accuracy.txt"


def test_a_test_that_the_round_does_not_ask_for_is_not_missed(parts: Parts) -> None:
    assert list(compliance.test06(owing(parts, None, "TEST07"))) == []
    assert list(compliance.other_tests(owing(parts, None, "TEST06"))) == []


def told(parts: Parts, test: str, content: bytes | None) -> Fault | None:
    """What is wrong when the verdict of a test holds this."""
    subject = owing(parts, PASSED, test)
    entry = subject.entry
    path = f"{entry.compliance_folder(test)}/{compliance.VERDICT_FILES[test]}"
    if content is not None:
        file = entry.tree.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        subject = replace(subject, entry=_with_file(parts, path, len(content)))
    (found,) = list(compliance.other_tests(subject)) or [None]
    assert found is None or found.path == path
    return found


def _with_file(parts: Parts, path: str, size: int) -> Entry:
    return parts.changed_entry(sizes={path: size})


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"x\nTEST PASS\n", None),
        (b"TEST FAIL\n", "TEST FAIL"),
        (b"", ""),
        (b"a" * 100 + b"\xff TEST PASSED not", None),
        (None, "no such file"),
        (b"why: " + b"y" * 200, "y" * 80),
    ],
)
@pytest.mark.parametrize("test", compliance.VERDICT_FILES)
def test_the_other_tests_pass_by_their_word(
    parts: Parts, test: str, content: bytes | None, found: str | None
) -> None:
    fault = told(parts, test, content)
    assert (fault and fault.found) == found
