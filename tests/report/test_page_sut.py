"""What a system under test tells of itself, on the page of its run."""

from __future__ import annotations

import dataclasses
from typing import Any

from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.record.result import RunResult
from assay.report import page, page_sut
from assay.report.page import Shown
from tests import fakes


def told(**details: Any) -> RunResult:
    made = fakes.result()
    assert made.used is not None
    return dataclasses.replace(made, used=dataclasses.replace(made.used, details=details))


def test_settings_against_the_rules_stand_on_the_page_with_rule_and_fix() -> None:
    finding = Finding(
        "V5", Severity.ERROR, "http://h", "too <short>", "context of 9", "it holds", "rules", "more"
    )
    result = told(findings=[finding.to_dict()])
    assert page_sut.own_findings(result) == [
        ("V5 error: context of 9", "http://h", "too <short>", "rules", "more")
    ]
    shown = page.render([Shown(result, None)])
    assert "V5 error: context of 9" in shown and "too &lt;short&gt;" in shown
    assert "Settings of the system under test" not in page.render([Shown(told(), None)])


def test_a_record_of_another_form_is_left_out() -> None:
    for details in ({"findings": ["x", 1]}, {"findings": []}, {}):
        assert page_sut.own_findings(told(**details)) == []
    assert page_sut.own_findings(told(findings=[{"code": 1}]))[0][0] == "1 : "
