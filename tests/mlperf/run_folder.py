"""Run folders as `assay bench` leaves them, with logs in LoadGen's form but written here: a few lines each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.config import BenchmarkConfig, Mode, Paths, Scenario
from assay.mlperf import logs
from assay.mlperf.record import result
from assay.mlperf.record.figures import figures
from assay.mlperf.record.result import (
    DatasetUsed,
    LoadgenUsed,
    ModeResult,
    RunResult,
    RunValidity,
    ScoredMetric,
    Status,
    SystemField,
)
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.round import Round
from assay.mlperf.rounds.round_workload import RoundWorkload
from assay.mlperf.rounds.target import Score
from assay.mlperf.sut.interface import Used

MIXTRAL = "mixtral-8x7b"
SCORES = {
    "rouge1": 45.5,
    "rouge2": 23.3,
    "rougeL": 30.4,
    "rougeLsum": 42.0,
    "gsm8k": 73.7,
    "mbxp": 60.1,
    "tokens_per_sample": 145.0,
    "gen_len": 4_000_000,
    "gen_num": 15_000,
}


def record(key: str, value: Any, **meta: bool) -> str:
    """One line of a detail log."""
    line = {
        "key": key,
        "value": value,
        "time_ms": 1.5,
        "namespace": "mlperf::logging",
        "event_type": "POINT_IN_TIME",
        "metadata": {"is_error": False, "is_warning": False, "file": "written.cc", "line_no": 1, "pid": 1}
        | meta,
    }
    return ":::MLLOG " + json.dumps(line)


def settings(round_: Round, workload: RoundWorkload, scenario: str, mode: str) -> dict[str, Any]:
    """What a log of a good run says of itself."""
    count = workload.performance_samples if mode == "performance" else _accuracy_samples(workload)
    values: dict[str, Any] = {
        "loadgen_version": "6.0.3 @ 27db053025",
        "test_datetime": f"{round_.deadline}T10:00:00Z",
        "sut_name": "Network SUT of a test",
        "qsl_reported_total_count": count,
        "requested_use_token_latencies": workload.token_latencies,
        "effective_scenario": {"Interactive": "Server"}.get(scenario, scenario),
        "effective_test_mode": "PerformanceOnly" if mode == "performance" else "AccuracyOnly",
        "effective_samples_per_query": count if scenario == "Offline" else 1,
        "effective_target_qps": 20,
        "effective_target_latency_ns": 0,
        "effective_min_duration_ms": 600_000,
        "effective_min_query_count": 1 if scenario == "Offline" else 100,
        "effective_qsl_rng_seed": round_.seeds.qsl,
        "effective_sample_index_rng_seed": round_.seeds.sample_index,
        "effective_schedule_rng_seed": round_.seeds.schedule,
        "effective_performance_sample_count": count,
        "effective_sample_concatenate_permutation": True,
        "loaded_qsl_set": list(range(50)),
    }
    return values | (results(workload, scenario) if mode == "performance" else {}) | {"num_errors": 0}


def results(workload: RoundWorkload, scenario: str) -> dict[str, Any]:
    """The result lines of a VALID performance run: 20 samples/s, answers as long as the reference's."""
    values: dict[str, Any] = {"result_validity": "VALID", "early_stopping_met": True}
    length = workload.targets.get("tokens_per_sample")
    rate = 20.0 * (length.reference or 145.0 if length is not None else 145.0)
    if scenario == "Offline":
        values |= {"result_samples_per_second": 20.0, "result_tokens_per_second": rate}
    else:
        values |= {"result_completed_samples_per_sec": 20.0, "result_completed_tokens_per_second": rate}
        values |= {
            "result_first_token_99.00_percentile_latency_ns": 300_000_000,
            "result_time_per_output_token_99.00_percentile_ns": 9_000_000,
        }
    return {workload.result_key.get(scenario, "result_tokens_per_second"): rate} | values


def _accuracy_samples(workload: RoundWorkload) -> int:
    return workload.accuracy_samples or workload.dataset_samples


def detail_log(values: Mapping[str, Any]) -> str:
    return "\n".join(record(key, value) for key, value in values.items()) + "\n"


