"""A run that was stopped goes on: what is finished is taken, what differs is refused, leavings are cleared.

docs/adr/0013-resume.md says what is kept of an accuracy run; `mlperf/run/pieces.py` does it.
"""

from __future__ import annotations

from assay.bench import earlier, preparation, record, run_start
from assay.bench.preparation import Ready
from assay.bench.running import Reporter, RunInProgress
from assay.config import Division, Mode, Request
from assay.ground.errors import ConfigError
from assay.mlperf.record import result
from assay.mlperf.record.result import DatasetUsed, RunResult
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import journal, pieces, requests

START_OVER = "the settings of the run alone go on (`assay bench --resume RUN`); --out NEW starts another"


def begin(request: Request, reporter: Reporter, ready: Ready | None = None) -> RunInProgress:
    """The job as it was when the process of its run folder ended. `ready`: as for `run_start.begin`.

    Raises: ConfigError for a folder without a run, one that is in use, and for other settings, data or division than
    may go on; as `preparation.ready`.
    """
    folder = request.config.paths.out
    assert folder is not None
    earlier.require_resumable(folder)
    running = run_start.running(request, ready or preparation.ready(request.config), folder, reporter)
    with run_start.held_alone(folder):  # another process may have gone on with it meanwhile
        if RunFolder(folder).result.is_file():  # else the process ended before its first record
            _refuse_other(running, result.read(folder))
        go_on(running)
    return running


def go_on(running: RunInProgress) -> None:
    """Take what the record in the run folder has of the same job, clear the rest and say what is kept."""
    if RunFolder(running.folder).result.is_file():
        _take_over(running, result.read(running.folder))
    _clear(running)
    _say(running)


def _refuse_other(running: RunInProgress, found: RunResult) -> None:
    earlier.refuse_other_settings(running.job.config, found, running.folder)
    sets = [("dataset", running.part(Mode.PERFORMANCE), found.dataset)]
    if found.accuracy_dataset is not None:
        sets.append(("accuracy dataset", running.part(Mode.ACCURACY), found.accuracy_dataset))
    for name, part, then in sets:
        _refuse_other_set(name, record.dataset_used(part), then)


def _refuse_other_set(name: str, now: DatasetUsed, then: DatasetUsed) -> None:
    if (now.sha256, now.rows) != (then.sha256, then.rows):
        raise ConfigError(
            f"the {name} is not the one that the run began with: {then.path}, {then.rows:,} rows, SHA-256 "
            f"{then.sha256}; now {now.path}, {now.rows:,} rows, SHA-256 {now.sha256}",
            START_OVER,
        )


def _take_over(running: RunInProgress, found: RunResult) -> None:
    running.used = running.resumed_from = found.used
    running.started_at = found.started_at
    standing = record.standing_notes(running.job, running.data, running.samples)
    running.notes.extend(found.notes[len(standing) :])
    rows = requests.read(RunFolder(running.folder).requests) if found.runs else None
    for each in found.runs:
        running.runs.append(each)
        running.requests.append(requests.of_run(rows, each.scenario, each.mode))
        target = each.setting("target_qps")
        if each.mode is Mode.PERFORMANCE and target:
            running.target_qps[each.scenario] = target
    running.requests_kept = len(running.requests)


def _clear(running: RunInProgress) -> None:
    """Remove what lies beside the finished LoadGen runs; measuring looks at the rest of an accuracy run itself."""
    place = RunFolder(running.folder)
    for scenario in running.job.config.scenarios:
        for mode in Mode:
            if running.find(scenario, mode):
                place.times(scenario, mode).unlink(missing_ok=True)
            elif mode is Mode.PERFORMANCE:
                pieces.clear(place.logs(scenario, mode), place.times(scenario, mode))
                pieces.clear(place.first_try(scenario), None)
        if running.find(scenario, Mode.ACCURACY):
            place.journal(scenario).unlink(missing_ok=True)


def _say(running: RunInProgress) -> None:
    """What is kept. Raises: ConfigError for kept answers in a run that is to be submitted in another than open."""
    place = RunFolder(running.folder)
    for run in running.runs:
        running.reporter.say(f"{run.scenario} {run.mode} is finished: taken as it is")
    for scenario in running.job.config.scenarios:
        kept = len(journal.read(place.journal(scenario)))
        is_own = pieces.is_whole(place.logs(scenario, Mode.ACCURACY))
        if not kept or is_own or running.find(scenario, Mode.ACCURACY):
            continue
        division = running.job.config.submission.division
        if running.delivery.submit and division is not Division.OPEN:
            raise ConfigError(
                f"the {division} division takes an accuracy run that LoadGen logged whole, and {kept} answers of "
                f"{scenario} are of a process that was stopped",
                "--division open, --no-submit, or --out NEW: run it again",
            )
        running.reporter.say(f"{scenario} accuracy: {kept} answers are kept")
