"""`assay compare`: compares two runs, and fails on regressions with a gate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground import paths

if TYPE_CHECKING:
    from assay.report.run_side import RunSide

HELP = "two runs side by side: settings, speed, accuracy; a gate for regressions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", type=paths.source, help="run folder to compare with")
    parser.add_argument("b", metavar="B", type=paths.source, help="run folder that is judged")
    for letter in "ab":
        parser.add_argument(
            f"--and-{letter}",
            metavar="RUN",
            type=paths.source,
            action="append",
            default=[],
            help=f"another run with the settings of {letter.upper()}; give them in the order of their start",
        )
    parser.add_argument(
        "--history",
        metavar="FOLDER",
        type=paths.source,
        help="folder of earlier runs, which show the noise of the machine (default: the parent folders of A and B)",
    )
    parser.add_argument(
        "--fail-if",
        metavar="CONDITION",
        action="append",
        default=[],
        help="exit code 1 if it is true for B, as 'tokens_per_s < 0.97x' (times A's), 'Server ttft_p99 > 2000' or "
        "'gsm8k_lost > 0' (answers that became wrong)",
    )
    parser.add_argument("--html", metavar="FILE", type=paths.given, help="also write one self-contained page")


def run(args: argparse.Namespace) -> int:
    """The exit code: 0, or 1 when a gate fails."""
    import json

    from assay.ground import files
    from assay.report import compare, compare_page, compare_text, gate
    from assay.report.compare_speed import mean_of

    gates = [gate.parse(text) for text in args.fail_if]
    a, b = _with_earlier(_side(args.a, args.and_a), _side(args.b, args.and_b), args)
    means = mean_of(a), mean_of(b)
    found = compare.compare(a, b)
    outcomes = [outcome for each in gates for outcome in gate.judge(each, *means, found.scores)]
    if args.html:
        files.write_text(args.html, compare_page.render(found, outcomes))
    if args.json:
        say_json(json.dumps(compare_text.as_json(found, outcomes)))
    else:
        say(compare_text.markdown(found, outcomes))
    return int(any(outcome.failed for outcome in outcomes))


def _with_earlier(a: RunSide, b: RunSide, args: argparse.Namespace) -> tuple[RunSide, RunSide]:
    """Both sides with earlier runs of the same settings. A run that fits both sides counts for A only."""
    from dataclasses import replace

    from assay.ground.errors import ConfigError
    from assay.report import earlier_runs

    if args.history and not args.history.is_dir():
        raise ConfigError(f"no folder {args.history}", "name the folder that holds run folders")
    places = [args.history] if args.history else [args.a.absolute().parent, args.b.absolute().parent]
    near = earlier_runs.near(places, [args.a, args.b, *args.and_a, *args.and_b])
    like_a = earlier_runs.like(a.result, near)
    like_b = earlier_runs.like(b.result, [each for each in near if each not in like_a])
    return replace(a, earlier=like_a), replace(b, earlier=like_b)


def _side(folder: Path, more: list[Path]) -> RunSide:
    from assay.mlperf.record import result
    from assay.mlperf.record.run_folder import RunFolder
    from assay.mlperf.run import requests
    from assay.report.run_side import RunSide

    made, table = result.read(folder), RunFolder(folder).requests
    repeats = tuple(map(result.read, more))
    name = f"{folder} and {len(more)} more" if more else str(folder)
    return RunSide(name, made, requests.read(table) if table.is_file() else None, repeats)
