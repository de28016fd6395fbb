"""A benchmark measured in a container and scored here, from the logs that the container left.

Inside, generated programs could not be graded: the sandbox does not nest in an unprivileged container.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from assay.bench import measure, preparation, record, resume, run_start, score_run
from assay.bench.running import Reporter, RunInProgress
from assay.config import BenchmarkConfig, ContainerRequest, Device, Mode, Request
from assay.doors import config_options, config_text
from assay.ground import settings
from assay.ground.errors import Interrupted, RunFailed
from assay.machine.container import run as container
from assay.machine.container.run import Task
from assay.mlperf.record import result
from assay.mlperf.record.result import ModeResult, RunResult
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.run import requests, wheels

MODULE = "assay.cli.contained"
"""The module that runs inside: `python -m MODULE CONFIG`."""
MEASURED = "measured in "
"""How the note begins that says where."""


def run(running: RunInProgress, asked: ContainerRequest) -> None:
    """As `measure.measure`, with the system under test and LoadGen in a container. Raises: AssayError.

    What was measured inside is kept however that ends: a stopped run goes on with it.
    """
    if running.is_finished:  # its answers alone are to be scored, and that is done here
        _take_over(running, result.read(running.folder), is_scored=True)
        return _say_where(running, "a container", asked)
    wheels.obtain(running.job.wheel)  # here, as the container has no network
    log = RunFolder(running.folder).container_log
    try:
        ended = container.run(asked, task(_config_inside(running)), log, running.reporter.say)
    except (KeyboardInterrupt, Interrupted):
        _take_over(running, result.read(running.folder), is_scored=False)
        raise
    used = dataclasses.replace(asked, engine=ended.engine)
    running.delivery = dataclasses.replace(running.delivery, container=used)
    _take_over(running, result.read(running.folder), is_scored=not ended.exit_code)
    if ended.exit_code:
        raise RunFailed(
            f"the container ended with exit code {ended.exit_code}: {_last_line(log)}",
            f"its whole log is {log}",
        )
    return _say_where(running, f"a container of {ended.engine}", asked)


def _say_where(running: RunInProgress, where: str, asked: ContainerRequest) -> None:
    if not any(note.startswith(MEASURED) for note in running.notes):
        running.notes.append(f"{MEASURED}{where} ({_words(asked)}), scored outside of it")


def inside(text: str, reporter: Reporter) -> None:
    """The part that runs in the container: measure what is not measured, and leave the logs. `text` is `serialised`.

    The record does not become COMPLETE: the run is whole when it is scored outside.
    """
    asked = json.loads(text)
    request = Request(config_options.build(asked["workload"], asked["fields"], {}))
    running = run_start.running(request, preparation.ready(request.config), folder_of(text), reporter)
    resume.go_on(running)  # the settings and data were compared outside
    with record.kept(running):
        measure.measure(running, record.keep, score_run.no_scores)


def folder_of(text: str) -> Path:
    """The run folder of what is asked of a container; the benchmark outside holds it."""
    return Path(json.loads(text)["fields"]["paths.out"])


def _config_inside(running: RunInProgress) -> BenchmarkConfig:
    """The config for the container: the run folder by name, and nothing that only scoring needs."""
    config = running.job.config
    paths = dataclasses.replace(config.paths, out=running.folder, lcb_tests=None, compliance_dataset=None)
    return dataclasses.replace(config, paths=paths)


def task(config: BenchmarkConfig) -> Task:
    """The command inside, and the folders that it sees: model and dataset, the store, the run folder."""
    paths = config.paths
    asked = (paths.checkpoint, paths.tokenizer, paths.dataset, paths.accuracy_dataset)
    read = tuple(path for path in asked if path is not None)
    write = tuple(path for path in (paths.out, settings.home()) if path is not None)
    return Task(
        ("-m", MODULE, serialised(config)),
        read=read,
        write=write,
        env={"ASSAY_HOME": str(settings.home())},
        needs_gpu=config.device is Device.CUDA,
    )


def serialised(config: BenchmarkConfig) -> str:
    return json.dumps({"workload": config.workload, "fields": config_text.asked(config)})


def _take_over(running: RunInProgress, measured: RunResult, is_scored: bool) -> None:
    """Take over the results from inside, and score the accuracy runs where that was asked for."""
    running.used = measured.used
    running.started_at = measured.started_at
    standing = record.standing_notes(running.job, running.data, running.samples)
    running.notes = list(measured.notes[len(standing) :])
    # Only where a run's files lie is asked of its spec here: the rate has no part in it.
    running.target_qps = dict.fromkeys(running.job.config.scenarios, measure.PLACEHOLDER_TARGET_QPS)
    rows = requests.read(RunFolder(running.folder).requests) if measured.runs else None
    running.runs, running.requests, running.requests_kept = [], [], 0
    for each in measured.runs:
        running.requests.append(requests.of_run(rows, each.scenario, each.mode))
        running.runs.append(_scored(running, each) if is_scored else each)


def _scored(running: RunInProgress, measured: ModeResult) -> ModeResult:
    if measured.mode is not Mode.ACCURACY or measured.scores:
        return measured
    part = running.part(Mode.ACCURACY)
    spec = measure.run_spec(part, measured.scenario, Mode.ACCURACY)
    return dataclasses.replace(measured, scores=score_run.scores(part, spec))


def _words(request: ContainerRequest) -> str:
    said: Sequence[str] = [
        f"base {request.base or 'host'}",
        *(["privileged"] if request.privileged else []),
    ]
    return ", ".join(said)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return next(
        (line for line in reversed(lines) if line.startswith("assay: ")), lines[-1] if lines else "no output"
    )
