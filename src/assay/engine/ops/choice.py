"""Which set of kernels runs on this machine, and why not ours where it is not ours."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

from assay.config import Precision
from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops import Ops, TilesFrom
from assay.engine.ops.cpu import build, instructions, library, onednn, onednn_rates, rates
from assay.engine.ops.cpu.cpu_ops import CpuOps, unsupported
from assay.engine.ops.cpu.instructions import InstructionSet
from assay.engine.ops.cpu.onednn_rates import OneDnnRates
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


def _native(config: EngineConfig, model: DecoderConfig) -> tuple[CpuOps, tuple[str, ...]]:
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
        chosen, notes = InstructionSet(lib.assay_best_vectors()), (f"AMX is not used: {problem.message}",)
    onednn_from, more = _onednn_from(config, model, lib, path, chosen, tiles_from)
    threads = config.threads or cores.usable()
    ops = CpuOps(lib, config.precision, model, threads, chosen, tiles_from, onednn_from)
    return ops, (*notes, *more)


def _onednn_from(
    config: EngineConfig,
    model: DecoderConfig,
    lib: ctypes.CDLL,
    path: Path,
    chosen: InstructionSet,
    tiles_from: TilesFrom | None,
) -> tuple[int | None, tuple[str, ...]]:
    """Fewest rows of a step whose attention oneDNN projects, None for no step; and notes for the result."""
    reason = onednn.unusable(model, chosen)
    if config.kernels == "onednn":
        if config.precision is not Precision.BFLOAT16:
            raise ConfigError(
                f"oneDNN is a choice for bfloat16, not for {config.precision.value}", "kernels=native"
            )
        if reason:
            raise EnvironmentProblem(f"oneDNN cannot run here: {reason}", "kernels=native")
        return 1, ()
    if reason or config.kernels not in ("auto", "native") or config.precision is not Precision.BFLOAT16:
        return None, ()
    try:
        found = onednn_rates.kept_or_measured(lib, path, chosen, tiles_from)
    except EnvironmentProblem as problem:
        return None, (f"oneDNN is not used: {problem.message}",)
    return found.rows_from((config.max_running, config.token_budget)), ()


@dataclass(frozen=True)
class MeasuredSets:
    """What the sets do on this machine; text where there is nothing to choose, or nothing that can run."""

    instructions: Rates | str
    onednn: OneDnnRates | str


def measure_sets() -> MeasuredSets:
    """AMX tiles beside AVX-512, and oneDNN beside both, measured now and kept."""
    try:
        path = build.build()
        lib = _loaded(path)
        best, notes = instructions.choose(lib, "native")
        found: Rates | str = "; ".join((f"{instructions.label(lib, best)} for every product", *notes))
        if best is InstructionSet.AMX:
            found = rates.measure(lib, path)
    except EnvironmentProblem as problem:
        return MeasuredSets(problem.message, problem.message)
    try:
        tiles_from = None if isinstance(found, str) else found.tiles_from
        reason = onednn.unusable(rates.SHAPE, best)
        return MeasuredSets(found, reason or onednn_rates.measure(lib, path, best, tiles_from))
    except EnvironmentProblem as problem:
        return MeasuredSets(found, problem.message)


def _loaded(path: Path) -> ctypes.CDLL:
    try:
        return library.load(path)
    except OSError as error:
        raise EnvironmentProblem(
            f"the compiled kernels cannot be loaded: {error}", "kernels=torch"
        ) from error
