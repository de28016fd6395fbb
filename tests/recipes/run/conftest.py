from pathlib import Path

import pytest

from assay.recipes.contract.mlc import MLC
from assay.recipes.home.repositories import Home
from tests.recipes.conftest import Kit


@pytest.fixture
def mlc(kit: Kit, tmp_path: Path) -> Kit:
    """The same kit as a home of MLC."""
    kit.home = Home(tmp_path / "mlc", MLC)
    kit.repository = kit.home.folder / "tests@small"
    kit.repository.mkdir(parents=True)
    (kit.repository / "meta.yaml").write_text("alias: tests@small\nuid: 00000000000000aa\ngit: true\n")
    kit.home.register(kit.repository)
    return kit
