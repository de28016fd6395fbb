"""Prepares a run: the job and its dataset, the run folder, and a refusal of what may not be submitted."""

from __future__ import annotations

import dataclasses
import os
from datetime import datetime
from pathlib import Path

import psutil

from assay import suts
from assay.bench.running import Reporter, RunInProgress
from assay.config import BenchmarkConfig, Division, Mode, Request
from assay.ground import files, settings
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.data.dataset import Dataset
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import job as jobs
from assay.mlperf.run import wheels
from assay.mlperf.run.job import Job
from assay.mlperf.scoring.programs import code_problems
from assay.mlperf.workloads import artifact
from assay.suts import identity


def prepare(config: BenchmarkConfig) -> tuple[Job, Dataset]:
    """The job and its whole dataset; nothing runs yet. Raises: ConfigError, ArtifactError, EnvironmentProblem."""
    config = jobs.in_one_mode(config)
    kind, model = suts.of(config), workloads.get(config.workload).model
    if model is not None and kind.needs_checkpoint and config.paths.checkpoint is None:
        ram_bytes = psutil.virtual_memory().total
        artifact.require_room(config.workload, model, config.precision, ram_bytes, settings.home())
    job = jobs.of(config, kind)
    wheels.refuse_unusable(job.wheel)
    if (folder := config.paths.tokenizer) is not None and tokenizer.file_of(folder) is None:
        tokenizer.load(folder)  # says what is missing, before anything runs
    if (tests := config.paths.lcb_tests) is not None:
        code_problems.find(tests)  # says what is wrong, before anything runs
    path = config.paths.dataset
    own = job.workload.own_dataset
    data = own(config.style) if path is None and own else dataset.load(path or Path(), job.workload.schema)
    (job if config.paths.accuracy_dataset is None else job.of_mode(Mode.PERFORMANCE)).samples(
        len(data.samples)
    )
    return job, data


def begin(request: Request, reporter: Reporter) -> RunInProgress:
    """The job as it stands before its first LoadGen run: a run folder of its own, with what was asked in config.json.

    Raises: as `prepare`; ConfigError when the folder holds something; EnvironmentProblem when the disk is full.
    """
    job, data = prepare(request.config)
    accuracy_data = accuracy_set(job)
    folder = claim(request.config.paths.out)
    asked = dataclasses.replace(request, config=job.config)
    files.write_json(RunFolder(folder).config, asked.to_dict())
    return RunInProgress(job, data, folder, reporter, request.delivery, accuracy_data=accuracy_data)


def accuracy_set(job: Job) -> Dataset | None:
    """The data set of the accuracy run; None where it is that of the whole job. Raises: as `prepare`."""
    path = job.config.paths.accuracy_dataset
    if path is None or Mode.ACCURACY not in job.config.modes:
        return None
    data = dataset.load(path, job.workload.schema)
    job.of_mode(Mode.ACCURACY).samples(len(data.samples))
    return data


def refuse_other_weights(config: BenchmarkConfig) -> None:
    """Check before a run that is to be submitted.

    Raises: ConfigError for the closed or network division with weights that are not the workload's own, or with a
    workload that the round does not hold.
    """
    if config.submission.division is Division.OPEN:
        return
    workload, round_ = workloads.get(config.workload), workloads.round_of(config.round, config.workload)
    if workload.own_rules is not None and workload.name not in round_.workloads:
        raise ConfigError(
            f"{workload.name} is in no round: the {config.submission.division.value} division takes no tree of it",
            "--division open, or --no-submit",
        )
    asked = config.paths.checkpoint if suts.of(config).needs_checkpoint else None
    if asked is None:
        return
    known = identity.said_of(asked, workloads.model_of(workloads.get(config.workload)))
    if known is not None and known.is_official is False:
        raise ConfigError(
            f"the {config.submission.division.value} division takes the workload's own model alone: {known.note}",
            "--division open, or the official checkpoint",
        )


def claim(out: Path | None) -> Path:
    """The run folder, new or empty. Raises: ConfigError when it holds something, or LoadGen cannot take its name."""
    folder = out or Path.cwd() / "assay-runs" / datetime.now().strftime("%Y%m%d-%H%M%S")
    if os.fsencode(folder).decode("utf-8", "ignore") != str(folder):
        raise ConfigError(
            f"LoadGen takes no path that is not UTF-8: {folder}", "--out a folder of another name"
        )
    number = 1
    while out is None and folder.exists():
        number += 1
        folder = folder.with_name(f"{folder.name.split('.')[0]}.{number}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_taken = any(folder.iterdir())
    except OSError as error:
        raise ConfigError(
            f"cannot use run folder {folder}: {error.strerror}", "--out another folder"
        ) from error
    if is_taken:
        raise ConfigError(f"{folder} is not empty: it may hold another run", "--out a new folder")
    return folder
