"""One planted fault, one finding: its own, and no other but the note of what could then not be judged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from assay.mlperf.checker.check import check
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import RULES
from assay.mlperf.rounds import round as rounds
from tests.mlperf.checker.good_tree import GoodTree, Spoil, edit_json
from tests.mlperf.run_folder import answers, record, verdict


def perf(scenario: str = "Offline", **changes: Any) -> Spoil:
    return lambda t: t.log(t.performance(scenario), **changes)


def acc(scenario: str = "Offline", **changes: Any) -> Spoil:
    return lambda t: t.log(t.accuracy(scenario), **changes)


def system(**changes: Any) -> Spoil:
    return lambda t: t.system(**changes)


def in_latin_1(name: str) -> Spoil:
    """A line that is no UTF-8 in front of a file of the Offline entry."""

    def spoil(tree: GoodTree) -> None:
        path = (tree.accuracy() if name == "accuracy.txt" else tree.performance()) / name
        path.write_bytes(b"\xe9\n" + path.read_bytes())

    return spoil


def result_twice(first: str, second: str) -> Spoil:
    """A log that says two things about its validity: the official checkers take the first."""

    def spoil(tree: GoodTree) -> None:
        tree.log(tree.performance(), result_validity=first)
        path = tree.performance() / "mlperf_log_detail.txt"
        path.write_text(path.read_text() + record("result_validity", second) + "\n")

    return spoil


def measurement(**changes: Any) -> Spoil:
    return lambda t: edit_json(t.measurement_file(), changes)


def score(metric: str, value: str | None, scenario: str = "Offline") -> Spoil:
    return lambda t: t.score(metric, value, scenario)


def line(folder: str, key: str, value: str, **meta: bool) -> Spoil:
    def spoil(tree: GoodTree) -> None:
        path = (tree.performance() if folder == "performance" else tree.accuracy()) / "mlperf_log_detail.txt"
        path.write_text(path.read_text() + record(key, value, **meta) + "\n")

    return spoil


def failed(folder: str, message: str) -> Spoil:
    """An error of LoadGen, marked and counted."""

    def spoil(tree: GoodTree) -> None:
        line(folder, "error_runtime", message, is_error=True)(tree)
        tree.log(tree.performance() if folder == "performance" else tree.accuracy(), num_errors=1)

    return spoil


def add(path: str, text: str = "x") -> Spoil:
    def spoil(tree: GoodTree) -> None:
        target = tree.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    return spoil


def big(tree: GoodTree) -> None:
    with (tree.owner / "code/mixtral-8x7b/weights.bin").open("wb") as file:
        file.truncate(1 << 30)


def verdict_is(text: str | None, scenario: str = "Offline") -> Spoil:
    def spoil(tree: GoodTree) -> None:
        path = tree.compliance(scenario) / "verify_accuracy.txt"
        if text is None:
            path.unlink()
        else:
            path.write_text(text)

    return spoil


def sampled(count: int) -> Spoil:
    return lambda t: (t.compliance() / "accuracy/mlperf_log_accuracy.json").write_text(answers(count))


ROUND_SEEDS = rounds.load("v5.0").seeds
OTHER_SEEDS = {
    "effective_qsl_rng_seed": ROUND_SEEDS.qsl,
    "effective_sample_index_rng_seed": ROUND_SEEDS.sample_index,
    "effective_schedule_rng_seed": ROUND_SEEDS.schedule,
}
TTFT = "result_first_token_99__00_percentile_latency_ns"
TPOT = "result_time_per_output_token_99__00_percentile_ns"

# (code, severity of it, how the good v5.1 closed tree is spoilt)
ERRORS: list[tuple[str, Spoil]] = [
    ("T2", add("notes.txt")),
    ("T2", add("LICENSE")),
    ("T3", add("closed/notes.txt")),
    ("T3", add("open/README.md")),
    ("T4", lambda t: (t.owner / "code/link").symlink_to("nowhere")),
    ("T4", lambda t: (t.owner / "code/out").symlink_to("../../../..")),
    ("T4", lambda t: (t.owner / "code/passwd").symlink_to("/etc/passwd")),
    ("T5", big),
    ("T6", add("closed/Tester/code/.hidden")),
    ("T6", add("closed/Tester/code/.git/config")),
    ("T7", add("closed/Tester/code/a name")),
    ("T7", add("closed/Tester/code/a folder/file")),
    ("T8", add("closed/Tester/code/__pycache__/x.pyc")),
    ("T9", lambda t: (t.owner / "code/empty").mkdir()),
    ("T10", lambda t: shutil.copy(t.system_file, t.owner / "systems/ghost.json")),
    ("T10", add("closed/Tester/measurements/ghost/file")),
    ("T11", lambda t: (t.owner / "calibration.md").unlink()),
    ("T13", lambda t: os.mkfifo(t.owner / "code/pipe")),
    ("S1", system(status="soon")),
    ("S1", system(system_type="laptop")),
    ("S2", system(cooling=None)),
    ("S2", system(cooling="")),
    ("S2", system(status="")),
    ("S2", system(host_processors_per_node=0)),
    ("S2", system(hw_notes=None)),
    ("S2", system(framework=None)),
    ("S4", system(submitter="Somebody")),
    ("S4", system(division="open")),
    ("S4", system(division="Closed")),
    ("S5", system(is_network="True")),
    ("S6", lambda t: t.system_file.write_text("{")),
    ("S6", lambda t: t.system_file.write_text("[]")),
    ("S6", lambda t: t.system_file.write_bytes(b"\xff\xfe\x00")),
    ("S6", lambda t: t.system_file.write_bytes(b"\xef\xbb\xbf" + t.system_file.read_bytes())),
    ("F6", in_latin_1("accuracy.txt")),
    ("F6", in_latin_1("mlperf_log_detail.txt")),
    ("P1", result_twice("INVALID", "VALID")),
    ("S6", lambda t: t.system_file.write_text("[" * 100_000)),
    ("M3", lambda t: _drop_scenario(t, "Server")),
    ("M3", lambda t: _drop_scenario(t, "Offline")),
    ("F1", lambda t: (t.performance() / "mlperf_log_summary.txt").unlink()),
    ("F1", lambda t: (t.performance() / "mlperf_log_detail.txt").unlink()),
    ("F1", lambda t: (t.performance() / "notes.txt").write_text("x")),
    ("F1", lambda t: shutil.rmtree(t.performance().parent)),
    ("F1", lambda t: t.performance().rename(t.performance().with_name("run_2"))),
    ("F2", lambda t: (t.accuracy() / "accuracy.txt").unlink()),
    ("F2", lambda t: (t.accuracy() / "mlperf_log_accuracy.json").unlink()),
    ("F2", lambda t: (t.accuracy() / "mlperf_log_detail.txt").unlink()),
    ("F2", lambda t: (t.accuracy() / "mlperf_log_summary.txt").unlink()),
    ("F2", lambda t: (t.accuracy() / "metadata.json").write_text("{}")),
    ("F2", lambda t: shutil.rmtree(t.accuracy())),
    ("F3", lambda t: (t.measurements() / "user.conf").unlink()),
    ("F3", lambda t: (t.measurements() / "user.conf").write_text("")),
    ("F3", lambda t: (t.measurements() / "README.md").unlink()),
    ("F3", lambda t: (t.measurements("Server") / "README.md").write_text("")),
    ("F4", lambda t: t.measurement_file().unlink()),
    ("F4", measurement(retraining=None)),
    ("F4", measurement(weight_data_types="")),
    ("F4", measurement(input_data_types=None)),
    ("F4", measurement(starting_weights_filename="")),
    ("F4", measurement(weight_transformations=None)),
    ("F5", lambda t: (t.owner / "code/mixtral-8x7b").rename(t.owner / "code/other")),
    ("F6", lambda t: t.measurement_file().write_text("{,}")),
    ("F6", lambda t: (t.performance() / "mlperf_log_detail.txt").write_text("hello\n")),
    ("F6", lambda t: (t.accuracy() / "mlperf_log_detail.txt").write_bytes(b"\x00\xff" * 50)),
    ("F6", lambda t: _cut(t.performance() / "mlperf_log_detail.txt")),
    ("P1", perf(result_validity="INVALID")),
    ("P1", perf("Server", result_validity="INVALID")),
    ("P2", failed("performance", "a sample completed twice")),
    ("P3", perf(effective_sample_concatenate_permutation=False)),
    ("P3", perf("Server", effective_sample_concatenate_permutation=None)),
    ("P4", perf(effective_performance_sample_count=14_999)),
    ("P5", perf(effective_qsl_rng_seed=1)),
    ("P5", perf(effective_sample_index_rng_seed=0)),
    ("P5", perf("Server", effective_schedule_rng_seed=42)),
    ("P5", perf(**OTHER_SEEDS)),
    ("P6", perf("Server", early_stopping_met=False)),
    ("P7", perf("Server", effective_target_latency_ns=20_000_000_001)),
    ("P8", perf(effective_min_query_count=0)),
    ("P9", perf(effective_samples_per_query=14_999)),
    ("P9", perf(effective_samples_per_query=1)),
    ("P10", perf(effective_min_duration_ms=599_999)),
    ("P11", perf(requested_use_token_latencies=False)),
    ("P11", perf("Server", requested_use_token_latencies=None)),
    ("P12", perf("Server", **{TTFT: 2_000_000_000})),
    ("P12", perf("Server", **{TPOT: 200_000_000})),
    ("P12", perf("Server", **{TTFT: None})),
    ("P13", perf(effective_scenario="Server")),
    ("P13", perf("Server", effective_scenario="Offline", effective_samples_per_query=15_000)),
    ("P15", perf(result_tokens_per_second=None)),
    ("P15", perf(result_tokens_per_second=0)),
    ("P15", perf(result_tokens_per_second="many")),
    ("P15", perf("Server", result_completed_tokens_per_second=None)),
    ("P16", perf(effective_min_duration_ms=None)),
    ("P16", perf(result_validity=None)),
    ("P16", perf(effective_qsl_rng_seed=None)),
    *[("A1", score(m, v)) for m, v in {"rouge1": "45.14", "rouge2": "23.1", "rougeL": "30.1"}.items()],
    ("A1", score("gsm8k", "72.92")),
    ("A1", score("mbxp", "59.5")),
    ("A1", score("mbxp", "0")),
    ("A1", score("gsm8k", "0.0", "Server")),
    ("A1", score("rouge1", None)),
    ("A1", score("mbxp", None)),
    ("A1", score("rouge1", "np.float64(45.6)")),
    ("A2", score("tokens_per_sample", "161.0")),
    ("A2", score("tokens_per_sample", "160.5", "Server")),
    ("A3", lambda t: _without_hash(t)),
    ("A4", lambda t: (t.accuracy() / "mlperf_log_accuracy.json").write_text(answers(200))),
    ("A5", failed("accuracy", "clocks differ")),
    ("A6", acc(qsl_reported_total_count=14_999)),
    ("A6", acc("Server", qsl_reported_total_count=10)),
    ("A6", acc(effective_accuracy_sample_count=100)),
    ("C1", verdict_is(None, "Server")),
    ("C1", verdict_is("")),
    ("C1", verdict_is(verdict(eos="False"))),
    ("C1", verdict_is(verdict(length="False"))),
    ("C1", verdict_is(verdict(first_token="False"))),
    ("C1", lambda t: shutil.rmtree(t.compliance().parent)),
    ("W1", add("closed/Tester/results/box/mixtral-8x7b/Offline/performance/power/client.json")),
    ("X12", lambda t: (t.measurements() / "README.md").write_text("**FAKE RUN: echo**")),
]

WARNINGS: list[tuple[str, Spoil]] = [
    ("S7", system(number_of_nodes="one")),
    ("S7", system(accelerators_per_node="8x")),
    ("T9", lambda t: (t.root / "open/Nobody").mkdir(parents=True)),
    ("P2", line("performance", "error_runtime", "marked, and not counted", is_error=True)),
    ("A5", line("accuracy", "error_runtime", "marked, and not counted", is_error=True)),
    ("T1", add("extra/file.md")),
    ("S3", system(colour="green")),
    ("X1", perf(effective_test_mode="AccuracyOnly")),
    ("X1", perf("Server", effective_test_mode="FindPeakPerformance")),
    ("X2", acc(effective_test_mode="PerformanceOnly")),
    ("X3", acc(effective_qsl_rng_seed=7)),
    ("X4", lambda t: (t.measurements() / "user.conf").write_text("mixtral-8x7b.Offline.target_qps = 99\n")),
    ("X4", lambda t: (t.measurements() / "user.conf").write_text("*.Offline.min_duration = 1\n")),
    ("X5", acc(sut_name="another")),
    ("X6", lambda t: (t.accuracy() / "mlperf_log_accuracy.json").write_text(answers(20))),
    ("X7", sampled(0)),
    ("X7", sampled(99)),
    ("X7", lambda t: shutil.rmtree(t.compliance() / "accuracy")),
    ("X8", perf(result_samples_per_second=12.0)),
    ("X14", perf(result_samples_per_second=10.0)),
    ("X9", score("tokens_per_sample", "160.0")),
    ("X10", line("performance", "warning_generic_message", "Found Audit Config file", is_warning=True)),
    ("X11", perf(test_datetime="2024-01-01T00:00:00Z")),
]


def _drop_scenario(tree: GoodTree, scenario: str) -> None:
    for folder in (tree.results(scenario), tree.measurements(scenario), tree.compliance(scenario).parent):
        shutil.rmtree(folder)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


def _without_hash(tree: GoodTree) -> None:
    path = tree.accuracy() / "accuracy.txt"
    path.write_text("\n".join(x for x in path.read_text().splitlines() if not x.startswith("hash=")))


def names(cases: list[tuple[str, Spoil]]) -> list[str]:
    return [f"{code}-{number}" for number, (code, _) in enumerate(cases)]


def test_there_are_at_least_a_hundred_planted_faults() -> None:
    assert len(ERRORS) + len(WARNINGS) + len(OTHER_TREES) >= 100


@pytest.mark.parametrize(("code", "spoil"), ERRORS, ids=names(ERRORS))
def test_a_planted_fault_gives_its_error_alone(tmp_path: Path, code: str, spoil: Spoil) -> None:
    tree = GoodTree.make(tmp_path)
    spoil(tree)
    assert tree.codes(Severity.ERROR) == [code]
    assert set(tree.codes(Severity.NOTE)) <= {"N2"}


@pytest.mark.parametrize(("code", "spoil"), WARNINGS, ids=names(WARNINGS))
def test_what_no_official_checker_sees_gives_its_warning_alone(
    tmp_path: Path, code: str, spoil: Spoil
) -> None:
    tree = GoodTree.make(tmp_path)
    spoil(tree)
    assert tree.codes() == [code]


def _rename_benchmark(to: str) -> Spoil:
    def spoil(tree: GoodTree) -> None:
        for folder in list(tree.root.rglob(tree.workload)):
            folder.rename(folder.with_name(to))

    return spoil


def _drop_both(tree: GoodTree) -> None:
    for scenario in ("Server", "Interactive"):
        _drop_scenario(tree, scenario)


# (code, round, division, workload, how it is spoilt)
OTHER_TREES: list[tuple[str, str, str, str, Spoil]] = [
    ("S7", "v6.0", "closed", "mixtral-8x7b", system(accelerators_per_node="8x")),
    ("S8", "v5.1", "closed", "mixtral-8x7b", system(is_network=False)),
    ("S8", "v6.0", "closed", "mixtral-8x7b", system(is_network=False)),
    ("S8", "v5.1", "open", "mixtral-8x7b", system(framework=2.4)),
    ("M1", "v5.1", "closed", "mixtral-8x7b", _rename_benchmark("mixtral-9x7b")),
    ("M1", "v5.1", "open", "mixtral-8x7b", _rename_benchmark("my-model")),
    ("M2", "v5.1", "open", "mixtral-8x7b", lambda t: _rename_scenario(t, "Offlin")),
    ("M4", "v5.1", "closed", "llama2-70b-99", _drop_both),
    ("M3", "v6.0", "closed", "llama2-70b-99", lambda t: shutil.rmtree(t.results("Offline"))),
    ("F3", "v4.1", "closed", "mixtral-8x7b", lambda t: (t.measurements() / "mlperf.conf").unlink()),
    ("F4", "v6.0", "closed", "mixtral-8x7b", lambda t: t.measurement_file().unlink()),
    ("F5", "v6.0", "closed", "mixtral-8x7b", lambda t: shutil.rmtree(t.owner / "src")),
    ("C1", "v6.0", "closed", "mixtral-8x7b", lambda t: shutil.rmtree(t.compliance())),
    ("C1", "v4.1", "network", "mixtral-8x7b", lambda t: shutil.rmtree(t.compliance().parent)),
    ("P14", "v5.1", "network", "mixtral-8x7b", lambda t: _rename_sut(t)),
    ("S5", "v5.1", "network", "mixtral-8x7b", system(is_network="False")),
    ("S5", "v5.1", "network", "mixtral-8x7b", system(network_rate="")),
    ("P12", "v5.1", "closed", "llama2-70b-99.9", perf("Interactive", **{TTFT: 450_000_000})),
    ("P12", "v5.1", "closed", "llama3.1-8b", perf("Server", **{TPOT: 100_000_000})),
    ("A1", "v4.1", "closed", "mixtral-8x7b", score("gsm8k", "73.0")),
    ("A1", "v6.0", "closed", "llama3.1-405b", score("exact_match", "89.0")),
    ("A2", "v5.0", "closed", "llama2-70b-99", score("tokens_per_sample", "330.0")),
    ("A6", "v6.0", "closed", "mixtral-8x7b", acc(effective_accuracy_sample_count=14_000)),
    ("T14", "v5.1", "open", "mixtral-8x7b", add("open/Tester/model_mapping.json", "[")),
    ("T14", "v5.1", "open", "mixtral-8x7b", add("open/Tester/model_mapping.json", '{"a": 3}')),
    ("P1", "v4.1", "open", "mixtral-8x7b", perf(result_validity="INVALID")),
    ("P3", "v4.1", "closed", "mixtral-8x7b", perf(effective_sample_concatenate_permutation=False)),
    ("P3", "v4.1", "closed", "mixtral-8x7b", lambda t: _nothing_says_equal(t)),
]


def _nothing_says_equal(tree: GoodTree) -> None:
    tree.log(tree.performance(), effective_sample_concatenate_permutation=None)
    (tree.measurements() / "mlperf.conf").write_text("# nothing\n")


def test_in_v41_the_conf_files_stand_in_for_a_log_without_equal_issue(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path, "v4.1")
    tree.log(tree.performance(), effective_sample_concatenate_permutation=None)
    assert tree.codes() == []


def test_a_system_without_results_is_gated_from_v51(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path, "v5.0")
    shutil.copy(tree.system_file, tree.owner / "systems/ghost.json")
    assert tree.codes(Severity.WARNING) == ["T10"]
    assert tree.codes(Severity.ERROR) == []


def _rename_scenario(tree: GoodTree, to: str) -> None:
    for folder in (tree.results("Offline"), tree.measurements("Offline"), tree.compliance("Offline").parent):
        folder.rename(folder.with_name(to))


def _rename_sut(tree: GoodTree) -> None:
    for scenario in ("Offline", "Server"):
        tree.log(tree.performance(scenario), sut_name="PySUT")
        tree.log(tree.accuracy(scenario), sut_name="PySUT")


@pytest.mark.parametrize(("code", "round_name", "division", "workload", "spoil"), OTHER_TREES)
def test_the_rules_follow_round_division_and_workload(
    tmp_path: Path, code: str, round_name: str, division: str, workload: str, spoil: Spoil
) -> None:
    tree = GoodTree.make(tmp_path, round_name, division, workload)
    spoil(tree)
    found = tree.codes(Severity.ERROR)
    assert found == [code]


def test_results_without_a_description_are_found(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    tree.system_file.rename(tree.owner / "systems/other.json")
    assert tree.codes(Severity.ERROR) == ["T10", "T12"]


def test_compliance_tests_of_other_workloads_are_asked_for(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path, "v6.0", "closed", "gpt-oss-120b")
    assert tree.codes() == ["C2"]
    for scenario in ("Offline", "Server", "Interactive"):
        for test, file in (("TEST07", "verify_accuracy.txt"), ("TEST09", "verify_output_len.txt")):
            tree.compliance(scenario, test).mkdir(parents=True)
            (tree.compliance(scenario, test) / file).write_text("TEST PASS\n")
    assert tree.codes() == []


@pytest.mark.parametrize(
    ("workload", "eos", "codes"),
    [("llama3.1-8b", 128009, ["X15"]), ("llama3.1-8b", 2, []), ("deepseek-r1", 1, ["X15"])],
)
def test_answers_that_test06_logged_are_held_to_the_end_of_their_own_model(
    tmp_path: Path, workload: str, eos: int, codes: list[str]
) -> None:
    tree = GoodTree.make(tmp_path, "v5.1", workload=workload)
    data = b"".join(token.to_bytes(4, "little") for token in (1000, 1001, eos, eos)).hex()
    log = tree.compliance() / "accuracy/mlperf_log_accuracy.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    answer = {"qsl_idx": 3, "data": data, "token_data": "", "token_count": 4}
    log.write_text(json.dumps([answer] * 100))
    assert tree.codes(Severity.WARNING) == codes
    log.write_text(log.read_text()[:-9])  # cut, as some submitters file it
    assert tree.codes() == []


def test_an_interactive_folder_is_held_to_its_own_limits_whatever_its_log_calls_itself(
    tmp_path: Path,
) -> None:
    tree = GoodTree.make(tmp_path, "v6.1", workload="deepseek-r1")
    between = {TTFT: 1_700_000_000}  # late for Interactive (1500 ms), in time for Server (2000 ms)
    tree.log(tree.performance("Server"), **between)
    assert tree.codes() == []
    tree.log(tree.performance("Interactive"), effective_scenario="Server", **between)
    assert tree.codes(Severity.ERROR) == ["P12"]


@pytest.mark.parametrize(
    ("round_name", "division", "severity"),
    [
        ("v5.1", "open", Severity.WARNING),
        ("v5.1", "closed", Severity.ERROR),
        ("v6.0", "open", Severity.ERROR),
    ],
)
def test_an_accuracy_run_over_a_part_is_a_warning_where_the_official_checker_goes_on(
    tmp_path: Path, round_name: str, division: str, severity: Severity
) -> None:
    tree = GoodTree.make(tmp_path, round_name, division, "llama2-70b-99")
    tree.log(tree.accuracy(), qsl_reported_total_count=24_000)
    assert tree.codes(severity) == ["A6"]


def test_in_v40_equal_issue_is_asked_of_server_alone_and_not_gated(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path, "v4.0", workload="llama2-70b-99")
    for scenario in ("Offline", "Server"):
        tree.log(tree.performance(scenario), effective_sample_concatenate_permutation=False)
    report = check(tree.root, rounds.load("v4.0"))
    found = [(f.code, f.severity) for f in report.findings]
    assert found == [("P3", Severity.WARNING)]
    assert "Server" in report.findings[0].path


def test_a_workload_whose_rules_are_not_held_is_not_judged_and_never_fine(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    _rename_benchmark("resnet")(tree)
    assert tree.codes() == ["N1"]


def test_an_empty_accuracy_log_is_found(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    (tree.accuracy() / "mlperf_log_accuracy.json").write_text("[\n]\n")
    assert tree.codes() == ["A7", "X6"]  # and its hash is that of another file


def test_a_small_accuracy_log_that_is_not_json_is_found(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path)
    (tree.accuracy() / "mlperf_log_accuracy.json").write_text("[ { }")
    assert "X13" in tree.codes(Severity.WARNING)


def test_open_submissions_are_not_gated_but_must_report(tmp_path: Path) -> None:
    tree = GoodTree.make(tmp_path, division="open")
    tree.score("rouge1", "3.0")
    tree.score("tokens_per_sample", "900.0")
    tree.log(tree.performance(), result_samples_per_second=rounds_rate(900.0))
    assert tree.codes() == []
    tree.score("mbxp", None)
    assert tree.codes() == ["A1"]
    assert tree.codes(Severity.ERROR) == []


def rounds_rate(tokens: float) -> float:
    """Samples/s that fit the tree's 2896.8 tokens/s at `tokens` per sample."""
    return 20.0 * 144.84 / tokens


def test_an_empty_folder_says_that_there_is_nothing_to_judge(tmp_path: Path) -> None:
    from assay.mlperf.checker.check import check

    (tmp_path / "empty").mkdir()
    report = check(tmp_path / "empty", rounds.load("v5.1"))
    assert [f.code for f in report.findings] == ["T15"]


def test_every_rule_is_planted_somewhere_or_named_here() -> None:
    planted = {code for code, _ in [*ERRORS, *WARNINGS]} | {case[0] for case in OTHER_TREES}
    elsewhere = {"T12", "T15", "T16", "C2", "N1", "N2", "A7", "X13", "X15", "W2"}
    endpoints = {"E1", "E2", "E3", "E4", "E5", "E6"}  # test_endpoints.py
    assert set(RULES) - planted - elsewhere - endpoints == set()
