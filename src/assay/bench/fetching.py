"""Model and dataset that a benchmark lacks: shown before they are fetched, fetched once, then a path like any other.

`plan` and `bench` ask here alike, so that the plan counts the bytes that the run would fetch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from assay import suts
from assay.config import BenchmarkConfig, MayFetch, Mode
from assay.ground import settings
from assay.ground.download import DownloadProgress
from assay.ground.hub import Hub
from assay.ground.redact import addresses
from assay.mlperf import workloads
from assay.mlperf.rounds.round import RoundWorkload
from assay.mlperf.run import job as jobs
from assay.mlperf.run.job import Job
from assay.mlperf.workloads import artifact
from assay.mlperf.workloads.workload import Workload

EVERYTHING = MayFetch()
ACCURACY = "accuracy dataset"
TO_COME = Path("/to/be/fetched")
"""The path, in a job, of a file that is not here yet."""


@dataclass(frozen=True)
class Wanted:
    """One thing to fetch."""

    what: str
    """`checkpoint`, `dataset` or `accuracy dataset`, as its option is called."""
    source: str
    size_bytes: int | None
    """None where a request to the source is needed to know it."""
    name: str = ""
    """The file that is meant, where the source is a folder of several."""

    def __str__(self) -> str:
        source = addresses(self.source)
        file = f"{self.name} of " if self.name and not source.endswith(self.name) else ""
        return f"the {self.what} {file}{source} ({artifact.size_text(self.size_bytes)})"


def found(config: BenchmarkConfig, hub: Hub, may_fetch: MayFetch = EVERYTHING) -> BenchmarkConfig:
    """`config` with a path for everything that was fetched before, here or by Hugging Face's client. Asks nobody."""
    for each in wanted(config, may_fetch):
        if (path := artifact.here(each.source, each.what, hub, each.name)) is not None:
            config = _with(config, each.what, path)
    return config


def wanted(config: BenchmarkConfig, may_fetch: MayFetch = EVERYTHING) -> tuple[Wanted, ...]:
    """What `config` has no path for: the checkpoint, where the SUT needs one, and the dataset."""
    paths = config.paths
    workload = workloads.get(config.workload)
    sources: list[tuple[str, str, str]] = []
    if paths.checkpoint is None and suts.of(config).needs_checkpoint:
        usual = workload.model.source if workload.model and may_fetch.model else ""
        sources.append(("checkpoint", paths.checkpoint_source or usual, ""))
    if paths.dataset is None:
        usual, file = _published(config, workload) if may_fetch.dataset else ("", "")
        sources.append(("dataset", paths.dataset_source or usual, file))
        if Mode.ACCURACY in config.modes and paths.accuracy_dataset is None and not paths.dataset_source:
            sources.append((ACCURACY, *_published_for_accuracy(config, workload, may_fetch)))
    return tuple(
        Wanted(what, source, workload.size_of(source), name) for what, source, name in sources if source
    )


def job(config: BenchmarkConfig, may_fetch: MayFetch = EVERYTHING) -> Job:
    """The job as it will be when everything is fetched. Raises: as `mlperf.run.job.of`, before anything is fetched."""
    whole = config
    for each in wanted(config, may_fetch):
        whole = _with(whole, each.what, TO_COME)
    made = jobs.of(whole, suts.of(config))
    return dataclasses.replace(made, config=dataclasses.replace(made.config, paths=config.paths))


def refuse_without_room(config: BenchmarkConfig, things: tuple[Wanted, ...]) -> None:
    """Raises: EnvironmentProblem when the full model is to be fetched and disk or memory cannot hold it."""
    model = workloads.get(config.workload).model
    if model is not None and any(each.source == model.source for each in things):
        ram_bytes = psutil.virtual_memory().total
        artifact.require_room(config.workload, model, config.precision, ram_bytes, settings.home())


def obtain(
    config: BenchmarkConfig, hub: Hub, say: Callable[[str], None], may_fetch: MayFetch = EVERYTHING
) -> BenchmarkConfig:
    """`config` with a checkpoint and a dataset that are there. Raises: before any download when it cannot fit."""
    config = found(config, hub, may_fetch)
    things = wanted(config, may_fetch)
    files = workloads.get(config.workload).dataset_files
    refuse_without_room(config, things)
    for path, check in ((config.paths.checkpoint, artifact.model), (config.paths.dataset, artifact.dataset)):
        if path is not None:
            check(str(path))
    for each in things:
        say(f"assay: fetching {each}")
        is_model = each.what == "checkpoint"
        told = _told(say)
        place = (
            artifact.model(each.source, hub, told)
            if is_model
            else artifact.dataset(each.source, told, files=files, name=each.name)
        )
        config = _with(config, each.what, place)
    if (file := config.paths.dataset) is not None and (warning := artifact.warning(file, files)) is not None:
        say(f"assay: {warning}")
    return config


def sized(things: tuple[Wanted, ...], hub: Hub) -> tuple[Wanted, ...]:
    """The same with the size of every model of the hub: the hub lists it. Raises: ArtifactError when it does not."""
    return tuple(
        dataclasses.replace(each, size_bytes=artifact.listed_size(each.source, hub))
        if each.size_bytes is None and each.source.startswith("hf:")
        else each
        for each in things
    )


def _with(config: BenchmarkConfig, what: str, path: Path) -> BenchmarkConfig:
    """`config` with a path in place of its source: an address may carry a secret, and a record shows the config."""
    if what == "checkpoint":
        paths = dataclasses.replace(config.paths, checkpoint=path, checkpoint_source=None)
    elif what == ACCURACY:
        paths = dataclasses.replace(config.paths, accuracy_dataset=path)
    else:
        paths = dataclasses.replace(config.paths, dataset=path, dataset_source=None)
    return dataclasses.replace(config, paths=paths)


def _published(config: BenchmarkConfig, workload: Workload) -> tuple[str, str]:
    """Address and name of the published file that the round names, else of the workload's first; empty without one."""
    if not workload.dataset_files:
        return "", ""
    named = workload.dataset_file(_rules(config).dataset_file) or workload.dataset_files[0]
    return named.url, named.name


def _published_for_accuracy(
    config: BenchmarkConfig, workload: Workload, may_fetch: MayFetch
) -> tuple[str, str]:
    """The same of the round's file for accuracy alone; empty where one file is for both."""
    if not (may_fetch.dataset and workload.dataset_files):
        return "", ""
    named = workload.dataset_file(_rules(config).accuracy_dataset_file)
    return (named.url, named.name) if named else ("", "")


def _rules(config: BenchmarkConfig) -> RoundWorkload:
    return workloads.round_of(config.round, config.workload).workload(config.workload)


def _told(say: Callable[[str], None]) -> Callable[[DownloadProgress], None]:
    return lambda progress: say(str(progress))
