"""The shell of the guide's tests, one for all pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.shell import Shell


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Shell:
    return Shell(tmp_path_factory.mktemp("guide"), store)
