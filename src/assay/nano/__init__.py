"""mixtral-nano: a small Mixtral that answers, its data set, and the reference scores of both.

    checkpoint_dir()         the shipped checkpoint, readable by plain transformers
    dataset("default")       300 rows in the official schema; "validation": 1,500; "calibration": 300 others
    reference("default")     what the model scores on a set: counts, intervals, token statistics, SHA-256 of the rows

Knows nothing of the harness, of engines or of scoring. Importing it is cheap: torch is not touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.nano.reference import Reference, load_reference
from assay.nano.shipped import checkpoint_dir

if TYPE_CHECKING:
    from assay.nano.rows import Kind

__all__ = ["Reference", "checkpoint_dir", "dataset", "reference"]


def dataset(kind: Kind = "default") -> list[dict[str, Any]]:
    """The rows of a set, generated on the spot: GSM8K first, then OpenOrca, then MBXP. See `rows.py`."""
    from assay.nano.rows import build_rows

    return build_rows(kind)


def reference(kind: Kind = "default") -> Reference:
    """What the shipped model scores on a set, in float32 under greedy decoding with transformers."""
    return load_reference(kind)
