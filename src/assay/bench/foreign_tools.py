"""JSON of vllm bench serve, guidellm, AIPerf and MLPerf Endpoints as foreign runs. Pure.

The form of each was read in the tool's own code: vllm/benchmarks/serve.py, guidellm's benchmark/schemas, AIPerf's
`profile_export_aiperf.json`. What the tools mean by their figures: docs/definitions.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from assay.bench.foreign import ForeignRun
from assay.bench.foreign_rows import ForeignRequest
from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError
from assay.mlperf.record.result import Figure, ModeResult, RunValidity

Json = Mapping[str, Any]
SENT_TO_FIRST = "first token - sent"
VLLM = {
    "ttft": SENT_TO_FIRST,
    "tpot": "(end - first token) / (tokens - 1)",
    "itl": "each gap between chunks",
    "latency": "end - sent",
    "percentile": "interpolated",
}
GUIDELLM = {
    "ttft": SENT_TO_FIRST,
    "tpot": "(end - sent) / tokens",
    "itl": "(end - first token) / (tokens - 1)",
    "latency": "end - sent",
    "percentile": "interpolated",
}
AIPERF = {
    "ttft": SENT_TO_FIRST,
    "itl": "(end - first token) / (tokens - 1)",
    "latency": "end - sent",
    "percentile": "interpolated",
}
FILE = "source/{}"
GUIDELLM_KINDS = {
    "time_to_first_token_ms": ("ttft", 1.0),
    "time_per_output_token_ms": ("tpot", 1.0),
    "inter_token_latency_ms": ("itl", 1.0),
    "request_latency": ("latency", 1000.0),
}
"""Name in the file -> kind of figure, and its unit in ms."""
AIPERF_KINDS = {"time_to_first_token": "ttft", "inter_token_latency": "itl", "request_latency": "latency"}


def runs(record: Any, path: Path) -> list[ForeignRun]:
    """The runs of one file. Raises: ArtifactError for a file of no known tool, or one that lacks what it must have."""
    if not isinstance(record, dict):
        raise ArtifactError(f"{path} holds no JSON object", KNOWN)
    try:
        if "request_throughput" in record and "completed" in record:
            return [_vllm(record, path)]
        if isinstance(record.get("benchmarks"), list):
            return list(_guidellm(record, path))
        if isinstance(record.get("request_throughput"), dict):
            return [_aiperf(record, path)]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(f"{path} is not what its tool writes: {error!r}", KNOWN) from error
    raise ArtifactError(f"{path} is of no tool that is known", KNOWN)


SETTINGS = ("request_rate", "burstiness", "max_concurrency", "num_prompts", "rate", "streams", "concurrency")
KNOWN = "known: LoadGen's logs, and JSON of vllm bench serve, guidellm and AIPerf"


def _vllm(record: Json, path: Path) -> ForeignRun:
    file, done = FILE.format(path.name), int(record["completed"])
    found = [
        Figure("samples_per_s", float(record["request_throughput"]), "requests/s", done, file),
        Figure("tokens_per_s", float(record["output_throughput"]), "tokens/s", done, file),
    ]
    for theirs, ours in {"ttft": "ttft", "tpot": "tpot", "itl": "itl", "e2el": "latency"}.items():
        for key, value in record.items():
            place, _, rest = key.partition("_")
            is_figure = place == "mean" or (place[:1] == "p" and place[1:].replace(".", "").isdecimal())
            if is_figure and rest == f"{theirs}_ms":
                found.append(Figure(f"{ours}_{place}", float(value), "ms", done, file))
    paced = record.get("request_rate") not in (None, "inf", float("inf"))
    made = _mode_result(paced, done, float(record["duration"]), found, file, _settings(record))
    started = (
        datetime.strptime(str(record["date"]), "%Y%m%d-%H%M%S").isoformat() if record.get("date") else ""
    )
    return ForeignRun(
        "vllm bench serve",
        "",
        str(record["model_id"]),
        (made,),
        VLLM,
        {file: path},
        started,
        int(record.get("failed") or 0),
        requests=_vllm_requests(record),
    )


def _vllm_requests(record: Json) -> tuple[ForeignRequest, ...]:
    """Of a file written with --save-detailed by a version that keeps when each request was sent."""
    names = ("start_times", "ttfts", "latencies", "input_lens", "output_lens")
    if not all(isinstance(record.get(name), list) for name in names):
        return ()
    rows = zip(*(record[name] for name in names))
    return tuple(
        ForeignRequest(sent, sent + ttft, sent + took, asked, tokens)
        for sent, ttft, took, asked, tokens in rows
        if tokens  # a request that failed has none
    )


def _guidellm(record: Json, path: Path) -> Iterator[ForeignRun]:
    file = FILE.format(path.name)
    for each in record["benchmarks"]:
        metrics = each["metrics"]
        totals = metrics["request_totals"]
        done = int(totals["successful"])
        rates = {"requests_per_second": ("samples_per_s", "requests/s")}
        rates |= {"output_tokens_per_second": ("tokens_per_s", "tokens/s")}
        found = [
            Figure(ours, float(metrics[name]["successful"]["mean"]), unit, done, file)
            for name, (ours, unit) in rates.items()
        ]
        for name, (kind, in_ms) in GUIDELLM_KINDS.items():
            told = metrics[name]["successful"]
            places = {"mean": told["mean"], **told["percentiles"]}
            found += [
                Figure(f"{kind}_{_place(place)}", float(value) * in_ms, "ms", done, file)
                for place, value in places.items()
            ]
        config = each.get("config") or {}
        strategy = config.get("strategy") or {}
        kind = str(strategy.get("type_") or strategy.get("kind") or "")
        settings = {"strategy": kind, **_settings(strategy)}
        made = _mode_result(
            kind in ("constant", "poisson", "async"), done, float(each["duration"]), found, file, settings
        )
        yield ForeignRun(
            "guidellm",
            str((record.get("metadata") or {}).get("guidellm_version") or ""),
            _guidellm_model(record, config),
            (made,),
            GUIDELLM,
            {file: path},
            _utc(each.get("start_time")),
            int(totals.get("errored") or 0),
            requests=_guidellm_requests(each),
        )


def _guidellm_requests(benchmark: Json) -> tuple[ForeignRequest, ...]:
    """Those that it kept: all, unless it was told to keep a sample."""
    kept = (benchmark.get("requests") or {}).get("successful") or []
    return tuple(
        ForeignRequest(
            each["request_start_time"],
            each["request_start_time"] + each["time_to_first_token_ms"] / 1000,
            each["request_end_time"],
            each["prompt_tokens"] or 0,
            each["output_tokens"],
        )
        for each in kept
        if each["time_to_first_token_ms"] is not None and each["output_tokens"]
    )


def _guidellm_model(record: Json, config: Json) -> str:
    places = (
        (config.get("backend") or {}),
        (record.get("args") or {}),
        (record.get("args") or {}).get("backend") or {},
    )
    named = (place.get("model") for place in places if isinstance(place, dict))
    return next((str(name) for name in named if name), "unknown")


def _aiperf(record: Json, path: Path) -> ForeignRun:
    file = FILE.format(path.name)
    done = int(record["request_count"]["avg"])
    found = [Figure("samples_per_s", float(record["request_throughput"]["avg"]), "requests/s", done, file)]
    if "output_token_throughput" in record:
        found.append(
            Figure("tokens_per_s", float(record["output_token_throughput"]["avg"]), "tokens/s", done, file)
        )
    for name, kind in AIPERF_KINDS.items():
        for place, value in (record.get(name) or {}).items():
            if place in ("avg", "min", "max") or (place[:1] == "p" and place[1:].isdecimal()):
                metric = f"{kind}_{'mean' if place == 'avg' else place}"
                found.append(Figure(metric, float(value) * _in_ms(record[name]["unit"]), "ms", done, file))
    asked = record.get("input_config") or {}
    models = (asked.get("endpoint") or {}).get("model_names") or ["unknown"]
    load = asked.get("loadgen") or {}
    seconds = float((record.get("benchmark_duration") or {}).get("avg") or 0.0)
    made = _mode_result(load.get("request_rate") is not None, done, seconds, found, file, _settings(load))
    failed = int((record.get("error_request_count") or {}).get("avg") or 0)
    version = str(record.get("aiperf_version") or "")
    started = str(record.get("start_time") or "")
    return ForeignRun("AIPerf", version, str(models[0]), (made,), AIPERF, {file: path}, started, failed)


def _mode_result(
    is_paced: bool, done: int, seconds: float, found: list[Figure], file: str, settings: Json
) -> ModeResult:
    """Requests at a rate are nearest to Server; a fixed number of streams, or all at once, to Offline."""
    return ModeResult(
        scenario=Scenario.SERVER if is_paced else Scenario.OFFLINE,
        mode=Mode.PERFORMANCE,
        validity=RunValidity.NOT_JUDGED,
        invalid_because=(),
        samples=done,
        seconds=seconds,
        figures=tuple(found),
        scores=(),
        warnings=(),
        folder=file.rpartition("/")[0],
        effective=settings,
    )


def _settings(record: Json) -> dict[str, object]:
    """The plain values among a tool's settings, by its own names; figures are none."""
    wanted = (
        "request_rate",
        "burstiness",
        "max_concurrency",
        "num_prompts",
        "backend",
        "rate",
        "streams",
        "concurrency",
    )
    return {name: record[name] for name in wanted if isinstance(record.get(name), (int, float, str))}


def _place(name: str) -> str:
    """guidellm's `p999` is our `p99.9`, its `p05` our `p5`."""
    if name in ("p001", "p999"):
        return {"p001": "p0.1", "p999": "p99.9"}[name]
    return f"p{int(name[1:])}" if name[:1] == "p" and name[1:].isdecimal() else name


def _in_ms(unit: str) -> float:
    return {"ms": 1.0, "s": 1000.0, "sec": 1000.0, "us": 0.001, "ns": 1e-6}[unit]


def _utc(seconds: object) -> str:
    if not isinstance(seconds, (int, float)):
        return ""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
