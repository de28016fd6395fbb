"""The same benchmark asked through the wrapper's tags, and the rate that `_find-performance` is after."""

from __future__ import annotations

from pathlib import Path

from assay.config import Mode, Scenario
from assay.doors import cm
from assay.doors.builtin.app_mlperf_inference import action as benchmark
from assay.doors.builtin.call import Answer, BuiltinCall
from assay.ground.errors import ConfigError, RunFailed
from assay.mlperf.record import result


def action(call: BuiltinCall) -> Answer:
    if "find-performance" not in call.selection.variations:
        return benchmark.action(call)
    asked = cm.from_cm(call.selection, call.env, call.defaults).scenarios
    if any(scenario.is_paced for scenario in asked):
        raise ConfigError(
            "variation _find-performance finds the rate of Offline: in Server the rate is given, not found",
            "leave it out, and the target too: then a Server run chooses its own after a probe",
        )
    answer = benchmark.action(call)
    folder = Path(answer["new_env"][f"{call.prefix}MLPERF_INFERENCE_RESULTS_DIR"])
    rate = f"{_samples_per_s(folder):.4g}"
    call.say(f"assay: the rate of Offline here is {rate} samples/s: --target_qps={rate}")
    return call.answer({**answer["new_env"], "CM_MLPERF_LOADGEN_TARGET_QPS": rate})


def _samples_per_s(folder: Path) -> float:
    """Of the performance run, which is the target of the next one. Raises: RunFailed.

    Source: cm4mlops at 3a60122724e9, app-mlperf-inference: `Samples per second` becomes the system's target.
    """
    run = result.read(folder).find(Scenario.OFFLINE, Mode.PERFORMANCE)
    figure = run.figure("samples_per_s") if run else None
    if figure is None:
        raise RunFailed(f"{folder} holds no rate of an Offline performance run", "--rerun runs again")
    return figure.value
