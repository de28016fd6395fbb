"""The record of a run: result.json, README.md and requests.parquet, written again after every LoadGen run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assay import __version__
from assay.bench.running import RunInProgress, now
from assay.config import Mode, Style
from assay.doors import config_options, config_text
from assay.ground import files
from assay.ground.count import counted
from assay.ground.errors import AssayError, Interrupted
from assay.machine import probe
from assay.mlperf import workloads
from assay.mlperf.data.dataset import Dataset
from assay.mlperf.data.sample import Sample
from assay.mlperf.record.result import DatasetUsed, LoadgenUsed, ModelUsed, RunResult, Status, SystemField
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import choosing, requests
from assay.mlperf.run.job import Job
from assay.report import readme
from assay.suts import identity

UNFINISHED = "still running, or killed if no process holds this folder"


@contextmanager
def kept(run: RunInProgress) -> Iterator[None]:
    """The record says RUNNING while the body works, also when this process is killed; why it ended if it fails.

    Raises: AssayError of the body, after that; Interrupted also for Ctrl-C.
    """
    with files.held(run.folder):
        keep(run)
        try:
            yield
        except (KeyboardInterrupt, Interrupted):
            write_end(run, Status.INTERRUPTED, "stopped by the user")
            raise Interrupted(
                f"stopped by the user; what was finished is in {run.folder}",
                f"assay bench --resume {run.folder}: goes on; "
                f"assay bench --config {RunFolder(run.folder).config} --out NEW: the same job again",
            ) from None
        except AssayError as error:
            write_end(run, Status.FAILED, error.message)
            raise


def keep(run: RunInProgress) -> None:
    """Write the record of a job that goes on."""
    write_record(run, Status.RUNNING, UNFINISHED)


def write_record(run: RunInProgress, status: Status, reason: str = "") -> RunResult:
    """Write whatever there is. Raises: EnvironmentProblem when the disk is full."""
    job, used = run.job, run.used
    if len(run.requests) != run.requests_kept:  # before the record: a run that it names has its rows
        requests.write(RunFolder(run.folder).requests, run.requests)
        run.requests_kept = len(run.requests)
    made = RunResult(
        status=status,
        reason=reason,
        is_fake=bool(used and used.is_fake),
        workload=job.workload.name,
        round=job.round.name,
        command=run.command,
        asked=job.config,
        used=used,
        dataset=dataset_used(run.part(Mode.PERFORMANCE)),
        accuracy_dataset=dataset_used(run.part(Mode.ACCURACY)) if run.accuracy_data else None,
        loadgen=LoadgenUsed(job.wheel.version, job.round.name, job.round.seeds),
        system={name: SystemField(found.value, found.source) for name, found in probe.fields().items()},
        runs=tuple(run.runs),
        files={},
        started_at=run.started_at,
        finished_at=now(),
        assay=__version__,
        notes=(*standing_notes(job, run.data, run.samples), *run.notes),
        model=ModelUsed(known.official, known.is_official, known.parameters)
        if (known := run.identity)
        else None,
    )
    return write_result(made, run.folder)


def write_result(made: RunResult, folder: Path) -> RunResult:
    """Write README.md and result.json; gives the record with the digest of every file of the folder, but for a run that
    goes on and changes them."""
    files.write_text(RunFolder(folder).readme, readme.render(made))
    if made.status is not Status.RUNNING:
        made = dataclasses.replace(made, files=RunFolder(folder).digests())  # the README's as it stands now
    made.write(folder)
    return made


def dataset_used(part: RunInProgress) -> DatasetUsed:
    return DatasetUsed(
        path=part.data.source,
        sha256=part.data.sha256,
        rows=len(part.data.samples),
        samples=len(part.samples),
        is_whole_set=len(part.samples) == part.job.whole_set,
        rows_used=choosing.rows_of(part.samples),
    )


def write_end(run: RunInProgress, status: Status, reason: str) -> None:
    """As `write_record`, for a job that failed: an error while writing must not hide the job's own error."""
    try:
        write_record(run, status, reason)
    except AssayError as error:
        run.reporter.say(
            f"the record in {run.folder} stays as it was after the last finished run: {error.message}"
        )


def standing_notes(job: Job, data: Dataset, used: Sequence[Sample]) -> list[str]:
    """Notes for readers about every run of this job."""
    notes = []
    if job.config.style is not Style.VALID:
        notes.append(
            f"a {job.config.style.value}-style run over {counted(len(used), 'sample')}, by the rules not a submission"
        )
    if choosing.rows_of(used):
        notes.append(
            f"the samples are spread over the subsets: {choosing.words(used)}; "
            f"LoadGen's qsl_idx counts them, rows_used in result.json names their rows in the dataset"
        )
    for name, why in config_options.idle(job.config).items():
        if name in job.kind.ignores:
            notes.append(f"{name} {config_text.value_text(job.config, name)} had no effect: {why}")
    checkpoint = job.config.paths.checkpoint
    if checkpoint is not None and job.kind.needs_checkpoint:
        if (known := identity.said_of(checkpoint, workloads.model_of(job.workload))) and known.note:
            notes.insert(0, known.note)
        if wishes := identity.unfollowed(checkpoint, job.generation(checkpoint).eos_ids):
            notes.append(wishes)
    if job.workload.note:
        notes.append(job.workload.note)
    if Path(data.source).name in job.rules.superseded_files:
        notes.append(f"the dataset file is superseded by {job.rules.dataset_file}")
    return notes + job.workload.schema.warnings(data.samples)
