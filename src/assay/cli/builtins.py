"""The built-in recipes for the CM verbs. Registering them is cheap: each imports its modules when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from assay.doors import builtin
from assay.recipes.run.builtin import Builtin

if TYPE_CHECKING:
    from assay.cli.progress import ProgressLine
    from assay.config import Request
    from assay.doors.builtin.call import Delivered
    from assay.ground.hub import Hub


def builtins(environ: Mapping[str, str]) -> list[Builtin]:
    """All built-in recipes. They write to stderr, as CM's log does."""

    @cache
    def line() -> ProgressLine:
        from assay.cli.progress import ProgressLine

        return ProgressLine()

    def say(text: str) -> None:
        line().say(text)

    def deliver(request: Request, hub: Hub) -> Delivered:
        try:
            return _deliver(request, hub, line())
        finally:
            line().close()

    return builtin.registered(deliver, say, environ)


def _deliver(request: Request, hub: Hub, line: ProgressLine) -> Delivered:
    """Runs the pipeline and prints its progress as lines. Raises: AssayError, also for a result that fails."""
    from assay.bench import pipeline
    from assay.bench.running import Reporter
    from assay.cli.bench import asked
    from assay.doors.builtin.call import Delivered
    from assay.mlperf.record.result import RunResult
    from assay.report import outcome, summary

    def tell(made: RunResult) -> None:
        line.say(f"{summary.render(made)}\n  result   {outcome.of(made)}")

    def tell_asked(begun: Request) -> None:
        line.say(asked(begun, is_whole=True))  # a log of CM has the defaults of its recipe

    finished = pipeline.run(request, hub, Reporter(line.say, line.show, tell, tell_asked))
    submitted = finished.submitted
    archive = submitted.archive if submitted else None
    if submitted:
        line.say(f"submission tree {submitted.tree}")
    if archive:
        line.say(f"packed {archive.path}, sha256 {archive.sha256}")
    if report := submitted and submitted.report:
        for finding in report.findings:
            line.say(f"{finding.severity.value} {finding.code} {finding.path or '.'}: {finding.message}")
        line.say(f"checked by round {report.round}: {report.counts}")
    if failed := pipeline.failures(request, finished):
        raise failed[0]
    tree = submitted.tree if submitted else None
    return Delivered(finished.folder, tree, archive.path if archive else None)
