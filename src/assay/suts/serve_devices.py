"""What each device of a server holds of a model: weights and keys and values, by the server's own arguments. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from assay.config import BYTES_PER_WEIGHT, Precision
from assay.ground.count import size_text
from assay.suts.server_settings import ServerSettings
from assay.suts.shape import ModelShape

SHARE = 0.9
"""Of a device's memory that a server takes. Source: vLLM --gpu-memory-utilization, SGLang --mem-fraction-static."""
WEIGHT_BYTES = {
    "fp8": 1.0,
    "fbgemm_fp8": 1.0,
    "w8a8_fp8": 1.0,
    "w8a8_int8": 1.0,
    "modelopt": 1.0,
    "awq": 0.5,
    "awq_marlin": 0.5,
    "gptq": 0.5,
    "gptq_marlin": 0.5,
    "mxfp4": 0.5,
    "modelopt_fp4": 0.5,
    "nvfp4": 0.5,
}
"""--quantization -> bytes of a weight, without scales; any other format is counted in the precision asked for."""


@dataclass(frozen=True)
class DeviceNeed:
    """Of one device; bytes."""

    parts: int
    """Devices that hold one copy of the weights."""
    copies: int
    weight_bytes: int
    kv_bytes_per_token: float

    def tokens_in(self, memory_bytes: float) -> int:
        """Tokens of prompts and answers that keys and values have room for; below 0 where the weights have none."""
        return int((SHARE * memory_bytes - self.weight_bytes) / self.kv_bytes_per_token)

    def words(self) -> str:
        each = "the device holds" if self.parts == 1 else f"each of {self.parts} devices holds"
        copies = f", {self.copies} times over" if self.copies > 1 else ""
        return (
            f"{each} {size_text(self.weight_bytes)} of weights and {size_text(self.kv_bytes_per_token)} of keys "
            f"and values a token{copies}"
        )


def need(shape: ModelShape, precision: Precision, settings: ServerSettings) -> DeviceNeed:
    """Tensor parallel divides weights and KV heads; what cannot be divided further (KV heads) is held twice."""
    tensor, pipeline = settings.devices.get("tensor", 1), settings.devices.get("pipeline", 1)
    weight = WEIGHT_BYTES.get(settings.weights, BYTES_PER_WEIGHT[precision])
    kv = shape.kv_bytes_per_token(precision) / pipeline / min(tensor, shape.kv_heads)
    if "fp8" in settings.kv or "int8" in settings.kv or "q8" in settings.kv:
        kv /= 2
    return DeviceNeed(
        parts=tensor * pipeline,
        copies=settings.devices.get("data", 1),
        weight_bytes=int(shape.parameters * weight / (tensor * pipeline)),
        kv_bytes_per_token=kv,
    )
