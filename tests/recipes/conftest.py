"""A home with small recipes, each written for one rule."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions.dispatch import perform
from assay.recipes.contract.argv import parse
from assay.recipes.contract.cm import CM
from assay.recipes.home.repositories import Home
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context


class Answering(Quiet):
    """A user who gives the prepared answers, and then is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str] = []
        self.questions: list[str] = []

    def ask(self, question: str) -> str | None:
        self.questions.append(question)
        return self.answers.pop(0) if self.answers else None


class Kit:
    """Makes recipes and runs command lines on them in process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = Home(root / "home", CM)
        self.repository = self.home.folder / "tests@small"
        self.repository.mkdir(parents=True)
        (self.repository / "cmr.yaml").write_text("alias: tests@small\nuid: 00000000000000aa\n")
        self.home.register(self.repository)
        self.console = Answering()
        self.count = 0

    def recipe(self, alias: str, hooks: str = "", run: str = "", **meta: Any) -> Path:
        """A recipe with the tags of its hyphenated name, unless `tags` says otherwise."""
        self.count += 1
        folder = self.repository / "script" / alias
        folder.mkdir(parents=True)
        full = {"alias": alias, "uid": f"{self.count:016x}", "tags": alias.split("-"), **meta}
        (folder / "_cm.json").write_text(json.dumps(full))
        if hooks:
            (folder / "customize.py").write_text(hooks)
        if run:
            (folder / "run.sh").write_text(run)
        return folder

    def context(self) -> Context:
        self.home.changed()
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.root)}
        return Context(self.home, self.console, environ)

    def perform(self, line: list[str]) -> dict[str, Any]:
        """One command line, as its words."""
        return perform(self.context(), parse(line))

    def run(self, tags: str, *flags: str) -> dict[str, Any]:
        """`run script --tags=… --user_python` with further flags."""
        return self.perform(["run", "script", f"--tags={tags}", "--user_python", *flags])

    def entries(self) -> list[Path]:
        """Folders in the cache that have a description."""
        return sorted(path.parent for path in self.home.cache.glob("*/_cm.json"))


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Kit(tmp_path)
