"""`assay explain` as text and as JSON."""

from __future__ import annotations

import json

import pytest

from assay.audit import defects
from assay.cli import explain, main
from assay.mlperf.checker.rule import RULES


def test_a_code_of_the_checker_or_of_an_audit_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "p10"]) == 0
    assert capsys.readouterr().out.startswith("P10  min_duration is below the round's\n  severity  error")
    assert main(["explain", "r1", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["codes"]
    assert found["code"] == "R1" and found["severity"] is None and found["fix"]


def test_all_codes_are_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--all", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["codes"]
    assert [each["code"] for each in found] == [*RULES, *defects.DEFECTS]


def test_no_code_and_no_all_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.HELP and main(["explain"]) == 2
    assert "assay explain --all" in capsys.readouterr().err
