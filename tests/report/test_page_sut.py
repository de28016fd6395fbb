"""What a system under test tells of itself, on the page of its run."""

from __future__ import annotations

import dataclasses
from typing import Any

from assay.config import Scenario
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.record.result import EnergyPart, EnergyUsed, RunResult
from assay.report import page, page_sut, readme, summary, words
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


def test_time_by_part_stands_beside_the_roofline_of_the_machine() -> None:
    told_by_engine = {
        "seconds": {"experts": 3.0, "waiting": 1.0},
        "gflop_per_s": {"experts": 50.0},
        "weights_gb_per_s": {"experts": 4.0},
    }
    without = page_sut.times(told(**told_by_engine))
    assert without is not None and "75.0 %" in without and "50 GFLOP/s<" in without
    assert "assay doctor --roofline</code> measures" in without
    precision = (told().used or fakes.used()).precision
    limits = {"gflop_per_s": {precision: 200.0}, "read_gb_per_s": 8.0, "machine": "here"}
    beside = page_sut.times(told(**told_by_engine, limits=limits))
    assert beside is not None and "50 GFLOP/s, 25 % of 200" in beside and "4 GB/s, 50 % of 8" in beside


def test_experts_are_told_as_multiples_of_their_layers_mean() -> None:
    found = page_sut.experts(told(tokens_per_expert=[[30, 10, 20, 20], [5, 5, 5, 5]]))
    assert (
        found is not None and "1.50 x" in found and "0.50 x" in found and "has 1.50 times its share" in found
    )
    assert "80</td>" in found and '<span class="warm">1.50</span>' in found
    wide = page_sut.experts(told(tokens_per_expert=[list(range(128))]))
    assert wide is not None and "<span" not in wide and "2.00 x" in wide
    page_text = page.render([Shown(told(tokens_per_expert=[[1, 2]], seconds={"head": 1.0}), None)])
    assert "Tokens per expert" in page_text and "Where the time went" in page_text


def test_how_late_loadgen_was_told_stands_beside_its_figures_where_it_is_known() -> None:
    late = {"p50": 0.4, "p99": 1.25, "max": 7.0}
    made = fakes.result(fakes.performance(scenario=Scenario.SERVER, told_late_ms=late))
    said = "LoadGen was told 0.4 ms (p50), 1.25 ms (p99), at most 7 ms after the bytes had arrived"
    for text in (readme.render(made), summary.render(made, 200), words.told_late(made.runs[0])):
        assert said in text and "its TTFT holds up to 1.25 ms (p99) of the client's own" in text
    assert f"First tokens: {said}" in page.render([Shown(made, None)])
    for run in (fakes.performance(scenario=Scenario.SERVER), fakes.performance(told_late_ms=late)):
        none = fakes.result(run)  # not known, or Offline
        assert "First tokens" not in readme.render(none) and "first tokens" not in summary.render(none)


def test_energy_stands_with_what_it_covers_or_why_there_is_none() -> None:
    parts = (
        EnergyPart("package-0", "processor", 120.0),
        EnergyPart("dram-0", "memory", None, "it <stood> still"),
    )
    used = EnergyUsed(120.0, 0.5, 60.0, ("processor",), parts)
    said = "120 J over 60 s (processor): 0.5 J/token, 2 W"
    made = fakes.result(fakes.performance(energy=used))
    shown = page.render([Shown(made, None)])
    assert said in shown and "it &lt;stood&gt; still" in shown
    assert f"| Energy | {said} |" in readme.render(made) and f"energy: {said}" in summary.render(made)
    none = fakes.result(fakes.performance(energy=EnergyUsed(None, None, 60.0, why_not="no counter")))
    assert "Energy: not measured: no counter." in page.render([Shown(none, None)])
    assert "Energy" not in readme.render(none) and "energy" not in summary.render(none)


def test_a_record_of_another_form_is_left_out() -> None:
    for details in ({"findings": ["x", 1]}, {"findings": []}, {}):
        assert page_sut.own_findings(told(**details)) == []
    assert page_sut.own_findings(told(findings=[{"code": 1}]))[0][0] == "1 : "
    odd: list[dict[str, Any]] = [
        {"seconds": 3}, {"seconds": {"a": "x", "b": True, "c": float("nan")}}, {"tokens_per_expert": "x"},
        {"tokens_per_expert": [["a"], 3, [0, 0], [1]]}, {"findings": 7}, {},
    ]  # fmt: skip
    for details in odd:
        assert page_sut.sections(told(**details)) == []
        assert page_sut.own_findings(told(**details)) == []
    assert page_sut.times(told(seconds={"a": 1.0}, limits=[1], gflop_per_s=None)) is not None
