"""Parts of a good tree, made once for each file of tests."""

from __future__ import annotations

import pytest

from tests.mlperf.checker.parts import Parts


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
def open_parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("open"), division="open")
