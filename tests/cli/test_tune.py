"""What `assay tune` says of a search."""

from __future__ import annotations

from assay.bench.tune_record import Tuned
from assay.cli import tune


def test_a_result_above_full_load_says_why_that_can_be() -> None:
    found = Tuned("t", (), "Server", 5.0, full_rate=76.8, low=188.1)
    assert "more than the 76.8 samples/s at full load: in 5 s" in tune.render(found)
    assert "full load" not in tune.render(Tuned("t", (), "Server", 5.0, full_rate=200.0, low=188.1))
