"""One self-contained HTML page of a run: nothing is fetched, no script runs, no text of the run becomes markup."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from assay.config import Mode, plain
from assay.ground.redact import addresses
from assay.mlperf.checker.finding import Finding
from assay.mlperf.record.result import ModeResult, RunResult, Status
from assay.report import outcome, page_plots, page_sut, plot, words
from assay.report.definition_table import definition_table
from assay.report.flat import leaves
from assay.report.markup import Markup, element, joined, table
from assay.report.page_style import STYLE

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for the page: nothing."""
FINDING_HEADS = ("finding", "where", "what", "rule", "fix")


@dataclass(frozen=True)
class Shown:
    """A run as a page shows it."""

    result: RunResult
    requests: pa.Table | None
    """The whole of requests.parquet; None = the run has none, or one that cannot be read."""
    findings: tuple[Finding, ...] | None = None
    """What the checker says of the run's submission tree; None = there is no tree."""
    why_no_requests: str = "this run left no requests.parquet"


def render(shown: Sequence[Shown]) -> str:
    """The whole page, one article for each run."""
    title = ", ".join(dict.fromkeys(_name(each.result) for each in shown))
    return document(title, *(element("article", *_sections(each)) for each in shown))


def document(title: str, *articles: Markup) -> str:
    """A page of its own around what it shows."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"Assay: {title}"),
        element("style", Markup(STYLE)),
    )
    main = element("main", *articles)
    return f"<!DOCTYPE html>\n{element('html', head, element('body', main), lang='en')}\n"


def _sections(shown: Shown) -> list[Markup | str]:
    """In the order in which a reader asks."""
    result = shown.result
    made: list[Markup | str] = [verdict(result), *(_run(run, shown) for run in result.runs)]
    if not result.runs:
        made.append(element("section", element("p", "No LoadGen run of this job has ended.")))
    parts = page_sut.sections(result)
    return [*made, *parts, findings(shown), system(result), settings(result), again(result)]


def verdict(result: RunResult) -> Markup:
    """What was measured, on what, whether it is valid, and why not."""
    came_to = outcome.of(result)
    is_good = came_to.is_good and not result.is_fake
    because = [
        element("li", f"{run.scenario}: {reason}") for run in result.runs for reason in run.invalid_because
    ]
    processor = result.system.get("host_processor_model_name")
    facts = [
        ("standing", words.standing(result)),
        *((("not run", ", ".join(missing)),) if (missing := _not_run(result)) else ()),
        ("used", words.used(result)),
        ("machine", processor.value if processor and processor.value else "not known"),
        (
            "dataset",
            f"{result.dataset.samples:,} of {result.dataset.rows:,} samples from {result.dataset.path}",
        ),
        ("time", f"{result.started_at} to {result.finished_at}"),
        (
            "made with",
            f"Assay {result.assay}, {result.foreign_tool or f'mlcommons-loadgen {result.loadgen.version}'}",
        ),
    ]
    look, mark = ("good", "\N{HEAVY CHECK MARK} ") if is_good else ("bad", "\N{HEAVY BALLOT X} ")
    if is_good and not (came_to.valid or came_to.met):
        look, mark = "open", ""
    return element(
        "section",
        element("h1", _name(result)),
        element("p", f"{mark}{came_to}", class_=f"verdict {look}"),
        element("ul", *because) if because else "",
        pairs(facts),
        element("ul", *(element("li", note) for note in words.notes(result))) if words.notes(result) else "",
    )


def _run(run: ModeResult, shown: Shown) -> Markup:
    """One LoadGen run: its figures or scores, then its plots."""
    rows = shown.requests
    plots = page_plots.of_run(run, rows) if rows is not None else []
    why = shown.why_no_requests if rows is None else "requests.parquet has no row of this run"
    took = f"{run.samples:,} sample{'' if run.samples == 1 else 's'} in {words.number(run.seconds)} s"
    return element(
        "section",
        element("h2", f"{run.scenario} {run.mode} ", element("small", took)),
        figures(run, shown.result) if run.mode is Mode.PERFORMANCE else accuracy(run, shown.result),
        element("div", *map(plot.render, plots), class_="plots")
        if plots
        else element("p", f"No plots: {why}."),
        page_sut.energy(run.energy) if run.energy else "",
        element("p", f"First tokens: {late}.") if (late := words.told_late(run)) else "",
        element(
            "details", element("summary", "by five tools' definitions"), definition_table(run.definitions)
        )
        if run.definitions
        else "",
    )


def figures(run: ModeResult, result: RunResult) -> Markup:
    """Every figure with its n, its limit and the file it was read from."""
    first: list[tuple[object, ...]] = []
    more: list[tuple[object, ...]] = []
    for found in run.figures:
        limit = run.limits_ms.get(found.metric)
        held = ""
        if limit is not None:
            held = f"at most {words.number(limit)} ms: {'exceeded' if found.value > limit else 'kept'}"
        name = words.LATENCIES.get(found.metric, words.title(found.metric))
        row = (name, words.figure(found), str(found.n), held, found.file)
        (more if found.unit == "ms" and limit is None else first).append(row)
    said = [element("p", f"{words.validity(result, run)}.")]
    if advice := words.advice(run):
        said.append(element("p", "Try ", element("code", advice), "."))
    heads = ("figure", "value", "n", "limit", "read from")
    said.append(table(heads, first))
    if more:
        said.append(element("details", element("summary", f"{len(more)} more latencies"), table(heads, more)))
    return joined(*said)


def accuracy(run: ModeResult, result: RunResult) -> Markup:
    """Every score against both limits, the parts of it below."""
    judged = result.scored_dataset.is_whole_set
    rows: list[tuple[object, ...]] = [
        (
            words.title(score.metric),
            words.value(score),
            _limit(score.low, score.unit),
            _limit(score.high, score.unit),
            words.verdict(score, judged),
            score.source,
        )
        for score in run.scores
    ]
    heads = ("metric", "value", "lower limit", "upper limit", "verdict", "target from")
    parts = [
        (f"{words.title(score.metric)}, {name}", _flat(value))
        for score in run.scores
        for name, value in score.details.items()
    ]
    more = ""
    if parts:
        more = element("details", element("summary", "parts of the scores"), pairs(parts))
    said = (
        "" if judged else element("p", "Over a part of the set: this cannot meet a closed-division target.")
    )
    return joined(said, table(heads, rows), more)


def findings(shown: Shown) -> Markup:
    """What LoadGen warned of, and what the checker says of the submission tree, each with rule and fix."""
    logged = [
        element("li", f"{run.scenario} {run.mode}: {said}")
        for run in shown.result.runs
        for said in run.warnings
    ]
    parts: list[Markup] = [element("h2", "Findings")]
    if logged:
        parts += [element("h3", "LoadGen's errors and warnings"), element("ul", *logged)]
    if of_sut := page_sut.own_findings(shown.result):
        parts += [element("h3", "Settings of the system under test"), table(FINDING_HEADS, of_sut)]
    if shown.findings is None:
        parts.append(element("p", "The run folder holds no submission tree to check."))
    elif not shown.findings:
        parts.append(element("p", "The check of the submission tree found nothing."))
    else:
        rows: list[tuple[object, ...]] = [
            (f"{f.code} {f.severity.value}", f.path, f.message, f.source, f.fix) for f in shown.findings
        ]
        parts += [element("h3", "The submission tree"), table(FINDING_HEADS, rows)]
    return element("section", *parts)


def system(result: RunResult) -> Markup:
    rows: list[tuple[object, ...]] = [
        (name, found.value, found.source) for name, found in result.system.items() if found.value
    ]
    unknown = [name for name, found in result.system.items() if not found.value]
    said = element("p", f"Not known here: {', '.join(unknown)}.") if unknown else ""
    body = table(("field", "value", "source"), rows) if rows else element("p", "Nothing is known of it.")
    return element("section", element("h2", "System"), body, said)


def settings(result: RunResult) -> Markup:
    """What was asked for, and where each value came from."""
    asked = result.asked
    flat = dict(leaves(plain(asked)))
    rows: list[tuple[object, ...]] = [
        (name, addresses(value), asked.origin.get(name, ""))
        for name, value in flat.items()
        if result.command and not name.startswith("origin.") and value
    ]
    ran: list[tuple[object, ...]] = [
        (f"{run.scenario} {run.mode}", name, _flat(value))
        for run in result.runs
        for name, value in run.effective.items()
    ]
    more = ""
    if ran:
        whole = table(("run", "setting", "value"), ran)
        who = result.foreign_tool or "LoadGen"
        more = element(
            "details", element("summary", f"what {who} says it ran with"), whole, open=None if rows else ""
        )
    body = table(("setting", "asked", "from"), rows) if rows else ""
    return element("section", element("h2", "Settings"), body, more)


def again(result: RunResult) -> Markup | str:
    """Nothing where another tool ran it."""
    if not result.command:
        return ""
    parts = [element("h2", "Run it again"), _typed(*result.command)]
    if _not_run(result) and result.status in (Status.INTERRUPTED, Status.RUNNING):
        where = str(result.asked.paths.out or "RUN")
        parts += [
            element("h2", "Go on with it"),
            element("p", "What had finished is kept."),
            _typed("assay", "bench", "--resume", where),
        ]
    return element("section", *parts)


def _typed(*command: str) -> Markup:
    return element("pre", element("code", shlex.join(command)))


def _not_run(result: RunResult) -> list[str]:
    """The LoadGen runs that were asked for and did not end."""
    if result.status is Status.COMPLETE or not result.command:
        return []
    asked = ((scenario, mode) for scenario in result.asked.scenarios for mode in result.asked.modes)
    return [f"{scenario} {mode}" for scenario, mode in asked if result.find(scenario, mode) is None]


def _name(result: RunResult) -> str:
    return f"{result.workload}, round {result.round}"


def pairs(named: Sequence[tuple[str, object]]) -> Markup:
    """A list of names and what is said of each."""
    return element("dl", *(element("div", element("dt", name), element("dd", said)) for name, said in named))


def _limit(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{value:.8g} {unit}"


def _flat(value: object) -> str:
    """A value of a record's free part in one line: `3 right, 1 wrong`."""
    if isinstance(value, dict):
        return ", ".join(f"{_flat(said)} {name}" for name, said in value.items())
    return words.number(value) if isinstance(value, float) else str(value)
