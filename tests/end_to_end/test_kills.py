from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end import kills


@pytest.mark.slow
@pytest.mark.usefixtures("loadgen")
def test_what_is_killed_at_any_moment_leaves_nothing_half_made_and_nothing_in_the_way(
    tmp_path: Path, store: Path
) -> None:
    """`python -m tests.end_to_end.kills 200` does more of them."""
    tallies = kills.kill_all(6, 1, tmp_path, store)
    assert {name: tally.faults for name, tally in tallies.items() if tally.faults} == {}
