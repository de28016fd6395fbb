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


def test_without_a_code_all_are_listed_those_of_an_audit_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.HELP and main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    codes = [line.split()[0] for line in lines[:-1]]
    assert sorted(codes) == sorted([*RULES, *defects.DEFECTS])
    assert codes.index("P2") < codes.index("P10") < codes.index("T2") < codes.index("X6")
    assert "assay explain CODE" in lines[-1]


def test_an_unknown_code_names_the_nearest_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "R100"]) == 2
    assert "did you mean R1" in capsys.readouterr().err
