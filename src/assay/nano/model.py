"""The training forward pass of mixtral-nano: Mixtral over packed samples, experts as one product each.

Parameter names are those of a Mixtral checkpoint, apart from the experts, which are stacked (`export.py` undoes
that). It has no cache and cannot generate.
Shape letters: N tokens, H hidden, B samples, L longest sample, Q query heads, K key heads, G = Q / K, D head
size, E experts, F expert size, T tokens of one expert, A answer tokens, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from assay.nano.batch import SampleGroup, TrainingBatch
from assay.nano.shape import Shape


@dataclass(frozen=True)
class Output:
    """`logits_AV` at the places that predict answers; `balance` is the mean auxiliary loss of the layers (1 when
    the experts share the tokens evenly); `share_LE` is each expert's part of the routed tokens per layer."""

    logits_AV: Tensor
    balance: Tensor
    share_LE: Tensor


class Linear(nn.Linear):  # type: ignore[misc]
    """A product without bias, in the dtype of its input; the weight stays float32."""

    def __init__(self, size_in: int, size_out: int) -> None:
        super().__init__(size_in, size_out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype))


class Norm(nn.Module):  # type: ignore[misc]
    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x_NH: Tensor, dtype: torch.dtype) -> Tensor:
        return F.rms_norm(x_NH, (x_NH.shape[-1],), self.weight, self.epsilon).to(dtype)


