"""Model and dataset that a benchmark lacks: shown before they are fetched, fetched once, then a path like any other.

`plan` and `bench` ask here alike, so that the plan counts the bytes that the run would fetch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay import suts
from assay.config import BenchmarkConfig, MayFetch, Mode
from assay.ground import download, memory, paths, settings
from assay.ground.count import size_text
from assay.ground.download import DownloadProgress
from assay.ground.hub import Hub
from assay.ground.redact import addresses
from assay.mlperf import workloads
from assay.mlperf.rounds.round_workload import RoundWorkload
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
    is_published: bool = False
    """It is the workload's own; else the user named the source."""

    def __str__(self) -> str:
        source = addresses(self.source)
        is_inside = self.is_published and self.name and not source.endswith(self.name)
        file = f"{self.name} of " if is_inside else ""
        size = "size not known before" if self.size_bytes is None else size_text(self.size_bytes)
        return f"the {self.what} {file}{source} ({size})"


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
    named = (paths.checkpoint_source, paths.dataset_source)
    return tuple(
        Wanted(what, source, workload.size_of(source), name, source not in named)
        for what, source, name in sources
        if source
    )


def job(config: BenchmarkConfig, may_fetch: MayFetch = EVERYTHING) -> Job:
    """The job as it will be when everything is fetched. Raises: as `mlperf.run.job.of`, before anything is fetched."""
    whole = config
    for each in wanted(config, may_fetch):
        whole = _with(whole, each.what, TO_COME)
    made = jobs.of(whole, suts.of(config))
    return dataclasses.replace(made, config=dataclasses.replace(made.config, paths=config.paths))


def with_checkpoint(config: BenchmarkConfig) -> BenchmarkConfig:
    """`config` with the folder that holds config.json, where one around it is named. Raises: ArtifactError."""
    path = config.paths.checkpoint
    return config if path is None else _moved(config, "checkpoint", path, artifact.model(str(path)))


def with_dataset(config: BenchmarkConfig) -> BenchmarkConfig:
    """`config` with the one dataset file of the folder that is named. Raises: ArtifactError."""
    path = config.paths.dataset
    return config if path is None else _moved(config, "dataset", path, artifact.dataset(str(path)))


def refuse_without_room(config: BenchmarkConfig, things: tuple[Wanted, ...]) -> None:
    """Raises: EnvironmentProblem when disk or memory cannot hold what is to be fetched."""
    model = workloads.get(config.workload).model
    if model is not None and any(each.source == model.source for each in things):
        ram_bytes = memory.total()
        artifact.require_room(config.workload, model, config.precision, ram_bytes, settings.home())
    refuse_full_store(things)


def refuse_full_store(things: tuple[Wanted, ...]) -> None:
    """Raises: EnvironmentProblem when the disk of the store cannot take what is to be fetched."""
    if needed := sum(each.size_bytes or 0 for each in things):
        download.require_space(settings.home(), needed, "what is to be fetched")


def fetch(
    config: BenchmarkConfig, things: tuple[Wanted, ...], hub: Hub, say: Callable[[str], None]
) -> BenchmarkConfig:
    """`config` with a path for each of `things`, which are here then. Raises: ArtifactError, EnvironmentProblem."""
    files, told = workloads.get(config.workload).dataset_files, _told(say)
    for each in things:
        say(f"assay: fetching {each}")
        if each.what == "checkpoint":
            place = artifact.model(each.source, hub, told)
        else:
            place = artifact.dataset(each.source, told, files=files, name=each.name)
        config = _with(config, each.what, place)
    return config


def sized(things: tuple[Wanted, ...], hub: Hub) -> tuple[Wanted, ...]:
    """The same with the sizes that a server alone tells: of a model of the hub, and of the user's own address.

    Raises: ArtifactError when it does not answer.
    """
    return tuple(
        each if each.size_bytes is not None or each.is_published else _asked_for_size(each, hub)
        for each in things
    )


def _asked_for_size(thing: Wanted, hub: Hub) -> Wanted:
    return dataclasses.replace(thing, size_bytes=artifact.listed_size(thing.source, hub))


def _moved(config: BenchmarkConfig, what: str, path: Path, place: Path) -> BenchmarkConfig:
    return config if place == paths.given(path) else _with(config, what, place)


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
    """Address and name of the published file that the round names, else of the workload's first one; two empty texts
    without any."""
    if not workload.dataset_files:
        return "", ""
    named = workload.dataset_file(_rules(config).dataset_file) or workload.dataset_files[0]
    return named.url, named.name


def _published_for_accuracy(
    config: BenchmarkConfig, workload: Workload, may_fetch: MayFetch
) -> tuple[str, str]:
    """Address and name of the round's file for accuracy runs; two empty texts where one file serves both modes."""
    if not (may_fetch.dataset and workload.dataset_files):
        return "", ""
    named = workload.dataset_file(_rules(config).accuracy_dataset_file)
    return (named.url, named.name) if named else ("", "")


def _rules(config: BenchmarkConfig) -> RoundWorkload:
    return workloads.round_of(config.round, config.workload).workload(config.workload)


def _told(say: Callable[[str], None]) -> Callable[[DownloadProgress], None]:
    return lambda progress: say(str(progress))
