"""Published reports held against the rules: what is wrong is found, and nothing that is not there."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit import audit, judge
from assay.audit.defects import DEFECTS, explain
from assay.audit.subject import load
from assay.doors.readme import read as published_report
from assay.ground.errors import ConfigError
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.record import result
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.tree_request import TreeRequest
from assay.mlperf.submission.write import write
from assay.report import readme
from tests import published
from tests.mlperf import run_folder

REAL_DATA = os.environ.get("ASSAY_REAL_DATA")


def findings(folder: Path, text: str) -> list[Finding]:
    path = folder / "README.md"
    path.write_text(text)
    return audit(path)


def errors(folder: Path, text: str) -> list[str]:
    return [f.code for f in findings(folder, text) if f.severity is Severity.ERROR]


def test_a_right_report_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, published.right()) == []


def test_the_faults_of_the_position_paired_report_are_found_with_their_figures(tmp_path: Path) -> None:
    found = findings(tmp_path, published.report())
    by_code = {code: [f for f in found if f.code == code] for code in DEFECTS}
    wrong = {f.message.split()[0]: (f.found, f.expected) for f in by_code["R1"]}
    assert wrong == {
        "TOKENS_PER_SAMPLE": (">= 45.0362, which is rouge1's", ">= 131.31"),
        "gsm8k_accuracy": (">= 23.0501, which is rouge2's", ">= 73.0422"),
        "mbxp_accuracy": (">= 30.0579, which is rougeL's", ">= 59.5188"),
    }
    assert by_code["R2"][0].expected == "<= 160.49"
    assert "300.5 is above it" in by_code["R2"][0].message
    assert "inferred" in by_code["R3"][0].message
    assert (by_code["R4"][0].found, by_code["R4"][0].expected) == ("fp32", "float16")
    assert "2 of 15000 samples, and the report does not say so" in by_code["R5"][0].message
    assert by_code["R6"][0].found == "no rouge1, rouge2, rougeL"
    assert by_code["R7"][0].expected == "09292024_mixtral_15k_mintoken2_v1.pkl"
    assert {f.severity for f in by_code["R8"]} == {Severity.ERROR, Severity.WARNING}
    assert [f.severity for f in by_code["R11"]] == [Severity.NOTE]
    assert by_code["R9"] == by_code["R10"] == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (">= 73.0422", ">= 23.05007", "R1"),
        (">= 45.03619", ">= 44.0", "R1"),
        (" and `<= 160.49`", "", "R2"),
        ("<= 160.49", "<= 45.03619", "R2"),
        ("`Tokens per second`", "`Samples per second`", "R3"),
        ("Model Precision: float16", "Model Precision: fp32", "R4"),
        ("INFERENCE_VERSION=4.1", "INFERENCE_VERSION=4.1 --env.CM_TEST_QUERY_COUNT=5", "R5"),
        (published.RIGHT[1] + "\n", "", "R6"),
        ("INFERENCE_VERSION=4.1", "INFERENCE_VERSION=4.1 --env.X=1 --env.X=2", "R8"),
        ("INFERENCE_VERSION=4.1", "INFERENCE_VERSION=4.1 --env.CM_MLPERF_LOADGEN_SCENARIO=Server", "R9"),
        ("INFERENCE_VERSION=4.1", "INFERENCE_VERSION=4.1 --env.CM_MLPERF_DEVICE=cuda", "R9"),
    ],
)
def test_one_planted_fault_gives_its_one_error(tmp_path: Path, before: str, after: str, code: str) -> None:
    assert before in published.right()
    assert errors(tmp_path, published.right().replace(before, after)) == [code]


def test_what_is_declared_is_a_note(tmp_path: Path) -> None:
    text = published.right().replace("VERSION=4.1", "VERSION=4.1 --env.CM_TEST_QUERY_COUNT=5")
    found = findings(tmp_path, text.replace("## Results", "## Results\n\nAll scores have n = 5."))
    (note,) = found
    assert (note.code, note.severity) == ("R5", Severity.NOTE)
    assert "n beside each score" not in note.expected + note.fix and "15000 samples" in note.fix


def test_metrics_said_to_be_not_measured_are_not_absent(tmp_path: Path) -> None:
    text = (
        published.right()
        .replace(published.RIGHT[0] + "\n", "")
        .replace("## Results", "## Results\n\nrouge1: not measured\n")
    )
    assert findings(tmp_path, text) == []


def test_a_missed_target_is_a_note(tmp_path: Path) -> None:
    found = findings(tmp_path, published.right().replace("`73.5`", "`70.0`"))
    assert [(f.code, f.severity) for f in found] == [("R12", Severity.NOTE)]


def _with_log(folder: Path, text: str, tokens: float, samples: float) -> list[Finding]:
    (folder / "performance/run_1").mkdir(parents=True)
    values = {"result_tokens_per_second": tokens, "result_samples_per_second": samples}
    (folder / "performance/run_1/mlperf_log_detail.txt").write_text(run_folder.detail_log(values))
    return findings(folder, text)


def test_with_a_log_at_hand_the_unit_is_proved(tmp_path: Path) -> None:
    text = published.right().replace("`Tokens per second`", "`Samples per second`")
    found = _with_log(tmp_path, text, tokens=0.5, samples=0.0035)
    assert [(f.code, f.expected) for f in found] == [("R3", "0.0035 samples/s, 0.5 tokens/s")]
    assert "inferred" not in found[0].message


def test_samples_that_are_samples_are_no_fault(tmp_path: Path) -> None:
    text = published.right().replace("`Tokens per second`", "`Samples per second`")
    assert _with_log(tmp_path, text, tokens=70.0, samples=0.5) == []


def test_a_figure_that_is_not_the_logs_is_an_error(tmp_path: Path) -> None:
    found = _with_log(tmp_path, published.right(), tokens=0.4, samples=0.003)
    assert [(f.code, f.found, f.expected) for f in found] == [("R10", "0.5", "0.4")]


@pytest.mark.parametrize(
    ("printed", "count", "expected"), [("342.0", 1, ["171"]), ("341.0", 1, []), ("150.5", 4, ["75.25"])]
)
def test_doubled_tokens_of_the_reference_are_inferred_from_who_scored_them(
    tmp_path: Path, printed: str, count: int, expected: list[str]
) -> None:
    text = published.report().replace("300.5", printed).replace("QUERY_COUNT=2", f"QUERY_COUNT={count}")
    found = [f for f in findings(tmp_path, text) if f.code == "R15"]
    assert [f.expected for f in found] == expected
    assert all("inferred" in f.message for f in found)


def test_a_server_runs_ids_are_int32_and_not_doubled(tmp_path: Path) -> None:
    text = published.report().replace("300.5", "342.0").replace("_offline", "_server")
    assert "R15" not in [f.code for f in findings(tmp_path, text)]


def test_doubled_tokens_are_proved_by_the_log_beside_the_report(tmp_path: Path) -> None:
    (tmp_path / "accuracy").mkdir()
    data = b"".join(number.to_bytes(8, "little") for number in range(300, 450)).hex()
    log = tmp_path / "accuracy/mlperf_log_accuracy.json"
    log.write_text(f'[\n{{ "seq_id" : 0, "qsl_idx" : 0, "data" : "{data}" }}\n]\n')
    text = published.report().replace("300.5", "300.0")
    found = [f for f in _with_log(tmp_path, text, tokens=0.5, samples=0.5 / 150) if f.code == "R15"]
    assert [(f.found, f.expected) for f in found] == [("TOKENS_PER_SAMPLE 300", "150")]
    assert "every second 32-bit number of the logged answers is 0" in found[0].message


@pytest.mark.parametrize(
    "key", ["result_inferred_tokens_per_second", "result_inferred_completed_tokens_per_second"]
)
def test_inferred_tokens_printed_as_samples_have_another_unit(tmp_path: Path, key: str) -> None:
    (tmp_path / "performance/run_1").mkdir(parents=True)
    log = run_folder.detail_log({key: 42.5, "result_samples_per_second": 0.6})
    (tmp_path / "performance/run_1/mlperf_log_detail.txt").write_text(log)
    (tmp_path / "README.md").write_text(published.report(performance="`Samples per second`: `42.5`"))
    found = audit(tmp_path, "v5.0", "gptj-99")
    assert [f.expected for f in found if f.code in ("R3", "R10")] == ["0.6 samples/s, 42.5 tokens/s"]


def test_a_report_without_a_command_is_told_by_its_form(tmp_path: Path) -> None:
    text = published.report()
    start = text.index("cm run script")
    (tmp_path / "README.md").write_text(text[:start] + text[text.index("```", start) :])
    found = audit(tmp_path, "v5.0", "mixtral-8x7b")
    assert "R3" in [f.code for f in found if f.severity is Severity.ERROR]


def test_the_number_of_samples_is_taken_from_the_log_where_the_report_has_none(tmp_path: Path) -> None:
    (tmp_path / "accuracy").mkdir()
    log = run_folder.detail_log({"qsl_reported_total_count": 3})
    (tmp_path / "accuracy/mlperf_log_detail.txt").write_text(log)
    text = published.report().replace("\t--env.CM_TEST_QUERY_COUNT=2 \\\n", "")
    found = [f.message for f in findings(tmp_path, text) if f.code == "R5"]
    assert found == ["the scores are over 3 of 15000 samples, and the report does not say so"]


def test_a_folder_is_searched_for_reports(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(published.report())
    assert {f.path.split(":")[0] for f in audit(tmp_path)} == {"a/README.md", "b/README.md"}


def test_of_several_reports_one_that_says_too_little_is_a_finding_and_the_others_are_judged(
    tmp_path: Path,
) -> None:
    texts = {"good": published.right(), "mute": published.right().replace("VERSION=4.1", "OTHER=x")}
    texts |= {"wrong": published.right().replace("VERSION=4.1", "VERSION=9.9"), "broken": published.right()}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(text)
    (tmp_path / "broken/result.json").write_text("{")
    found = {f.path.split("/")[0]: (f.code, f.severity) for f in audit(tmp_path)}
    assert found.pop("broken") == ("R14", Severity.ERROR)
    assert set(found.values()) == {("R14", Severity.WARNING)} and set(found) == {"mute", "wrong"}


def test_a_folder_without_any_report_that_can_be_judged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(published.right().replace("VERSION=4.1", "OTHER=x"))
    with pytest.raises(ConfigError, match="does not say its round"):
        audit(tmp_path)


@pytest.mark.parametrize("text", ["", "# hello\n", "\x00\xff"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        findings(tmp_path, text)


def test_every_defect_says_its_rule_and_its_fix() -> None:
    assert all(defect.source and defect.fix and defect.code in explain(defect) for defect in DEFECTS.values())


@given(st.text(max_size=60))
def test_any_change_of_a_report_is_judged_without_an_exception(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "README.md"
    path.write_text(
        published.report().replace("300.5", text).replace("/first", text), encoding="utf-8", errors="replace"
    )
    judge(load(path, path, "v4.1", "mixtral-8x7b"))


@pytest.mark.skipif(REAL_DATA is None, reason="ASSAY_REAL_DATA is not set: no published report at hand")
def test_the_published_report_of_a_ci_robot_is_found_out() -> None:
    folder = Path(str(REAL_DATA)).parent / "seed"
    reports = sorted(folder.glob("*.txt"))
    if not reports:
        pytest.skip(f"no published report in {folder}")
    found = audit(reports[0])
    kinds = {f.code for f in found if f.severity is Severity.ERROR}
    assert kinds == {"R1", "R2", "R3", "R4", "R5", "R6", "R8", "R15"}
    assert [f.expected for f in found if f.code == "R15"] == ["171"]
    assert {f.code for f in found if f.severity is Severity.WARNING} == {"R7", "R8"}
    assert len([f for f in found if f.code == "R1"]) == 3


@pytest.fixture(scope="module")
def own_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission that Assay wrote, of both scenarios, with Assay's README in it."""
    base = tmp_path_factory.mktemp("own")
    request = TreeRequest("Tester", "closed", rounds.load("v5.1"), readme.render, "box")
    write([own_run(base / "run")], request, base / "tree")
    return base / "tree"