class SelfAttention(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.q_proj = Linear(shape.hidden, shape.heads * shape.head_dim)
        self.k_proj = Linear(shape.hidden, shape.kv_heads * shape.head_dim)
        self.v_proj = Linear(shape.hidden, shape.kv_heads * shape.head_dim)
        self.o_proj = Linear(shape.heads * shape.head_dim, shape.hidden)

    def forward(self, x_NH: Tensor, batch: TrainingBatch, cos_ND: Tensor, sin_ND: Tensor) -> Tensor:
        shape = self.shape
        q_NQD = rotate(self.q_proj(x_NH).view(-1, shape.heads, shape.head_dim), cos_ND, sin_ND)
        k_NKD = rotate(self.k_proj(x_NH).view(-1, shape.kv_heads, shape.head_dim), cos_ND, sin_ND)
        v_NKD = self.v_proj(x_NH).view(-1, shape.kv_heads, shape.head_dim)
        q_NQD = q_NQD * shape.head_dim**-0.5
        sizes = [len(group.sample_N) for group in batch.groups]
        parts = zip(q_NQD.split(sizes), k_NKD.split(sizes), v_NKD.split(sizes), batch.groups)
        mixed_NH = torch.cat([attend(q, k, v, group) for q, k, v, group in parts])
        return self.o_proj(mixed_NH)


def attend(q_NQD: Tensor, k_NKD: Tensor, v_NKD: Tensor, group: SampleGroup) -> Tensor:
    """Causal attention of each sample of a group to itself; (N, Q * D). `q_NQD` is scaled already.

    The query heads of one key head are stacked as rows of one product, so keys are never repeated. Rows after the
    end of a sample stay zero: attention being causal, no row of the sample sees them.
    """
    num_kv_heads = k_NKD.shape[1]

    def spread(x_NXD: Tensor) -> Tensor:
        out = x_NXD.new_zeros(group.num_samples, group.length_max, *x_NXD.shape[1:])
        return out.index_put((group.sample_N, group.position_N), x_NXD)

    q_BKGLD = spread(q_NQD).unflatten(2, (num_kv_heads, -1)).permute(0, 2, 3, 1, 4)
    k_BKDL = spread(k_NKD).permute(0, 2, 3, 1)
    v_BKLD = spread(v_NKD).transpose(1, 2)
    hidden = torch.ones(group.length_max, group.length_max, dtype=torch.bool).triu(1)
    scores_BKGLL = (q_BKGLD.flatten(2, 3) @ k_BKDL).unflatten(2, (-1, group.length_max))
    odds_BKGLL = scores_BKGLL.masked_fill(hidden, -torch.inf).softmax(dim=-1)
    mixed_BKGLD = (odds_BKGLL.flatten(2, 3) @ v_BKLD).unflatten(2, (-1, group.length_max))
    return mixed_BKGLD.permute(0, 3, 1, 2, 4)[group.sample_N, group.position_N].flatten(1)


class Experts(nn.Module):  # type: ignore[misc]
    """The router and the stacked experts: `w13` holds gate and up projection, `w2` the way back."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.gate = Linear(shape.hidden, shape.experts)
        self.w13 = nn.Parameter(torch.empty(shape.experts, 2 * shape.ffn, shape.hidden))
        self.w2 = nn.Parameter(torch.empty(shape.experts, shape.hidden, shape.ffn))

    def forward(self, x_NH: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shape = self.shape
        odds_NE = self.gate(x_NH.float()).softmax(dim=-1)
        weight, expert = odds_NE.topk(shape.experts_per_token, dim=-1)
        weight = weight / weight.sum(dim=-1, keepdim=True)
        order = expert.flatten().argsort(stable=True)
        token = order // shape.experts_per_token
        counts = torch.bincount(expert.flatten(), minlength=shape.experts)
        w13_E, w2_E = self.w13.to(x_NH.dtype).unbind(), self.w2.to(x_NH.dtype).unbind()
        mixed = []
        for x_TH, w13, w2 in zip(x_NH.index_select(0, token).split(counts.tolist()), w13_E, w2_E):
            gate, up = F.linear(x_TH, w13).chunk(2, dim=-1)
            mixed.append(F.linear(F.silu(gate) * up, w2))
        routed = torch.cat(mixed) * weight.flatten()[order].unsqueeze(1).to(x_NH.dtype)
        out_NH = torch.zeros_like(x_NH, dtype=routed.dtype).index_add(0, token, routed)
        share_E = counts / counts.sum()
        # Source: Switch Transformer's load balancing loss, which Mixtral uses too.
        balance = shape.experts * (share_E * odds_NE.mean(dim=0)).sum()
        return out_NH, balance, share_E


class DecoderLayer(nn.Module):  # type: ignore[misc]
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = Norm(shape.hidden, shape.norm_epsilon)
        self.self_attn = SelfAttention(shape)
        self.post_attention_layernorm = Norm(shape.hidden, shape.norm_epsilon)
        self.block_sparse_moe = Experts(shape)


class NanoModel(nn.Module):  # type: ignore[misc]
    """Float32 parameters, initialised from torch's own generator; `dtype` is what the products are computed in."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.hidden, shape.norm_epsilon)
        self.lm_head = Linear(shape.hidden, shape.vocabulary)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                narrow = "o_proj" in name or name.endswith("w2")
                nn.init.normal_(parameter, std=0.04 / (2 * shape.layers) ** 0.5 if narrow else 0.04)

    def forward(self, batch: TrainingBatch, dtype: torch.dtype = torch.float32) -> Output:
        cos_ND, sin_ND = (x.to(dtype) for x in angles(self.shape, batch.position_N))
        x_NH = self.embed_tokens(batch.ids_N)
        balances, shares = [], []
        for layer in self.layers:
            x_NH = x_NH + layer.self_attn(layer.input_layernorm(x_NH, dtype), batch, cos_ND, sin_ND)
            mixed_NH, balance, share_E = layer.block_sparse_moe(layer.post_attention_layernorm(x_NH, dtype))
            x_NH = x_NH + mixed_NH
            balances.append(balance)
            shares.append(share_E)
        logits_AV = self.lm_head(self.norm(x_NH.index_select(0, batch.source_A), dtype)).float()
        return Output(logits_AV, torch.stack(balances).mean(), torch.stack(shares))


def angles(shape: Shape, position_N: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding, each (N, D), the two halves of D alike."""
    frequency = shape.rope_base ** (-torch.arange(0, shape.head_dim, 2).float() / shape.head_dim)
    angle = (position_N.float().unsqueeze(1) * frequency).repeat(1, 2)
    return angle.cos(), angle.sin()


def rotate(x_NKD: Tensor, cos_ND: Tensor, sin_ND: Tensor) -> Tensor:
    """`x_NKD` turned by its positions, in the half-split layout of transformers; the dtype is kept."""
    first, second = x_NKD.chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    return (x_NKD * cos_ND.unsqueeze(1) + turned * sin_ND.unsqueeze(1)).to(x_NKD.dtype)
