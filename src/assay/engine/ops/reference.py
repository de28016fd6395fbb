"""The plain truth of every op: short PyTorch, one idea a function, no concern for speed.

Each kernel is tested against these over a table of shapes. Legend in ops/__init__.py.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from assay.engine.rope import LinearScaling, RopeScaling

INT8_MAX = 127
SPREAD_PARTS = 64


def rms_norm(x_TD: Tensor, weight_D: Tensor, eps: float) -> Tensor:
    """x / rms(x) * weight, float32."""
    x_TD = x_TD.float()
    return x_TD * torch.rsqrt(x_TD.square().mean(-1, keepdim=True) + eps) * weight_D.float()


def rope_table(num_positions: int, channels: int, theta: float, scaling: RopeScaling | None = None) -> Tensor:
    """cos and sin of every position's angles: (positions, channels), the first half cos, the second sin."""
    positions = torch.arange(num_positions, dtype=torch.float32)
    angles = positions[:, None] * inverse_frequencies(channels, theta, scaling)
    return torch.cat((angles.cos(), angles.sin()), dim=-1)


def inverse_frequencies(channels: int, theta: float, scaling: RopeScaling | None) -> Tensor:
    """Radians by which each pair of channels turns from one position to the next, float32; (channels / 2,).

    Without scaling theta ** (-2 i / channels). Source: modeling_rope_utils.py of transformers 5.
    """
    plain = 1.0 / (theta ** (torch.arange(0, channels, 2, dtype=torch.float32) / channels))
    if scaling is None:
        return plain
    slow = plain / scaling.factor
    if isinstance(scaling, LinearScaling):
        return slow
    turns = scaling.original_positions / (2 * math.pi / plain)
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    fast_share = (turns - low) / (high - low)
    between = (1 - fast_share) * plain / scaling.factor + fast_share * plain
    return torch.where(turns < low, slow, torch.where(turns > high, plain, between))


def rotate(x_THC: Tensor, turn_TC: Tensor) -> Tensor:
    """Turn channel i with channel i + C/2 by the angle of the row's position."""
    first, second = x_THC.float().chunk(2, dim=-1)
    cos, sin = turn_TC[:, None].chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def attention(q_THC: Tensor, k_PKC: Tensor, v_PKC: Tensor, start: int) -> Tensor:
    """Causal attention of one sequence: T queries at positions start.., P keys from 0; (T, H, C)."""
    groups = q_THC.shape[1] // k_PKC.shape[1]
    k_PHC, v_PHC = (t.float().repeat_interleave(groups, dim=1) for t in (k_PKC, v_PKC))
    scores_HTP = torch.einsum("thc,phc->htp", q_THC.float(), k_PHC) * q_THC.shape[-1] ** -0.5
    position_T = start + torch.arange(q_THC.shape[0])
    hidden_TP = torch.arange(k_PKC.shape[0])[None, :] > position_T[:, None]
    weights_HTP = scores_HTP.masked_fill(hidden_TP, float("-inf")).softmax(-1)
    return torch.einsum("htp,phc->thc", weights_HTP, v_PHC)


def quantise_heads(x_PKC: Tensor) -> tuple[Tensor, Tensor]:
    """(int8 values, float32 scale of each token and head), (P, K, C) and (P, K): quantise_rows of every head."""
    values, scale = quantise_rows(x_PKC.flatten(0, 1))
    return values.view_as(x_PKC), scale.view(x_PKC.shape[:2])


def attention_int8(
    q_THC: Tensor, keys: tuple[Tensor, Tensor], values: tuple[Tensor, Tensor], start: int
) -> Tensor:
    """`attention` over keys and values of quantise_heads. Queries are spread to meet them, and the sums once more:
    spread undoes itself."""
    k_PKC, v_PKC = (numbers * scale[..., None] for numbers, scale in (keys, values))
    return _spread_heads(attention(_spread_heads(q_THC), k_PKC, v_PKC, start))


def _spread_heads(x_THC: Tensor) -> Tensor:
    return spread(x_THC.flatten(0, 1)).view_as(x_THC)


def top_experts(
    h_TD: Tensor, gate_ED: Tensor, active: int, renormalises: bool = True
) -> tuple[Tensor, Tensor]:
    """(weight_TA, expert_TA): the best experts of each token, best first, and their shares."""
    probability_TE = F.linear(h_TD.float(), gate_ED.float()).softmax(-1)
    weight_TA, expert_TA = probability_TE.topk(active, dim=-1)
    return weight_TA / weight_TA.sum(-1, keepdim=True) if renormalises else weight_TA, expert_TA


def sort_by_expert(expert_TA: Tensor, num_experts: int) -> tuple[Tensor, Tensor, Tensor]:
    """(start_E, row_R, place_TA), int32; tokens keep their order within an expert.

    Example: expert_TA [[1, 0], [1, 2]] gives start_E [0, 1, 3, 4], row_R [0, 0, 1, 1] and
    place_TA [[1, 0], [2, 3]].
    """
    flat_R = expert_TA.reshape(-1)
    order_R = torch.argsort(flat_R, stable=True)
    start_E = torch.zeros(num_experts + 1, dtype=torch.int32)
    start_E[1:] = torch.bincount(flat_R, minlength=num_experts).cumsum(0)
    place_R = torch.empty_like(order_R)
    place_R[order_R] = torch.arange(len(order_R))
    row_R = order_R // expert_TA.shape[1]
    return start_E, row_R.int(), place_R.view_as(expert_TA).int()


def expert(h_RD: Tensor, gate_FD: Tensor, up_FD: Tensor, down_DF: Tensor) -> Tensor:
    """One expert on its rows, in the precision of the weights; (R, D)."""
    return F.linear(F.silu(F.linear(h_RD, gate_FD)) * F.linear(h_RD, up_FD), down_DF)


def spread(x_RD: Tensor) -> Tensor:
    """Rows, cut into up to 64 equal parts, times an orthonormal Hadamard matrix over the parts; (R, D).

    Products of two spread matrices are those of the matrices, while one outlier is shared by many numbers, so that
    rounding to 8 bits costs the others less. Source: the idea of QuaRot (Ashkboos et al., 2024, arXiv 2404.00456).
    """
    width, parts = x_RD.shape[-1], 1
    while parts < SPREAD_PARTS and width % (2 * parts) == 0:
        parts *= 2
    hadamard_PP = torch.ones(1, 1)
    while len(hadamard_PP) < parts:
        hadamard_PP = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), hadamard_PP)
    spread_RPK = hadamard_PP @ x_RD.float().view(-1, parts, width // parts) / math.sqrt(parts)
    return spread_RPK.view(-1, width)


def quantise_rows(x_RD: Tensor) -> tuple[Tensor, Tensor]:
    """(int8 values, float32 scale per row) with spread x ~ values * scale; the largest of a row becomes 127."""
    x_RD = spread(x_RD)
    scale_R = x_RD.abs().amax(-1).clamp_min(1e-12) / INT8_MAX
    return (x_RD / scale_R[:, None]).round().clamp(-INT8_MAX, INT8_MAX).to(torch.int8), scale_R


def linear_int8(values_RD: Tensor, scale_R: Tensor, weight_ND: Tensor, scale_N: Tensor) -> Tensor:
    """Product of two matrices of quantise_rows, exact in int32, scaled back to float32; (R, N)."""
    exact_RN = values_RD.to(torch.int32) @ weight_ND.to(torch.int32).T
    return exact_RN.float() * scale_R[:, None] * scale_N
