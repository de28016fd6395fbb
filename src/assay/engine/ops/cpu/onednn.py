"""oneDNN's bfloat16 products, on the very weights that our kernels read: a rival where a product has many rows.

For processors with AVX-512 oneDNN lays a weight out as we do, [panel of 64 columns][step][64 words], byte for byte
where the depth is a multiple of 32. So one copy serves both: our kernels multiply few rows by it, oneDNN many. Its
result is bfloat16, which is one rounding more than ours. PyTorch carries oneDNN, and these ops are its way in.
"""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops.cpu.instructions import InstructionSet

STEPS_AT_ONCE = 32
"""Numbers of a weight's depth that lie together: a depth that is no multiple is filled up differently by the two"""
ROWS_HINT = 256
"""Rows that oneDNN is told to pack for"""
OPS = ("_is_mkldnn_bf16_supported", "_reorder_linear_weight", "_nbytes", "data_ptr", "_linear_pointwise")
"""What is used of torch.ops.mkldnn. These are PyTorch's own: another release may lack one."""


def unusable(model: DecoderConfig, best: InstructionSet) -> str | None:
    """Why oneDNN cannot read the weights of this model's attention as they lie, or None when it can."""
    if best < InstructionSet.AVX512:
        return f"the weights of {best.label} kernels do not lie as oneDNN reads them"
    known = torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in OPS)
    if not (known and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        return "this PyTorch has no oneDNN that multiplies bfloat16 on this processor"
    for name, depth in (("hidden_size", model.hidden_size), ("heads * head_dim", model.q_size)):
        if depth % STEPS_AT_ONCE:
            return f"{name} {depth} is not a multiple of {STEPS_AT_ONCE}"
    return None


def packed_alike(weight_ND: Tensor, ours: Tensor) -> Tensor | None:
    """The weight as oneDNN packs it, where its bytes are those of `ours`; else None."""
    theirs: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight_ND.bfloat16().contiguous(), ROWS_HINT)
    return theirs if torch.equal(bytes_of(theirs), ours.view(torch.uint8)) else None


def bytes_of(packed: Tensor) -> Tensor:
    """The memory of a weight that oneDNN packed, uint8. It is the weight's own, which must outlive it."""
    size = torch.ops.mkldnn._nbytes(packed)
    return torch.frombuffer(
        (ctypes.c_uint8 * size).from_address(torch.ops.mkldnn.data_ptr(packed)), dtype=torch.uint8
    )


def product(h_RD: Tensor, packed: Tensor) -> Tensor:
    """h W^T, bfloat16, by as many threads as PyTorch has."""
    y_RN: Tensor = torch.ops.mkldnn._linear_pointwise(h_RD, packed, None, "none", [], "")
    return y_RN
