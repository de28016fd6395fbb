"""`assay tune`: finds the highest rate at which a Server or Interactive run is VALID."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from typing import TYPE_CHECKING

from assay.cli.progress import ProgressLine, duration
from assay.cli.terminal import say, say_json
from assay.doors import config_options, delivery_options, sut_options
from assay.ground import files, paths

if TYPE_CHECKING:
    from assay.bench.tune_record import Tuned

HELP = (
    "Find the highest target_qps that LoadGen calls VALID, by probes with its own schedule and early-stopping rule. "
    "--target-qps says where to begin; --out of an earlier search goes on with it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    config_options.add_arguments(parser)
    delivery_options.add_arguments(parser)
    parser.add_argument(
        "--official", action="store_true", help="then make the official run at the rate found"
    )
    parser.add_argument("--html", metavar="FILE", type=paths.given, help="also write one self-contained page")
    parser.add_argument("--yes", action="store_true", help="fetch what is missing without asking")
    parser._option_string_actions["--scenario"].help = "server or interactive (default: server)"
    sut_options.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """The exit code: 0, or 1 when no rate passes or no official run is VALID."""
    if args.scenarios is None and args.config is None:
        args.scenarios = "server"
    request = delivery_options.from_args(args)

    from assay.bench import tune
    from assay.bench.running import Reporter
    from assay.cli import consent
    from assay.doors.hub_settings import hub_of

    with ProgressLine() as line:
        tuned = tune.run(
            request,
            hub_of(os.environ),
            Reporter(line.say, line.show),
            args.official,
            lambda things: consent.ask(things, args.yes),
        )
    if args.html:
        from assay.bench import tune_page

        files.write_text(args.html, tune_page.render(tuned))
    if args.json:
        say_json(json.dumps(dataclasses.asdict(tuned)))
    else:
        say(render(tuned))
    return int(tuned.low is None or (args.official and tuned.valid is None))


def _above_full_load(full_rate: float, duration_s: float) -> str:
    return (
        f"more than the {full_rate:.4g} samples/s at full load: in {duration_s:g} s the queue does not grow "
        "beyond the limits; a longer --min-duration finds the rate that lasts"
    )


def render(tuned: Tuned) -> str:
    """The probes as a table, then their result."""
    lines = [
        f"  {'samples/s':>10}  {'':<5} {'late':>6} {'allowed':>8} {'answered':>9} {'of':>7} {'time':>7}  why"
    ]
    for each in tuned.probes:
        late = max(each.late_ttft, each.late_tpot)
        lines.append(
            f"  {each.target_qps:>10g}  {'PASS' if each.passed else 'FAIL':<5} {late:>6} {each.allowed:>8} "
            f"{each.answered:>9} {each.final:>7} {duration(each.seconds):>7}  {each.reason}"
        )
    seconds = sum(each.seconds for each in tuned.probes)
    rows = [("probes", f"{len(tuned.probes)} in {duration(seconds)}; {tuned.reason}")]
    came_to = f"{tuned.low:g} samples/s pass" if tuned.low else "no rate passes"
    rows.append(("result", f"{tuned.mark}{came_to}"))
    if tuned.low and tuned.full_rate and tuned.low > tuned.full_rate:
        rows.append(("", _above_full_load(tuned.full_rate, tuned.duration_s)))
    for made in tuned.official:
        counts = f"{made.late} late of at most {made.allowed}"
        rows.append(
            (
                "official",
                f"{tuned.mark}{made.validity} at {made.target_qps:g} samples/s, {counts}: {made.folder}",
            )
        )
    rows += [("note", note) for note in tuned.notes]
    rows.append(("record", f"{tuned.folder}/tune.json"))
    return "\n".join(
        [f"{tuned.scenario}, at least {tuned.duration_s:g} s:", *lines, *(f"  {a:<9}{b}" for a, b in rows)]
    )
