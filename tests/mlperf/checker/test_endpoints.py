"""Entries of v6.1 that hold artefacts of MLPerf Endpoints in place of LoadGen's logs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.mlperf.checker import endpoints
from assay.mlperf.checker.check import check
from assay.mlperf.checker.finding import Severity
from assay.mlperf.rounds import round as rounds
from tests.mlperf.checker.good_tree import GoodTree

SEEDS = rounds.load("v6.1").seeds
GPT_SETS = (("aime25", 0.80, 30, 8), ("gpqa", 0.75, 198, 5), ("livecodebench", 0.85, 1055, 3))
"""name, share right, rows, repeats: 0.85 x 1055 + 0.75 x 198 + 0.80 x 30 of 1283 are 83.339 %."""
LENGTH = {"avg": 3886.2}
DEEPSEEK = {
    "dataset_type": "accuracy",
    "score": 81.5,
    "total_samples": 4388,
    "output_sequence_lengths": LENGTH,
}


class EndpointsTree(GoodTree):
    """A good tree whose logs are replaced by what MLPerf Endpoints writes."""

    def convert(self, scores: list[dict[str, Any]], mean_tokens: float = 1278.0) -> EndpointsTree:
        for scenario in ("Offline", "Server", "Interactive"):
            folder = self.results(scenario)
            for part in ("performance", "accuracy", "TEST06"):
                shutil.rmtree(folder / part, ignore_errors=True)
            (folder / "user.conf").unlink()
            runtime = {
                "min_duration_ms": 600_000,
                "dataloader_random_seed": SEEDS.sample_index,
                "scheduler_random_seed": SEEDS.schedule,
            }
            kind = "offline" if scenario == "Offline" else "online"
            config = {"type": kind, "settings": {"runtime": runtime}, "model_params": {"streaming": "on"}}
            (folder / "config.yaml").write_text(yaml.safe_dump(config))
            summary = {
                "n_samples_issued": 13_368,
                "n_samples_failed": 0,
                "qps": 20.0,
                "tps": 20 * mean_tokens,
                "output_sequence_lengths": {"avg": mean_tokens},
                "ttft": {"early_stopping_percentiles": {"99.0": 300_000_000}},
                "tpot": {"early_stopping_percentiles": {"99": 9_000_000}},
            }
            self.write(scenario, "performance/result_summary.json", summary)
            self.write(scenario, "accuracy/accuracy_results.json", {"accuracy_scores": scores})
        return self

    def write(self, scenario: str, name: str, value: Any) -> None:
        path = self.results(scenario) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))

    def edit(self, scenario: str, name: str, **changes: Any) -> None:
        value = json.loads((self.results(scenario) / name).read_text())
        self.write(scenario, name, value | changes)


def deepseek(folder: Path, **changes: Any) -> EndpointsTree:
    made = EndpointsTree.make(folder, "v6.1", workload="deepseek-r1")
    assert isinstance(made, EndpointsTree)
    return made.convert([DEEPSEEK | changes], LENGTH["avg"])


def gpt_oss(folder: Path, livecodebench: float = 0.85, mean_tokens: float = 1278.0) -> EndpointsTree:
    made = EndpointsTree.make(folder, "v6.1", workload="gpt-oss-120b")
    assert isinstance(made, EndpointsTree)
    scores = [
        {
            "dataset_name": name,
            "dataset_type": "accuracy",
            "score": livecodebench if name == "livecodebench" else score,
            "num_repeats": repeats,
            "total_samples": rows * repeats,
        }
        for name, score, rows, repeats in GPT_SETS
    ]
    return made.convert(scores, mean_tokens)


def test_a_good_endpoints_tree_has_no_errors_and_its_rates_are_tokens(tmp_path: Path) -> None:
    report = check(deepseek(tmp_path).root, rounds.load("v6.1"))
    assert [f for f in report.findings if f.severity is Severity.ERROR] == []
    found = {row.scenario: (row.result, row.units) for row in report.rows}
    assert found == dict.fromkeys(("Offline", "Server", "Interactive"), (77_724.0, "Tokens/s"))
    assert {row.accuracy for row in report.rows} == {"exact_match: 81.5  tokens_per_sample: 3886.2"}


def test_tokens_are_never_taken_from_samples(tmp_path: Path) -> None:
    tree = deepseek(tmp_path)
    tree.edit("Offline", "performance/result_summary.json", tps=None)
    report = check(tree.root, rounds.load("v6.1"))
    assert {row.scenario: row.result for row in report.rows}["Offline"] is None
    assert tree.codes(Severity.ERROR) == ["P15"]


@pytest.mark.parametrize("score", [80.5, "80.5", 0.805, {"exact_match": 0.805}])
def test_a_score_below_the_gate_fails_though_the_official_checker_takes_any(
    tmp_path: Path, score: Any
) -> None:
    assert deepseek(tmp_path, score=score).codes(Severity.ERROR) == ["A1"]


@pytest.mark.parametrize("score", [80.6, "80.6", 0.806, {"exact_match": 80.6}])
def test_a_score_is_read_as_number_text_share_or_table(tmp_path: Path, score: Any) -> None:
    assert deepseek(tmp_path, score=score).codes(Severity.ERROR) == []


@pytest.mark.parametrize("score", [None, "n/a", True, {"other": 3}])
def test_an_entry_without_any_score_is_an_error(tmp_path: Path, score: Any) -> None:
    assert deepseek(tmp_path, score=score).codes(Severity.ERROR) == ["E4"]


def test_sets_of_several_sizes_are_weighted_by_their_rows(tmp_path: Path) -> None:
    report = check(gpt_oss(tmp_path / "good").root, rounds.load("v6.1"))
    assert {row.accuracy for row in report.rows} == {"exact_match: 83.3398"}
    assert not [f for f in report.findings if f.severity is Severity.ERROR]
    assert gpt_oss(tmp_path / "low", livecodebench=0.80).codes(Severity.ERROR) == ["A1"]


def test_answers_of_another_length_fail_test09(tmp_path: Path) -> None:
    assert gpt_oss(tmp_path, mean_tokens=1406.5).codes(Severity.ERROR) == ["E5"]


def test_an_interactive_run_is_held_to_interactive_limits_and_null_is_no_latency(tmp_path: Path) -> None:
    tree = deepseek(tmp_path)
    late = {"early_stopping_percentiles": {"99.0": 1_700_000_000}}
    tree.edit("Server", "performance/result_summary.json", ttft=late)
    assert tree.codes(Severity.ERROR) == []
    tree.edit("Interactive", "performance/result_summary.json", ttft=late)
    assert tree.codes(Severity.ERROR) == ["P12"]
    tree.edit(
        "Interactive", "performance/result_summary.json", ttft={"early_stopping_percentiles": {"99.0": None}}
    )
    assert tree.codes(Severity.ERROR) == ["P12"]


def test_seeds_and_duration_are_those_of_the_config(tmp_path: Path) -> None:
    tree = deepseek(tmp_path)
    path = tree.results("Offline") / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["settings"]["runtime"] |= {"scheduler_random_seed": 42, "min_duration_ms": 0}
    path.write_text(yaml.safe_dump(config))
    assert tree.codes(Severity.ERROR) == ["P10", "P5"]
    del config["settings"]
    path.write_text(yaml.safe_dump(config))
    assert tree.codes(Severity.ERROR) == ["E3"]


def test_a_tree_as_the_publishing_script_leaves_it_is_told_where_the_files_belong(tmp_path: Path) -> None:
    tree = deepseek(tmp_path)
    folder = tree.results("Offline")
    (folder / "performance/run_1").mkdir()
    for name in ("config.yaml", "performance/result_summary.json"):
        (folder / name).rename(folder / "performance/run_1" / Path(name).name)
    report = check(tree.root, rounds.load("v6.1"))
    found = {f.found for f in report.findings if f.code == "E2"}
    assert found == {"performance/run_1/config.yaml", "performance/run_1/result_summary.json"}


@pytest.mark.parametrize(("told", "codes"), [(True, []), (False, ["E5"])])
def test_an_audit_that_is_filed_must_have_passed(tmp_path: Path, told: bool, codes: list[str]) -> None:
    tree = deepseek(tmp_path)
    audit = {"test": "consistency_output_test", "passed": told}
    tree.write("Server", "audit/audit_consistency_output_test.json", audit)
    assert tree.codes(Severity.ERROR) == codes


def test_only_some_workloads_may_be_run_so(tmp_path: Path) -> None:
    made = EndpointsTree.make(tmp_path, "v6.1", workload="llama2-70b-99.9")
    assert isinstance(made, EndpointsTree)
    assert "E1" in made.convert([]).codes(Severity.ERROR)


def test_an_accuracy_run_over_a_part_or_with_failures_is_found(tmp_path: Path) -> None:
    assert deepseek(tmp_path / "part", total_samples=4000).codes(Severity.ERROR) == ["A6"]
    failed = {"issued": 4388, "failed": 3}
    assert deepseek(tmp_path / "failed", response_counts=failed).codes(Severity.ERROR) == ["A5"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"accuracy_scores": 3}', '{"accuracy_scores": [[], 7]}'])
def test_results_of_any_kind_are_findings_and_never_a_traceback(tmp_path: Path, content: str) -> None:
    tree = deepseek(tmp_path)
    (tree.results("Offline") / "accuracy/accuracy_results.json").write_text(content)
    assert tree.codes(Severity.ERROR) != []
    (tree.results("Server") / "performance/result_summary.json").write_text(content)
    (tree.results("Server") / "config.yaml").write_text("a: [")
    assert tree.codes(Severity.ERROR) != []


@pytest.mark.parametrize(
    ("mean", "codes"), [(3490, ["A1", "X8"]), (3600, []), (4275, ["A2"]), (None, ["E4"])]
)
def test_the_mean_length_of_the_answers_is_held_to_both_limits(
    tmp_path: Path, mean: float | None, codes: list[str]
) -> None:
    assert deepseek(tmp_path, output_sequence_lengths={"avg": mean}).codes() == codes


def test_an_endpoints_run_over_a_part_of_the_set_is_a_warning(tmp_path: Path) -> None:
    tree = deepseek(tmp_path)
    tree.edit("Offline", "performance/result_summary.json", n_samples_issued=100)
    assert tree.codes() == ["E6"]


def test_before_v61_such_artefacts_are_no_logs(tmp_path: Path) -> None:
    tree = deepseek(tmp_path)
    report = check(tree.root, rounds.load("v6.0"))
    assert {"F1", "F2"} <= {f.code for f in report.findings if f.severity is Severity.ERROR}


def test_a_percentile_is_found_with_and_without_its_point() -> None:
    assert [endpoints.at({"ttft": {key: 7}}, ("ttft", "99.0")) for key in ("99.0", "99", "90.0")] == [
        7,
        7,
        None,
    ]
