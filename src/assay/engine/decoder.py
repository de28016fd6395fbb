"""The decoder, top to bottom: embed, layers of attention and experts, norm, head on the rows that are sampled.

Residuals x_TD are float32 in every precision. Legend in ops/__init__.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from assay.engine.decoder_config import DecoderConfig
from assay.engine.expert_stream import ExpertStream
from assay.engine.insight import Meter
from assay.engine.ops import Ops, Step


@dataclass(frozen=True)
class Layer:
    """Packed by `Decoder.ops`."""

    attention: Any
    moe: Any


@dataclass(frozen=True)
class Decoder:
    config: DecoderConfig
    ops: Ops
    embed_VD: Tensor
    layers: tuple[Layer, ...]
    head: Any
    stream: ExpertStream | None = None
    """Brings experts that are not in memory"""

    def logits(self, step: Step, cache: Any, meter: Meter) -> Tensor:
        """Float32 scores of the next token for each sampled row; (L, V). Keeps k and v in `cache`."""
        x_TD = self.embed_VD[step.tokens_T].float()
        if self.stream:
            self.stream.begin(len(x_TD))
        for number, layer in enumerate(self.layers):
            with meter.part("attention"):
                self.ops.add_attention(x_TD, layer.attention, cache, number, step)
            with meter.part("router"):
                routing = self.ops.route(x_TD, layer.moe)
                meter.keep_experts(number, routing.start_E)
            if self.stream:
                with meter.part("reading"):
                    self.stream.bring(number, routing.start_E)
            with meter.part("experts"):
                self.ops.add_experts(x_TD, routing, layer.moe)
            if self.stream:
                self.stream.free(number)
        with meter.part("head"):
            return self.ops.logits(x_TD[step.sampled_L], self.head)
