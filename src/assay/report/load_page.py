"""One self-contained page of a load: throughput against latency, its levels and their failures, and the definitions."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from assay.endpoint.load.level import LoadKind
from assay.endpoint.load.record import LevelRecord, LevelStatus, LoadRecord
from assay.ground.count import counted
from assay.report import page, plot
from assay.report.definition_table import definition_table
from assay.report.markup import Markup, element, table
from assay.report.plot import Curve, Plot, Spot
from assay.report.words import four_digits, number

PERCENTILES = ("p50", "p90", "p99")
WIDE = 20
"""Latencies of which the longest is so many times the shortest have a logarithmic axis."""
PLOTS = (("ttft_ms", "Time to first token"), ("tpot_ms", "Time per output token"), ("e2e_ms", "Whole answer"))
IN_ONE_PIECE = "Every answer came in one piece: there is no time between tokens."


def render(record: LoadRecord) -> str:
    sections = [verdict(record), curves(record), levels(record), definitions(record), again(record)]
    return page.document(f"load of {record.asked.workload}", element("article", *sections))


def verdict(record: LoadRecord) -> Markup:
    """What was asked of which server, and how many levels finished."""
    asked = record.asked
    finished = sum(each.status is LevelStatus.COMPLETE for each in record.levels)
    prompts = record.prompt_tokens
    facts = [
        ("standing", "unverified: a load without LoadGen, no MLPerf result"),
        ("servers", ", ".join(asked.urls)),
        ("server", f"{record.server}, model {asked.model}, API {asked.api}, tier {record.tier}"),
        ("prompts", f"{asked.samples:,} from {record.dataset}, {prompts.least:,} to {prompts.most:,} tokens"),
        ("answers", f"{asked.least_tokens} to {asked.most_tokens} tokens allowed"),
        ("time", f"{record.started_at} to {record.finished_at}, {number(asked.duration_s)} s a level"),
        ("made with", f"Assay {record.assay}"),
    ]
    said = f"{finished} of {counted(len(record.levels), 'level')} finished"
    return element(
        "section",
        element("h1", f"Load of {asked.workload}"),
        element("p", said, class_=f"verdict {'good' if record.status is LevelStatus.COMPLETE else 'bad'}"),
        page.pairs(facts),
        element("ul", *(element("li", note) for note in record.notes)) if record.notes else "",
    )


def curves(record: LoadRecord) -> Markup:
    """Latencies over throughput, then throughput against what each user sees with the Pareto points marked."""
    plots = map(plot.render, [_frontier(record), *latencies(record)])
    return element("section", element("div", *plots, class_="plots"))


def latencies(record: LoadRecord) -> list[Plot]:
    """Those of PLOTS."""
    made = [each for each in record.levels if each.figures and each.figures.answered]
    return [_latencies(made, field, title) for field, title in PLOTS]


def _latencies(made: Sequence[LevelRecord], field: str, title: str) -> Plot:
    """Levels of one kind are joined, in their order, so that a curve bends back where more load brings no more tokens:
    between a closed loop and a rate lies nothing."""
    kinds = [kind for kind in LoadKind if any(each.level.kind is kind for each in made)]
    lines = []
    for kind in kinds:
        for percent in PERCENTILES if len(kinds) == 1 else ("p50", "p99"):
            points = [
                (each.figures.tokens_per_s, found[percent])
                for each in made
                if each.figures
                and each.level.kind is kind
                and percent in (found := getattr(each.figures, field))
            ]
            name = percent if len(kinds) == 1 else f"{percent}, {kind.value}"
            lines.append(Curve(name, points))
    values = [y for line in lines for _, y in line.points]
    if not any(values):
        return Plot(title, "tokens/s of all users", "ms", (), caption=IN_ONE_PIECE if made else "")
    is_log = 0 < WIDE * min(values) < max(values)
    return Plot(title, "tokens/s of all users", "ms", tuple(lines), is_log=is_log)


def _frontier(record: LoadRecord) -> Plot:
    spots = [
        Spot(speed, each.figures.tokens_per_s, each.level.label, is_best)
        for each, is_best in zip(record.levels, record.pareto)
        if each.figures and (speed := each.figures.tokens_per_s_user)
    ]
    best = sorted((spot.x, spot.y) for spot in spots if spot.is_marked)
    said = "Each user: 1000 / p90 of the ms per output token. On the line: no other level is better in both."
    if not spots and any(each.figures and each.figures.answered for each in record.levels):
        said = IN_ONE_PIECE
    return Plot(
        "Throughput against speed for a user",
        "tokens/s of each user",
        "tokens/s of all users",
        (Curve("Pareto points", best),),
        (),
        said,
        tuple(spots),
    )


def levels(record: LoadRecord) -> Markup:
    """Every level with its figures and failures; goodput and cached tokens where there are any."""
    limits = record.asked.goodput
    is_cached = any(each.figures and each.figures.cached_tokens for each in record.levels)
    heads = [
        "level",
        "tokens/s",
        "answers/s",
        "TTFT p50, p90, p99 ms",
        "TPOT p50, p90, p99 ms",
        "E2E p50, p90, p99 ms",
        "answered",
        "failed",
        "sent late, p99 ms",
        *(["good/s"] if limits else []),
        *(["cached prompt tokens"] if is_cached else []),
    ]
    rows: list[tuple[object, ...]] = []
    for each in record.levels:
        found = each.figures
        if found is None:
            rows.append((each.level.label, f"{each.status.value}: {each.reason}", *[""] * (len(heads) - 2)))
            continue
        rows.append(
            (
                each.level.label,
                four_digits(found.tokens_per_s),
                four_digits(found.requests_per_s),
                *map(_percentiles, (found.ttft_ms, found.tpot_ms, found.e2e_ms)),
                f"{found.answered} of {found.requests}",
                ", ".join(f"{count} {name}" for name, count in found.failures.items()) or "0",
                "" if found.issue_delay_p99_ms is None else four_digits(found.issue_delay_p99_ms),
                *([four_digits(found.good_per_s or 0)] if limits else []),
                *([f"{found.cached_tokens:,}"] if is_cached else []),
            )
        )
    said = element("p", f"A good answer keeps {limits.words}.") if limits else ""
    return element("section", element("h2", "Levels"), said, table(tuple(heads), rows))


def _percentiles(found: Mapping[str, float]) -> str:
    return ", ".join(four_digits(found[name]) for name in PERCENTILES if name in found)


def definitions(record: LoadRecord) -> Markup:
    """The highest finished level by five tools' definitions."""
    told = [each for each in record.levels if each.definitions]
    if not told:
        return element("section", element("p", "No level has answers to define anything by."))
    last = told[-1]
    return element(
        "section", element("h2", f"Five tools, {last.level.label}"), definition_table(last.definitions)
    )


def again(record: LoadRecord) -> Markup:
    command = element("pre", element("code", shlex.join(record.command)))
    return element("section", element("h2", "Run it again"), command)
