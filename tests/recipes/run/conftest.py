from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.cm import CM
from assay.recipes.contract.hooks import HookProcessState
from assay.recipes.contract.mlc import MLC
from assay.recipes.home.repositories import Home
from assay.recipes.run.automation import Automation
from assay.recipes.run.native import NativeScripts
from assay.recipes.run.version_detection import HookServices
from tests.recipes.conftest import Kit

Make = Callable[..., Automation]


@pytest.fixture
def mlc(kit: Kit, tmp_path: Path) -> Kit:
    """The same kit as a home of MLC."""
    kit.home = Home(tmp_path / "mlc", MLC)
    kit.repository = kit.home.folder / "tests@small"
    kit.repository.mkdir(parents=True)
    (kit.repository / "meta.yaml").write_text("alias: tests@small\nuid: 00000000000000aa\ngit: true\n")
    kit.home.register(kit.repository)
    return kit


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """`make(answers, host)`: what the user answers, and the search variables of the process."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def made(answer: str | None = None, host: dict[str, str] | None = None, dialect: Any = CM) -> Automation:
        state = HookProcessState({"PATH": os.environ["PATH"], **(host or {})})
        services = HookServices(
            NativeScripts(dialect, state, lambda text: None),
            access=lambda request, out=None: {"return": 0, "asked": request},
            ask=lambda question: answer,
        )
        return Automation(services, tmp_path)

    return made


@pytest.fixture
def automation(make: Make) -> Automation:
    return make()
