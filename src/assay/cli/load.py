"""`assay load`: measures throughput and latency of a server at several levels of load, without LoadGen."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from assay.cli.progress import ProgressLine
from assay.cli.terminal import say, say_json
from assay.ground import paths
from assay.ground.printable import one_line

if TYPE_CHECKING:
    from assay.bench.load_server import LoadRequest
    from assay.endpoint.load.record import LevelRecord, LoadRecord

HELP = (
    "Measure throughput against latency of a server without LoadGen: closed loops of so many open requests, or fixed "
    "rates at Poisson times. --out of an earlier load goes on with it. docs/load.md"
)
DURATION_S, USUAL_LEVELS = "30s", "1,4,16,64"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "workload", metavar="WORKLOAD", help="workload with the prompts and answer lengths: `assay list`"
    )
    parser.add_argument(
        "--url",
        metavar="URL",
        action="append",
        required=True,
        help="server; repeat it for several, which share the load",
    )
    parser.add_argument(
        "--concurrency",
        metavar="N,…",
        help=f"numbers of open requests, one level each (default {USUAL_LEVELS} without --rate)",
    )
    parser.add_argument("--rate", metavar="R,…", help="requests/s at Poisson times, one level each")
    parser.add_argument(
        "--duration", metavar="TIME", default=DURATION_S, help=f"duration of a level (default {DURATION_S})"
    )
    parser.add_argument(
        "--goodput",
        metavar="LIMITS",
        help="limits of a good answer: ttft:500ms,tpot:50ms,e2e:5s ; ms without unit",
    )
    parser.add_argument(
        "--dataset", metavar="FILE", type=paths.source, help="dataset to use instead of the workload's"
    )
    parser.add_argument("--samples", metavar="N", type=int, help="number of its rows to use")
    parser.add_argument(
        "--answer-tokens",
        metavar="N",
        type=int,
        help="exact length of every answer (end-of-sequence is ignored)",
    )
    parser.add_argument(
        "--api", default="auto", help="how requests are sent: auto, a kind of server, or one API"
    )
    parser.add_argument("--model", metavar="NAME", help="model name on the server (default: its first)")
    parser.add_argument(
        "--api-key-env", metavar="NAME", help="environment variable that holds the bearer token"
    )
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=3600.0, help="longest time of an answer, in seconds"
    )
    parser.add_argument(
        "--clients", metavar="N", default="auto", help="client processes for the streams (default: auto)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the Poisson times")
    parser.add_argument("--out", metavar="DIR", type=paths.given, help="run folder (default assay-runs/TIME)")
    parser.add_argument("--rerun", action="store_true", help="replace an earlier load of --out")
    parser.add_argument("--html", metavar="FILE", type=paths.given, help="also write one self-contained page")


def run(args: argparse.Namespace) -> int:
    """The exit code: 0, or 1 when a level has failed."""
    from assay.bench import load
    from assay.bench.running import Reporter
    from assay.endpoint.load import record
    from assay.ground import files

    with ProgressLine() as line:
        folder, made = load.run(_request(args), Reporter(line.say, line.show))
    if args.html:
        from assay.report import load_page

        files.write_text(args.html, load_page.render(made))
    if args.json:
        say_json(json.dumps(record.to_dict(made)))
    else:
        say(render(made, str(folder / record.FILE)))
    return int(made.status is not record.LevelStatus.COMPLETE)


def _request(args: argparse.Namespace) -> LoadRequest:
    """Raises: ConfigError for a value that measures nothing, and for what `level` cannot read."""
    from assay.bench.load_server import LoadRequest
    from assay.doors import config_options
    from assay.endpoint.load import level
    from assay.ground.errors import ConfigError
    from assay.suts import secret

    for flag, value in (("--samples", args.samples), ("--answer-tokens", args.answer_tokens)):
        if value is not None and value < 1:
            raise ConfigError(f"{flag} {value} is no count", f"{flag} 100")
    if not 0 < args.timeout <= 1e6:  # nan is refused too
        raise ConfigError("--timeout is seconds, above 0", "--timeout 60")
    if args.rerun and args.out is None:
        raise ConfigError("no run folder is named that could hold an earlier load", "--out DIR")
    duration_s = config_options.read("limits.min_duration_s", args.duration, "--duration")
    if not duration_s:
        raise ConfigError("--duration 0 measures nothing", f"--duration {DURATION_S}")
    usual = None if args.rate else USUAL_LEVELS
    levels = level.levels(args.concurrency or usual, args.rate)
    if not levels:
        raise ConfigError("no level is asked for", f"--concurrency {USUAL_LEVELS}")
    return LoadRequest(
        workload=args.workload,
        urls=tuple(args.url),
        levels=levels,
        duration_s=duration_s,
        seed=args.seed,
        api=args.api,
        model=args.model,
        key=secret.value(args.api_key_env) if args.api_key_env else None,
        dataset=args.dataset,
        samples=args.samples,
        answer_tokens=args.answer_tokens,
        goodput=level.goodput(args.goodput) if args.goodput else None,
        timeout_s=args.timeout,
        clients=args.clients,
        out=args.out,
        is_anew=args.rerun,
        command=("assay", *sys.argv[1:]),
    )


def render(made: LoadRecord, place: str) -> str:
    """The levels as a table, what failed in them, and what was measured."""
    asked = made.asked
    said = [
        f"{asked.workload}, {asked.duration_s:g} s each, latencies in ms from when a request was due:",
        *_table(made),
        "* no other level has both more tokens/s and a lower p90 TPOT",
    ]
    if asked.goodput:
        said.append(f"good: {asked.goodput.words}")
    for each in made.levels:
        if each.figures and each.figures.failures:
            failed = ", ".join(f"{count} {name}" for name, count in each.figures.failures.items())
            said.append(f"{each.level.label}: failed {failed}")
        if each.figures and each.figures.cached_tokens:
            said.append(
                f"{each.level.label}: {each.figures.cached_tokens:,} prompt tokens came from the server's cache"
            )
    return "\n".join([*said, *(f"  {name:<9}{one_line(text)}" for name, text in _about(made, place))])


def _about(made: LoadRecord, place: str) -> list[tuple[str, str]]:
    """Name -> text of what the load was put on, notes and place of the record."""
    asked = made.asked
    tokens = f"{asked.most_tokens}" if asked.ignores_eos else f"{asked.least_tokens} to {asked.most_tokens}"
    prompts = made.prompt_tokens
    return [
        ("server", f"{made.server}, model {asked.model}, API {asked.api} (tier {made.tier})"),
        (
            "prompts",
            f"{asked.samples} from {made.dataset}: {prompts.least} to {prompts.most} tokens, mean {prompts.mean:.1f}",
        ),
        ("answers", f"{tokens} tokens allowed"),
        *(("note", note) for note in made.notes),
        ("record", place),
    ]


def _table(made: LoadRecord) -> list[str]:
    heads: tuple[str, ...] = (
        "",
        "tokens/s",
        "answers/s",
        "TTFT p50",
        "p90",
        "p99",
        "TPOT p50",
        "p90",
        "p99",
        "E2E p99",
        "failed",
    )
    if made.asked.goodput:
        heads = (*heads, "good/s")
    rows = [heads, *(_row(each, is_best) for each, is_best in zip(made.levels, made.pareto))]
    whole = [row for row in rows if len(row) == len(heads)]
    widths = [max(len(row[at]) for row in (whole if at else rows)) for at in range(len(heads))]
    return [_line(row, widths) for row in rows]


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    """A row of the table. A level without figures has a sentence instead."""
    name, *rest = row
    told = rest if len(row) < len(widths) else [cell.rjust(width) for cell, width in zip(rest, widths[1:])]
    return "  ".join([name.ljust(widths[0]), *told])


def _row(each: LevelRecord, is_best: bool) -> tuple[str, ...]:
    from assay.report.words import four_digits, number

    name, found = f"{each.level.label}{' *' if is_best else ''}", each.figures
    if found is None or not found.answered:
        return (name, f"{each.status.value}: {each.reason}")
    latencies = (
        *(found.ttft_ms.get(p) for p in ("p50", "p90", "p99")),
        *(found.tpot_ms.get(p) for p in ("p50", "p90", "p99")),
        found.e2e_ms.get("p99"),
    )
    good = () if found.good_per_s is None else (four_digits(found.good_per_s),)
    return (
        name,
        number(found.tokens_per_s),
        four_digits(found.requests_per_s),
        *("-" if value is None else four_digits(value) for value in latencies),
        str(found.requests - found.answered),
        *good,
    )
