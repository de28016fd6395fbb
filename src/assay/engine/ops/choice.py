"""Which set of kernels runs, and why."""

from __future__ import annotations

from assay.engine.config import EngineConfig, MixtralConfig
from assay.engine.ops import Ops
from assay.engine.ops.plain import PlainOps


def choose_ops(config: EngineConfig, model: MixtralConfig) -> tuple[Ops, tuple[str, ...]]:
    """The kernels for this engine on this machine, and notes that belong into its results."""
    return PlainOps(config.precision), ()
