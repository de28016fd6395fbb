"""The plain truth of the ops, held against values computed by hand: the kernels are held against it in turn."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, tensor

from assay.engine.ops import reference, untouched_zeros


def close(found: Tensor, expected: list[object], within: float = 1e-6) -> bool:
    return torch.allclose(found, torch.tensor(expected, dtype=torch.float32), atol=within, rtol=0)


def test_a_normed_row_has_the_root_mean_square_of_its_weights() -> None:
    # rms of (3, 4) is sqrt(12.5)
    root = math.sqrt(12.5)
    assert close(reference.rms_norm(tensor([[3.0, 4.0]]), tensor([1.0, 2.0]), 0.0), [[3 / root, 8 / root]])
    assert close(reference.rms_norm(tensor([[0.0, 0.0]]), tensor([1.0, 1.0]), 1e-5), [[0.0, 0.0]])
    assert close(reference.rms_norm(tensor([[3.0, 4.0]]), tensor([1.0, 1.0]), 12.5), [[3 / 5, 4 / 5]])


def test_the_rotary_table_holds_cos_and_sin_of_each_position() -> None:
    table = reference.rope_table(3, 4, 100.0)  # channel pairs turn by 1 and by 1 / 10 each position
    expected = [[math.cos(p), math.cos(p / 10), math.sin(p), math.sin(p / 10)] for p in range(3)]
    assert close(table, expected)


def test_a_quarter_turn_swaps_the_halves() -> None:
    quarter = tensor([[0.0, 0.0, 1.0, 1.0]])
    assert close(reference.rotate(tensor([[[1.0, 2.0, 3.0, 4.0]]]), quarter), [[[-3.0, -4.0, 1.0, 2.0]]])
    still = tensor([[1.0, 1.0, 0.0, 0.0]])
    assert close(reference.rotate(tensor([[[1.0, 2.0, 3.0, 4.0]]]), still), [[[1.0, 2.0, 3.0, 4.0]]])


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 1000))
@settings(max_examples=30)
def test_turned_rows_meet_by_their_distance_alone(first: int, second: int, seed: int) -> None:
    table = reference.rope_table(101, 8, 1e4)
    q, k = torch.randn(2, 1, 1, 8, generator=torch.Generator().manual_seed(seed))

    def product(at: int, other: int) -> float:
        turned = [reference.rotate(x, table[place : place + 1]) for x, place in ((q, at), (k, other))]
        return float((turned[0] * turned[1]).sum())

    assert product(first, second) == pytest.approx(product(first + 50, second + 50), abs=1e-3)


def test_a_query_sees_no_key_after_its_own_position() -> None:
    k = tensor([[[1.0, 0.0]], [[0.0, 1.0]], [[5.0, 5.0]]])
    v = tensor([[[1.0, 10.0]], [[2.0, 20.0]], [[3.0, 30.0]]])
    q = tensor([[[0.0, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]])  # equal scores: the mean of what is seen
    assert close(reference.attention(q, k, v, 0), [[[1.0, 10.0]], [[1.5, 15.0]], [[2.0, 20.0]]])
    assert close(reference.attention(q[:1], k, v, 2), [[[2.0, 20.0]]])


def test_scores_are_scaled_by_the_root_of_the_channels() -> None:
    q, k = tensor([[[2.0, 0.0, 0.0, 0.0]]]), tensor([[[1.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0]]])
    v = tensor([[[1.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0]]])
    share = math.e / (math.e + 1)  # scores 2 / sqrt(4) and 0
    assert close(reference.attention(q, k, v, 1), [[[share, 0.0, 0.0, 0.0]]])


def test_a_kv_head_serves_its_neighbouring_query_heads() -> None:
    q = torch.zeros(1, 4, 2)
    k = torch.zeros(1, 2, 2)
    v = tensor([[[1.0, 1.0], [2.0, 2.0]]])
    assert close(reference.attention(q, k, v, 0)[0, :, 0], [1.0, 1.0, 2.0, 2.0])


def test_the_best_experts_share_the_whole_weight() -> None:
    gate = torch.eye(3)
    weight, expert = reference.top_experts(tensor([[math.log(1), math.log(2), math.log(6)]]), gate, 2)
    assert expert.tolist() == [[2, 1]]
    assert close(weight, [[6 / 8, 2 / 8]])


def test_rows_sorted_by_expert_are_those_of_the_example() -> None:
    start, row, place = reference.sort_by_expert(tensor([[1, 0], [1, 2]]), 3)
    assert (start.tolist(), row.tolist(), place.tolist()) == ([0, 1, 3, 4], [0, 0, 1, 1], [[1, 0], [2, 3]])


@given(st.lists(st.permutations(range(4)), min_size=1, max_size=12), st.integers(1, 3))
def test_every_token_is_found_again_at_its_experts(choices: list[list[int]], active: int) -> None:
    expert_TA = tensor([choice[:active] for choice in choices])
    start, row, place = reference.sort_by_expert(expert_TA, 4)
    assert (int(start[0]), int(start[-1])) == (0, expert_TA.numel())
    for t, experts in enumerate(expert_TA.tolist()):
        for a, e in enumerate(experts):
            at = int(place[t, a])
            assert int(row[at]) == t
            assert int(start[e]) <= at < int(start[e + 1])
    for e in range(4):
        here = row[int(start[e]) : int(start[e + 1])].tolist()
        assert here == sorted(here)


def test_an_expert_is_down_of_the_gated_up() -> None:
    silu_2 = 2 / (1 + math.exp(-2))
    out = reference.expert(tensor([[2.0]]), tensor([[1.0]]), tensor([[3.0]]), tensor([[5.0]]))
    assert close(out, [[silu_2 * 6 * 5]], 1e-5)


@pytest.mark.parametrize("width", [1, 2, 3, 6, 64, 96, 192, 4096])
def test_spreading_keeps_products_and_shares_an_outlier(width: int) -> None:
    generator = torch.Generator().manual_seed(width)
    x, y = torch.randn(2, 3, width, generator=generator)
    assert torch.allclose(reference.spread(x) @ reference.spread(y).T, x @ y.T, atol=1e-3)
    outlier = torch.zeros(1, width)
    outlier[0, 0] = 1.0
    parts = 1
    while parts < 64 and width % (2 * parts) == 0:
        parts *= 2
    spread = reference.spread(outlier)
    assert float(spread.abs().max()) == pytest.approx(1 / math.sqrt(parts), rel=1e-5)
    assert int(spread.count_nonzero()) == parts


def test_the_largest_of_a_row_becomes_127() -> None:
    values, scale = reference.quantise_rows(tensor([[0.5], [-2.0], [0.0]]))  # one column: nothing to spread
    assert values.tolist() == [[127], [-127], [0]]
    assert scale.tolist() == pytest.approx([0.5 / 127, 2 / 127, 1e-12 / 127])


def test_a_product_of_quantised_rows_is_exact_up_to_the_scales() -> None:
    values, weights = tensor([[100, -100]], dtype=torch.int8), tensor([[127, 126], [1, 1]], dtype=torch.int8)
    found = reference.linear_int8(values, tensor([0.5]), weights, tensor([0.25, 2.0]))
    assert found.tolist() == [[100 * 0.5 * 0.25, 0.0]]


def test_zeros_that_nobody_touched_are_zeros_of_the_type() -> None:
    zeros = untouched_zeros((2, 3), torch.bfloat16)
    assert (zeros.shape, zeros.dtype, int(zeros.count_nonzero())) == ((2, 3), torch.bfloat16, 0)


@given(st.integers(1, 20), st.sampled_from([16, 48, 64, 80]), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_attention_over_int8_is_near_that_over_the_numbers_themselves(
    tokens: int, channels: int, seed: int
) -> None:
    """Values are averaged, so that no error is larger than a step of the largest of them, half a step in the mean."""
    made = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(tokens, heads, channels, generator=made) for heads in (4, 2, 2))
    k[:, :, 3] *= 20  # keys have channels that are always large
    keys, values = reference.quantise_heads(k), reference.quantise_heads(v)
    assert keys[0].dtype is torch.int8 and keys[1].shape == (tokens, 2)
    got, expected = reference.attention_int8(q, keys, values, 0), reference.attention(q, k, v, 0)
    exact = reference.attention(q, spread_back(*keys), spread_back(*values), 0)
    assert torch.allclose(got, exact, atol=1e-4), "spread queries meet spread keys"
    assert float((got - expected).square().mean().sqrt()) < 0.1 * float(expected.square().mean().sqrt())


def spread_back(numbers: Tensor, scale: Tensor) -> Tensor:
    rows = reference.spread((numbers * scale[..., None]).flatten(0, 1))
    return rows.view_as(numbers)


def test_each_head_of_each_token_has_a_scale_of_its_own() -> None:
    x = torch.zeros(2, 2, 16)
    x[0, 0, 0], x[1, 1, 0] = 4.0, 0.04
    numbers, scale = reference.quantise_heads(x)
    assert numbers.abs().amax(-1).tolist() == [[127, 0], [0, 127]]
    assert float(scale[0, 0] / scale[1, 1]) == pytest.approx(100)
    assert torch.allclose(spread_back(numbers, scale), x, atol=1e-6)
