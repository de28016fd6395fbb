"""Folders of LoadGen's logs: runs of one model belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.bench import foreign_logs
from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError
from assay.mlperf.record.result import RunValidity
from tests.bench.foreign_files import logs


def test_a_tree_gives_one_run_for_each_model_with_all_its_scenarios(tmp_path: Path) -> None:
    model = tmp_path / "closed/ORG/results/SYSTEM/mixtral-8x7b"
    logs(model / "Server/performance/run_1")
    logs(model / "Server/accuracy", mode="AccuracyOnly")
    logs(model / "Offline/performance/run_1", "Offline")
    logs(model.parent / "llama2-70b-99/Offline/performance/run_1", "Offline")
    logs(model / "Server/TEST06/performance/run_1")
    llama, mixtral = sorted(foreign_logs.runs(tmp_path), key=lambda run: run.model)
    assert (llama.model, mixtral.model) == ("llama2-70b-99", "mixtral-8x7b")
    assert {(run.scenario, run.mode) for run in mixtral.runs} == {
        (Scenario.OFFLINE, Mode.PERFORMANCE),
        (Scenario.SERVER, Mode.PERFORMANCE),
        (Scenario.SERVER, Mode.ACCURACY),
    }
    assert mixtral.round == "v4.1"
    assert mixtral.version == "4.1 @ abc"


def test_figures_are_those_of_the_log_and_name_their_file(tmp_path: Path) -> None:
    (run,) = foreign_logs.runs(logs(tmp_path / "m/Server/performance/run_1"))
    (made,) = run.runs
    assert made.validity is RunValidity.VALID
    figures = {figure.metric: figure for figure in made.figures}
    assert (figures["tokens_per_s"].value, figures["samples_per_s"].value) == (1740.0, 12.0)
    assert figures["ttft_p99"].value == 700.0
    assert figures["ttft_p99"].file == "Server/performance/run_1/mlperf_log_detail.txt"
    assert run.sources == {
        figures["ttft_p99"].file: tmp_path / "m/Server/performance/run_1/mlperf_log_detail.txt"
    }


def test_a_folder_of_any_name_is_taken(tmp_path: Path) -> None:
    (run,) = foreign_logs.runs(logs(tmp_path / "mine", "Offline"))
    assert (run.model, run.runs[0].scenario) == ("mine", Scenario.OFFLINE)


def test_interactive_is_told_by_the_folder_as_loadgen_calls_it_server(tmp_path: Path) -> None:
    logs(tmp_path / "m/Interactive/performance/run_1")
    logs(tmp_path / "m/Server/performance/run_1")
    (run,) = foreign_logs.runs(tmp_path)
    assert [made.scenario for made in run.runs] == [Scenario.INTERACTIVE, Scenario.SERVER]


def test_other_seeds_are_of_no_round(tmp_path: Path) -> None:
    (run,) = foreign_logs.runs(logs(tmp_path / "m", effective_qsl_rng_seed=1))
    assert run.round == "unknown"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"power_end": None}, "stops before the end"),
        ({"effective_test_mode": "FindPeakPerformance"}, "mode FindPeakPerformance"),
        ({"effective_scenario": "Sideways"}, "scenario Sideways"),
        ({"result_completed_samples_per_sec": 0.0}, "samples_per_s of Server/.*detail.txt is 0.0"),
        ({"result_first_token_99.00_percentile_latency_ns": -5_000_000}, "ttft_p99 of .* is -5.0"),
    ],
)
def test_a_log_that_is_no_whole_run_is_refused_by_name(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ArtifactError, match=said):
        list(foreign_logs.runs(logs(tmp_path / "m", **changes)))


def test_two_runs_of_one_kind_are_told_apart_by_asking(tmp_path: Path) -> None:
    for number in (1, 2):
        logs(tmp_path / f"m/Server/performance/run_{number}")
    with pytest.raises(ArtifactError, match="two runs of Server performance"):
        list(foreign_logs.runs(tmp_path))


def test_a_folder_without_logs_gives_nothing(tmp_path: Path) -> None:
    assert list(foreign_logs.runs(tmp_path)) == []
