"""docs/cm-contract.md names a test for each difference; the tests must be there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_contract_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "cm-contract.md").read_text()))
    defined = set(
        re.findall(r"def (test_\w+)", "".join(p.read_text() for p in (ROOT / "tests").rglob("test_*.py")))
    )
    assert named
    assert named - defined == set()
