"""The ray SUT: another SUT several times, on one machine or many, by Ray. What it is; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from assay.config import OptionValue
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import SutOption

AUTO = "auto"
SILENCE_S = 60.0
"""Default of --replica-timeout. A choice: a replica says something every 2 s (`ray_group.HEAR_S`), however long its
answers take."""
PLACEMENT_S = 120.0
"""Default of --placement-timeout. A choice: a cluster may have to start machines first."""

KIND = SutKind(
    name="ray",
    summary="replicas of another SUT, on this machine or a Ray cluster",
    module="assay.suts.ray_sut",
    is_elsewhere=True,
    hosts="of",
    options=(
        SutOption("of", str, "the SUT that each replica is", "engine"),
        SutOption(
            "replicas",
            str,
            "how many, or auto: as a short measurement says on one machine, as many as have room on a cluster",
            AUTO,
            form=r"auto|[1-9][0-9]{0,3}",
            form_words="a whole number from 1 to 9999, or auto",
        ),
        SutOption(
            "ray_address",
            str,
            "a Ray cluster that runs: auto, or HOST:PORT of its head (default: one is started here, and ended)",
            form=r"auto|\[?[^\s/]+\]?:[0-9]{1,5}",
            form_words="auto, or HOST:PORT as `ray start --head` prints it",
        ),
        SutOption(
            "cpus_per_replica",
            float,
            "processors of each (default: all of this machine shared out; on a cluster one node's, less if they "
            "would not fit)",
            least=0.01,
            most=4096,
        ),
        SutOption(
            "gpus_per_replica",
            float,
            "GPUs of each (default: 1 with --device cuda, else 0)",
            least=0,
            most=64,
        ),
        SutOption(
            "placement_timeout",
            float,
            "longest wait until the cluster has room for all, s",
            PLACEMENT_S,
            least=1,
            most=1e6,
        ),
        SutOption(
            "replica_timeout",
            float,
            "a replica that says nothing for so long is given up, s",
            SILENCE_S,
            least=5,
            most=1e6,
        ),
    ),
    planner="assay.suts.ray_plan",
)


def hosted(spec: SutSpec) -> tuple[SutSpec, Mapping[str, OptionValue | None]]:
    """What each replica is built from, and the options of this SUT itself."""
    own = {option.name for option in KIND.options}
    options = {name: value for name, value in spec.options.items() if name in own}
    others = {name: value for name, value in spec.options.items() if name not in own}
    return replace(spec, kind=str(KIND.values(options)["of"]), options=others), options
