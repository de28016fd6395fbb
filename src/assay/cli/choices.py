"""`assay list`: the values that can be requested, each with its option."""

from __future__ import annotations

import argparse
import json
import textwrap

from assay import suts
from assay.cli import terminal
from assay.cli.terminal import say, say_json
from assay.config import Device, Division, Mode, Scenario, Style
from assay.mlperf import workloads
from assay.mlperf.rounds import round as rounds

HELP = (
    "The workloads, rounds, SUTs and other choices of `assay bench`. Scripts and caches: `assay list script`."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds no options: only those of every verb exist."""


def run(args: argparse.Namespace) -> int:
    found = choices()
    if args.json:
        say_json(json.dumps({name.removeprefix("--").lower(): words for name, words in found.items()}))
        return 0
    wide = max(map(len, found))
    for name, words in found.items():
        say(
            textwrap.fill(
                ", ".join(words),
                terminal.width(80),
                initial_indent=f"  {name:<{wide}}  ",
                subsequent_indent=" " * (wide + 4),
                break_on_hyphens=False,
            )
        )
    say("")
    for kind in suts.kinds():
        say(f"  --sut {kind.name:<{wide}}  {kind.summary}")
    for broken in (*workloads.broken(), *suts.broken()):
        say(f"  {broken.problem}")
    say("\n  targets and limits of one: assay rules WORKLOAD --round ROUND")
    return 0


def choices() -> dict[str, list[str]]:
    """Option -> its possible values, as they are typed."""
    kinds = suts.kinds()
    return {
        "WORKLOAD": list(workloads.names()),
        "--round": list(rounds.names()),
        "--sut": [kind.name for kind in kinds],
        # No round measures a language model in MultiStream, and no run is begun in it.
        "--scenario": [each.value.lower() for each in Scenario if each is not Scenario.MULTI_STREAM],
        "--mode": [mode.value for mode in Mode],
        "--style": [style.value for style in Style],
        "--precision": [precision.value for precision in suts.precisions()],
        "--device": [device.value for device in Device],
        "--division": [division.value for division in Division],
    }
