"""Keys and values of PyTorch: what is kept in a row is attended to, as the reference says."""

from __future__ import annotations

import pytest
import torch

from assay.engine.ops import reference
from assay.engine.ops.plain_kv import FloatKv, Int8Kv, new_kv


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("of", "kind"), [(torch.float32, FloatKv), (torch.int8, Int8Kv)])
def test_tokens_that_were_kept_in_any_rows_are_attended_to_in_order(of: torch.dtype, kind: type) -> None:
    kv = new_kv(32, 2, 16, of)
    assert type(kv) is kind and kv.k_PKC.dtype is of
    k, v, q = random(9, 2, 16, seed=1), random(9, 2, 16, seed=2), random(3, 4, 16, seed=3)
    rows = torch.tensor([20, 3, 4, 5, 31, 0, 7, 8, 9])
    kv.keep(rows[:4], k[:4], v[:4])
    kv.keep(rows[4:], k[4:], v[4:])
    if of is torch.int8:
        expected = reference.attention_int8(q, reference.quantise_heads(k), reference.quantise_heads(v), 6)
    else:
        expected = reference.attention(q, k, v, 6)
    assert torch.equal(kv.attend(q, rows, 6), expected)


def test_a_row_that_is_taken_again_forgets_what_it_held() -> None:
    kv, rows = new_kv(4, 1, 16, torch.int8), torch.tensor([2])
    kv.keep(rows, 100 * random(1, 1, 16), 100 * random(1, 1, 16))
    k, v = random(1, 1, 16, seed=4), random(1, 1, 16, seed=5)
    kv.keep(rows, k, v)
    got = kv.attend(random(1, 1, 16, seed=6), rows, 0)
    assert float((got - v).abs().max()) < 0.02 * float(v.abs().max())
