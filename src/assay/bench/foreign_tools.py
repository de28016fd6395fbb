"""JSON of vllm bench serve, guidellm, AIPerf and MLPerf Endpoints as foreign runs.

The form of the first two, which are read here, was read in their code: vllm/benchmarks/serve.py, guidellm's
benchmark/schemas. What the tools mean by their figures: docs/definitions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from assay.bench import foreign_aiperf, foreign_endpoints
from assay.bench.foreign import FILE, SENT_TO_FIRST, ForeignRun, mode_result, settings_of
from assay.bench.foreign_rows import ForeignRequest
from assay.ground import paths
from assay.ground.errors import ArtifactError, ConfigError
from assay.ground.parsed import json_value
from assay.mlperf.record.result import Figure

Json = Mapping[str, Any]
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
GUIDELLM_KINDS = {
    "time_to_first_token_ms": ("ttft", 1.0),
    "time_per_output_token_ms": ("tpot", 1.0),
    "inter_token_latency_ms": ("itl", 1.0),
    "request_latency": ("latency", 1000.0),
}
"""Name in the file -> kind of figure, and its unit in ms."""


KNOWN = "known: LoadGen's logs, and JSON of vllm bench serve, guidellm, AIPerf and MLPerf Endpoints"


def runs_in(folder: Path) -> list[ForeignRun]:
    """Those of the files in a folder, and of the summaries of MLPerf Endpoints below it. Files of no tool are passed
    over. Raises: ArtifactError where no file is of a tool that is known, or one that is cannot be read."""
    named = [path for path in sorted(folder.glob("*.json")) if path.is_file()]
    below = sorted(path for path in folder.rglob(foreign_endpoints.SUMMARY) if path not in named)
    records = {path: read(path) for path in [*named, *below]}
    known = {path: record for path, record in records.items() if _reader(record)}
    if not known:
        raise ConfigError(f"{folder} holds neither logs of LoadGen nor JSON of a known tool", KNOWN)
    return [run for path, record in known.items() for run in runs(record, path)]


def read(path: Path) -> Any:
    """Raises: ConfigError where nothing is; ArtifactError for what is no JSON."""
    try:
        return json_value(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(f"there is no file or folder {path}", paths.near(path) or KNOWN) from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read as JSON: {error}", KNOWN) from error


def runs(record: Any, path: Path) -> list[ForeignRun]:
    """The runs of one file. Raises: ArtifactError for a file of no known tool, or one that lacks what it must have."""
    if not isinstance(record, dict):
        raise ArtifactError(f"{path} holds no JSON object", KNOWN)
    reader = _reader(record)
    if reader is None:
        raise ArtifactError(f"{path} is JSON of no known tool", KNOWN)
    try:
        found = list(reader(record, path))
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise ArtifactError(f"{path} is not what its tool writes: {error!r}", KNOWN) from error
    if not found:
        raise ArtifactError(f"{path} holds no benchmark that ended", "run the tool again")
    return found


def _reader(record: Any) -> Callable[[Json, Path], Iterable[ForeignRun]] | None:
    """By what is in a file of each tool, and of that tool alone."""
    if not isinstance(record, dict):
        return None
    if "request_throughput" in record and "completed" in record:
        return lambda record, path: [_vllm(record, path)]
    if isinstance(record.get("benchmarks"), list):
        return _guidellm
    if isinstance(record.get("request_throughput"), dict):
        return lambda record, path: [foreign_aiperf.run(record, path)]
    if foreign_endpoints.is_summary(record):
        return lambda record, path: [foreign_endpoints.run(record, path)]
    return None


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
    made = mode_result(paced, done, float(record["duration"]), found, file, settings_of(record))
    started = (
        datetime.strptime(str(record["date"]), "%Y%m%d-%H%M%S").isoformat() if record.get("date") else ""
    )
    return ForeignRun(
        tool="vllm bench serve",
        version="",
        model=str(record["model_id"]),
        runs=(made,),
        definitions=VLLM,
        sources={file: path},
        started_at=started,
        failed=int(record.get("failed") or 0),
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
        settings = {"strategy": kind, **settings_of(strategy)}
        made = mode_result(
            kind in ("constant", "poisson", "async"), done, float(each["duration"]), found, file, settings
        )
        yield ForeignRun(
            tool="guidellm",
            version=str((record.get("metadata") or {}).get("guidellm_version") or ""),
            model=_guidellm_model(record, config),
            runs=(made,),
            definitions=GUIDELLM,
            sources={file: path},
            started_at=_utc(each.get("start_time")),
            failed=int(totals.get("errored") or 0),
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


def _place(name: str) -> str:
    """guidellm's `p999` is our `p99.9`, its `p05` our `p5`."""
    if name in ("p001", "p999"):
        return {"p001": "p0.1", "p999": "p99.9"}[name]
    return f"p{int(name[1:])}" if name[:1] == "p" and name[1:].isdecimal() else name


def _utc(seconds: object) -> str:
    if not isinstance(seconds, (int, float)):
        return ""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
