"""The start of a run: a folder of its own, with what was asked in it, and its state before the first LoadGen run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    asked = dataclasses.replace(request, config=ready.job.config)
    with claimed(request.config.paths.out) as folder:
        files.write_json(RunFolder(folder).config, asked.to_dict())
    return running(request, ready, folder, reporter)


def running(request: Request, ready: Ready, folder: Path, reporter: Reporter) -> RunInProgress:
    """A job without a LoadGen run, in that folder."""
    return RunInProgress(
        ready.job, ready.data, folder, reporter, request.delivery, accuracy_data=ready.accuracy_data
    )


def _never(_: Path) -> bool:
    return False


@contextmanager
def claimed(out: Path | None, is_blank: Callable[[Path], bool] = _never) -> Iterator[Path]:
    """A run folder as of `claim`. Write its first file in the block: from then on no other process takes it.

    `is_blank`: whether a folder holds only a record in which nothing was measured yet. Such a folder is taken too.
    Raises: ConfigError as `claim`, and where another process takes it at the same moment.
    """
    folder = out if out is not None and is_blank(out) else claim(out)
    with held_alone(folder):
        if not is_blank(folder):
            earlier.refuse_taken(folder, is_ours=True)
        yield folder


def claim(out: Path | None) -> Path:
    """The run folder, new or empty; without `out` one that is named after the time and is this process's alone.

    Raises: ConfigError when it holds something, or LoadGen cannot take its name.
    """
    if out is None:
        return _of_now()
    earlier.refuse_taken(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise earlier.unusable(out, error.strerror) from error
    return out


def _of_now() -> Path:
    folder = named = Path.cwd() / "assay-runs" / datetime.now().strftime("%Y%m%d-%H%M%S")
    earlier.refuse_unusable(named)
    number = 1
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:  # of a run that began in the same second
            number += 1
            folder = named.with_name(f"{named.name}.{number}")
        except OSError as error:
            raise earlier.unusable(folder, error.strerror) from error


@contextmanager
def held_alone(folder: Path) -> Iterator[None]:
    """Mark the folder as in use. Raises: ConfigError where another process uses it."""
    with files.held(folder) as is_ours:
        if not is_ours:
            raise earlier.in_use(folder)
        yield
