"""`assay doctor`: reports what this machine can and cannot do, with the fix for each problem."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING, Any

from assay.cli.terminal import say, say_json

if TYPE_CHECKING:
    from assay.doctor import Diagnosis
    from assay.engine.limits import Roofline
    from assay.engine.ops.choice import MeasuredSets
    from assay.engine.ops.cpu.onednn_rates import OneDnnRates
    from assay.engine.ops.cpu.rates import Rates

HELP = "what this machine can and cannot do here, with the fix for each"
MARKS = {"ok": "ok     ", "limited": "limited", "no": "NO     "}
NOTHING_RUNS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--roofline",
        action="store_true",
        help="also measure this machine's limits, which later results show beside the engine's rates",
    )


def run(args: argparse.Namespace) -> int:
    """The exit code: 0, or 3 when no benchmark can run on this machine."""
    from assay import doctor

    roofline, sets = _measure() if args.roofline else (None, None)
    findings = doctor.examine()
    able = doctor.can_run(findings)
    if args.json:
        say_json(json.dumps(_tree(findings, roofline, sets, able)))
    else:
        say(render(findings, roofline, sets, able))
    return 0 if able else NOTHING_RUNS


def _measure() -> tuple[Roofline, MeasuredSets]:
    from assay.engine import limits
    from assay.engine.ops import choice

    found = limits.measure()
    limits.keep(found)
    return found, choice.measure_sets()


def render(
    findings: list[Diagnosis], roofline: Roofline | None, sets: MeasuredSets | None, able: bool
) -> str:
    wide = max(len(finding.subject) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"  {MARKS[finding.state]}  {finding.subject:<{wide}}  {finding.message}")
        if finding.fix:
            lines.append(f"           {'':<{wide}}  try: {finding.fix}")
    if roofline:
        best = ", ".join(f"{rate:.0f} in {name}" for name, rate in roofline.gflop_per_s.items())
        lines.append(
            f"  roofline: GFLOP/s {best}; reads {roofline.read_gb_per_s:.1f} GB/s; kept for later runs"
        )
    if sets:
        found, rival = sets.instructions, sets.onednn
        lines += [f"  instructions: {found}"] if isinstance(found, str) else _table(found)
        lines += [f"  oneDNN: {rival}"] if isinstance(rival, str) else _rival_table(rival)
    lines.append("benchmarks can run here" if able else "no benchmark can run here: see the lines marked NO")
    return "\n".join(lines)


def _table(rates: Rates) -> list[str]:
    """The kernels that compute a matrix product, by its number of rows, with their rates."""
    lines = []
    for name, fewest in dataclasses.asdict(rates.tiles_from).items():
        tiles, vectors = rates.tiles[name], rates.vectors[name]
        lines += [
            f"  {name}: AMX from {fewest} rows, AVX-512 below; GFLOP/s of a core",
            "    rows    " + "".join(f"{rows:>7}" for rows in tiles),
            "    AMX     " + "".join(f"{rate:>7.0f}" for rate in tiles.values()),
            "    AVX-512 " + "".join(f"{vectors[rows]:>7.0f}" for rows in tiles),
        ]
    return lines


def _rival_table(rates: OneDnnRates) -> list[str]:
    start = rates.rows_from(_usual_steps())
    said = "is not used" if start is None else f"projects attention in steps of {start} rows and more"
    named = {"own set": rates.own, "AVX-512": rates.panels, "oneDNN": rates.onednn}
    return [
        f"  oneDNN {said}; GFLOP/s of a core in bfloat16",
        "    rows    " + "".join(f"{rows:>7}" for rows in rates.own),
        *(
            f"    {name:<8}" + "".join(f"{value:>7.0f}" for value in rate.values())
            for name, rate in named.items()
        ),
    ]


def _usual_steps() -> tuple[int, int]:
    """Rows of the steps of an engine that nobody configured."""
    from assay.engine.config import EngineConfig

    return EngineConfig.max_running, EngineConfig.token_budget


def _tree(
    findings: list[Diagnosis], roofline: Roofline | None, sets: MeasuredSets | None, able: bool
) -> dict[str, Any]:
    return {
        "can_run": able,
        "findings": [dataclasses.asdict(finding) for finding in findings],
        "roofline": dataclasses.asdict(roofline) if roofline else None,
        "instructions": _instructions(sets.instructions) if sets else None,
        "onednn": _onednn(sets.onednn) if sets else None,
    }


def _instructions(found: Rates | str) -> dict[str, Any] | str | None:
    """The rates as plain values, or why there are none; None where nothing is said."""
    if isinstance(found, str):
        return found or None
    return {**dataclasses.asdict(found), "amx_from_rows": dataclasses.asdict(found.tiles_from)}


def _onednn(found: OneDnnRates | str) -> dict[str, Any] | str | None:
    """As `_instructions`."""
    if isinstance(found, str):
        return found or None
    return {**dataclasses.asdict(found), "from_rows": found.rows_from(_usual_steps())}
