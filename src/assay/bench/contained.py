"""A benchmark measured in a container and scored here, from the logs that the container left.

Inside, generated programs could not be graded: the sandbox does not nest in an unprivileged container.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from assay.bench import app
from assay.bench.app import Story, Watch
from assay.config import BenchmarkConfig, ContainerRequest, Device, Mode, Scenario
from assay.doors import native
from assay.ground import settings
from assay.ground.errors import AssayError, RunFailed
from assay.machine.container import run as container
from assay.machine.container.run import Task
from assay.mlperf import result, wheels
from assay.mlperf.result import ModeResult, RunResult, ScoredMetric
from assay.mlperf.run_spec import RunSpec
from assay.mlperf.sut import Used

LOG = "container.log"
MODULE = "assay.cli.contained"
"""What runs inside: `python -m MODULE CONFIG`."""


def run(
    config: BenchmarkConfig, request: ContainerRequest, watch: Watch, *, unsafe_no_sandbox: bool = False
) -> tuple[RunResult, Path]:
    """As `app.run`, with the system under test and LoadGen in a container. Raises: AssayError."""
    job, data = app.prepare(config)
    wheels.obtain(job.wheel)  # here, as the container has no network
    folder = app.claim(config.paths.out)
    config = dataclasses.replace(config, paths=dataclasses.replace(config.paths, out=folder))
    ended = container.run(request, task(config), folder.with_name(f"{folder.name}.{LOG}"), watch.say)
    ended.log.replace(folder / LOG)
    story = Story(
        dataclasses.replace(job, config=config),
        data,
        folder,
        watch,
        unsafe_no_sandbox,
        _manner(request, ended.engine),
    )
    if ended.exit_code:
        reason = f"the container ended with exit code {ended.exit_code}: {_last_line(folder / LOG)}"
        if not (folder / result.RESULT_FILE).exists():  # it never came to write one
            story.end(result.FAILED, reason)
        raise RunFailed(reason, f"its whole log is {folder / LOG}")
    _take_over(story, result.read(folder))
    story.notes.append(f"measured in a container of {ended.engine} ({_words(request)}), scored outside of it")
    return story.end(result.COMPLETE), folder


def inside(text: str, watch: Watch) -> None:
    """The part that runs in the container: measure, and leave the logs. `text` is `serialised`."""
    asked = json.loads(text)
    config = native.build(asked["workload"], asked["fields"], {})
    job, data = app.prepare(config)
    folder = app.claim(config.paths.out)
    story = _Unscored(job, data, folder, watch, unsafe_no_sandbox=False)
    try:
        story.measure()
    except AssayError as error:
        story.end(result.FAILED, error.message)
        raise
    story.end(result.COMPLETE)


def task(config: BenchmarkConfig) -> Task:
    """The command inside, and what it may see: model and dataset, the store, the run folder."""
    paths = config.paths
    read = tuple(path for path in (paths.checkpoint, paths.dataset) if path is not None)
    write = tuple(path for path in (paths.out, settings.home()) if path is not None)
    return Task(
        ("-m", MODULE, serialised(config)),
        read=read,
        write=write,
        env={"ASSAY_HOME": str(settings.home())},
        needs_gpu=config.device is Device.CUDA,
    )


def serialised(config: BenchmarkConfig) -> str:
    return json.dumps({"workload": config.workload, "fields": native.asked(config)})


class _Unscored(Story):
    """A story without grades: those are given outside."""

    def scores(self, spec: RunSpec, place: str) -> tuple[ScoredMetric, ...]:
        return ()


def _take_over(story: Story, measured: RunResult) -> None:
    """What was measured inside becomes this story's own, with the accuracy runs scored."""
    story.used = Used(**measured.used)
    story.started_at = measured.started_at
    standing = app.standing_notes(story.job, story.data, story.samples)
    story.notes = list(measured.notes[len(standing) :])
    # Only where a run's files lie is asked of its spec here: the rate has no part in it.
    story.target_qps = dict.fromkeys(story.job.config.scenarios, app.UNHURRIED_QPS)
    story.runs = [_scored(story, run) for run in measured.runs]


def _scored(story: Story, run: ModeResult) -> ModeResult:
    if run.mode != Mode.ACCURACY.value:
        return run
    spec = story.run_spec(Scenario(run.scenario), Mode.ACCURACY)
    return dataclasses.replace(run, scores=story.scores(spec, run.folder))


def _manner(request: ContainerRequest, engine: str) -> tuple[str, ...]:
    """Options of `assay bench` that ask for this container."""
    base = ["--container-base", request.base] if request.base else []
    return ("--container", engine, *base, *(["--container-privileged"] if request.privileged else []))


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
