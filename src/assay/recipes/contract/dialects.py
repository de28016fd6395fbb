"""All dialects, by name."""

from __future__ import annotations

from assay.recipes.contract.cm import CM
from assay.recipes.contract.dialect import Dialect
from assay.recipes.contract.mlc import MLC

DIALECTS: dict[str, Dialect] = {"cm": CM, "mlc": MLC}
