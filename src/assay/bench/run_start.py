"""The start of a run: a folder of its own, with what was asked in it, and its state before the first LoadGen run."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path

from assay.bench import earlier, preparation
from assay.bench.preparation import Ready
from assay.bench.running import Reporter, RunInProgress
from assay.config import Request
from assay.ground import files
from assay.mlperf.record.run_folder import RunFolder


def begin(request: Request, reporter: Reporter, ready: Ready | None = None) -> RunInProgress:
    """The job as it stands before its first LoadGen run: a run folder of its own, with what was asked in config.json.

    `ready`: of the same request, where it was prepared before. Raises: as `preparation.ready`; ConfigError when the
    folder holds something; EnvironmentProblem when the disk is full.
    """
    ready = ready or preparation.ready(request.config)
    folder = claim(request.config.paths.out)
    asked = dataclasses.replace(request, config=ready.job.config)
    files.write_json(RunFolder(folder).config, asked.to_dict())
    return running(request, ready, folder, reporter)


def running(request: Request, ready: Ready, folder: Path, reporter: Reporter) -> RunInProgress:
    """A job without a LoadGen run, in that folder."""
    return RunInProgress(
        ready.job, ready.data, folder, reporter, request.delivery, accuracy_data=ready.accuracy_data
    )


def claim(out: Path | None) -> Path:
    """The run folder, new or empty. Raises: ConfigError when it holds something, or LoadGen cannot take its name."""
    folder = out or Path.cwd() / "assay-runs" / datetime.now().strftime("%Y%m%d-%H%M%S")
    number = 1
    while out is None and folder.exists():
        number += 1
        folder = folder.with_name(f"{folder.name.split('.')[0]}.{number}")
    earlier.refuse_taken(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise earlier.unusable(folder, error.strerror) from error
    return folder
