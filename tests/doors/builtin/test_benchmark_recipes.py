"""app,mlperf,inference and its wrapper: the request that is run, and what goes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from assay.config import Mode, Scenario
from assay.doors import cm
from assay.doors.builtin.app_mlperf_inference.action import action as benchmark
from assay.doors.builtin.run_mlperf_inference.action import action as wrapper
from assay.doors.cm_delivery import delivery
from assay.ground.errors import AssayError, ConfigError, RunFailed
from assay.mlperf.record.result import Figure
from tests import fakes
from tests.doors.builtin.calls import Benchmark, Call

APP = "app,mlperf,inference,generic"
WRAPPER = "run-mlperf,inference"


@pytest.mark.parametrize("action", [benchmark, wrapper])
def test_tags_and_variables_become_one_request(action: Any, tmp_path: Path) -> None:
    made = Benchmark(tmp_path)
    call = Call(f"{APP},_mixtral-8x7b,_offline", made, CM_MLPERF_SKIP_SUBMISSION_GENERATION="yes").of(
        CM_RERUN="yes"
    )
    action(call)
    (request,) = made.requests
    assert request.config == cm.from_cm(call.selection, call.env, call.defaults)
    assert request.delivery == delivery(call.selection, {**call.defaults, **call.env})
    assert request.config.scenarios == (Scenario.OFFLINE,) and not request.delivery.submit


@pytest.mark.parametrize(
    ("tree", "archive", "names"),
    [
        (None, None, ["RESULTS_DIR"]),
        ("tree", None, ["RESULTS_DIR", "SUBMISSION_DIR"]),
        ("tree", "tree.tar.gz", ["RESULTS_DIR", "SUBMISSION_DIR", "SUBMISSION_TAR_FILE"]),
    ],
)
@pytest.mark.parametrize("prefix", ["CM_", "MLC_"])
def test_only_what_was_made_goes_back(
    tree: str | None, archive: str | None, names: list[str], prefix: str, tmp_path: Path
) -> None:
    places = [tmp_path / name if name else None for name in (tree, archive)]
    answer = benchmark(Call(APP, Benchmark(tmp_path / "run", *places), prefix).of())
    assert list(answer["new_env"]) == [f"{prefix}MLPERF_INFERENCE_{name}" for name in names]
    assert list(answer["new_env"].values()) == [str(tmp_path / "run"), *(str(p) for p in places if p)]
    assert answer["return"] == 0


def test_a_request_that_cannot_be_is_refused_before_anything_runs(tmp_path: Path) -> None:
    made = Benchmark(tmp_path)
    with pytest.raises(ConfigError):
        benchmark(Call(f"{APP},_offline", made).of(CM_MLPERF_LOADGEN_SCENARIO="Server"))
    assert made.requests == []


# ---------------------------------------------------------------------- _find-performance


def rated(folder: Path, rate: float | None) -> Benchmark:
    figures = () if rate is None else (Figure("samples_per_s", rate, "samples/s", 10, "log"),)
    fakes.result(fakes.performance(figures=figures)).write(folder)
    return Benchmark(folder)


@pytest.mark.parametrize(("rate", "text"), [(12.3456, "12.35"), (0.5, "0.5"), (123456.0, "1.235e+05")])
def test_the_rate_of_offline_is_found_and_handed_on(rate: float, text: str, tmp_path: Path) -> None:
    call = Call(f"{WRAPPER},_find-performance,_offline", rated(tmp_path, rate), "MLC_")
    answer = wrapper(call.of())
    assert answer["new_env"] == {
        "MLC_MLPERF_INFERENCE_RESULTS_DIR": str(tmp_path),
        "MLC_MLPERF_LOADGEN_TARGET_QPS": text,
    }
    assert f"--target_qps={text}" in call.said[-1]


def test_without_the_variation_no_rate_is_looked_for(tmp_path: Path) -> None:
    call = Call(WRAPPER, Benchmark(tmp_path))  # a folder without a result
    assert "CM_MLPERF_LOADGEN_TARGET_QPS" not in wrapper(call.of())["new_env"]
    assert call.said == []


@pytest.mark.parametrize("variations", ["_find-performance,_server", "_find-performance,_all-scenarios"])
def test_in_server_no_rate_is_found(variations: str, tmp_path: Path) -> None:
    made = rated(tmp_path, 1.0)
    with pytest.raises(AssayError, match=r"find-performance|all-scenarios"):
        wrapper(Call(f"{WRAPPER},{variations}", made).of())
    assert made.requests == []


def test_a_run_without_a_rate_is_a_failure_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="holds no rate") as caught:
        wrapper(Call(f"{WRAPPER},_find-performance,_offline", rated(tmp_path, None)).of())
    assert "--rerun" in caught.value.hint


def test_an_accuracy_run_alone_has_no_rate(tmp_path: Path) -> None:
    fakes.result(fakes.accuracy()).write(tmp_path)
    with pytest.raises(RunFailed):
        wrapper(Call(f"{WRAPPER},_find-performance,_offline", Benchmark(tmp_path)).of())


def test_a_rate_of_another_scenario_does_not_count(tmp_path: Path) -> None:
    paced = dataclasses.replace(fakes.performance(), scenario=Scenario.SERVER, mode=Mode.PERFORMANCE)
    fakes.result(paced).write(tmp_path)
    with pytest.raises(RunFailed):
        wrapper(Call(f"{WRAPPER},_find-performance,_offline", Benchmark(tmp_path)).of())
