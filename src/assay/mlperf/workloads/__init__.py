"""The workloads Assay can run: name -> Workload. A new one is a file here and a line in TABLE."""

from __future__ import annotations

from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf import round as rounds
from assay.mlperf.round import Round
from assay.mlperf.workload import PublishedModel, Workload
from assay.mlperf.workloads import mixtral_8x7b, mixtral_nano

TABLE: dict[str, Workload] = {w.name: w for w in (mixtral_nano.WORKLOAD, mixtral_8x7b.WORKLOAD)}
USUAL = mixtral_8x7b.WORKLOAD
"""The official workload that is meant where none was named."""


def find(name: str) -> Workload | None:
    """The workload of that name; None when there is none."""
    return TABLE.get(name)


def get(name: str) -> Workload:
    """Raises: ConfigError with the nearest name."""
    found = find(name)
    if found is None:
        raise ConfigError(f"unknown workload {name!r}", did_you_mean(name, TABLE))
    return found


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
    """Metric -> what reports call it, of all workloads."""
    return {metric.id: metric.title for workload in TABLE.values() for metric in workload.metrics}
