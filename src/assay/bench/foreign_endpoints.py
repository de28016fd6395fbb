"""`result_summary.json` of MLPerf Endpoints as a foreign run, with its config.yaml and accuracy_results.json.

Its own reports and trees of submissions lay them out differently: `config.yaml` lies beside the summary or above it,
`accuracy/accuracy_results.json` beside `performance/`. Source: mlcommons/endpoints (ea332753),
docs/metrics/report_design.md; scripts/publish_submission.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.bench.foreign import FILE, SENT_TO_FIRST, UNKNOWN, ForeignRun, mode_result, plain_values
from assay.config import Mode, Scenario
from assay.ground.errors import ArtifactError
from assay.ground.parsed import json_value, yaml_value
from assay.mlperf.checker import endpoints as artefacts
from assay.mlperf.record.result import Figure, ModeResult, RunValidity, ScoredMetric
from assay.mlperf.submission.tree import ENDPOINTS_CONFIG

Json = Mapping[str, Any]
SUMMARY, RESULTS = "result_summary.json", "accuracy_results.json"
TOOL = "MLPerf Endpoints"
DEFINITIONS = {
    "ttft": SENT_TO_FIRST,
    "tpot": "(end - first token) / (tokens - 1)",
    "latency": "end - sent",
    "percentile": "as the tool has it",
}
SERIES = ("latency", "ttft", "tpot")
NS_PER_MS, NS_PER_S = 1e6, 1e9


def is_summary(record: Json) -> bool:
    return "n_samples_issued" in record and "duration_ns" in record


def run(record: Json, path: Path) -> ForeignRun:
    """Raises: LookupError, TypeError, ValueError, AttributeError for a file that is of another form."""
    file = FILE.format(path.name)
    completed = record.get("n_samples_completed")
    done = int(record["n_samples_issued"] if completed is None else completed)
    config, where = _config(path)
    scenario = _scenario(record, config, path)
    found = list(_figures(record, done, file))
    seconds = float(record["duration_ns"]) / NS_PER_S
    made = mode_result(scenario is not Scenario.OFFLINE, done, seconds, found, file, _settings(config))
    runs, sources = [replace(made, scenario=scenario)], {file: path, **where}
    if (scored := _scored(path)) is not None:
        results = FILE.format(RESULTS)
        runs.append(_accuracy(scenario, json_value(scored.read_bytes()), results))
        sources[results] = scored
    return ForeignRun(
        TOOL,
        str(record.get("version") or ""),
        str(artefacts.at(config, ("model_params", "name")) or UNKNOWN),
        tuple(runs),
        DEFINITIONS,
        sources,
        failed=int(record.get("n_samples_failed") or 0),
    )


def _figures(record: Json, done: int, file: str) -> Iterator[Figure]:
    for name, metric, unit in (("qps", "samples_per_s", "samples/s"), ("tps", "tokens_per_s", "tokens/s")):
        if record.get(name) is not None:
            yield Figure(metric, float(record[name]), unit, done, file)
    for kind in SERIES:
        series = record.get(kind)
        if not series:
            continue
        places = {"min": series.get("min"), "mean": series.get("avg"), "max": series.get("max")}
        places |= {f"p{float(p):g}": value for p, value in (series.get("percentiles") or {}).items()}
        for place, value in places.items():
            if value is not None:
                yield Figure(f"{kind}_{place}", float(value) / NS_PER_MS, "ms", done, file)


def _accuracy(scenario: Scenario, results: Any, file: str) -> ModeResult:
    """Its scores under the names of our metrics, shares of 1 as percent; without targets, which it does not hold."""
    scores = [each.get("score") for each in results["accuracy_scores"]]
    names = {str(name) for score in scores if isinstance(score, Mapping) for name in score}
    metrics = tuple(sorted(names)) or ("exact_match",)
    found = artefacts.measured(results, metrics)
    told = artefacts.accuracy(results).number("effective_accuracy_sample_count")
    return ModeResult(
        scenario=scenario,
        mode=Mode.ACCURACY,
        validity=RunValidity.NOT_JUDGED,
        invalid_because=(),
        samples=int(told or 0),
        seconds=sum(float(each.get("duration_s") or 0) for each in results["accuracy_scores"]),
        figures=(),
        scores=tuple(_score(each, file) for each in found),
        warnings=(),
        folder=file.rpartition("/")[0],
        effective={},
    )


def _score(found: artefacts.Measured, file: str) -> ScoredMetric:
    unit = "%" if found.metric.startswith(("rouge", "exact_match")) else ""
    return ScoredMetric(
        metric=found.metric,
        value=found.value,
        unit=unit,
        n=found.samples,
        interval=None,
        low=None,
        high=None,
        reference=None,
        met=None,
        ungraded=0,
        reason="",
        source="",
        file=file,
    )


def _config(path: Path) -> tuple[Json, dict[str, Path]]:
    """config.yaml of the run and where it lies; empty where there is none. Raises: ArtifactError for bad YAML."""
    for place in (path.parent, path.parent.parent):
        file = place / ENDPOINTS_CONFIG
        if not file.is_file():
            continue
        try:
            found = yaml_value(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{file} cannot be read as YAML: {error}") from error
        return found if isinstance(found, Mapping) else {}, {FILE.format(ENDPOINTS_CONFIG): file}
    return {}, {}


def _scored(path: Path) -> Path | None:
    """accuracy_results.json of the same run."""
    above = path.absolute().parents
    places = (above[0], *(each / "accuracy" for each in above[:3]))
    return next((place / RESULTS for place in places if (place / RESULTS).is_file()), None)


def _scenario(record: Json, config: Json, path: Path) -> Scenario:
    """As the folder is called in a tree, else as the run says: offline, or requests that come one by one."""
    named = (Scenario.named(place.name) for place in path.absolute().parents)
    if found := next(filter(None, named), None):
        return found
    kind = str(config.get("type") or ("online" if record.get("ttft") else "offline"))
    return Scenario.OFFLINE if kind == "offline" else Scenario.SERVER


def _settings(config: Json) -> dict[str, object]:
    """The load pattern and what LoadGen would call its settings; plain values alone."""
    parts = [artefacts.at(config, ("settings", name)) for name in ("load_pattern", "runtime")]
    asked = {name: value for part in parts if isinstance(part, Mapping) for name, value in part.items()}
    return plain_values(asked)