def own_run(folder: Path) -> Path:
    """A good run whose command asks for what the run did."""
    run = run_folder.write(folder)
    made = result.read(run)
    command = ("assay", "bench", "mixtral-8x7b", "--scenario", "offline,server", "--style", "valid")
    dataclasses.replace(made, command=(*command, "--precision", "float16")).write(run)
    return run


def test_a_truthful_report_of_our_own_has_no_finding(own_tree: Path) -> None:
    assert audit(own_tree) == []


def test_a_run_folders_report_of_both_scenarios_has_no_finding(tmp_path: Path) -> None:
    run = own_run(tmp_path / "run")
    (run / "README.md").write_text(readme.render(result.read(run)))
    assert audit(run) == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("| 73.7 %", "| 75.7 %", "R10"),
        ("| 2896.8 tokens/s", "| 3896.8 tokens/s", "R10"),
        ("| 20 samples/s", "| 2896.8 samples/s", "R3"),
        ("| 20 samples/s", "| 20 tokens/s", "R3"),
        (">= 72.9234", ">= 45.142911", "R1"),
        ("to 160.49", "to 170.49", "R2"),
        (": float16", ": float32", "R4"),
        ("LoadGen says VALID", "LoadGen says INVALID", "R10"),
        ("n = 15000", "n = 15001", "R5"),
        ("| met |", "| MISSED |", "R13"),
        ("--style valid", "--style valid --style test", "R8"),
        ("offline,server", "server", "R9"),
    ],
)
def test_a_falsified_report_of_our_own_gives_its_error(
    own_tree: Path, before: str, after: str, code: str
) -> None:
    path = next(own_tree.rglob("measurements/*/*/Offline/README.md"))
    text = path.read_text()
    assert before in text
    try:
        path.write_text(text.replace(before, after, 1))
        assert {f.code for f in audit(path) if f.severity is Severity.ERROR} == {code}
    finally:
        path.write_text(text)


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(published.report().splitlines()) | st.text(max_size=40), max_size=30))
def test_any_lines_are_read_as_a_report(lines: list[str]) -> None:
    report = published_report("\n".join(lines))
    assert all(claim.line <= len("\n".join(lines).splitlines()) for claim in report.claims)
