"""The next token of each row: the greatest logit, ids that a request bans left out."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from torch import Tensor


def greedy(logits_LV: Tensor, banned: Sequence[AbstractSet[int]]) -> list[int]:
    """Argmax per row; of equal logits the smallest id. Changes `logits_LV` where ids are banned."""
    for row, ids in enumerate(banned):
        if ids:
            logits_LV[row, [i for i in ids if i < logits_LV.shape[1]]] = float("-inf")
    tokens: list[int] = logits_LV.argmax(-1).tolist()
    return tokens
