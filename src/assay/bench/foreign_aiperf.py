"""`profile_export_aiperf.json` of AIPerf as a foreign run, with its requests from the `profile_export.jsonl` beside it.

The form was read in files that AIPerf 0.13 wrote (schema 1.4), and in its code for older ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.bench.foreign import FILE, SENT_TO_FIRST, ForeignRun, mode_result, settings_of
from assay.bench.foreign_rows import ForeignRequest
from assay.ground.parsed import json_value
from assay.mlperf.record.result import Figure

Json = Mapping[str, Any]
DEFINITIONS = {
    "ttft": SENT_TO_FIRST,
    "itl": "(end - first token) / (tokens - 1)",
    "latency": "end - sent",
    "percentile": "interpolated",
}
KINDS = {"time_to_first_token": "ttft", "inter_token_latency": "itl", "request_latency": "latency"}
"""Name in the file -> kind of figure."""
REQUESTS = "profile_export.jsonl"
MOST_BYTES = 2**30
"""Of a file of requests that is read."""
MS_PER_S, NS_PER_S = 1e3, 1e9


def run(record: Json, path: Path) -> ForeignRun:
    """Raises: LookupError, TypeError, ValueError, AttributeError for a file that is of another form."""
    file = FILE.format(path.name)
    done = int(record["request_count"]["avg"])
    found = [Figure("samples_per_s", float(record["request_throughput"]["avg"]), "requests/s", done, file)]
    if "output_token_throughput" in record:
        tokens = float(record["output_token_throughput"]["avg"])
        found.append(Figure("tokens_per_s", tokens, "tokens/s", done, file))
    for name, kind in KINDS.items():
        for place, value in (record.get(name) or {}).items():
            if place in ("avg", "min", "max") or (place[:1] == "p" and place[1:].isdecimal()):
                metric = f"{kind}_{'mean' if place == 'avg' else place}"
                found.append(Figure(metric, float(value) * _in_ms(record[name]["unit"]), "ms", done, file))
    load = _load(record.get("input_config") or {})
    is_paced = any(load.get(name) is not None for name in ("request_rate", "rate"))
    took = (record.get("benchmark_duration") or {}).get("avg")
    seconds = None if took is None else float(took)
    rows = path.with_name(REQUESTS)
    return ForeignRun(
        tool="AIPerf",
        version=str(record.get("aiperf_version") or ""),
        model=_model(record.get("input_config") or {}),
        runs=(mode_result(is_paced, done, seconds, found, file, settings_of(load)),),
        definitions=DEFINITIONS,
        sources={file: path},
        started_at=str(record.get("start_time") or ""),
        failed=int((record.get("error_request_count") or {}).get("avg") or 0),
        requests=tuple(_requests(rows)) if rows.is_file() and rows.stat().st_size <= MOST_BYTES else (),
    )


def _load(asked: Json) -> Json:
    """How requests were sent: `loadgen`, and from schema 1.4 on the phase that was measured."""
    phases = [each for each in asked.get("phases") or () if each.get("kind", "profiling") == "profiling"]
    return phases[-1] if phases else asked.get("loadgen") or {}


def _model(asked: Json) -> str:
    """`models` is a list of names in the command's own form, and has items with names from schema 1.4 on."""
    models = asked.get("models")
    items = models.get("items") if isinstance(models, Mapping) else None
    names = [each["name"] for each in items or ()] or (asked.get("endpoint") or {}).get("model_names") or ()
    return str(next(iter(names), "unknown"))


def _requests(path: Path) -> Iterator[ForeignRequest]:
    """Those of the measured phase that were answered with tokens."""
    with path.open("rb") as file:
        for line in file:
            each = json_value(line)
            about, metrics = each["metadata"], each.get("metrics") or {}
            needed = ("time_to_first_token", "output_sequence_length")
            if about.get("benchmark_phase") != "profiling" or any(name not in metrics for name in needed):
                continue
            sent = about["request_start_ns"] / NS_PER_S
            first = metrics["time_to_first_token"]
            prompt = (metrics.get("input_sequence_length") or {}).get("value") or 0
            yield ForeignRequest(
                sent,
                sent + first["value"] * _in_ms(first["unit"]) / MS_PER_S,
                about["request_end_ns"] / NS_PER_S,
                int(prompt),
                int(metrics["output_sequence_length"]["value"]),
            )


def _in_ms(unit: str) -> float:
    return {"ms": 1.0, "s": 1000.0, "sec": 1000.0, "us": 0.001, "ns": 1e-6}[unit]
