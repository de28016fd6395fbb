"""The next token of each row: the greatest logit, ids that a request bans left out."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from torch import Tensor

from assay.engine.ops import Ops


def greedy(logits_LV: Tensor, banned: Sequence[AbstractSet[int]], ops: Ops) -> list[int]:
    """Argmax per row; of equal logits the smallest id; -1 where they are NaN. Changes `logits_LV` where ids are
    banned."""
    for row, ids in enumerate(banned):
        if ids:
            logits_LV[row, [i for i in ids if 0 <= i < logits_LV.shape[1]]] = float("-inf")
    return ops.argmax(logits_LV)
