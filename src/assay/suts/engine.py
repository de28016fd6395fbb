"""The engine SUT: what it is, and the options that are its own. Imports no tensor library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.config import Device, Scenario
from assay.engine.config import KERNELS, KV_PRECISIONS, ORDERS, PRECISIONS, WEIGHTS, EngineConfig
from assay.mlperf.sut.kind import SutKind, greedy_only
from assay.mlperf.sut.option import SutOption
from assay.mlperf.workloads.workload import Workload


def _batch(workload: Workload, scenarios: tuple[Scenario, ...]) -> int:
    return EngineConfig.max_running


def _takes_model(config: Mapping[str, Any]) -> bool:
    from assay.engine.families import FAMILIES

    return config.get("model_type") in FAMILIES


KIND = SutKind(
    name="engine",
    summary="Assay's own engine: continuous batching on the processor, with native kernels",
    module="assay.suts.engine_sut",
    precisions=PRECISIONS,
    devices=(Device.CPU,),
    default_batch=_batch,
    refuse=greedy_only,
    takes_model=_takes_model,
    options=(
        SutOption(
            "token_budget",
            int,
            "most tokens that one step computes (default: 1024, or 4096 with experts on disk; the batch if more)",
            least=1,
        ),
        SutOption(
            "kv_tokens", int, "room for keys and values, in tokens (default: as memory allows)", least=1
        ),
        SutOption(
            "kv_precision",
            str,
            "how keys and values are held: as the activations are (auto), or in int8, in half the memory",
            EngineConfig.kv_precision,
            choices=KV_PRECISIONS,
        ),
        SutOption("threads", int, "threads of the kernels (default: one per usable core)", least=1),
        SutOption("order", str, "which waiting request is begun first", EngineConfig.order, choices=ORDERS),
        SutOption("kernels", str, "kernels that compute", EngineConfig.kernels, choices=KERNELS),
        SutOption(
            "weights",
            str,
            "where experts are: in memory, all read from disk in each step, or auto: what does not fit is read",
            EngineConfig.weights,
            choices=WEIGHTS,
        ),
        SutOption(
            "memory_gib", float, "most memory of the engine's process, GiB (default: what is free)", least=0.1
        ),
        SutOption(
            "answer_tokens",
            int,
            "longest answer, in place of the workload's: for measurements of speed alone",
            least=2,
        ),
    ),
    planner="assay.suts.engine_plan",
)
