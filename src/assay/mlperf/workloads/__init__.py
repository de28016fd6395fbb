"""The workloads Assay can run: name -> Workload. A new one is a file here and a line in TABLE."""

from __future__ import annotations

from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf import round as rounds
from assay.mlperf.round import Round
from assay.mlperf.workload import Workload
from assay.mlperf.workloads import mixtral_8x7b, mixtral_nano

TABLE: dict[str, Workload] = {w.name: w for w in (mixtral_nano.WORKLOAD, mixtral_8x7b.WORKLOAD)}


def get(name: str) -> Workload:
    """Raises: ConfigError with the nearest name."""
    if name not in TABLE:
        raise ConfigError(f"unknown workload {name!r}", did_you_mean(name, TABLE))
    return TABLE[name]


def round_of(asked: str | None, workload: str = mixtral_8x7b.WORKLOAD.name) -> Round:
    """The round asked for; without one the newest that holds `workload`, Assay's own or an official one.

    Raises: ConfigError for an unknown round or workload.
    """
    official = TABLE[workload].official if workload in TABLE else workload
    return rounds.load(asked or rounds.newest_of(official))
