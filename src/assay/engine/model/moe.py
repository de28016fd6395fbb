"""The mixture of experts: each token through the best A of E. Legend in ops/__init__.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from assay.engine.insight import Meter
from assay.engine.ops import Ops


@dataclass(frozen=True)
class Moe:
    norm_D: Tensor
    gate_ED: Tensor
    """The router, float32 whatever the precision: a wrong expert costs more than a rounded one."""
    active: int
    experts: Any

    def add_to(self, x_TD: Tensor, ops: Ops, layer: int, eps: float, meter: Meter) -> None:
        """x += experts(norm(x))"""
        with meter.part("router"):
            h_TD = ops.norm(x_TD, self.norm_D, eps)
            routing = ops.route(h_TD, self.gate_ED, self.active)
            meter.keep_experts(layer, routing.start_E)
        with meter.part("experts"):
            ops.add_experts(x_TD, h_TD, routing, self.experts)
