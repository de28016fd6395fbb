"""One benchmark from a Request to its report and submission, stage by stage. Every door asks for it here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.bench import (
    compliance_due,
    comply,
    contained,
    earlier,
    fetching,
    measure,
    preparation,
    record,
    resume,
    run_start,
    submit,
)
from assay.bench.fetching import Wanted
from assay.bench.preparation import Preparation
from assay.bench.running import Reporter
from assay.bench.submit import Submitted
from assay.config import FETCH_NOTHING, EarlierRun, Request
from assay.ground import store_contents
from assay.ground.count import counted
from assay.ground.errors import RunFailed
from assay.ground.hub import Hub
from assay.mlperf.checker.finding import Severity
from assay.mlperf.record.result import RunResult, Status
from assay.mlperf.record.run_folder import RunFolder
from assay.report import outcome
from assay.report.outcome import Outcome

Consent = Callable[[Sequence[Wanted]], None]
"""Called with what would be fetched. Raises: ConfigError when that is refused."""


@dataclass(frozen=True)
class FinishedBenchmark:
    """The results of a benchmark."""

    result: RunResult
    folder: Path
    outcome: Outcome
    submitted: Submitted | None = None


@store_contents.used()
def run(request: Request, hub: Hub, reporter: Reporter, consent: Consent | None = None) -> FinishedBenchmark:
    """Obtain, measure, comply, submit. `consent` None = everything that is missing may be fetched.

    Raises: AssayError. What the result itself fails for is told by `failures`.
    """
    must_comply = compliance_due.is_due(request.config, request.delivery)
    if request.delivery.compliance and not must_comply:
        division = request.config.submission.division.value
        reporter.say(f"no compliance test is run: the {division} division owes none")
    prepared = _obtained(preparation.of_request, request, hub, reporter.say, consent)
    request = dataclasses.replace(request, config=prepared.config)
    result, folder = _measured(request, prepared, reporter)
    reporter.on_result(result)
    if result.performance_only:
        if must_comply or request.delivery.submit:
            reporter.say(f"no compliance test and no tree: {result.performance_only}")
        return FinishedBenchmark(result, folder, outcome.of(result))
    if must_comply and not comply.is_done(folder):
        for name, verdict in comply.perform(folder, reporter).items():
            reporter.say(f"{name}: {verdict.words}")
    submitted = submit.submit(request, folder) if request.delivery.submit else None
    return FinishedBenchmark(result, folder, outcome.of(result), submitted)


def obtain(request: Request, hub: Hub, say: Callable[[str], None], consent: Consent | None) -> Request:
    """The request with its model and dataset here. Raises: AssayError, where it can before a byte is fetched."""
    prepared = _obtained(preparation.of_measurement, request, hub, say, consent)
    prepared.refuse()
    return dataclasses.replace(request, config=prepared.config)


def _obtained(
    look: Callable[[Request, Hub], Preparation],
    request: Request,
    hub: Hub,
    say: Callable[[str], None],
    consent: Consent | None,
) -> Preparation:
    """The preparation once nothing is to be fetched any more; what stood in the way of fetching is raised."""
    prepared = look(request, hub)
    if prepared.wanted:
        prepared.refuse()
        if consent is not None:
            consent(prepared.wanted)
        config = fetching.fetch(prepared.config, prepared.wanted, hub, say)
        prepared = look(Request(config, dataclasses.replace(request.delivery, may_fetch=FETCH_NOTHING)), hub)
    for note in prepared.notes:
        say(f"assay: {note}")
    return prepared


def failures(request: Request, finished: FinishedBenchmark) -> list[RunFailed]:
    """Why the job fails although every stage was done: the gate, LoadGen's verdict, or the checker's."""
    delivery, came_to, submitted = request.delivery, finished.outcome, finished.submitted
    found = []
    report = submitted.report if submitted else None
    if submitted and report and delivery.full and report.fails:
        errors = counted(report.count(Severity.ERROR), "error")
        found.append(
            RunFailed(
                f"{submitted.tree} has {errors} in round {report.round}",
                f"assay check {submitted.tree}",
            )
        )
    if delivery.refuse_invalid and came_to.invalid:
        found.append(
            RunFailed(f"LoadGen refuses the run: {came_to}", f"see {RunFolder(finished.folder).readme}")
        )
    if delivery.gate and not came_to.is_good:
        hint = f"see {RunFolder(finished.folder).readme}, or leave --gate out"
        found.append(RunFailed(f"the gate failed: {came_to}", hint))
    return found


def _measured(request: Request, prepared: Preparation, reporter: Reporter) -> tuple[RunResult, Path]:
    """The record and the run folder, which holds a record in any case: a run that broke off is marked FAILED, one
    that was stopped INTERRUPTED, and what was finished before is kept. Raises: AssayError after that."""
    out, delivery = request.config.paths.out, request.delivery
    found = earlier.take(request.config, delivery.earlier_run, reporter.say)
    if found is not None and out is not None:
        return found, out
    begin = resume.begin if delivery.earlier_run is EarlierRun.RESUME else run_start.begin
    running = begin(request, reporter, prepared.ready())
    reporter.on_start(request)
    with run_start.held_alone(running.folder), record.kept(running):
        if delivery.container is not None:
            contained.run(running, delivery.container)
        else:
            measure.measure(running, record.keep)
        return record.write_record(running, Status.COMPLETE), running.folder
