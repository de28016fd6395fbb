"""Which set of kernels runs on this machine, and why not ours where it is not ours."""

from __future__ import annotations

import ctypes
from pathlib import Path

from assay.config import Precision
from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops import Ops
from assay.engine.ops.cpu import build, instructions, library, rates
from assay.engine.ops.cpu.instructions import InstructionSet
from assay.engine.ops.cpu.native import NativeOps, unsupported
from assay.engine.ops.cpu.rates import Rates
from assay.engine.ops.plain import PlainOps
from assay.ground import cores
from assay.ground.errors import ConfigError, EnvironmentProblem


def choose_ops(config: EngineConfig, model: DecoderConfig) -> tuple[Ops, tuple[str, ...]]:
    """The kernels for this engine, and notes that belong into its results.

    Raises: ConfigError or EnvironmentProblem when kernels that were insisted on cannot run.
    """
    if config.kernels == "torch" or (config.kernels == "auto" and config.precision is Precision.FLOAT32):
        return PlainOps(config.precision, model), ()
    try:
        return _native(config, model)
    except (ConfigError, EnvironmentProblem) as reason:
        if config.kernels != "auto":
            raise
        return PlainOps(config.precision, model), (
            f"PyTorch ops, slower than native kernels: {reason.message}",
        )


def _native(config: EngineConfig, model: DecoderConfig) -> tuple[NativeOps, tuple[str, ...]]:
    if config.precision not in (Precision.BFLOAT16, Precision.INT8):
        raise ConfigError(
            f"native kernels compute in bfloat16 or int8, not in {config.precision.value}",
            f"kernels=torch runs {config.precision.value}",
        )
    if reason := unsupported(model):
        raise ConfigError(f"native kernels cannot run this model: {reason}", "kernels=torch runs every shape")
    path = build.build()
    lib = _loaded(path)
    chosen, notes = instructions.choose(lib, config.kernels)
    tiles_from = None
    try:
        if chosen is InstructionSet.AMX:
            tiles_from = rates.kept_or_measured(lib, path).tiles_from
    except EnvironmentProblem as problem:
        if config.kernels == "amx":
            raise
        chosen, notes = InstructionSet.AVX512, (f"AMX is not used: {problem.message}",)
    threads = config.threads or cores.usable()
    return NativeOps(lib, config.precision, model, threads, chosen, tiles_from), notes


def measure_rates() -> Rates | str:
    """What AMX tiles and AVX-512 do on this machine, measured now and kept; or why there is no choice between them."""
    try:
        path = build.build()
        lib = _loaded(path)
        best, notes = instructions.choose(lib, "native")
        if best is InstructionSet.AMX:
            return rates.measure(lib, path)
    except EnvironmentProblem as reason:
        return reason.message
    return "; ".join((f"{best.label} for every product", *notes))


def _loaded(path: Path) -> ctypes.CDLL:
    try:
        return library.load(path)
    except OSError as error:
        raise EnvironmentProblem(
            f"the compiled kernels cannot be loaded: {error}", "kernels=torch"
        ) from error
