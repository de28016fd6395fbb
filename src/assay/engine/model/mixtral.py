"""Mixtral, top to bottom: embed, layers of attention and experts, norm, head on the rows that are sampled.

Residuals x_TD are float32 in every precision. Legend in ops/__init__.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from assay.engine.config import MixtralConfig
from assay.engine.insight import Meter
from assay.engine.model.attention import Attention
from assay.engine.model.moe import Moe
from assay.engine.ops import Ops, Step


@dataclass(frozen=True)
class Layer:
    attention: Attention
    moe: Moe


@dataclass(frozen=True)
class Mixtral:
    config: MixtralConfig
    ops: Ops
    embed_VD: Tensor
    layers: tuple[Layer, ...]
    norm_D: Tensor
    head: Any
    """(V, D)"""
    turn_PC: Tensor
    """Rotary angles, float32; see reference.rope_table."""

    def logits(self, step: Step, cache: Any, meter: Meter) -> Tensor:
        """Float32 scores of the next token for each sampled row; (L, V). Keeps k and v in `cache`."""
        eps = self.config.rms_norm_eps
        x_TD = self.embed_VD[step.tokens_T].float()
        for number, layer in enumerate(self.layers):
            with meter.part("attention"):
                layer.attention.add_to(x_TD, self.ops, cache, number, step, self.turn_PC, eps)
            layer.moe.add_to(x_TD, self.ops, number, eps, meter)
        with meter.part("head"):
            h_LD = self.ops.norm(x_TD[step.sampled_L], self.norm_D, eps)
            return self.ops.linear(h_LD, self.head)
