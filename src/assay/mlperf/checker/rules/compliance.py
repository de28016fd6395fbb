"""Rules of the compliance tests (C) of closed and network submissions."""

from __future__ import annotations

from collections.abc import Iterator

from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import RULED, RuledEntry, gated, loadgen
from assay.mlperf.logs import names

CHECKER = "submission checkers (check_compliance_dir, ComplianceCheck)"
TEST06_LINES = (
    ("First token check pass", ("True", "Skipped")),
    ("EOS check pass", ("True",)),
    ("Sample length check pass", ("True",)),
)
VERDICT_FILES = {"TEST07": names.VERDICT_FILE, "TEST09": names.LENGTH_VERDICT_FILE}


OWING = gated(loadgen(RULED))
"""Results that owe the tests of LoadGen runs; those of Endpoints runs are E5's."""


@rule(
    "C1",
    of=OWING,
    title="TEST06 is missing or did not pass",
    source=f"{CHECKER}: TEST06/{names.VERDICT_FILE}",
    fix="run `assay compliance RUN` and build the tree again",
)
def test06(owing: RuledEntry) -> Iterator[Fault]:
    if "TEST06" not in owing.rules.compliance:
        return
    entry = owing.entry
    path = f"{entry.compliance_folder('TEST06')}/{names.VERDICT_FILE}"
    text = entry.test06_text
    if text is None:
        yield Fault(path, "no verdict of TEST06", "no such file", names.VERDICT_FILE)
        return
    lines = [line.strip() for line in text.splitlines()]
    for check, accepted in TEST06_LINES:
        wanted = [f"{check}: {word}" for word in accepted]
        if not any(line in lines for line in wanted):
            found = next((line for line in lines if line.startswith(check)), "no such line")
            yield Fault(path, f"{check} failed", found, " or ".join(wanted))


@rule(
    "C2",
    of=OWING,
    title="a compliance test of the benchmark is missing or did not pass",
    source=f"{CHECKER}: TEST07/verify_accuracy.txt, TEST09/verify_output_len.txt",
    fix="run the benchmark's compliance test and add its folder",
)
def other_tests(owing: RuledEntry) -> Iterator[Fault]:
    for test, file in VERDICT_FILES.items():
        if test not in owing.rules.compliance:
            continue
        path = f"{owing.entry.compliance_folder(test)}/{file}"
        text = owing.entry.tree.text(path)
        if text is None or "TEST PASS" not in text:
            found = "no such file" if text is None else text.strip()[-80:]
            yield Fault(path, f"{test} is missing or did not pass", found, "TEST PASS")
