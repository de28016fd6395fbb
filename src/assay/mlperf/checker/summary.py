"""The results of a checked tree: one row for each scenario result, as a table for people and as summary.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from assay.ground.printable import one_line
from assay.mlperf.checker.rules.performance import result_key
from assay.mlperf.checker.submission import Entry
from assay.mlperf.logs.accuracy_text import scores
from assay.mlperf.rounds.round_workload import LATENCY_UNIT


@dataclass(frozen=True)
class Row:
    """A scenario result. Fields are what summary.csv holds, in the words of its columns."""

    submitter: str
    availability: str
    division: str
    system_type: str
    system_name: str
    platform: str
    model: str
    mlperf_model: str
    scenario: str
    result: float | None
    accuracy: str
    system: dict[str, str]
    """Columns that are copied from systems/<system>.json."""
    location: str
    notes: str
    compliance: bool | None
    """TEST06 and its like are filed and pass; None where the division owes none."""
    errors: int
    is_example: bool
    """The model is in no round: it is judged by the rules of `mlperf_model`, which it stands for."""
    not_judged: str
    """What of the result was not judged: `benchmark`, whose rules are not held, or its `power` alone; else empty."""
    version: str
    inferred: bool
    has_power: bool
    units: str
    weight_data_types: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


UNITS = {"Offline": "Samples/s", "SingleStream": LATENCY_UNIT, "MultiStream": LATENCY_UNIT}
"""Units of benchmarks whose rules are not held. Source: submission checkers, unit_dict."""
SYSTEM_COLUMNS = (
    "number_of_nodes",
    "host_processor_model_name",
    "host_processors_per_node",
    "host_processor_core_count",
    "accelerator_model_name",
    "accelerators_per_node",
)
COLUMNS = (
    "Organization Availability Division SystemType SystemName Platform Model MlperfModel Scenario Result "
    "Accuracy " + " ".join(SYSTEM_COLUMNS) + " total_accelerators Location framework operating_system notes "
    "compliance errors version inferred has_power Units weight_data_types design_power_watts PrivateID"
).split(" ")
"""Header of the modular checker's summary.csv."""


def row(entry: Entry, errors: int) -> Row:
    """The summary of one entry, of which `errors` findings are errors."""
    fields = entry.system.fields or {}
    rules, log = entry.benchmark.rules, entry.performance
    has_power = f"{entry.path}/performance/power" in entry.tree.folders
    measured = [(m, scores(entry.accuracy_text or "", m)) for m in (rules.targets if rules else ())]
    logged = log.text("effective_scenario") if log is not None else None
    return Row(
        submitter=entry.submitter.name,
        availability=str(fields.get("status", "")).lower(),
        division=entry.submitter.division,
        system_type=entry.system.suite,
        system_name=str(fields.get("system_name", "")),
        platform=entry.system.name,
        model=entry.benchmark.name,
        mlperf_model=entry.benchmark.official,
        scenario=entry.scenario,
        result=_result(entry),
        accuracy="  ".join(f"{metric}: {values[-1]:g}" for metric, values in measured if values),
        system={
            name: str(fields.get(name, "")) for name in (*SYSTEM_COLUMNS, "framework", "operating_system")
        },
        location=entry.path,
        notes=". ".join(str(fields[name]) for name in ("hw_notes", "sw_notes") if fields.get(name)),
        compliance=_compliance(entry),
        errors=errors,
        is_example=entry.benchmark.is_example,
        not_judged="benchmark" if rules is None else "power" if has_power else "",
        version=entry.round.name,
        inferred=logged is not None and logged not in (entry.scenario, entry.loadgen_scenario),
        has_power=has_power,
        units=_units(entry),
        weight_data_types=str((entry.measurement or {}).get("weight_data_types", "")),
    )


def _result(entry: Entry) -> float | None:
    """The official result, in `_units`; LoadGen logs latencies in nanoseconds."""
    log, key = entry.performance, result_key(entry)
    value = log.number(key) if log is not None and key is not None else None
    return value / 1e6 if value is not None and _units(entry) == LATENCY_UNIT else value


def _units(entry: Entry) -> str:
    if (rules := entry.benchmark.rules) is not None:
        return rules.unit_of(entry.scenario)
    return UNITS.get(entry.scenario, "Queries/s")


def _compliance(entry: Entry) -> bool | None:
    from assay.mlperf.checker.rules import compliance

    if not entry.submitter.is_gated or entry.benchmark.rules is None:
        return None
    owing = compliance.OWING.of(entry)
    return owing is None or not [*compliance.test06(owing), *compliance.other_tests(owing)]


def to_csv(rows: Iterable[Row]) -> str:
    """summary.csv with the modular checker's columns; quotes are escaped, which that checker forgets."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for r in rows:
        writer.writerow(
            [
                *(r.submitter, r.availability, r.division, r.system_type, r.system_name, r.platform),
                *(r.model, r.mlperf_model, r.scenario, "" if r.result is None else r.result, r.accuracy),
                *(r.system[name] for name in SYSTEM_COLUMNS),
                *(_total(r.system), r.location, r.system["framework"], r.system["operating_system"], r.notes),
                *(r.compliance is not False, r.errors, r.version, r.inferred, r.has_power, r.units),
                *(r.weight_data_types, "", ""),
            ]
        )
    return out.getvalue()


def _total(system: dict[str, str]) -> str:
    counts = [system["number_of_nodes"], system["accelerators_per_node"]]
    return str(int(counts[0]) * int(counts[1])) if all(c.isdecimal() and len(c) < 7 for c in counts) else ""


def _standing(row: Row) -> str:
    if row.errors:
        return f"{row.errors} errors"
    return {"benchmark": "not judged", "power": "no errors, power not judged"}.get(
        row.not_judged, "no errors"
    )


def table(rows: Iterable[Row]) -> str:
    """Lines for a terminal: where, result with unit, and how many errors the entry has."""
    lines = [
        f"{r.division}/{r.submitter}/{r.platform}  {r.model}  {r.scenario:<12} "
        f"{'no result' if r.result is None else f'{r.result:g} {r.units}':>18}  "
        f"{_standing(r)}"
        for r in rows
    ]
    return "\n".join(map(one_line, lines))
