"""The workloads Assay can run: its own, and those of other packages (entry points of `assay.workloads`).

A new one of Assay's own is a file here and a line in TABLE. Entry points are looked for only when a name is not one
of Assay's own, or when all names are wanted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem, did_you_mean
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.round import Round
from assay.mlperf.workloads import (
    deepseek_r1,
    gpt_oss_120b,
    gptj,
    llama2_70b,
    llama3_1_8b,
    llama3_1_405b,
    mixtral_8x7b,
    mixtral_nano,
)
from assay.mlperf.workloads.workload import PublishedModel, Workload

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from assay.ground.packages import BrokenEntry, PackageEntries
    from assay.mlperf.data.dataset import Schema

Made = TypeVar("Made")

TABLE: dict[str, Workload] = {
    w.name: w
    for w in (
        mixtral_nano.WORKLOAD,
        mixtral_8x7b.WORKLOAD,
        llama3_1_8b.WORKLOAD,
        llama3_1_8b.EDGE,
        *llama2_70b.WORKLOADS,
        *gptj.WORKLOADS,
        deepseek_r1.WORKLOAD,
        gpt_oss_120b.WORKLOAD,
        llama3_1_405b.WORKLOAD,
    )
}
GROUP = "assay.workloads"
"""Group of the entry points of other packages: NAME = "package.module:WORKLOAD"."""
USUAL = mixtral_8x7b.WORKLOAD
"""The official workload that is meant where none was named."""


def find(name: str) -> Workload | None:
    """The workload of that name; None when there is none.

    Raises: EnvironmentProblem when a package's workload of that name cannot be used.
    """
    if name in TABLE:
        return TABLE[name]
    for other in broken():
        if other.name == name:
            raise EnvironmentProblem(other.problem, "mend or uninstall that package")
    return _of_packages().found.get(name)


def get(name: str) -> Workload:
    """Raises: ConfigError with the nearest name; EnvironmentProblem as `find`."""
    if (found := find(name)) is not None:
        return found
    from assay.ground import packages

    of_model = [w.name for w in TABLE.values() if w.model and w.model.name.lower() == name.lower()]
    hint = f"{name} is the model of {' and '.join(of_model)}" if of_model else packages.misnamed()
    hint = hint or did_you_mean(name, names())
    raise ConfigError(f"unknown workload {name!r}", hint)


def by_schema(
    asked: str | None, read: Callable[[Schema], Made], is_like: Callable[[Workload, Made], bool]
) -> Made:
    """What `read` makes with the schema of a workload, of USUAL without a name.

    is_like: whether that may be the workload's own. Raises: ArtifactError as `read`; where none was named, with one
    workload of each schema that it can read, those alone that are like it if there are any; as `get`.
    """
    if asked:
        return read(get(asked).schema)
    try:
        return read(USUAL.schema)
    except ArtifactError as error:
        made = dict(_read(read, {workload.schema for workload in TABLE.values()}))
        fitting = [workload for workload in TABLE.values() if workload.schema in made]
        if not fitting:
            raise
        fitting = [each for each in fitting if is_like(each, made[each.schema])] or fitting
        first = {each.schema: each for each in reversed(fitting)}
        names = " or ".join(each.name for each in fitting if first[each.schema] is each)
        raise ArtifactError(error.message, f"--workload {names}: it is in that form") from None


def _read(read: Callable[[Schema], Made], schemas: Iterable[Schema]) -> Iterator[tuple[Schema, Made]]:
    for schema in schemas:
        with suppress(ArtifactError):
            yield schema, read(schema)


def names() -> tuple[str, ...]:
    """Assay's own in the order of the table, then those of other packages."""
    return (*TABLE, *_of_packages().found)


def broken() -> tuple[BrokenEntry, ...]:
    """Entry points that give no workload, each with the reason."""
    return _of_packages().broken


def round_of(asked: str | None, workload: str = USUAL.name) -> Round:
    """The round asked for; without one the newest that holds `workload`, or the official one that it stands for.

    Raises: ConfigError for an unknown round or workload.
    """
    known = find(workload)
    return rounds.load(asked or rounds.newest_of(known.official_name if known else workload))


def model_of(workload: Workload) -> PublishedModel | None:
    """The published model that a checkpoint of this workload is held against; None when there is none."""
    if workload.model is not None:
        return workload.model
    official = find(workload.official_name)
    return official.model if official else None


def titles() -> dict[str, str]:
    """Metric -> what reports call it, of all workloads; Assay's own word overrides another's for the same metric."""
    known = (*_of_packages().found.values(), *TABLE.values())
    return {metric.id: metric.title for workload in known for metric in workload.metrics}


@functools.cache
def _of_packages() -> PackageEntries[Workload]:
    from assay.ground import packages

    return packages.entries(GROUP, "workload", _loaded, TABLE)


def _loaded(point: EntryPoint) -> Workload:
    """Raises: ConfigError for what is no workload of that name; and what importing it raises."""
    made = point.load()
    if not isinstance(made, Workload):
        raise ConfigError(f"{point.value} is not a Workload")
    if made.name != point.name:
        raise ConfigError(f"{point.value} calls itself {made.name!r}")
    ids = [metric.id for metric in made.metrics]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise ConfigError(f"it has the metric {twice[0]} twice")
    if not made.loadgen_keys:
        raise ConfigError("it knows no scenario")
    from assay.ground.packages import package_of
    from assay.mlperf.workloads import foreign

    return foreign.named(made, package_of(point))