def answers(count: int, tokens: int = 6) -> str:
    """mlperf_log_accuracy.json of `count` answers."""
    data = "".join(f"{1000 + i:02X}".rjust(8, "0") for i in range(tokens))
    token_ids = [int.from_bytes(bytes.fromhex(data[i : i + 8]), "big") for i in range(0, len(data), 8)]
    hexed = b"".join(t.to_bytes(4, "little") for t in token_ids).hex().upper()
    lines = [
        f'{{ "seq_id" : {i}, "qsl_idx" : {i}, "data" : "{hexed}", '
        f'"token_data" : "{hexed[:8]}", "token_count" : {tokens} }}'
        for i in range(count)
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def accuracy_text(workload: RoundWorkload, changes: Mapping[str, float | None] | None = None) -> str:
    """accuracy.txt in the printed form; scores of other workloads are put on their targets."""
    scores = {**good_scores(workload), **(changes or {})}
    return "\nResults\n\n" + str({m: v for m, v in scores.items() if v is not None}) + "\n"


def good_scores(workload: RoundWorkload) -> dict[str, float | None]:
    fits = SCORES if workload.key == MIXTRAL else {}
    return {metric: fits.get(metric, target.reference) for metric, target in workload.targets.items()}


def verdict(first_token: str = "Skipped", eos: str = "True", length: str = "True") -> str:
    return (
        f"First token check pass: {first_token}\nEOS check pass: {eos}\n"
        f"Sample length check pass: {length}\nTEST06 verification complete\n"
    )


def user_conf(workload: str, scenario: str, qps: float = 20, duration: int = 600_000) -> str:
    return f"{workload}.{scenario}.target_qps = {qps}\n{workload}.{scenario}.min_duration = {duration}\n"


SYSTEM = {
    "status": "available",
    "host_processor_model_name": "Test Processor 1",
    "host_processors_per_node": "1",
    "host_processor_core_count": "2",
    "host_memory_capacity": "24 GB",
    "host_storage_capacity": "100 GB",
    "host_storage_type": "SSD",
    "host_networking": "N/A",
    "host_networking_topology": "N/A",
    "host_memory_configuration": "1 x 24 GB",
    "host_network_card_count": "1",
    "operating_system": "Linux 6",
    "other_software_stack": "Python 3.11",
    "cooling": "air",
}


def write(
    folder: Path,
    round_name: str = "v5.1",
    workload: str = MIXTRAL,
    scenarios: tuple[str, ...] = ("Offline", "Server"),
    modes: tuple[str, ...] = ("performance", "accuracy"),
    *,
    compliance: bool = True,
    is_fake: bool = False,
    answer_count: int = 300,
    network: bool = False,
    status: Status = Status.COMPLETE,
    more_log: str = "",
) -> Path:
    """A run folder of a good run. more_log: further lines of each detail log."""
    round_ = rounds.load(round_name)
    rules = round_.workloads[workload] if workload in round_.workloads else round_.workloads[MIXTRAL]
    runs = []
    for scenario in scenarios:
        base = folder / scenario
        base.mkdir(parents=True)
        (base / "user.conf").write_text(user_conf(workload, scenario))
        for mode in modes:
            place = base / ("performance/run_1" if mode == "performance" else "accuracy")
            place.mkdir(parents=True)
            log = detail_log(settings(round_, rules, scenario, mode))
            (place / "mlperf_log_detail.txt").write_text(log + more_log)
            (place / "mlperf_log_summary.txt").write_text("No warnings encountered during test.\n")
            (place / "mlperf_log_accuracy.json").write_text(
                answers(answer_count) if mode == "accuracy" else "[\n]\n"
            )
            if mode == "accuracy":
                (place / "accuracy.txt").write_text(accuracy_text(rules))
            runs.append(_mode_result(folder, rules, scenario, mode, str(place.relative_to(folder))))
        if compliance:
            test = base / "compliance" / "TEST06"
            (test / "accuracy").mkdir(parents=True)
            (test / "verify_accuracy.txt").write_text(verdict("Skipped" if scenario == "Offline" else "True"))
            (test / "accuracy" / "mlperf_log_accuracy.json").write_text(answers(100))
    system = {**SYSTEM, **(dict.fromkeys(round_.fields.network, "x") if network else {})}
    system |= {"is_network": "True"} if network else {}
    RunResult(
        status=status,
        is_fake=is_fake,
        workload=workload,
        round=round_name,
        command=("assay", "bench", workload),
        asked=BenchmarkConfig(workload, paths=Paths(checkpoint=Path("/models/mixtral"))),
        used=Used("transformers", "transformers 5 + torch 2", "float16", "cpu", None, None),
        dataset=DatasetUsed("d.parquet", "0" * 64, rows=15_000, samples=15_000, is_whole_set=True),
        loadgen=LoadgenUsed("6.0", round_name, round_.seeds),
        system={name: SystemField(value, "test") for name, value in system.items()},
        runs=tuple(runs),
        files=RunFolder(folder).digests(),
        started_at="2025-07-30T10:00:00Z",
        finished_at="2025-07-30T11:00:00Z",
        assay="0.1.0",
    ).write(folder)
    return folder


def _mode_result(folder: Path, rules: RoundWorkload, scenario: str, mode: str, place: str) -> ModeResult:
    logged = logs.read_record(folder / place)
    return ModeResult(
        scenario=Scenario(scenario),
        mode=Mode(mode),
        validity=RunValidity(logged.validity),
        invalid_because=(),
        samples=15_000,
        seconds=700.0,
        figures=tuple(figures(logged, 15_000, f"{place}/mlperf_log_detail.txt")),
        scores=_scores(rules, f"{place}/mlperf_log_accuracy.json") if mode == "accuracy" else (),
        warnings=(),
        folder=place,
        effective={},
    )


def _scores(rules: RoundWorkload, file: str) -> tuple[ScoredMetric, ...]:
    """What accuracy.txt says, each beside its target."""
    return tuple(
        result.pair(Score(m, value, rules.targets[m].unit, 15_000, None), rules.targets, file)
        for m, value in good_scores(rules).items()
    )
