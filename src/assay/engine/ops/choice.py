"""Which set of kernels runs on this machine, and why not ours where it is not ours."""

from __future__ import annotations

import os

from assay.config import Precision
from assay.engine.config import EngineConfig, MixtralConfig
from assay.engine.ops import Ops
from assay.engine.ops.cpu import build, library
from assay.engine.ops.cpu.native import NativeOps, unsupported
from assay.engine.ops.plain import PlainOps
from assay.ground.errors import ConfigError, EnvironmentProblem


def choose_ops(config: EngineConfig, model: MixtralConfig) -> tuple[Ops, tuple[str, ...]]:
    """The kernels for this engine, and notes that belong into its results.

    Raises: ConfigError or EnvironmentProblem when kernels that were insisted on cannot run.
    """
    if config.kernels == "torch" or (config.kernels == "auto" and config.precision is Precision.FLOAT32):
        return PlainOps(config.precision, model), ()
    try:
        return _native(config, model), ()
    except (ConfigError, EnvironmentProblem) as reason:
        if config.kernels != "auto":
            raise
        return PlainOps(config.precision, model), (
            f"PyTorch ops, slower than native kernels: {reason.message}",
        )


def usable_cores() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _native(config: EngineConfig, model: MixtralConfig) -> NativeOps:
    if config.precision not in (Precision.BFLOAT16, Precision.INT8):
        raise ConfigError(
            f"native kernels compute in bfloat16 or int8, not in {config.precision.value}",
            f"kernels=torch runs {config.precision.value}",
        )
    if reason := unsupported(model):
        raise ConfigError(f"native kernels cannot run this model: {reason}", "kernels=torch runs every shape")
    try:
        lib = library.load(build.build())
    except OSError as error:
        raise EnvironmentProblem(
            f"the compiled kernels cannot be loaded: {error}", "kernels=torch"
        ) from error
    threads = config.threads or usable_cores()
    return NativeOps(lib, config.precision, model, threads, config.kernels == "portable")
